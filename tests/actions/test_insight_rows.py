"""Insights as rows, as lines and as places: what was found beside what is kept, and what leads to a transcript."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.insight_decisions import Standing, drop, keep, latest, undo
from memscope.actions.insight_lines import jsonl, prompt_text
from memscope.actions.insight_places import may_be_more, place_of
from memscope.actions.insight_rows import beside, listed, why_not_kept, without_repeats
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Source
from memscope.insights.curation import Kept, merged
from memscope.insights.model import Evidence, Insight, Kind
from memscope.reports.insights import insight_row
from memscope.reports.insights_prompt import InsightsPromptDocument, PromptMessage
from memscope.sessions.ranked import Place
from memscope.store.database import Database
from tests.insights.sayings import insights

ERROR: Kind = "repeated_tool_error"
REASONING: Kind = "long_reasoning"


def insight(text: str, kind: Kind = "long_reasoning", session: str = "a", message: int | None = 3) -> Insight:
    source = Source(Path(f"/srv/{session}.jsonl"), "claude-code", window=1)
    return Insight(kind, text, 0.5, (Evidence(session, source, message, "what stands there"),), 10.0)


def test_rows_stand_by_kind_the_most_confident_first_then_what_was_found_before_what_was_decided() -> None:
    error, reasoning = insight("Bash fails", "repeated_tool_error"), insight("the lock is slow")
    sure = replace(insight("Read fails", "repeated_tool_error"), confidence=0.9)
    before, unwanted = insight("Edit fails", "repeated_tool_error"), insight("Grep fails", "repeated_tool_error")
    dropped = frozenset({reasoning.name, unwanted.name})
    standing = Standing((Kept(before, 1.0),), dropped, (Kept(unwanted, 2.0), Kept(reasoning, 2.0)))
    shown = listed([reasoning, error, sure], standing)
    assert [(row.text, row.state) for row in shown.rows] == [
        ("Read fails", "new"),
        ("Bash fails", "new"),
        ("Edit fails", "kept"),
        ("Grep fails", "dropped"),
        ("the lock is slow", "dropped"),
    ]
    assert shown.insights[unwanted.name] is unwanted


def test_one_that_was_found_and_is_kept_is_shown_as_it_is_kept_and_decided_as_it_was_found() -> None:
    found, before = insight("the lock is slow", session="b"), insight("the lock is slow")
    shown = listed([found], Standing((Kept(before, 1.0),)))
    assert [(row.state, row.evidence[0].session) for row in shown.rows] == [("kept", "a")]
    assert shown.insights == {found.name: found}


def test_of_those_that_say_the_same_one_is_found() -> None:
    settings = Settings()
    same = [insight("the lock is slow"), insight("The lock is slow!", session="b")]
    job, told = Job(lambda progress: told.append(progress.total)), list[int | None]()
    (one,) = without_repeats(same, settings, job)
    assert {spot.session for spot in one.evidence} == {"a", "b"} and told == [2]
    job.cancel()
    with pytest.raises(Cancelled):
        without_repeats(same, settings, job)


@given(st.lists(insights(), max_size=8), st.lists(insights(), max_size=3), st.sampled_from(["newer", "confident"]))
def test_beside_what_a_model_said_no_two_say_the_same_and_none_is_lost(
    found: list[Insight], said: list[Insight], winner: Any
) -> None:
    settings = Settings(insight_winner=winner)
    distinct = without_repeats(found, settings, Job())
    both = beside(distinct, said, settings)
    assert sorted(both, key=repr) == sorted(merged([*distinct, *said], winner), key=repr)
    assert beside(distinct, (), settings) == distinct


def test_of_those_that_are_too_unsure_it_is_told() -> None:
    unsure, sure = insight_row(replace(insight("x"), confidence=0.29)), insight_row(insight("y"))
    assert why_not_kept([unsure]) == "it is too unsure to be kept (below 0.3)"
    assert why_not_kept([unsure, unsure]).startswith("they are") and not why_not_kept([unsure, sure])


def test_evidence_may_be_more_than_is_listed_where_as_much_is_there_as_is_kept() -> None:
    spots = insight("x").evidence * 20
    of_error, of_reasoning = (insight_row(replace(insight("x", kind), evidence=spots)) for kind in (ERROR, REASONING))
    assert may_be_more(of_error) and not may_be_more(of_reasoning)
    assert may_be_more(insight_row(replace(insight("x"), evidence=spots * 5)))
    assert not may_be_more(insight_row(replace(insight("x", ERROR), evidence=spots[:19])))


def test_a_line_is_an_object_that_is_safe_to_print() -> None:
    (line,) = jsonl([insight_row(insight("a\nb\x1b]0;c\x07"), "kept")])
    assert "\n" not in line and "\x1b" not in line
    told = json.loads(line)
    assert told["text"] == "a\nb\x1b]0;c\x07" and told["state"] == "kept"
    assert told["evidence"][0] == {
        "session": "a",
        "message": 3,
        "source": "/srv/a.jsonl",
        "item": 0,
        "window": 1,
        "words": "what stands there",
    }


def test_evidence_leads_to_its_message_or_to_the_beginning_of_its_session() -> None:
    message, whole = insight_row(insight("x")), insight_row(insight("x", message=None))
    place, at = place_of(message.evidence[0])
    assert place == Place("/srv/a.jsonl", 0)
    assert at is not None and (at.window, at.message, at.quote) == (1, 3, "what stands there")
    assert place_of(whole.evidence[0]) == (place, None)


def test_a_prompt_is_written_message_by_message() -> None:
    messages = [
        PromptMessage(role="system", content="Be brief.\n"),
        PromptMessage(role="user", content="## Task\n\nGo"),
    ]
    document = InsightsPromptDocument(
        messages=messages,
        characters=20,
        tokens=5,
        longest=None,
        sessions=[],
        observed=[],
        left_out=0,
        cut=0,
        url=None,
        model=None,
        cached=False,
    )
    assert prompt_text(document, "md") == "# system\n\nBe brief.\n\n# user\n\n## Task\n\nGo\n"
    assert prompt_text(document, "txt") == "[system]\nBe brief.\n\n[user]\n## Task\n\nGo\n"


def test_every_decision_and_undo_is_seen_by_its_number(database: Database) -> None:
    numbers = [latest(database)]
    for decide in (
        lambda: keep(database, [insight("x")], winner="newer"),
        lambda: drop(database, [insight("x")]),
        lambda: undo(database),
    ):
        decide()
        numbers.append(latest(database))
    assert numbers == sorted(set(numbers))
