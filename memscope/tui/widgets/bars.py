"""Numbers as lengths: labelled bars with a cursor, a bar alone, and columns in a row for a whole conversation.

A length says how much, a sign and another filling say which way: colour only repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.strip import Strip

from memscope.base.cells import beginning, middle
from memscope.base.text import clean_line
from memscope.tui.colours import Signs, signs_for
from memscope.tui.widgets.lines import LineScroll

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEAST_BAR = 4  # cells a bar needs to say more than its number
_GAP = 1


def bar(value: float, full: float, width: int, *, plain: bool = False) -> str:
    """A bar of exactly `width` cells, padded with spaces, as long as |value| is of `full`, but never longer.

    What is below zero is hatched: `▒`, or `-` where `plain` allows ASCII alone. What is too small to see is nothing.
    """
    part = min(1.0, abs(value) / full) if full > 0 else 0.0
    signs = signs_for(plain=plain)
    if plain or value < 0:
        return ((signs.against if value < 0 else signs.bar) * round(part * width)).ljust(width)
    whole, eighths = divmod(round(part * width * 8), 8)
    return (signs.bar * whole + _EIGHTHS[eighths].strip()).ljust(width)


def spark(values: Sequence[float | None], width: int, *, full: float | None = None, plain: bool = False) -> str:
    """The values as columns beside each other, one cell each, in `width` cells or fewer; `full` is the highest there
    can be, as a rule the largest of them.

    More values than cells share cells, of which each shows the largest. Below zero: `v`, however much; no value: a
    space; nothing to see: `·`. In ASCII alone (`plain`) columns are digits up to 9.
    """
    pooled = [_strongest(values[start:end]) for start, end in _cells(len(values), width)]
    full = max((abs(value) for value in pooled if value is not None), default=0.0) if full is None else full
    signs = signs_for(plain=plain)
    return "".join(_column(value, full, signs) for value in pooled)


def _cells(count: int, width: int) -> list[tuple[int, int]]:
    cells = min(count, max(0, width))
    return [(cell * count // cells, (cell + 1) * count // cells) for cell in range(cells)]


def _strongest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), key=abs, default=None)


def _column(value: float | None, full: float, signs: Signs) -> str:
    if value is None:
        return " "
    level = round(min(1.0, abs(value) / full) * len(signs.heights)) if full > 0 else 0
    if level == 0:
        return signs.noise
    return signs.below if value < 0 else signs.heights[level - 1]


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: `label` is cut where it is too long, `text` is the number as it is told. Without a `value`
    there is no bar. `key` is what the row stands for, whatever its label; `dim`: below the noise, or not known."""

    label: str
    value: float | None
    text: str
    key: object = None
    dim: bool = False


class Bars(LineScroll):
    """Bars below each other, the longest as long as there is room, or as `full` says."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"bars--for", "bars--against", "bars--label"}

    DEFAULT_CSS = """
    Bars {
        & > .bars--for { color: $accent; }
        & > .bars--against { color: $primary; }
        & > .bars--label { color: $text-muted; }
    }
    """

    def __init__(
        self,
        *,
        heading: str = "",
        empty: str = "",
        elide: Callable[[str, int], str] = middle,
        labels_first: bool = False,
        plain: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """`heading`: a line that says what the bars are. `empty`: what is said where there are none. `elide`: how a
        label is cut; words want `beginning`. `labels_first`: the bars have what room the labels leave. `plain`: no
        signs but ASCII."""
        super().__init__(id=id, classes=classes)
        self.plain = plain
        self._elide = elide
        self._labels_first = labels_first
        self._heading = heading
        self.empty = empty
        self._bars: tuple[Bar, ...] = ()
        self._full = 0.0
        self._label = self._text = 0

    def show(self, bars: Sequence[Bar], *, full: float | None = None) -> None:
        """Shows these, with the cursor on the row of the same key or, without keys, label."""
        if full is None:
            full = max((abs(found.value) for found in bars if found.value is not None), default=0.0)
        if (tuple(bars), full) == (self._bars, self._full):
            return
        here, cursor = None if self.selected is None else _key(self.selected), self.cursor
        self._bars, self._full = tuple(bars), full
        self._label = max((cell_len(clean_line(found.label)) for found in bars), default=0)
        self._text = max((cell_len(clean_line(found.text)) for found in bars), default=0)
        self.rows_changed()
        self.move_to(next((row for row, found in enumerate(self._bars) if _key(found) == here), 0))
        there = None if self.selected is None else _key(self.selected)
        if there != here and self.cursor == cursor:  # a cursor that moves tells so itself
            self.post_message(self.Moved(self))

    @property
    def heading(self) -> str:
        """The line over the bars, which says what they are; none: empty."""
        return self._heading

    @heading.setter
    def heading(self, words: str) -> None:
        if words != self._heading:
            had, self._heading = bool(self._heading), words
            if had == bool(words):
                self.redraw_header()
            else:
                self.rows_changed()

    @property
    def bars(self) -> tuple[Bar, ...]:
        return self._bars

    @property
    def selected(self) -> Bar | None:
        """The row under the cursor."""
        return self._bars[self.cursor] if self.cursor < len(self._bars) else None

    def select(self, wanted: object) -> bool:
        """The cursor to the row of a key; False where there is none."""
        row = next((row for row, found in enumerate(self._bars) if _key(found) == wanted), None)
        if row is not None:
            self.move_to(row)
        return row is not None

    @property
    def row_count(self) -> int:
        return len(self._bars)

    @property
    def header_height(self) -> int:
        return 1 if self._heading else 0

    def draw_header(self, line: int, width: int) -> Strip:
        return self.strip((beginning(clean_line(self._heading), width), self.style_of("lines--header")))

    def draw_row(self, row: int, width: int) -> Strip:
        found = self._bars[row]
        label, text, long = self._room(width)
        value = found.value or 0.0
        dim = self.style_of("lines--dim") if found.dim else None
        name = self._elide(clean_line(found.label), label)
        number = beginning(clean_line(found.text), text)
        filled = bar(value, self._full, long, plain=self.plain) if found.value is not None else " " * long
        return self.strip(
            (name + " " * (label - cell_len(name) + _GAP), dim or self.style_of("bars--label")),
            (" " * (text - cell_len(number)) + number + " " * _GAP, dim),
            (filled, dim or self.style_of("bars--against" if value < 0 else "bars--for")),
        )

    def _room(self, width: int) -> tuple[int, int, int]:
        """Cells for label, number and bar: the number is never cut, the label takes at most half of the rest, or all
        of it where labels come first."""
        text = min(self._text, width)
        rest = max(0, width - text - 2 * _GAP)
        label = min(self._label, rest if self._labels_first or rest < 2 * _LEAST_BAR else rest // 2)
        return label, text, rest - label


def _key(found: Bar) -> object:
    return found.label if found.key is None else found.key
