"""Questions to somebody slow, several at a time, their answers as they land."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from memscope.base.errors import Cancelled
from memscope.base.job import Job

_LOOK = 0.1  # seconds between looks at whether somebody asked to stop

Answer = TypeVar("Answer")


def landing(
    questions: Sequence[Callable[[Job], Answer]], job: Job, workers: int, *, name: str = "ask"
) -> Generator[tuple[int, Answer], None, None]:
    """The place of each question with what it came to, in any order, at most `workers` at a time. Raises what a
    question raises, and `Cancelled` soon after somebody asked to stop, be the server ever so slow; what had landed by
    then comes first. Closing the iterator stops the rest.

    The threads, which are called by that `name`, are daemons, so that a process can end while a server keeps one of
    them waiting.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    landed: queue.SimpleQueue[tuple[int, Answer] | BaseException] = queue.SimpleQueue()
    for place in range(len(questions)):
        todo.put(place)
    ours = job.child()  # cancelled with the job, and also when nobody listens any more

    def work() -> None:
        while not ours.cancelled:
            try:
                place = todo.get_nowait()
            except queue.Empty:
                return
            try:
                landed.put((place, questions[place](ours)))
            except BaseException as error:
                landed.put(error)  # raised again where the caller can see it
                return

    for number in range(min(workers, len(questions))):
        threading.Thread(target=work, name=f"{name}-{number}", daemon=True).start()
    try:
        for _ in questions:
            yield _next(landed, job)
    finally:
        ours.cancel()


def _next(landed: queue.SimpleQueue[tuple[int, Answer] | BaseException], job: Job) -> tuple[int, Answer]:
    while True:
        try:
            item = landed.get_nowait() if job.cancelled else landed.get(timeout=_LOOK)
        except queue.Empty:
            job.check()
            continue
        if isinstance(item, Cancelled):
            job.check()
        if isinstance(item, BaseException):
            raise item
        return item
