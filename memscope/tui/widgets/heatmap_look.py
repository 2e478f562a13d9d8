"""How a cell of a heatmap looks: a number where there is room, a sign and a shade where there is not."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from memscope.reports.scale import LEVELS, Unit
from memscope.reports.view import nats
from memscope.tui.colours import BLACK, Palette
from memscope.tui.widgets.heatmap_picture import (
    BEFORE,
    CLAMPED,
    CODES,
    FAILED,
    NOISE,
    PENDING,
    UNKNOWN,
    Codes,
    Picture,
)

_NUMBERS = 3  # columns a cell needs to hold a number and a space before it; one more with a ramp behind it
Pieces = list[tuple[str, Style | None]]


@dataclass
class Look:
    """`quiet`: the style of what is no effect; `failed`: of what failed."""

    palette: Palette
    quiet: Style
    failed: Style
    _texts: dict[int, list[str | None]] = field(default_factory=dict)
    _styles: list[Style] = field(default_factory=list)

    def __post_init__(self) -> None:
        styles = [*self.palette.styles, *[self.quiet] * (CODES - len(self.palette.styles))]
        styles[FAILED] = self.failed
        self._styles = styles
        self._grounds = [Style(bgcolor=style.bgcolor) if style.bgcolor else style for style in styles]
        self._short = [_short(style) for style in styles]

    @property
    def least(self) -> int:
        """The fewest columns a cell needs: a sign and a shade, but one where colour is one of both."""
        return 2 if self.palette.signed and not self.palette.painted else 1

    def cells(self, picture: Picture, row: int, start: int, line: Codes, width: int) -> Pieces:
        """The cells of a line from column `start` on, whose codes are `line`, each `width` wide: one piece a run."""
        if not len(line):
            return []
        edges = [0, *(np.flatnonzero(line[1:] != line[:-1]) + 1).tolist(), len(line)]
        texts = self._of(width)
        pieces: Pieces = []
        for first, last, code in zip(edges[:-1], edges[1:], line[edges[:-1]].tolist(), strict=True):
            text = texts[code]
            if text is not None:
                run = text * (last - first)
            else:
                places = range(start + first, start + last)
                run = "".join(self._number(picture, row, column, code, width) for column in places)
            inked = self._short if width == 1 else self._styles
            pieces.append((run, self._grounds[code] if run.isspace() else inked[code]))
        return pieces

    def here(self, picture: Picture, row: int, column: int, width: int) -> str:
        """The cell under the cursor, which has the cursor's colours: its sign says what its shade did."""
        code = int(picture.line(row, column, column + 1)[0])
        text = self._of(width)[code]
        return self._number(picture, row, column, code, width) if text is None else text

    def text(self, code: int) -> str:
        """A cell in two columns at most, as the legend shows it."""
        return self._of(self.least)[code] or ""

    def style(self, code: int) -> Style:
        return self._styles[code]

    def steps(self, totals: NDArray[np.float64], full: float, width: int) -> list[str]:
        """Totals as steps, each `width` wide; nothing for 0 or what is not known. `full`: what the highest is for."""
        ramp = " " + self.palette.signs.steps
        with np.errstate(invalid="ignore"):
            part = np.nan_to_num(np.clip(totals / full, 0.0, 1.0))
        heights = np.ceil(part * (len(ramp) - 1)).astype(int)
        gap = " " if width >= _NUMBERS else ""
        return [gap + ramp[height] * (width - len(gap)) for height in heights.tolist()]

    def _of(self, width: int) -> list[str | None]:
        """The text of each code; None where it depends on the value."""
        if width not in self._texts:
            signs = self.palette.signs
            own = {
                NOISE: signs.noise,
                PENDING: signs.pending,
                FAILED: signs.failed,
                BEFORE: signs.before,
                UNKNOWN: signs.unknown,
                CLAMPED: "-",
            }
            self._texts[width] = [self._level(code - LEVELS, width) for code in range(2 * LEVELS + 1)]
            self._texts[width] += [own[code].rjust(width) for code in range(2 * LEVELS + 1, CODES)]
        return self._texts[width]

    def numbers(self, width: int) -> bool:
        """Whether cells of this width hold numbers."""
        return width >= _NUMBERS + (not self.palette.painted)

    def _level(self, level: int, width: int) -> str | None:
        if self.numbers(width):
            return None
        if self.palette.painted:  # colour says the size, but never alone on which side of 0 it is
            return ("-" if level < 0 else "+").rjust(width)
        ramp = self.palette.ramp(level)
        return ramp if width == 1 else (("-" if level < 0 else " ") + ramp).rjust(width)

    def _number(self, picture: Picture, row: int, column: int, code: int, width: int) -> str:
        value = picture.value(row, column)
        if not self.palette.painted:
            return number(value, picture.unit, width - 2).rjust(width - 1) + self.palette.ramp(code - LEVELS)
        return number(value, picture.unit, width - 1).rjust(width)  # the space between numbers never gives way


def _short(style: Style) -> Style:
    """The colour of a mere sign as one of the terminal's own, whose codes are the shortest: there may be ten thousand
    of them on a screen."""
    if style.bgcolor is None or style.color is None:
        return style
    return Style(color="black" if style.color.number == BLACK else "bright_white", bgcolor=style.bgcolor)


def number(value: float, unit: Unit, room: int) -> str:
    """A value in at most `room` characters, as well as they can say it; its sign where they cannot. Shares are in
    percent."""
    sign = "-" if value < 0 else "+"
    if not math.isfinite(value):
        return ""
    digits = {"nats": (1, 0), "per token": (2, 1, 0), "share": (0,)}[unit]
    texts = [f"{100 * value if unit == 'share' else value:.{places}f}" for places in digits]
    if unit == "per token":  # 0.23 or .23
        texts = [form for text in texts for form in (text, text.replace("0.", ".", 1) if abs(value) < 1 else text)]
    fitting = next((text for text in texts if len(text) <= room), sign * room)
    return fitting if any(digit in "123456789" for digit in fitting) or sign * room == fitting else sign


def ceiling(totals: NDArray[np.float64]) -> float:
    """What the longest bar stands for: the largest total, up to the next of 1, 2, 5, 10, ..., so that bars seldom
    change their scale as rows arrive."""
    most = float(np.fmax.reduce(totals, initial=0.0))
    if most < 1e-6:  # what is less is seen in no unit
        return 1.0
    ten = 10.0 ** math.floor(math.log10(most))
    return float(next(step * ten for step in (1, 2, 5, 10) if most <= step * ten * (1 + 1e-9)))


def total_text(total: float, unit: Unit) -> str:
    """A total for a person; nothing where there is none."""
    if math.isnan(total):
        return ""
    return f"{total:.0%}" if unit == "share" else nats(total)
