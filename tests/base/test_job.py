"""Long work: it says how far it is, and stops when asked."""

from __future__ import annotations

import threading

import pytest

from memscope.base.errors import Cancelled
from memscope.base.job import Job, Progress

FOR_EVER = 600.0  # seconds: a test that waits this long has failed


def test_progress_reaches_whoever_watches() -> None:
    seen: list[Progress] = []
    job = Job(seen.append)
    job.progress(1, 3, "scorings", "score-api")
    job.progress(2)
    assert seen == [Progress(1, 3, "scorings", "score-api"), Progress(2, None, "", "")]


def test_nobody_has_to_watch() -> None:
    Job().progress(1, 2)


def test_work_goes_on_until_somebody_asks_to_stop() -> None:
    job = Job()
    job.check()
    job.wait(0)
    assert not job.cancelled
    job.cancel()
    job.cancel()
    assert job.cancelled
    with pytest.raises(Cancelled):
        job.check()
    with pytest.raises(Cancelled):
        job.wait(FOR_EVER)


def test_a_wait_ends_as_soon_as_somebody_asks_to_stop() -> None:
    job = Job()
    waiting = threading.Event()
    ended: list[BaseException] = []

    def work() -> None:
        waiting.set()
        try:
            job.wait(FOR_EVER)
        except Cancelled as stopped:
            ended.append(stopped)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    waiting.wait()
    job.cancel()
    thread.join(timeout=30)
    assert [type(end) for end in ended] == [Cancelled]
