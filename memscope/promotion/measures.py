"""How close clusters are, in themselves and to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.promotion.vectors import units

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors

_ROWS, _COLUMNS = 1024, 8192  # of one product


def means(points: Vectors, weights: NDArray[np.intp], clusters: NDArray[np.intp], count: int, job: Job) -> Vectors:
    """The mean of the points of each of `count` clusters, [count, d], a point counted `weights` times; `clusters`: the
    cluster of each point, none without one. Raises `Cancelled`."""
    sums = np.zeros((count, points.shape[1]), np.float32)
    order = clusters.argsort(kind="stable")
    for start in range(0, len(order), _COLUMNS):
        job.check()
        some = order[start : start + _COLUMNS]
        which, first = np.unique(clusters[some], return_index=True)
        weighted = points[some] * weights[some, None].astype(np.float64)
        sums[which] += np.add.reduceat(weighted, first, axis=0)
    sizes = np.bincount(clusters, weights, minlength=count)
    for start in range(0, count, _COLUMNS):
        sums[start : start + _COLUMNS] /= sizes[start : start + _COLUMNS, None].astype(np.float32)
    return sums


def cohesions(
    vectors: Vectors, members: NDArray[np.intp], clusters: NDArray[np.intp], centroids: Vectors, job: Job
) -> Vector:
    """The mean cosine of the members of each cluster to its centroid, [k]. `members`: rows of `vectors`, [m];
    `clusters`: the row of `centroids`, [k, d], for each of them, [m]. Raises `Cancelled`."""
    directions = units(centroids)
    cosines = np.empty(len(members), np.float64)
    for start in range(0, len(members), _COLUMNS):
        job.check()
        some = slice(start, start + _COLUMNS)
        cosines[some] = np.einsum("ij,ij->i", units(vectors[members[some]]), directions[clusters[some]])
    sizes = np.bincount(clusters, minlength=len(centroids))
    return np.clip(np.bincount(clusters, cosines, minlength=len(centroids)) / sizes, -1, 1)


def nearest(centroids: Vectors, some: NDArray[np.intp], job: Job) -> Vector:
    """The highest cosine of each of some clusters to any other. `centroids`: of all, two at least, [k, d]; `some`:
    their rows, [m]. Raises `Cancelled`."""
    directions = np.empty_like(centroids)
    for start in range(0, len(centroids), _COLUMNS):
        job.check()
        directions[start : start + _COLUMNS] = units(centroids[start : start + _COLUMNS])
    found = np.full(len(some), -1, np.float32)
    for start in range(0, len(some), _ROWS):
        job.progress(start, len(some), "clusters", "measuring")
        own = some[start : start + _ROWS]
        best = found[start : start + _ROWS]
        for left in range(0, len(centroids), _COLUMNS):
            job.check()
            cosines = directions[own] @ directions[left : left + _COLUMNS].T
            (here,) = ((own >= left) & (own < left + cosines.shape[1])).nonzero()
            cosines[here, own[here] - left] = -1
            np.maximum(best, cosines.max(axis=1), out=best)
    return np.clip(found, -1, 1)
