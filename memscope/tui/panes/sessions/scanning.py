"""The scan behind the pane: begun, told of, cancelled; what it finds is brought to the screen from time to time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.sessions import Ranking, looked_again, rank_folders
from memscope.base.errors import MemscopeError
from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

GROUP = "sessions"


class Scanning:
    """`found` is told of every ranking, and `failed` of what ended a scan, `Cancelled` too; in the screen's thread."""

    def __init__(
        self, console: MemscopeApp, found: Callable[[Ranking], None], failed: Callable[[MemscopeError], None]
    ) -> None:
        self._console = console
        self._found = found
        self._failed = failed
        self._task: Task | None = None  # the latest
        self._number = 0

    def start(self, folders: Sequence[Path]) -> None:
        """Scans folders, none: those of the settings; in place of what is being scanned."""
        console, space = self._console, self._console.workspace
        settings, database = space.settings, space.kept.database
        self._number = number = self._number + 1

        def show(ranking: Ranking) -> None:  # in the working thread
            console.call_soon(self._show, number, ranking)

        def work(job: Job) -> Ranking:
            return rank_folders(folders, settings, database if settings.store else None, job, show)

        self._task = space.background.start(GROUP, "looking for sessions", work, self._found, self._failed)

    def _show(self, number: int, ranking: Ranking) -> None:
        if number == self._number:  # else others are being scanned by now
            self._found(ranking)

    def look_again(self, ranking: Ranking) -> None:
        """Tells `found` where something was scored since that was ranked. Nothing while it is being scanned: what comes
        of that is newer, and is to be looked at then."""
        space, number = self._console.workspace, self._number
        database = space.kept.database

        def seen(again: Ranking) -> None:
            if number == self._number and again.scored != ranking.scored:
                self._found(again)

        if database is not None and self.task is None:
            work = partial(looked_again, ranking, database)
            space.background.start("scored", "looking what was scored", lambda _: work(), seen, lambda _: None)

    @property
    def task(self) -> Task | None:
        """What runs; None where nothing does."""
        return self._console.workspace.background.task(GROUP)

    def cancel(self) -> bool:
        """Scans no further; False where nothing was scanned."""
        return self._console.workspace.background.cancel(GROUP)
