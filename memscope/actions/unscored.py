"""Conversations of which no run is kept, or none of what they are now: finding them, and scoring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.across import Wanted, below, kept_at
from memscope.actions.batch import each_of
from memscope.actions.batch_places import to_score
from memscope.actions.cost import Estimate, added_up, cost_before, may_ask, needs_asking
from memscope.actions.runs import kept_run
from memscope.actions.score import score_matrix
from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.lineage import lineage_in
from memscope.reports.across import UnscoredPart

if TYPE_CHECKING:
    from memscope.actions.engine import Scorer
    from memscope.actions.open import Opened, Opening
    from memscope.base.settings import Settings
    from memscope.store.database import Database

NEVER = "never scored"
CHANGED = "changed since it was scored"


@dataclass(frozen=True)
class Unscored:
    """What is to be scored: the conversations `why`, by path and item, says why; why others, by path, cannot be; and
    how many `copies` and sub-agents in folders count with their sessions, and are none of them."""

    why: Mapping[tuple[Path, int], str]
    unreadable: Mapping[Path, str]
    copies: int = 0

    @property
    def items(self) -> Mapping[Path, Sequence[int]]:
        """The conversations that are to be scored, by file."""
        items: dict[Path, list[int]] = {}
        for path, item in self.why:
            items.setdefault(path, []).append(item)
        return items

    @property
    def listed(self) -> list[UnscoredPart]:
        """The same for a document."""
        lacking = [UnscoredPart(source=str(path), item=item, why=why) for (path, item), why in self.why.items()]
        return lacking + [UnscoredPart(source=str(path), item=0, why=why) for path, why in self.unreadable.items()]


def unscored(database: Database, wanted: Wanted, settings: Settings, job: Job, *, input_format: str = "") -> Unscored:
    """The conversations at the wanted paths of which no wanted run is kept, or one from before their file was written
    last; of folders the sessions that count, as `to_score` finds them. What cannot be read any more is none of them as
    long as a run of it is kept. Raises `StoreError`, `Cancelled`."""
    kept = kept_at(database, wanted, job)
    why: dict[tuple[Path, int], str] = {}
    found = to_score(wanted.paths, settings, database, job, input_format=input_format)
    for place in found.places:
        path = Path(place.path)
        at = kept.get(lineage_in(path, place.item))
        if at is None or at < _written(path):
            why[path, place.item] = NEVER if at is None else CHANGED
    unread = {path: error for path, error in found.unread if not any(map(below((path,)), kept))}
    return Unscored(why, unread, found.copies)


def unscored_cost(found: Unscored, opening: Opening, settings: Settings, scorer: Scorer, job: Job) -> Estimate | None:
    """What scoring all of them would take, where a person should be asked before it; None where it can begin. Every
    one is opened for that. Raises `Cancelled`."""
    if not may_ask(scorer, settings):
        return None

    def cost(opened: Opened, job: Job) -> Estimate:
        return cost_before(opened.conversation, scorer, job=job, count=False)

    costs = each_of(found.items, opening, cost, job, settings=settings, database=scorer.database)
    whole = added_up((done.result for done in costs if done.result is not None), scorer)
    return whole if needs_asking(whole, settings) else None


def score_unscored(found: Unscored, opening: Opening, settings: Settings, scorer: Scorer, job: Job) -> Unscored:
    """Scores them and keeps what comes of it; those are left that could not be, each with the reason. Raises
    `Cancelled`; what was scored by then is kept."""
    left: dict[tuple[Path, int], str] = {}

    def score(opened: Opened, job: Job) -> None:
        run, cost = score_matrix(opened.conversation, scorer, job, workers=settings.workers)
        cost = kept_run(cost, run, scorer, job, threshold=settings.threshold, opening=opened.opening)
        if run.baseline_failed or cost.note:
            raise EngineError(cost.note or run.reason or "")

    for done in each_of(found.items, opening, score, job, settings=settings, database=scorer.database):
        if done.error:
            left[done.path, done.item] = done.error
    return Unscored(left, found.unreadable, found.copies)


def _written(path: Path) -> float:
    """When the file was written last, in seconds since the epoch."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
