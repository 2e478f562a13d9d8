"""Fetching ahead: what is wanted comes first, one at a time, and a failure is an outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from memscope.actions.ahead import Ahead
from memscope.base.errors import EngineError
from memscope.base.job import Job
from tests.fakes import PATIENCE


class Fetching:
    """Fetches one subject at a time, each when the test lets it; "bad" ones fail, and those in `bugs` break."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.fail: set[str] = set()
        self.live = self.peak = 0
        self._lock = threading.Condition()
        self._through: dict[str, int] = {}
        self.free = False

    def __call__(self, subject: str, job: Job) -> str:
        with self._lock:
            self.begun.append(subject)
            self.live += 1
            self.peak = max(self.peak, self.live)
            self._lock.notify_all()
            try:
                while not self.free and not self._through.get(subject) and not job.cancelled:
                    self._lock.wait(0.01)
                if job.cancelled:
                    self.cancelled.append(subject)
                    job.check()
                self._through[subject] = self._through.get(subject, 0) - 1
            finally:
                self.live -= 1
                self._lock.notify_all()
        if subject in self.fail:
            raise EngineError(f"no {subject}")
        return subject.upper()

    def let(self, subject: str) -> None:
        with self._lock:
            self._through[subject] = self._through.get(subject, 0) + 1
            self._lock.notify_all()

    def all(self) -> None:
        with self._lock:
            self.free = True

    def until(self, *begun: str) -> None:
        """Waits until these were begun, in this order."""
        with self._lock:
            assert self._lock.wait_for(lambda: self.begun == list(begun), PATIENCE), self.begun


@pytest.fixture
def fetching() -> Iterator[Fetching]:
    made = Fetching()
    yield made
    made.all()


def settled(ahead: Ahead[str, str], condition: Callable[[], bool] | None = None) -> None:
    waiting = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if condition() if condition is not None else not ahead.busy:
            return
        waiting.wait(0.005)
    raise AssertionError("it does not come to an end")


def test_the_wanted_one_comes_first_and_the_others_in_order_one_at_a_time(fetching: Fetching) -> None:
    ahead = Ahead(fetching)
    ahead.want("a", ["b", "c", "b"])
    fetching.all()
    settled(ahead)

    assert fetching.begun == ["a", "b", "c"]
    assert fetching.peak == 1
    assert [ahead.outcome(one) for one in "abcd"] == ["A", "B", "C", None]


def test_what_is_there_is_not_fetched_again(fetching: Fetching) -> None:
    fetching.all()
    ahead = Ahead(fetching)
    for first, then in (("a", "b"), ("b", "a"), ("a", "bc")):
        ahead.want(first, then)
        settled(ahead)

    assert fetching.begun == ["a", "b", "c"]


def test_whoever_goes_on_reading_gets_what_was_begun_ahead(fetching: Fetching) -> None:
    ahead = Ahead(fetching)
    ahead.want("a", "bc")
    fetching.let("a")
    fetching.until("a", "b")

    ahead.want("b", "cd")
    fetching.all()
    settled(ahead)

    assert fetching.begun == ["a", "b", "c", "d"]
    assert not fetching.cancelled


def test_whoever_wants_another_does_not_wait_for_what_is_on_its_way(fetching: Fetching) -> None:
    ahead = Ahead(fetching)
    ahead.want("a", "bc")
    fetching.until("a")

    ahead.want("x", "a")
    fetching.until("a", "x")
    fetching.all()
    settled(ahead)

    assert fetching.cancelled == ["a"]
    assert fetching.begun == ["a", "x", "a"]
    assert (ahead.outcome("a"), ahead.outcome("x"), ahead.outcome("b")) == ("A", "X", None)


def test_what_is_fetched_ahead_goes_on_while_what_is_wanted_is_there(fetching: Fetching) -> None:
    ahead = Ahead(fetching)
    ahead.want("a", "b")
    fetching.let("a")
    fetching.until("a", "b")

    ahead.want("a", "b")
    fetching.all()
    settled(ahead)

    assert fetching.begun == ["a", "b"]


def test_what_nobody_wants_any_more_is_dropped(fetching: Fetching) -> None:
    ahead = Ahead(fetching)
    ahead.want("a", "b")
    fetching.let("a")
    fetching.until("a", "b")

    ahead.want("a")
    settled(ahead)

    assert fetching.cancelled == ["b"]
    assert ahead.outcome("b") is None


def test_a_failure_stays_with_its_subject_and_ends_what_was_to_come_ahead(fetching: Fetching) -> None:
    fetching.fail = {"a"}
    fetching.all()
    ahead = Ahead(fetching)
    ahead.want("a", "bc")
    settled(ahead)
    assert str(ahead.outcome("a")) == "no a"
    assert fetching.begun == ["a"]

    ahead.want("a")
    settled(ahead)
    assert fetching.begun == ["a"], "it is not tried again unasked"

    fetching.fail = set()
    ahead.again("a")
    settled(ahead)
    assert ahead.outcome("a") == "A"


def test_fetching_again_replaces_what_was_found(fetching: Fetching) -> None:
    fetching.all()
    ahead = Ahead(fetching)
    ahead.want("a")
    settled(ahead)
    ahead.again("a")
    settled(ahead)

    assert fetching.begun == ["a", "a"]
    assert ahead.outcome("a") == "A"


def test_cancelling_drops_all_and_keeps_what_was_found(fetching: Fetching) -> None:
    ahead = Ahead(fetching)
    ahead.want("a", "bc")
    fetching.let("a")
    fetching.until("a", "b")
    assert ahead.current == "b"

    ahead.cancel()
    settled(ahead)

    assert fetching.begun == ["a", "b"]
    assert (ahead.outcome("a"), ahead.outcome("b"), ahead.current) == ("A", None, None)

    ahead.want("b")
    fetching.all()
    settled(ahead)
    assert ahead.outcome("b") == "B"


def test_somebody_is_told_when_something_began_was_found_or_ended(fetching: Fetching) -> None:
    told: list[tuple[str | None, str | EngineError | None]] = []
    fetching.all()
    ahead: Ahead[str, str] = Ahead(fetching, lambda: told.append((ahead.current, ahead.outcome("a"))))
    ahead.want("a", "b")
    settled(ahead, lambda: len(told) == 3)

    assert told == [("a", None), ("b", "A"), (None, "A")]


def test_a_bug_is_raised_where_the_outcome_is_asked_for() -> None:
    def broken(_subject: str, _job: Job) -> str:
        raise ZeroDivisionError

    ahead = Ahead(broken)
    ahead.want("a")
    settled(ahead)

    with pytest.raises(ZeroDivisionError):
        ahead.outcome("a")
