"""Cells as text: numbers, signs and shades in as many columns as there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from memscope.reports.scale import Unit
from memscope.tui.colours import Depth, palette
from memscope.tui.widgets.heatmap_look import Look, ceiling, number, total_text
from memscope.tui.widgets.heatmap_picture import codes, picture
from tests.tui.widgets._grids import grid_of, states_grid

GRID = states_grid()
DRAWN = picture(GRID, codes(GRID.values, GRID.state, GRID.noise, "nats"), np.arange(3), np.arange(4))


def look_of(colours: Depth = "256", *, signed: bool = True, plain: bool = False) -> Look:
    return Look(palette(colours, signed=signed, plain=plain), Style(dim=True), Style(bold=True))


def line(look: Look, row: int, width: int) -> str:
    return "".join(text for text, _ in look.cells(DRAWN, row, 0, DRAWN.line(row, 0, 4), width))


@pytest.mark.parametrize(
    "width, lines",
    [
        (1, ["+-·+", "╱╱+-", "×××…"]),
        (2, [" + - · +", " ╱ ╱ + -", " × × × …"]),
        (3, ["  9 -3  ·  1", "  ╱  ╱ 12 --", "  ×  ×  ×  …"]),
        (4, [" 9.0  -3   · 0.7", "   ╱   ╱  12 -30", "   ×   ×   ×   …"]),
    ],
)
def test_painted_cells(width: int, lines: list[str]) -> None:
    assert [line(look_of(), row, width) for row in range(3)] == lines


def test_without_colours_a_sign_and_a_shade_say_it() -> None:
    look = look_of("none")

    assert look.least == 2
    assert [line(look, row, 2) for row in range(3)] == [" ▆-▅ · ▂", " ╱ ╱ █-█", " × × × …"]
    assert line(look, 0, 6) == "  9.0▆ -3.0▅     ·  0.7▂"
    assert look_of("none", signed=False).least == 1
    assert line(look_of("none", signed=False), 0, 1) == "▆▅·▂"


def test_in_ascii_there_is_nothing_else() -> None:
    look = look_of("16", plain=True)

    assert [line(look, row, 2) for row in range(3)] == [" #-* . :", " / / @-@", " x x x ~"]
    assert look.palette.signs.here == ">"


@pytest.mark.parametrize("colours", ["256", "16", "none"])
@pytest.mark.parametrize("width", [2, 3, 4, 6])
@pytest.mark.parametrize("plain", [True, False])
def test_every_cell_has_its_width_and_every_kind_its_own_text(colours: Depth, width: int, plain: bool) -> None:
    look = look_of(colours, plain=plain)

    for row in range(3):
        assert len(line(look, row, width)) == 4 * width
        for column in range(4):
            assert len(look.here(DRAWN, row, column, width)) == width


def test_runs_of_the_same_code_are_one_piece() -> None:
    pieces = look_of().cells(DRAWN, 2, 0, DRAWN.line(2, 0, 4), 1)

    assert [text for text, _ in pieces] == ["×××", "…"]


def test_a_painted_cell_without_text_names_no_colour_for_it() -> None:
    values = np.array([[0.5, -3.0]])
    grid = grid_of(values, cutoff=0.0)
    drawn = picture(grid, codes(values, grid.state, grid.noise, "nats"), np.arange(1), np.arange(2))
    drawn.values[0, 0] = np.nan  # so that nothing is to be said

    (first, ground), (second, text) = look_of().cells(drawn, 0, 0, drawn.line(0, 0, 2), 3)

    assert (first, second) == ("   ", " -3")
    assert ground is not None
    assert ground.color is None
    assert ground.bgcolor is not None
    assert text is not None
    assert text.color is not None


@given(st.lists(st.floats(-2000, 2000), min_size=2, max_size=8), st.sampled_from(["nats", "per token", "share"]))
def test_between_two_numbers_there_is_always_a_space(found: list[float], unit: Unit) -> None:
    values = np.array([found])
    grid = grid_of(values, cutoff=0.0, unit=unit)
    drawn = picture(grid, codes(values, grid.state, grid.noise, unit), np.arange(1), np.arange(len(found)))
    for width in (3, 4, 5, 6):
        shown = "".join(text for text, _ in look_of().cells(drawn, 0, 0, drawn.line(0, 0, len(found)), width))

        assert len(shown.split()) == len(found)


def test_the_cell_under_the_cursor_says_its_sign() -> None:
    look = look_of()

    assert [look.here(DRAWN, 0, column, 1) for column in range(4)] == ["+", "-", "·", "+"]


@pytest.mark.parametrize(
    "value, unit, room, text",
    [
        (12.34, "nats", 4, "12.3"),
        (12.34, "nats", 2, "12"),
        (-12.34, "nats", 2, "--"),
        (0.04, "nats", 3, "+"),
        (-0.04, "nats", 3, "-"),
        (0.4, "nats", 2, "+"),
        (1234.0, "nats", 3, "+++"),
        (0.2345, "per token", 4, "0.23"),
        (0.2345, "per token", 3, ".23"),
        (-0.2345, "per token", 3, "-.2"),
        (0.001, "per token", 4, "+"),
        (0.23, "share", 2, "23"),
        (1.0, "share", 3, "100"),
        (0.001, "share", 3, "+"),
        (float("nan"), "share", 3, ""),
    ],
)
def test_a_number_says_as_much_as_there_is_room_for(value: float, unit: Unit, room: int, text: str) -> None:
    assert number(value, unit, room) == text


@given(st.floats(-1e6, 1e6), st.sampled_from(["nats", "per token", "share"]), st.integers(1, 8))
def test_a_number_fits_and_never_lies_about_its_sign(value: float, unit: Unit, room: int) -> None:
    text = number(value, unit, room)

    assert len(text) <= room
    assert text.startswith("-") == (value < 0)
    assert "-0" not in {text, text.rstrip("0.")} or any(digit in text for digit in "123456789")


@given(st.lists(st.floats(0, 1e9) | st.just(float("nan")), max_size=8))
def test_the_longest_bar_stands_for_a_round_number_no_total_exceeds(totals: list[float]) -> None:
    full = ceiling(np.array(totals))

    assert full > 0
    assert all(not total > full * 1.000001 for total in totals)
    assert f"{full:e}"[0] in "125"


def test_steps_are_as_high_as_the_totals_and_nothing_for_what_is_not_known() -> None:
    totals = np.array([0.0, np.nan, 1.0, 5.0, 10.0])

    assert look_of().steps(totals, 10.0, 1) == [" ", " ", "▁", "▄", "█"]
    assert look_of().steps(totals, 10.0, 4)[-1] == " ███"
    assert look_of(plain=True).steps(totals, 10.0, 2)[-1] == "@@"


def test_totals_are_told_in_their_unit() -> None:
    assert total_text(12.345, "nats") == "12.3"
    assert total_text(0.5, "share") == "50%"
    assert total_text(float("nan"), "nats") == ""


def test_a_grid_without_negative_values_needs_one_column() -> None:
    assert grid_of(np.ones((1, 1)), signed=False).signed is False
    assert look_of("16", signed=False).least == 1
