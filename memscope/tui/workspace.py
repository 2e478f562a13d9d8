"""What is loaded and what runs: one for the whole console, owned by the screen's thread. It knows no widget.

Panes read it, ask it to do things, and are told of changes. Everything slow runs in the background; the matrix fills in
the run, and `tick` takes a new picture of it at most twenty times a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from memscope.actions.engine import Scorer, open_scorer
from memscope.actions.kept import Kept, view_name
from memscope.actions.marks import add_mark, undo_mark
from memscope.actions.open import Opened, Opening, is_demo, opened
from memscope.actions.score import Cost, fill, new_run, rescore
from memscope.base.errors import Cancelled, MemscopeError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.tui.background import Background, Task

if TYPE_CHECKING:
    from memscope.attribution.matrix import Matrix, MatrixRun
    from memscope.conversation.ablation import Ablation

Phase = Literal["empty", "loading", "idle", "running", "cancelled", "failed", "done"]
"""`empty`: nothing is loaded; `idle`: loaded, not scored; `failed`: no engine, or no baseline."""

UNITS = ("nats", "per token", "share")

_REST = 4  # a picture is taken again after this many times what it took, so that a huge matrix leaves time for keys


@dataclass(frozen=True, slots=True)
class Change:
    """What panes have to look at again. `rows`: rows of the matrix with new numbers."""

    loaded: bool = False
    rows: frozenset[int] = frozenset()
    phase: bool = False
    view: bool = False
    selection: bool = False


EVERYTHING = Change(loaded=True, phase=True, view=True, selection=True)


@dataclass(frozen=True, slots=True)
class View:
    """How the numbers are looked at, in every pane; kept for each conversation. `sorts`: by pane or part of one."""

    threshold: float
    unit: str = "nats"
    signed: bool = True
    sorts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Mapping[str, Any], threshold: float) -> View:
        """The view that was kept, as far as it can be read; `threshold` where none was."""
        found = cls(threshold)
        if isinstance(kept.get("threshold"), int | float) and kept["threshold"] >= 0:
            found = replace(found, threshold=float(kept["threshold"]))
        if kept.get("unit") in UNITS:
            found = replace(found, unit=kept["unit"])
        if isinstance(kept.get("signed"), bool):
            found = replace(found, signed=kept["signed"])
        if isinstance(kept.get("sorts"), dict):
            found = replace(found, sorts={str(name): str(sort) for name, sort in kept["sorts"].items()})
        return found


class Workspace:
    """See the module. `settings` are those in force; `tell` is called with every change."""

    def __init__(self, settings: Settings, kept: Kept, tell: Callable[[Change], None] = lambda _: None) -> None:
        self.settings = settings
        self.kept = kept
        self.tell = tell
        self.background = Background()
        self.opened: Opened | None = None
        self.scorer: Scorer | None = None
        self.run: MatrixRun | None = None
        self.matrix: Matrix | None = None
        self.cost: Cost | None = None
        self.phase: Phase = "empty"
        self.trouble: MemscopeError | None = None
        self.view = View(settings.threshold)
        self.memory: str | None = None
        self.response: int | None = None
        self._one_engine = threading.Lock()
        self._pictured = (0.0, 0.0)  # when the last picture was taken, and what it took

    @property
    def conversation(self) -> Conversation | None:
        return self.opened.conversation if self.opened is not None else None

    # Opening.

    def open(self, opening: Opening, load: Callable[[], Opened] | None = None) -> None:
        """Loads a conversation and scores it, which ends the run of the one before; what that had landed stays on disk.

        `load`: how, where somebody has begun with it already.
        """
        settings, database = self.settings, self.kept.database
        how = load or (lambda: opened(opening, settings, database))
        self._end_run()
        self.background.start("load", f"reading {opening.path.name}", lambda _: how(), self.show, self._not_loaded)
        self._become("loading")

    def show(self, found: Opened, *, start: bool = True) -> None:
        """Takes a conversation that is loaded, and scores it now, or when `start` is called."""
        self._end_run()
        before, self.opened = self.opened, found
        self.run, self.matrix, self.cost, self.trouble = None, None, None, None
        if before is None or before.conversation.source != found.conversation.source:
            self.memory = self.response = None
            self.view = View.of(self.kept.state(view_name(found.conversation)), self.settings.threshold)
            if not is_demo(found.opening):
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

    def mark(self, message: int, start: int, end: int, *, key: str = "") -> str:
        """Makes lines of a message a memory, for good, and scores with it; its key. Raises `UsageError` and
        `StoreError`."""
        found, database = self.opened, self.kept.database
        if found is None or database is None:
            raise UsageError("marks are kept in the store", do="Start without --no-store to mark memories by hand.")
        mark = add_mark(database, found, message, start, end, key=key)
        self.show(found.again(self.settings, database))
        return mark.key

    def undo(self) -> str | None:
        """Undoes the latest mark on the conversation; the key of it, None where there is none. Raises `StoreError`."""
        found, database = self.opened, self.kept.database
        if found is None or database is None:
            return None
        mark = undo_mark(database, found)
        if mark is not None:
            self.show(found.again(self.settings, database))
        return mark.key if mark is not None else None

    # Scoring.

    def start(self) -> None:
        """Scores the whole conversation with the engine of the settings; what is on disk is not scored again."""
        if self.conversation is None:
            return
        self._end_run()
        if self.phase != "idle":
            self._plan()
        run = self.run
        assert run is not None
        self._fill("scoring", lambda: run.plan)

    def _plan(self) -> None:
        """A run in which everything is still to be scored."""
        if self.conversation is not None:
            self.run = run = new_run(self.conversation, keep_tokens=self.kept.database is None)
            self.matrix, self.cost = run.snapshot(), None

    def resume(self) -> bool:
        """Scores what failed or was not reached; False where nothing is missing."""
        run = self.run
        if run is None or self.phase == "running":
            return False
        if not run.missing():
            return False
        self._fill("scoring what is missing", run.missing)
        return True

    def rescore(self, key: str) -> bool:
        """Scores without one memory once more, past what is on disk; False while a run is under way."""
        run = self.run
        if run is None or self.phase == "running" or self.scorer is None:
            return False
        scorer, workers = self.scorer, self.settings.workers
        self._run(f"scoring without {key}", lambda job: rescore(run, key, scorer, job, workers=workers))
        return True

    def cancel(self) -> bool:
        """Stops what runs, the scoring last; what has landed stays. False when nothing runs."""
        asked = [self.background.cancel(group) for group in ("load", "explain", "why", "run")]
        return any(asked)

    def use(self, settings: Settings) -> None:
        """Goes on with other settings: another engine means another matrix."""
        before, self.settings = self.settings, settings
        if settings.threshold != before.threshold:
            self.look(threshold=settings.threshold)
        if _part(settings, _ENGINE) != _part(before, _ENGINE):
            self._end_run()
            self._retire()
            self._plan()
            self.tell(EVERYTHING)
            self.start()
        if _part(settings, _READING) != _part(before, _READING):
            self.reload()

    def _fill(self, name: str, ablations: Callable[[], Sequence[Ablation]]) -> None:
        run, settings = self.run, self.settings
        assert run is not None

        def work(job: Job) -> Cost:
            return fill(run, ablations(), self.scorer_for(settings), job, workers=settings.workers)

        self._run(name, work)

    def scorer_for(self, settings: Settings) -> Scorer:
        """The engine of these settings; called in a working thread, which may have been overtaken by other settings.
        Raises `UsageError`, `EngineError`."""
        with self._one_engine:
            if self.scorer is not None and _part(self.settings, _ENGINE) == _part(settings, _ENGINE):
                return self.scorer
            database = self.kept.database
            store = settings if database is not None else settings.model_copy(update={"store": False})
            made = open_scorer(store, database)
            if _part(self.settings, _ENGINE) == _part(settings, _ENGINE):
                self.scorer = made
            return made

    def _run(self, name: str, work: Callable[[Job], Cost]) -> None:
        self.trouble = None
        self.background.start("run", name, work, self._ran, self._not_ran)
        self._become("running")

    def _ran(self, cost: Cost) -> None:
        self.cost = cost
        self._picture()
        self._become("failed" if self.run is not None and self.run.baseline_failed else "done")

    def _not_ran(self, error: MemscopeError) -> None:
        self._picture()
        self.trouble = None if isinstance(error, Cancelled) else error
        self._become("cancelled" if isinstance(error, Cancelled) else "failed")

    def _not_loaded(self, error: MemscopeError) -> None:
        self._picture()
        self.trouble = None if isinstance(error, Cancelled) else error
        if self.run is None:
            self._become("empty")
        else:  # what was open stays; its run was ended
            self._become("cancelled" if self.run.missing() else "done")

    def _end_run(self) -> None:
        for group in ("load", "explain", "why", "cell", "run"):
            self.background.drop(group)

    def _retire(self) -> None:
        """Closes the engine when nothing uses it any more: a scoring in flight is still kept."""
        scorer, self.scorer = self.scorer, None
        if scorer is None:
            return
        users = [t for t in threading.enumerate() if t.name.startswith("memscope ")]

        def close() -> None:
            for user in users:
                user.join()
            scorer.close()

        threading.Thread(target=close, name="closing an engine", daemon=True).start()

    def _become(self, phase: Phase) -> None:
        self.phase = phase
        self.tell(Change(phase=True))

    # Looking.

    def tick(self) -> None:
        """Collects what has ended and takes in what has landed; called twenty times a second while something runs."""
        self.background.collect()
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
        unit: str | None = None,
        signed: bool | None = None,
        sorts: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Changes how the numbers are looked at; `sorts`: the orders of panes, or of parts of them, by name."""
        view = self.view
        self.view = View(
            view.threshold if threshold is None else threshold,
            view.unit if unit is None else unit,
            view.signed if signed is None else signed,
            view.sorts | dict(sorts),
        )
        if name := view_name(self.conversation):
            self.kept.keep(name, asdict(self.view))
        self.tell(Change(view=True))

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
        run, conversation = self.run, self.conversation
        if self.phase == "empty" or conversation is None:
            return "nothing is open" if self.phase == "empty" else ""
        if run is not None and run.reason:
            return run.reason
        size = f"{len(conversation.memories)} memories x {len(conversation.responses)} responses"
        failed = len(run.failed()) if run is not None else 0
        said = [size]
        if self.phase == "cancelled":
            said.append("cancelled; R goes on")
        elif self.phase == "idle":
            said.append("not scored")
        elif self.phase == "done" and self.cost is not None:
            kept = f", {self.cost.from_store} from disk" if self.cost.from_store else ""
            said.append(f"{self.cost.scorings} scorings{kept}, {self.cost.seconds:.1f} s")
        if failed and self.phase != "running":
            said.append(f"{failed} failed; R tries again")
        return " · ".join(said)

    @property
    def running(self) -> Task | None:
        """What a person waits for, if anything."""
        return next(filter(None, (self.background.task(group) for group in ("load", "run", "why"))), None)


# Settings that make another matrix, and those that make another conversation.
_ENGINE = {"engine", "base_url", "model", "timeout", "workers"}
_READING = {"thinking", "rules_off", "patterns"}


def _part(settings: Settings, names: set[str]) -> dict[str, Any]:
    return settings.model_dump(include=names)
