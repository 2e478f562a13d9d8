"""The heatmap as numbers to draw: the cells in one unit, what they add up to, and the whole of it in a few cells.

Frozen arrays and no pydantic: it is made again for every picture of a run in progress.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memscope.attribution.aggregates import Cutoffs, unmeasured
from memscope.attribution.matrix import Floats, Matrix, State
from memscope.reports.scale import Unit


@dataclass(frozen=True, eq=False)
class Grid:
    """N memories by M responses (message indices) in one unit.

    `values` [N, M]: effects, NaN where there is none or the unit cannot say; not `signed`: negative ones are 0.
    `state` [N, M]: `State`. `noise` [N, M]: measured, but not beyond the response's cutoff, on either side of 0 also
    where it is not `signed`. `row_totals` [N] and `column_totals` [M]: the positive values summed, NaN where there is
    none to sum.
    """

    keys: tuple[str, ...]
    responses: tuple[int, ...]
    values: Floats
    state: NDArray[np.uint8]
    noise: NDArray[np.bool_]
    row_totals: Floats
    column_totals: Floats
    unit: Unit = "nats"
    signed: bool = True


def units(matrix: Matrix) -> tuple[Unit, ...]:
    """The units a matrix can be drawn in: not every engine counts tokens, and shares wait for the conversation without
    any memory."""
    per_token: tuple[Unit, ...] = ("per token",) if matrix.tokens.any() else ()
    share: tuple[Unit, ...] = ("share",) if np.isfinite(matrix.baseline - matrix.stripped).any() else ()
    return ("nats", *per_token, *share)


def grid(matrix: Matrix, cut: Cutoffs, unit: Unit = "nats", *, signed: bool = True) -> Grid:
    """The matrix as it is drawn. In a unit it does not have (`units`) all measured values are NaN."""
    effects = matrix.effects if signed else np.maximum(matrix.effects, 0.0)
    noise = np.abs(matrix.effects) <= cut.cutoff
    noise &= matrix.state == State.OK
    values = effects
    if unit != "nats":
        values = effects / _one(matrix, cut, unit)
        values[matrix.state == State.BEFORE] = 0.0  # in any unit
    positive = np.maximum(values, 0.0) if signed else values.copy()
    nothing = np.isnan(positive)
    positive[nothing] = 0.0
    return Grid(
        keys=matrix.keys,
        responses=matrix.responses,
        values=values,
        state=matrix.state,
        noise=noise,
        row_totals=np.where(nothing.all(axis=1) | unmeasured(matrix), np.nan, positive.sum(axis=1)),
        column_totals=np.where(nothing.all(axis=0), np.nan, positive.sum(axis=0)),
        unit=unit,
        signed=signed,
    )


def _one(matrix: Matrix, cut: Cutoffs, unit: Unit) -> Floats:
    """[M]: the nats that are one of `unit` in each response; NaN where there is no such thing."""
    if unit == "per token":
        return np.where(matrix.tokens > 0, matrix.tokens, np.nan)
    stripped = matrix.baseline - matrix.stripped
    return np.where(stripped > cut.cutoff, stripped, np.nan)  # as `aggregates.share`


@dataclass(frozen=True, eq=False)
class Overview:
    """A large heatmap in few cells, each of which stands for a rectangle of it.

    `values`: of each rectangle the value furthest from 0 among those beyond noise, or else of all; NaN where it has
    none. `noise`: nothing in it is beyond noise, though something was measured. `state`: ok where anything in it is,
    else failed, pending or before, in this order. Cell (i, j) stands for rows `rows[i]` to `rows[i + 1]` and columns
    `columns[j]` to `columns[j + 1]`, the ends not included. `of`: values, state and noise of what it stands for.
    """

    values: Floats
    state: NDArray[np.uint8]
    noise: NDArray[np.bool_]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    of: tuple[Floats, NDArray[np.uint8], NDArray[np.bool_]]

    def at(self, row: int, column: int) -> tuple[int, int]:
        """The cell of the overview that stands for a cell of the grid."""
        i = np.searchsorted(self.rows, row, side="right") - 1
        j = np.searchsorted(self.columns, column, side="right") - 1
        return int(i), int(j)

    def strongest(self, row: int, column: int) -> tuple[int, int]:
        """The cell of the grid that a cell of the overview shows; where that has no value, the first in its state."""
        values, state, noise = self.of
        top, bottom = self.rows[row : row + 2].tolist()
        left, right = self.columns[column : column + 2].tolist()
        inside = np.s_[top:bottom, left:right]
        shown = values[inside] == self.values[row, column]
        if not self.noise[row, column]:
            shown &= ~noise[inside]
        if not shown.any():
            shown = state[inside] == self.state[row, column]
        i, j = divmod(int(shown.argmax()), right - left)
        return top + i, left + j


def overview(values: Floats, state: NDArray[np.uint8], noise: NDArray[np.bool_], height: int, width: int) -> Overview:
    """At most `height` by `width` cells (1 or more) that stand for all of `values`, as it is sorted and filtered."""
    rows, columns = _edges(values.shape[0], height), _edges(values.shape[1], width)
    loud = np.where(noise, 0.0, values)
    pooled = _furthest(loud, rows, columns)
    quiet = (pooled == 0) & _pool(np.logical_or, noise, rows, columns)
    if quiet.any():
        pooled = np.where(quiet, _furthest(values, rows, columns), pooled)
    rank = _pool(np.maximum, _RANK[state], rows, columns)
    return Overview(pooled, _OF_RANK[rank], quiet, rows, columns, (values, state, noise))


# What is told first of cells that share one: measured, failed, pending, before.
_OF_RANK = np.array([State.BEFORE, State.PENDING, State.FAILED, State.OK], np.uint8)
_RANK = np.argsort(_OF_RANK).astype(np.uint8)


def _edges(count: int, most: int) -> NDArray[np.int64]:
    cells = min(count, max(1, most))
    return np.arange(cells + 1, dtype=np.int64) * count // max(1, cells)


def _furthest(values: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    """The value furthest from 0 in each rectangle, NaN where all are; the positive one of two that are as far."""
    high = _pool(np.fmax, values, rows, columns)
    low = _pool(np.fmin, values, rows, columns)
    return np.where(high >= -low, high, low)


def _pool(how: np.ufunc, values: NDArray[Any], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
    """`how` over each rectangle."""
    if not values.size:
        return np.zeros((len(rows) - 1, len(columns) - 1), values.dtype)
    pooled: NDArray[Any] = how.reduceat(how.reduceat(values, rows[:-1], axis=0), columns[:-1], axis=1)
    return pooled
