"""Scoring many conversations one after another, each for its matrix or for what is worth training on.

Everything that lands is kept as it lands, so a batch can be cancelled, or its process killed, and begun again: what was
scored is taken from the store. One that cannot be read or scored is told in its row; when they fail alike in a row, the
others are not tried. Of a conversation with several context windows the last is scored, as a command without --window
does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from memscope.actions.alike import Alike
from memscope.actions.batch import Done, each_of
from memscope.actions.cost import Estimate, added_up, cost_before, may_ask, needs_asking
from memscope.actions.finetune import dependents_cost, dependents_of
from memscope.actions.open import Opening
from memscope.actions.runs import kept_run
from memscope.actions.score import Cost, document_matrix, score_matrix
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.reports.batch import UNFINISHED, BatchDocument, BatchRow, Kind, waiting_row
from memscope.reports.failures import failures
from memscope.reports.matrix import EnginePart, memory_rows
from memscope.reports.worth import THRESHOLD
from memscope.sessions.ranked import Place

if TYPE_CHECKING:
    from memscope.actions.batch import Transcript
    from memscope.actions.engine import Scorer
    from memscope.actions.open import Opened

KNOWN = "known"  # what a job counts the conversations under that were wholly on disk

Outcome = dict[str, Any]  # the fields of a row that are known now
Result = TypeVar("Result")


class BatchRun:
    """The rows of a batch, filled by a working thread; safe to look at from any. Conversations of one file stand
    together, where the first of them was asked for, in the order of the file.

    `threshold` in nats (None: what a setting says, for training 1): up to it nothing counts. `ended`: why the others
    were not tried, where that is so. `version` is another whenever a row is. `titles`: those that are known already.
    """

    def __init__(
        self,
        kind: Kind,
        places: Iterable[Place],
        threshold: float | None = None,
        titles: Mapping[Place, str] = MappingProxyType({}),
    ) -> None:
        self.kind = kind
        self.places = tuple(_together(Place(str(Path(place.path)), place.item) for place in places))
        self.threshold = threshold
        self.engine: EnginePart | None = None
        self.ended: str | None = None
        self.version = 0
        self._lock = threading.Lock()
        self._rows = {place: waiting_row(*place, titles.get(place, "")) for place in self.places}

    @property
    def rows(self) -> list[BatchRow]:
        """A row for each conversation, as far as it is now."""
        with self._lock:
            return list(self._rows.values())

    @property
    def left(self) -> list[Place]:
        """The conversations that going on tries, again or for the first time."""
        with self._lock:
            return [place for place, row in self._rows.items() if row.state in UNFINISHED or row.missing]

    @property
    def is_over(self) -> bool:
        """Whether each was tried to its end."""
        return all(row.state in ("done", "nothing", "failed") for row in self.rows)

    def tell(self, place: Place, **known: Any) -> None:
        """Something is known of a conversation: fields of its row."""
        with self._lock:
            self._rows[place] = self._rows[place].model_copy(update=known)
            self.version += 1

    def restart(self) -> None:
        """All that is left waits again."""
        for place in self.left:
            with self._lock:
                self._rows[place] = waiting_row(*place, self._rows[place].title)
                self.version += 1
        self.ended = None

    def limit(self, settings: Settings) -> float:
        """The threshold in force, in nats."""
        usual = settings.threshold if self.kind == "matrix" else THRESHOLD
        return usual if self.threshold is None else self.threshold

    def document(self, settings: Settings, unread: Iterable[tuple[Path, str]] = ()) -> BatchDocument:
        """What came of it so far; with the files that hold no conversation, and why, behind all."""
        no_rows = [waiting_row(str(path), 0).model_copy(update={"state": "failed", "why": why}) for path, why in unread]
        return BatchDocument(
            kind=self.kind,
            threshold=self.limit(settings),
            engine=self.engine,
            ended=self.ended,
            conversations=self.rows + no_rows,
        )

    @property
    def kept(self) -> dict[str, Any]:
        """Enough to make it again, as JSON values (see `batch_again`)."""
        rows = self.rows
        titles = [row.title for row in rows]
        return {"kind": self.kind, "places": [[row.source, row.item] for row in rows], "titles": titles}


def places_of(found: Iterable[Transcript]) -> Iterator[Place]:
    """All conversations of the files that were found."""
    for file in found:
        yield from (Place(str(file.path), item) for item in range(file.items))


def batch_again(kept: Mapping[str, Any]) -> BatchRun | None:
    """A batch from what was kept of it, with nothing done; None where that is none."""
    kind, places = kept.get("kind"), kept.get("places")
    known = next((one for one in get_args(Kind) if one == kind), None)
    if known is None or not isinstance(places, list):
        return None
    found = [Place(*one) for one in places if isinstance(one, list) and [*map(type, one)] == [str, int]]
    titles = kept.get("titles")
    told = zip(found, titles, strict=False) if isinstance(titles, list) and len(titles) == len(found) else ()
    return BatchRun(known, found, titles={at: title for at, title in told if type(title) is str}) if found else None


def run_batch(batch: BatchRun, settings: Settings, scorer: Scorer, job: Job, opening: Opening | None = None) -> None:
    """Scores what is left of a batch, each conversation opened as `opening` says but for its place. Raises `Cancelled`;
    what has landed stays, in the rows and on disk."""
    batch.restart()
    identity, alike = scorer.engine.identity, Alike()
    batch.engine = EnginePart(name=identity.name, model=identity.model, url=identity.url)
    score, limit = _WORK[batch.kind], batch.limit(settings)

    def work(opened: Opened, job: Job) -> Outcome:
        conversation, source = opened.conversation, opened.conversation.source
        place = Place(str(opened.opening.path), opened.opening.item)
        batch.tell(
            place,
            state="running",
            title=conversation.title,
            window=source.window if source is not None else 0,
            memories=len(conversation.memories),
            responses=len(conversation.responses),
        )
        try:
            return score(limit, opened, settings, scorer, job)
        except Cancelled:
            batch.tell(place, state="cancelled")
            raise

    for done in _each(batch, opening, work, job, settings=settings, scorer=scorer):
        found = done.result or {"state": "failed", "why": done.error}
        batch.tell(Place(str(done.path), done.item), **found)
        if found["state"] != "failed" and not found.get("scorings"):
            job.count(KNOWN)
        if done.opened is not None and found["state"] != "nothing":
            alike.take(found["why"] if found["state"] == "failed" else None)
        if alike.why_not is not None:
            batch.ended = alike.why_not
            return


def batch_cost(
    batch: BatchRun, settings: Settings, scorer: Scorer, job: Job, opening: Opening | None = None
) -> Estimate | None:
    """What the rest of a batch would take, where a person should be asked before it; None where it can begin. Every
    conversation is opened for that. Raises `Cancelled`."""
    if not may_ask(scorer, settings):
        return None

    def work(opened: Opened, job: Job) -> Estimate:
        if batch.kind == "finetune":
            return dependents_cost(opened.conversation, None, settings, scorer, job)
        return cost_before(opened.conversation, scorer, job=job, count=False)

    costs = _each(batch, opening, work, job, settings=settings, scorer=scorer)
    whole = added_up((done.result for done in costs if done.result is not None), scorer)
    return whole if needs_asking(whole, settings) else None


def _each(
    batch: BatchRun,
    opening: Opening | None,
    work: Callable[[Opened, Job], Result],
    job: Job,
    *,
    settings: Settings,
    scorer: Scorer,
) -> Iterator[Done[Result]]:
    """Does `work` on each that is left of a batch."""
    wanted: dict[Path, list[int]] = {}
    for place in batch.left:
        wanted.setdefault(Path(place.path), []).append(place.item)
    how = opening or Opening(Path())
    return each_of(wanted, how, work, job, settings=settings, database=scorer.database)


def _matrix(limit: float, opened: Opened, settings: Settings, scorer: Scorer, job: Job) -> Outcome:
    run, cost = score_matrix(opened.conversation, scorer, job, workers=settings.workers)
    cost = kept_run(cost, run, scorer, job, threshold=limit, opening=opened.opening)
    matrix = document_matrix(run)
    if matrix.reason is not None:
        failed = run.baseline_failed
        why = matrix.reason if failed else _nothing(matrix.reason, opened)
        return {**_costs(cost), "state": "failed" if failed else "nothing", "why": why}
    rows = memory_rows(opened.conversation, matrix, limit)
    best = max((row for row in rows if row.total), key=lambda row: row.total or 0.0, default=None)
    missing = len(run.failed())
    return {
        **_costs(cost),
        "state": "done",
        "missing": missing,
        "strongest": best.key if best is not None else None,
        "total": best.total if best is not None else None,
        "why": cost.note or (next(iter(failures(matrix)), None) if missing else None),
    }


def _finetune(limit: float, opened: Opened, settings: Settings, scorer: Scorer, job: Job) -> Outcome:
    seen, cost = dependents_of(opened.conversation, None, settings, scorer, job)
    if seen.reason is not None:
        return {"state": "nothing", "why": _nothing(seen.reason, opened)}
    if not seen.found:
        return {**_costs(cost), "state": "failed", "why": seen.error}
    return {
        **_costs(cost),
        "state": "done",
        "missing": seen.responses - len(seen.found),
        "candidates": sum(one.divergence > limit for one in seen.found),
        "divergence": seen.found[0].divergence,
        "why": seen.error,
    }


_WORK: dict[Kind, Callable[[float, Opened, Settings, Scorer, Job], Outcome]] = {
    "matrix": _matrix,
    "finetune": _finetune,
}


def _nothing(reason: str, opened: Opened) -> str:
    """Why there is nothing; there may be in the context windows that are not looked at."""
    windows = opened.conversation.windows
    return reason if windows == 1 else f"{reason}, in the last of its {windows:,} context windows"


def _costs(cost: Cost) -> Outcome:
    return {"scorings": cost.scorings, "from_store": cost.from_store, "seconds": cost.seconds}


def _together(places: Iterable[Place]) -> Iterator[Place]:
    """Each once, those of one file together and in its order."""
    files: dict[str, set[int]] = {}
    for place in places:
        files.setdefault(place.path, set()).add(place.item)
    for path, items in files.items():
        yield from (Place(path, item) for item in sorted(items))
