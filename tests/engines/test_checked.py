"""The wrapper that makes sure: one trial before the first use, kept for a day where it passed, and none where nothing
is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from memscope.base.clock import set_clock
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job, Progress
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import render
from memscope.engines.checked import HOLDS, Checked, Proof, bare, checked, keep, passed
from memscope.engines.checks import NOISE, SECONDS, Check
from memscope.engines.protocol import (
    CountingEngine,
    Engine,
    Failure,
    OnePassEngine,
    ResponseScore,
)
from memscope.engines.registry import EngineSpec
from memscope.engines.stored import stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from memscope.store.verdicts import Verdicts
from tests.fakes import FormulaEngine, office

PROMPT = render(office())
PASSES = [
    Check("scores", "pass", "fine", measured={SECONDS: 0.25}),
    Check("template", "warn", "odd", "Fold."),
    Check("repeats", "pass", "fine", measured={NOISE: 0.125}),
]
FAILS = [PASSES[0], Check("agrees", "fail", "shifted by one token", "Upgrade it."), Check("cache", "skip", "not tried")]


class Trials:
    """Checks that come to what is set, and how often they were made."""

    def __init__(self, checks: Sequence[Check] = PASSES) -> None:
        self.checks = checks
        self.made = 0
        self.before: Callable[[Job], None] = lambda _: None

    def __call__(self, engine: Engine, job: Job) -> Iterator[Check]:
        self.made += 1
        self.before(job)
        yield from self.checks

    def around(self, engine: Engine, verdicts: Verdicts | None = None, *, quiet: bool = True) -> Engine:
        spec = EngineSpec("formula", "", engine.capabilities, lambda _: engine, check=self, quiet=quiet)
        return checked(engine, spec, verdicts)


@pytest.fixture
def trials() -> Trials:
    return Trials()


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    set_clock(lambda: 1_000_000.0)
    yield
    set_clock(None)


class OnePass(FormulaEngine):
    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[tuple[Ablation, list[ResponseScore] | Failure], None, None]:
        for ablation in ablations:
            yield ablation, self.score(render(conversation, ablation), job)


def test_an_engine_is_checked_once_before_its_first_use(trials: Trials) -> None:
    engine = FormulaEngine()
    sure = trials.around(engine)
    assert (trials.made, sure.identity, sure.capabilities) == (0, engine.identity, engine.capabilities)

    found = [sure.score(PROMPT, Job()) for _ in range(3)]

    assert trials.made == 1
    assert engine.calls == 3
    assert [score.total for score in found[0]] == [score.total for score in FormulaEngine().score(PROMPT, Job())]
    sure.close()
    assert engine.closed


def test_what_was_measured_is_its_proof(trials: Trials) -> None:
    sure = trials.around(FormulaEngine())
    assert passed(sure) is None

    sure.score(PROMPT, Job())

    assert passed(sure) == Proof(seconds=0.25, noise=0.125)


def test_an_engine_that_fails_is_refused_with_the_checks_words() -> None:
    trials, engine = Trials(FAILS), FormulaEngine()
    sure = trials.around(engine)

    with pytest.raises(EngineError) as refused:
        sure.score(PROMPT, Job())

    assert "shifted by one token" in refused.value.what
    assert refused.value.do.startswith("Upgrade it.")
    assert "memscope doctor" in refused.value.do
    assert refused.value.lasting
    assert engine.calls == 0
    assert passed(sure) is None


def test_a_failure_is_not_kept_for_somebody_may_have_mended_it(database: Database) -> None:
    trials = Trials(FAILS)
    sure = trials.around(FormulaEngine(), Verdicts(database))
    with pytest.raises(EngineError):
        sure.score(PROMPT, Job())

    trials.checks = PASSES
    sure.score(PROMPT, Job())

    assert trials.made == 2


def test_a_pass_holds_for_a_day_in_other_processes_too(trials: Trials, database: Database) -> None:
    trials.around(FormulaEngine(), Verdicts(database)).score(PROMPT, Job())
    assert trials.made == 1

    set_clock(lambda: 1_000_000.0 + HOLDS - 1)
    later = trials.around(FormulaEngine(), Verdicts(database))
    assert passed(later) == Proof(0.25, 0.125)
    later.score(PROMPT, Job())
    assert trials.made == 1

    set_clock(lambda: 1_000_000.0 + HOLDS)
    assert passed(later) is None
    later.score(PROMPT, Job())
    assert trials.made == 2


def test_a_pass_from_the_future_does_not_hold(trials: Trials, database: Database) -> None:
    trials.around(FormulaEngine(), Verdicts(database)).score(PROMPT, Job())
    set_clock(lambda: 900_000.0)  # somebody set the clock back

    trials.around(FormulaEngine(), Verdicts(database)).score(PROMPT, Job())

    assert trials.made == 2


def test_a_pass_is_that_of_one_engine_and_no_other(trials: Trials, database: Database) -> None:
    for model in ("one", "other", "one"):
        trials.around(FormulaEngine(model=model), Verdicts(database)).score(PROMPT, Job())

    assert trials.made == 2


def test_a_store_that_fails_costs_a_check_and_no_score(trials: Trials, database: Database) -> None:
    database.close()

    assert trials.around(FormulaEngine(), Verdicts(database)).score(PROMPT, Job())
    assert trials.made == 1


@pytest.mark.parametrize("measured", [{}, {"seconds": "soon", "noise": None}, {"seconds": float("inf")}, {"x": 1}])
def test_a_kept_verdict_without_numbers_is_a_proof_without_them(
    trials: Trials, database: Database, measured: dict[str, object]
) -> None:
    sure = trials.around(FormulaEngine(), Verdicts(database))
    assert isinstance(sure, Checked)
    Verdicts(database).put(sure._key, measured)

    assert passed(sure) == Proof()


def test_what_is_on_disk_is_given_without_a_check(trials: Trials, database: Database) -> None:
    stored(FormulaEngine(), ScoreStore(database)).score(PROMPT, Job())
    engine = FormulaEngine()

    scores = stored(trials.around(engine), ScoreStore(database)).score(PROMPT, Job())

    assert len(scores) == len(PROMPT.responses)
    assert (trials.made, engine.calls) == (0, 0)


def test_workers_wait_for_the_one_that_checks_and_share_what_it_finds() -> None:
    trials, gate = Trials(FAILS), threading.Event()
    trials.before = lambda _: None if gate.wait(10) else pytest.fail("nobody opened the gate")
    sure = trials.around(FormulaEngine())

    def score(_: int) -> str:
        with pytest.raises(EngineError) as refused:
            sure.score(PROMPT, Job())
        return refused.value.what

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(score, n) for n in range(4)]
        while trials.made == 0:
            pass
        gate.set()
        words = {found.result(30) for found in waiting}

    assert trials.made <= 2  # one that came when the others were refused asks again
    assert len(words) == 1


def test_a_worker_that_waits_can_be_stopped() -> None:
    trials, gate = Trials(), threading.Event()
    trials.before = lambda _: None if gate.wait(10) else pytest.fail("nobody opened the gate")
    sure, job = trials.around(FormulaEngine()), Job()
    with ThreadPoolExecutor(1) as pool:
        checking = pool.submit(sure.score, PROMPT, Job())
        while trials.made == 0:
            pass
        job.cancel()
        with pytest.raises(Cancelled):
            sure.score(PROMPT, job)
        gate.set()
        assert checking.result(30)


def test_a_check_that_is_stopped_has_found_nothing_out() -> None:
    trials, job = Trials(), Job()
    trials.before = Job.check
    sure = trials.around(FormulaEngine())
    job.cancel()
    with pytest.raises(Cancelled):
        sure.score(PROMPT, job)

    assert sure.score(PROMPT, Job())
    assert trials.made == 2


def test_the_job_is_told(trials: Trials) -> None:
    told: list[Progress] = []
    trials.around(FormulaEngine()).score(PROMPT, Job(told.append))

    assert told == [Progress(0, None, "", "checking formula")]


def test_what_the_job_was_doing_is_said_again_after_the_check(trials: Trials) -> None:
    told: list[Progress] = []
    job = Job(told.append)
    job.progress(0, 5, "scorings", "formula")
    trials.around(FormulaEngine()).score(PROMPT, job.child())

    assert [progress.doing for progress in told] == ["formula", "checking formula", "formula"]
    assert told[0] == told[2]


def test_a_check_that_nobody_wants_any_more_keeps_nobody_waiting() -> None:
    reached, release = threading.Event(), threading.Event()
    made: list[int] = []

    def slow(_engine: Engine, _job: Job) -> Iterator[Check]:
        made.append(1)
        if len(made) == 1:
            reached.set()
            assert release.wait(10)  # deaf to its job, like a request that a server keeps waiting
        yield Check("scores", "pass", "fine")

    engine = FormulaEngine()
    sure = checked(engine, EngineSpec("formula", "", engine.capabilities, lambda _: engine, check=slow), None)
    first = Job()
    thread = threading.Thread(target=lambda: sure.score(PROMPT, first), daemon=True)
    thread.start()
    assert reached.wait(10)
    first.cancel()
    sure.score(PROMPT, Job())
    release.set()
    thread.join(10)

    assert len(made) == 2


def test_an_engine_without_a_check_is_not_wrapped(trials: Trials) -> None:
    engine = FormulaEngine()
    unchecked = EngineSpec("formula", "", engine.capabilities, lambda _: engine)

    assert checked(engine, unchecked, None) is engine
    assert trials.around(engine, quiet=False) is engine


def test_what_an_engine_can_do_is_still_to_be_seen(trials: Trials, database: Database) -> None:
    class Counting(FormulaEngine):
        def count(self, prompt: object, job: Job) -> int:
            return 7

    plain, one_pass = map(trials.around, (FormulaEngine(), OnePass()))

    assert not isinstance(plain, OnePassEngine)
    assert isinstance(one_pass, OnePassEngine)
    engine = Counting()
    assert bare(stored(trials.around(engine), ScoreStore(database))) is engine
    assert isinstance(bare(trials.around(engine)), CountingEngine)


def test_columns_are_checked_too() -> None:
    trials = Trials()
    one_pass = trials.around(OnePass())
    assert isinstance(one_pass, OnePassEngine)
    assert [ablation for ablation, _ in one_pass.columns(office(), (BASELINE,), Job())] == [BASELINE]
    assert trials.made == 1


def test_columns_of_an_engine_that_fails_each_say_why() -> None:
    engine = OnePass()
    sure = Trials(FAILS).around(engine)
    assert isinstance(sure, OnePassEngine)
    asked = (BASELINE, Ablation.of("tabs"))

    landed = dict(sure.columns(office(), asked, Job()))

    assert set(landed) == set(asked)
    for result in landed.values():
        assert isinstance(result, Failure)
        assert "shifted by one token" in result.reason
    assert engine.calls == 0


def test_checks_that_fail_take_an_earlier_pass_back(database: Database) -> None:
    identity, verdicts = FormulaEngine().identity, Verdicts(database)
    assert keep(PASSES, identity, verdicts) == Proof(0.25, 0.125)
    sure = Trials().around(FormulaEngine(), verdicts)
    assert passed(sure) is not None

    assert keep(FAILS, identity, verdicts) is None

    assert passed(Trials().around(FormulaEngine(), verdicts)) is None
