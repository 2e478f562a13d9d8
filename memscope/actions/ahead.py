"""Fetching one after another, what is wanted now first and then what will be wanted next, while a person reads on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job

Subject = TypeVar("Subject", bound=Hashable)
Found = TypeVar("Found")


class Ahead(Generic[Subject, Found]):
    """Fetches subjects one at a time in a daemon thread of its own; safe to use from any thread.

    `changed` is called in that thread whenever something was begun, found or failed, so it must be quick. A failure
    counts as an outcome: it is not tried again unasked, and nothing more is fetched ahead behind it.
    """

    def __init__(self, fetch: Callable[[Subject, Job], Found], changed: Callable[[], None] = lambda: None) -> None:
        self._fetch = fetch
        self._changed = changed
        self._lock = threading.Lock()
        self._outcomes: dict[Subject, Found | BaseException] = {}
        self._waiting: list[Subject] = []
        self._current: tuple[Subject, Job] | None = None
        self._running = False

    def want(self, first: Subject, then: Iterable[Subject] = ()) -> None:
        """From now on `first` is fetched, and `then` the others in their order, as far as they are not there yet; what
        else waited is dropped. What is on its way goes on unless somebody has to wait for it who wants another."""
        with self._lock:
            wanted = list(dict.fromkeys((first, *then)))
            self._waiting = [one for one in wanted if one not in self._outcomes]
            if self._current is not None:
                subject, job = self._current
                if subject == first or (subject in self._waiting and first in self._outcomes):
                    self._waiting.remove(subject)
                else:
                    job.cancel()
            self._start()

    def again(self, subject: Subject) -> None:
        """Forgets what came of `subject`, and fetches it before all else."""
        with self._lock:
            self._outcomes.pop(subject, None)
            waiting = self._waiting
        self.want(subject, waiting)

    def outcome(self, subject: Subject) -> Found | MemscopeError | None:
        """What came of `subject`: what was found, or why it was not; None while nothing has."""
        with self._lock:
            outcome = self._outcomes.get(subject)
        if isinstance(outcome, BaseException) and not isinstance(outcome, MemscopeError):
            raise outcome  # a bug: it is raised where a person sees it
        return outcome

    @property
    def current(self) -> Subject | None:
        """What is being fetched."""
        with self._lock:
            return self._current[0] if self._current is not None else None

    @property
    def busy(self) -> bool:
        """Whether anything is fetched, or waits."""
        with self._lock:
            return self._running

    def cancel(self) -> None:
        """Drops what waits and what is on its way; what was found stays."""
        with self._lock:
            self._waiting.clear()
            if self._current is not None:
                self._current[1].cancel()

    def _start(self) -> None:
        if self._waiting and not self._running:
            self._running = True
            threading.Thread(target=self._run, name="ahead", daemon=True).start()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            subject, job = task
            self._changed()
            outcome: Found | BaseException
            try:
                outcome = self._fetch(subject, job)
            except BaseException as error:
                outcome = error
            with self._lock:
                self._current = None
                if not isinstance(outcome, Cancelled):
                    self._outcomes[subject] = outcome
                    if isinstance(outcome, BaseException):
                        self._waiting.clear()
        self._changed()

    def _next(self) -> tuple[Subject, Job] | None:
        with self._lock:
            if not self._waiting:
                self._running = False
                return None
            self._current = (self._waiting.pop(0), Job())
            return self._current
