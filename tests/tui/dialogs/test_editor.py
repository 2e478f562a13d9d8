"""Changing a text: what is saved is what stands there, what nobody touched stays as it was, and Esc changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.tui.dialogs.editor import CleanTextArea, Editor
from tests.tui.dialogs._ask import HOSTILE, OPEN, ask, has_foreign_controls, text_of


def no_empty(text: str) -> str | None:
    return None if text.strip() else "nothing is left"


def editor(text: str, own: str = "own words") -> Editor:
    return Editor("The target", text, own, "What is trained on.", no_empty)


@pytest.mark.parametrize("keys", [("ctrl+s",), ("f2",), ("tab", "enter")])
async def test_it_is_saved_by_a_chord_a_key_or_a_button(keys: tuple[str, ...]) -> None:
    assert await ask(editor("one\ntwo"), "o", "h", "enter", *keys) == "one\ntwooh\n"


async def test_keys_that_mean_something_elsewhere_are_typed() -> None:
    assert await ask(editor("x"), "q", "u", "1", "slash", "question_mark", "colon", "f2") == "xqu1/?:"


@pytest.mark.parametrize("keys", [("escape",), ("tab", "tab", "tab", "enter")])
async def test_it_can_be_left_as_it_was(keys: tuple[str, ...]) -> None:
    assert await ask(editor("one"), *keys) is None
    assert await ask(editor("one"), "x", "backspace", *keys) is None


@pytest.mark.parametrize("keys", [("escape",), ("tab", "tab", "tab", "enter"), ("tab", "tab", "enter", "escape")])
async def test_what_was_changed_is_not_dropped_unasked(keys: tuple[str, ...]) -> None:
    assert await ask(editor("one"), "x", *keys, "k", "enter") is None
    assert await ask(editor("one"), "x", *keys) is OPEN
    for go_on in ("enter", "escape"):
        assert await ask(editor("one", "two"), "x", *keys, go_on, "f2") in ("onex", "two")


async def test_its_own_words_can_be_put_back() -> None:
    put_back = "x", "tab", "tab", "enter"
    assert await ask(editor("changed", "own\r\nwords"), *put_back, "f2") == "own\r\nwords"
    assert await ask(editor("changed", "own"), *put_back, "s", "f2") == "owns"


async def test_it_begins_at_the_end_also_of_what_is_longer_than_the_screen() -> None:
    async def look(pilot: Pilot[Any]) -> None:
        assert "the last line" in text_of(pilot.app)

    assert await ask(editor("line\n" * 99 + "the last line"), act=look) is OPEN


async def test_it_begins_at_the_top_of_what_is_read_before_it_is_changed() -> None:
    dialog = Editor("The skill", "line\n" * 99 + "the last line", "own", "", no_empty, at_top=True, put_back="Ours")

    async def look(pilot: Pilot[Any]) -> None:
        assert "the last line" not in text_of(pilot.app)
        assert "Ours" in text_of(pilot.app)
        await pilot.press("x", "f2")

    assert str(await ask(dialog, act=look)).startswith("xline\n")


@pytest.mark.parametrize("text", ["a\r\nb\nc", "a\u2028b", HOSTILE, "no end\n", "\ttab"])
async def test_what_nobody_touched_stays_to_the_letter(text: str) -> None:
    assert await ask(editor(text), "f2") == text


async def test_what_cannot_be_shown_is_kept_and_has_a_sign() -> None:
    text = "a\x1b]0;x\x07b\u202ec"

    async def look(pilot: Pilot[Any]) -> None:
        shown = text_of(pilot.app)
        assert "a␛]0;x␇b␦c" in shown
        assert not has_foreign_controls(shown)
        await pilot.press("f2")

    assert await ask(editor(text), "z", act=look) == f"{text}z"


async def test_what_is_wrong_is_said_and_not_saved() -> None:
    dialog = editor("a")

    async def look(pilot: Pilot[Any]) -> None:
        assert str(dialog.query_one(".trouble", Static).content) == "nothing is left"
        await pilot.press("b", "f2")

    assert await ask(dialog, "backspace", "f2", act=look) == "b"
    assert await ask(editor("a"), "backspace", "f2") is OPEN


async def test_the_cursor_does_not_blink() -> None:
    assert CleanTextArea("a").cursor_blink is False
