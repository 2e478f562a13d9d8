"""What is said of insights and of a prompt: the words, and the columns that tell rows apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from memscope.reports.insights import (
    INSIGHT_COLUMNS,
    InsightRow,
    insight_row,
    insights_document,
    insights_words,
    place_words,
    told_columns,
)
from memscope.reports.insights_prompt import prompt_words
from tests.insights.documents import insights_found, prompt_to_send
from tests.insights.sayings import insight

ERROR = insight_row(insight("'Bash' errored 2 times: no", 0.4, "a", kind="repeated_tool_error"))
SAID = insight_row(insight("Look before you leap.", 0.7, "a", "b", kind="synthesized", model="talker"))


def titles(*rows: InsightRow) -> list[str]:
    return [column.title for column in told_columns(rows)]


def test_kinds_are_counted_in_their_order() -> None:
    assert insights_words(insights_found()) == "2 sessions · 1 repeated error · 1 synthesized"
    twice = insights_document([SAID, ERROR, ERROR], sessions=1)
    assert insights_words(twice) == "1 session · 2 repeated errors · 1 synthesized"
    long = insight_row(insight("The queue is slow, because"))
    assert insights_words(insights_document([long], sessions=1)) == "1 session · 1 long text"
    assert insights_words(insights_document([long, long], sessions=1)) == "1 session · 2 long texts"


@pytest.mark.parametrize(
    ("sessions", "reason", "told"),
    [
        (0, "", "no session was read"),
        (1, "", "nothing stands out in 1 session"),
        (4, "", "nothing stands out in 4 sessions"),
        (4, "nothing is kept", "nothing is kept"),
    ],
)
def test_why_there_is_nothing_is_said_and_only_then(sessions: int, reason: str, told: str) -> None:
    assert insights_document([], sessions=sessions, reason=reason).reason == told
    assert insights_document([ERROR], sessions=sessions, reason=reason).reason is None


def test_a_place_is_a_message_or_how_many_sessions() -> None:
    assert (place_words(ERROR), place_words(SAID)) == ("a #1", "2 sessions")
    (spot,) = ERROR.evidence
    whole = ERROR.model_copy(update={"evidence": [spot.model_copy(update={"message": None})]})
    assert place_words(whole) == "a"
    assert place_words(insight_row(insight("from nowhere"))) == "0 sessions"
    second = ERROR.model_copy(update={"evidence": [spot.model_copy(update={"item": 2})]})
    assert place_words(second) == "a#2 #1"
    hostile = spot.model_copy(update={"source": f"/srv/{'x' * 40}\x1b.jsonl"})
    shown = place_words(ERROR.model_copy(update={"evidence": [hostile]}))
    assert len(shown) <= 16 + 3 and "\x1b" not in shown


def test_a_program_is_given_all_places_with_their_context_windows() -> None:
    evidence = next(column for column in INSIGHT_COLUMNS if column.title == "evidence")
    spot = ERROR.evidence[0]
    later, whole = spot.model_copy(update={"window": 1}), spot.model_copy(update={"message": None})
    assert evidence.value(ERROR.model_copy(update={"evidence": [spot, later, whole]})) == "a:1 a:1@1 a:"


def test_sessions_are_counted_of_which_the_evidence_was_too_much() -> None:
    assert insight_row(replace(insight("a b", 0.4, "s", "t"), sessions=150)).sessions == 150


def test_columns_that_tell_nothing_apart_are_not_shown() -> None:
    assert titles(ERROR) == ["kind", "confidence", "insight", "date", "evidence"]
    assert titles(ERROR, SAID) == ["kind", "confidence", "insight", "sessions", "date", "evidence", "model"]


def test_names_are_shown_of_what_is_kept_and_hardly_ever_give_way() -> None:
    kept = ERROR.model_copy(update={"state": "kept"})
    assert titles(kept)[-1] == "name" and "state" in titles(kept, SAID)
    assert told_columns([kept])[-1].rank == 1
    assert told_columns([kept])[-1].text(kept) == kept.name[:12]


def test_a_prompt_is_told_with_its_size_and_where_it_goes() -> None:
    document = prompt_to_send()
    assert prompt_words(document) == (
        "19 characters, about 5 tokens · an answer of at most 4,000 tokens · 2 sessions, and observations of 1 more"
        " · 1 cut · 1 older left out · to http://127.0.0.1:8000/v1, for the model it serves"
    )
    assert prompt_words(document.model_copy(update={"url": None})).endswith(" · no chat server is set")
    nothing = {"longest": None, "cut": 0, "left_out": 0, "observed": []}
    cached = document.model_copy(update={"cached": True, "model": "talker", **nothing})
    assert prompt_words(cached) == (
        "19 characters, about 5 tokens · 2 sessions · its answer is kept: nothing is sent"
        " (to http://127.0.0.1:8000/v1, for talker)"
    )


def test_a_row_carries_all_of_its_evidence() -> None:
    assert [one.source for one in SAID.evidence] == [str(Path("/srv/a.jsonl")), str(Path("/srv/b.jsonl"))]
    assert (SAID.sessions, SAID.model, ERROR.model, SAID.state) == (2, "talker", None, "new")
