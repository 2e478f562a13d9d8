"""Work that must not block a key: each piece in a daemon thread of its own, its outcome brought back to the screen.

Daemon threads, because quitting is immediate: Python waits for the threads of a pool, also when they wait for a server.
A thread never calls into the screen. It leaves its outcome here and rings a bell; the screen collects.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from memscope.base.errors import MemscopeError
from memscope.base.job import Job, Progress

Result = TypeVar("Result")


class Task:
    """One piece of work. `progress`: how far it is; `began`: when it did with that, on the monotonic clock."""

    def __init__(self, group: str, name: str) -> None:
        self.group = group
        self.name = name
        self.began = time.monotonic()
        self.progress: Progress | None = None
        self.job = Job(self._take)
        self.wanted = True
        self.error: MemscopeError | None = None
        self.thread: threading.Thread

    def _take(self, progress: Progress) -> None:
        if self.progress is not None and self.progress.unit != progress.unit:
            self.began = time.monotonic()  # what was done before says nothing of the rate
        self.progress = progress


class Background:
    """What runs beside the screen, at most one piece of work a group: a new one replaces the old."""

    def __init__(self, ring: Callable[[Task], None] = lambda _: None, begun: Callable[[], None] = lambda: None) -> None:
        """`ring` is called in the working thread with what can be collected; `begun` in the screen's, when there is
        something to wait for."""
        self.ring = ring
        self.begun = begun
        self._tasks: dict[str, Task] = {}
        self._ended: SimpleQueue[tuple[Task, Callable[[], object]]] = SimpleQueue()
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._queued: list[Task] = []
        self._numbers = count()
        self._worker: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether anything runs, or waits to be collected."""
        return bool(self._tasks)

    def task(self, group: str) -> Task | None:
        """What runs in a group."""
        return self._tasks.get(group)

    def start(
        self,
        group: str,
        name: str,
        work: Callable[[Job], Result],
        done: Callable[[Result], None],
        failed: Callable[[MemscopeError], None],
    ) -> Task:
        """Runs `work` in a thread. `done` or `failed` (`Cancelled` too) is called by `collect`, in the screen's thread,
        unless other work of the group has taken its place."""
        self.drop(group)
        task = Task(group, name)
        run = self._running(task, work, done, failed)
        self._tasks[group] = task
        task.thread = threading.Thread(target=run, name=f"memscope {group}", daemon=True)
        task.thread.start()
        self.begun()
        return task

    def enqueue(
        self,
        name: str,
        work: Callable[[Job], Result],
        done: Callable[[Result], object],
        failed: Callable[[MemscopeError], object],
    ) -> Task:
        """Runs `work` behind all that was enqueued before it. Nothing takes its place, and `stop` waits for it: for
        what a person has decided, which must reach the disk whatever comes next."""
        task = Task(f"queued {next(self._numbers)}", name)
        self._tasks[task.group] = task
        self._queued.append(task)
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="memscope decisions", daemon=True)
            self._worker.start()
        task.thread = self._worker
        self._queue.put(self._running(task, work, done, failed))
        self.begun()
        return task

    def _work(self) -> None:
        while True:
            self._queue.get()()

    def _running(
        self,
        task: Task,
        work: Callable[[Job], Result],
        done: Callable[[Result], object],
        failed: Callable[[MemscopeError], object],
    ) -> Callable[[], None]:
        """`work` as a thread runs it: what came of it is left to be collected."""

        def run() -> None:
            outcome: Callable[[], object]
            try:
                result = work(task.job)
            except MemscopeError as error:
                task.error = caught = error
                outcome = lambda: failed(caught)  # noqa: E731
            except BaseException as error:  # a bug: it is raised where a person sees it
                bug = error
                outcome = lambda: _raise(bug)  # noqa: E731
            else:
                outcome = lambda: done(result)  # noqa: E731
            self._ended.put((task, outcome))
            self.ring(task)

        return run

    def cancel(self, group: str) -> bool:
        """Asks the work of a group to stop; it ends with `Cancelled`. False when there is none."""
        task = self._tasks.get(group)
        if task is not None:
            task.job.cancel()
        return task is not None

    def drop(self, group: str) -> Task | None:
        """Asks the work of a group to stop, and forgets its outcome."""
        task = self._tasks.pop(group, None)
        if task is not None:
            task.wanted = False
            task.job.cancel()
        return task

    def stop(self, patience: float = 15.0) -> list[MemscopeError]:
        """Asks everything to stop, for good; to be called in the screen's thread. What was enqueued is waited for, at
        most so many seconds, and told of, also what that enqueues in its turn; what went wrong with it."""
        queued: dict[Task, None] = {}
        for group in [group for group, task in self._tasks.items() if task not in self._queued]:
            self.drop(group)
        until = time.monotonic() + patience
        while self._queued and time.monotonic() < until:
            queued |= dict.fromkeys(self._queued)
            self.collect()
            time.sleep(0.001)
        for group in list(self._tasks):
            self.drop(group)
        return [one.error for one in queued if one.error is not None]

    def collect(self, last: Task | None = None) -> None:
        """Tells of everything that has ended, to be called in the screen's thread: of a task at the latest, and no
        further, since what a later one has told on its way may not have reached the screen yet."""
        task: Task | None = None
        while last is None or task is not last:
            try:
                task, outcome = self._ended.get_nowait()
            except Empty:
                return
            if task.wanted and self._tasks.get(task.group) is task:
                del self._tasks[task.group]
                if task in self._queued:
                    self._queued.remove(task)
                outcome()


def _raise(error: BaseException) -> Any:
    raise error
