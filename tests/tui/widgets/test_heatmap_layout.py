"""What gives way when a screen is narrow, and where the message numbers stand."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from memscope.tui.widgets.heatmap_layout import Layout, layout, ticks

WIDTHS = st.integers(30, 300)


@given(WIDTHS, st.integers(0, 3000), st.integers(0, 200), st.integers(1, 2))
def test_the_parts_fill_the_width_and_no_more(width: int, columns: int, longest: int, least: int) -> None:
    placed = layout(width, columns, longest, least)

    assert placed.label + placed.room + placed.number + placed.bar <= width
    assert placed.label <= max(10, min(30, width // 3))
    assert placed.cell >= least
    assert placed.seen >= 1
    if columns * least > placed.room:
        assert placed.cell == least
        assert placed.label + placed.room + placed.number + placed.bar == width


@given(st.integers(41, 3000), st.integers(0, 200))
def test_at_80_columns_40_are_left_for_the_cells(columns: int, longest: int) -> None:
    assert layout(79, columns, longest, 1).room >= 40  # one column is the scroll bar's


@given(st.integers(79, 200), st.integers(1, 200), st.integers(8, 200), st.integers(1, 2))
def test_bars_take_nothing_that_the_cells_could_fill(width: int, columns: int, longest: int, least: int) -> None:
    placed = layout(width, columns, longest, least)
    wider = columns * (placed.cell + 1)

    assert placed.label >= 10
    if placed.bar and placed.room < 40:
        assert placed.cell == 6 or placed.label + wider + placed.number > width or wider + 7 + 20 > width
    if columns * placed.cell <= placed.room:
        assert placed.room == columns * placed.cell  # the totals stand beside the cells


def test_21_responses_are_two_wide_at_80_columns_and_more_share_what_there_is() -> None:
    assert [layout(79, columns, 60, 1).cell for columns in (10, 21, 26, 27, 52)] == [4, 2, 2, 1, 1]
    assert layout(79, 21, 60, 1).bar == 0
    assert layout(119, 52, 60, 1).room == 52


def test_bars_give_way_first_then_numbers_then_labels() -> None:
    wide, narrow, narrower = (layout(width, 500, 60, 1) for width in (120, 79, 66))

    assert (wide.bar > 0, wide.number > 0) == (True, True)
    assert (narrow.bar, narrow.number > 0) == (0, True)
    assert (narrower.bar, narrower.number) == (0, 0)
    assert narrower.label < narrow.label < wide.label


def test_few_responses_get_wide_cells_and_long_bars() -> None:
    placed = layout(150, 8, 60, 1)

    assert placed.cell == 6
    assert placed.bar > 20


PLACED = Layout(label=10, cell=2, room=40, number=0, bar=0)


@given(st.integers(1, 6), st.integers(0, 400), st.integers(0, 400), st.integers(1, 120))
def test_numbers_stand_above_their_columns_and_never_touch(cell: int, start: int, here: int, seen: int) -> None:
    placed = Layout(10, cell, cell * seen, 0, 0)
    messages = [*range(1, 1000, 2)]
    end = min(len(messages), start + seen)

    before, marked, after = ticks(messages, start, end, here, placed)

    assert len(before + marked + after) == placed.room
    assert marked == (f"#{messages[here]}"[: placed.room] if start <= here < end else "")
    assert not re.search(r"\S$", before) or not marked
    for found in re.finditer(r"\S+", before + " " * len(marked) + after):
        column = messages.index(int(found.group()[1:]))
        assert start <= column < end
        assert found.start() // cell == column - start


def test_the_number_of_the_column_under_the_cursor_takes_the_place_of_its_neighbours() -> None:
    numbers = "".join(ticks([*range(1, 41, 2)], 0, 20, 99, PLACED)).split()
    assert numbers == ["#1", "#5", "#9", "#13", "#17", "#21", "#25", "#29", "#33", "#37"]
    before, here, after = ticks([*range(1, 41, 2)], 0, 20, 3, PLACED)
    assert (before, here) == ("#1  " + "  ", "#7")
    assert "#5" not in before
    assert after.split()[0] == "#13"
