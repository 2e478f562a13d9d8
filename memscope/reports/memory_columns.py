"""The columns of memories: those that every table has, and those of what is not always known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from memscope.base.clock import from_iso, time_words
from memscope.reports.view import Column

if TYPE_CHECKING:
    from memscope.reports.matrix import MemoryRow

MemoryDecision = Literal["prune", "keep", "pin", "harmful"]
"""What a person decides of a memory."""


def last_scored_words(row: MemoryRow) -> str:
    """When a memory was scored last, in the time of the place; nothing where it never was."""
    return time_words(from_iso(row.last_scored)) if row.last_scored is not None else ""


def first_verdict(row: MemoryRow) -> str:
    """The first of a memory's verdicts, without how often."""
    return (row.verdict or "").partition(", ")[0].partition(" ")[0]


_MEMORY_COLUMNS: tuple[Column[MemoryRow], ...] = (
    Column("memory", lambda row: row.key),
    Column("total", lambda row: row.total, "nats"),
    Column("net", lambda row: row.net, "nats", rank=2),
    Column("max", lambda row: row.max, "nats"),
    Column("responses", lambda row: row.responses, "responses"),
    Column("against", lambda row: row.against, "nats", rank=1, negative=True),
    Column("first", lambda row: row.occurrences[0], "message", rank=4, shown=lambda row: f"#{row.occurrences[0]}"),
    Column("found by", lambda row: ", ".join(row.rules), rank=5),
    Column("text", lambda row: row.preview, wide=True, rank=3),
    Column("chars", lambda row: row.chars, "characters", rank=3),
    Column("mean", lambda row: row.mean, "nats", rank=6),
)
_KNOWN_COLUMNS: tuple[Column[MemoryRow], ...] = (
    Column("decision", lambda row: row.decision, shown=lambda row: row.decision or ""),
    Column("verdict", lambda row: row.verdict, rank=1, shown=first_verdict),
    Column("weight", lambda row: row.weight, "nats", rank=1),
    Column("tokens", lambda row: row.tokens, "tokens", rank=2),
    Column("last scored", lambda row: row.last_scored, rank=3, shown=last_scored_words),
    Column("note", lambda row: row.note, rank=4, wide=True, shown=lambda row: row.note or ""),
)
_ADDRESS = re.compile(r"^https?://\S*: ")  # the same in every row: a cell begins with the reason
_FAILED_COLUMNS: tuple[Column[MemoryRow], ...] = (
    Column("left out", lambda row: row.left_out, "cells", rank=1),
    Column("state", lambda row: row.state),
    Column("error", lambda row: row.error or "", wide=True, shown=lambda row: _ADDRESS.sub("", row.error or "")),
)


def memory_columns(rows: Sequence[MemoryRow], *, missing: bool) -> tuple[Column[MemoryRow], ...]:
    """The columns of memories: of what is not always known, those that some row has; where cells are `missing`, with
    those that say why."""
    known = tuple(column for column in _KNOWN_COLUMNS if any(column.value(row) is not None for row in rows))
    first, others = _MEMORY_COLUMNS[:6], _MEMORY_COLUMNS[6:]
    return first + known + others + (_FAILED_COLUMNS if missing else ())
