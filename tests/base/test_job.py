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


def test_a_part_stops_with_the_whole_and_the_whole_does_not_with_a_part() -> None:
    job = Job()
    one, two = job.child(), job.child()
    one.cancel()
    assert (one.cancelled, two.cancelled, job.cancelled) == (True, False, False)
    job.cancel()
    assert two.cancelled
    assert job.child().cancelled  # born too late
    assert two.child().cancelled


def test_parts_say_how_far_they_are_to_whoever_watches_the_whole() -> None:
    seen: list[Progress] = []
    Job(seen.append).child().progress(1, 2)
    assert seen == [Progress(1, 2, "", "")]


def test_a_part_may_be_watched_by_somebody_else() -> None:
    whole: list[Progress] = []
    part: list[Progress] = []
    job = Job(whole.append)
    child = job.child(part.append)
    child.progress(1, 2)
    child.child().progress(2, 2)
    assert (whole, part) == ([], [Progress(1, 2, "", ""), Progress(2, 2, "", "")])
    job.cancel()
    assert child.cancelled


def test_what_parts_count_counts_for_the_whole() -> None:
    job = Job()
    one, two = job.child(), job.child()
    for part in (one, one, two, job):
        part.count("asked")
    one.count("found")
    assert [j.tally("asked") for j in (job, one, two)] == [4, 2, 1]
    assert [j.tally("found") for j in (job, one, two)] == [1, 1, 0]


def test_counting_from_many_threads_loses_nothing() -> None:
    job = Job()

    def work() -> None:
        part = job.child()
        for _ in range(500):
            part.count("asked")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert job.tally("asked") == 8 * 500
