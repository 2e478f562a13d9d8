"""Vectors as they come: which can be compared, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.model import Skipped
from memscope.promotion.vectors import ZERO, units, usable


def of(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def test_a_sound_matrix_is_not_copied() -> None:
    matrix = np.eye(3, dtype=np.float32)

    found = usable(matrix)

    assert found.matrix is matrix
    assert found.places.tolist() == [0, 1, 2]
    assert found.skipped == Skipped()
    assert found.flaw is None


def test_rows_without_a_vector_are_counted_and_are_no_flaw() -> None:
    found = usable([None, of(1, 0), of(), of(0, 1)])

    assert found.places.tolist() == [1, 3]
    assert found.matrix.tolist() == [[1, 0], [0, 1]]
    assert found.skipped == Skipped(no_embedding=2)
    assert found.flaw is None


def test_rows_of_another_dimension_than_most_are_counted_and_the_first_is_named() -> None:
    found = usable([of(1, 2, 3), of(1, 0), of(0, 1), of(7)])

    assert found.places.tolist() == [1, 2]
    assert found.skipped == Skipped(dimension=2)
    assert found.flaw == (0, "an embedding of 3 numbers, where most have 2")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_dimensions_that_as_many_have_the_larger_counts(order: tuple[int, int]) -> None:
    vectors = [of(1, 2, 3), of(1, 2)]

    assert usable([vectors[place] for place in order]).matrix.shape == (1, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite_in_single_precision_are_counted(value: float) -> None:
    vectors = [of(1, 2), np.array([value, 1.0]), None]

    found = usable(vectors)

    assert found.places.tolist() == [0]
    assert found.skipped == Skipped(no_embedding=1, not_finite=1)
    assert found.flaw == (1, "an embedding with a value that is not finite")


def test_in_a_matrix_too() -> None:
    found = usable(np.array([[0, np.nan], [1, 1], [np.inf, 0]]))

    assert found.matrix.dtype == np.float32
    assert found.places.tolist() == [1]
    assert found.skipped == Skipped(not_finite=2)
    assert found.flaw is not None
    assert found.flaw.place == 0


def test_the_first_flaw_is_told_whatever_it_is() -> None:
    early, late = usable([of(np.nan, 0), of(1), of(1, 2)]), usable([of(1), of(np.nan, 0), of(1, 2)])

    assert early.flaw is not None
    assert late.flaw is not None
    assert "not finite" in early.flaw.what
    assert "of 1 numbers" in late.flaw.what
    assert early.flaw.place == late.flaw.place == 0


@pytest.mark.parametrize("nothing", [[], [None], np.zeros((0, 4), np.float32), np.zeros((3, 0), np.float32)])
def test_nothing_can_be_compared_where_nothing_is(nothing: list[None]) -> None:
    found = usable(nothing)

    assert len(found.matrix) == len(found.places) == 0
    assert found.skipped == Skipped(no_embedding=len(nothing))


numbers = st.one_of(st.floats(-(2.0**100), 2.0**100, width=32), st.sampled_from([0.0, -0.0, 1e-6, 1.0]))


@given(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=20))
def test_units_have_a_norm_of_one_or_are_zero(rows: list[list[float]]) -> None:
    vectors = np.array(rows, np.float32)

    found = units(vectors)

    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    assert np.linalg.norm(found, axis=1) == pytest.approx((norms >= ZERO).astype(float), abs=1e-6)
    assert not np.signbit(found[found == 0]).any()
