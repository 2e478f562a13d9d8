"""What a heatmap draws, before it has a size: each cell as one code, in the order chosen, whole or pooled.

Codes are small integers, so that a line of a thousand cells is found with an index and cut into runs by numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memscope.reports.grid import Grid, Overview, overview
from memscope.reports.matrix import STATE_NAMES
from memscope.reports.scale import LEVELS, Unit, level

Codes = NDArray[np.uint8]
Order = NDArray[np.intp]

# A code up to 2 * LEVELS is the level -LEVELS to LEVELS, counted from 0.
NOISE, PENDING, FAILED, BEFORE, UNKNOWN, CLAMPED = range(2 * LEVELS + 1, 2 * LEVELS + 7)
CODES = 2 * LEVELS + 7
"""How many codes there are. `UNKNOWN`: measured, but not in this unit; `CLAMPED`: below 0, where only what is above it
is shown."""

_ALL = slice(None)
_OK = next(state for state, name in STATE_NAMES.items() if name == "ok")
_OF_NAME = {"ok": UNKNOWN, "pending": PENDING, "failed": FAILED, "before": BEFORE}
_OF_STATE = np.array([_OF_NAME[STATE_NAMES[state]] for state in range(len(STATE_NAMES))], np.uint8)


def codes(
    values: NDArray[np.float64],
    state: NDArray[np.uint8],
    noise: NDArray[np.bool_],
    unit: Unit,
    *,
    signed: bool = True,
) -> Codes:
    """The code of each cell, of the shape of all three. Not `signed`: values below 0 are given as 0."""
    found = (level(values, unit) + np.int8(LEVELS)).astype(np.uint8)
    found[np.isnan(values)] = UNKNOWN
    found[found == LEVELS] = NOISE if signed else CLAMPED  # exactly 0 is as good as noise
    found[noise] = NOISE
    return np.where(state == _OK, found, _OF_STATE[state])


def codes_of(grid: Grid, rows: Order | slice = _ALL) -> Codes:
    """The codes of these rows of a grid."""
    return codes(grid.values[rows], grid.state[rows], grid.noise[rows], grid.unit, signed=grid.signed)


@dataclass(frozen=True, eq=False)
class Picture:
    """The rows and columns of a heatmap: line i is row `rows[i]` of `codes` and `values`, column j is `columns[j]`.

    `keys` and `totals` [lines], `responses` and `column_totals` [columns] are in the order of the screen.
    `overview`: of a pooled picture, which lines and columns of the `whole` each cell stands for.
    """

    codes: Codes
    values: NDArray[np.float64]
    rows: Order
    columns: Order
    keys: tuple[str, ...]
    totals: NDArray[np.float64]
    responses: tuple[int, ...]
    column_totals: NDArray[np.float64]
    unit: Unit = "nats"
    whole: Picture | None = None
    overview: Overview | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and columns."""
        return len(self.rows), len(self.columns)

    def line(self, row: int, start: int, end: int) -> Codes:
        """The codes of a line, from one column up to another."""
        found: Codes = self.codes[self.rows[row], self.columns[start:end]]
        return found

    def value(self, row: int, column: int) -> float:
        return float(self.values[self.rows[row], self.columns[column]])

    def at(self, row: int, column: int) -> tuple[int, int] | None:
        """The row and column of the matrix at a place; of a pooled cell the one it shows, which is its strongest."""
        if not (0 <= row < len(self.rows) and 0 <= column < len(self.columns)):
            return None
        if self.whole is not None and self.overview is not None:
            return self.whole.at(*self.overview.strongest(row, column))
        return int(self.rows[row]), int(self.columns[column])

    def find(self, row: int, column: int) -> tuple[int | None, int | None]:
        """Where a row and a column of the matrix stand; None where a filter has taken them away."""
        if self.whole is not None and self.overview is not None:
            line, place = self.whole.find(row, column)
            over = self.overview.at(line or 0, place or 0)
            return None if line is None else over[0], None if place is None else over[1]
        return _place(self.rows, row), _place(self.columns, column)


def picture(grid: Grid, cells: Codes, rows: Order, columns: Order) -> Picture:
    """The whole of a grid, whose codes are `cells`."""
    return Picture(
        codes=cells,
        values=grid.values,
        rows=rows,
        columns=columns,
        keys=tuple(grid.keys[row] for row in rows),
        totals=grid.row_totals[rows],
        responses=tuple(grid.responses[column] for column in columns),
        column_totals=grid.column_totals[columns],
        unit=grid.unit,
    )


def pooled(whole: Picture, grid: Grid, height: int, width: int) -> Picture:
    """All of a picture in at most `height` lines and `width` columns. A line is named by its first memory and how many
    more it stands for; totals are the largest of each."""
    inside = np.ix_(whole.rows, whole.columns)
    found = overview(whole.values[inside], grid.state[inside], grid.noise[inside], height, width)
    lines, columns = found.values.shape
    counts = np.diff(found.rows)
    return Picture(
        codes=codes(found.values, found.state, found.noise, grid.unit, signed=grid.signed),
        values=found.values,
        rows=np.arange(lines),
        columns=np.arange(columns),
        keys=tuple(
            whole.keys[start] + (f" +{more - 1}" if more > 1 else "")
            for start, more in zip(found.rows[:-1].tolist(), counts.tolist(), strict=True)
        ),
        totals=_largest(whole.totals, found.rows),
        responses=tuple(whole.responses[start] for start in found.columns[:-1].tolist()),
        column_totals=_largest(whole.column_totals, found.columns),
        unit=grid.unit,
        whole=whole,
        overview=found,
    )


def _largest(totals: NDArray[np.float64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.fmax.reduceat(totals, edges[:-1]) if len(totals) else totals


def _place(order: Order, wanted: int) -> int | None:
    found = np.flatnonzero(order == wanted)
    return int(found[0]) if len(found) else None
