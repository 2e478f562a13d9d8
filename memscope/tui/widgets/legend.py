"""One line that says what the shades and signs of a heatmap mean, only those that are in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from memscope.reports.scale import LEVELS, SCALE
from memscope.tui.widgets.heatmap import Heatmap
from memscope.tui.widgets.heatmap_look import Look
from memscope.tui.widgets.heatmap_picture import BEFORE, CLAMPED, FAILED, NOISE, PENDING, UNKNOWN

_WORDS = {
    FAILED: "failed",
    PENDING: "pending",
    NOISE: "noise",
    BEFORE: "came later",
    CLAMPED: "below 0",
    UNKNOWN: "not in this unit",
}
_GAP = 2
_ANCHORS = (3, LEVELS, 1, 2, 4)  # the levels whose words are told first where not all fit


class Legend(Widget):
    """The legend of a heatmap. Every sign in it is named; of the levels, which go one into the next, as many as fit."""

    DEFAULT_CSS = "Legend { height: 1; color: $text-muted; padding: 0 1; }"

    HELP = "What the shades and signs mean. The scale is anchored: a shade means the same in every conversation."

    def __init__(
        self,
        heatmap: Heatmap,
        *,
        sides: tuple[str, str] | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """`sides`: what it is to be above 0, and what below, where it is not an effect."""
        super().__init__(id=id, classes=classes)
        self._heatmap = heatmap
        self._given = sides is not None
        self._above, self._below = sides or ("for", "against")
        self._named: set[int] = set()

    def look_again(self, rows: Iterable[int] = ()) -> None:
        """The heatmap shows something else; given `rows` of its matrix, only if those hold what nothing held before."""
        wanted = list(rows)
        if not wanted or not self._named.issuperset(np.unique(self._heatmap.codes[wanted]).tolist()):
            self.refresh()

    def render(self) -> Text:
        grid = self._heatmap.grid
        if grid is None:
            return Text()
        look = self._heatmap.look
        found = {code for code in _WORDS if (self._heatmap.codes == code).any()}  # far faster than sorting them
        self._named = {*range(2 * LEVELS + 1), *found}
        unit, signs = Text(grid.unit), [*self._sides(look, grid.signed), *_states(look, found)]
        steps = {
            level: _swatch(look, level, grid.signed).append(f" {step.words}")
            for level, step in enumerate(SCALE[grid.unit], 1)
        }
        room = self.content_size.width - sum(_GAP + cell_len(piece.plain) for piece in signs) - len(grid.unit)
        told = set()
        for level in _ANCHORS:
            if (needs := _GAP + cell_len(steps[level].plain)) <= room:
                told.add(level)
                room -= needs
        return Text(" " * _GAP, no_wrap=True).join([unit, *(steps[level] for level in sorted(told)), *signs])

    def _sides(self, look: Look, signed: bool) -> Iterator[Text]:
        """What + and - mean: beside numbers, or in the place of numbers. As a ramp, what is positive has no sign."""
        if self._heatmap.numbers:
            yield Text("+ - round to 0" if signed else "+ rounds to 0")
        if self._given or not self._heatmap.numbers:
            if look.palette.painted:
                yield Text(f"+ {self._above}")
            if signed:
                yield Text(f"- {self._below}")


def _states(look: Look, found: set[int]) -> Iterator[Text]:
    for code, words in _WORDS.items():
        if code in found:
            yield Text().append(look.text(code).strip(), look.style(code)).append(f" {words}")


def _swatch(look: Look, level: int, signed: bool) -> Text:
    """A level: painted, against and for side by side; as a ramp, whose sign says which."""
    if not look.palette.painted:
        return Text().append(look.palette.ramp(level), look.style(LEVELS + level))
    sides = (-level, level) if signed else (level,)
    return Text().append_tokens((" " * (3 - len(sides)), look.style(LEVELS + side)) for side in sides)
