"""Insights as rows, as lines and as places: what was found beside what is kept, and what leads to a transcript."""

from __future__ import annotations

import json
from pathlib import Path

from memscope.actions.insight_decisions import Standing, drop, keep, latest, undo
from memscope.actions.insight_lines import jsonl, prompt_text
from memscope.actions.insight_places import place_of
from memscope.actions.insight_rows import listed, without_repeats
from memscope.base.settings import Settings
from memscope.conversation.model import Source
from memscope.insights.curation import Kept
from memscope.insights.model import Evidence, Insight, Kind
from memscope.reports.insights import insight_row
from memscope.reports.insights_prompt import InsightsPromptDocument, PromptMessage
from memscope.sessions.ranked import Place
from memscope.store.database import Database


def insight(text: str, kind: Kind = "long_reasoning", session: str = "a", message: int | None = 3) -> Insight:
    source = Source(Path(f"/srv/{session}.jsonl"), "claude-code", window=1)
    return Insight(kind, text, 0.5, (Evidence(session, source, message, "what stands there"),), 10.0)


def test_what_was_found_stands_before_what_is_kept_kind_by_kind() -> None:
    error, reasoning = insight("Bash fails", "repeated_tool_error"), insight("the lock is slow")
    before = insight("Edit fails", "repeated_tool_error")
    rows = listed([reasoning, error], Standing((Kept(before, 1.0),), frozenset({reasoning.name}))).rows
    assert [(row.text, row.state) for row in rows] == [
        ("Bash fails", "new"),
        ("Edit fails", "kept"),
        ("the lock is slow", "dropped"),
    ]


def test_one_that_was_found_and_is_kept_is_shown_as_it_is_kept_and_decided_as_it_was_found() -> None:
    found, before = insight("the lock is slow", session="b"), insight("the lock is slow")
    shown = listed([found], Standing((Kept(before, 1.0),)))
    assert [(row.state, row.evidence[0].session) for row in shown.rows] == [("kept", "a")]
    assert shown.insights == {found.name: found}


def test_of_those_that_say_the_same_one_is_found() -> None:
    settings = Settings()
    (one,) = without_repeats([insight("the lock is slow"), insight("The lock is slow!", session="b")], settings)
    assert {spot.session for spot in one.evidence} == {"a", "b"}


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
