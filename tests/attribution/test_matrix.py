"""A matrix being filled: what each cell is, whatever lands in which order."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.attribution.columns import columns
from memscope.attribution.matrix import NOT_VISIBLE, OTHERWISE, RETOKENISED, Matrix, MatrixRun, State
from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text
from memscope.conversation.render import render
from memscope.engines.protocol import Failure, Marks, ResponseScore
from tests.fakes import (
    LATE,
    PNPM,
    TABS,
    FormulaEngine,
    assistant,
    conversations,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
    without,
)

P, OK, F, B = State.PENDING, State.OK, State.FAILED, State.BEFORE
REFUSED = Failure("the server refuses")


def scores(conversation: Conversation, ablation: Ablation) -> list[ResponseScore]:
    return FormulaEngine().score(render(conversation, ablation), Job())


def run_of(conversation: Conversation, ablations: Iterable[Ablation] = ()) -> MatrixRun:
    """A run into which these have landed."""
    run = MatrixRun(conversation)
    for ablation in ablations:
        run.land(ablation, scores(conversation, ablation))
    return run


def filled(conversation: Conversation, engine: FormulaEngine | None = None) -> Matrix:
    run = MatrixRun(conversation)
    for ablation, result in columns(engine or FormulaEngine(), conversation, run.plan, Job()):
        run.land(ablation, result)
    return run.snapshot()


def test_a_whole_matrix_is_the_truth() -> None:
    conversation = office()

    matrix = filled(conversation)

    assert matrix.keys == ("tabs", "pnpm", "late")
    assert matrix.responses == (2, 5, 8)
    assert matrix.state.tolist() == [[OK, OK, OK], [B, OK, OK], [B, B, OK]]
    assert matrix.effects.tolist() == true_effects(conversation).tolist()
    assert matrix.baseline.tolist() == matrix.again.tolist() == [s.total for s in scores(conversation, BASELINE)]
    everything = without("tabs", "pnpm", "late")
    assert matrix.stripped.tolist() == [s.total for s in scores(conversation, everything)]
    assert matrix.tokens.tolist() == [s.count for s in scores(conversation, BASELINE)]
    assert not matrix.errors
    assert matrix.reason is None


@given(conversations)
def test_any_whole_matrix_is_the_truth(conversation: Conversation) -> None:
    matrix = filled(conversation)

    if matrix.reason is None:
        assert matrix.effects.tolist() == true_effects(conversation).tolist()
        assert not matrix.missing.any()
    else:
        assert not (conversation.memories and conversation.responses)


@given(st.randoms())
def test_the_order_of_landing_does_not_matter(order: random.Random) -> None:
    conversation = office()
    plan = list(MatrixRun(conversation).plan)
    order.shuffle(plan)

    shuffled = run_of(conversation, plan).snapshot()

    np.testing.assert_equal(vars(shuffled), vars(filled(conversation)))


def test_nothing_landed_is_pending_except_before() -> None:
    matrix = run_of(office()).snapshot()

    assert matrix.state.tolist() == [[P, P, P], [B, P, P], [B, B, P]]
    assert np.isnan(matrix.baseline).all()
    assert matrix.effects[matrix.state == B].tolist() == [0, 0, 0]
    assert np.isnan(matrix.effects[matrix.state == P]).all()


def test_rows_wait_for_the_baseline() -> None:
    run = run_of(office(), [without("tabs")])
    assert run.snapshot().state[0].tolist() == [P, P, P]
    run.take_dirty()

    run.land(BASELINE, scores(office(), BASELINE))

    assert run.snapshot().state[0].tolist() == [OK, OK, OK]
    assert run.take_dirty() == {0, 1, 2}


def test_a_failed_row_is_wholly_failed_and_alone() -> None:
    matrix = filled(office(), FormulaEngine(before=fails_without(LATE)))

    assert matrix.state.tolist() == [[OK, OK, OK], [B, OK, OK], [F, F, F]]
    assert np.isnan(matrix.effects[2]).all()
    assert np.isnan(matrix.stray[2]).all()
    everything = without("tabs", "pnpm", "late")
    assert matrix.errors == dict.fromkeys((without("late"), everything), f"the server refuses to go without {LATE!r}")
    assert np.isnan(matrix.stripped).all()
    assert matrix.reason is None


def test_a_second_baseline_that_failed_is_named() -> None:
    run = run_of(office(), [BASELINE])
    run.land(AGAIN, REFUSED)

    assert run.snapshot().errors == {AGAIN: "the server refuses"}
    assert np.isnan(run.snapshot().again).all()


@given(st.randoms())
def test_errors_stand_in_the_order_of_the_plan(order: random.Random) -> None:
    run = run_of(office())
    plan = list(run.plan)
    order.shuffle(plan)

    for ablation in plan:
        run.land(ablation, Failure(f"without {sorted(ablation.removed)}"))

    expected = [(ablation, f"without {sorted(ablation.removed)}") for ablation in run.plan]
    assert list(run.snapshot().errors.items()) == expected


def test_a_failed_baseline_is_the_reason_and_leaves_rows_pending() -> None:
    run = run_of(office(), [without("tabs")])
    run.land(BASELINE, REFUSED)

    matrix = run.snapshot()
    assert matrix.reason == "the conversation as it was could not be scored: the server refuses"
    assert matrix.state[0].tolist() == [P, P, P]


def test_a_baseline_that_succeeds_later_takes_the_reason_back() -> None:
    run = run_of(office())
    run.land(BASELINE, REFUSED)
    run.land(BASELINE, scores(office(), BASELINE))

    assert run.snapshot().reason is None


def test_only_what_failed_is_tried_again() -> None:
    run = run_of(office(), [BASELINE, without("tabs")])
    run.land(without("pnpm"), REFUSED)
    run.land(AGAIN, REFUSED)

    assert run.failed() == (without("pnpm"), AGAIN)

    run.land(without("pnpm"), scores(office(), without("pnpm")))
    assert run.failed() == (AGAIN,)
    assert run.snapshot().state[1].tolist() == [B, OK, OK]


def test_after_a_failed_baseline_all_that_has_no_numbers_is_tried_again() -> None:
    run = run_of(office(), [without("tabs")])
    run.land(BASELINE, REFUSED)

    assert set(run.failed()) == {*run.plan} - {without("tabs")}


def test_dirty_rows_are_those_that_landed_since() -> None:
    run = run_of(office())
    assert run.take_dirty() == {0, 1, 2}
    assert run.take_dirty() == set()

    run.land(without("tabs"), scores(office(), without("tabs")))
    assert run.take_dirty() == {0}
    run.land(without("tabs"), REFUSED)
    assert run.take_dirty() == {0}


@pytest.mark.parametrize(
    "ablation",
    [BASELINE, AGAIN, without("tabs", "pnpm", "late"), without("pnpm"), without("late")],
    ids=["baseline", "again", "everything", "pnpm", "late"],
)
@pytest.mark.parametrize("fails", [False, True])
def test_what_may_move_the_noise_floor_or_the_sums_makes_every_row_dirty(ablation: Ablation, fails: bool) -> None:
    run = run_of(office(), [BASELINE])
    run.take_dirty()

    run.land(ablation, REFUSED if fails else scores(office(), ablation))

    assert run.take_dirty() == {0, 1, 2}


@pytest.mark.parametrize("ablation", [without("nobody"), without("tabs", "pnpm")])
def test_what_is_no_row_lands_without_a_trace(ablation: Ablation) -> None:
    run = run_of(office(), MatrixRun(office()).plan)
    earlier = run.snapshot()

    run.land(ablation, REFUSED)
    assert not run.failed()
    run.land(ablation, scores(office(), ablation))

    np.testing.assert_equal(vars(run.snapshot()), vars(earlier))


def test_a_memory_after_the_last_response_is_not_scored_and_wholly_before() -> None:
    conversation = talk(memory("tabs", TABS), user("Hi."), assistant("Hello."), memory("late", LATE))

    run = MatrixRun(conversation)
    matrix = filled(conversation)

    assert run.plan == (BASELINE, without("tabs"), AGAIN)
    assert matrix.state.tolist() == [[OK], [B]]
    assert matrix.effects[1].tolist() == [0]
    assert matrix.stripped.tolist() == [s.total for s in scores(conversation, without("tabs"))]


def test_where_every_memory_comes_too_late_nothing_can_fail_but_the_baselines() -> None:
    conversation = talk(user("Hi."), assistant("Hello."), memory("late", LATE))

    matrix = filled(conversation)

    assert MatrixRun(conversation).plan == (BASELINE, AGAIN)
    assert matrix.state.tolist() == [[B]]
    assert matrix.stripped.tolist() == matrix.baseline.tolist()


def test_one_memory_is_all_memories() -> None:
    conversation = talk(memory("tabs", TABS), assistant("Hello there."))
    engine = FormulaEngine()

    matrix = filled(conversation, engine)

    assert engine.calls == 3
    assert (matrix.baseline - matrix.stripped).tolist() == matrix.effects[0].tolist() != [0]


def test_the_failure_of_the_only_memory_is_told_once() -> None:
    matrix = filled(talk(memory("tabs", TABS), assistant("Hello.")), FormulaEngine(before=fails_without(TABS)))

    assert list(matrix.errors) == [without("tabs")]


@pytest.mark.parametrize(
    ("conversation", "reason", "shape"),
    [
        (talk(), "the conversation has no response", (0, 0)),
        (talk(memory("tabs", TABS), user("Hi.")), "the conversation has no response", (1, 0)),
        (talk(user("Hi."), assistant("Hello.")), "no memory was found in the conversation", (0, 1)),
    ],
)
def test_without_memories_or_responses_there_is_a_reason_and_no_call(
    conversation: Conversation, reason: str, shape: tuple[int, int]
) -> None:
    engine = FormulaEngine()

    matrix = filled(conversation, engine)

    assert matrix.reason == reason
    assert matrix.effects.shape == matrix.state.shape == shape
    assert engine.calls == 0


def test_a_returning_memory_is_one_row_and_before_counts_from_its_first_place() -> None:
    conversation = talk(
        assistant("One."),
        memory("pnpm", PNPM),
        assistant("Two."),
        memory("tabs", TABS),
        memory("pnpm", PNPM),
        assistant("Three."),
    )

    matrix = filled(conversation)

    assert matrix.keys == ("pnpm", "tabs")
    assert matrix.state.tolist() == [[B, OK, OK], [B, B, OK]]
    assert matrix.effects.tolist() == true_effects(conversation).tolist()


def test_two_texts_under_one_key_are_one_memory() -> None:
    conversation = talk(memory("tabs", TABS), assistant("One."), memory("tabs", "Indent with spaces."), assistant("2."))

    matrix = filled(conversation)

    assert matrix.keys == ("tabs",)
    assert matrix.effects.tolist() == true_effects(conversation).tolist()


def test_a_memory_in_front_of_a_response_in_its_own_message_is_not_before() -> None:
    conversation = talk(Message("assistant", (Memory("tabs", TABS), Text("I will."))))

    assert MatrixRun(conversation).snapshot().state.tolist() == [[P]]


def test_what_an_engine_makes_of_before_cells_is_kept_apart() -> None:
    run = run_of(office(), [BASELINE])
    off = [ResponseScore(score.total - 0.25) for score in scores(office(), without("late"))]
    run.land(without("late"), off)

    matrix = run.snapshot()
    assert matrix.effects[2, :2].tolist() == [0, 0]
    assert matrix.stray[2, :2].tolist() == [0.25, 0.25]
    assert np.isnan(matrix.stray[2, 2])
    assert np.isnan(matrix.stray[:2]).all()


def test_a_snapshot_does_not_change_afterwards() -> None:
    run = run_of(office(), [BASELINE])
    earlier = run.snapshot()

    run.land(without("tabs"), scores(office(), without("tabs")))

    assert earlier.state[0].tolist() == [P, P, P]


def test_the_numbers_are_those_of_the_moment_of_landing() -> None:
    conversation, run = office(), MatrixRun(office())

    for ablation in run.plan:
        result = scores(conversation, ablation)
        run.land(ablation, result)
        result[:] = [ResponseScore(-1.0, count=99)]  # the caller's list is the caller's

    np.testing.assert_equal(vars(run.snapshot()), vars(filled(conversation)))


def test_nobody_writes_into_a_matrix() -> None:
    matrix = filled(office())
    arrays = {name: value for name, value in vars(matrix).items() if isinstance(value, np.ndarray)}

    assert set(arrays) == {"baseline", "again", "stripped", "effects", "stray", "state", "tokens"}
    for array in arrays.values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_picture_taken_does_not_stop_the_run() -> None:
    run = run_of(office(), [BASELINE])
    run.snapshot()

    for ablation in run.plan:
        run.land(ablation, scores(office(), ablation))

    assert run.snapshot().effects.tolist() == true_effects(office()).tolist()


def test_a_matrix_is_equal_to_itself_alone() -> None:
    run = run_of(office(), [BASELINE])
    one, other = run.snapshot(), run.snapshot()

    assert one in [one]
    assert one != other
    assert len({one, other}) == 2


def test_what_landed_is_there_as_it_came_from_the_engine() -> None:
    run = run_of(office(), [BASELINE])
    result = scores(office(), without("tabs"))
    run.land(without("tabs"), result)
    run.land(without("late"), REFUSED)

    found = run.landed([without("tabs"), without("pnpm"), without("late")])

    assert found.keys() >= {without("tabs")}
    assert found[without("tabs")] == result
    assert without("pnpm") not in found
    assert not isinstance(found.get(without("late")), list)


def test_where_tokens_are_not_kept_the_matrix_is_the_same_and_nothing_else_is_there() -> None:
    conversation = office()
    run = MatrixRun(conversation, keep_tokens=False)

    for ablation in run.plan:
        run.land(ablation, scores(conversation, ablation))

    assert not [result for result in run.landed(run.plan).values() if isinstance(result, list)]
    np.testing.assert_equal(vars(run.snapshot()), vars(filled(conversation)))


def test_snapshots_are_whole_while_threads_land_rows() -> None:
    """A row is either pending or right, in every picture taken while two workers fill in, fail and replace."""
    conversation = office()
    run, truth = MatrixRun(conversation), true_effects(conversation)
    results = [(ablation, scores(conversation, ablation)) for ablation in run.plan]
    done = threading.Event()

    def fill() -> None:
        for _ in range(100):
            run.land(BASELINE, REFUSED)
            for ablation, result in results:
                run.land(ablation, result)

    workers = [threading.Thread(target=fill) for _ in range(2)]
    watcher_saw: list[Matrix] = []

    def watch() -> None:
        while not done.is_set():
            watcher_saw.append(run.snapshot())

    watcher = threading.Thread(target=watch)
    for thread in (watcher, *workers):
        thread.start()
    for worker in workers:
        worker.join()
    done.set()
    watcher.join()

    for matrix in [*watcher_saw, run.snapshot()]:
        measured = matrix.state == OK
        assert (matrix.effects[measured] == truth[measured]).all()
        assert np.isnan(matrix.effects[matrix.state == P]).all()
        if matrix.reason:
            assert np.isnan(matrix.baseline).all()
            assert not measured.any()
    assert not run.snapshot().missing.any()


# The cells are kept up to date as scorings land: they are always what a computation from scratch says.


def from_scratch(run: MatrixRun, landed: Mapping[Ablation, list[ResponseScore] | Failure]) -> dict[str, object]:
    """The cells and what is told of them, from the last result of each ablation."""

    def totals(ablation: Ablation) -> np.ndarray:
        result = landed.get(ablation)
        if not isinstance(result, list):
            return np.full(len(run.responses), np.nan)
        return np.array([score.total for score in result])

    shape = len(run.keys), len(run.responses)
    effects, stray, state = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, P, np.uint8)
    firsts = [entry.first for entry in run.conversation.memories]
    for row, column in np.ndindex(shape):
        single = without(run.keys[row])
        raw = totals(BASELINE)[column] - totals(single)[column]
        if isinstance(landed.get(single), Failure):
            state[row, column] = F
        elif run.responses[column] < firsts[row]:
            effects[row, column], stray[row, column], state[row, column] = 0.0, raw, B
        elif not np.isnan(raw):
            effects[row, column], state[row, column] = raw, OK
    failed = [(a, landed[a]) for a in run.plan if isinstance(landed.get(a), Failure)]
    return {
        "baseline": totals(BASELINE),
        "again": totals(AGAIN),
        "stripped": totals(run.everything),
        "effects": effects,
        "stray": stray,
        "state": state,
        "errors": {ablation: failure.reason for ablation, failure in failed if isinstance(failure, Failure)},
    }


happenings = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["scores", "noise", "fails", "forgotten"])))


@given(happenings)
def test_after_any_landings_failures_and_retries_the_cells_are_those_computed_from_scratch(
    happened: list[tuple[int, str]],
) -> None:
    conversation = office()
    run = MatrixRun(conversation)
    landed: dict[Ablation, list[ResponseScore] | Failure] = {}

    for number, (index, what) in enumerate(happened):
        ablation = run.plan[index]
        if what == "forgotten":
            run.forget([ablation])
            landed.pop(ablation, None)
            continue
        off = number / 64 if what == "noise" else 0.0
        result = [ResponseScore(score.total - off, None, score.count) for score in scores(conversation, ablation)]
        landed[ablation] = Failure(f"trouble {number}") if what == "fails" else result
        run.land(ablation, landed[ablation])

        if number % 3 == 0:  # pictures taken on the way disturb nothing
            run.snapshot()

    matrix = vars(run.snapshot())
    expected = from_scratch(run, landed)
    np.testing.assert_equal({name: matrix[name] for name in expected}, expected)


def test_what_is_forgotten_is_pending_again_and_alone() -> None:
    run = run_of(office(), MatrixRun(office()).plan)
    run.take_dirty()

    run.forget([without("tabs")])

    assert run.snapshot().state.tolist() == [[P, P, P], [B, OK, OK], [B, B, OK]]
    assert run.take_dirty() == {0}
    assert run.landed([without("tabs")]) == {}


def test_what_was_forgotten_can_be_put_back_but_for_what_landed_since() -> None:
    run = run_of(office(), MatrixRun(office()).plan)
    earlier = run.snapshot()
    taken = run.forget([BASELINE, without("tabs"), without("pnpm"), without("nobody")])
    run.land(without("pnpm"), REFUSED)

    run.restore(taken)

    later = run.snapshot()
    assert later.state.tolist() == [[OK, OK, OK], [F, F, F], [B, B, OK]]
    assert later.effects[[0, 2]].tolist() == earlier.effects[[0, 2]].tolist()
    assert later.tokens.tolist() == earlier.tokens.tolist()
    assert run.failed() == (without("pnpm"),)


def test_what_has_no_numbers_is_missing_whether_it_failed_or_was_never_reached() -> None:
    run = run_of(office(), [BASELINE, without("tabs")])
    run.land(without("pnpm"), REFUSED)

    assert run.missing() == (without("pnpm"), without("late"), run.everything, AGAIN)
    assert not run.baseline_failed

    run.land(BASELINE, REFUSED)
    assert run.missing()[0] == BASELINE
    assert run.baseline_failed
    assert MatrixRun(talk()).missing() == ()


# Cells that fail alone: a score is comparable only with one of the same tokens, and after another context.


def marked(
    conversation: Conversation, ablation: Ablation, *, cut_otherwise: Iterable[int] = (), blind: Iterable[int] = ()
) -> list[ResponseScore]:
    """Scores with marks: for responses in `cut_otherwise` those of other tokens than usual, for those in `blind` of a
    template that shows no memory."""
    found = []
    for column, score in enumerate(scores(conversation, ablation)):
        tokens = b"other" if column in cut_otherwise else b"usual"
        context = b"always the same" if column in blind else repr(seen_before(conversation, ablation, column)).encode()
        found.append(replace(score, marks=Marks(tokens, context)))
    return found


def seen_before(conversation: Conversation, ablation: Ablation, column: int) -> list[str]:
    """The texts that stand before a response."""
    responses = [place for place, turn in enumerate(render(conversation, ablation).turns) if turn.is_response]
    return [turn.text for turn in render(conversation, ablation).turns[: responses[column]]]


def marked_run(**odd: dict[str, list[int]]) -> MatrixRun:
    """The office's run, with what is odd by memory key: `marked`'s options."""
    run = MatrixRun(office())
    for ablation in run.plan:
        run.land(ablation, marked(office(), ablation, **odd.get("_".join(sorted(ablation.removed)), {})))
    return run


def test_marks_that_fit_change_nothing() -> None:
    matrix, unmarked = vars(marked_run().snapshot()), vars(filled(office()))

    np.testing.assert_equal(matrix, unmarked)


def test_a_response_of_other_tokens_without_the_memory_fails_alone_as_retokenised() -> None:
    matrix = marked_run(tabs={"cut_otherwise": [1]}).snapshot()

    assert matrix.state.tolist() == [[OK, F, OK], [B, OK, OK], [B, B, OK]]
    assert matrix.error(0, 1) == RETOKENISED
    assert matrix.error(0, 0) is None
    assert matrix.cell_errors == {(0, 1): RETOKENISED}
    assert matrix.errors == {}
    assert np.isnan(matrix.effects[0, 1])
    assert matrix.effects[0, [0, 2]].tolist() == true_effects(office())[0, [0, 2]].tolist()


def test_a_memory_that_the_template_does_not_show_fails_after_it_and_not_before_it() -> None:
    run = MatrixRun(office())
    for ablation in run.plan:
        run.land(ablation, marked(office(), ablation, blind=[0, 1, 2]))
    matrix = run.snapshot()

    assert matrix.state.tolist() == [[F, F, F], [B, F, F], [B, B, F]]
    assert set(matrix.cell_errors.values()) == {NOT_VISIBLE}
    assert matrix.effects[matrix.state == B].tolist() == [0, 0, 0]
    assert not np.isnan(matrix.stray[matrix.state == B]).any()  # where nothing has to differ, nothing is wrong


def test_what_comes_back_for_other_tokens_before_the_memory_is_no_noise() -> None:
    matrix = marked_run(late={"cut_otherwise": [0]}).snapshot()

    assert matrix.state[2].tolist() == [B, B, OK]
    assert matrix.effects[2, 0] == 0
    assert np.isnan(matrix.stray[2, 0])
    assert matrix.stray[2, 1] == 0
    assert matrix.cell_errors == {}


def test_scores_of_two_ways_to_score_are_not_compared() -> None:
    run = marked_run()
    run.land(without("tabs"), [replace(score, marks=None) for score in marked(office(), without("tabs"))])
    matrix = run.snapshot()

    assert matrix.state[0].tolist() == [F, F, F]
    assert set(matrix.cell_errors.values()) == {OTHERWISE}


def test_a_repeated_baseline_of_other_tokens_says_nothing_of_noise() -> None:
    run = marked_run()
    run.land(AGAIN, marked(office(), AGAIN, cut_otherwise=[1]))

    assert np.isnan(run.snapshot().again).tolist() == [False, True, False]


def test_what_all_memories_did_together_is_not_known_where_tokens_differ() -> None:
    matrix = marked_run(late_pnpm_tabs={"cut_otherwise": [2]}).snapshot()

    assert np.isnan(matrix.stripped).tolist() == [False, False, True]
    assert not matrix.missing.any()


def test_a_memory_without_a_word_is_seen_nowhere_and_that_is_no_failure() -> None:
    conversation = talk(memory("blank", " \n"), memory("tabs", TABS), assistant("Hello."))
    run = MatrixRun(conversation)
    for ablation in run.plan:
        run.land(ablation, marked(conversation, ablation, blind=[0]))

    assert run.snapshot().state.tolist() == [[OK], [F]]


@pytest.mark.parametrize("failing", [BASELINE, without("pnpm")])
def test_a_single_response_without_a_score_fails_alone(failing: Ablation) -> None:
    run = MatrixRun(office())
    for ablation in run.plan:
        result = marked(office(), ablation)
        if ablation == failing:
            result[1] = ResponseScore(float("nan"), failure="the template shows nothing of it")
        run.land(ablation, result)
    matrix = run.snapshot()

    failed = [[OK, F, OK], [B, F, OK], [B, B, OK]] if failing == BASELINE else [[OK, OK, OK], [B, F, OK], [B, B, OK]]
    assert matrix.state.tolist() == failed
    assert set(matrix.cell_errors.values()) == {"the template shows nothing of it"}
    assert matrix.reason is None
    assert np.isnan(matrix.stripped[1]) == (failing == BASELINE)


def test_cells_that_failed_alone_are_not_to_be_scored_again() -> None:
    run = marked_run(tabs={"cut_otherwise": [0, 1, 2]})

    assert run.snapshot().state[0].tolist() == [F, F, F]
    assert run.failed() == run.missing() == ()


def test_a_cells_failure_goes_with_its_scoring_and_comes_back_with_it() -> None:
    run = marked_run(tabs={"cut_otherwise": [1]})
    earlier = run.snapshot()

    taken = run.forget([without("tabs")])
    forgotten = run.snapshot()
    run.restore(taken)
    restored = run.snapshot()
    run.land(without("tabs"), marked(office(), without("tabs")))
    again = run.snapshot()

    assert forgotten.state[0].tolist() == [P, P, P]
    assert forgotten.cell_errors == {}
    np.testing.assert_equal(vars(restored), vars(earlier))
    assert again.state[0].tolist() == [OK, OK, OK]
    assert again.cell_errors == {}


def test_another_baseline_is_compared_with_all_that_has_landed() -> None:
    run = marked_run()

    run.land(BASELINE, marked(office(), BASELINE, cut_otherwise=[0]))
    assert run.snapshot().state.tolist() == [[F, OK, OK], [B, OK, OK], [B, B, OK]]
    run.land(BASELINE, marked(office(), BASELINE))
    assert not run.snapshot().missing.any()


def test_a_row_that_fails_as_a_whole_has_one_reason() -> None:
    run = marked_run(tabs={"cut_otherwise": [1]})

    run.land(without("tabs"), REFUSED)
    matrix = run.snapshot()

    assert matrix.cell_errors == {}
    assert [matrix.error(0, column) for column in range(3)] == ["the server refuses"] * 3
