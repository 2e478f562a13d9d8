"""Average linkage: the two clusters that are most alike become one, as long as they are alike enough.

How alike two clusters are is the mean of the cosines of their members, each of one with each of the other, which is the
product of their mean vectors. Average linkage is reducible: a cluster made of two is to a third at most as near as the
nearer of the two was. So all pairs that are each other's nearest may merge at once, in any order, and a cluster whose
nearest is not near enough is final (F. Murtagh, "A survey of recent advances in hierarchical clustering algorithms",
1983).

Products of single precision are wrong by some 1e-7, differently where a matrix has another shape. They are rounded to
a grid of 2**-20, about 1e-6: what differs by less counts as equal, a threshold included; of equals the lowest is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.promotion.model import Vectors

_GRID = np.float32(2**20)
_ROWS, _COLUMNS = 512, 8192  # of one product
_LITTLE = 2**18  # products that are had for the price of a call
_TABLE = 6144  # rows of a table, 300 MB
_NEVER = np.float32(-np.inf)


def linked(
    units: Vectors,
    points: NDArray[np.intp],
    weights: NDArray[np.intp],
    threshold: float,
    job: Job,
    *,
    settled: Callable[[int], None] = lambda number: None,
) -> NDArray[np.intp]:
    """The cluster of each of some points, which rows of `units` they are, [n], of norm 1 or zero: the lowest place
    among these points that is in it, [n]. A point of weight w counts as w members. `settled` is told how many points
    need no more looking at. Raises `Cancelled`."""
    state = _Clusters(units[points], weights, floor(threshold * float(_GRID)))
    state.tabulate(job)
    state.look(np.arange(len(points)), job)
    while left := state.close():
        settled(len(points) - left)
        state.look(state.merge(), job)
        state.look(state.wanted(), job)
        if state.drop():
            state.tabulate(job)
    return state.clusters()


class _Clusters:
    """The clusters that may still merge, a row for each: its mean vector, its weight, its nearest (a row) and how near
    that is, on the grid.

    `_gone`: rows that are part of another by now. `_stale`: rows whose nearest merged, so that how near it was is but a
    bound; of many with one nearest, most need not look again until it looks at them. `_table`: how near each is to
    each, [n, n], once they are few enough; the means are not needed any more then. In double precision: a cluster
    that takes in one point after the other is averaged, and rounded, as often.
    """

    def __init__(self, means: Vectors, weights: NDArray[np.intp], least: int) -> None:
        count = len(means)
        self._above = np.arange(count)  # the point that each is in one cluster with, itself where it is the lowest
        self._names = np.arange(count)  # the lowest point of each row
        self._means = means
        self._table: NDArray[np.float64] | None = None
        self._weights = weights.astype(np.float64)
        self._near = np.full(count, _NEVER)
        self._nearest = np.zeros(count, np.intp)
        self._gone = np.zeros(count, bool)
        self._stale = np.zeros(count, bool)
        self._least = least

    def clusters(self) -> NDArray[np.intp]:
        above = self._above
        while not np.array_equal(higher := above[above], above):
            above = higher
        return above

    def close(self) -> int:
        """How many may still merge."""
        return int(np.count_nonzero(self._near >= self._least))

    def tabulate(self, job: Job) -> None:
        """Make the table, if it can be held and is not there."""
        count = len(self._near)
        if self._table is None and count <= _TABLE:
            table = np.empty((count, count))
            for start in range(0, count, _ROWS):
                job.check()
                table[start : start + _ROWS] = (self._means[start : start + _ROWS] * _GRID) @ self._means.T
            self._table, self._means = table, self._means[:0]

    def look(self, rows: NDArray[np.intp], job: Job) -> None:
        """Find the nearest of each of these rows, the lowest of equals."""
        gone = self._gone.nonzero()[0]
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            near, nearest = np.full(len(some), _NEVER), np.zeros(len(some), np.intp)
            for left in range(0, len(self._near), _COLUMNS):
                job.check()
                products = self._products(some, slice(left, left + _COLUMNS))
                right = left + products.shape[1]
                np.rint(products, out=products)
                products[:, gone[slice(*gone.searchsorted((left, right)))] - left] = _NEVER
                (own,) = ((some >= left) & (some < right)).nonzero()
                products[own, some[own] - left] = _NEVER
                best = products.argmax(axis=1)
                values = products[np.arange(len(some)), best]
                better = values > near
                near[better], nearest[better] = values[better], best[better] + left
            self._near[some], self._nearest[some], self._stale[some] = near, nearest, False

    def _products(self, rows: NDArray[np.intp], columns: slice) -> NDArray[np.floating]:
        """How near these rows are to those columns, on the grid but for rounding."""
        if self._table is not None:
            return self._table[rows, columns]
        return (self._means[rows] * _GRID) @ self._means[columns].T

    def merge(self) -> NDArray[np.intp]:
        """Merge all that are each other's nearest, if any are. The rows of what came of it, to look again."""
        close, mutual = self._mutual()
        rows = np.arange(len(mutual))
        low = rows[mutual & ((rows < self._nearest) | ~close[self._nearest])]
        high = self._nearest[low]
        if not len(low):
            if self._stale.any():
                return low
            low = np.array([self._near.argmax()])  # rounding made a circle of equals
            high = self._nearest[low]
        low, high = np.minimum(low, high), np.maximum(low, high)
        self._average(low, high)
        self._weights[low] += self._weights[high]
        self._above[self._names[high]] = self._names[low]
        self._gone[high], self._near[high] = True, _NEVER
        changed = np.zeros(len(rows), bool)
        changed[low] = changed[high] = True
        self._stale |= changed[self._nearest]
        self._stale &= self._near >= self._least
        return low

    def _average(self, low: NDArray[np.intp], high: NDArray[np.intp]) -> None:
        """How near, or where, the two of each pair are together."""
        part = (self._weights[low] / (self._weights[low] + self._weights[high]))[:, None]
        rows: NDArray[np.floating] = self._means if self._table is None else self._table
        for start in range(0, len(low), _ROWS):
            some = slice(start, start + _ROWS)
            one, other, mine = low[some], high[some], part[some]
            rows[one] = rows[one] * mine + rows[other] * (1 - mine)
            if rows is self._table:
                rows[:, one] = rows[:, one] * mine.T + rows[:, other] * (1 - mine.T)

    def wanted(self) -> NDArray[np.intp]:
        """The stale rows that have to look again for anything to merge: all where that costs little, else those that
        are the nearest of another, else, if nothing can merge without, those that may be nearest to anything."""
        stale = np.flatnonzero(self._stale)
        if len(stale) * len(self._near) <= _LITTLE:
            return stale
        close, mutual = self._mutual()
        pointed = np.zeros(len(close), bool)
        pointed[self._nearest[close & ~self._stale]] = True
        pointed &= self._stale
        if pointed.any() or mutual.any():
            return np.flatnonzero(pointed)
        return np.sort(stale[np.argsort(-self._near[stale], kind="stable")[:_ROWS]])

    def _mutual(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The rows whose nearest is near enough; those that, as far as is known, are the nearest of their nearest."""
        close = self._near >= self._least
        mutual = close & ~self._stale & ~self._stale[self._nearest]
        mutual &= self._nearest[self._nearest] == np.arange(len(close))
        return close, mutual

    def drop(self) -> bool:
        """Forget rows that are part of another, or final, once they are many; whether it did."""
        close = self._near >= self._least
        kept = close.copy()
        kept[self._nearest[close & ~self._stale]] = True
        if 4 * np.count_nonzero(kept) > 3 * len(kept):
            return False
        place = np.cumsum(kept) - 1
        self._nearest = np.where(close, place[self._nearest], 0)[kept]
        self._names, self._weights, self._near = self._names[kept], self._weights[kept], self._near[kept]
        self._gone, self._stale = self._gone[kept], self._stale[kept]
        if self._table is None:
            self._means = self._means[kept]
        else:
            self._table = self._table[np.ix_(kept, kept)]
        return True
