"""Messages once each, where loading puts them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.load import fold
from memscope.conversation.model import Memory, Message, Skipped, Text
from memscope.conversation.records import Boundary, Fact, Record
from memscope.conversation.told_once import told_once
from tests.conversation import _any

OTHERS: st.SearchStrategy[Record] = st.sampled_from([Boundary(), Skipped(3, "no record"), Fact("cwd", "/srv/x")])


def said(text: str, role: str = "user", **more: Any) -> Message:
    return Message(role, (Text(text),), **more)


def test_memories_summaries_and_what_is_repeated_are_left_out() -> None:
    opening, memory = said("You are.", "system"), Message("user", (Memory("k", "Use tabs."),))
    first, second, third = said("one", time=1.0), said("two", "assistant", id="m"), said("three", time=2.0)
    again = [said("so far", kind="summary"), first, second]
    records = [opening, memory, first, second, Boundary(), *again, third]
    assert list(told_once(records)) == [(0, 0, opening), (0, 2, first), (0, 3, second), (1, 4, third)]


def test_the_same_words_are_another_message_unless_something_names_it() -> None:
    same = [said("go"), said("go"), said("go", time=1.0), said("go", time=2.0), said("go", id="a"), said("go", id="b")]
    assert [index for _, index, _ in told_once([*same, *same[2:]])] == [0, 1, 2, 3, 4, 5]


@given(st.lists(_any.messages() | OTHERS, max_size=30))
def test_places_are_those_of_loading(records: list[Record]) -> None:
    windows, found = fold(records).windows, list(told_once(records))
    assert [place[:2] for place in found] == sorted({place[:2] for place in found})
    for window, index, message in found:
        there = windows[window][index]
        assert (there.role, there.kind, there.text) == (message.role, message.kind, message.text)
