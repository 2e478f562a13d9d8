"""Messages grouped kind by kind: a pattern is one of requests, or one of plans.

An assistant begins by saying again what it was asked. Together, a request and its echo would be two occurrences of a
pattern that occurred once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.promotion.grouping import Clustered, clustered
from memscope.promotion.model import Candidate, Grouped, Grouping, Row, RowKind, Skipped, content_hash
from memscope.promotion.signature import signature
from memscope.promotion.stability import stabilities

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors

    AnyVectors = Vectors | Sequence[Vector | None]


class Part(NamedTuple):
    """The messages of one kind: their `places` among all, and what their grouping came to, in places among these."""

    places: NDArray[np.intp]
    clustered: Clustered


class ByKind(NamedTuple):
    """What grouping came to, in places among all rows; `parts`, and for each candidate the number of its part, and its
    own there."""

    grouped: Grouped
    parts: list[Part]
    origins: list[tuple[int, int]]

    @property
    def has_stability(self) -> bool:
        """Whether there is something of which it can be asked how stable it is."""
        return any(part.clustered.points is not None and part.clustered.grouped.candidates for part in self.parts)


def clustered_by_kind(rows: Sequence[Row], vectors: AnyVectors, how: Grouping, job: Job) -> ByKind:
    """See `grouping.clustered`, for each kind by itself; in classic mode all together, as ever."""
    kinds = sorted({row.kind for row in rows})
    parts = [_part(rows, vectors, some, how, job) for some in ([kinds] if how.classic else [[kind] for kind in kinds])]
    found = [
        (replace(candidate, members=tuple(part.places[[*candidate.members]].tolist())), (number, own))
        for number, part in enumerate(parts)
        for own, candidate in enumerate(part.clustered.grouped.candidates)
    ]
    if not how.classic:
        told = _told_apart([candidate for candidate, _ in found], rows, vectors)
        found = [(candidate, origin) for candidate, (_, origin) in zip(told, found, strict=True)]
        found.sort(key=lambda one: _rank(one[0], how))
    skipped = [part.clustered.grouped.skipped for part in parts]
    grouped = Grouped(
        tuple(candidate for candidate, _ in found),
        sum(part.clustered.grouped.clusters for part in parts),
        Skipped(
            sum(one.no_embedding for one in skipped),
            sum(one.dimension for one in skipped),
            sum(one.not_finite for one in skipped),
        ),
    )
    return ByKind(grouped, parts, [origin for _, origin in found])


def stabilities_by_kind(found: ByKind, job: Job) -> list[float | None]:
    """See `stability.stabilities`, for each candidate of `found`."""
    shares = [stabilities(part.clustered, part.clustered.grouped.candidates, job) for part in found.parts]
    return [shares[part][own] for part, own in found.origins]


def _part(rows: Sequence[Row], vectors: AnyVectors, kinds: Sequence[RowKind], how: Grouping, job: Job) -> Part:
    places = np.array([place for place, row in enumerate(rows) if row.kind in kinds], np.intp)
    if len(places) < len(rows):
        rows = [rows[place] for place in places]
        vectors = vectors[places] if isinstance(vectors, np.ndarray) else [vectors[place] for place in places]
    return Part(places, clustered(rows, vectors, how, job))


def _rank(candidate: Candidate, how: Grouping) -> tuple[int, int, str]:
    """The largest first; greedy: the one that began first."""
    if how.method == "greedy":
        return candidate.members[0], 0, ""
    return -len(candidate.members), -len(candidate.sessions), candidate.signature


def _told_apart(found: Sequence[Candidate], rows: Sequence[Row], vectors: AnyVectors) -> list[Candidate]:
    """Candidates of the same texts have signatures of their own: what tells them apart goes into those, too."""
    times = Counter(candidate.signature for candidate in found)
    return [
        replace(candidate, signature=signature(_content(rows[at], vectors[at]) for at in candidate.members))
        if times[candidate.signature] > 1
        else candidate
        for candidate in found
    ]


def _content(row: Row, vector: Vector | None) -> str:
    told = "" if vector is None else np.asarray(vector).astype("<f4").tobytes().hex()
    return content_hash("\n".join((row.kind, told, row.text)))
