"""Memories across conversations: what each did in all the runs that are kept, and in which conversations it was seen.

A memory is its key and its text: the same key with another text is another row, and says which version it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.files import shown_path
from memscope.reports.memory_columns import MemoryDecision
from memscope.reports.view import Column, Document, View

Was = Literal["needed", "against", "unused", "unknown"]
Order = Literal["unused", "needed", "tokens", "last"]


class AcrossRow(Document):
    """A memory in all conversations in which it was `seen`; what is not of another unit counts conversations.

    `needed`: an effect was beyond the cutoff; `against_in`: one was so the other way; `unused`: none was, either way,
    and none is left out; `unknown`: none was, but some are left out, or no response came after it. `unused_last`: how
    many of those latest that are not unknown were unused. `last_seen` and `last_needed`: when such a conversation was
    last, in seconds since the epoch. `total`, `net`, `against` (sums) and `max` in nats, null where nothing was
    measured. `tokens` and `chars`: what it took in all; `tokens` is null where they were not counted everywhere.
    `version` of `versions`: which of the texts that the key has had, the last one being that seen last; `text` is its
    digest. `decision`: what a person decided of it, in whichever conversation, null for nothing.
    """

    key: str
    text: str
    preview: str
    decision: MemoryDecision | None
    version: int
    versions: int
    seen: int
    needed: int
    against_in: int
    unused: int
    unknown: int
    unused_last: int
    last_seen: float
    last_needed: float | None
    total: float | None
    net: float | None
    against: float | None
    max: float | None
    tokens: int | None
    chars: int
    occurrences: int


class EngineRuns(Document):
    """How many conversations were scored by an engine."""

    name: str
    model: str
    url: str
    conversations: int


class UnscoredPart(Document):
    """A conversation that was asked for but is not among those added up as it is now. `why`: never scored, or changed
    since; or what is wrong with its file."""

    source: str
    item: int
    why: str


class AcrossDocument(Document):
    """`paths`: where the conversations were looked for; none: everywhere. `threshold` in nats: effects up to it do not
    count, nor up to that of their run. `conversations`: how many were added up, each once. `reason`: why there is no
    memory."""

    schema_: Literal["memscope/memories-across@1"] = Field("memscope/memories-across@1", alias="schema")
    paths: list[str]
    threshold: float
    conversations: int
    engines: list[EngineRuns]
    unscored: list[UnscoredPart]
    memories: list[AcrossRow]
    reason: str | None


class SightingRow(Document):
    """A conversation in which a memory was seen, what it `was` there (see `AcrossRow`), and what it did: how many
    responses have an effect beyond their cutoff for (`above`) and against it (`below`), of how many `measured`; effects
    in nats. `time`: when the conversation was last, in seconds since the epoch. `format`, and the memory files
    `memories` cut by `split`: how it was opened."""

    source: str
    format: str
    item: int
    window: int
    memories: list[str]
    split: str
    title: str
    time: float
    engine: str
    model: str
    key: str
    text: str
    was: Was
    above: int
    below: int
    measured: int
    left_out: int
    total: float | None
    net: float | None
    max: float | None
    against: float | None
    tokens: int | None
    chars: int


class SightingsDocument(Document):
    """The conversations in which the memories with a key were seen, latest first."""

    schema_: Literal["memscope/sightings@1"] = Field("memscope/sightings@1", alias="schema")
    key: str
    threshold: float
    sightings: list[SightingRow]
    reason: str | None


def day(at: float | None) -> str:
    """A time as a day; – where there is none."""
    try:
        return "–" if at is None else time.strftime("%Y-%m-%d", time.localtime(at))
    except (OverflowError, OSError, ValueError):
        return "–"


def _room(row: AcrossRow | SightingRow) -> str:
    """What a memory took: tokens, or characters where those were not counted."""
    return f"{row.chars} chars" if row.tokens is None else str(row.tokens)


def ordered(rows: Sequence[AcrossRow], by: Order) -> list[AcrossRow]:
    """What a person looks for first comes first; ties in the order of the keys. `unused`: those that have not mattered
    for the most conversations, and of them those that take the most room."""
    return sorted(rows, key=_ORDERS[by])


_ORDERS: dict[str, Callable[[AcrossRow], tuple[float | str, ...]]] = {
    "unused": lambda row: (-row.unused_last, -row.unused, -row.chars, row.key, row.version),
    "needed": lambda row: (-row.needed, -(row.total or 0.0), row.key, row.version),
    "tokens": lambda row: (-(math.inf if row.tokens is None else row.tokens), -row.chars, row.key, row.version),
    "last": lambda row: (-row.last_seen, row.key, row.version),
}

_ACROSS: tuple[Column[AcrossRow], ...] = (
    Column("memory", lambda row: row.key),
    Column("seen", lambda row: row.seen, "conversations"),
    Column("needed", lambda row: row.needed, "conversations"),
    Column("unused", lambda row: row.unused, "conversations", rank=1),
    Column("in a row", lambda row: row.unused_last, "conversations"),
    Column("against", lambda row: row.against_in, "conversations", rank=2),
    Column("last needed", lambda row: row.last_needed, "s", rank=4, shown=lambda row: day(row.last_needed)),
    Column("last seen", lambda row: row.last_seen, "s", rank=5, shown=lambda row: day(row.last_seen)),
    Column("tokens", lambda row: row.tokens, "tokens", rank=3, shown=_room),
    Column("chars", lambda row: row.chars, "characters", rank=8),
    Column("total", lambda row: row.total, "nats", rank=6),
    Column("nats against", lambda row: row.against, "nats", rank=9, negative=True),
    Column("text", lambda row: row.preview, wide=True, rank=7),
)
_VERSION: Column[AcrossRow] = Column("version", lambda row: f"{row.version} of {row.versions}")
_DECISION: Column[AcrossRow] = Column("decision", lambda row: row.decision, shown=lambda row: row.decision or "")


def across_columns(rows: Sequence[AcrossRow]) -> tuple[Column[AcrossRow], ...]:
    """The columns; where a key has several texts, with the one that tells which, and where something was decided, with
    what."""
    first, *rest = _ACROSS
    versions = [_VERSION] if any(row.versions > 1 for row in rows) else []
    decisions = [_DECISION] if any(row.decision is not None for row in rows) else []
    return (first, *versions, *decisions, *rest)


SIGHTING_COLUMNS: tuple[Column[SightingRow], ...] = (
    Column("last", lambda row: row.time, "s", shown=lambda row: day(row.time)),
    Column("conversation", lambda row: row.title or Path(row.source).name, wide=True),
    Column("was", lambda row: row.was),
    Column("for", lambda row: row.above, "responses"),
    Column("against", lambda row: row.below, "responses", rank=1),
    Column("of", lambda row: row.measured, "responses", rank=2),
    Column("total", lambda row: row.total, "nats"),
    Column("net", lambda row: row.net, "nats", rank=4),
    Column("left out", lambda row: row.left_out, "responses", rank=5),
    Column("tokens", lambda row: row.tokens, "tokens", rank=6, shown=_room),
    Column("engine", lambda row: f"{row.engine} {row.model}".strip(), rank=3),
    Column("file", lambda row: row.source, rank=7, shown=lambda row: shown_path(Path(row.source))),
    Column("item", lambda row: row.item, "index", rank=8),
    Column("window", lambda row: row.window, "index", rank=9),
    Column("text", lambda row: row.text, rank=10),
)

ACROSS: View[AcrossDocument, AcrossRow] = View(
    "memories-across", AcrossDocument, lambda document: document.memories, lambda doc: across_columns(doc.memories)
)
SIGHTINGS: View[SightingsDocument, SightingRow] = View(
    "sightings", SightingsDocument, lambda document: document.sightings, lambda _: SIGHTING_COLUMNS
)
