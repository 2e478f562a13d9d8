"""The heatmap's numbers: the units, what they add up to, and the whole of it in few cells."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from memscope.actions.engine import Scorer
from memscope.actions.score import score_matrix
from memscope.attribution.aggregates import Cutoffs, cutoffs, memory_totals, response_totals, share
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE
from memscope.engines.protocol import ResponseScore
from memscope.reports.grid import grid, overview, units
from memscope.reports.scale import Unit
from tests.fakes import LATE, FormulaEngine, fails_without, office, without

P, OK, F, B = State.PENDING, State.OK, State.FAILED, State.BEFORE
every_unit = pytest.mark.parametrize("unit", ["nats", "per token", "share"])


@cache
def scored(failing: str = "", threshold: float = 0.01) -> tuple[Matrix, Cutoffs]:
    engine = FormulaEngine(before=fails_without(failing) if failing else None)
    run, _ = score_matrix(office(), Scorer(engine), Job())
    return run.snapshot(), cutoffs(run.snapshot(), threshold)


def test_in_nats_it_is_the_matrix_and_its_totals() -> None:
    matrix, cut = scored(failing=LATE)

    drawn = grid(matrix, cut)

    np.testing.assert_equal(drawn.values, matrix.effects)
    np.testing.assert_equal(drawn.state, matrix.state)
    np.testing.assert_equal(drawn.row_totals, memory_totals(matrix, cut).total)
    np.testing.assert_equal(drawn.column_totals, response_totals(matrix, cut).total)
    assert (drawn.keys, drawn.responses, drawn.unit, drawn.signed) == (matrix.keys, matrix.responses, "nats", True)


@every_unit
def test_the_units_are_those_of_every_report(unit: Unit) -> None:
    matrix, cut = scored()
    stripped = response_totals(matrix, cut).stripped

    values = grid(matrix, cut, unit).values

    for row, column in np.argwhere(matrix.state == OK):
        effect = matrix.effects[row, column]
        expected = {
            "nats": effect,
            "per token": effect / matrix.tokens[column],
            "share": share(effect, float(stripped[column]), float(cut.cutoff[column])),
        }[unit]
        assert np.isnan(values[row, column]) if expected is None else values[row, column] == expected
    assert (values[matrix.state == B] == 0).all()


@every_unit
def test_clamped_is_signed_without_what_is_negative(unit: Unit) -> None:
    matrix, cut = scored()
    signed, clamped = grid(matrix, cut, unit), grid(matrix, cut, unit, signed=False)

    assert (signed.values[~np.isnan(signed.values)] < 0).any()
    np.testing.assert_equal(clamped.values, np.maximum(signed.values, 0.0))
    np.testing.assert_equal(clamped.row_totals, signed.row_totals)
    np.testing.assert_equal(clamped.column_totals, signed.column_totals)


def test_noise_is_what_was_measured_and_does_not_exceed_the_cutoff() -> None:
    matrix, cut = scored(threshold=1.0)
    signed, clamped = grid(matrix, cut), grid(matrix, cut, signed=False)

    measured = matrix.state == OK
    assert signed.noise.any()
    assert signed.noise.tolist() == (measured & (np.abs(matrix.effects) <= 1.0)).tolist()
    assert (measured & (matrix.effects < -1.0)).any()
    assert clamped.noise.tolist() == signed.noise.tolist()  # what is clamped is no noise


def test_a_matrix_without_tokens_or_without_the_stripped_conversation_has_fewer_units() -> None:
    run = MatrixRun(office())
    assert units(run.snapshot()) == ("nats",)

    run.land(BASELINE, [ResponseScore(-1.0), ResponseScore(-2.0), ResponseScore(-3.0)])
    run.land(without("tabs"), [ResponseScore(-2.0), ResponseScore(-2.0), ResponseScore(-2.0)])
    matrix, cut = run.snapshot(), cutoffs(run.snapshot(), 0.01)
    assert units(matrix) == ("nats",)
    assert np.isnan(grid(matrix, cut, "per token").values[0]).all()
    assert np.isnan(grid(matrix, cut, "share").values[0]).all()

    run.land(run.everything, [ResponseScore(-9.0), ResponseScore(-9.0), ResponseScore(-9.0)])
    assert units(run.snapshot()) == ("nats", "share")
    assert units(scored()[0]) == ("nats", "per token", "share")


def test_what_has_nothing_to_sum_has_no_total() -> None:
    matrix, cut = scored(failing=LATE)
    assert np.isnan(grid(matrix, cut).row_totals).tolist() == [False, False, True]

    pending = MatrixRun(office()).snapshot()
    empty = grid(pending, cutoffs(pending, 0.01))
    assert np.isnan(empty.row_totals).tolist() == [True, False, False]  # of the others some cells are known to be 0
    assert np.isnan(empty.column_totals).tolist() == [False, False, True]


# In few cells

shapes = st.tuples(st.integers(0, 9), st.integers(0, 9))


@st.composite
def cells(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.bool_]]:
    shape = draw(shapes)
    state = draw(arrays.arrays(np.uint8, shape, elements=st.sampled_from([P, OK, F, B])))
    sizes = draw(arrays.arrays(np.float64, shape, elements=st.sampled_from([-3.0, -1.0, -0.25, 0.0, 0.25, 1.0, 3.0])))
    values = np.where(state == OK, sizes, np.where(state == B, 0.0, np.nan))
    return values, state, (state == OK) & (np.abs(values) <= 0.5)


@given(cells(), st.integers(1, 12), st.integers(1, 12))
def test_each_cell_of_an_overview_tells_the_most_of_its_rectangle(
    drawn: tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.bool_]], height: int, width: int
) -> None:
    values, state, noise = drawn

    small = overview(values, state, noise, height, width)

    n, m = values.shape
    assert small.values.shape == small.state.shape == small.noise.shape == (min(n, height), min(m, width))
    assert (small.rows[0], small.rows[-1], small.columns[0], small.columns[-1]) == (0, n, 0, m)
    for i, j in np.ndindex(small.values.shape):
        part = np.s_[small.rows[i] : small.rows[i + 1], small.columns[j] : small.columns[j + 1]]
        assert values[part].size
        loud = values[part][(state[part] == OK) & ~noise[part]]
        told = loud if loud.size else values[part][np.isfinite(values[part])]
        if told.size:
            assert abs(small.values[i, j]) == np.abs(told).max()
            assert small.values[i, j] in told
        else:
            assert np.isnan(small.values[i, j])
        assert small.noise[i, j] == (not loud.size and noise[part].any())
        assert small.state[i, j] == next(one for one in (OK, F, P, B) if (state[part] == one).any())
        assert small.at(int(small.rows[i]), int(small.columns[j])) == (i, j)
        assert small.at(int(small.rows[i + 1]) - 1, int(small.columns[j + 1]) - 1) == (i, j)


@given(cells(), st.integers(1, 12), st.integers(1, 12))
def test_an_overview_cell_leads_to_the_cell_it_shows(
    drawn: tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.bool_]], height: int, width: int
) -> None:
    values, state, noise = drawn
    small = overview(values, state, noise, height, width)

    for i, j in np.ndindex(small.values.shape):
        row, column = small.strongest(i, j)
        assert small.at(row, column) == (i, j)
        np.testing.assert_equal(values[row, column], small.values[i, j])
        assert small.noise[i, j] or not noise[row, column]
        assert not np.isnan(values[row, column]) or state[row, column] == small.state[i, j]


def test_an_overview_that_has_room_is_the_grid() -> None:
    matrix, cut = scored(failing=LATE, threshold=1.0)
    drawn = grid(matrix, cut)

    small = overview(drawn.values, drawn.state, drawn.noise, 30, 30)

    np.testing.assert_equal(small.values, drawn.values)
    np.testing.assert_equal(small.state, drawn.state)
    np.testing.assert_equal(small.noise, drawn.noise)
