"""Average linkage as it is defined, in double precision, and inputs for it."""

from __future__ import annotations

import numpy as np
from hypothesis import assume


def average_linkage(vectors: np.ndarray, threshold: float, gap: float = 0.0) -> set[frozenset[int]]:
    """The clusters of places, by merging the two that are most alike until none are near enough. `gap`: pass over an
    input in which a decision is closer than that."""
    wide = vectors.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1)
    wide[norms > 0] /= norms[norms > 0, None]
    cosines = wide @ wide.T
    clusters = [frozenset([place]) for place in range(len(wide))]
    while len(clusters) > 1:
        pairs = sorted(
            ((cosines[np.ix_(sorted(one), sorted(other))].mean(), one, other)
            for at, one in enumerate(clusters) for other in clusters[:at]),
            key=lambda found: -found[0],
        )  # fmt: skip
        value, one, other = pairs[0]
        assume(abs(value - threshold) >= gap)
        if value < threshold:
            break
        # Of equals that have nothing to do with each other either may be first.
        assume(all(value - near >= gap or not {one, other} & {a, b} for near, a, b in pairs[1:]))
        clusters = [cluster for cluster in clusters if cluster not in (one, other)] + [one | other]
    return set(clusters)


def as_sets(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


def clumped(seed: int, count: int, dimension: int, centres: int, noise: float) -> np.ndarray:
    """Random vectors around random centres."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((centres, dimension))[random.integers(0, centres, count)]
    return (vectors + noise * random.standard_normal(vectors.shape)).astype(np.float32)
