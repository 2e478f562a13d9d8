"""The reading behind the pane: begun, told of, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.insights import Observed, observe
from memscope.base.errors import MemscopeError
from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

GROUP = "insights"


class Reading:
    """`found` is told of what was read, and from which files and folders; `failed` of what ended it before, `Cancelled`
    too; in the screen's thread."""

    def __init__(
        self,
        console: MemscopeApp,
        found: Callable[[Observed, tuple[Path, ...]], None],
        failed: Callable[[MemscopeError], None],
    ) -> None:
        self._console = console
        self._found = found
        self._failed = failed

    def start(self, inputs: tuple[Path, ...]) -> None:
        """Reads files and folders, none: those of the agents; in place of what is being read."""
        space = self._console.workspace
        settings, database = space.settings, space.kept.database

        def work(job: Job) -> Observed:
            return observe(inputs, settings, database if settings.store else None, job)

        space.background.start(
            GROUP, "reading sessions", work, lambda observed: self._found(observed, inputs), self._failed
        )

    @property
    def task(self) -> Task | None:
        """What runs; None where nothing does."""
        return self._console.workspace.background.task(GROUP)

    def cancel(self) -> bool:
        """Reads no further; False where nothing was read."""
        return self._console.workspace.background.cancel(GROUP)
