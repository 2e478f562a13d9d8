"""The rows of a table: in which order they stand, which are shown, which are marked. Knows no screen.

A row is told from others by its identity, which stays when its numbers change: cursor and marks hold on to that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from memscope.reports.view import Cell, Column

Row = TypeVar("Row")
Wanted = Callable[[Row], bool]

_FROM_THE_START = frozenset({"message", "index"})  # units of places, which are read from the first on


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column the rows stand, and whether its highest come first."""

    title: str
    descending: bool

    @classmethod
    def of(cls, column: Column[Row]) -> Sort:
        """The order likely to be wanted first: numbers from the strongest down, names and places from the start."""
        strongest_last = column.negative or column.unit in _FROM_THE_START
        return cls(column.title, column.highest_first or (column.numeric and not strongest_last))

    @property
    def reverse(self) -> Sort:
        return Sort(self.title, not self.descending)

    @property
    def words(self) -> str:
        """The order as it is told to a person."""
        return f"sorted by {self.title}, from the {'highest' if self.descending else 'lowest'}"


class OrderedRows(Generic[Row]):
    """Rows under `columns`. `order`: positions in the list of the rows that are shown, from the top down. `sort` may
    name a column that is not there, or not yet: until it is, rows stand as they were given."""

    def __init__(
        self, columns: Sequence[Column[Row]], rows: Iterable[Row], identity: Callable[[Row], Hashable] | None = None
    ) -> None:
        """`identity` tells a row from all others, whatever its numbers are; without one it is the place in `rows`."""
        self.columns = tuple(columns)
        self._rows = list(rows)
        self._identity = identity
        self._ids: list[Hashable] = [*map(identity, self._rows)] if identity else [*range(len(self._rows))]
        self._position = {name: position for position, name in enumerate(self._ids)}
        self._values: dict[str, list[Cell]] = {}
        self._texts: list[str] | None = None
        self._places: dict[int, int] | None = None
        self.sort: Sort | None = None
        self.wanted: str | Wanted[Row] = ""
        self.marked: set[Hashable] = set()
        self.order: list[int] = [*range(len(self._rows))]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> Row:
        """The row shown at a place, from 0 at the top."""
        return self._rows[self.order[place]]

    def identity(self, place: int) -> Hashable:
        return self._ids[self.order[place]]

    def place(self, identity: Hashable) -> int | None:
        """Where a row is shown; None where it is not."""
        if self._places is None:
            self._places = {position: place for place, position in enumerate(self.order)}
        position = self._position.get(identity)
        return None if position is None else self._places.get(position)

    @property
    def rows(self) -> list[Row]:
        """All of them, shown or not, as they were given."""
        return list(self._rows)

    @property
    def marked_rows(self) -> list[Row]:
        """The marked ones, shown or not, in the order they were given."""
        return [row for row, name in zip(self._rows, self._ids, strict=True) if name in self.marked]

    def column(self, title: str) -> Column[Row] | None:
        return next((column for column in self.columns if column.title == title), None)

    def extremes(self, column: Column[Row]) -> list[Row]:
        """The rows with the lowest and the highest number of a column; none where there is no number."""
        known = {
            position: value
            for position, value in enumerate(self._values_of(column))
            if isinstance(value, int | float) and not math.isnan(value)
        }
        return [self._rows[find(known, key=known.__getitem__)] for find in (min, max)] if known else []

    def like(self, other: OrderedRows[Row]) -> None:
        """Takes over order, filter and marks, as far as they can be had here."""
        self.marked = {name for name in other.marked if name in self._position}
        self.wanted = other.wanted
        self.sort = other.sort
        self.arrange()

    def arrange(self) -> None:
        """Puts the rows in order anew, from their values as they are now."""
        shown: list[int] = self._shown()
        column = self.column(self.sort.title) if self.sort is not None else None
        if column is not None and self.sort is not None:
            values = self._values_of(column)
            known = [position for position in shown if not _nothing(values[position])]
            # Sorted in reverse, Python keeps equals in order as well.
            known.sort(key=lambda position: _key(values[position]), reverse=self.sort.descending)
            shown = known + [position for position in shown if _nothing(values[position])]
        self.order = shown
        self._places = None

    def update(self, changed: Iterable[Row]) -> list[int]:
        """Puts rows in the place of those of the same identity, without moving any. The places shown that changed."""
        assert self._identity is not None, "rows without an identity cannot be told apart"
        changed_places = []
        for row in changed:
            name = self._identity(row)
            position = self._position.get(name)
            if position is None:
                continue
            self._rows[position] = row
            if (place := self.place(name)) is not None:
                changed_places.append(place)
        self._values.clear()
        self._texts = None
        return changed_places

    def _shown(self) -> list[int]:
        wanted = self.wanted
        if callable(wanted):
            return [position for position, row in enumerate(self._rows) if wanted(row)]
        words = wanted.casefold().split()
        if not words:
            return [*range(len(self._rows))]
        if self._texts is None:
            told = [column for column in self.columns if not column.numeric] or self.columns
            self._texts = [" ".join(column.text(row) for column in told).casefold() for row in self._rows]
        return [position for position, text in enumerate(self._texts) if all(word in text for word in words)]

    def _values_of(self, column: Column[Row]) -> list[Cell]:
        if column.title not in self._values:
            self._values[column.title] = [column.value(row) for row in self._rows]
        return self._values[column.title]


def _nothing(value: Cell) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _key(value: Cell) -> tuple[bool, float | str, str]:
    """Numbers before texts, texts without regard to case."""
    if isinstance(value, str):
        return True, value.casefold(), value
    return False, value if value is not None else 0.0, ""
