"""Where the parts of a heatmap stand on a line: labels, cells, totals; and the message numbers above the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count

_LABEL, _SHORT_LABEL, _LEAST_LABEL = 28, 20, 10
_NUMBER = 7  # of a total, with a space before it
_BAR, _LEAST_BAR = 24, 6
_LEAST_ROOM = 40  # what the cells have before there are bars, as far as they can fill it
_WIDEST = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """In columns of the terminal: the label, one `cell`, the `room` for all the cells that are seen, the number of a
    total, and its bar with a space before it. What there is no room for is 0."""

    label: int
    cell: int
    room: int
    number: int
    bar: int

    @property
    def seen(self) -> int:
        """How many columns of cells are seen at a time."""
        return self.room // self.cell


def layout(width: int, columns: int, longest: int, least: int) -> Layout:
    """For `columns` columns of cells, each at least `least` wide, and labels of at most `longest`, on `width` columns
    of the terminal. Bars give way before cells do, then numbers, and labels take a third at most. Where all cells are
    seen, the totals stand right beside them, and what is left is on the right."""
    columns = max(1, columns)
    label = max(_LEAST_LABEL, min(longest + 2, _LABEL, width // 3))
    wanted = min(columns * least, _LEAST_ROOM)
    for size in range(max(least, min(_WIDEST, -(-_LEAST_ROOM // columns))), least - 1, -1):
        if columns * size + _NUMBER + min(label, _SHORT_LABEL) <= width:
            wanted = columns * size
            label = min(label, width - wanted - _NUMBER)
            break
    spare = width - label - wanted
    number = _NUMBER if spare >= _NUMBER else 0
    bar = 1 + _LEAST_BAR if number and spare >= number + 1 + _LEAST_BAR else 0
    room = max(least, width - label - number - bar)
    cell = next((size for size in range(_WIDEST, least, -1) if columns * size <= room), least)
    if columns * cell <= room:
        bar += min(room - columns * cell, _BAR - _LEAST_BAR) if bar else 0
        room = columns * cell
    return Layout(label, cell, room, number, bar)


def ticks(messages: Sequence[int], start: int, end: int, here: int, placed: Layout) -> tuple[str, str, str]:
    """The numbers of the messages above the columns from `start` up to `end`, as many as fit: what stands before the
    number of column `here`, that number, and what stands after it."""
    cell, room = placed.cell, placed.room
    line = [" "] * room
    long = len(f"#{max(messages, default=0)}")
    every = next(step for step in _steps() if step * cell > long)

    def place(column: int) -> tuple[int, str]:
        text = f"#{messages[column]}"
        at = (column - start) * cell + max(0, cell - len(text))
        return min(at, max(0, room - len(text))), text

    at, text = place(here) if start <= here < end else (room, "")
    for column in range(-(-start // every) * every, end, every):
        left, other = place(column)
        clear = left + len(other) < at or left > at + len(text)
        if clear and (column - start) * cell + len(other) <= room:
            line[left : left + len(other)] = other
    before, after = "".join(line[:at]), "".join(line[at + len(text) :])
    return before, text[:room], after


def _steps() -> chain[int]:
    """1, 2, 5, 10, 20, 50, ..."""
    return chain.from_iterable((10**power, 2 * 10**power, 5 * 10**power) for power in count())
