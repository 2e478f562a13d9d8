"""Choosing one of a few, by keyboard and by mouse."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.tui.dialogs.choice import Choice, Confirm
from memscope.tui.widgets.listing import Listing
from tests.tui.dialogs._ask import HOSTILE, OPEN, SMALL, WIDE, ask, has_foreign_controls, text_of

ROWS = [f"row {number}" for number in range(40)]


@pytest.mark.parametrize("size", [SMALL, WIDE])
@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["enter"], 0), (["j", "down", "k", "enter"], 1), (["G", "enter"], 39), (["G", "g", "enter"], 0), (["end"], OPEN)],
)
async def test_a_row_is_chosen_by_keys(keys: list[str], answer: object, size: tuple[int, int]) -> None:
    assert await ask(Choice("Which", ROWS), *keys, size=size) == answer


async def test_escape_chooses_none() -> None:
    assert await ask(Choice("Which", ROWS), "j", "escape") is None


async def test_the_cursor_begins_where_it_is_told() -> None:
    assert await ask(Choice("Which", ROWS, chosen=30), "enter") == 30


async def test_a_double_click_chooses() -> None:
    async def click(pilot: Pilot[Any]) -> None:
        await pilot.double_click(Listing, offset=(3, 2))

    assert await ask(Choice("Which", ROWS), act=click) == 2


async def test_rows_in_columns_stand_below_each_other_and_are_safe() -> None:
    dialog = Choice(HOSTILE, [("a", "one", HOSTILE), ("longer", "二", "two")])

    async def look(pilot: Pilot[Any]) -> None:
        shown = text_of(pilot.app)
        assert not has_foreign_controls(shown)
        one, two = (next(line for line in shown.splitlines() if word in line) for word in ("one", "two"))
        assert one.index("one") == two.index("二")

    await ask(dialog, act=look)


async def test_a_choice_of_nothing_can_only_be_closed() -> None:
    assert await ask(Choice("Which", []), "enter", "j", "G", "escape") is None


@pytest.mark.parametrize(
    ("sure", "keys", "answer"),
    [
        (False, ["enter"], False),
        (False, ["up", "enter"], True),
        (True, ["enter"], True),
        (True, ["j", "enter"], False),
        (True, ["escape"], False),
    ],
)
async def test_a_question_is_answered_no_unless_meant(sure: bool, keys: list[str], answer: bool) -> None:
    assert await ask(Confirm("It is there", "Replace it", "Keep it", sure=sure), *keys) is answer
