"""Vectors as they come, made into one matrix of those that can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memscope.promotion.model import Skipped

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors

ZERO = np.finfo(np.float32).eps
"""A vector with a norm below this counts as zero: it has no direction, and a cosine of 0 to all."""

_ROWS = 4096  # that are looked at at once


class Flaw(NamedTuple):
    """Why the row at `place` cannot be compared, in words."""

    place: int
    what: str


class Usable(NamedTuple):
    """What can be compared: `matrix` [k, d] of finite numbers, and `places` [k], where the rows of it stood, in order.
    `flaw`: the first row that was passed over for what its vector is, rather than for having none."""

    matrix: Vectors
    places: NDArray[np.intp]
    skipped: Skipped
    flaw: Flaw | None


def usable(vectors: Vectors | Sequence[Vector | None]) -> Usable:
    """The vectors that are there, have the dimension that most have (of as many, the larger), and are finite as single
    precision numbers. One matrix is not copied where all of it is sound. An empty vector is as none."""
    if isinstance(vectors, np.ndarray):
        places, matrix = np.arange(len(vectors)), vectors
        if not matrix.shape[1]:
            return Usable(_single(matrix[:0]), places[:0], Skipped(no_embedding=len(vectors)), None)
        return _finite(matrix, places, Skipped(), None)
    there = [place for place, vector in enumerate(vectors) if vector is not None and len(vector)]
    missing = len(vectors) - len(there)
    sizes = Counter(len(vectors[place]) for place in there)  # type: ignore[arg-type]
    size = max(sizes, key=lambda size: (sizes[size], size), default=0)
    alike = [place for place in there if len(vectors[place]) == size]  # type: ignore[arg-type]
    other = next((place for place in there if len(vectors[place]) != size), None)  # type: ignore[arg-type]
    flaw = None
    if other is not None:
        flaw = Flaw(other, f"an embedding of {len(vectors[other])} numbers, where most have {size}")  # type: ignore[arg-type]
    matrix = np.empty((len(alike), size), np.float32)
    with np.errstate(over="ignore"):
        for row, place in enumerate(alike):
            matrix[row] = vectors[place]
    skipped = Skipped(no_embedding=missing, dimension=len(there) - len(alike))
    return _finite(matrix, np.array(alike, np.intp), skipped, flaw)


def units(vectors: Vectors) -> Vectors:
    """Each row with a norm of 1, and a zero row for one that counts as zero; never a negative zero."""
    wide = vectors.astype(np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
    wide /= np.where(norms < ZERO, np.inf, norms)
    narrow: Vectors = wide.astype(np.float32)
    narrow += 0.0
    return narrow


def _finite(matrix: Vectors, places: NDArray[np.intp], skipped: Skipped, flaw: Flaw | None) -> Usable:
    matrix = _single(matrix)
    sound = np.ones(len(matrix), bool)
    for start in range(0, len(matrix), _ROWS):
        sound[start : start + _ROWS] = np.isfinite(matrix[start : start + _ROWS]).all(axis=1)
    if sound.all():
        return Usable(matrix, places, skipped, flaw)
    first = int(places[np.argmin(sound)])
    if flaw is None or first < flaw.place:
        flaw = Flaw(first, "an embedding with a value that is not finite")
    wrong = int(len(sound) - np.count_nonzero(sound))
    skipped = Skipped(skipped.no_embedding, skipped.dimension, wrong)
    return Usable(matrix[sound], places[sound], skipped, flaw)


def _single(matrix: Vectors) -> Vectors:
    with np.errstate(over="ignore"):  # what is too large for single precision is as good as not finite
        return np.ascontiguousarray(matrix, np.float32)
