"""The order that messages are taken in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.canonical import canonical, in_order
from memscope.promotion.model import Row, content_hash

names = st.one_of(st.integers(0, 2), st.sampled_from(["", "0", "b"]))
messages = st.tuples(names, names, st.sampled_from(["", "run it", "stop"]), st.sampled_from([0.0, 1.0]))


def taken(found: list[tuple[str | int, str | int, str, float]]) -> list[tuple[str | int, str | int, str, float]]:
    rows = [Row(message, session, text) for message, session, text, _ in found]
    vectors = np.array([[value] for *_, value in found], np.float32).reshape(-1, 1)
    return [found[place] for place in canonical(rows, [content_hash(row.text) for row in rows], vectors)]


@given(st.lists(messages, max_size=12), st.randoms())
def test_it_is_the_same_for_any_order_in_which_they_came(found: list[tuple], chance) -> None:
    other = chance.sample(found, len(found))

    assert taken(found) == taken(other)


def test_numbers_come_before_texts_by_size() -> None:
    assert in_order({"10", 10, "9", 9, "a"}) == (9, 10, "10", "9", "a")
