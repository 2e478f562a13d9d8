"""Text cut into rows of a screen, each of which knows where in the text it comes from.

What a screen shows of a text is not the text: what could act on a terminal is replaced by signs of several characters,
a tab by spaces, and a line is cut where the screen ends. Yet whoever points at a word on the screen means characters of
the text as it is stored. So each row keeps the offset in the text of every character it shows.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

from memscope.base.text import clean

_LINE_END = re.compile(r"\r?\n")
_NARROW = re.compile(  # characters that take one cell each, are shown as they are, and break no line but for the blank
    r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2015\u2018-\u2027\u2030-\u205e\u2190-\u22ff\u2500-\u25fc\u2713\u2717]*"
)
_TAB = 4  # cells
_UNBROKEN = "\u00a0"  # a blank at which no row may end
_FULL = 4  # a row that is cut between words is at least a quarter full: a longer word is cut itself
_NARROWEST = 8  # cells: the longest sign `clean` writes for one character fits


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a wrapped text: `text[start:end]`, line end and the blanks at the cut included.

    `shown` is that part as a screen shows it, clean and without line end. `offsets` are the places in the text of the
    characters of `shown`, ascending; None where they are `start`, `start + 1`, ...
    """

    start: int
    end: int
    shown: str
    offsets: Sequence[int] | None = None

    def places(self, start: int, end: int) -> tuple[int, int]:
        """[from, to) in `shown` of what stands in [start, end) of the text; both the same where nothing does.

        Ranges of the text that lie side by side do so here too. What is drawn over a character belongs to it.
        """
        return self._place(start), self._place(end)

    def _place(self, offset: int) -> int:
        if self.offsets is None:
            return max(0, min(offset - self.start, len(self.shown)))
        place = bisect_left(self.offsets, offset)
        while 0 < place < len(self.shown) and cell_len(self.shown[place]) == 0:
            place += 1
        return place

    def offset_at(self, cell: int) -> int:
        """The offset in the text of what is shown at a cell, counted from the row's first; behind the last, `end`."""
        if self.offsets is None:
            return self.start + max(0, cell) if cell < len(self.shown) else self.end
        at = 0
        for begin, _, cells in split_graphemes(self.shown)[0]:
            at += cells
            if cell < at:
                return self.offsets[begin]
        return self.end

    def cell_of(self, offset: int) -> int:
        """The cell at which what stands at `offset` is shown."""
        return cell_len(self.shown[: self._place(offset)])


def wrapped(text: str, width: int, start: int = 0, end: int | None = None) -> list[Row]:
    """`text[start:end]` in rows at most `width` cells wide, cut between words where there are any.

    The rows' ranges lie side by side and cover `text[start:end]`; of an empty text there are none.
    """
    end, width = len(text) if end is None else end, max(_NARROWEST, width)
    rows: list[Row] = []
    while start < end:
        found = _LINE_END.search(text, start, end)
        stop, after = found.span() if found else (end, end)
        line = text[start:stop]
        cut = _plain if _NARROW.fullmatch(line) else _any
        rows.extend(cut(line, width, start, after))
        start = after
    return rows


def row_of(rows: Sequence[Row], offset: int) -> int:
    """The index of the row that holds an offset of the text; the nearest there is (0 where there are none)."""
    return max(0, min(bisect_right(rows, offset, key=lambda row: row.start) - 1, len(rows) - 1))


def _plain(line: str, width: int, start: int, after: int) -> Iterator[Row]:
    """The rows of a line each character of which takes one cell."""
    at = 0
    while len(line) - at > width:
        space = line.rfind(" ", at, at + width + 1)
        cut = at + width
        if space == cut:
            following = len(line) - len(line[cut:].lstrip(" "))
        elif _FULL * (space + 1 - at) >= width and not line[at:space].isspace():
            following = cut = space + 1
        else:
            following = cut
        last = following == len(line)
        yield Row(start + at, after if last else start + following, line[at:cut])
        if last:
            return
        at = following
    yield Row(start + at, after, line[at:])


class _Unit(NamedTuple):
    """What is never parted: `shown[at:end]`, its cells, and whether a row may end behind it, and does so unseen."""

    at: int
    end: int
    cells: int
    breaks: bool
    blank: bool


def _any(line: str, width: int, start: int, after: int) -> Iterator[Row]:
    """The rows of any line: signs, tabs, wide characters and those that are drawn over the one before."""
    shown, offsets = _shown(line, start)
    units = _units(shown, offsets)

    def row(first: int, cut: int, following: int) -> Row:
        begin = units[first].at if first < len(units) else 0
        stop = units[cut - 1].end if cut > first else begin
        last = following == len(units)
        until = after if last else offsets[units[following].at]
        return Row(offsets[begin] if offsets else start, until, shown[begin:stop], offsets[begin:stop])

    first = at = cells = 0
    end, cells_to_end, words = -1, 0, False  # where the row can end, and whether there is a word in it
    while at < len(units):
        unit = units[at]
        if cells + unit.cells <= width or at == first:
            at, cells, words = at + 1, cells + unit.cells, words or not unit.blank
            if unit.breaks and words and _FULL * cells >= width:
                end, cells_to_end = at, cells
            continue
        if unit.blank:
            following = at
            while following < len(units) and units[following].blank:
                following += 1
            yield row(first, at, following)
            first = at = following
            cells = 0
        else:
            cut = end if end > first else at
            yield row(first, cut, cut)
            cells = cells - cells_to_end if end > first else 0
            first = cut
        end, words = -1, at > first
    if first < len(units) or not units:
        yield row(first, len(units), len(units))


def _shown(line: str, start: int) -> tuple[str, list[int]]:
    """What a screen shows of a line, and where in the text each character of that comes from."""
    if "\t" not in line and clean(line) == line:
        return line, list(range(start, start + len(line)))
    shown: list[str] = []
    offsets: list[int] = []
    cells = 0
    for offset, char in enumerate(line, start):
        sign = " " * (_TAB - cells % _TAB) if char == "\t" else clean(char)
        shown.append(sign)
        offsets.extend([offset] * len(sign))
        cells += cell_len(sign)
    return "".join(shown), offsets


def _units(shown: str, offsets: Sequence[int]) -> list[_Unit]:
    """`shown` in units: characters with what is drawn over them, and all that stands for one character of the text."""
    units: list[_Unit] = []
    for begin, stop, width in split_graphemes(shown)[0]:
        at, cells = begin, width
        if units and offsets[units[-1].at] == offsets[begin]:
            at, cells = units[-1].at, units[-1].cells + width
            units.pop()
        blank = shown[at:stop].isspace() and shown[at] != _UNBROKEN
        units.append(_Unit(at, stop, cells, blank or width == 2, blank))
    return units
