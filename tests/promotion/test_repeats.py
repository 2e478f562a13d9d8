"""A row that is there twice counts once, whatever comes first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.model import Row
from memscope.promotion.repeats import without_repeats

ROWS = [Row(1, "a", "x"), Row("1", "a", "x"), Row(1, "a", "x"), Row(1, "b", "x"), Row(1, "a", "y"), Row(1, "a", "x")]


def test_a_row_of_the_same_session_message_and_text_is_there_once() -> None:
    assert without_repeats(ROWS, None).tolist() == [0, 1, 3, 4]
    assert without_repeats(ROWS, np.ones((6, 2), np.float32)).tolist() == [0, 1, 3, 4]
    assert without_repeats([], None).tolist() == []


def test_the_one_that_stays_has_a_vector_that_is_finite_if_any_has() -> None:
    one = np.ones(2, np.float32)
    broken = np.full(2, np.nan, np.float32)
    assert without_repeats(ROWS, [None, one, broken, one, one, None]).tolist() == [2, 1, 3, 4]
    assert without_repeats(ROWS, [broken, one, None, one, one, one]).tolist() == [5, 1, 3, 4]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12).flatmap(st.permutations), st.data())
def test_which_vector_stays_does_not_depend_on_the_order(told: list[tuple[int, int]], data: st.DataObject) -> None:
    def kept(some: list[tuple[int, int]]) -> set[tuple[int, int]]:
        vectors = [np.array([value], np.float32) if value else None for _, value in some]
        return {some[place] for place in without_repeats([Row(name, "s", "t") for name, _ in some], vectors)}

    assert kept(told) == kept(data.draw(st.permutations(told)))
    assert len(kept(told)) == len({name for name, _ in told})
