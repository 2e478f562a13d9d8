"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from memscope.base.text import clean_line
from memscope.reports.view import Column

Row = TypeVar("Row")
_GAP = 2
_LEAST_WIDE, _LEAST_TEXT = 24, 20  # cells a column of text needs to be worth its place


def fitted(columns: Sequence[Column[Row]], rows: Sequence[Row], width: int) -> Table:
    """The rows as a table at most `width` cells wide; the columns of highest rank are left out until it fits."""
    cells = {id(column): [clean_line(column.text(row)) for row in rows] for column in columns}
    natural = {id(column): max([cell_len(column.title), *map(cell_len, cells[id(column)])]) for column in columns}
    least = {id(column): _least(column, natural[id(column)]) for column in columns}
    kept = list(columns)
    while sum(least[id(column)] + _GAP for column in kept) > width and (rank := max(c.rank for c in kept)) > 0:
        kept.remove(next(column for column in reversed(kept) if column.rank == rank))
    room = width - sum(least[id(column)] + _GAP for column in kept)
    widths: dict[int, int] = {}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), show_edge=False)
    for column in kept:
        wanted = natural[id(column)] - least[id(column)] if not column.numeric else 0
        given = max(0, min(wanted, room))
        room -= given
        widths[id(column)] = least[id(column)] + given
        table.add_column(
            Text(clean_line(column.title)),
            justify="right" if column.numeric else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=widths[id(column)],
        )
    for number in range(len(rows)):
        table.add_row(*(Text(_cut(column, cells[id(column)][number], widths[id(column)])) for column in kept))
    return table


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


def _cut(column: Column[Row], text: str, width: int) -> str:
    return text if column.wide else middle(text, width)


def _least(column: Column[Row], natural: int) -> int:
    """The cells a column needs to say anything: numbers all of theirs, text that can be cut less."""
    if column.numeric:
        return natural
    return min(natural, _LEAST_WIDE if column.wide else _LEAST_TEXT)
