"""How far a candidate depends on which messages happened to be there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.promotion.grouping import Clustered
from memscope.promotion.model import Candidate
from memscope.promotion.stable import link, several

SAMPLES = 20
_SHARE = 0.8  # of the messages in each sample


def stabilities(
    clustered: Clustered, candidates: Sequence[Candidate], job: Job, *, seed: int = 0
) -> list[float | None]:
    """For each of some candidates of `clustered`: the share of 20 samples, of 80 % of the messages each, that hold a
    cluster with a Jaccard index of at least 0.75 to it.

    It is compared with what is left of the candidate in the sample, as Hennig does ("Cluster-wise assessment of cluster
    stability", 2007): any sample lacks about a fifth of the candidate, so that one which is found again unchanged would
    have but 0.8 to the whole of it, and one of three members, with one of them missing, 0.67. A sample that leaves less
    than two members says nothing and does not count; None where none counts, and for clusters of `greedy`.

    Messages are drawn in canonical order, so that theirs does not matter. Only the components that hold a candidate are
    linked again: those of a sample lie inside them. Raises `Cancelled`.
    """
    points = clustered.points
    if points is None or not candidates:
        return [None] * len(candidates)
    whose = _whose(clustered, candidates)
    holding = np.zeros(len(points.units), bool)
    holding[points.component[points.point[whose >= 0]]] = True
    parts = [part for part in several(points.component) if holding[part[0]]]
    concerned = holding[points.component[points.point]].nonzero()[0]  # messages
    aside = job.child(lambda progress: None)
    counted, alike = np.zeros(len(candidates), np.intp), np.zeros(len(candidates), np.intp)
    for sample in range(SAMPLES):
        job.progress(sample, SAMPLES, "samples", "checking stability")
        drawn = np.zeros(len(points.point), bool)
        chance = np.random.default_rng((seed, sample)).random(len(drawn))
        drawn[chance.argsort(kind="stable")[: round(_SHARE * len(drawn))]] = True
        messages = concerned[drawn[concerned]]
        weights = np.bincount(points.point[messages], minlength=len(points.units))
        there = (part[weights[part] > 0] for part in parts)
        some = [part for part in there if len(part) > 1]
        cluster = link(points.units, weights, some, points.threshold, aside)[points.point[messages]]
        left, found = _compared(cluster, whose[messages], len(candidates))
        counted += left >= 2
        alike += (left >= 2) & found
    job.progress(SAMPLES, SAMPLES, "samples", "checking stability")
    return [int(yes) / int(all_) if all_ else None for yes, all_ in zip(alike, counted, strict=True)]


def _whose(clustered: Clustered, candidates: Sequence[Candidate]) -> NDArray[np.intp]:
    """The candidate that each message belongs to, -1 for none, the messages in canonical order."""
    place = {int(given): place for place, given in enumerate(clustered.places)}
    whose = np.full(len(clustered.places), -1)
    for number, candidate in enumerate(candidates):
        whose[[place[member] for member in candidate.members]] = number
    return whose


def _compared(
    clusters: NDArray[np.intp], whose: NDArray[np.intp], count: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each of `count` candidates: how many of its members a sample holds, and whether a cluster of the sample is
    like those. `clusters`, `whose`: of each message of the sample, its cluster and its candidate, -1 for none."""
    sizes = np.bincount(clusters)
    member = whose >= 0
    left = np.bincount(whose[member], minlength=count)
    pairs, common = np.unique(whose[member] * len(sizes) + clusters[member], return_counts=True)
    candidate, cluster = np.divmod(pairs, max(len(sizes), 1))
    found = np.zeros(count, bool)
    found[candidate[4 * common >= 3 * (left[candidate] + sizes[cluster] - common)]] = True
    return left, found
