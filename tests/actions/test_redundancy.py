"""Screening: what it asks for, what is kept on disk, and what a response alone costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from memscope.actions.cost import cost_to_ask
from memscope.actions.engine import Scorer
from memscope.actions.redundancy import planned, screen_response, screen_run, screening_plan, try_pairs
from memscope.actions.respond import Question, explain_response, why
from memscope.actions.score import score_matrix
from memscope.base.errors import Cancelled, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import Failure
from memscope.engines.stored import stored
from memscope.reports.verdicts import VerdictReader
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.fakes import FormulaEngine, Gate, assistant, fails_baseline, memory, office, talk, user
from tests.planted import Planted, alike, all_of, any_of, apart, planted

TEXTS = apart("one", "half", "other", "idle") | alike("copy", "twin")
FACTS = [any_of(0, 5.0, "one"), all_of(0, 4.0, "half", "other"), any_of(0, 3.0, "copy", "twin")]
VERDICTS = {
    "one": "needed",
    "half": "together",
    "other": "together",
    "idle": "unused",
    "copy": "redundant",
    "twin": "redundant",
}


@pytest.mark.parametrize("workers", [1, 4])
def test_a_run_is_screened_with_as_many_scorings_again(workers: int) -> None:
    conversation, engine = planted(TEXTS), Planted(FACTS)
    run, cost = score_matrix(conversation, Scorer(engine), Job(), workers=workers)

    screening = screen_run(run, Scorer(engine), Job(), workers=workers)

    assert cost.scorings == 6 + 3
    assert len(engine.asked) - cost.scorings == 6 + 1  # each alone, and the two that sound alike
    reader = VerdictReader(screening.snapshot(), 0.01)
    assert {row.key: row.verdict for row in reader.rows()} == VERDICTS
    assert not reader.pairs  # nobody has tried them
    asked = len(engine.asked)
    try_pairs(screening, 0.01, Scorer(engine), Job(), workers=workers)
    assert len(engine.asked) == asked + 2  # whether "one" does what the two do; these themselves are a group
    assert len(VerdictReader(screening.snapshot(), 0.01).pairs) == 1


def test_one_response_is_screened_from_the_context_up_to_it() -> None:
    conversation = talk(
        memory("one", "Alpha."),
        memory("two", "Beta."),
        assistant("First."),
        memory("late", "Gamma."),
        assistant("Last."),
    )
    engine = Planted([any_of(0, 3.0, "one", "two"), any_of(1, 9.0, "late")])

    screening = screen_response(conversation, 2, Scorer(engine), Job())

    rows = VerdictReader(screening.snapshot(), 0.01).rows([2])
    assert [(row.key, row.verdict) for row in rows] == [("one", "redundant"), ("two", "redundant")]
    assert all("late" not in asked for asked in engine.asked)
    with pytest.raises(UsageError, match="#3 is no response"):
        screen_response(conversation, 3, Scorer(engine), Job())


def test_what_was_scored_is_found_on_disk(tmp_path: Path) -> None:
    conversation, engine = planted(TEXTS), Planted(FACTS)
    database = Database(tmp_path)
    scorer = Scorer(stored(engine, ScoreStore(database)), database)
    asked = []
    for _ in range(2):
        run, _ = score_matrix(conversation, scorer, Job())
        try_pairs(screen_run(run, scorer, Job()), 0.01, scorer, Job())
        asked.append(len(engine.asked))
    scorer.close()

    assert asked == [6 + 3 + 7 + 2] * 2


def test_the_estimate_is_of_all_that_can_be_asked() -> None:
    conversation = planted(TEXTS)
    scorer = Scorer(FormulaEngine())
    run, _ = score_matrix(conversation, scorer, Job())
    settings = Settings(store=False, ask_above=10)

    plan = screening_plan(conversation, scorer, pairs=True)
    estimate = cost_to_ask(conversation, scorer, settings, Job(), plan)

    assert estimate is not None
    assert estimate.scorings == len(plan) == len({*run.plan, *planned(run)})
    without_pairs = screening_plan(conversation, scorer)
    assert set(planned(run, pairs=False)) == {*without_pairs} - {*run.plan}
    assert cost_to_ask(conversation, scorer, Settings(store=False, ask_above=10**9), Job(), plan) is None


@pytest.mark.parametrize(("classic", "cutoff"), [(False, 0.5), (True, 0.01)])
def test_verdicts_take_the_blur_of_the_engine_for_nothing_and_classic_mode_the_threshold_alone(
    classic: bool, cutoff: float
) -> None:
    conversation = planted(apart("one", "two", "idle"))
    engine = Planted([any_of(0, 5.0, "one"), any_of(0, 0.25, "idle")])
    engine.capabilities = replace(engine.capabilities, blur=0.5)
    scorer = Scorer(engine, classic=classic)
    run, _ = score_matrix(conversation, scorer, Job())

    reader = VerdictReader(try_pairs(screen_run(run, scorer, Job()), 0.01, scorer, Job()).snapshot(), 0.01)

    assert {row.key: row.verdict for row in reader.rows()} == {
        "one": "needed",
        "two": "unused",
        "idle": "needed" if classic else "unused",
    }
    assert {row.cutoff for row in reader.rows()} == {cutoff}
    document = explain_response(conversation, Question(3, 0.01, verdicts=True), scorer, Job())
    assert (document.cutoff, [row.key for row in document.important]) == (0.01, ["one", "idle"])  # the one cutoff


def test_with_the_embedded_engine_what_has_nothing_to_do_with_a_response_is_unused() -> None:
    conversation = talk(
        memory("bun", "Packages are installed with bun, and with nothing else."),
        memory(
            "tea", "Ottilie drinks green tea at four, and black coffee with cold oat milk after every lunch she has."
        ),
        memory("port", "The staging server listens on port 7443."),
        user("How do I add left-pad?"),
        assistant("Packages are installed with bun: run bun add left-pad. Then check that the lockfile has changed."),
    )
    scorer = Scorer(Embedded())
    run, _ = score_matrix(conversation, scorer, Job())

    rows = VerdictReader(screen_run(run, scorer, Job()).snapshot(), 0.01).rows()

    assert {row.key: row.verdict for row in rows} == {"bun": "needed", "tea": "unused", "port": "unused"}
    assert abs(run.snapshot().effects[1:]).max() > 0.1  # far beyond the threshold


def test_a_failed_baseline_asks_for_nothing_more() -> None:
    texts = [entry.texts[0] for entry in office().memories]
    engine = FormulaEngine(before=fails_baseline(*texts), concurrency=1)
    run, _ = score_matrix(office(), Scorer(engine), Job())
    calls = engine.calls

    screening = screen_run(run, Scorer(engine), Job())

    assert engine.calls == calls
    assert {row.verdict for row in VerdictReader(screening.snapshot(), 0.01).rows()} == {None}


def test_a_cancelled_screening_ends() -> None:
    conversation = planted(TEXTS)
    run, _ = score_matrix(conversation, Scorer(FormulaEngine()), Job())
    job = Job()
    with Gate() as gate:
        engine = FormulaEngine(before=gate)
        job.cancel()
        with pytest.raises(Cancelled):
            screen_run(run, Scorer(engine), job)


def test_a_response_tells_the_verdicts_when_they_are_asked_for() -> None:
    conversation, message = planted(TEXTS), len(TEXTS)
    scorer = Scorer(Planted(FACTS))

    plain = explain_response(conversation, Question(message, 0.01), scorer, Job())
    document = explain_response(conversation, Question(message, 0.01, verdicts=True), scorer, Job())
    alone = why(conversation, Question(message, 0.01, verdicts=True), scorer, Job())

    assert {row.verdict for row in plain.important} == {None}
    assert not plain.redundant
    assert {row.key: row.verdict for row in document.important} == {
        "one": "needed",
        "half": "together",
        "other": "together",
    }
    assert [(row.key, row.verdict, row.effect) for row in document.redundant] == [
        ("copy", "redundant", 0.0),
        ("twin", "redundant", 0.0),
    ]
    assert alone == document


def test_failures_are_told_and_tried_again() -> None:
    conversation = planted(apart("one", "two", "three"))
    scorer = Scorer(Planted([any_of(0, 4.0, "one")]))
    run, _ = score_matrix(conversation, scorer, Job())
    screening = screen_run(run, scorer, Job())
    screening.land(screening.plan[0], Failure("refused"))
    assert VerdictReader(screening.snapshot(), 0.01).rows()[0].verdict is None

    try_pairs(screening, 0.01, scorer, Job())

    assert VerdictReader(screening.snapshot(), 0.01).rows()[0].verdict == "needed"
    assert not screening.snapshot().errors
