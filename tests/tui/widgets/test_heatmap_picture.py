"""What is drawn: codes, orders, and the overview that stands for the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from memscope.attribution.matrix import State
from memscope.reports.grid import Grid
from memscope.reports.scale import LEVELS
from memscope.tui.widgets.heatmap_picture import (
    BEFORE,
    CODES,
    FAILED,
    NOISE,
    PENDING,
    UNKNOWN,
    Picture,
    codes,
    picture,
    pooled,
)
from tests.tui.widgets._grids import grid_of, random_grid, states_grid


def whole_of(grid: Grid, rows: list[int] | None = None, columns: list[int] | None = None) -> Picture:
    found = codes(grid.values, grid.state, grid.noise, grid.unit)
    every_row, every_column = range(len(grid.keys)), range(len(grid.responses))
    return picture(grid, found, np.array(rows or [*every_row]), np.array(columns or [*every_column]))


def test_every_kind_of_cell_has_a_code_of_its_own() -> None:
    grid = states_grid()

    found = codes(grid.values, grid.state, grid.noise, "nats")

    assert found.dtype == np.uint8
    assert found.tolist() == [
        [LEVELS + 4, LEVELS - 3, NOISE, LEVELS + 1],
        [BEFORE, BEFORE, LEVELS + 5, LEVELS - 5],
        [FAILED, FAILED, FAILED, PENDING],
    ]


def test_a_cell_that_was_measured_but_has_no_number_in_the_unit_is_unknown() -> None:
    values = np.array([[np.nan, 0.5]])

    found = codes(values, np.full((1, 2), State.OK, np.uint8), np.zeros((1, 2), np.bool_), "share")

    assert found.tolist() == [[UNKNOWN, LEVELS + 5]]


@given(
    arrays.arrays(np.float64, (3, 4), elements=st.floats(-50, 50) | st.just(np.nan)),
    arrays.arrays(np.uint8, (3, 4), elements=st.integers(0, 3)),
)
def test_only_measured_cells_have_a_level_and_it_has_their_sign(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]], state: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
) -> None:
    found = codes(values, state, np.zeros(values.shape, np.bool_), "nats")

    assert (found < CODES).all()
    levels = found.astype(int) - LEVELS
    shaded = found <= 2 * LEVELS
    assert (shaded == ((state == State.OK) & ~np.isnan(values) & (values != 0))).all()
    assert (np.sign(levels[shaded]) == np.sign(values[shaded])).all()


def test_lines_and_columns_stand_in_the_order_given() -> None:
    grid = states_grid()

    drawn = whole_of(grid, rows=[2, 0], columns=[3, 1, 0])

    assert drawn.shape == (2, 3)
    assert drawn.keys == ("memory 2", "memory 0")
    assert drawn.responses == (7, 3, 1)
    assert drawn.line(1, 1, 3).tolist() == [LEVELS - 3, LEVELS + 4]
    assert drawn.value(1, 2) == 9.0
    assert drawn.at(1, 2) == (0, 0)
    assert drawn.find(0, 3) == (1, 0)
    assert drawn.find(1, 2) == (None, None)
    assert drawn.at(2, 0) is None


def test_an_overview_shows_the_strongest_cell_of_each_rectangle_and_leads_to_it() -> None:
    values = np.zeros((40, 60))
    values[13, 22], values[31, 59] = 9.0, -30.0
    grid = grid_of(values)

    drawn = pooled(whole_of(grid), grid, 4, 6)

    assert drawn.shape == (4, 6)
    assert drawn.line(1, 0, 6).tolist() == [NOISE, NOISE, LEVELS + 4, NOISE, NOISE, NOISE]
    assert drawn.line(3, 0, 6).tolist() == [NOISE, NOISE, NOISE, NOISE, NOISE, LEVELS - 5]
    assert drawn.at(1, 2) == (13, 22)
    assert drawn.at(3, 5) == (31, 59)
    assert drawn.find(13, 22) == (1, 2)
    assert drawn.keys[1] == "memory 10 +9"
    assert drawn.responses == (1, 21, 41, 61, 81, 101)
    assert drawn.totals.tolist() == [0.0, 9.0, 0.0, 0.0]


def test_noise_never_hides_what_is_beyond_it() -> None:
    values = np.array([[3.0, 2.0]])
    grid = grid_of(values)
    grid = Grid(**{**vars(grid), "noise": np.array([[True, False]])})

    drawn = pooled(whole_of(grid), grid, 1, 1)

    assert drawn.at(0, 0) == (0, 1)
    assert drawn.value(0, 0) == 2.0


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40), st.integers(1, 40), st.randoms())
def test_every_cell_stands_in_exactly_one_of_the_overview(
    rows: int, columns: int, height: int, width: int, random: object
) -> None:
    grid = random_grid(rows, columns, getattr(random, "randint")(0, 1000))  # noqa: B009
    order = [*range(rows)][::-1]
    drawn = pooled(whole_of(grid, rows=order), grid, height, width)

    assert drawn.shape == (min(rows, height), min(columns, width))
    for row in range(rows):
        for column in range(columns):
            line, place = drawn.find(row, column)
            assert line is not None
            assert place is not None
            strongest = drawn.at(line, place)
            assert strongest is not None
            assert drawn.find(*strongest) == (line, place)
            assert drawn.value(line, place) == pytest.approx(grid.values[strongest])


def test_a_failed_row_can_be_led_to() -> None:
    grid = states_grid()

    drawn = pooled(whole_of(grid, rows=[2]), grid, 1, 1)

    assert drawn.line(0, 0, 1).tolist() == [FAILED]
    assert drawn.at(0, 0) == (2, 0)
