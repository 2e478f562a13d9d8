"""What the terminal and the settings ask of the style sheets, as classes of the app: see the end of `app.tcss`."""

from __future__ import annotations

from textual.app import App
from textual.scrollbar import ScrollBar, ScrollBarRender

from memscope.base.settings import Settings
from memscope.tui.colours import depth

FEW_COLOURS, ASCII = "-few-colours", "-ascii"

_PLAIN_KEYS = {"⏎": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "⌫": "backspace", "␣": "space"}


class PlainBars(ScrollBarRender):
    """Scrollbars that end with a whole cell, for the parts of one are blocks."""

    VERTICAL_BARS = [" "] * 8
    HORIZONTAL_BARS = [" "] * 8


def look(app: App[None], settings: Settings) -> None:
    """`-few-colours`: shades of grey cannot be told apart, or the theme has none. `-ascii`: no lines or blocks."""
    app.set_class(depth(app) != "256" or app.native_ansi_color, FEW_COLOURS)
    app.set_class(settings.glyphs == "ascii", ASCII)
    ScrollBar.renderer = PlainBars if settings.glyphs == "ascii" else ScrollBarRender


def plain_key(shown: str) -> str:
    """A key as it is shown, in ASCII."""
    for sign, name in _PLAIN_KEYS.items():
        shown = shown.replace(sign, name)
    return shown
