"""The batch of sessions that is scored one after another: one for the whole console, in the background.

It goes on whatever is opened meanwhile, with the engine it began with. What it is made of is kept in the store until
all of it was tried, so that it can be gone on with another time: what was scored by then is on disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from memscope.actions.cost import Estimate
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.base.text import counted
from memscope.tui.background import Task
from memscope.tui.workspace import BATCH_GROUP, Change, Workspace

if TYPE_CHECKING:
    from memscope.actions.batch_runs import BatchRun
    from memscope.base.settings import Settings
    from memscope.reports.batch import Kind
    from memscope.sessions.ranked import Place

_KEPT = "batch"  # the name it is kept under


class Batches:
    """`say`: tells a person a line; `show`: leads to where the batch is seen; `ask`: asks them before what costs much,
    and what is to be done then; `sure`: asks them a question before something is given up for that.

    `batch`: the one there is, running or not; `settings`: those it runs with; `asked`: what it would cost, while that
    waits for a person's word; `trouble`: why it ended before its time.
    """

    def __init__(
        self,
        workspace: Workspace,
        say: Callable[[str], object],
        show: Callable[[], object],
        ask: Callable[[Estimate, Callable[[], object]], object],
        sure: Callable[[str, Callable[[], object]], object],
    ) -> None:
        self._space = workspace
        self._say = say
        self._show = show
        self._ask = ask
        self._sure = sure
        self._looked = False
        self._batch: BatchRun | None = None
        self.settings: Settings = workspace.settings
        self.asked: Estimate | None = None
        self.trouble: MemscopeError | None = None

    @property
    def batch(self) -> BatchRun | None:
        """The batch there is: of the last time, with nothing done, where none was begun since."""
        if self._batch is None and not self._looked:
            self._looked = True
            if kept := self._space.kept.state(_KEPT):
                from memscope.actions.batch_runs import batch_again

                self._batch = batch_again(kept)
        return self._batch

    @property
    def task(self) -> Task | None:
        """What runs."""
        return self._space.background.task(BATCH_GROUP)

    @property
    def can_resume(self) -> bool:
        """Whether something is left that could be tried."""
        return self.task is None and self.batch is not None and bool(self.batch.left)

    @property
    def unfinished(self) -> int:
        """How many sessions a batch has that was stopped before all were tried; 0: there is none."""
        batch = self.batch
        return 0 if batch is None or self.task is not None or batch.is_over else len(batch.places)

    def begin(
        self,
        kind: Kind,
        places: Sequence[Place],
        titles: Mapping[Place, str] = MappingProxyType({}),
        begun: Callable[[], object] = lambda: None,
    ) -> None:
        """Begins a batch in place of the one before, shows it, and does what is to be done once it has `begun`; where
        the one before was stopped in the middle, once a person is sure. Nothing, and why is told, while that runs.
        `titles`: those that are known."""
        if self.task is not None:
            self._say("a batch is under way; x cancels it, then another can be begun")
            return
        from memscope.actions.batch_runs import BatchRun

        batch, before = BatchRun(kind, places, titles=titles), self.batch

        def begin() -> None:
            self._batch = batch
            self.resume()
            self._show()
            begun()

        if before is not None and self.unfinished:
            left = f"{counted(self.unfinished, 'session')} has {len(before.left):,} left"
            self._sure(f"The batch of {left}. Drop it?", begin)
        else:
            begin()

    def resume(self) -> bool:
        """Tries what is left; False where nothing is, or it is under way."""
        return self.can_resume and self._start(agreed=False)

    def cancel(self) -> bool:
        """Stops it; what has landed stays. False where nothing runs."""
        return self._space.background.cancel(BATCH_GROUP)

    def _start(self, *, agreed: bool) -> bool:
        space, batch = self._space, self._batch
        if batch is None:
            return False
        self.settings, self.asked, self.trouble = (settings := space.settings), None, None
        space.kept.keep(_KEPT, batch.kept)

        def work(job: Job) -> Estimate | None:
            from memscope.actions.batch_runs import batch_cost, run_batch

            with space.engines.lease(settings) as scorer:
                if not agreed and (estimate := batch_cost(batch, settings, scorer, job)) is not None:
                    return estimate
                run_batch(batch, settings, scorer, job)
                return None

        space.background.start(
            BATCH_GROUP, f"scoring {counted(len(batch.left), 'session')}", work, self._ended, self._failed
        )
        space.tell(Change(phase=True))
        return True

    def _ended(self, asked: Estimate | None) -> None:
        batch = self._batch
        assert batch is not None
        self.asked = asked
        if asked is not None:
            self._ask(asked, lambda: self.task is None and self._batch is batch and self._start(agreed=True))
        else:
            if batch.is_over:
                self._space.kept.keep(_KEPT, {})
            self._say(batch.ended or _outcome_words(batch))
        self._space.tell(Change(phase=True))

    def _failed(self, error: MemscopeError) -> None:
        self.trouble = None if isinstance(error, Cancelled) else error
        self._say("the batch is stopped; in Batch, R goes on" if self.trouble is None else str(error))
        self._space.tell(Change(phase=True))

    @property
    def limit(self) -> float:
        """Up to how many nats nothing counts."""
        return self._batch.limit(self.settings) if self._batch is not None else 0.0


def _outcome_words(batch: BatchRun) -> str:
    """What came of all of a batch, in a few words."""
    number = Counter(row.state for row in batch.rows)
    whole = f"the batch of {counted(len(batch.places), 'session')} is done"
    if number["done"] == len(batch.places):
        return whole
    said = [f"{number['done']:,} scored"]
    said += [f"{number['failed']:,} failed"] if number["failed"] else []
    said += [f"{number['nothing']:,} with nothing to score"] if number["nothing"] else []
    return f"{whole}: {', '.join(said)}"
