"""The prune document: what a person decided of the memories, and the diff that takes the pruned ones out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from memscope.base.text import clean_line, counted, preview
from memscope.reports.memory_columns import MemoryDecision
from memscope.reports.view import Column, Document, View


class Standing(Document):
    """Where a memory stands on disk: runs of lines of a file, from 1, the last line of each included."""

    path: str
    lines: list[tuple[int, int]]


class DecidedMemory(Document):
    """A memory that a person decided on, or wrote a note on.

    `decision`: null where there is a note alone. `total` as it was then, in nats; `found`: the rules that recognised
    it, and the message it stands in first. Of one to be pruned, `in_diff` tells whether the diff takes it out, and
    `reason` why not.
    """

    key: str
    decision: MemoryDecision | None
    note: str
    total: float | None
    text: str
    found: str
    files: list[Standing]
    in_diff: bool
    reason: str | None


class PruneDocument(Document):
    """`diff` is a unified one, to be applied with `patch -p1` in `folder`; both are empty where no file is known to
    hold a memory that is to be pruned. Bytes that are no UTF-8 stand in it as lone surrogates."""

    schema_: Literal["memscope/prune@1"] = Field("memscope/prune@1", alias="schema")
    source: str
    folder: str
    diff: str
    memories: list[DecidedMemory]

    @property
    def removals(self) -> list[DecidedMemory]:
        """The memories to be pruned that the diff does not take out."""
        return [memory for memory in self.memories if memory.decision == "prune" and not memory.in_diff]


def removal_lines(document: PruneDocument) -> list[str]:
    """What is to be removed by hand, for a person: no line of it can be taken for one of a diff."""
    rows = document.removals
    said = [f"# {counted(len(rows), 'memory', 'memories')} to be removed by hand:"] if rows else []
    for row in rows:
        said += [
            f"# {clean_line(row.key)}: {preview(row.text, 200)}",
            f"#     found by {clean_line(row.found)}; {clean_line(row.reason or '')}",
        ]
    return said


def standing_words(row: DecidedMemory) -> str:
    """Where a memory stands on disk, in words."""
    return "; ".join(f"{place.path}:{','.join(map(_run, place.lines))}" for place in row.files)


def _run(lines: tuple[int, int]) -> str:
    first, last = lines
    return str(first) if first == last else f"{first}-{last}"


PRUNE: View[PruneDocument, DecidedMemory] = View(
    "prune",
    PruneDocument,
    lambda document: document.memories,
    lambda _: (
        Column("memory", lambda row: row.key),
        Column("decision", lambda row: row.decision, shown=lambda row: row.decision or ""),
        Column("total", lambda row: row.total, "nats", rank=2),
        Column("in diff", lambda row: row.in_diff, rank=1),
        Column("stands in", standing_words, wide=True, rank=1),
        Column("why not", lambda row: row.reason or "", wide=True, rank=2),
        Column("found by", lambda row: row.found, rank=4),
        Column("note", lambda row: row.note, wide=True, rank=3),
        Column("text", lambda row: preview(row.text, 200), wide=True, rank=5),
    ),
)
