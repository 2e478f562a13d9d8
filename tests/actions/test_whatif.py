"""What-if: the numbers without some memories, beside those of the whole, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.engine import Scorer
from memscope.actions.score import fill, score_matrix
from memscope.actions.whatif import fill_what_if, new_what_if, what_if, what_if_plan
from memscope.attribution.aggregates import cutoffs
from memscope.attribution.matrix import NOT_VISIBLE, MatrixRun, State
from memscope.attribution.whatif import WhatIf
from memscope.base.errors import Cancelled, UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, response_text
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import Engine, ResponseScore
from memscope.engines.stored import stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.fakes import (
    LATE,
    PNPM,
    TABS,
    FormulaEngine,
    Remote,
    assistant,
    conversations,
    cut_otherwise_without,
    end_of_workers,
    fails_without,
    lacks,
    memory,
    noisy,
    office,
    talk,
    true_effects,
    user,
    weights,
)


class OnceEngine(FormulaEngine):
    """A text that stands twice weighs as much as if it stood once: a copy is as good as the memory."""

    def _formula(self, prompt: Prompt) -> list[ResponseScore]:
        seen: set[str] = set()
        turns = []
        for turn in prompt.turns:
            pieces = tuple(piece for piece in turn.pieces if turn.is_response or piece.text not in seen)
            seen |= {piece.text for piece in turn.pieces}
            turns.append(type(turn)(turn.role, pieces, turn.calls, turn.call_id, turn.name, turn.is_memory, turn.said))
        return super()._formula(Prompt(tuple(turns), prompt.tools))


def copies() -> Conversation:
    """Two copies of one fact, another fact, and one response to all of them."""
    return talk(
        memory("one", PNPM),
        memory("two", PNPM),
        memory("tabs", TABS),
        user("Which package manager is it?"),
        assistant("Use pnpm to install packages."),
    )


def found(engine: Engine, conversation: Conversation, *keys: str) -> WhatIf:
    run, _ = what_if(conversation, keys, Scorer(engine), Job())
    return run.snapshot()


@contextmanager
def kept(engine: Engine, folder: Path) -> Iterator[Scorer]:
    database = Database(folder)
    try:
        yield Scorer(stored(engine, ScoreStore(database)), database)
    finally:
        end_of_workers()
        database.close()


def test_removing_one_of_two_copies_changes_nothing_and_the_other_takes_over() -> None:
    conversation = copies()
    what = found(OnceEngine(), conversation, "one")
    effect = weights(PNPM, response_text(conversation, 4)).sum()
    assert effect != 0
    assert what.keys == ("two", "tabs") and what.removed == ("one",)
    assert what.change.tolist() == [0.0]
    assert what.before[0].tolist() == [0.0] and what.after[0].tolist() == [effect]
    assert what.differences.tolist() == [[effect], [0.0]]
    assert (what.state == State.OK).all() and (what.change_state == State.OK).all()


def test_removing_both_copies_costs_what_they_did_and_nothing_takes_over() -> None:
    conversation = copies()
    what = found(OnceEngine(), conversation, "two", "one")
    assert what.removed == ("one", "two")  # as they come in the conversation
    assert what.change.tolist() == [-weights(PNPM, response_text(conversation, 4)).sum()]
    assert what.differences.tolist() == [[0.0]]


@given(conversations, st.sets(st.sampled_from(["k0", "k1", "k2", "k3"]), min_size=1))
def test_where_nothing_overlaps_a_response_loses_the_sum_of_the_effects(
    conversation: Conversation, removed: set[str]
) -> None:
    keys = [entry.key for entry in conversation.memories]
    gone = [row for row, key in enumerate(keys) if key in removed]
    if not gone or not conversation.responses:
        return
    what = found(FormulaEngine(), conversation, *(keys[row] for row in gone))
    assert what.change.tolist() == (-true_effects(conversation)[gone].sum(axis=0)).tolist()
    assert not what.differences.any()
    assert what.reason is None and not what.errors


def test_nothing_removed_is_the_matrix_as_it_was() -> None:
    engine = FormulaEngine()
    scorer = Scorer(engine)
    whole, _ = score_matrix(office(), scorer, Job())
    run = new_what_if(whole, ())
    fill_what_if(run, scorer, Job())
    what, matrix = run.snapshot(), whole.snapshot()
    assert what.keys == matrix.keys
    assert np.array_equal(what.after, matrix.effects) and not what.differences.any()
    assert np.array_equal(what.less.baseline, matrix.baseline) and not what.change.any()


def test_all_memories_can_go() -> None:
    conversation = office()
    what = found(FormulaEngine(), conversation, "tabs", "pnpm", "late")
    assert what.keys == () and what.differences.shape == (0, 3)
    assert what.change.tolist() == (what.whole.stripped - what.whole.baseline).tolist()
    assert what.reason is None


def test_responses_before_all_that_is_gone_stay_as_they_are_and_no_noise_moves_them() -> None:
    what = found(FormulaEngine(after=noisy, concurrency=1), office(), "pnpm", "late")  # #3 and #7; responses #2, #5, #8
    assert what.change[0] == 0.0 and what.change_state[0] == State.BEFORE
    assert what.differences[0, 0] == 0.0 and what.state[0, 0] == State.BEFORE
    assert what.change_state[1:].tolist() == [State.OK] * 2


def test_the_cutoff_is_the_larger_of_both_sides() -> None:
    what = found(FormulaEngine(after=noisy, concurrency=1), office(), "tabs")
    cut = what.cutoffs(0.01)
    sides = [cutoffs(matrix, 0.01).noise for matrix in (what.whole, what.less)]
    assert (sides[0] != sides[1]).all()
    assert (cut.noise == np.fmax(*sides)).all() and (cut.cutoff == 3 * np.fmax(*sides)).all()
    for one, other in ((what.whole, what.less), (what.less, what.whole)):
        assert (replace(what, whole=one, less=other).cutoffs(0.01).cutoff == cut.cutoff).all()
    assert (what.cutoffs(1e6).cutoff == 1e6).all()


def test_what_any_text_may_move_under_the_engine_is_no_change() -> None:
    engine = FormulaEngine()
    engine.capabilities = replace(engine.capabilities, blur=0.5)
    for classic, cutoff in ((False, 0.5), (True, 0.01)):
        run, _ = what_if(office(), ["tabs"], Scorer(engine, classic=classic), Job())
        assert (run.snapshot().cutoffs(0.01).cutoff == cutoff).all()


def test_a_scoring_that_fails_without_them_fails_its_differences_with_the_reason() -> None:
    def both_gone(_call: int, prompt: Prompt) -> None:
        if lacks(prompt, TABS):
            fails_without(PNPM)(_call, prompt)

    what = found(FormulaEngine(before=both_gone), office(), "tabs")
    row = what.keys.index("pnpm")
    assert (what.state[row] == State.FAILED)[1:].all() and np.isnan(what.differences[row, 1:]).all()
    why = what.error(row, 1)
    assert why is not None and why.startswith("without them: ") and "refuses to go without" in why
    other = what.keys.index("late")
    assert what.error(other, 2) is None and np.isfinite(what.differences[other]).all()
    assert np.isfinite(what.change).all()


def test_a_memory_that_failed_as_it_was_fails_its_differences_too() -> None:
    def first(_call: int, prompt: Prompt) -> None:
        if not lacks(prompt, TABS):
            fails_without(PNPM)(_call, prompt)

    what = found(FormulaEngine(before=first), office(), "tabs")
    why = what.error(what.keys.index("pnpm"), 2)
    assert why is not None and why.startswith("as it was: ")


def test_a_baseline_that_fails_without_them_fails_all_with_the_reason() -> None:
    def gone(_call: int, prompt: Prompt) -> None:
        fails_without(TABS)(_call, prompt)

    what = found(FormulaEngine(before=gone), office(), "tabs")
    assert what.reason is not None and "without them could not be scored" in what.reason
    assert np.isnan(what.change).all() and (what.change_state == State.FAILED).all()
    assert (what.state[:, 2] == State.FAILED).all() and np.isnan(what.differences[:, 2]).all()
    assert what.error(None, 0) is not None and what.error(0, 2) == what.error(None, 2)


def test_a_baseline_that_fails_as_it_was_asks_nothing_further() -> None:
    def refuse(_call: int, _prompt: Prompt) -> None:
        fails_without("what is nowhere")(_call, _prompt)

    engine = FormulaEngine(before=refuse, concurrency=1)
    run, _ = what_if(office(), ["tabs"], Scorer(engine), Job())
    calls = engine.calls
    assert run.snapshot().reason is not None
    fill_what_if(run, Scorer(engine), Job())
    assert engine.calls == calls


def test_a_response_cut_into_other_tokens_without_them_is_not_compared() -> None:
    what = found(FormulaEngine(after=cut_otherwise_without(TABS, 1)), office(), "tabs")
    assert "retokenised" in (what.error(None, 1) or "")
    assert np.isnan(what.change[1]) and what.change_state[1] == State.FAILED
    assert np.isnan(what.differences[:, 1]).any()
    assert np.isfinite(what.change[[0, 2]]).all()


def test_memories_that_an_engine_never_shows_leave_no_change_to_tell() -> None:
    seen = cut_otherwise_without(LATE)  # marks of what is sent, the same tokens always

    def after(call: int, prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
        hidden = Prompt(tuple(turn for turn in prompt.turns if TABS not in turn.content), prompt.tools)
        return seen(call, hidden, scores)

    conversation = talk(memory("tabs", TABS), memory("late", LATE), user("Go."), assistant("Gone."))
    what = found(FormulaEngine(after=after), conversation, "tabs")
    assert what.error(None, 0) == NOT_VISIBLE and np.isnan(what.change).all()


def test_an_unknown_key_names_near_matches_and_costs_nothing() -> None:
    engine = FormulaEngine()
    with pytest.raises(UsageError, match="Did you mean tabs"):
        what_if(office(), ["tab"], Scorer(engine), Job())
    assert engine.calls == 0


def test_it_shares_what_is_on_disk_and_costs_nothing_again(tmp_path: Path) -> None:
    engine = FormulaEngine()
    with kept(engine, tmp_path) as scorer:
        whole, cost = score_matrix(office(), scorer, Job())
        assert cost.scorings == len(whole.plan)
        run = new_what_if(whole, ["tabs"])
        first = fill_what_if(run, scorer, Job())
        # its baseline and the one without any memory are the whole's; left are two memories and the repeat
        assert (first.scorings, first.from_store) == (3, 2)
        calls = engine.calls
        again, second = what_if(office(), ["tabs"], scorer, Job())
        assert second.scorings == 0 and engine.calls == calls
        assert second.from_store == len(whole.plan) + len(run.plan)
        undone, third = what_if(office(), (), scorer, Job())
        assert third.scorings == 0 and engine.calls == calls
    assert np.array_equal(again.snapshot().differences, run.snapshot().differences)
    assert np.array_equal(undone.snapshot().after, whole.snapshot().effects)


def test_the_plan_as_ablations_of_the_whole_is_what_is_asked_for(tmp_path: Path) -> None:
    engine = FormulaEngine()
    with kept(engine, tmp_path) as scorer:
        whole = MatrixRun(office())
        run = new_what_if(whole, ["tabs", "late"])
        fill(whole, (*whole.plan, *what_if_plan(run)), scorer, Job())
        cost = fill_what_if(run, scorer, Job())
    assert cost.scorings == 0 and cost.from_store == len(run.plan)
    assert what_if_plan(run)[:2] == (Ablation.of("tabs", "late"), Ablation.of("tabs", "late", "pnpm"))
    assert {AGAIN, BASELINE} <= set(run.plan)


def test_what_is_not_scored_as_it_was_is_still_to_come() -> None:
    scorer = Scorer(FormulaEngine())
    whole = MatrixRun(office())
    fill(whole, (BASELINE, Ablation.of("tabs")), scorer, Job())
    run = new_what_if(whole, ["tabs"])
    before = run.snapshot()
    assert (before.change_state == State.PENDING).all() and np.isnan(before.change).all()
    fill_what_if(run, scorer, Job())
    what = run.snapshot()
    assert np.isfinite(what.change).all()
    assert (what.state[what.keys.index("pnpm")][1:] == State.PENDING).all()
    assert run.missing() == ()


def test_cancelling_keeps_what_has_landed_and_resuming_asks_for_the_rest() -> None:
    job = Job()

    def stop(call: int, _prompt: Prompt) -> None:
        if call == 8:
            job.cancel()

    engine = FormulaEngine(before=stop, concurrency=1)
    scorer = Scorer(engine)
    whole, _ = score_matrix(office(), scorer, Job())
    run = new_what_if(whole, ["tabs"])
    with pytest.raises(Cancelled):
        fill_what_if(run, scorer, job)
    missing = run.missing()
    assert 0 < len(missing) < len(run.plan)
    end_of_workers()
    calls = engine.calls
    fill_what_if(run, scorer, Job())
    assert engine.calls == calls + len(missing) and not run.missing()


@pytest.mark.parametrize("key", ["tabs", "pnpm", "late"])
def test_the_embedded_engine_says_the_same_its_own_way_and_one_at_a_time(key: str) -> None:
    one, other = found(Embedded(), office(), key), found(Remote(Embedded()), office(), key)
    single = one.whole.effects[one.whole.keys.index(key)]
    np.testing.assert_allclose(one.change, -single, atol=1e-9)
    np.testing.assert_allclose(one.change, other.change, atol=1e-9)
    np.testing.assert_allclose(one.differences, other.differences, atol=1e-9)


def test_in_classic_mode_its_effects_are_clamped() -> None:
    run, _ = what_if(office(), ["tabs"], Scorer(FormulaEngine(), classic=True), Job())
    what = run.snapshot()
    assert (what.before >= 0).all() and (what.after >= 0).all()
    assert (what.cutoffs(0.25).cutoff == 0.25).all()
