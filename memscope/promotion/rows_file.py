"""Rows as JSON lines: {"message_id", "session_id", "text", "embedding"}, as other programs write them.

There may be hundreds of thousands, of hundreds of numbers each, so the numbers go where they stay at once: into one
buffer, out of which the matrix is looked at in the end without being copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from memscope.base.errors import SourceError
from memscope.base.job import Job
from memscope.base.text import counted
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.promotion.model import Row

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors

_LOOKED_AT = 64  # lines in which a row tells that it is a file of rows
_OFTEN = 500  # rows, after which it is asked whether to go on
_IDS = ("message_id", "session_id")
_SIGNIFICANT = ("text", "embedding")
_NUMBERS = frozenset({int, float, type(None)})  # null is a number that somebody's JSON could not say
_LARGEST_ID = 2**64
_MOST_TOLD = 100  # bad rows of a file; all are counted
_REPLACED = "bytes that are not UTF-8"  # how the one remark of `Raw` begins that costs no value


class BadRow(NamedTuple):
    """A line of a file, counted from 1, that is no row, and why."""

    path: Path
    line: int
    reason: str


@dataclass(slots=True)
class Embeddings:
    """The vectors that rows brought along, one after another."""

    numbers: bytearray = field(default_factory=bytearray)
    lengths: list[int] = field(default_factory=list)  # of each row's; 0: it has none

    def add(self, numbers: Sequence[float | None] = ()) -> None:
        """A row's vector: null is not a number, nor what single precision cannot say. None where there are none. Raises
        `OverflowError`."""
        if numbers:
            import numpy as np

            with np.errstate(over="ignore"):
                self.numbers += np.array(numbers, dtype=np.float32).tobytes()
        self.lengths.append(len(numbers))

    def vectors(self) -> Vectors | list[Vector | None] | None:
        """One matrix, a row each, where all have a vector of one length; else a list, with None for those without; None
        where no row has one."""
        if not any(self.lengths):
            return None
        import numpy as np

        flat = np.frombuffer(self.numbers, dtype=np.float32)
        first = self.lengths[0]
        if first and all(length == first for length in self.lengths):
            return flat.reshape(len(self.lengths), first)
        found: list[Vector | None] = []
        at = 0
        for length in self.lengths:
            found.append(flat[at : at + length] if length else None)
            at += length
        return found


class RowsFile(NamedTuple):
    """The rows of a file, in its order; how many of its lines were none (`bad`), and the first of those."""

    rows: list[Row]
    bad: int
    told: list[BadRow]


def is_rows(path: Path) -> bool:
    """Whether the file at `path` holds rows: one of its first lines has their fields. Raises `SourceError` for what is
    no text, or cannot be read."""
    raw = Raw(path, lines=_LOOKED_AT)
    return not raw.is_database and any(map(_looks_like_row, raw.head))


def read_rows(path: Path, embeddings: Embeddings, job: Job) -> RowsFile:
    """The rows of the file at `path`; their vectors go to `embeddings`, one for each row. What is no row is told.
    Raises `SourceError` for a file without a single one, `Cancelled`."""
    rows: list[Row] = []
    told: list[BadRow] = []
    bad = 0
    for number, found in enumerate(Raw(path).values()):
        if not number % _OFTEN:
            job.check()
            job.progress(len(rows), None, "rows", f"reading {path.name}")
        if isinstance(found, Skipped):
            reason = "" if found.reason.startswith(_REPLACED) else found.reason
        else:
            reason = _take(found.json, rows, embeddings)
        if reason:
            bad += 1
            if len(told) < _MOST_TOLD:
                told.append(BadRow(path, found.line, reason))
    if not rows:
        first = f" (line {told[0].line}: {told[0].reason})" if told else ""
        do = "A row has message_id, session_id, and text or embedding."
        raise SourceError(f"none of its {counted(bad, 'line')} is a row{first}", where=path, do=do)
    return RowsFile(rows, bad, told)


def _looks_like_row(value: Any) -> bool:
    return isinstance(value, dict) and all(i in value for i in _IDS) and any(name in value for name in _SIGNIFICANT)


def _take(value: Any, rows: list[Row], embeddings: Embeddings) -> str:
    """Takes a row; or says why it is none."""
    if not isinstance(value, dict):
        return "it is no JSON object"
    for name in _IDS:
        if not _is_id(value.get(name)):
            return f"{name} is neither a text nor a whole number" if name in value else f"it has no {name}"
    text, numbers = value.get("text"), value.get("embedding")
    text, numbers = "" if text is None else text, () if numbers is None else numbers
    if not isinstance(text, str):
        return "text is no text"
    if numbers != () and (type(numbers) is not list or not _NUMBERS.issuperset(map(type, numbers))):
        return "embedding is no list of numbers"
    if not numbers and (not text or text.isspace()):
        return "it has neither text nor embedding"
    try:
        embeddings.add(numbers)
    except OverflowError:
        return "embedding has a number too large to read"
    rows.append(Row(value["message_id"], value["session_id"], text))
    return ""


def _is_id(value: Any) -> bool:
    return type(value) is str or (type(value) is int and abs(value) < _LARGEST_ID)
