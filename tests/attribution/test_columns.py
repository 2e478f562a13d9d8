"""Scoring many ablations: bounded, in any order, stoppable, and the same for any number of workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from memscope.attribution.columns import NO_SCORE, columns
from memscope.attribution.matrix import MatrixRun
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import Engine, Failure, ResponseScore
from tests.fakes import (
    PATIENCE,
    PNPM,
    TABS,
    FormulaEngine,
    Gate,
    Remote,
    assistant,
    conversations,
    end_of_workers,
    fails_without,
    memory,
    office,
    spoiled_without,
    talk,
    without,
)

Totals = dict[Ablation, list[float] | str]


def landed(engine: Engine, conversation: Conversation, workers: int | None = None) -> Totals:
    """What lands of a whole plan: totals, or the reason why there are none."""
    found: Totals = {}
    for ablation, result in columns(engine, conversation, MatrixRun(conversation).plan, Job(), workers=workers):
        assert ablation not in found
        found[ablation] = result.reason if isinstance(result, Failure) else [score.total for score in result]
    return found


def many_memories(count: int) -> Conversation:
    return talk(*(memory(f"m{n:02}", f"Fact number {n}.") for n in range(count)), assistant("So it is."))


def test_a_plan_of_n_memories_takes_n_plus_three_scorings() -> None:
    engine = FormulaEngine()

    found = landed(engine, office())

    assert set(found) == {BASELINE, AGAIN, *map(without, ("tabs", "pnpm", "late")), without("tabs", "pnpm", "late")}
    assert engine.calls == 3 + 3


@pytest.mark.parametrize("workers", [2, 8, 32])
def test_any_number_of_workers_gives_the_same_numbers(workers: int) -> None:
    conversation = many_memories(12)

    assert landed(FormulaEngine(), conversation, workers) == landed(FormulaEngine(), conversation, 1)


@pytest.mark.parametrize(("workers", "expected"), [(1, 1), (3, 3), (None, 5)])
def test_so_many_workers_are_in_flight_and_no_more(workers: int | None, expected: int) -> None:
    together = threading.Barrier(expected)  # nobody gets through until so many are there

    def before(call: int, _prompt: Prompt) -> None:
        if call <= expected:
            together.wait(PATIENCE)

    engine = FormulaEngine(concurrency=5, before=before)
    landed(engine, many_memories(9), workers)

    assert engine.peak == expected


def test_cancelling_ends_at_once_while_a_worker_waits_for_its_answer() -> None:
    job, ablations = Job(), MatrixRun(office()).plan
    kept: list[Ablation] = []
    with Gate(through=2) as gate:
        engine = FormulaEngine(before=gate)

        def cancel() -> None:
            gate.reached.wait(PATIENCE)
            job.cancel()

        watcher = threading.Thread(target=cancel)
        with pytest.raises(Cancelled):
            for ablation, _ in columns(engine, office(), ablations, job, workers=1):
                kept.append(ablation)
                if len(kept) == 2:
                    watcher.start()
        watcher.join(PATIENCE)

        assert kept == list(ablations[:2])
    assert engine.calls == 3  # the one that was waiting; nothing was begun after it


def test_a_job_cancelled_beforehand_gives_nothing() -> None:
    job = Job()
    job.cancel()

    with pytest.raises(Cancelled):
        next(columns(FormulaEngine(), office(), [BASELINE], job))


def test_closing_the_iterator_stops_the_rest() -> None:
    with Gate(through=1) as gate:
        engine = FormulaEngine(before=gate)
        with closing(columns(engine, many_memories(9), MatrixRun(many_memories(9)).plan, Job(), workers=1)) as landing:
            next(landing)
            assert gate.reached.wait(PATIENCE)

    assert engine.calls == 2


def test_an_engine_error_fails_one_ablation_alone() -> None:
    found = landed(FormulaEngine(before=fails_without(TABS)), office())

    failed = {ablation for ablation, result in found.items() if isinstance(result, str)}
    assert failed == {without("tabs"), without("tabs", "pnpm", "late")}
    assert found[without("tabs")] == f"the server refuses to go without {TABS!r}"


def test_what_fails_for_good_is_not_asked_again_for_every_other_ablation() -> None:
    def expired(call: int, _prompt: Prompt) -> None:
        if call > 2:
            raise EngineError("HTTP 401: the key has expired", lasting=True)

    engine = FormulaEngine(before=expired)
    conversation = many_memories(20)

    found = landed(engine, conversation, workers=1)

    assert engine.calls == 3
    assert [reason for reason in found.values() if isinstance(reason, str)] == ["HTTP 401: the key has expired"] * 21
    assert len(found) == 23


def test_what_has_landed_is_not_lost_to_somebody_who_asks_to_stop() -> None:
    job, conversation = Job(), many_memories(5)
    engine = FormulaEngine()
    plan = MatrixRun(conversation).plan
    found = []
    with closing(columns(engine, conversation, plan, job, workers=1)) as landing:
        found.append(next(landing))
        end_of_workers()
        job.cancel()
        found += list(landing)

    assert len(found) == len(plan)


def test_a_bug_in_an_engine_is_raised() -> None:
    def before(call: int, _prompt: Prompt) -> None:
        if call == 3:
            raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        landed(FormulaEngine(before=before), office(), workers=2)
    end_of_workers()


def with_total(total: float) -> Callable[[list[ResponseScore]], list[ResponseScore]]:
    return lambda scores: [*scores[:-1], replace(scores[-1], total=total)]


def with_nan_token(scores: list[ResponseScore]) -> list[ResponseScore]:
    tokens = scores[0].tokens
    assert tokens is not None
    logprobs = tokens.logprobs.copy()
    logprobs[0] = np.nan
    return [replace(scores[0], tokens=replace(tokens, logprobs=logprobs)), *scores[1:]]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda scores: scores[:-1], "misaligned: 3 responses were sent and 2 scores came back"),
        (lambda scores: [*scores, scores[0]], "misaligned: 3 responses were sent and 4 scores came back"),
        (lambda _: [], "misaligned: 3 responses were sent and 0 scores came back"),
        (with_total(np.nan), "score 3 of 3 is nan"),
        (with_total(-np.inf), "score 3 of 3 is -inf"),
        (with_total(0.5), "never positive"),
        (with_total(-10_000 - 1_000 * 38 - 1.0), "implausible for 38 characters"),
        (with_nan_token, "score 1 of 3 has tokens with positive"),
    ],
)
def test_what_cannot_be_scores_fails_the_ablation(
    spoil: Callable[[list[ResponseScore]], list[ResponseScore]], reason: str
) -> None:
    found = landed(FormulaEngine(after=spoiled_without(PNPM, spoil)), office())

    assert reason in str(found[without("pnpm")])
    assert [a for a, result in found.items() if isinstance(result, list)] != []
    assert all(isinstance(found[ablation], list) for ablation in (BASELINE, AGAIN, without("tabs"), without("late")))


def test_the_lowest_plausible_total_is_taken() -> None:
    lowest = -10_000 - 1_000 * 38.0

    found = landed(FormulaEngine(after=spoiled_without(PNPM, with_total(lowest))), office())

    assert found[without("pnpm")][-1] == lowest


# A one-pass engine whose way has an end one can see


class Ending(Embedded):
    """`ended` says whether its generator is over; `spoil` may make something else of what it gives."""

    def __init__(self, spoil: Callable[[list[ResponseScore]], list[ResponseScore]] | None = None) -> None:
        super().__init__()
        self.ended = False
        self._spoil = spoil

    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[tuple[Ablation, list[ResponseScore] | Failure], None, None]:
        try:
            for ablation, result in super().columns(conversation, ablations, job):
                yield ablation, result if self._spoil is None or isinstance(result, Failure) else self._spoil(result)
        finally:
            self.ended = True


def test_closing_the_iterator_ends_the_engines_own_way_at_once() -> None:
    engine = Ending()
    landing = columns(engine, office(), MatrixRun(office()).plan, Job())
    next(landing)
    assert not engine.ended

    landing.close()

    assert engine.ended


def test_the_engines_own_way_ends_even_while_the_exception_is_held() -> None:
    def spoil(scores: list[ResponseScore]) -> list[ResponseScore]:
        return [None] * len(scores)  # type: ignore[list-item]

    engine = Ending(spoil)
    landing = columns(engine, office(), MatrixRun(office()).plan, Job())

    try:
        next(landing)
    except AttributeError as held:
        assert held.__traceback__ is not None
        assert engine.ended  # the traceback still holds the frame that ran it
    else:
        pytest.fail("what is no score was taken for one")


# What an engine was asked for


@pytest.mark.parametrize("engine", [FormulaEngine(), Embedded(), Remote(Embedded())], ids=["formula", "one", "remote"])
def test_every_ablation_is_counted_once_on_the_job(engine: Engine) -> None:
    job, plan = Job(), MatrixRun(office()).plan

    assert len(list(columns(engine, office(), plan, job))) == len(plan)

    assert (job.tally("asked"), job.tally("found")) == (len(plan), 0)


def test_what_failed_was_asked_for_and_what_was_never_begun_was_not() -> None:
    job, plan = Job(), MatrixRun(office()).plan
    with Gate(through=2) as gate:

        def before(call: int, prompt: Prompt) -> None:
            gate(call, prompt)
            fails_without(TABS)(call, prompt)

        engine = FormulaEngine(before=before)
        with closing(columns(engine, office(), plan, job, workers=1)) as landing:
            assert isinstance([next(landing), next(landing)][1][1], Failure)
            assert gate.reached.wait(PATIENCE)
            assert job.tally("asked") == 3

    assert job.tally("asked") == engine.calls == 3


@settings(max_examples=60)
@given(conversations)
def test_one_pass_and_one_prompt_at_a_time_agree(conversation: Conversation) -> None:
    engine = Embedded()

    together, apart = landed(engine, conversation), landed(Remote(Embedded()), conversation)

    assert set(together) == set(apart)
    for ablation, totals in together.items():
        assert totals == pytest.approx(apart[ablation], rel=0, abs=1e-9)


def lenient(engine: Engine, ablation: Ablation) -> list[ResponseScore] | Failure:
    (landing,) = columns(engine, office(), (ablation,), Job(), lenient=True)
    return landing[1]


def test_leniently_a_missing_score_is_a_failure_of_its_own_response() -> None:
    engine = FormulaEngine(after=spoiled_without(TABS, lambda scores: scores[:-1]))
    whole, found = lenient(engine, BASELINE), lenient(engine, without("tabs"))
    assert not isinstance(whole, Failure)
    assert not isinstance(found, Failure)
    assert [score.failure for score in whole] == ["", "", ""]
    assert [score.failure for score in found] == ["", "", NO_SCORE]


def test_leniently_surplus_scores_are_passed_over_and_bad_ones_are_not() -> None:
    surplus = FormulaEngine(after=spoiled_without(TABS, lambda scores: [*scores, ResponseScore(5.0)]))
    found = lenient(surplus, without("tabs"))
    assert not isinstance(found, Failure)
    assert len(found) == 3
    bad = FormulaEngine(after=spoiled_without(TABS, lambda scores: [ResponseScore(5.0), *scores]))
    assert isinstance(lenient(bad, without("tabs")), Failure)


def test_without_leniency_they_fail_the_whole_scoring() -> None:
    for spoil in (lambda scores: scores[:-1], lambda scores: [*scores, ResponseScore(-5.0)]):
        engine = FormulaEngine(after=spoiled_without(TABS, spoil))
        ((_, found),) = columns(engine, office(), (without("tabs"),), Job())
        assert isinstance(found, Failure)
        assert "misaligned" in found.reason
