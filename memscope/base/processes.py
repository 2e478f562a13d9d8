"""Work spread over processes: one task after another in each of them, and whoever dies costs the task it was at.

The processes are new interpreters (never forks: whoever asks may have threads) that import the work and nothing else,
not even what the asking program was started with. Each is spoken to over its standard input and output. They see no
signal of a terminal, and end with their input: also when the asking process is killed.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO, Any, Generic, TypeVar

from memscope.base.job import Job

_PATIENCE = 0.1  # seconds until the job is asked again whether to go on
_AT_ONCE = 500  # results
_AHEAD = 2**20  # weight of the tasks a process is given before it is done with the first of them
_MOST_AHEAD = 64
_START = "import sys; sys.path[:] = sys.argv[1:]; from memscope.base.processes import serve; serve()"
_READY, _GONE = "ready", "gone"
_BROKEN = (OSError, EOFError, ValueError, pickle.UnpicklingError)  # of a pipe whose other end died, perhaps mid-word

Task = TypeVar("Task")
Result = TypeVar("Result")


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # a system that has no such thing
        return os.cpu_count() or 1


def spread(
    begin: Callable[..., Callable[[Task], Result]],
    arguments: tuple[object, ...],
    tasks: Sequence[Task],
    weights: Sequence[int],
    job: Job,
    *,
    processes: int,
) -> Generator[list[tuple[int, Result | None]], None, None]:
    """Does `begin(*arguments)(task)` for every task, in so many processes, and yields the numbers of tasks with their
    results as they come, several times a second, even if none did; None where the process died over the task.

    Tasks are begun in their order, so those with the largest `weights` (of any unit; some 1 MB is held ahead) belong in
    front. `begin` is a function of a module that another process can import; arguments, tasks and results are plain
    values. It is done in this process where `processes` is 0 or none can be started. Raises `Cancelled`, and ends all
    processes whenever the iterator is closed.
    """
    crew = _Crew(begin, arguments, tasks, weights)
    try:
        if not getattr(sys, "frozen", False) and sys.executable:
            crew.hire(min(processes, len(tasks)))
        yield from crew.work(job)
    finally:
        crew.end()
    if crew.waiting:
        work = begin(*arguments)
        for number in crew.waiting:
            job.check()
            yield [(number, work(tasks[number]))]


class _Crew(Generic[Task, Result]):
    """The processes of one piece of work, and the tasks that are `waiting`, by number."""

    def __init__(
        self,
        begin: Callable[..., Callable[[Task], Result]],
        arguments: tuple[object, ...],
        tasks: Sequence[Task],
        weights: Sequence[int],
    ) -> None:
        self.begin, self.arguments = begin, arguments
        self.tasks, self.weights = tasks, weights
        self.waiting = deque(range(len(tasks)))
        self.workers: list[_Worker] = []
        self.arrived: SimpleQueue[tuple[_Worker, str, Any]] = SimpleQueue()

    def hire(self, count: int) -> None:
        """Starts so many processes, or as many as the system allows."""
        for _ in range(count):
            try:
                worker = _Worker(self.arrived)
            except OSError:
                return
            self.workers.append(worker)
            worker.say((self.begin, self.arguments))
            self.give(worker)

    def give(self, worker: _Worker) -> None:
        """Keeps a process busy: with one task at a time, or some that are small."""
        while self.waiting and len(worker.tasks) < _MOST_AHEAD:
            weight = self.weights[self.waiting[0]]
            if worker.tasks and worker.weight + weight > _AHEAD:
                return
            number = self.waiting.popleft()
            worker.tasks.append((number, weight))
            worker.weight += weight
            worker.say(self.tasks[number])

    def work(self, job: Job) -> Iterator[list[tuple[int, Result | None]]]:
        """All that the processes can do; what is then still waiting nobody is left for."""
        while self.workers and (self.waiting or any(worker.tasks for worker in self.workers)):
            job.check()
            done: list[tuple[int, Result | None]] = []
            with suppress(Empty):
                self.hear(*self.arrived.get(timeout=_PATIENCE), done)
                while len(done) < _AT_ONCE:
                    self.hear(*self.arrived.get_nowait(), done)
            yield done

    def hear(self, worker: _Worker, kind: str, result: Any, done: list[tuple[int, Result | None]]) -> None:
        """What a process says: it has `done` a task, or it cannot any more."""
        if kind == _READY:
            worker.ready = True
        elif kind == _GONE:
            self.bury(worker, done)
        else:
            number, weight = worker.tasks.popleft()
            worker.weight -= weight
            self.give(worker)
            done.append((number, result))

    def bury(self, worker: _Worker, done: list[tuple[int, Result | None]]) -> None:
        """A process died: what it was at is lost, what it had before it is for the others, and it is replaced.

        One that never got to work is not: the next would not either."""
        self.workers.remove(worker)
        worker.end()
        if worker.ready and worker.tasks:
            done.append((worker.tasks.popleft()[0], None))
        self.waiting.extendleft(number for number, _ in reversed(worker.tasks))
        if worker.ready and self.waiting:
            self.hire(1)
        for other in self.workers:
            self.give(other)

    def end(self) -> None:
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.end()
        self.workers.clear()


class _Worker:
    """A process: the `tasks` it was given and has not done, each with its weight, and whether it is `ready` to work."""

    def __init__(self, arrived: SimpleQueue[tuple[_Worker, str, Any]]) -> None:
        self.tasks: deque[tuple[int, int]] = deque()
        self.weight = 0
        self.ready = False
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-c", _START, *(place for place in sys.path if isinstance(place, str))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for the one who asks
        )
        self._listening = threading.Thread(target=self._listen, args=(arrived,), daemon=True, name="results")
        self._listening.start()

    def say(self, what: object) -> None:
        """To a process that has died it is lost; that it has died is heard elsewhere."""
        with suppress(OSError, ValueError):
            _send(_pipe(self.process.stdin), what)

    def end(self) -> None:
        """It is gone when this returns, and so are its pipes."""
        self.process.kill()
        with suppress(OSError):
            _pipe(self.process.stdin).close()
        self.process.wait()
        self._listening.join()
        _pipe(self.process.stdout).close()

    def _listen(self, arrived: SimpleQueue[tuple[_Worker, str, Any]]) -> None:
        with suppress(*_BROKEN):
            while True:
                arrived.put((self, *_receive(_pipe(self.process.stdout))))
        arrived.put((self, _GONE, None))


def serve() -> None:
    """What such a process does: it reads what the work is, then a task after another, and writes their results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints nowhere
    tasks: SimpleQueue[Any] = SimpleQueue()
    with suppress(*_BROKEN):
        begin, arguments = _receive(sys.stdin.buffer)
        threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
        work = begin(*arguments)
        gc.freeze()  # what was imported stays
        gc.set_threshold(50_000, 20, 50)  # the work makes much and keeps little
        _send(results, (_READY, None))
        while True:
            _send(results, ("", work(tasks.get())))
    os._exit(0)  # nobody listens any more


def _listen(source: IO[bytes], tasks: SimpleQueue[Any]) -> None:
    """Ends the process at once when its input ends, whatever it is at."""
    with suppress(*_BROKEN):
        while True:
            tasks.put(_receive(source))
    os._exit(0)


def _send(to: IO[bytes], what: object) -> None:
    pickle.dump(what, to, pickle.HIGHEST_PROTOCOL)
    to.flush()


def _receive(source: IO[bytes]) -> Any:
    return pickle.load(source)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("no pipe")
    return pipe
