"""The reading behind the pane: begun, told of, cancelled. What says the same is one insight when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.insight_rows import without_repeats
from memscope.actions.insights import Observed, observe
from memscope.base.errors import MemscopeError
from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.base.settings import Settings
    from memscope.insights.model import Insight
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

GROUP = "insights"


@dataclass(frozen=True, slots=True)
class Where:
    """Files and folders (`inputs`, none: those of the agents); `item`: of one file, this conversation alone."""

    inputs: tuple[Path, ...] = ()
    item: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What was `observed`, and `where`; `distinct`: its insights without repeats."""

    observed: Observed
    where: Where
    distinct: tuple[Insight, ...]


class Reading:
    """`found` is told of what was read; `failed` of what ended it before, `Cancelled` too; in the screen's thread."""

    def __init__(
        self,
        console: MemscopeApp,
        found: Callable[[Looked], None],
        failed: Callable[[MemscopeError], None],
    ) -> None:
        self._console = console
        self._found = found
        self._failed = failed
        self._winner = ""  # by which repeats were left out, or are to be

    def start(self, where: Where) -> None:
        """Reads files and folders, in place of what is being read."""
        space = self._console.workspace
        settings, database = space.settings, space.kept.database

        def work(job: Job) -> Looked:
            observed = observe(where.inputs, settings, database if settings.store else None, job, item=where.item)
            return Looked(observed, where, without_repeats(observed.insights, settings, job))

        self._start("reading sessions", work, settings)

    def as_set(self, looked: Looked | None, where: Where) -> None:
        """Where the settings have another insight win now: leaves out repeats of what was `looked` at anew, or begins
        anew what is being read `where`."""
        settings = self._console.workspace.settings
        if settings.insight_winner == self._winner or (looked is None and self.task is None):
            return
        if looked is None or self.task is not None:
            self.start(where)
            return

        def work(job: Job) -> Looked:
            observed = looked.observed
            return Looked(observed, looked.where, without_repeats(observed.insights, settings, job))

        self._start("reading insights anew", work, settings)

    def _start(self, name: str, work: Callable[[Job], Looked], settings: Settings) -> None:
        self._winner = settings.insight_winner
        self._console.workspace.background.start(GROUP, name, work, self._found, self._failed)

    @property
    def task(self) -> Task | None:
        """What runs; None where nothing does."""
        return self._console.workspace.background.task(GROUP)

    def cancel(self) -> bool:
        """Reads no further; False where nothing was read."""
        return self._console.workspace.background.cancel(GROUP)
