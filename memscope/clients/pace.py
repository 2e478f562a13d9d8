"""How many requests a server is sent at a time: fewer while it is overloaded, then again as many as before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from memscope.base.job import Job

_LOOK = 0.2  # seconds between looks at whether somebody asked to stop


class Pace:
    """A gate that requests pass. It bounds nothing until the server refuses one; then half of those that were under way
    may be, and one more for every round that goes well. Safe to use from any thread."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.limit: int | None = None
        """How many may be under way; None: as many as are sent."""
        self._most = 1  # at a time, before the server refused one
        self._round = 0  # how often the limit was lowered
        self._well = 0  # requests that went well since the limit last moved
        self._free = threading.Condition()

    @contextmanager
    def turn(self, job: Job) -> Iterator[int]:
        """Waits for a turn and holds it, counted as "in flight" on the job: which round it belongs to, for `refused`.
        Raises `Cancelled`."""
        with self._free:
            while self.limit is not None and self.in_flight >= self.limit:
                self._free.wait(_LOOK)
                job.check()
            self.in_flight += 1
            self._most = max(self._most, self.in_flight)
            begun = self._round
        job.count("in flight")
        try:
            yield begun
        finally:
            job.count("in flight", -1)
            with self._free:
                self.in_flight -= 1
                self._free.notify()

    def refused(self, begun: int) -> None:
        """The server was too busy for a request, or too slow; to be told while the request holds its turn, which
        `begun` in that round. Of many that are refused together the first alone counts."""
        with self._free:
            if begun < self._round:
                return
            self._round += 1
            before = self.in_flight if self.limit is None else min(self.in_flight, self.limit)
            self.limit, self._well = max(1, before // 2), 0

    def went_well(self) -> None:
        with self._free:
            if self.limit is None:
                return
            self._well += 1
            if self._well >= self.limit:
                self._well, self.limit = 0, self.limit + 1
                if self.limit >= self._most:
                    self.limit = None
                self._free.notify()
