"""The file that the pane shows: read beside the screen, and again when it has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.lessons_watch import Looked, Read, look
from memscope.base.errors import MemscopeError

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.tui.app import MemscopeApp

GROUP = "lessons"
LOOKS = 1.0  # seconds between two looks at the file


class Watching:
    """`changed` is called, in the screen's thread, when something else was read, or could not be. `read`: what the file
    held when it could be read last; `trouble`: why it cannot be read now; `gone`: it was there, and is no more."""

    def __init__(self, console: MemscopeApp, changed: Callable[[], object]) -> None:
        self.path = Path()
        self.read: Read | None = None
        self.trouble: MemscopeError | None = None
        self.gone = False
        self._console = console
        self._changed = changed
        self._looked: Looked | None = None

    def open(self, path: Path) -> None:
        """Shows another file."""
        self.path, self.read, self.trouble, self._looked, self.gone = path, None, None, None, False
        self.look_again()

    def look(self) -> None:
        """Reads it where it has changed; nothing where that is under way."""
        if self._console.workspace.background.task(GROUP) is None:
            self._start(self._looked, lambda: None)

    def look_again(self, done: Callable[[], object] = lambda: None) -> None:
        """Reads it in any case; `done` is called then."""
        self._start(None, done)

    def _start(self, before: Looked | None, done: Callable[[], object]) -> None:
        path = self.path

        def work(_job: Job) -> Looked | None:
            return look(path, before)

        def ended(found: Looked | None) -> None:
            if found is not None:
                self._looked, self.trouble = found, found.trouble
                if found.read is not None:
                    was_there = self.gone or (self.read is not None and self.read.lessons.exists)
                    self.read, self.gone = found.read, was_there and not found.read.lessons.exists
                self._changed()
            done()

        self._console.workspace.background.start(GROUP, "reading the lessons", work, ended, self._failed)

    def _failed(self, error: MemscopeError) -> None:
        """It was stopped: what is wrong with a file is told by what was read."""
