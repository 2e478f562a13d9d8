"""What is loaded and what runs: one for the whole console, owned by the screen's thread. It knows no widget.

Panes read it, ask it to do things, and are told of changes. Everything slow runs in the background; the matrix fills in
the run, and `tick` takes a new picture of it at most twenty times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from memscope.actions.cost import Estimate, cost_to_ask
from memscope.actions.kept import Kept, view_name
from memscope.actions.open import Opened, Opening, is_demo, opened
from memscope.actions.score import Cost, fill, new_run, rescore
from memscope.base.errors import Cancelled, MemscopeError, StoreError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.reports.scale import Unit
from memscope.tui.background import Background, Task
from memscope.tui.engines import MODEL, Engines
from memscope.tui.state import state_words
from memscope.tui.view import View

if TYPE_CHECKING:
    from memscope.actions.engine import Scorer
    from memscope.attribution.matrix import Matrix, MatrixRun
    from memscope.conversation.ablation import Ablation
    from memscope.conversation.marks import Mark
    from memscope.store.database import Database

Phase = Literal["empty", "loading", "idle", "running", "cancelled", "failed", "done"]
"""`empty`: nothing is loaded; `idle`: loaded, not scored; `failed`: no engine, or no baseline."""

_READING = ("thinking", "rules_off", "patterns")  # settings that make another conversation
_SCORING = ("incremental", "whatif", "screening", "why", "run")  # groups of work that a person asks for and waits for
BATCH_GROUP = "batch"  # the group of a batch of sessions, which no other conversation ends
_REST = 4  # a picture is taken again after this many times what it took, so that a huge matrix leaves time for keys


@dataclass(frozen=True, slots=True)
class Change:
    """What panes have to look at again. `rows`: rows of the matrix with new numbers. `what_if`: memories were toggled
    off or on, or what would be without them has come further. `error`: what a person asked for and did not get. `ask`:
    what a run would cost that is not begun without a person's word, and `go_on` begins it."""

    loaded: bool = False
    rows: frozenset[int] = frozenset()
    phase: bool = False
    view: bool = False
    selection: bool = False
    what_if: bool = False
    error: MemscopeError | None = None
    ask: Estimate | None = None
    go_on: Callable[[], object] = lambda: None


EVERYTHING = Change(loaded=True, phase=True, view=True, selection=True)


class Workspace:
    """See the module. `settings` are those in force; `tell` is called with every change."""

    def __init__(self, settings: Settings, kept: Kept, tell: Callable[[Change], None] = lambda _: None) -> None:
        self.settings = settings
        self.kept = kept
        self.tell = tell
        self.background = Background()
        self.opened: Opened | None = None
        self.engines = Engines(kept.database)
        self.run: MatrixRun | None = None
        self.matrix: Matrix | None = None
        self.cost: Cost | None = None
        self.asked: Estimate | None = None  # what the run would cost that waits for a person's word
        self.phase: Phase = "empty"
        self.trouble: MemscopeError | None = None
        self.view = View(settings.threshold)
        self.memory: str | None = None
        self.response: int | None = None
        self._loading: Opening | None = None
        self._at: int | None = None  # the message at which what is being loaded is to be shown
        self._before: Phase = "empty"  # what is being loaded now
        self._pictured = (0.0, 0.0)  # when the last picture was taken, and what it took

    @property
    def scorer(self) -> Scorer | None:
        """The open engine, for looking at."""
        return self.engines.scorer

    @property
    def conversation(self) -> Conversation | None:
        return self.opened.conversation if self.opened is not None else None

    # Opening.

    def open(self, opening: Opening, load: Callable[[], Opened] | None = None, *, response: int | None = None) -> None:
        """Loads a conversation and scores it, which ends the run of the one before; what that had landed stays on disk.

        `load`: how, where somebody has begun with it already. `response`: every pane is to be pointed at the response
        nearest to this message.
        """
        settings, database = self.settings, self.kept.database
        how = load or (lambda: opened(opening, settings, database))
        self._before = self._end_run()
        self._loading, self._at = opening, response
        self.background.start("load", f"reading {opening.path.name}", lambda _: how(), self.show, self._not_loaded)
        self._become("loading")

    def show(self, found: Opened, *, start: bool = True) -> None:
        """Takes a conversation that is loaded, and scores it now, or when `start` is called."""
        self._end_run()
        self.background.drop("load")
        self._loading = None
        before, self.opened = self.opened, found
        self.run, self.matrix, self.cost, self.trouble = None, None, None, None
        if before is None or before.conversation.source != found.conversation.source:
            self.memory = self.response = None
        if self._at is not None:
            at, self._at = self._at, None
            self.response = min(found.conversation.responses, key=lambda message: abs(message - at), default=None)
        if before is None or view_name(before.conversation) != view_name(found.conversation):
            self.view = View.of(self.kept.state(view_name(found.conversation)), self.settings.threshold)
        if (before is None or before.opening != found.opening) and not is_demo(found.opening):
            self.kept.opened(found.conversation, tuple(map(str, found.opening.memories)))
        self._plan()
        self.phase = "idle"
        self.tell(EVERYTHING)
        if start:
            self.start()

    def reload(self, **changes: Any) -> bool:
        """Reads the file again, opened otherwise where `changes` say so: `memories`, `sources`, `window`."""
        if self.opened is None:
            return False
        self.open(replace(self.opened.opening, **changes))
        return True

    def step_window(self, by: int) -> bool:
        """The context window before or after this one; False where there is none."""
        conversation = self.conversation
        if conversation is None or conversation.source is None:
            return False
        window = conversation.source.window + by
        return 0 <= window < conversation.windows and self.reload(window=window)

    def decide(
        self,
        name: str,
        decision: Callable[[Opened, Database], Mark | None],
        done: Callable[[Mark | None], None],
        failed: Callable[[MemscopeError], None],
    ) -> None:
        """Keeps a decision about the conversation, in the background because another process may be at its writing,
        shows and scores what came of it, and tells the mark it was about, or an error."""
        found, database, settings = self.opened, self.kept.database, self.settings
        if found is None or database is None:
            failed(UsageError("marks are kept in the store", do="Start with a store to mark memories by hand."))
            return

        def work(_job: Job) -> tuple[Mark | None, Opened | None]:
            mark = decision(found, database)
            return mark, found.again(settings, database) if mark is not None else None

        def decided(outcome: tuple[Mark | None, Opened | None]) -> None:
            mark, again = outcome
            if again is not None and self.opened is found:
                self.show(again)
            done(mark)

        self.background.start("decide", name, work, decided, failed)

    # Scoring.

    def start(self) -> None:
        """Scores the whole conversation with the engine of the settings; what is on disk is not scored again.

        A run that costs more than the settings say is asked about (`Change.ask`); `resume` begins it then.
        """
        if self.conversation is None:
            return
        self._end_run()
        if self.phase != "idle":
            self._plan()
        run = self.run
        assert run is not None
        self._fill("scoring", lambda: run.plan, asks=True)

    def _plan(self) -> None:
        """A run in which everything is still to be scored."""
        if self.conversation is not None:
            keeps = self.kept.database is not None and self.settings.store
            classic = bool(self.settings.compat)
            self.run = run = new_run(self.conversation, keep_tokens=not keeps, classic=classic)
            self.matrix, self.cost, self.asked = run.snapshot(), None, None

    def resume(self) -> bool:
        """Scores what failed or was not reached; False where nothing is missing."""
        run = self.run
        if run is None or not self.can_resume:
            return False
        self._fill("scoring what is missing", run.missing)
        return True

    def rescore(self, key: str) -> bool:
        """Scores without one memory once more, past what is on disk; False while a run is under way."""
        run, found, settings = self.run, self.opened, self.settings
        if run is None or found is None or self.phase in ("running", "loading"):
            return False

        def work(job: Job) -> Cost:
            with self.engines.lease(settings) as scorer:
                cost = rescore(run, key, scorer, job, workers=settings.workers)
                return _kept(cost, run, scorer, job, found=found, threshold=settings.threshold)

        self._run(f"scoring without {key}", work)
        return True

    def cancel(self) -> bool:
        """Stops what runs, and where nothing else does, a batch; what has landed stays. False when nothing runs."""
        loading = self.background.drop("load")  # reading a file knows no stopping: its outcome is not wanted any more
        if loading is not None:
            self._not_loaded(Cancelled())
        asked = [self.background.cancel(group) for group in ("explain", *_SCORING)]
        return any(asked) or loading is not None or self.background.cancel(BATCH_GROUP)

    def use(self, settings: Settings) -> None:
        """Goes on with other settings: another model means another matrix, other rules another conversation. How many
        scorings at a time, and how long one may take, hold from the next run on."""
        before, self.settings = self.settings, settings
        self.engines.want(settings)
        if settings.threshold != before.threshold:
            self.look(threshold=settings.threshold)
        if settings.glyphs != before.glyphs:
            self.tell(EVERYTHING)
        if _part(settings, _READING) != _part(before, _READING):
            if self._loading is not None:
                self.open(self._loading)
                return
            if self.reload():
                return
        if _part(settings, (*MODEL, "store")) != _part(before, (*MODEL, "store")) and self._loading is None:
            self._plan()  # also where nothing was scored yet
            self.start()
            self.tell(EVERYTHING)

    def _fill(self, name: str, ablations: Callable[[], Sequence[Ablation]], *, asks: bool = False) -> None:
        run, found, settings = self.run, self.opened, self.settings
        assert run is not None and found is not None  # one is there with the other

        def work(job: Job) -> Cost | Estimate:
            with self.engines.lease(settings) as scorer:
                if asks and (estimate := cost_to_ask(run.conversation, scorer, settings, job)) is not None:
                    return estimate
                cost = fill(run, ablations(), scorer, job, workers=settings.workers)
                return _kept(cost, run, scorer, job, found=found, threshold=settings.threshold)

        self._run(name, work)

    def _run(self, name: str, work: Callable[[Job], Cost | Estimate]) -> None:
        self.trouble = self.asked = None
        self.background.start("run", name, work, self._ran, self._not_ran)
        self._become("running")

    def _ran(self, cost: Cost | Estimate) -> None:
        if isinstance(cost, Estimate):
            self.asked, self.phase = cost, "idle"
            run = self.run
            self.tell(Change(phase=True, ask=cost, go_on=lambda: self.run is run and self.resume()))
            return
        self.cost = cost
        self._picture()
        self._become("failed" if self.run is not None and self.run.baseline_failed else "done")
        if cost.note:
            self.tell(Change(error=StoreError(cost.note)))

    def _not_ran(self, error: MemscopeError) -> None:
        self._picture()
        self.trouble = None if isinstance(error, Cancelled) else error
        if not isinstance(error, Cancelled):
            self._become("failed")
        else:  # one memory's scoring may have been cancelled, which leaves nothing missing
            self._become("cancelled" if self.run is not None and self.run.missing() else "done")

    def _not_loaded(self, error: MemscopeError) -> None:
        """What was open before stays, but for its run, which was ended."""
        self._loading = None
        self._picture()
        if self.conversation is None and not isinstance(error, Cancelled):
            self.trouble = error
        self._become(self._before)
        if self.conversation is not None and not isinstance(error, Cancelled):
            self.tell(Change(error=error))

    def _end_run(self) -> Phase:
        """Ends what is under way for the run; what the phase is without it."""
        for group in ("explain", "cell", *_SCORING):
            self.background.drop(group)
        return "cancelled" if self.phase == "running" else self._before if self.phase == "loading" else self.phase

    def _become(self, phase: Phase) -> None:
        self.phase = phase
        self.tell(Change(phase=True))

    # Looking.

    def tick(self, ended: Task | None = None) -> None:
        """Collects what has ended, up to a task where one is named, and takes in what has landed."""
        self.background.collect(ended)
        self.take_in()

    def take_in(self) -> None:
        """Takes in what has landed; called twenty times a second while something runs."""
        if self.phase != "running" or self.run is None:
            return
        at, took = self._pictured
        if time.monotonic() - at >= _REST * took:
            self._picture()

    def _picture(self) -> None:
        if self.run is None:
            return
        rows = self.run.take_dirty()
        if rows:
            began = time.monotonic()
            self.matrix = self.run.snapshot()
            self.tell(Change(rows=rows))
            now = time.monotonic()
            self._pictured = (now, now - began)

    def look(
        self,
        *,
        threshold: float | None = None,
        unit: Unit | None = None,
        signed: bool | None = None,
        sorts: Mapping[str, str] = MappingProxyType({}),
        worth: float | None = None,
    ) -> None:
        """Changes how the numbers are looked at; `sorts`: the orders of panes, or of parts of them, by name."""
        view = self.view
        self.view = View(
            view.threshold if threshold is None else threshold,
            view.unit if unit is None else unit,
            view.signed if signed is None else signed,
            view.sorts | dict(sorts),
            view.pane,
            view.worth if worth is None else worth,
        )
        self._keep_view()
        self.tell(Change(view=True))

    def at(self, pane: str) -> None:
        """Keeps which pane the conversation is looked at in."""
        if self.conversation is not None and pane != self.view.pane:
            self.view = replace(self.view, pane=pane)
            self._keep_view()

    def _keep_view(self) -> None:
        if name := view_name(self.conversation):
            self.kept.keep(name, asdict(self.view))

    def select(self, *, memory: str | None = None, response: int | None = None) -> None:
        """Points every pane at a memory (by key), a response (by message index), or both."""
        memory, response = memory or self.memory, self.response if response is None else response
        if (memory, response) != (self.memory, self.response):
            self.memory, self.response = memory, response
            self.tell(Change(selection=True))

    @property
    def can_resume(self) -> bool:
        """Whether something of the matrix is missing that could be scored."""
        return self.run is not None and self.phase not in ("running", "loading") and bool(self.run.missing())

    def state_words(self) -> str:
        """The state of the run for a status line."""
        return state_words(self)

    @property
    def running(self) -> Task | None:
        """What a person waits for, if anything."""
        return next(filter(None, map(self.background.task, ("load", *reversed(_SCORING), BATCH_GROUP))), None)


def _kept(cost: Cost, run: MatrixRun, scorer: Scorer, job: Job, *, found: Opened, threshold: float) -> Cost:
    from memscope.actions.runs import kept_run  # which no screen waits for

    return kept_run(cost, run, scorer, job, threshold=threshold, opening=found.opening)


def _part(settings: Settings, names: Collection[str]) -> dict[str, Any]:
    return settings.model_dump(include=set(names))
