"""The rows of the table: which there are, their columns, and which of them have the words that are searched for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

from memscope.reports.insights import INSIGHT_COLUMNS, KIND_WORDS, InsightRow
from memscope.reports.view import Column

if TYPE_CHECKING:
    from memscope.insights.model import Kind
    from memscope.reports.insights import State

    Bucket = State | Literal["all"]
    ShownKind = Kind | Literal["all"]

ALL: Final = "all"
BUCKETS: tuple[Bucket, ...] = ("new", "kept", "dropped", ALL)
KINDS: tuple[ShownKind, ...] = (ALL, *KIND_WORDS)


def shown_rows(rows: Sequence[InsightRow], bucket: Bucket, kind: ShownKind) -> list[InsightRow]:
    """The rows of a state and a kind, or of all."""
    return [row for row in rows if bucket in (ALL, row.state) and kind in (ALL, row.kind)]


def counts_of(rows: Sequence[InsightRow], kind: ShownKind) -> dict[Bucket, int]:
    """How many rows of a kind each bucket has."""
    states = Counter[str](row.state for row in shown_rows(rows, ALL, kind))
    return {bucket: states.total() if bucket == ALL else states[bucket] for bucket in BUCKETS}


def kinds_there(rows: Sequence[InsightRow]) -> list[ShownKind]:
    """All, and the kinds of these rows, in their order."""
    there = {row.kind for row in rows}
    return [kind for kind in KINDS if kind == ALL or kind in there]


def columns_of(rows: Sequence[InsightRow], bucket: Bucket, kind: ShownKind) -> list[Column[InsightRow]]:
    """The columns that say something of any row which is not said of all by what is shown."""
    said = {"state": bucket != ALL, "kind": kind != ALL, "sessions": all(row.sessions == 1 for row in rows)}
    said |= {"evidence": True, "name": True}  # what stands beside the table, and what commands go by
    some = [column for column in INSIGHT_COLUMNS if not said.get(column.title, False)]
    return [column for column in some if not rows or any(map(column.text, rows))]


def has_words(words: str) -> Callable[[InsightRow], bool]:
    """Whether a row has all words in its text, its kind, its model or its sessions."""
    wanted = words.casefold().split()

    def has(row: InsightRow) -> bool:
        sessions = {one.session for one in row.evidence}
        told = "\n".join([row.text, row.kind, KIND_WORDS[row.kind][0], row.model or "", *sessions]).casefold()
        return all(word in told for word in wanted)

    return has
