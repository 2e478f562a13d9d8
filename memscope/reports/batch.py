"""What came of many conversations that were scored one after another, a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.files import shown_path
from memscope.base.text import counted, preview
from memscope.reports.matrix import EnginePart
from memscope.reports.view import Column, Document, View
from memscope.reports.worth import limit_words

Kind = Literal["matrix", "finetune"]
"""What each is scored for: its whole matrix, or with all memories and without any."""

State = Literal["waiting", "running", "done", "cancelled", "failed", "nothing"]
"""`cancelled`: stopped in the middle; `failed`: it could not be read or scored; `nothing`: there is nothing to score,
or, for training, nothing to be found."""

UNFINISHED: frozenset[State] = frozenset({"waiting", "running", "cancelled", "failed"})
"""What going on with a batch tries again."""


class BatchRow(Document):
    """A conversation of a batch, and how far it is; null is what is not known (yet).

    `scorings`: how many the engine made; `from_store`: how many were on disk; `missing`: how many failed. `strongest`:
    the memory whose effects add up to most, and its `total` in nats. `candidates`: responses worth training on, and the
    largest `divergence` in nats. `why`: why there is nothing, what failed, or what could not be kept.
    """

    source: str
    item: int
    window: int | None
    title: str
    state: State
    memories: int | None
    responses: int | None
    scorings: int | None
    from_store: int | None
    missing: int | None
    seconds: float | None
    strongest: str | None
    total: float | None
    candidates: int | None
    divergence: float | None
    why: str | None


class BatchDocument(Document):
    """`threshold` in nats: up to it an effect or a divergence does not count. `ended`: why the others were not
    tried."""

    schema_: Literal["memscope/batch@1"] = Field("memscope/batch@1", alias="schema")
    kind: Kind
    threshold: float
    engine: EnginePart | None
    ended: str | None
    conversations: list[BatchRow]


def waiting_row(path: str, item: int, title: str = "") -> BatchRow:
    """The row of a conversation that nothing has been done with."""
    known = dict.fromkeys(BatchRow.model_fields, None)
    return BatchRow.model_validate({**known, "source": path, "item": item, "title": title, "state": "waiting"})


def copies_left_out(number: int) -> str:
    """That so many sessions of folders are not scored by themselves."""
    if number == 1:
        return "a copy or sub-agent counts with its session and is left out"
    return f"{number:,} copies and sub-agents count with their sessions and are left out"


def batch_words(kind: Kind, rows: Sequence[BatchRow], threshold: float) -> str:
    """What there is so far, in a sentence."""
    number = {state: sum(row.state == state for row in rows) for state in ("done", "nothing", "failed")}
    left, lacking = sum(row.state in ("waiting", "cancelled") for row in rows), sum(bool(row.missing) for row in rows)
    said = [f"{number['done']} of {counted(len(rows), 'conversation')} scored"]
    said += [f"{lacking} of them not in whole"] if lacking else []
    said += [f"{number['nothing']} with nothing to score"] if number["nothing"] else []
    said += [f"{number['failed']} failed"] if number["failed"] else []
    said += [f"{left} left"] if left else []
    made, kept = (sum(getattr(row, name) or 0 for row in rows) for name in ("scorings", "from_store"))
    if made or kept:
        said.append(counted(made, "scoring") + (f", {kept} from disk" if kept else ""))
    if kind == "finetune":
        found = sum(row.candidates or 0 for row in rows)
        owe = "owes" if found == 1 else "owe"
        said.append(f"{counted(found, 'response')} {owe} the memories more than {limit_words(threshold)}")
    return " · ".join(said)


def _title(row: BatchRow) -> str:
    return row.title or Path(row.source).name


_PLACE: tuple[Column[BatchRow], ...] = (
    Column("item", lambda row: row.item, "index", rank=8),
    Column("source", lambda row: row.source, rank=7, shown=lambda row: shown_path(Path(row.source))),
)
_COUNTS: tuple[Column[BatchRow], ...] = (
    Column("conversation", _title, wide=True, shown=lambda row: preview(_title(row), 60)),
    Column("state", lambda row: row.state, shown=lambda row: "stopped" if row.state == "cancelled" else row.state),
    Column("memories", lambda row: row.memories, "memories", rank=1),
    Column("responses", lambda row: row.responses, "responses", rank=2),
)
_COSTS: tuple[Column[BatchRow], ...] = (
    Column("scorings", lambda row: row.scorings, "scorings", rank=3),
    Column("on disk", lambda row: row.from_store, "scorings", rank=5),
    Column("missing", lambda row: row.missing, "scorings", rank=9),
    Column("seconds", lambda row: row.seconds, "s", rank=6, shown=lambda row: _seconds(row.seconds)),
)
_FOUND: dict[Kind, tuple[Column[BatchRow], ...]] = {
    "matrix": (
        Column("strongest", lambda row: row.strongest, shown=lambda row: preview(row.strongest or "–", 28)),
        Column("total", lambda row: row.total, "nats"),
    ),
    "finetune": (
        Column("candidates", lambda row: row.candidates, "responses"),
        Column("divergence", lambda row: row.divergence, "nats"),
    ),
}
_WHY: Column[BatchRow] = Column(
    "why", lambda row: row.why, rank=4, wide=True, shown=lambda row: preview(row.why or "", 100)
)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f}"


def batch_columns(kind: Kind, rows: Sequence[BatchRow]) -> tuple[Column[BatchRow], ...]:
    """The columns for a batch of a kind; with the reasons where there are any."""
    why = (_WHY,) if any(row.why for row in rows) else ()
    return (*_COUNTS, *_FOUND[kind], *why, *_COSTS, *_PLACE)


BATCH: View[BatchDocument, BatchRow] = View(
    "batch",
    BatchDocument,
    lambda document: document.conversations,
    lambda document: batch_columns(document.kind, document.conversations),
)
