"""Which points can end in one cluster at all: those that a chain of near enough pairs connects.

The average of similarities is at or above a threshold only where one of them is, so no cluster crosses components.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.promotion.model import Vectors

SLACK = 1e-5
"""How far below the threshold a pair still connects: more than rounding makes out, and too much does no harm."""

_ROWS, _COLUMNS = 512, 4096  # of one product
_MANY = 4096  # pairs of one product that are joined one by one


def components(units: Vectors, threshold: float, job: Job) -> NDArray[np.intp]:
    """The component of each of `units`, [n, d], rows of norm 1 or zero: the lowest place in it, [n]. No pairs are kept,
    however many there are. Raises `Cancelled`."""
    forest = _Forest(len(units))
    least = np.float32(threshold - SLACK)
    products = np.empty((_ROWS, _COLUMNS), np.float32)
    for start in range(0, len(units), _ROWS):
        job.progress(start, len(units), "messages", "comparing")
        rows = np.arange(start, min(start + _ROWS, len(units)))
        for left in range(start, len(units), _COLUMNS):
            job.check()
            columns = np.arange(left, min(left + _COLUMNS, len(units)))
            if forest.is_one(rows, columns):
                continue
            part = products.ravel()[: len(rows) * len(columns)].reshape(len(rows), len(columns))  # memory taken once
            np.matmul(units[start : start + _ROWS], units[left : left + _COLUMNS].T, out=part)
            _connect(forest, part >= least, rows, columns)
    job.progress(len(units), len(units), "messages", "comparing")
    return forest.roots(np.arange(len(units)))


def _connect(forest: _Forest, near: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
    """Join what is near. Of very many pairs first one a row and one a column, until most are of one component."""
    while (count := np.count_nonzero(near)) > _MANY:
        near &= forest.roots(rows)[:, None] != forest.roots(columns)[None, :]
        if np.count_nonzero(near) <= _MANY:
            break
        some, others = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        forest.join(rows[some], columns[near[some].argmax(axis=1)])
        forest.join(rows[near[:, others].argmax(axis=0)], columns[others])
    if count:
        row, column = np.divmod(np.flatnonzero(near), len(columns))  # faster than in two dimensions
        forest.join(rows[row], columns[column])


class _Forest:
    """Places that belong together, by union and find, over many at once."""

    def __init__(self, count: int) -> None:
        self._above = np.arange(count)

    def roots(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """The lowest place of the component of each."""
        above = self._above
        roots = above[places]
        while True:
            higher = above[roots]
            if np.array_equal(higher, roots):
                break
            roots = higher
        above[places] = roots
        return roots

    def is_one(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> bool:
        """Whether all of these are of one component already."""
        root = self.roots(rows[:1])[0]
        return bool((self.roots(rows) == root).all() and (self.roots(columns) == root).all())

    def join(self, ones: NDArray[np.intp], others: NDArray[np.intp]) -> None:
        """Make each of the ones and that of the others one component."""
        above = self._above
        ones, others = self.roots(ones), self.roots(others)
        differ = ones != others
        for pair in np.unique(ones[differ] * len(above) + others[differ]).tolist():
            one, other = divmod(pair, len(above))
            low, high = sorted((self._root(one), self._root(other)))
            above[high] = low

    def _root(self, place: int) -> int:
        above = self._above
        while (higher := int(above[place])) != place:
            above[place] = above[higher]
            place = higher
        return place
