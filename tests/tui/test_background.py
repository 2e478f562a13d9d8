"""Work beside the screen: outcomes are collected by the screen, one piece a group, and a bug is not swallowed."""

from __future__ import annotations

import threading
import time

import pytest

from memscope.base.errors import Cancelled, MemscopeError, UsageError
from memscope.base.job import Job
from memscope.tui.background import Background

PATIENCE = 10.0


def collected(background: Background) -> None:
    until = time.monotonic() + PATIENCE
    while background.busy:
        assert time.monotonic() < until
        background.collect()
        time.sleep(0.001)


def test_an_outcome_comes_back_in_the_thread_that_collects() -> None:
    rung, found = threading.Event(), []
    background = Background(lambda _: rung.set())
    background.start(
        "g", "n", lambda job: threading.get_ident(), lambda r: found.append((r, threading.get_ident())), found.append
    )

    assert rung.wait(PATIENCE)
    assert not found and background.busy
    collected(background)
    worker, here = found[0]
    assert here == threading.get_ident() != worker


def test_whoever_looks_at_it_is_told_that_something_began() -> None:
    begun: list[bool] = []
    background = Background(begun=lambda: begun.append(background.busy))
    background.start("g", "n", lambda _: None, lambda _: None, lambda _: None)
    background.enqueue("n", lambda _: None, lambda _: None, lambda _: None)
    assert begun == [True, True]
    background.stop()


def test_what_goes_wrong_comes_back_as_an_error_and_a_cancel_too() -> None:
    background, errors = Background(), []

    def refuse(job: Job) -> None:
        raise UsageError("no")

    background.start("a", "n", refuse, lambda _: None, errors.append)
    background.start("b", "n", lambda job: job.wait(PATIENCE), lambda _: None, errors.append)
    assert background.cancel("b")
    assert not background.cancel("c")
    collected(background)
    assert {type(error) for error in errors} == {UsageError, Cancelled}


def test_new_work_of_a_group_takes_the_place_of_the_old_one() -> None:
    background, found, failed = Background(), [], list[MemscopeError]()
    first = background.start("g", "n", lambda job: job.wait(PATIENCE), found.append, failed.append)
    background.start("g", "n", lambda job: "second", found.append, failed.append)
    first.thread.join(PATIENCE)
    collected(background)
    assert (found, failed) == (["second"], [])
    assert first.job.cancelled


def test_a_bug_is_raised_where_a_person_sees_it() -> None:
    background = Background()
    task = background.start("g", "n", lambda job: 1 // 0, lambda _: None, lambda _: None)
    task.thread.join(PATIENCE)
    with pytest.raises(ZeroDivisionError):
        background.collect()


def test_a_bell_collects_nothing_that_ended_behind_it() -> None:
    background, told = Background(), list[str]()
    first = background.start("first", "n", lambda _: "first", told.append, lambda _: None)
    first.thread.join(PATIENCE)
    later = background.start("later", "n", lambda _: "later", told.append, lambda _: None)
    later.thread.join(PATIENCE)  # what it has told on its way waits in the screen's queue, before its own bell
    background.collect(first)
    assert told == ["first"] and background.busy
    background.collect(later)
    assert told == ["first", "later"] and not background.busy


def test_progress_of_a_task_can_be_looked_at_while_it_runs() -> None:
    background, gate = Background(), threading.Event()

    def work(job: Job) -> None:
        job.progress(3, 7, "scorings", "embedded")
        gate.set()
        job.wait(PATIENCE)

    background.start("g", "n", work, lambda _: None, lambda _: None)
    assert gate.wait(PATIENCE)
    task = background.task("g")
    assert task is not None and task.progress is not None
    assert (task.progress.done, task.progress.total) == (3, 7)
    background.stop()
    assert not background.busy


def test_what_is_enqueued_runs_in_order_and_nothing_takes_its_place() -> None:
    background, gate = Background(), threading.Event()
    found: list[int] = []
    ran: list[int] = []

    def work(number: int) -> int:
        assert gate.wait(PATIENCE)
        ran.append(number)
        return number

    for number in range(20):
        background.enqueue("deciding", lambda _, number=number: work(number), found.append, lambda _: None)  # type: ignore[misc]
    gate.set()
    collected(background)
    assert ran == found == list(range(20))


def test_what_was_enqueued_is_waited_for_when_everything_stops() -> None:
    background, began, kept = Background(), threading.Event(), list[str]()

    def slow(job: Job) -> None:
        began.set()
        time.sleep(0.05)
        kept.append("first")

    def refused(job: Job) -> None:
        kept.append("second")
        raise UsageError("no room")

    background.enqueue("deciding", slow, lambda _: None, lambda _: None)
    background.enqueue("deciding", refused, lambda _: None, lambda _: None)
    assert began.wait(PATIENCE)
    assert [str(error) for error in background.stop()] == ["no room"]
    assert kept == ["first", "second"]
    assert not background.busy
    assert background.stop() == []


def test_what_a_person_was_told_already_is_not_told_again_when_everything_stops() -> None:
    background, told = Background(), list[MemscopeError]()

    def refused(job: Job) -> None:
        raise UsageError("no room")

    background.enqueue("deciding", refused, lambda _: None, told.append)
    collected(background)
    assert len(told) == 1
    assert background.stop() == []
