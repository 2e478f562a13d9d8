"""Grids made up for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memscope.attribution.matrix import State
from memscope.reports.grid import Grid
from memscope.reports.scale import Unit


def grid_of(
    values: NDArray[np.float64],
    state: NDArray[np.uint8] | None = None,
    cutoff: float = 0.5,
    *,
    unit: Unit = "nats",
    signed: bool = True,
    keys: tuple[str, ...] | None = None,
) -> Grid:
    """A grid of these values, by default all measured; responses are #1, #3, #5 ..."""
    rows, columns = values.shape
    found = np.full(values.shape, State.OK, np.uint8) if state is None else state
    positive = np.nan_to_num(np.maximum(values, 0.0))
    return Grid(
        keys=keys or tuple(f"memory {row}" for row in range(rows)),
        responses=tuple(range(1, 2 * columns, 2)),
        values=values,
        state=found,
        noise=(np.abs(values) <= cutoff) & (found == State.OK),
        row_totals=np.where(np.isnan(values).all(axis=1), np.nan, positive.sum(axis=1)),
        column_totals=np.where(np.isnan(values).all(axis=0), np.nan, positive.sum(axis=0)),
        unit=unit,
        signed=signed,
    )


def states_grid() -> Grid:
    """Three memories and four responses with a cell of every kind."""
    values = np.array([[9.0, -3.0, 0.1, 0.7], [0.0, 0.0, 12.3, -30.0], [np.nan] * 4])
    state = np.full(values.shape, State.OK, np.uint8)
    state[1, :2] = State.BEFORE
    state[2] = State.FAILED
    state[2, 3] = State.PENDING
    return grid_of(values, state)


def random_grid(rows: int, columns: int, seed: int = 1) -> Grid:
    """Many cells, some of them beyond noise."""
    random = np.random.default_rng(seed)
    return grid_of(random.normal(0.0, 2.0, (rows, columns)) * random.random((rows, columns)) ** 3)
