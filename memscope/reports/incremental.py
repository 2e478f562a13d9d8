"""Incremental scoring: what a round of it did, and how each memory of a conversation stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from memscope.base.clock import from_iso
from memscope.reports.matrix import ConversationPart, CostPart, EnginePart, SettingsPart
from memscope.reports.view import Column, Document, View, signed

State = Literal["due", "skipped", "fresh"]
"""Of a memory: it is to be scored; it would be, but for a reason; or it was, not long ago."""


class ScoredMemory(Document):
    """What a memory was scored, in nats, what weight that makes, and the time; `before`: the weight before, null where
    it is the first."""

    key: str
    score: float
    weight: float
    before: float | None
    last_scored: str


class SkippedMemory(Document):
    key: str
    reason: str


class FailedMemory(Document):
    """A memory that could not be scored: its weight and its time are as they were."""

    key: str
    error: str


class FreshMemory(Document):
    """A memory that is not due."""

    key: str
    weight: float
    last_scored: str


class Limits(Document):
    """What decided which memories were due: `max_age` in seconds, the part of the conversation behind which memories
    are too recent (`cutoff`), and how many `responses` after a memory are looked at."""

    max_age: float
    cutoff: float
    responses: int


class IncrementalDocument(Document):
    """`now`: the time at which it was decided what is due. `due`: the memories to be scored, in their order; with
    `dry_run` that is all that happened. `kept`: the weights are on disk."""

    schema_: Literal["memscope/incremental@1"] = Field("memscope/incremental@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    settings: SettingsPart
    now: str
    limits: Limits
    due: list[str]
    scored: list[ScoredMemory]
    skipped: list[SkippedMemory]
    failed: list[FailedMemory]
    fresh: list[FreshMemory]
    dry_run: bool
    kept: bool
    reason: str | None
    cost: CostPart


@dataclass(frozen=True, slots=True)
class ScoreAt:
    """One time that a memory was scored: seconds since the epoch, its score, and its weight from then on, in nats."""

    at: float
    score: float
    weight: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a memory stands: `state` and, where it is skipped, the `reason`; its `history`, oldest first."""

    key: str
    state: State
    reason: str
    history: tuple[ScoreAt, ...] = ()

    @property
    def weight(self) -> float | None:
        """In nats; None where it was never scored."""
        return self.history[-1].weight if self.history else None

    @property
    def last_scored(self) -> float | None:
        """Seconds since the epoch; None where it was never scored."""
        return self.history[-1].at if self.history else None

    @property
    def words(self) -> str:
        """Whether it is due, in words."""
        if self.state == "due":
            return "due" if self.history else "due: never scored"
        return f"skipped: {self.reason}" if self.state == "skipped" else "not due"


def shares(standings: Sequence[Standing]) -> Mapping[str, float]:
    """How long the bar of each memory is, 0 to 1: its weight beside the largest; of those that have one."""
    weights = {one.key: one.weight for one in standings if one.weight is not None}
    most = max(weights.values(), default=0.0)
    return {key: weight / most if most > 0 else 0.0 for key, weight in weights.items()}


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: what became of a memory."""

    key: str
    became: str
    score: float | None = None
    weight: float | None = None
    change: float | None = None
    last_scored: str = ""
    why: str = ""


def _rows(document: IncrementalDocument) -> list[_Row]:
    fresh = [_Row(one.key, "not due", None, one.weight, None, one.last_scored) for one in document.fresh]
    waits = [_Row(key, "due") for key in document.due] if document.dry_run else []
    return [
        *waits,
        *(
            _Row(
                one.key,
                "scored",
                one.score,
                one.weight,
                None if one.before is None else one.weight - one.before,
                one.last_scored,
            )
            for one in document.scored
        ),
        *(_Row(one.key, "failed", why=one.error) for one in document.failed),
        *(_Row(one.key, "skipped", why=one.reason) for one in document.skipped),
        *fresh,
    ]


def incremental_lines(document: IncrementalDocument) -> list[str]:
    """What is said below the table."""
    done = "due" if document.dry_run else "scored"
    ahead = sum(from_iso(one.last_scored) > from_iso(document.now) for one in document.fresh)
    yet_to_come = f" ({ahead} of them scored at a time yet to come)" if ahead else ""
    counts = [
        (len(document.due) if document.dry_run else len(document.scored), done),
        (len(document.failed), "failed"),
        (len(document.skipped), "skipped"),
        (len(document.fresh), f"not due{yet_to_come}"),
    ]
    return ["", ", ".join(f"{number} {what}" for number, what in counts if number or what == done)]


_COLUMNS: tuple[Column[_Row], ...] = (
    Column("memory", lambda row: row.key),
    Column("state", lambda row: row.became),
    Column("score", lambda row: row.score, "nats"),
    Column("weight", lambda row: row.weight, "nats"),
    Column(
        "change",
        lambda row: row.change,
        "nats",
        rank=2,
        shown=lambda row: "" if row.change is None else signed(row.change),
    ),
    Column(
        "last scored", lambda row: row.last_scored, rank=1, shown=lambda row: row.last_scored[:16].replace("T", " ")
    ),
)
_WHY: Column[_Row] = Column("why", lambda row: row.why, wide=True)


INCREMENTAL: View[IncrementalDocument, _Row] = View(
    "incremental",
    IncrementalDocument,
    _rows,
    lambda document: (*_COLUMNS, _WHY) if document.skipped or document.failed else _COLUMNS,
)
