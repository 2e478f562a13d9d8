"""One line of input: what is taken, what is refused, and what cannot reach the screen."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.tui.dialogs.prompt import Prompt
from memscope.tui.widgets.chrome import KeyLine
from memscope.tui.widgets.line_input import LineInput
from tests.tui.dialogs._ask import HOSTILE, OPEN, ask, has_foreign_controls, text_of


def no_digits(text: str) -> str | None:
    return "not a digit" if any(char.isdigit() for char in text) else None


async def test_enter_takes_what_is_typed_in_place_of_what_stood_there() -> None:
    assert await ask(Prompt("Name", "old"), "n", "e", "w", "enter") == "new"


async def test_what_stood_there_can_be_taken_and_edited() -> None:
    assert await ask(Prompt("Name", "old"), "enter") == "old"
    assert await ask(Prompt("Name", "old"), "end", "e", "r", "enter") == "older"


async def test_escape_closes_without_an_answer() -> None:
    assert await ask(Prompt("Name", "old"), "x", "escape") is None


async def test_letters_that_are_keys_elsewhere_are_typed() -> None:
    assert await ask(Prompt("Name"), "q", "j", "question_mark", "1", "enter") == "qj?1"


async def test_what_is_wrong_is_said_at_once_and_not_taken() -> None:
    dialog = Prompt("Name", "", "a name", no_digits)

    async def look(pilot: Pilot[Any]) -> None:
        assert str(dialog.query_one(".trouble", Static).content) == "not a digit"
        await pilot.press("backspace", "enter")

    assert await ask(dialog, "a", "7", "enter", act=look) == "a"
    assert await ask(Prompt("Name", "", "a name", no_digits), "7", "enter") is OPEN


async def test_the_cursor_does_not_blink() -> None:
    dialog = Prompt("Name")

    async def look(_: Pilot[Any]) -> None:
        assert not dialog.query_one(LineInput).cursor_blink

    await ask(dialog, act=look)


@pytest.mark.parametrize("pasted", [HOSTILE, "a\x1b[2Jb", "tab\there"])
async def test_nothing_given_or_pasted_acts_on_the_terminal_or_as_markup(pasted: str) -> None:
    dialog = Prompt(HOSTILE, HOSTILE, HOSTILE, lambda text: f"no {text}")

    async def paste(pilot: Pilot[Any]) -> None:
        pilot.app.post_message(events.Paste(pasted))
        await pilot.pause()
        shown = text_of(pilot.app)
        assert not has_foreign_controls(shown)
        assert "[/red] x [b +␛]0;owned␇" in shown

    assert await ask(dialog, act=paste) is OPEN


async def test_the_key_line_can_be_clicked() -> None:
    async def click(pilot: Pilot[Any]) -> None:
        await pilot.click(KeyLine, offset=(2, 0))

    assert await ask(Prompt("Name", "old"), act=click) == "old"
