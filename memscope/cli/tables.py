"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from memscope.base.cells import middle
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

    def shown(self, number: int) -> Text:
        text = self.cells[number]
        return Text(text if self.column.wide else middle(text, self.width))


def fitted(columns: Sequence[Column[Row]], rows: Sequence[Row], width: int) -> Table:
    """The rows as a table at most `width` cells wide; the columns of highest rank are left out until it fits."""
    cells = [[clean_line(column.text(row)) for row in rows] for column in columns]
    wishes = [
        Wish.of(column, max([cell_len(column.title), *map(cell_len, found)]))
        for column, found in zip(columns, cells, strict=True)
    ]
    given = widths(wishes, width, _GAP)
    fits = [_Fit(columns[i], cells[i], given[i]) for i in given]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), show_edge=False)
    for fit in fits:
        justify: Literal["left", "right"] = "right" if fit.column.numeric else "left"
        title = Text(clean_line(fit.column.title))
        table.add_column(title, justify=justify, no_wrap=True, overflow="ellipsis", width=fit.width)
    for number in range(len(rows)):
        table.add_row(*(fit.shown(number) for fit in fits))
    return table
