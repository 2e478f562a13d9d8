"""Asking a dialog in an app that holds nothing else, with keys or the mouse, and taking its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import ModalScreen

SMALL, WIDE = (80, 24), (120, 36)
OPEN = object()  # the answer of a dialog that is still open
HOSTILE = "[/red] x [b +\x1b]0;owned\x07 \u202eabc [@click=app.bell()]y[/]"

Act = Callable[[Pilot[Any]], Awaitable[object]]


async def ask(dialog: ModalScreen[Any], *keys: str, act: Act | None = None, size: tuple[int, int] = SMALL) -> object:
    """Opens a dialog, presses keys or does what `act` does; its answer, `OPEN` when it still waits for one."""
    app: App[None] = App()
    app.animation_level = "none"
    answers: list[object] = []
    async with app.run_test(size=size) as pilot:
        await app.push_screen(dialog, answers.append)
        await pilot.pause()
        assert_fits(app)
        await pilot.press(*keys)
        if act is not None:
            await act(pilot)
        await pilot.pause()
    return answers[0] if answers else OPEN


def assert_fits(app: App[Any]) -> None:
    """Everything the dialog shows lies within the screen."""
    for widget in app.screen.query("*"):
        if widget.display and not widget.disabled:
            assert app.screen.region.contains_region(widget.region), (widget, widget.region)


def text_of(app: App[Any]) -> str:
    """What the screen shows."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


def has_foreign_controls(text: str) -> bool:
    return any((ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 or char == "\u202e" for char in text)
