"""The first promotion engine's clusters: each message joins the first cluster that is near enough, in the order given.

A cluster is near enough where the cosine to its centroid, the running mean of its members, is at or above the
threshold. The clusters are those of that loop in single precision, for every input, bit by bit. Most cosines come of
matrix products, which add in another order and so differ by rounding: they only rule out, or in, what is further from
the threshold than rounding reaches. What is nearer is computed as the loop does: products added one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.promotion.vectors import ZERO

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors

_BLOCK = 256  # messages compared with all clusters at once
_TILE = 8192  # clusters in one product
_UNSURE = 64  # clusters whose cosines are computed one by one at once
_HUGE = np.float32(1e18)  # norms from here on can overflow in a cosine: those are left to the loop's own arithmetic
_ONE = np.float32(1)


class Joined(NamedTuple):
    """The cluster of each message, [n], numbered as they began, and the clusters' centroids, [k, d]."""

    clusters: NDArray[np.intp]
    centroids: Vectors


def greedy(vectors: Vectors, threshold: float, job: Job) -> Joined:
    """The clusters of `vectors`, [n, d], finite. Raises `Cancelled`."""
    loop = _Loop(vectors, threshold)
    with np.errstate(all="ignore"):  # huge numbers overflow as they do in the loop
        for start in range(0, len(vectors), _BLOCK):
            job.check()
            job.progress(start, len(vectors), "messages", "grouping")
            loop.add(start, start + _BLOCK)
    job.progress(len(vectors), len(vectors), "messages", "grouping")
    return Joined(loop.joined, loop.centroids[: loop.count].copy())


class _Loop:
    """The state of the loop. `units` are the centroids divided by their norms: zero for one that counts as zero, and
    not a number for a huge one, so that no comparison with it ever rules in or out."""

    def __init__(self, vectors: Vectors, threshold: float) -> None:
        size, dimension = vectors.shape
        self.count = 0
        self.joined = np.zeros(size, np.intp)
        self.centroids = np.empty_like(vectors)  # memory is taken as it is written to
        self._vectors = vectors
        self._units = np.empty_like(vectors)
        self._norms = np.empty(size, np.float32)
        self._sizes = np.zeros(size, np.int64)
        self._changed = np.full(size, -1, np.int64)  # the block in which each cluster changed last, by its start
        self._threshold = np.float32(threshold)
        # Either sum of d products is wrong by d roundings at most (of norm 1), what is done besides by a few.
        margin = (2 * dimension + 32) * 2.0**-24
        self._low = np.float32(self._threshold - margin)
        self._sure = np.float32(self._threshold + margin)

    def add(self, start: int, end: int) -> None:
        """Let the messages from `start` on join, one by one."""
        vectors = self._vectors[start:end]
        norms = _norms(vectors)
        units = _units(vectors, norms)
        flagged, near, bounds = self._flagged(units)
        between = units @ units.T
        # Clusters that began or changed in this block: which they are, their slot, and the cosines of all to them.
        late = np.empty(len(vectors), np.intp)
        slots: dict[int, int] = {}
        cosines = np.empty((len(vectors), len(vectors)), np.float32)
        for place in range(len(vectors)):
            old = slice(bounds[place], bounds[place + 1])
            touched = cosines[place, : len(slots)]
            (again,) = (~(touched < self._low)).nonzero()
            cluster = None
            if old.start != old.stop or len(again):
                same = self._changed[flagged[old]] != start
                clusters = np.concatenate((flagged[old][same], late[again]))
                values = np.concatenate((near[old][same], touched[again]))
                order = clusters.argsort()
                cluster = self._first(vectors[place], norms[place], clusters[order], values[order])
            if cluster is None:
                cluster = self._begin(vectors[place], norms[place], units[place])
                slots[cluster] = slot = len(slots)
                cosines[place:, slot] = between[place:, place]
            else:
                self._join(cluster, vectors[place])
                slot = slots.setdefault(cluster, len(slots))
                cosines[place + 1 :, slot] = units[place + 1 :] @ self._units[cluster]
            late[slot] = cluster
            self._changed[cluster] = start
            self.joined[start + place] = cluster

    def _flagged(self, units: Vectors) -> tuple[NDArray[np.intp], Vector, list[int]]:
        """The clusters that are not ruled out for each message of a block, in order, and the cosines to them; from
        where to where they stand for each."""
        rows, columns, values = [], [], []
        for start in range(0, self.count, _TILE):
            products = units @ self._units[start : min(start + _TILE, self.count)].T
            found = np.flatnonzero(~(products < self._low))
            row, column = np.divmod(found, products.shape[1])
            rows.append(row)
            columns.append(column + start)
            values.append(products.ravel()[found])
        if not rows:
            return np.empty(0, np.intp), np.empty(0, np.float32), [0] * (len(units) + 1)
        row = np.concatenate(rows)
        order = row.argsort(kind="stable")
        bounds: list[int] = row[order].searchsorted(np.arange(len(units) + 1)).tolist()
        return np.concatenate(columns)[order], np.concatenate(values)[order], bounds

    def _first(self, vector: Vector, norm: np.float32, clusters: NDArray[np.intp], values: Vector) -> int | None:
        """The first of the clusters that is near enough."""
        (sure,) = (values >= self._sure).nonzero()
        end = int(sure[0]) if len(sure) else len(clusters)
        for start in range(0, end, _UNSURE):
            some = clusters[start : min(start + _UNSURE, end)]
            (hits,) = (self._as_the_loop(vector, norm, some) >= self._threshold).nonzero()
            if len(hits):
                return int(some[hits[0]])
        return int(clusters[end]) if len(sure) else None

    def _as_the_loop(self, vector: Vector, norm: np.float32, clusters: NDArray[np.intp]) -> Vector:
        norms = self._norms[clusters]
        dots = _one_by_one(self.centroids[clusters] * vector)
        cosines: Vector = np.clip(dots / (norm * norms), -_ONE, _ONE)
        cosines[(norms < ZERO) | (norm < ZERO)] = 0
        return cosines

    def _begin(self, vector: Vector, norm: np.float32, unit: Vector) -> int:
        cluster = self.count
        self.centroids[cluster], self._norms[cluster], self._units[cluster] = vector, norm, unit
        self._sizes[cluster] = 1
        self.count += 1
        return cluster

    def _join(self, cluster: int, vector: Vector) -> None:
        size = np.float32(self._sizes[cluster])
        self._sizes[cluster] += 1
        centroid = self.centroids[cluster : cluster + 1]
        centroid[0] = (centroid[0] * size + vector) / (size + _ONE)
        self._norms[cluster] = _norms(centroid)[0]
        self._units[cluster] = _units(centroid, self._norms[cluster : cluster + 1])[0]


def _norms(vectors: Vectors) -> Vector:
    norms: Vector = np.sqrt(_one_by_one(vectors * vectors))
    return norms


def _one_by_one(products: Vectors) -> Vector:
    """The sum of each row, added from first to last; `sum` would add in pairs."""
    sums: Vector = np.add.accumulate(products, axis=1)[:, -1]
    return sums


def _units(vectors: Vectors, norms: Vector) -> Vectors:
    units: Vectors = vectors / norms[:, None]
    units[norms < ZERO] = 0
    units[~(norms < _HUGE)] = np.nan
    return units
