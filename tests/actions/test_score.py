"""A run and what it leaves on disk: nothing is scored twice, nothing is taken for something else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memscope.actions.engine import Scorer, open_scorer, open_store
from memscope.actions.score import Cost, fill, rescore, retry_failed, score_matrix
from memscope.attribution.aggregates import cutoffs
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.base.errors import Cancelled, StoreError, UsageError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings, data_dir
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import Engine, EngineIdentity, Failure
from memscope.engines.registry import EngineSpec
from memscope.engines.stored import Stored, stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.fakes import (
    LATE,
    PATIENCE,
    PNPM,
    TABS,
    FormulaEngine,
    Gate,
    Remote,
    assistant,
    end_of_workers,
    fails_baseline,
    fails_without,
    memory,
    noisy,
    office,
    talk,
    true_effects,
    user,
)

PLAN = 6  # scorings that the office takes


@contextmanager
def kept(engine: Engine, folder: Path) -> Iterator[Scorer]:
    """`engine` behind the store in `folder`, as a process that opens and closes it."""
    database = Database(folder)
    try:
        yield Scorer(stored(engine, ScoreStore(database)), database)
    finally:
        end_of_workers()
        database.close()


def scored(engine: Engine, folder: Path, conversation: Conversation | None = None) -> tuple[Matrix, Cost]:
    with kept(engine, folder) as scorer:
        run, cost = score_matrix(conversation or office(), scorer, Job(), workers=1)
        assert scorer.trouble is None
    return run.snapshot(), cost


def assert_same(one: Matrix, other: Matrix) -> None:
    np.testing.assert_equal(vars(one), vars(other))


# Resuming


@pytest.mark.parametrize("tokens", [True, False])
def test_a_second_run_makes_no_scoring_and_gives_the_same_numbers(tmp_path: Path, tokens: bool) -> None:
    first, cost = scored(FormulaEngine(tokens=tokens), tmp_path)
    engine = FormulaEngine(tokens=tokens)

    second, again = scored(engine, tmp_path)

    assert (cost.scorings, cost.from_store) == (PLAN, 0)
    assert (again.scorings, again.from_store) == (0, PLAN)
    assert engine.calls == 0
    assert_same(second, first)
    assert second.tokens.all()


@pytest.mark.parametrize("wrapped", [lambda engine: engine, Remote])
def test_the_embedded_engine_resumes_too(tmp_path: Path, wrapped: Callable[[Engine], Engine]) -> None:
    first, _ = scored(wrapped(Embedded()), tmp_path)

    second, cost = scored(wrapped(Embedded()), tmp_path)

    assert (cost.scorings, cost.from_store) == (0, PLAN)
    assert_same(second, first)


def test_after_a_cancelled_run_only_what_is_missing_is_scored(tmp_path: Path) -> None:
    job = Job(lambda progress: job.cancel() if progress.done == 3 else None)
    with Gate(through=3) as gate, kept(FormulaEngine(before=gate), tmp_path) as scorer:
        with pytest.raises(Cancelled):
            score_matrix(office(), scorer, job, workers=1)
        assert gate.reached.wait(PATIENCE)
        gate.open()
    engine = FormulaEngine()

    resumed, cost = scored(engine, tmp_path)

    assert (cost.scorings, cost.from_store) == (2, 4)  # the one in flight was kept too
    assert engine.calls == 2
    assert_same(resumed, scored(FormulaEngine(), tmp_path / "undisturbed")[0])


def test_what_landed_before_a_cancel_stays_in_the_run() -> None:
    run, job = MatrixRun(office()), Job(lambda progress: job.cancel() if progress.done == 2 else None)

    with Gate(through=2) as gate, pytest.raises(Cancelled):
        fill(run, run.plan, Scorer(FormulaEngine(before=gate)), job, workers=1)

    assert run.snapshot().state[0].tolist() == [State.OK] * 3
    assert (run.snapshot().state[1:] != State.OK).all()


def test_a_longer_conversation_is_another(tmp_path: Path) -> None:
    scored(FormulaEngine(), tmp_path)
    longer = office().with_messages((*office().messages, assistant("And that is that.")))

    assert scored(FormulaEngine(), tmp_path, longer)[1].from_store == 0


def test_words_after_the_last_response_cost_nothing(tmp_path: Path) -> None:
    scored(FormulaEngine(), tmp_path)
    longer = office().with_messages((*office().messages, user("Thanks.")))

    assert scored(FormulaEngine(), tmp_path, longer)[1].scorings == 0


@pytest.mark.parametrize(
    "other",
    [
        EngineIdentity("formula", model="other"),
        EngineIdentity("formula", "closed-form", url="http://elsewhere"),
        EngineIdentity("formula", "closed-form", revision="2"),
        EngineIdentity("formula", "closed-form", options=(("template", "x"),)),
        EngineIdentity("formulas", "closed-form"),
    ],
)
def test_another_engine_or_model_shares_nothing(tmp_path: Path, other: EngineIdentity) -> None:
    scored(FormulaEngine(), tmp_path)
    engine = FormulaEngine()
    engine.identity = other

    _, cost = scored(engine, tmp_path)

    assert (cost.scorings, cost.from_store) == (PLAN, 0)


def test_two_fills_at_once_report_what_each_of_them_took(tmp_path: Path) -> None:
    scored(FormulaEngine(), tmp_path)
    fresh = talk(memory("tabs", TABS), assistant("I indent."))
    costs: list[Cost] = []
    job = Job()
    with Gate(through=1) as gate, kept(FormulaEngine(before=gate), tmp_path) as scorer:
        other = threading.Thread(target=lambda: costs.append(score_matrix(fresh, scorer, job, workers=1)[1]))
        other.start()
        assert gate.reached.wait(PATIENCE)

        run, cost = score_matrix(office(), scorer, job)  # wholly in the middle of the other
        gate.open()
        other.join(PATIENCE)

    assert (cost.scorings, cost.from_store) == (0, PLAN)
    assert [(took.scorings, took.from_store) for took in costs] == [(3, 0)]
    assert run.snapshot().effects.tolist() == true_effects(office()).tolist()
    assert (job.tally("asked"), job.tally("found")) == (PLAN + 3, PLAN)


def test_tokens_are_kept_in_the_run_only_where_no_store_keeps_them(tmp_path: Path) -> None:
    with kept(FormulaEngine(), tmp_path) as scorer:
        behind, _ = score_matrix(office(), scorer, Job())
    alone, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())

    assert behind.landed(behind.plan) == {}
    assert list(alone.landed(alone.plan)) == list(alone.plan)


# Noise


def test_an_engine_with_noise_has_a_floor_and_the_same_one_when_resumed(tmp_path: Path) -> None:
    first, _ = scored(FormulaEngine(after=noisy), tmp_path)
    second, cost = scored(FormulaEngine(after=noisy), tmp_path)

    assert (cutoffs(first, 0.01).noise > 0).all()
    assert cost.scorings == 0
    assert_same(second, first)


def test_an_engine_without_noise_has_a_floor_of_nothing(tmp_path: Path) -> None:
    matrix, _ = scored(FormulaEngine(), tmp_path)

    assert cutoffs(matrix, 0.01).noise.tolist() == [0, 0, 0]
    assert cutoffs(matrix, 0.01).cutoff.tolist() == [0.01] * 3


# Failures


@pytest.mark.parametrize("workers", [1, 4])
def test_a_failed_baseline_ends_the_run(workers: int) -> None:
    engine = FormulaEngine(before=fails_baseline(TABS, PNPM, LATE))

    run, _ = score_matrix(office(), Scorer(engine), Job(), workers=workers)
    end_of_workers()

    assert "the server is out of memory" in str(run.reason)
    assert not (run.snapshot().state == State.OK).any()


def test_a_failed_baseline_leaves_the_rest_unscored_and_reports_what_was_asked_for() -> None:
    with Gate(through=1) as gate:

        def watch(progress: Progress) -> None:
            if progress.done == 1:  # the worker has begun another by then
                assert gate.reached.wait(PATIENCE)

        def before(call: int, prompt: Prompt) -> None:
            gate(call, prompt)
            fails_baseline(TABS, PNPM, LATE)(call, prompt)

        engine = FormulaEngine(before=before)
        _, cost = score_matrix(office(), Scorer(engine), Job(watch), workers=1)

    assert cost.scorings == engine.calls == 2


def test_a_failed_baseline_of_a_one_pass_engine_is_one_scoring() -> None:
    class Refusing(Embedded):
        def columns(self, *_: Any) -> Generator[tuple[Ablation, Failure], None, None]:
            yield from ((ablation, Failure("no")) for ablation in MatrixRun(office()).plan)

    _, cost = score_matrix(office(), Scorer(Refusing()), Job())

    assert (cost.scorings, cost.from_store) == (1, 0)


def test_a_retry_scores_the_failed_rows_alone(tmp_path: Path) -> None:
    broken, mended = FormulaEngine(before=fails_without(PNPM)), FormulaEngine()
    with kept(broken, tmp_path) as scorer:
        run, _ = score_matrix(office(), scorer, Job())
    with kept(mended, tmp_path) as scorer:
        cost = retry_failed(run, scorer, Job())

    assert mended.calls == cost.scorings == 2  # the memory, and all memories
    assert run.snapshot().effects.tolist() == true_effects(office()).tolist()
    assert not run.snapshot().errors


def test_a_retry_after_a_failed_baseline_scores_all_that_is_missing() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine(before=fails_baseline(TABS, PNPM, LATE))), Job(), workers=1)
    end_of_workers()

    retry_failed(run, Scorer(FormulaEngine()), Job())

    assert run.reason is None
    assert run.snapshot().effects.tolist() == true_effects(office()).tolist()


def test_a_row_that_fails_again_does_not_end_the_retry_of_the_baseline() -> None:
    run = MatrixRun(office())
    for ablation in run.plan:
        run.land(ablation, Failure("the server was away"))
    ablations = sorted(run.failed(), key=lambda ablation: ablation == BASELINE)  # the baseline last

    fill(run, ablations, Scorer(FormulaEngine(before=fails_without(TABS))), Job(), workers=1)

    assert run.reason is None
    assert run.snapshot().state[:, 2].tolist() == [State.FAILED, State.OK, State.OK]


def test_nothing_failed_is_nothing_to_retry() -> None:
    engine = FormulaEngine()
    run, _ = score_matrix(office(), Scorer(engine), Job())

    assert retry_failed(run, Scorer(engine), Job()).scorings == 0
    assert engine.calls == PLAN


@pytest.mark.parametrize("conversation", [talk(), talk(user("Hi."), assistant("Hello.")), talk(memory("tabs", TABS))])
def test_without_memories_or_responses_nothing_is_scored(conversation: Conversation) -> None:
    engine = FormulaEngine()

    run, cost = score_matrix(conversation, Scorer(engine), Job())

    assert run.reason
    assert (engine.calls, cost.scorings) == (0, 0)


def test_progress_counts_scorings_to_the_end() -> None:
    seen: list[Progress] = []

    score_matrix(office(), Scorer(FormulaEngine()), Job(seen.append))

    assert [progress.done for progress in seen] == list(range(PLAN + 1))
    assert {(progress.total, progress.unit) for progress in seen} == {(PLAN, "scorings")}


# A store in trouble costs no number


def after_two_calls(trouble: Callable[[], None]) -> Callable[[int, Prompt], None]:
    def before(call: int, _prompt: Prompt) -> None:
        if call == 3:
            trouble()

    return before


def fill_up(database: Database) -> None:
    (pages,) = database.read("PRAGMA page_count")[0]
    database.write(f"PRAGMA max_page_count = {pages}")


def drop(database: Database) -> None:
    database.write("DROP TABLE scores")


def close(database: Database) -> None:
    database.close()


@pytest.mark.parametrize(
    ("breaks", "said"), [(fill_up, "the disk is full"), (drop, "no such table"), (close, "closed database")]
)
@pytest.mark.parametrize("workers", [1, 4])
def test_a_store_that_breaks_in_mid_run_costs_no_number(
    tmp_path: Path, breaks: Callable[[Database], None], said: str, workers: int
) -> None:
    database = Database(tmp_path)
    engine = FormulaEngine(before=after_two_calls(lambda: breaks(database)))
    scorer = Scorer(stored(engine, ScoreStore(database)), database)

    run, cost = score_matrix(wordy(), scorer, Job(), workers=workers)
    scorer.close()

    assert said in str(scorer.trouble)
    assert run.snapshot().effects.tolist() == true_effects(wordy()).tolist()
    assert not run.snapshot().errors
    assert cost.scorings == engine.calls


def wordy() -> Conversation:
    """Long enough that its scores do not fit into a page that is there already."""
    words = " ".join(f"word{n}" for n in range(3000))
    return talk(*(memory(f"m{n}", f"Fact {n}.") for n in range(5)), assistant(words))


def test_a_row_that_was_damaged_on_disk_is_scored_again(tmp_path: Path) -> None:
    first, _ = scored(FormulaEngine(), tmp_path)
    database = Database(tmp_path)
    database.write("UPDATE scores SET totals = x'00' WHERE key IN (SELECT key FROM scores LIMIT 1)")
    database.write("UPDATE scores SET tokens = x'00' WHERE key IN (SELECT key FROM scores LIMIT 1 OFFSET 1)")
    database.close()

    second, cost = scored(FormulaEngine(), tmp_path)

    assert (cost.scorings, cost.from_store) == (2, PLAN - 2)
    assert_same(second, first)


# Opening and closing


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FormulaEngine:
    """What any settings name."""
    found = FormulaEngine()
    monkeypatch.setattr(
        "memscope.actions.engine.engine_spec", lambda name: EngineSpec(name, "", found.capabilities, lambda _: found)
    )
    return found


def test_a_scorer_lets_go_of_its_engine_and_its_store(engine: FormulaEngine) -> None:
    scorer = open_scorer(Settings())
    assert isinstance(scorer.engine, Stored)
    assert scorer.database is not None
    assert not engine.closed

    scorer.close()

    assert engine.closed
    with pytest.raises(StoreError):
        scorer.database.read("SELECT 1")


def test_without_a_store_nothing_is_written(engine: FormulaEngine) -> None:
    scorer = open_scorer(Settings(store=False))
    score_matrix(office(), scorer, Job())
    scorer.close()

    assert (scorer.engine, scorer.database, scorer.trouble) == (engine, None, None)
    assert engine.closed
    assert not data_dir().exists()


def test_an_engine_is_closed_when_the_store_cannot_be_opened(engine: FormulaEngine) -> None:
    data_dir().write_text("a file where the folder should be")

    with pytest.raises(StoreError, match="a file stands where the data folder should be"):
        open_scorer(Settings())

    assert engine.closed


def test_a_store_that_is_open_is_used_and_left_open(engine: FormulaEngine, tmp_path: Path) -> None:
    database = Database(tmp_path / "mine")
    scorer = open_scorer(Settings(), database)
    score_matrix(office(), scorer, Job())
    scorer.close()

    assert scorer.database is database
    assert engine.closed
    assert database.read("SELECT count(*) FROM scores") == [(PLAN,)]
    assert not data_dir().exists()
    database.close()


def test_a_store_that_is_open_is_not_used_where_nothing_is_to_be_kept(engine: FormulaEngine, tmp_path: Path) -> None:
    database = Database(tmp_path / "mine")
    scorer = open_scorer(Settings(store=False), database)

    assert (scorer.engine, scorer.database) == (engine, None)
    scorer.close()
    assert database.read("SELECT count(*) FROM scores") == [(0,)]
    database.close()


def test_the_store_of_the_settings_is_opened_or_is_none() -> None:
    assert open_store(Settings(store=False)) is None
    assert not data_dir().exists()

    database = open_store(Settings())
    assert database is not None
    assert database.path.parent == data_dir()
    database.close()


# One memory once more


def test_rescoring_asks_for_one_scoring_and_replaces_what_was_kept(tmp_path: Path) -> None:
    engine = FormulaEngine(after=noisy)
    with kept(engine, tmp_path) as scorer:
        run, _ = score_matrix(office(), scorer, Job(), workers=1)
        before = run.snapshot()

        cost = rescore(run, "tabs", scorer, Job())

        after = run.snapshot()
        assert (cost.scorings, cost.from_store, engine.calls) == (1, 0, PLAN + 1)
        assert (after.effects[0] != before.effects[0]).all()
        assert after.effects[1:].tolist() == before.effects[1:].tolist()
        again, found = score_matrix(office(), scorer, Job())
        assert found.scorings == 0
        assert_same(again.snapshot(), after)


def test_while_a_memory_is_rescored_its_row_is_pending() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())
    seen: list[list[int]] = []
    engine = FormulaEngine(before=lambda *_: seen.append(run.snapshot().state[1].tolist()))

    rescore(run, "pnpm", Scorer(engine), Job())

    assert seen == [[State.BEFORE, State.PENDING, State.PENDING]]
    assert run.snapshot().state[1].tolist() == [State.BEFORE, State.OK, State.OK]


def test_a_rescoring_that_is_stopped_leaves_what_was_there() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())
    before, job = run.snapshot(), Job()
    job.cancel()

    with pytest.raises(Cancelled):
        rescore(run, "tabs", Scorer(FormulaEngine()), job)

    assert_same(run.snapshot(), before)


def test_a_rescoring_that_fails_is_a_failed_row() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())

    rescore(run, "late", Scorer(FormulaEngine(before=fails_without(LATE))), Job())

    assert run.snapshot().state[2].tolist() == [State.FAILED] * 3
    assert len(run.missing()) == 1


def test_a_memory_that_no_response_could_have_seen_is_not_scored_again() -> None:
    conversation = talk(memory("tabs", TABS), assistant("Hello."), memory("late", LATE))
    run, _ = score_matrix(conversation, Scorer(FormulaEngine()), Job())
    engine = FormulaEngine()

    assert rescore(run, "late", Scorer(engine), Job()).scorings == engine.calls == 0


def test_a_memory_that_is_not_there_is_named_with_those_like_it() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())

    with pytest.raises(UsageError, match="Did you mean tabs"):
        rescore(run, "tab", Scorer(FormulaEngine()), Job())
