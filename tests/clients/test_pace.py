"""How many requests are under way: fewer once a server is overloaded, never more than were sent before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job
from memscope.clients.http import Server
from memscope.clients.pace import Pace
from tests.engines.conftest import Hasty
from tests.engines.server import ScoreServer

BODY = {"messages": [{"role": "assistant", "content": "yes"}]}


def test_nothing_is_bounded_until_the_server_refuses() -> None:
    pace, job = Pace(), Job()
    with ExitStack() as turns:
        for _ in range(64):
            turns.enter_context(pace.turn(job))
        assert (pace.in_flight, pace.limit) == (64, None)
        assert job.tally("in flight") == 64

    assert (pace.in_flight, job.tally("in flight")) == (0, 0)


def test_a_refusal_halves_what_may_be_under_way() -> None:
    pace, job = Pace(), Job()
    with ExitStack() as turns:
        begun = [turns.enter_context(pace.turn(job)) for _ in range(8)]
        pace.refused(begun[0])

    assert pace.limit == 4


def test_of_a_burst_of_refusals_the_first_alone_counts() -> None:
    pace, job = Pace(), Job()
    with ExitStack() as turns:
        for begun in [turns.enter_context(pace.turn(job)) for _ in range(32)]:
            pace.refused(begun)

    assert pace.limit == 16


def test_a_refusal_of_what_was_sent_at_the_lower_pace_halves_again() -> None:
    pace, job = Pace(), Job()
    with ExitStack() as turns:
        for begun in [turns.enter_context(pace.turn(job)) for _ in range(32)]:
            pace.refused(begun)
    with ExitStack() as turns:
        for begun in [turns.enter_context(pace.turn(job)) for _ in range(16)]:
            pace.refused(begun)

    assert pace.limit == 8


def test_rounds_that_go_well_give_it_all_back() -> None:
    pace, job = Pace(), Job()
    with ExitStack() as turns:
        begun = [turns.enter_context(pace.turn(job)) for _ in range(4)]
        pace.refused(begun[0])
    limits = []
    for _ in range(5):
        with pace.turn(job):
            pace.went_well()
        limits.append(pace.limit)

    assert limits == [2, 3, 3, 3, None]


@given(st.lists(st.sampled_from("begin end refuse well".split()), max_size=60))
def test_the_limit_is_between_one_and_the_most_there_were(events: list[str]) -> None:
    pace, job, most = Pace(), Job(), 0
    with ExitStack() as whole:
        turns: list[tuple[ExitStack, int]] = []
        for event in events:
            if event == "begin" and (pace.limit is None or pace.in_flight < pace.limit):
                turn = whole.enter_context(ExitStack())
                turns.append((turn, turn.enter_context(pace.turn(job))))
            elif event == "end" and turns:
                turns.pop()[0].close()
            elif event == "refuse" and turns:
                pace.refused(turns[-1][1])
            elif event == "well" and turns:
                pace.went_well()
            most = max(most, pace.in_flight)
            assert pace.in_flight == len(turns) == job.tally("in flight")
            assert pace.limit is None or 1 <= pace.limit <= max(1, most)


def test_who_waits_for_a_turn_can_be_stopped() -> None:
    pace, job, waiting = Pace(), Job(), Job()
    pace.limit = 1
    stopped = threading.Event()

    def wait() -> None:
        with pytest.raises(Cancelled), pace.turn(waiting):
            pass
        stopped.set()

    with pace.turn(job):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.cancel()
        thread.join(10)

    assert stopped.is_set()
    assert pace.in_flight == 0


@pytest.mark.parametrize("status", ["429", "503"])
def test_an_overloaded_server_is_sent_fewer_at_a_time(
    status: str, score_server: Callable[..., ScoreServer], client: Callable[..., Server], job: Hasty
) -> None:
    server = score_server(LATENCY="0.02", FAULT=status, FAULT_TIMES="1", RETRY_AFTER="0")
    speaks = client(server)
    bodies = [{"messages": [{"role": "assistant", "content": f"answer {n}"}]} for n in range(24)]
    todo = iter(bodies)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                body = next(todo, None)
            if body is None:
                return
            speaks.post("/score", body, job)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    live = [request.live for request in server.log("/score")]

    assert len(live) == 48  # every request was refused once, and then answered
    assert max(live) <= 8
    assert max(live[-16:]) < 8
    assert speaks.pace.in_flight == job.tally("in flight") == 0


def test_a_server_that_answers_with_other_errors_is_not_overloaded(
    score_server: Callable[..., ScoreServer], client: Callable[..., Server], job: Hasty
) -> None:
    speaks = client(score_server(FAULT="400"))
    with pytest.raises(EngineError):
        speaks.post("/score", BODY, job)

    assert speaks.pace.limit is None
