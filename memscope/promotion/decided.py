"""What was decided of patterns: a pattern that comes again, grown, is known by what it has in common with one of them.

Its signature is another as soon as one message has come to it; that alone would offer the same thing again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from memscope.promotion.pattern import Pattern, packed, unpacked

if TYPE_CHECKING:
    from memscope.promotion.model import Vector

SAME_CENTROID = 0.95  # a cosine from which on two centroids of one space are of one pattern


Outcome = Literal["draft", "accepted", "rejected"]


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A pattern that is a skill, or was rejected: its signature, which of these, and the name of the skill ("" of
    none). `hashes` of its members; `centroid` in the `space` of an embedder."""

    signature: str
    state: Outcome
    name: str
    hashes: frozenset[str]
    centroid: Vector
    space: str


def grown_from(pattern: Pattern, decided: Iterable[Decided]) -> Decided | None:
    """Which of those that were decided the pattern is, grown or shrunk; the one with the most members in common, None
    where it is none of them.

    It is one where half of the members of either are members of both, by their content, or where the centroids agree:
    vectors that rows brought with them are taken to be of one space where they are as long.
    """
    own = frozenset(pattern.hashes)
    best: tuple[int, float, str] | None = None
    found: Decided | None = None
    for one in decided:
        common = len(own & one.hashes)
        cosine = _cosine(pattern.centroid, one.centroid) if pattern.space == one.space else 0.0
        if one.signature == pattern.signature or not (
            2 * common >= min(len(own), len(one.hashes)) > 0 or cosine >= SAME_CENTROID
        ):
            continue
        rank = common, cosine, one.signature
        if best is None or rank > best:
            best, found = rank, one
    return found


def told(pattern: Pattern) -> dict[str, Any]:
    """What the journal is told of a pattern that is decided."""
    return {
        "hashes": sorted(frozenset(pattern.hashes)),
        "centroid": packed(pattern.centroid),
        "space": pattern.space,
        "size": pattern.size,
    }


def read(signature: str, state: Outcome, name: str, kept: Mapping[str, Any]) -> Decided:
    """What the journal was told; of what cannot be read the signature alone counts."""
    hashes, centroid, space = kept.get("hashes"), kept.get("centroid"), kept.get("space")
    try:
        vector = unpacked(centroid if isinstance(centroid, str) else "")
    except ValueError:
        vector = unpacked("")
    texts = [one for one in hashes if isinstance(one, str)] if isinstance(hashes, Sequence) else []
    return Decided(signature, state, name, frozenset(texts), vector, space if isinstance(space, str) else "\0")


def _cosine(one: Vector, other: Vector) -> float:
    length = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(one @ other) / length if len(one) == len(other) and length else 0.0
