"""Rows that are there more than once: a program that writes rows may write one again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memscope.promotion.model import Id, Row

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors


def without_repeats(rows: Sequence[Row], vectors: Vectors | Sequence[Vector | None] | None) -> NDArray[np.intp]:
    """The places of `rows`, each that has its session, its message and its text in common with others but once; one
    with a vector, if any has, and of several vectors the same whatever the order of the rows."""
    first: dict[tuple[Id, Id, str], int] = {}
    best: dict[int, bytes] = {}  # by the place of the first: the vector of the one that stays
    kept = np.arange(len(rows))
    is_kept = np.ones(len(rows), bool)
    for place, row in enumerate(rows):
        at = first.setdefault((row.session_id, row.message_id, row.text), place)
        if at == place:
            continue
        is_kept[place] = False
        if vectors is not None:
            before = best.get(at) or _rank(vectors[at])
            best[at] = min(before, rank := _rank(vectors[place]))
            if rank < before:
                kept[at] = place
    found: NDArray[np.intp] = kept[is_kept]
    return found


def _rank(vector: Vector | None) -> bytes:
    """By what one of several vectors is chosen: the lowest bytes of those that are finite, none last."""
    if vector is None or not len(vector):
        return b"\2"
    return (b"\0" if np.isfinite(vector).all() else b"\1") + vector.tobytes()
