"""One line that says what the shades and signs of a heatmap mean, only those that are in it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from memscope.reports.scale import LEVELS, SCALE
from memscope.tui.widgets.heatmap import Heatmap
from memscope.tui.widgets.heatmap_look import Look
from memscope.tui.widgets.heatmap_picture import BEFORE, FAILED, NOISE, PENDING, UNKNOWN

_WORDS = {
    FAILED: "failed",
    PENDING: "pending",
    NOISE: "noise",
    UNKNOWN: "not in this unit",
    BEFORE: "blank: came later",
}


class Legend(Widget):
    """The legend of a heatmap; what does not fit its line is left out, the last first."""

    DEFAULT_CSS = "Legend { height: 1; color: $text-muted; padding: 0 1; }"

    HELP = "What the shades and signs mean. The scale is anchored: a shade means the same in every conversation."

    def __init__(self, heatmap: Heatmap, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._heatmap = heatmap
        self._named: set[int] = set()

    def look_again(self, rows: Iterable[int] = ()) -> None:
        """The heatmap shows something else; given `rows` of its matrix, only if those hold what nothing held before."""
        wanted = list(rows)
        if not wanted or not self._named.issuperset(np.unique(self._heatmap.codes[wanted]).tolist()):
            self.refresh()

    def render(self) -> Text:
        grid = self._heatmap.grid
        text = Text(no_wrap=True)
        if grid is None:
            return text
        look, width = self._heatmap.look, self.content_size.width
        text.append(grid.unit)
        for level, step in enumerate(SCALE[grid.unit], 1):
            _add(text, _levels(look, level, grid.signed).append(f" {step.words}"), width)
        found = {code for code in _WORDS if (self._heatmap.codes == code).any()}  # far faster than sorting them
        self._named = {*range(2 * LEVELS + 1), *found}
        for code, words in _WORDS.items():
            if code in found:
                sign = look.text(code).strip()
                _add(text, Text().append(sign, look.style(code)).append(f" {words}" if sign else words), width)
        return text


def _levels(look: Look, level: int, signed: bool) -> Text:
    """A level: painted, against and for side by side; as a ramp, whose sign says which."""
    if not look.palette.painted:
        return Text(look.palette.ramp(level), look.style(LEVELS + level))
    sides = (-level, level) if signed else (level,)
    return Text().append_tokens((look.text(LEVELS + side), look.style(LEVELS + side)) for side in sides)


def _add(text: Text, piece: Text, width: int) -> None:
    if cell_len(text.plain) + 2 + cell_len(piece.plain) <= width:
        text.append("  ").append_text(piece)
