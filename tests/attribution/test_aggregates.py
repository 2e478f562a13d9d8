"""What a matrix adds up to, against a literal loop; and where the noise ends."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.attribution.aggregates import (
    Cutoffs,
    Noise,
    above,
    cutoffs,
    important,
    memory_totals,
    noise_of,
    response_totals,
    share,
    strongest_cells,
)
from memscope.attribution.matrix import Matrix, State

P, OK, F, B = State.PENDING, State.OK, State.FAILED, State.BEFORE
BASE = -100.0


def made(
    effects: list[list[float]],
    state: list[list[State]] | None = None,
    *,
    again: list[float] | None = None,
    stripped: list[float] | None = None,
    stray: list[list[float]] | None = None,
    width: int | None = None,
) -> Matrix:
    """A matrix as written; `again` and `stripped` are differences to the baseline."""
    n, m = len(effects), len(effects[0]) if effects else width or 0
    states = np.array(state if state is not None else np.full((n, m), OK), np.uint8).reshape(n, m)
    values = np.array(effects, np.float64).reshape(n, m)
    return Matrix(
        keys=tuple(f"k{row}" for row in range(n)),
        responses=tuple(range(m)),
        baseline=np.full(m, BASE),
        again=BASE - np.array(again or [0.0] * m),
        stripped=BASE - np.array(stripped or [0.0] * m),
        effects=np.where(np.isin(states, (P, F)), nan, np.where(states == B, 0.0, values)),
        stray=np.full((n, m), nan) if stray is None else np.array(stray),
        state=states,
        tokens=np.zeros(m, np.int64),
        errors={},
        cell_errors={},
    )


def none(count: int) -> Cutoffs:
    return Cutoffs(np.zeros(count), np.zeros(count))


MIXED = made(
    [
        [2.0, -1.0, 0.5],
        [9.0, 9.0, 9.0],
        [9.0, 3.0, 4.0],
        [-1.0, -2.0, -3.0],
    ],
    [[OK, OK, OK], [F, F, F], [B, OK, OK], [OK, OK, P]],
    stripped=[5.0, 1.0, 2.0],
)


def test_a_memory_adds_up() -> None:
    totals = memory_totals(MIXED, Cutoffs(np.zeros(3), np.array([1.0, 3.0, 0.25])))

    np.testing.assert_array_equal(totals.total, [2.5, nan, 7.0, 0.0])
    np.testing.assert_array_equal(totals.net, [1.5, nan, 7.0, -3.0])
    np.testing.assert_array_equal(totals.max, [2.0, nan, 4.0, -1.0])
    np.testing.assert_array_equal(totals.mean, [0.5, nan, 3.5, -1.5])
    np.testing.assert_array_equal(totals.against, [-1.0, nan, 0.0, -3.0])
    assert totals.responses.tolist() == [2, 0, 1, 0]
    assert totals.left_out.tolist() == [0, 3, 0, 1]


def test_a_response_adds_up() -> None:
    totals = response_totals(MIXED, none(3))

    assert totals.total.tolist() == [2.0, 3.0, 4.5]
    assert totals.stripped.tolist() == [5.0, 1.0, 2.0]
    assert totals.top.tolist() == [0, 2, 2]
    assert totals.left_out.tolist() == [1, 1, 2]


def test_there_is_no_gap_where_a_cell_is_missing() -> None:
    whole = made([[1.0, 4.0, 1.0], [1.0, -5.0, 0.0]], [[OK, OK, OK], [OK, OK, B]], stripped=[6.0, 1.0, 1.0])
    broken = made([[1.0, 4.0], [1.0, -5.0]], [[OK, OK], [OK, F]], stripped=[6.0, 1.0])

    assert response_totals(whole, none(3)).gap.tolist() == [4.0, 2.0, 0.0]
    np.testing.assert_array_equal(response_totals(broken, none(2)).gap, [4.0, nan])


def test_before_cells_count_as_nothing_but_are_not_left_out() -> None:
    totals = memory_totals(made([[9.0, 2.0]], [[B, OK]]), none(2))

    assert (totals.mean.tolist(), totals.max.tolist(), totals.left_out.tolist()) == ([2.0], [2.0], [0])


def test_a_memory_that_is_wholly_before_did_nothing_and_has_no_mean() -> None:
    totals = memory_totals(made([[9.0, 2.0]], [[B, B]]), none(2))

    assert (totals.total.tolist(), totals.net.tolist(), totals.max.tolist()) == ([0.0], [0.0], [0.0])
    assert isnan(totals.mean[0])


@pytest.mark.parametrize("state", [F, P])
def test_nothing_adds_up_where_every_cell_is_missing(state: State) -> None:
    matrix = made([[1.0, 2.0]], [[state, state]])

    by_memory, by_response = memory_totals(matrix, none(2)), response_totals(matrix, none(2))

    for values in (by_memory.total, by_memory.net, by_memory.max, by_memory.mean, by_memory.against):
        assert np.isnan(values).all()
    assert np.isnan(by_response.total).all()
    assert np.isnan(by_response.gap).all()
    assert by_response.top.tolist() == [-1, -1]
    assert by_memory.responses.tolist() == [0]


def test_a_memory_of_which_only_what_comes_before_it_is_known_adds_up_to_nothing() -> None:
    totals = memory_totals(made([[0.0, 2.0], [0.0, 2.0]], [[B, F], [B, P]]), none(2))

    assert isnan(totals.total[0])
    assert isnan(totals.max[0])
    assert totals.left_out.tolist() == [1, 1]
    assert totals.total[1] == 0.0  # nothing has failed yet


def test_sums_leave_out_a_cell_that_failed_alone() -> None:
    matrix = made([[1.0, 4.0], [2.0, -5.0]], [[OK, F], [OK, OK]], stripped=[3.0, 1.0])

    by_memory, by_response = memory_totals(matrix, none(2)), response_totals(matrix, none(2))

    assert (by_memory.total.tolist(), by_memory.left_out.tolist()) == ([1.0, 2.0], [1, 0])
    assert (by_response.total.tolist(), by_response.left_out.tolist()) == ([3.0, 0.0], [0, 1])
    np.testing.assert_array_equal(by_response.gap, [0.0, nan])


def test_stripped_is_missing_where_its_scoring_is() -> None:
    matrix = made([[1.0]], stripped=[nan])

    totals = response_totals(matrix, none(1))
    assert isnan(totals.stripped[0])
    assert isnan(totals.gap[0])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_empty_matrices_add_up_to_nothing(shape: tuple[int, int]) -> None:
    n, m = shape
    matrix = made([[0.0] * m for _ in range(n)], width=m)
    cut = cutoffs(matrix, 0.01)

    assert cut.cutoff.tolist() == [0.01] * m
    assert memory_totals(matrix, cut).total.shape == (n,)
    assert response_totals(matrix, cut).top.tolist() == [-1] * m
    assert strongest_cells(matrix, cut, 5) == []


# The noise floor


def test_the_floor_is_the_difference_of_the_two_baselines() -> None:
    cut = cutoffs(made([[0.0, 0.0]], again=[0.5, -0.25]), 0.01)

    assert cut.noise.tolist() == [0.5, 0.25]
    assert cut.cutoff.tolist() == [1.5, 0.75]


def test_the_floor_takes_in_what_came_back_for_cells_before() -> None:
    states = [[B, OK], [B, OK], [OK, OK]]
    stray = [[0.5, nan], [-2.0, nan], [nan, nan]]

    cut = cutoffs(made([[0.0, 0.0]] * 3, states, again=[1.0, 0.125], stray=stray), 0.01)

    assert cut.noise.tolist() == [2.0, 0.125]


def test_without_a_second_baseline_the_floor_is_what_is_left() -> None:
    cut = cutoffs(made([[0.0, 0.0]], [[B, OK]], again=[nan, nan], stray=[[0.5, nan]]), 0.01)

    np.testing.assert_array_equal(cut.noise, [0.5, nan])
    assert cut.cutoff.tolist() == [1.5, 0.01]


def test_the_threshold_holds_where_the_noise_is_less() -> None:
    assert cutoffs(made([[0.0]], again=[0.25]), 1.0).cutoff.tolist() == [1.0]


def test_the_noise_of_a_run_is_its_largest_floor_and_what_that_came_from() -> None:
    states = [[B, OK, OK], [OK, OK, OK]]
    effects = [[0.0, 0.7, 0.2], [1.6, -0.74, 9.0]]
    matrix = made(effects, states, again=[0.125, 0.25, 0.0], stray=[[0.5, nan, nan], [nan] * 3])
    repeated = made(effects, states, again=[0.125, 0.25, 0.0], stray=[[0.0625, nan, nan], [nan] * 3])

    assert noise_of(matrix, cutoffs(matrix, 0.25), 0.25) == Noise(0.5, 0.25, "before", cells=2)
    assert noise_of(repeated, cutoffs(repeated, 0.25), 0.25) == Noise(0.25, 0.125, "repeat", cells=2)


def test_what_is_below_the_threshold_alone_is_not_counted_as_noise() -> None:
    matrix = made([[0.1, 0.1], [9.0, 0.5]], [[OK, OK], [F, OK]], again=[0.0, 0.25])

    assert noise_of(matrix, cutoffs(matrix, 0.5), 0.5).cells == 2  # of the second response: 3 x 0.25 is above it
    assert noise_of(matrix, cutoffs(matrix, 0.75), 0.75).cells == 0
    assert noise_of(matrix, cutoffs(matrix, 0.0), 0.0).cells == 2


def test_noise_that_nothing_measured_is_not_known() -> None:
    unmeasured = made([[0.0, 0.0]], again=[nan, nan])

    assert noise_of(unmeasured, cutoffs(unmeasured, 0.01), 0.01) == Noise(None, None, None, 0)
    partly = made([[0.0, 0.0]], again=[nan, 0.5])
    assert noise_of(partly, cutoffs(partly, 0.01), 0.01) == Noise(0.5, 0.5, "repeat", 1)


# What is important


def test_important_is_strictly_above_the_cutoff_strongest_first() -> None:
    matrix = made([[1.0], [3.0], [0.5], [-9.0], [2.0]])

    assert important(matrix, Cutoffs(np.zeros(1), np.array([0.5])), 0) == [1, 4, 0]


def test_equal_effects_stay_in_key_order() -> None:
    matrix = made([[1.0], [2.0], [1.0], [2.0]])

    assert important(matrix, none(1), 0) == [1, 3, 0, 2]
    assert response_totals(matrix, none(1)).top.tolist() == [1]


def test_missing_and_before_cells_are_never_important() -> None:
    matrix = made([[9.0], [9.0], [9.0], [1.0]], [[F], [P], [B], [OK]])

    assert important(matrix, none(1), 0) == [3]


def test_a_response_that_nothing_moved_has_no_top() -> None:
    assert response_totals(made([[0.01], [0.005]]), cutoffs(made([[0.0], [0.0]]), 0.01)).top.tolist() == [-1]


def test_the_strongest_cells_go_either_way_and_leave_noise_out() -> None:
    matrix = made([[1.0, -5.0], [0.25, 9.0], [1.0, 9.0]], [[OK, OK], [OK, OK], [OK, F]])
    cut = Cutoffs(np.zeros(2), np.array([0.5, 0.5]))

    assert strongest_cells(matrix, cut, 10) == [(1, 1), (0, 1), (0, 0), (2, 0)]
    assert strongest_cells(matrix, cut, 2) == [(1, 1), (0, 1)]


@given(st.integers(0, 8), st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, nan]), min_size=1, max_size=12))
def test_a_few_of_the_strongest_cells_are_the_first_of_all_of_them(count: int, effects: list[float]) -> None:
    matrix = made([effects, effects[::-1]], [[P if isnan(e) else OK for e in row] for row in (effects, effects[::-1])])
    cells = [(-abs(e), cell) for cell, e in np.ndenumerate(matrix.effects) if abs(e) > 0.25]

    assert strongest_cells(matrix, Cutoffs(matrix.again, np.full(len(effects), 0.25)), count) == [
        cell for _, cell in sorted(cells)[:count]
    ]


@pytest.mark.parametrize(
    ("effects", "cutoff", "indices"),
    [
        ([1.0, 3.0, 0.5, -9.0, 2.0], 0.5, [1, 4, 0]),
        ([1.0, 2.0, 1.0, 2.0], 0.0, [1, 3, 0, 2]),
        ([nan, 1.0, nan], 0.0, [1]),
        ([inf, 1.0], 0.0, [0, 1]),
        ([1.0, 2.0], nan, []),
        ([0.0, -1.0], 0.0, []),
        ([], 0.0, []),
    ],
)
def test_above_is_strict_strongest_first_and_in_order(effects: list[float], cutoff: float, indices: list[int]) -> None:
    assert above(np.array(effects, np.float64), cutoff) == indices


@pytest.mark.parametrize(
    ("effect", "stripped", "cutoff", "part"),
    [
        (1.0, 4.0, 0.01, 0.25),
        (6.0, 4.0, 0.01, 1.5),
        (1.0, 0.01, 0.01, None),
        (1.0, -4.0, 0.01, None),
        (1.0, 0.0, 0.0, None),
        (1.0, nan, 0.01, None),
        (0.5, 2.0, 3.0, None),  # what all did together is noise
    ],
)
def test_a_share_needs_something_to_divide(effect: float, stripped: float, cutoff: float, part: float | None) -> None:
    assert share(effect, stripped, cutoff) == part


# Against a literal loop

_cell = st.tuples(st.integers(-12, 12).map(lambda n: n / 4), st.sampled_from([OK, OK, OK, B]))


@st.composite
def _matrices(draw: st.DrawFn) -> Matrix:
    n, m = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    cell = st.tuples(st.just(0.0), st.just(F)) if draw(st.booleans()) else _cell  # or those that fail alone too
    rows = [draw(st.lists(_cell | cell, min_size=m, max_size=m)) for _ in range(n)]
    fates = [draw(st.sampled_from([None, None, F, P])) for _ in rows]
    states = [[fate or state for _, state in row] for row, fate in zip(rows, fates, strict=True)]
    differences = st.lists(st.integers(-8, 8).map(lambda k: k / 8), min_size=m, max_size=m)
    again, stripped = draw(differences), draw(differences)
    return made([[e for e, _ in row] for row in rows], states, again=again, stripped=stripped, width=m)


@given(_matrices(), st.sampled_from([0.0, 0.01, 1.0]))
def test_every_sum_is_what_a_loop_gives(matrix: Matrix, threshold: float) -> None:
    cut = cutoffs(matrix, threshold)
    by_memory, by_response = memory_totals(matrix, cut), response_totals(matrix, cut)

    for row in range(len(matrix.keys)):
        states, effects = matrix.state[row].tolist(), matrix.effects[row].tolist()
        cells = [(column, e) for column, (e, s) in enumerate(zip(effects, states, strict=True)) if s in (OK, B)]
        measured = [e for e, s in zip(effects, states, strict=True) if s == OK]
        left_out = len(states) - len(cells)
        if F in states and not measured:
            cells = []
        expected = {
            "total": sum(max(e, 0.0) for _, e in cells) if cells else nan,
            "net": sum(e for _, e in cells) if cells else nan,
            "max": max((e for _, e in cells), default=nan),
            "mean": sum(measured) / len(measured) if measured else nan,
            "responses": sum(e > cut.cutoff[column] for column, e in cells),
            "against": sum(min(e, 0.0) for _, e in cells) if cells else nan,
            "left_out": left_out,
        }
        for name, value in expected.items():
            np.testing.assert_equal(getattr(by_memory, name)[row], value, err_msg=name)

    for column in range(len(matrix.responses)):
        states, effects = matrix.state[:, column].tolist(), matrix.effects[:, column].tolist()
        known = [e for e, s in zip(effects, states, strict=True) if s in (OK, B)]
        whole = len(known) == len(states)
        top, strongest = -1, float(cut.cutoff[column])
        for row, effect in enumerate(effects):
            if effect > strongest:
                top, strongest = row, effect
        expected = {
            "total": sum(max(e, 0.0) for e in known) if known else nan,
            "stripped": matrix.baseline[column] - matrix.stripped[column],
            "gap": matrix.baseline[column] - matrix.stripped[column] - sum(known) if whole else nan,
            "top": top,
            "left_out": len(states) - len(known),
        }
        for name, value in expected.items():
            np.testing.assert_equal(getattr(by_response, name)[column], value, err_msg=name)
        listed = sorted((-e, row) for row, e in enumerate(effects) if e > cut.cutoff[column])
        assert important(matrix, cut, column) == [row for _, row in listed]


@given(_matrices())
def test_memories_and_responses_share_one_sum(matrix: Matrix) -> None:
    cut = cutoffs(matrix, 0.0)

    assert np.nansum(memory_totals(matrix, cut).total) == np.nansum(response_totals(matrix, cut).total)


def test_an_infinite_floor_lets_nothing_through() -> None:
    matrix = replace(made([[5.0]]), again=np.array([-inf]))

    assert important(matrix, cutoffs(matrix, 0.01), 0) == []
