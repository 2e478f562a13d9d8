"""What session traces teach: insights with the places they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.cells import middle
from memscope.base.text import clean_line, counted, preview
from memscope.insights.model import KINDS, Evidence, Insight, Kind
from memscope.reports.across import day
from memscope.reports.view import Column, Document, View

_PREVIEW = 300  # characters
_NAME = 16  # cells of a session's name

State = Literal["new", "kept", "dropped"]


class InsightEvidence(Document):
    """Where an insight comes from: a `session`, by its file (`source`) and which conversation of that (`item`); the
    message, an index into those of the context `window`, null for all of the session. `words`: what stands there."""

    session: str
    message: int | None
    source: str
    item: int
    window: int
    words: str


class InsightRow(Document):
    """An insight. `name`: what it is known by; `confidence` 0 to 1; `time`: of its first evidence, or when a model said
    it, in seconds since the epoch; `model`: who synthesized it, null for a rule; `sessions`: how many it comes from,
    which are more than `evidence` has where that was too much to keep; `state`: what was decided of it."""

    name: str
    kind: Kind
    text: str
    confidence: float
    state: State
    sessions: int
    time: float | None
    model: str | None
    evidence: list[InsightEvidence]


class InsightsUnread(Document):
    """A file that could not be read."""

    source: str
    error: str


class InsightsDocument(Document):
    """Insights of so many `sessions`. `error`: why a chat model that was asked for more gave no answer; `parse_error`:
    why no insight could be made of its reply, which is in `reply` then. `copies`: sessions that are there several
    times, and were read once."""

    schema_: Literal["memscope/insights@1"] = Field("memscope/insights@1", alias="schema")
    insights: list[InsightRow]
    error: str | None
    parse_error: str | None
    reply: str | None
    sessions: int
    copies: int
    unread: list[InsightsUnread]
    reason: str | None


def insight_row(insight: Insight, state: State = "new") -> InsightRow:
    """The row of an insight."""
    return InsightRow(
        name=insight.name,
        kind=insight.kind,
        text=insight.text,
        confidence=insight.confidence,
        state=state,
        sessions=max(insight.sessions, len({one.session for one in insight.evidence})),
        time=insight.time,
        model=insight.model or None,
        evidence=[_evidence(one) for one in insight.evidence],
    )


def _evidence(one: Evidence) -> InsightEvidence:
    source = one.source
    return InsightEvidence(
        session=one.session,
        message=one.message,
        source=str(source.path),
        item=source.item,
        window=source.window,
        words=one.words,
    )


def insights_document(
    rows: Iterable[InsightRow],
    *,
    sessions: int,
    copies: int = 0,
    unread: Sequence[tuple[Path, str]] = (),
    error: str = "",
    parse_error: str = "",
    reply: str = "",
    reason: str = "",
) -> InsightsDocument:
    """The document of insights, in their order; `reason`: why there is none, where something else than the sessions
    tells it."""
    found = list(rows)
    if not found and not reason:
        reason = "no session was read" if not sessions else f"nothing stands out in {counted(sessions, 'session')}"
    return InsightsDocument(
        insights=found,
        error=error or None,
        parse_error=parse_error or None,
        reply=reply or None,
        sessions=sessions,
        copies=copies,
        unread=[InsightsUnread(source=str(path), error=error) for path, error in unread],
        reason=None if found else reason,
    )


def insights_words(document: InsightsDocument) -> str:
    """What was found, in a line."""
    kinds = Counter(row.kind for row in document.insights)
    told = [counted(kinds[kind], _ONE[kind], KIND_WORDS[kind][1]) for kind in KINDS if kinds[kind]]
    return " · ".join([counted(document.sessions, "session"), *told])


KIND_WORDS: Mapping[Kind, tuple[str, str]] = {
    "repeated_tool_error": ("error", "repeated errors"),
    "successful_sequence": ("sequence", "sequences"),
    "long_reasoning": ("reasoning", "long texts"),
    "synthesized": ("synthesized", "synthesized"),
}
"""A kind as a row is marked with it, and as there are several."""

_ONE: Mapping[Kind, str] = {
    "repeated_tool_error": "repeated error",
    "successful_sequence": "sequence",
    "long_reasoning": "long text",
    "synthesized": "synthesized",
}


def place_words(row: InsightRow) -> str:
    """Where an insight was seen first: the session, with its number where it is not the first of its file, and the
    message; or in how many sessions."""
    if row.sessions != 1:
        return counted(row.sessions, "session")
    first = row.evidence[0]
    name = middle(clean_line(Path(first.source).stem), _NAME) + (f"#{first.item}" if first.item else "")
    return name if first.message is None else f"{name} #{first.message}"


def _places_cell(row: InsightRow) -> str:
    """All evidence for a program: SESSION:MESSAGE, or SESSION: for all of it, with blanks between; the message of a
    later context window W, which are counted from 0, is SESSION:MESSAGE@W."""
    return " ".join(
        f"{one.session}:{'' if one.message is None else one.message}{f'@{one.window}' if one.window else ''}"
        for one in row.evidence
    )


INSIGHT_COLUMNS: tuple[Column[InsightRow], ...] = (
    Column("kind", lambda row: row.kind, rank=3, shown=lambda row: KIND_WORDS[row.kind][0]),
    Column(
        "confidence",
        lambda row: row.confidence,
        "0 to 1",
        rank=2,
        shown=lambda row: f"{row.confidence:.2f}",
    ),
    Column("insight", lambda row: row.text, wide=True, shown=lambda row: preview(row.text, _PREVIEW)),
    Column("sessions", lambda row: row.sessions, "sessions", rank=4),
    Column("state", lambda row: row.state, rank=5),
    Column("date", lambda row: row.time, "s", rank=6, shown=lambda row: day(row.time)),
    Column(
        "evidence",
        _places_cell,
        rank=7,
        shown=place_words,
    ),
    Column("model", lambda row: row.model or "", rank=9),
    Column("name", lambda row: row.name, rank=8, shown=lambda row: row.name[:12]),
)


def told_columns(rows: Sequence[InsightRow]) -> list[Column[InsightRow]]:
    """The columns that tell rows apart, for a table of these alone; the names of those that are kept, to drop them
    by."""
    silent = {
        "sessions": all(row.sessions == 1 for row in rows),
        "state": len({row.state for row in rows}) == 1,
        "model": not any(row.model for row in rows),
        "name": not any(row.state == "kept" for row in rows),
    }
    told = (column for column in INSIGHT_COLUMNS if not silent.get(column.title, False))
    return [replace(column, rank=1) if column.title == "name" else column for column in told]


INSIGHTS: View[InsightsDocument, InsightRow] = View(
    "insights", InsightsDocument, lambda document: document.insights, lambda _: INSIGHT_COLUMNS
)
