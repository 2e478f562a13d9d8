"""The search behind the pane: begun, told of, cancelled; candidates come before it is known how stable they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.errors import MemscopeError
from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.actions.promotions import Found
    from memscope.promotion.model import Method
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

GROUP = "promotions"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for: files and folders (none: those of the agents), how messages are grouped, and from which
    cosine on (None: as the embedder has it)."""

    inputs: tuple[Path, ...] = ()
    method: Method = "stable"
    threshold: float | None = None


class Finding:
    """`found` is told of what was found, and in which files and folders, twice where stability is looked at; `ended` of
    all of it, and `failed` of what ended a search, `Cancelled` too; in the screen's thread."""

    def __init__(
        self,
        console: MemscopeApp,
        found: Callable[[Found, tuple[Path, ...]], object],
        failed: Callable[[MemscopeError], None],
        ended: Callable[[Found], object],
    ) -> None:
        self._console = console
        self._found = found
        self._failed = failed
        self._ended = ended
        self._number = 0

    def start(self, asked: Asked, skills: Path) -> None:
        """Looks for patterns, in place of what is being looked for. `skills`: the folder of those that there are."""
        console, space = self._console, self._console.workspace
        settings, database = space.settings, space.kept.database
        self._number = number = self._number + 1

        def show(found: Found) -> None:  # in the working thread
            console.call_soon(self._show, number, found, asked.inputs)

        def work(job: Job) -> Found:
            from memscope.actions.promotions import Wanted, find  # with numpy: not before it is needed

            wanted = Wanted(inputs=asked.inputs, method=asked.method, threshold=asked.threshold, skills=skills)
            return find(wanted, settings, database if settings.store else None, job, show)

        def done(found: Found) -> None:
            self._found(found, asked.inputs)
            self._ended(found)

        space.background.start(GROUP, "looking for patterns", work, done, self._failed)

    def _show(self, number: int, found: Found, inputs: tuple[Path, ...]) -> None:
        if number == self._number and self.task is not None:  # else something else is looked for by now
            self._found(found, inputs)

    @property
    def task(self) -> Task | None:
        """What runs; None where nothing does."""
        return self._console.workspace.background.task(GROUP)

    def cancel(self) -> bool:
        """Looks no further; False where nothing was looked for."""
        return self._console.workspace.background.cancel(GROUP)
