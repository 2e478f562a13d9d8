"""Words and their parts as numbers that are the same on every machine, for many words at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.intp]

_EDGE = "\x00"  # begins and ends a word: no character of one
_PRIME = np.uint64(0x100000001B3)
_STEP = 0x9E3779B97F4A7C15


def mixed(values: Hashes) -> Hashes:
    """Each value scattered over all 64 bits, as the generator SplitMix64 does it."""
    out = values.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        out ^= out >> np.uint64(shift)
        out *= np.uint64(factor)
    out ^= out >> np.uint64(31)
    return out


def seeded(values: Hashes, seed: int) -> Hashes:
    """Another scattering of the same values for every seed."""
    return mixed(values + np.uint64(_STEP * (seed + 1) % 2**64))


def joined(first: Hashes, second: Hashes) -> Hashes:
    """The hashes of pairs; which is first counts."""
    return mixed(first * _PRIME + second)


def grams(words: Sequence[str], sizes: Sequence[int]) -> tuple[Hashes, Places]:
    """The hashes of all stretches of so many characters of each word with its edges, those of one word together; and
    how many each word has. A word that is shorter than all sizes has none."""
    points = np.frombuffer("".join(f"{_EDGE}{word}{_EDGE}" for word in words).encode("utf-32-le"), "<u4")
    points = points.astype(np.uint64)
    owner = np.repeat(np.arange(len(words)), [len(word) + 2 for word in words])
    hashes, owners = [np.empty(0, np.uint64)], [np.empty(0, np.intp)]
    for size in sizes:
        count = len(points) - size + 1
        if count < 1:
            continue
        within = np.flatnonzero(owner[size - 1 :] == owner[:count])
        value = np.full(len(within), size, np.uint64)
        for offset in range(size):
            value = joined(value, points[within + offset])
        hashes.append(value)
        owners.append(owner[within])
    all_owners = np.concatenate(owners)
    order = np.argsort(all_owners, kind="stable")
    return np.concatenate(hashes)[order], np.bincount(all_owners, minlength=len(words))


def whole(words: Sequence[str]) -> Hashes:
    """The hash of each word, none of which is empty."""
    if not words:
        return np.empty(0, np.uint64)
    lengths = np.array([len(word) for word in words])
    starts = np.cumsum(lengths) - lengths
    points = np.frombuffer("".join(words).encode("utf-32-le"), "<u4").astype(np.uint64)
    place = (np.arange(len(points)) - np.repeat(starts, lengths)).astype(np.uint64)
    return mixed(np.add.reduceat(joined(place, points), starts))
