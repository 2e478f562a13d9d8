"""Rounds of incremental scoring: what they keep, and what is left of one that fails or is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.actions.engine import Scorer
from memscope.actions.incremental import Due, cost_of_due, look_what_is_due, score_due, standings
from memscope.attribution.windows import Context
from memscope.base.clock import iso
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings
from memscope.conversation.lineage import lineage
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.protocol import Engine
from memscope.engines.stored import stored
from memscope.reports.incremental import IncrementalDocument, incremental_lines, shares
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from memscope.store.weights import Weighed, Weights
from tests.fakes import (
    LATE,
    PNPM,
    FormulaEngine,
    assistant,
    end_of_workers,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
)

NOW = 1_800_000_000.0
ALL = Settings(cutoff=1.0)  # no memory is too recent


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    end_of_workers()
    opened.close()


def scorer_of(engine: Engine, store: Database) -> Scorer:
    return Scorer(stored(engine, ScoreStore(store)), store)


def looked(scorer: Scorer, settings: Settings = ALL, *, at: float = NOW, of: Conversation | None = None) -> Due:
    return look_what_is_due(of or office(), scorer, settings, Job(), at=at)


def scored(scorer: Scorer, settings: Settings = ALL, *, at: float = NOW) -> IncrementalDocument:
    return score_due(looked(scorer, settings, at=at), scorer, settings, Job())


def weights_in(store: Database, scorer: Scorer | None = None) -> Weights:
    """Those of the office, by an engine with its own formula unless a scorer is given."""
    return Weights(store, lineage(office()), (scorer or Scorer(FormulaEngine())).digest)


def kept(store: Database) -> dict[str, list[Weighed]]:
    return weights_in(store).histories()


def test_scores_are_the_largest_effects_and_weights_are_kept(store: Database) -> None:
    document = scored(scorer_of(FormulaEngine(), store))
    largest = [max(0.0, row.max()) for row in true_effects(office())]
    assert [(row.key, row.score, row.weight) for row in document.scored] == [
        (key, score, score) for key, score in zip(("tabs", "pnpm", "late"), largest, strict=True)
    ]
    assert {row.last_scored for row in document.scored} == {iso(NOW)}
    assert kept(store) == {
        key: [Weighed(NOW, score, score)] for key, score in zip(("tabs", "pnpm", "late"), largest, strict=True)
    }


def test_a_second_round_moves_the_weights_and_keeps_the_history(store: Database) -> None:
    for key, weight in (("tabs", 100.0), ("pnpm", 0.0)):
        weights_in(store).add(key, Weighed(NOW - 4000, weight, weight))
    document = scored(scorer_of(FormulaEngine(), store))
    row = {row.key: row for row in document.scored}
    assert row["tabs"].weight == 100.0 + 0.1 * (row["tabs"].score - 100.0)
    assert row["pnpm"].weight == 0.5 * row["pnpm"].score
    assert (row["tabs"].before, row["late"].before) == (100.0, None)
    assert [len(times) for times in kept(store).values()] == [2, 2, 1]


def test_what_was_scored_is_not_due_until_it_is_old(store: Database) -> None:
    scorer = scorer_of(FormulaEngine(), store)
    scored(scorer)
    again = scored(scorer, at=NOW + 3599)
    assert ([row.key for row in again.fresh], again.scored, again.due) == (["tabs", "pnpm", "late"], [], [])
    assert len(scored(scorer, at=NOW + 3600).scored) == 3


def test_a_conversation_that_has_grown_goes_on_with_its_weights(store: Database) -> None:
    scorer = scorer_of(FormulaEngine(), store)
    scored(scorer)
    longer = talk(*office().messages, user("And now?"), assistant("Nothing more."))
    assert looked(scorer, of=longer).round.fresh == ("tabs", "pnpm", "late")


def test_a_failure_is_told_leaves_the_weight_alone_and_stops_nothing(store: Database) -> None:
    weights_in(store).add("pnpm", before := Weighed(NOW - 4000, 2.0, 2.0))
    document = scored(scorer_of(FormulaEngine(before=fails_without(PNPM)), store))
    assert [row.key for row in document.scored] == ["tabs", "late"]
    assert [(row.key, "refuses to go without" in row.error) for row in document.failed] == [("pnpm", True)]
    assert kept(store)["pnpm"] == [before]
    assert "pnpm" in looked(scorer_of(FormulaEngine(), store)).round.score


def test_every_weight_is_on_disk_before_the_next_memory_is_scored(store: Database) -> None:
    on_disk: list[set[str]] = []
    engine = FormulaEngine(concurrency=1, before=lambda _, prompt: on_disk.append(set(kept(store))))
    settings = Settings(cutoff=1.0, workers=1)
    scorer = Scorer(engine, store)  # nothing is found on disk
    score_due(looked(scorer, settings), scorer, settings, Job())
    assert on_disk == [set(), set(), {"tabs"}, {"tabs"}, {"tabs", "pnpm"}, {"tabs", "pnpm"}]


def test_a_round_that_is_cancelled_keeps_what_it_had_scored(store: Database) -> None:
    job = Job()
    scorer = scorer_of(FormulaEngine(), store)
    with pytest.raises(Cancelled):
        score_due(looked(scorer), scorer, ALL, job, told=lambda key: job.cancel() if key == "pnpm" else None)
    assert set(kept(store)) == {"tabs", "pnpm"}
    assert looked(scorer).round.score == ("late",)


def test_progress_counts_memories(store: Database) -> None:
    told: list[Progress] = []
    scorer = scorer_of(FormulaEngine(), store)
    score_due(looked(scorer), scorer, ALL, Job(told.append))
    assert [(one.done, one.total, one.unit, one.doing) for one in told] == [
        (0, 3, "memories", "tabs"),
        (1, 3, "memories", "pnpm"),
        (2, 3, "memories", "late"),
        (3, 3, "memories", ""),
    ]


def test_a_dry_run_scores_nothing_and_says_what_is_due(store: Database) -> None:
    engine = FormulaEngine()
    scorer = scorer_of(engine, store)
    document = score_due(looked(scorer), scorer, ALL, Job(), dry_run=True)
    assert (document.due, document.scored, document.dry_run) == (["tabs", "pnpm", "late"], [], True)
    assert (engine.calls, kept(store)) == (0, {})


def test_without_a_store_all_is_due_and_nothing_is_kept() -> None:
    document = scored(Scorer(FormulaEngine()))
    assert (len(document.scored), document.kept) == (3, False)


def test_only_the_wanted_number_of_responses_is_looked_at(store: Database) -> None:
    document = scored(scorer_of(FormulaEngine(), store), Settings(cutoff=1.0, responses=1))
    effects = true_effects(office())
    assert [row.score for row in document.scored] == [
        max(0.0, effects[row, column]) for row, column in ((0, 0), (1, 1), (2, 2))
    ]


def test_a_memory_no_response_follows_is_skipped_and_costs_nothing(store: Database) -> None:
    engine = FormulaEngine()
    found = talk(user("Hello."), assistant("Hi."), memory("last", LATE))
    scorer = scorer_of(engine, store)
    document = score_due(looked(scorer, of=found), scorer, ALL, Job())
    assert [(row.key, row.reason) for row in document.skipped] == [("last", "no response comes after it")]
    assert engine.calls == 0


def test_standings_tell_how_every_memory_stands(store: Database) -> None:
    scorer = scorer_of(FormulaEngine(), store)
    for at, weight in ((NOW - 9000, 8.0), (NOW - 5000, 4.0)):
        weights_in(store).add("tabs", Weighed(at, weight, weight))
    weights_in(store).add("pnpm", Weighed(NOW - 10, 1.0, 2.0))
    found = standings(looked(scorer, Settings(cutoff=0.5)))
    assert [(one.key, one.state, one.weight, one.last_scored) for one in found] == [
        ("tabs", "due", 4.0, NOW - 5000),
        ("pnpm", "fresh", 2.0, NOW - 10),
        ("late", "skipped", None, None),
    ]
    assert [one.at for one in found[0].history] == [NOW - 9000, NOW - 5000]
    assert [one.words for one in found[:2]] == ["due", "not due"]
    assert found[2].words.startswith("skipped: too recent")
    assert shares(found) == {"tabs": 1.0, "pnpm": 0.5}


def test_a_long_round_is_asked_about_and_a_short_one_is_not(store: Database) -> None:
    scorer = scorer_of(FormulaEngine(), store)
    estimate = cost_of_due(looked(scorer), scorer, Settings(cutoff=1.0, ask_above=1), Job())
    assert estimate is not None
    assert (estimate.scorings, estimate.known) == (4, 0)  # the conversation as it is stands before all three
    assert scored(scorer).cost.scorings == 4
    assert cost_of_due(looked(scorer), scorer, ALL, Job()) is None


@pytest.mark.parametrize("context", ["full", "window"])
def test_without_a_store_nothing_is_shared(context: Context) -> None:
    scorer, settings = Scorer(FormulaEngine()), Settings(cutoff=1.0, ask_above=1, context=context)
    estimate = cost_of_due(looked(scorer, settings), scorer, settings, Job())
    assert estimate is not None
    assert estimate.scorings == scored(scorer, settings).cost.scorings == 6


def test_stretches_without_what_was_before_are_not_shared(store: Database) -> None:
    scorer, settings = (
        scorer_of(FormulaEngine(), store),
        Settings(cutoff=1.0, ask_above=1, context="window", responses=1),
    )
    due = looked(scorer, settings, of=facts(3))  # stretches of one length, and nothing else in common
    estimate = cost_of_due(due, scorer, settings, Job())
    assert estimate is not None
    assert estimate.scorings == score_due(due, scorer, settings, Job()).cost.scorings == 6


def test_each_engine_has_weights_of_its_own(store: Database) -> None:
    one, other = (scorer_of(FormulaEngine(model=model), store) for model in ("one", "other"))
    first = scored(one)
    assert len(looked(other).round.score) == 3
    assert all(row.before is None for row in scored(other, at=NOW + 10).scored)
    again = scored(one, at=NOW + 5000)
    assert [row.before for row in again.scored] == [row.weight for row in first.scored]


def test_classic_weights_are_apart(store: Database) -> None:
    scorer = scorer_of(FormulaEngine(), store)
    scored(scorer)
    classic = Scorer(scorer.engine, store, classic=True)
    assert len(looked(classic).round.score) == 3
    assert looked(scorer).round.score == ()


def test_a_server_that_is_gone_ends_the_round_after_three_alike(store: Database) -> None:
    found = facts(6)
    engine = FormulaEngine(before=gone)
    scorer = scorer_of(engine, store)
    settings = Settings(cutoff=1.0, workers=1)
    document = score_due(looked(scorer, settings, of=found), scorer, settings, Job())
    assert [row.key for row in document.failed] == [f"m{n}" for n in range(6)]
    assert [row.error.startswith("not tried, because the ones before it failed: ") for row in document.failed] == [
        *[False] * 3,
        *[True] * 3,
    ]
    assert all("no answer" in row.error for row in document.failed)
    assert engine.calls <= 6  # one without the memory may have begun beside each
    assert Weights(store, lineage(found), scorer.digest).histories() == {}


def test_failures_that_differ_or_are_of_one_memory_end_nothing(store: Database) -> None:
    found = facts(6)
    for engine in (
        FormulaEngine(before=fails_each_time_otherwise),
        FormulaEngine(before=refuses_without_a_fact),
    ):
        settings = Settings(cutoff=1.0, workers=1, context="window")
        scorer = Scorer(engine)
        document = score_due(looked(scorer, settings, of=found), scorer, settings, Job())
        assert len(document.failed) == 6
        assert not any("not tried" in row.error for row in document.failed)


def test_in_classic_mode_all_are_tried(store: Database) -> None:
    engine = FormulaEngine(before=gone)
    scorer, settings = Scorer(engine, classic=True), Settings(cutoff=1.0, workers=1)
    document = score_due(looked(scorer, settings, of=facts(9)), scorer, settings, Job())
    assert (document.scored, document.failed) == ([], [])
    assert engine.calls >= 9


def test_what_another_round_has_scored_meanwhile_is_not_scored_again(store: Database) -> None:
    scorer = scorer_of(FormulaEngine(), store)
    due = looked(scorer)
    other = Weighed(NOW + 5, 7.0, 7.0)
    weights_in(store, scorer).add("pnpm", other)
    document = score_due(due, scorer, ALL, Job())
    assert [row.key for row in document.scored] == ["tabs", "late"]
    assert [(row.key, row.weight, row.last_scored) for row in document.fresh] == [("pnpm", 7.0, iso(NOW + 5))]
    assert kept(store)["pnpm"] == [other]


def test_a_weight_goes_on_from_what_is_on_disk_by_then(store: Database) -> None:
    scorer, settings = scorer_of(FormulaEngine(), store), Settings(cutoff=1.0, max_age=100)
    weights_in(store, scorer).add("tabs", Weighed(NOW - 900, 0.0, 0.0))
    due = looked(scorer, settings)
    weights_in(store, scorer).add("tabs", Weighed(NOW - 500, 100.0, 50.0))
    row = {row.key: row for row in score_due(due, scorer, settings, Job()).scored}["tabs"]
    assert row.before == 50.0


def test_what_was_scored_at_a_time_yet_to_come_waits_and_that_is_told(store: Database) -> None:
    scorer = scorer_of(FormulaEngine(), store)
    scored(scorer, at=NOW + 1e6)
    document = scored(scorer)  # the clock was set back
    assert (len(document.fresh), document.scored) == (3, [])
    assert incremental_lines(document) == ["", "0 scored, 3 not due (3 of them scored at a time yet to come)"]
    assert incremental_lines(scored(scorer, at=NOW + 1e6 + 10)) == ["", "0 scored, 3 not due"]


def test_where_nothing_is_due_no_tokens_are_counted(store: Database) -> None:
    class Counting(FormulaEngine):
        counted = 0

        def count(self, prompt: Prompt, job: Job) -> int:
            self.counted += 1
            return len(prompt.turns)

    engine = Counting()
    scorer = scorer_of(engine, store)
    scored(scorer)
    counted = engine.counted
    assert looked(scorer).round.fresh == ("tabs", "pnpm", "late")
    assert engine.counted == counted > 0


def facts(number: int) -> Conversation:
    """Memories, each with a response behind it."""
    return talk(*(one for n in range(number) for one in (memory(f"m{n}", f"Fact {n}."), assistant(f"Answer {n}."))))


def gone(_call: int, _prompt: Prompt) -> None:
    raise EngineError("no answer (connection refused)", where="http://somewhere")


def fails_each_time_otherwise(call: int, _prompt: Prompt) -> None:
    raise EngineError(f"request {call} came to nothing")


def refuses_without_a_fact(call: int, _prompt: Prompt) -> None:
    if call % 2 == 0:  # with one worker: every second is a scoring without a memory
        raise EngineError("the template refuses")
