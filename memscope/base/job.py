"""A piece of long work: where it says how far it is, and where it learns that it should stop."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from memscope.base.errors import Cancelled


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: `done` of `total` (None: not known) in `unit`s, and what it is `doing`."""

    done: int
    total: int | None
    unit: str
    doing: str


class Job:
    """Shared by whoever does the work and whoever watches it; safe to use from any thread.

    `on_progress` is called in the working thread, so it must be quick.
    """

    def __init__(self, on_progress: Callable[[Progress], None] | None = None) -> None:
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._parent: Job | None = None
        self._children: weakref.WeakSet[Job] = weakref.WeakSet()
        self._tally: Counter[str] = Counter()
        self._said: Progress | None = None

    def child(self, on_progress: Callable[[Progress], None] | None = None) -> Job:
        """A part of this job: it is cancelled with it, or alone, and what it counts counts here too. `on_progress` is
        told how far the part is, in place of who watches this job."""
        part = Job(on_progress or self._on_progress)
        part._parent = self
        with self._lock:
            self._children.add(part)
        if self.cancelled:
            part.cancel()
        return part

    def count(self, what: str, by: int = 1) -> None:
        """Add to the tally of `what`; less than nothing where something has ended."""
        with self._lock:
            self._tally[what] += by
        if self._parent is not None:
            self._parent.count(what, by)

    def tally(self, what: str) -> int:
        """What was counted of `what`, by this job and its parts."""
        with self._lock:
            return self._tally[what]

    def progress(self, done: int, total: int | None = None, unit: str = "", doing: str = "") -> None:
        """Say how far the work is."""
        self._say(Progress(done, total, unit, doing))

    @contextmanager
    def aside(self, doing: str) -> Iterator[None]:
        """Say that something else is being done, and in the end again what was said before."""
        before = self._whole._said
        self.progress(0, doing=doing)
        try:
            yield
        finally:
            if before is not None:
                self._say(before)

    @property
    def _whole(self) -> Job:
        """The job that this is a part of, a part of none."""
        return self if self._parent is None else self._parent._whole

    def _say(self, progress: Progress) -> None:
        self._whole._said = progress
        if self._on_progress is not None:
            self._on_progress(progress)

    def cancel(self) -> None:
        """Ask the work to stop at its next `check`."""
        self._stop.set()
        with self._lock:
            parts = list(self._children)
        for part in parts:
            part.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stop.is_set()

    def check(self) -> None:
        """Go on, or raise `Cancelled` when somebody asked to stop."""
        if self._stop.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep, but wake and raise `Cancelled` as soon as somebody asks to stop."""
        if self._stop.wait(seconds):
            raise Cancelled
