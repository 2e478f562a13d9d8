"""Clusters that do not depend on the order of messages: average linkage above a threshold.

Messages with the same vector are one point, whose weight is their number: a cosine of 1 is merged first anyway. What
cannot end in one cluster is taken apart first (`components`), and each component is linked by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.promotion.components import components
from memscope.promotion.linkage import linked
from memscope.promotion.vectors import units

if TYPE_CHECKING:
    from memscope.promotion.model import Vectors

_BUNDLE = 512  # points of small components that are linked by one product
_ROWS = 4096


class Points(NamedTuple):
    """Messages as points. `point`: that of each message, [n], the messages in canonical order. `units`: where each
    point is, [p, d], of norm 1 or zero. `component`: the component of each at this threshold, [p], by the lowest point
    in it."""

    point: NDArray[np.intp]
    units: Vectors
    component: NDArray[np.intp]
    threshold: float


def points(vectors: Vectors, order: NDArray[np.intp], threshold: float, job: Job) -> Points:
    """The points of finite `vectors`, [n, d], taken in canonical order. Raises `Cancelled`."""
    found: dict[bytes, int] = {}
    point = np.empty(len(order), np.intp)
    where = np.empty_like(vectors)  # memory is taken as it is written to
    count = 0
    for start in range(0, len(order), _ROWS):
        job.check()
        for place, unit in enumerate(units(vectors[order[start : start + _ROWS]]), start):
            # No two zero vectors are alike: their cosine is 0.
            name = blake2b(unit, digest_size=16).digest() if unit.any() else b"%d" % place
            point[place] = at = found.setdefault(name, count)
            if at == count:
                where[count] = unit
                count += 1
    where = where[:count]
    return Points(point, where, components(where, threshold, job), threshold)


def clusters(points: Points, job: Job) -> NDArray[np.intp]:
    """The cluster of each point, by the lowest point in it, [p]. Raises `Cancelled`."""
    weights = np.bincount(points.point, minlength=len(points.units))
    return link(points.units, weights, several(points.component), points.threshold, job)


def several(component: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The components of more than one point, the points of each in order."""
    order = component.argsort(kind="stable")
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    return [part for part in np.split(order, starts[1:]) if len(part) > 1]


def link(
    units: Vectors, weights: NDArray[np.intp], parts: Sequence[NDArray[np.intp]], threshold: float, job: Job
) -> NDArray[np.intp]:
    """The cluster of each point, by the lowest point in it: of the points of each part, linked with one another; all
    others are by themselves. Raises `Cancelled`."""
    cluster = np.arange(len(units))
    total, done = sum(map(len, parts)), 0
    for bundle in _bundles(parts):
        say = partial(_say, job, total, done)
        say(0)
        cluster[bundle] = bundle[linked(units, bundle, weights[bundle], threshold, job, settled=say)]
        done += len(bundle)
    _say(job, total, total, 0)
    return cluster


def _say(job: Job, total: int, before: int, now: int) -> None:
    job.progress(before + now, total, "messages", "linking")


def _bundles(parts: Sequence[NDArray[np.intp]]) -> Iterator[NDArray[np.intp]]:
    """Small parts put together: a call for each would take longer than all the needless products. They are too far from
    each other to merge."""
    bundle: list[NDArray[np.intp]] = []
    size = 0
    for part in parts:
        if bundle and size + len(part) > _BUNDLE:
            yield np.concatenate(bundle)
            bundle, size = [], 0
        bundle.append(part)
        size += len(part)
    if bundle:
        yield np.concatenate(bundle)
