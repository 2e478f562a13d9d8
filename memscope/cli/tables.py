"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from memscope.base.text import clean_line
from memscope.reports.view import Column

Row = TypeVar("Row")
_GAP = 2
_LEAST_WIDE, _LEAST_TEXT = 24, 20  # cells a column of text needs to be worth its place


@dataclass(eq=False)
class _Fit(Generic[Row]):
    """A column with its cells, the cells of width it would like, those it needs, and those it gets."""

    column: Column[Row]
    cells: list[str]
    natural: int
    least: int
    width: int

    @classmethod
    def of(cls, column: Column[Row], rows: Sequence[Row]) -> _Fit[Row]:
        cells = [clean_line(column.text(row)) for row in rows]
        natural = max([cell_len(column.title), *map(cell_len, cells)])
        # Numbers need all of their cells; text can be cut.
        least = natural if column.numeric else min(natural, _LEAST_WIDE if column.wide else _LEAST_TEXT)
        return cls(column, cells, natural, least, least)

    def shown(self, number: int) -> Text:
        text = self.cells[number]
        return Text(text if self.column.wide else middle(text, self.width))


def fitted(columns: Sequence[Column[Row]], rows: Sequence[Row], width: int) -> Table:
    """The rows as a table at most `width` cells wide; the columns of highest rank are left out until it fits."""
    fits = [_Fit.of(column, rows) for column in columns]
    while (room := width - sum(fit.least + _GAP for fit in fits)) < 0 and (last := _first_to_go(fits)) is not None:
        fits.remove(last)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), show_edge=False)
    for fit in fits:
        fit.width += max(0, min(fit.natural - fit.least, room))
        room -= fit.width - fit.least
        justify: Literal["left", "right"] = "right" if fit.column.numeric else "left"
        title = Text(clean_line(fit.column.title))
        table.add_column(title, justify=justify, no_wrap=True, overflow="ellipsis", width=fit.width)
    for number in range(len(rows)):
        table.add_row(*(fit.shown(number) for fit in fits))
    return table


def _first_to_go(fits: list[_Fit[Row]]) -> _Fit[Row] | None:
    """The column that gives way first: of the highest rank, the last; None when all that are left must stay."""
    rank = max(fit.column.rank for fit in fits)
    return next(fit for fit in reversed(fits) if fit.column.rank == rank) if rank > 0 else None


def middle(text: str, width: int) -> str:
    """`text` in at most `width` cells, cut in the middle: keys and paths differ at their ends."""
    if cell_len(text) <= width:
        return text
    head = width // 3
    tail = text[-1:]
    for char in reversed(text[:-1]):
        if head + 1 + cell_len(char + tail) > width:
            break
        tail = char + tail
    return set_cell_size(text, head) + "…" + tail
