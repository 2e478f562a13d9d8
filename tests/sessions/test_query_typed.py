"""What of a query can be asked for while it is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.sessions.query import parse
from memscope.sessions.query_typed import sound, without_begun
from tests.sessions.rows import NOW

PARTS = [
    "score",
    ">",
    ">=",
    " ",
    "3",
    "-",
    '"',
    "'",
    "(",
    "!",
    "or",
    "repo",
    "=",
    ":",
    "x",
    "copies=only",
    "\\",
    "since",
]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("fix score>=9", "fix score>=9"),
        ("score>>3", ""),
        ("fix colour=x score>= ", "fix"),
        ("fix -colour=x -repo=a", "fix -repo=a"),
        ("score>3 or repo=x", "score>3 repo=x"),
        ("(score>3 fix", "fix"),
    ],
)
def test_only_what_is_wrong_goes(text: str, left: str) -> None:
    assert sound(text, NOW) == left


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
def test_whatever_is_typed_something_of_it_can_be_asked_for(text: str) -> None:
    parse(sound(text, NOW), NOW)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("s", ""),
        ("fix -scor", "fix"),
        ("tool-c", ""),
        ("fi repositor", "fi"),
        ("fix", "fix"),
        ("score ", "score "),
        ('"score"', '"score"'),
        ("title:score", "title:score"),
    ],
)
def test_a_word_at_the_end_that_a_field_may_begin_with_is_not_asked_for_yet(text: str, left: str) -> None:
    assert without_begun(text) == left
