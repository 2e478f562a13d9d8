"""Average linkage, against its definition."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.promotion import linkage as module
from memscope.promotion.linkage import linked
from memscope.promotion.vectors import units
from tests.promotion.average import as_sets, average_linkage, clumped


def clusters(vectors: np.ndarray, threshold: float, weights: list[int] | None = None) -> np.ndarray:
    points = np.arange(len(vectors))
    counts = np.array(weights) if weights else np.ones(len(vectors), np.intp)
    return linked(units(np.array(vectors, np.float32)), points, counts, threshold, Job())


# Rows and columns of a product, products that cost little, rows of a table: small, so that there are several, or not.
sizes = st.sampled_from([
    (3, 2, 0, 0), (3, 2, 40, 0), (3, 2, 0, 6), (512, 8192, 2**18, 0), (512, 8192, 2**18, 6144)
])  # fmt: skip


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 14), st.integers(2, 5), st.sampled_from([0.1, 0.3, 0.6]),
    st.sampled_from([-0.2, 0.3, 0.6, 0.85, 0.95]), sizes,
)  # fmt: skip
@settings(max_examples=300)
def test_it_is_what_merging_the_most_alike_pair_again_and_again_gives(
    seed: int, count: int, dimension: int, noise: float, threshold: float, size: tuple[int, int, int, int]
) -> None:
    vectors = clumped(seed, count, dimension, 3, noise)

    with patch.multiple(module, _ROWS=size[0], _COLUMNS=size[1], _LITTLE=size[2], _TABLE=size[3]):
        assert as_sets(clusters(vectors, threshold)) == average_linkage(vectors, threshold, gap=1e-5)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 4), min_size=2, max_size=7))
@settings(max_examples=60)
def test_a_point_of_some_weight_is_as_many_alike(seed: int, weights: list[int]) -> None:
    vectors = clumped(seed, len(weights), 3, 2, 0.4)
    repeated = np.repeat(np.arange(len(weights)), weights)

    # Equals merge first, in any order.
    whole = average_linkage_of_equals(vectors[repeated], repeated)

    assert {frozenset(repeated[sorted(one)].tolist()) for one in whole} == as_sets(clusters(vectors, 0.7, weights))


def average_linkage_of_equals(vectors: np.ndarray, which: np.ndarray) -> set[frozenset[int]]:
    """As `average_linkage`, the same vectors together from the start."""
    wide = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1)[:, None]
    cosines = wide @ wide.T
    found = as_sets(which)
    while len(found) > 1:
        value, one, other = max(
            ((cosines[np.ix_(sorted(a), sorted(b))].mean(), a, b) for a in found for b in found if a != b),
            key=lambda pair: pair[0],
        )
        if value < 0.7:
            break
        found = found - {one, other} | {one | other}
    return found


def test_a_chain_is_split_where_the_average_falls_below_the_threshold() -> None:
    angles = np.deg2rad([0, 20, 44])  # cosines of 0.94, 0.91, and 0.72 of the ends: 0.81 on average

    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1)

    assert clusters(vectors, 0.85).tolist() == [0, 0, 2]
    assert clusters(vectors, 0.80).tolist() == [0, 0, 0]


def test_the_best_match_is_taken_and_not_the_first() -> None:
    angles = np.deg2rad([0, 25, 40, 41])

    assert clusters(np.stack((np.cos(angles), np.sin(angles)), axis=1), 0.9).tolist() == [0, 1, 1, 1]


def test_the_threshold_is_inclusive_to_a_millionth() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8]])

    assert clusters(vectors, 0.6).tolist() == [0, 0]
    assert clusters(vectors, 0.600001 - 1e-7).tolist() == [0, 0]
    assert clusters(vectors, 0.600003).tolist() == [0, 1]


def test_of_equals_the_lowest_merge() -> None:
    corners = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]])  # each at 0.5 from each

    assert clusters(corners, 0.5).tolist() == [0, 0, 0]
    assert clusters(np.tile(corners, (3, 1)), 0.75).tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.7])
def test_many_equals_come_to_an_end(threshold: float) -> None:
    """Pairs of a large lattice are equal by the hundred, and rounding may make circles of them."""
    points = np.array([[x, y, z] for x in range(-3, 4) for y in range(-3, 4) for z in range(1, 4)])

    found = as_sets(clusters(points, threshold))

    assert 1 < len(found) < len(points)


def test_zero_vectors_stay_alone_and_count_as_far() -> None:
    assert clusters(np.array([[0, 0], [1, 0], [0, 0], [1, 0.1]]), 0.5).tolist() == [0, 1, 2, 1]


def test_no_pair_of_clusters_in_the_end_is_near_enough() -> None:
    vectors = clumped(5, 1500, 6, 20, 0.4)
    labels = clusters(vectors, 0.8)

    points = units(vectors).astype(np.float64)
    means = np.array([points[labels == label].mean(axis=0) for label in np.unique(labels)])
    cosines = means @ means.T
    np.fill_diagonal(cosines, -1)

    assert 5 < len(means) < 1000
    assert cosines.max() < 0.8 + 2e-6


def test_it_stops_when_asked_to() -> None:
    job = Job()
    job.cancel()

    with pytest.raises(Cancelled):
        linked(np.eye(3, dtype=np.float32), np.arange(3), np.ones(3, np.intp), 0.5, job)
