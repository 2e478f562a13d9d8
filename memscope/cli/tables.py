"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.segment import Segment

from memscope.base.cells import beginning, ending, middle
from memscope.base.text import clean_line
from memscope.reports.fit import Wish, widths
from memscope.reports.view import Column

Row = TypeVar("Row")
_GAP = 2


@dataclass(frozen=True)
class _Fit(Generic[Row]):
    """A column with its cells, and the cells of width it gets."""

    column: Column[Row]
    cells: list[str]
    width: int

    @property
    def title(self) -> str:
        return clean_line(self.column.title)

    def shown(self, number: int) -> str:
        text = self.cells[number]
        cut = ending if self.column.latest else beginning if self.column.wide else middle
        return self.padded(cut(text, self.width))

    def padded(self, text: str) -> str:
        blank = " " * (self.width - cell_len(text))
        return blank + text if self.column.numeric else text + blank


@dataclass(frozen=True)
class Laid:
    """A table that is laid out: the `titles` of its columns, and its `lines`, the heading first. Plain lines, for a
    table of rich takes a millisecond a row."""

    titles: tuple[str, ...]
    lines: tuple[str, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for number, line in enumerate(self.lines):
            yield Segment(line, console.get_style("table.header") if number == 0 else None)
            yield Segment.line()


def fitted(columns: Sequence[Column[Row]], rows: Sequence[Row], width: int) -> Laid:
    """The rows as a table at most `width` cells wide; the columns of highest rank are left out until it fits."""
    cells = [[clean_line(column.text(row)) for row in rows] for column in columns]
    wishes = [
        Wish.of(column, max([cell_len(column.title), *map(cell_len, found)]))
        for column, found in zip(columns, cells, strict=True)
    ]
    given = _squeezed(widths(wishes, width, _GAP), width)
    fits = [_Fit(columns[i], cells[i], given[i]) for i in given]
    lines = [
        (" " * _GAP).join(fit.padded(beginning(fit.title, fit.width)) for fit in fits),
        "─" * (sum(given.values()) + _GAP * (len(given) - 1)),
    ]
    lines += [(" " * _GAP).join([fit.shown(number) for fit in fits]) for number in range(len(rows))]
    return Laid(tuple(fit.title for fit in fits), tuple(lines))


def _squeezed(given: dict[int, int], room: int) -> dict[int, int]:
    """The widths where columns that may not be left out need more than there is: the widest give way."""
    left = room - _GAP * (len(given) - 1)
    while sum(given.values()) > left and max(given.values()) > 1:
        widest = max(given, key=given.__getitem__)
        given[widest] -= 1
    return given
