"""From messages and their vectors to candidates: clusters of enough messages in enough sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.text import clean_line
from memscope.promotion import measures, stable
from memscope.promotion.canonical import canonical, in_order
from memscope.promotion.greedy import greedy
from memscope.promotion.model import Candidate, Grouped, Grouping, Id, Row
from memscope.promotion.signature import classic_signatures, content_hashes, signature
from memscope.promotion.vectors import usable

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors


class Clustered(NamedTuple):
    """What grouping came to, and what `stability` needs to look into it: the points (None for `greedy`), and `places`,
    which of the rows given each message of the points is."""

    grouped: Grouped
    points: stable.Points | None
    places: NDArray[np.intp]


def group(
    rows: Sequence[Row],
    vectors: Vectors | Sequence[Vector | None],
    how: Grouping,
    job: Job,
    *,
    named: Callable[[int], str] | None = None,
) -> Grouped:
    """The candidates among `rows`, with a vector for each: one matrix [n, d], or a list in which None stands for none.

    `stable` gives the same for any order of the rows. `named`: what to call the row at a place in an error. Raises
    `UsageError` in classic mode, where the vector of a row cannot be compared, `Cancelled`.
    """
    return clustered(rows, vectors, how, job, named=named).grouped


def clustered(
    rows: Sequence[Row],
    vectors: Vectors | Sequence[Vector | None],
    how: Grouping,
    job: Job,
    *,
    named: Callable[[int], str] | None = None,
) -> Clustered:
    """As `group`, with what `stability.stabilities` goes on from."""
    if not -1 <= how.threshold <= 1:
        raise UsageError(f"the threshold is {how.threshold:g}", do="Give a cosine, as 0.85.")
    matrix, places, skipped, flaw = usable(vectors)
    if how.classic and flaw is not None:
        name = named(flaw.place) if named else _name(rows[flaw.place])
        raise UsageError(f"{name} has {flaw.what}", do="Classic mode takes all rows or none; mend it or leave it out.")
    kept = [rows[place] for place in places]
    hashes = content_hashes(kept, matrix)
    job.check()
    if how.classic or how.method == "greedy":
        order = np.arange(len(kept))
        clusters, centroids = greedy(matrix, how.threshold, job)
        points = None
    else:
        order = canonical(kept, hashes, matrix)
        points = stable.points(matrix, order, how.threshold, job)
        lowest, at = np.unique(stable.clusters(points, job), return_inverse=True)
        weights = np.bincount(points.point, minlength=len(points.units))
        centroids = measures.means(points.units, weights, at, len(lowest), job)
        clusters = at[points.point]
    found = _Found(kept, hashes, matrix, order, clusters, centroids)
    candidates = found.candidates(how, places, job)
    return Clustered(Grouped(tuple(candidates), len(centroids), skipped), points, places[order])


class _Found(NamedTuple):
    """The clusters of messages: `order`, which rows they are, in the order in which they were taken, [n]; `clusters`,
    the cluster of each, [n], and the clusters' `centroids`, [k, d]. `vectors`: of the rows, [n, d]."""

    rows: Sequence[Row]
    hashes: Sequence[str]
    vectors: Vectors
    order: NDArray[np.intp]
    clusters: NDArray[np.intp]
    centroids: Vectors

    def candidates(self, how: Grouping, places: NDArray[np.intp], job: Job) -> list[Candidate]:
        """Those that recur, their members by `places`, where each row stands among those that were given."""
        recur = self._recurring(how)
        by_cluster = self.clusters.argsort(kind="stable")
        bounds = self.clusters[by_cluster].searchsorted((recur, recur + 1))
        members = [self.order[by_cluster[start:end]] for start, end in bounds.T]
        if not members:
            return []
        which = np.repeat(np.arange(len(recur)), [len(some) for some in members])
        cohesions = measures.cohesions(self.vectors, np.concatenate(members), which, self.centroids[recur], job)
        nearest = measures.nearest(self.centroids, recur, job).tolist() if len(self.centroids) > 1 else [None]
        if how.classic:
            signatures = classic_signatures(self.centroids[recur])
        else:
            signatures = [signature(self.hashes[row] for row in some) for some in members]
        candidates = [
            Candidate(
                name,
                tuple(places[some].tolist()),
                in_order({self.rows[row].session_id for row in some}),
                tuple(sorted(self.hashes[row] for row in some)),
                self.centroids[cluster].copy(),
                cohesion,
                near,
            )
            for name, some, cluster, cohesion, near in zip(
                signatures, members, recur, cohesions.tolist(), nearest, strict=True
            )
        ]
        if how.method == "stable" and not how.classic:
            candidates.sort(key=lambda found: (-len(found.members), -len(found.sessions), found.signature))
        return candidates

    def _recurring(self, how: Grouping) -> NDArray[np.intp]:
        """The clusters of enough members in enough distinct sessions."""
        numbers: dict[Id, int] = {}
        session = np.array([numbers.setdefault(row.session_id, len(numbers)) for row in self.rows], np.intp)
        pairs = np.unique(self.clusters * len(numbers) + session[self.order])
        count = len(self.centroids)
        sessions = np.bincount(pairs // max(len(numbers), 1), minlength=count)
        sizes = np.bincount(self.clusters, minlength=count)
        return ((sizes >= how.min_occurrences) & (sessions >= how.min_sessions)).nonzero()[0]


def _name(row: Row) -> str:
    return f"message {clean_line(str(row.message_id))} of session {clean_line(str(row.session_id))}"
