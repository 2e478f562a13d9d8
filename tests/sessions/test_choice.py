"""Which of the ranked sessions are listed, and how many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.sessions.choice import Choice, choose, first_of
from memscope.sessions.query import Query, parse
from memscope.sessions.ranked import RankedSession
from tests.sessions.rows import DAY, NOW, session, unreadable

MISE = session("/s/one.jsonl", repos=("mise",))
NAMED = session("/s/Mise-notes.jsonl", days=10)
OTHER = session("/mise/other.jsonl", repos=("mise-action",), days=20, messages=60)
BROKEN = unreadable("/s/mise.broken")
ROWS = [MISE, NAMED, OTHER, BROKEN]


def test_everything_is_asked_for_by_default_in_the_order_there_is() -> None:
    assert choose(ROWS, Choice(Query())) == ROWS
    assert choose(ROWS[::-1], Choice(Query())) == ROWS[::-1]


def test_a_repository_is_its_name_or_in_the_name_of_the_file_in_whatever_case() -> None:
    assert choose(ROWS, Choice(Query(), repo="MISE")) == [MISE, NAMED, BROKEN]
    assert choose(ROWS, Choice(Query(), repo="mise-action")) == [OTHER]


@pytest.mark.parametrize(
    ("typed", "found"), [("jdx/Mise", [MISE, NAMED, BROKEN]), ("jdx/mise-action/", [OTHER]), ("/", [])]
)
def test_a_repository_is_known_by_its_last_name(typed: str, found: list[RankedSession]) -> None:
    assert choose(ROWS, Choice(Query(), repo=typed)) == found


def test_all_that_is_asked_for_has_to_hold() -> None:
    assert choose(ROWS, Choice(Query(), since=NOW - 10 * DAY)) == [MISE, NAMED, BROKEN]
    assert choose(ROWS, Choice(Query(), min_score=1)) == [MISE, NAMED, OTHER]
    assert choose(ROWS, Choice(parse("messages>50", NOW), min_score=1)) == [OTHER]
    assert choose(ROWS, Choice(parse("messages>50", NOW), since=NOW - DAY)) == []


@pytest.mark.parametrize(("percent", "number"), [(None, 4), (100, 10), (50, 5), (49.9, 4), (10, 1), (9, 1), (0.001, 1)])
def test_a_part_in_percent_stands_above_the_count(percent: float | None, number: int) -> None:
    assert len(first_of(range(10), 4, percent, 10)) == number


@given(st.integers(0, 50), st.floats(0.001, 100))
def test_a_part_is_one_at_least_and_never_more_than_there_are(total: int, percent: float) -> None:
    assert min(total, 1) <= len(first_of(range(total), 1, percent, total)) <= total
