"""How often a thing was seen before a token: in the whole text, and in the memories that an ablation removes.

All counts are sums of integer weights, so that taking a memory's counts away leaves exactly what is left without it.
(They are held in float64, which is exact up to 2**53.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def grouped(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """Equal `keys` [T], none negative, brought together: `order` [T], a stable sort; `begins` [G], where each group
    begins in it; and the number [T] of each key's group, in 0..G-1."""
    order = np.argsort(keys, kind="stable")
    begins = changes(keys[order])
    numbers = np.empty_like(order)
    numbers[order] = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(keys)))
    return order, begins, numbers


def changes(ordered: Ints) -> Ints:
    """Where a run of equal values begins, in values none of which is negative."""
    return np.flatnonzero(np.diff(ordered, prepend=-1))


def earlier(order: Ints, begins: Ints, weights: Ints) -> Floats:
    """For each token the weight of the tokens of its own group before it [T]: causal counts.

    `order` are the positions of the tokens that are in a group, group by group and ascending in each; `begins` is where
    each group begins in it; `weights` [T] are of all tokens. Tokens in no group have 0.
    """
    counts = np.zeros(len(weights))
    own = weights[order]
    before = np.cumsum(own) - own
    counts[order] = before - np.repeat(before[begins], np.diff(begins, append=len(order)))
    return counts


@dataclass(frozen=True, slots=True)
class Entries:
    """The E owned tokens once for each column (ablation) that removes them, in reading order: positions, columns and
    weights [E]."""

    positions: Ints
    columns: Ints
    weights: Ints
    width: int  # number of columns


def entries(owners: Ints, weights: Ints, removes: NDArray[np.bool_]) -> Entries:
    """`owners` [T] as in a document, `removes` [N, A]: whether column a removes memory n."""
    owned = np.flatnonzero(owners >= 0)
    memory, column = np.nonzero(removes)
    begins = np.searchsorted(memory, np.arange(len(removes) + 1))
    at, places = _ranges(begins, owners[owned])
    return Entries(owned[at], column[places], weights[owned][at], removes.shape[1])


class Removed:
    """What each column removes of the counts of one kind of thing: a sparse table sorted by (thing, column)."""

    def __init__(self, ids: Ints, entries: Entries) -> None:
        """`ids` [T] of the thing at each position, -1 for none."""
        some = np.flatnonzero(ids[entries.positions] >= 0)
        positions = entries.positions[some]
        keys = ids[positions] * entries.width + entries.columns[some]
        order, begins, _ = grouped(keys)
        pairs = keys[order[begins]]
        self._columns = pairs % entries.width
        self._rows = np.searchsorted(pairs // entries.width, np.arange(ids.max(initial=0) + 2))
        self._positions = positions[order]
        self._upto = np.concatenate(([0], np.cumsum(entries.weights[some][order])))
        self._begins = np.append(begins, len(order))
        # Position within pair as one ascending number, so that one search finds a place in any pair.
        self._reach = int(self._positions.max(initial=0)) + 2
        self._places = np.repeat(np.arange(len(pairs)), np.diff(self._begins)) * self._reach + self._positions

    def before(self, ids: Ints, positions: Ints) -> tuple[Ints, Ints, Floats]:
        """The removed weight of `ids` [R] before `positions` [R], where it is not plainly nothing: three arrays of the
        row in 0..R-1, the column, and the weight. Each (row, column) comes once."""
        rows, pairs = _ranges(self._rows, ids)
        begins, ends = self._begins[pairs], self._begins[pairs + 1]
        at = positions[rows]
        # Memories mostly stand as a whole before a token or behind it; only what straddles it needs a search.
        straddles = np.flatnonzero((self._positions[begins] < at) & (self._positions[ends - 1] >= at))
        ends = np.where(self._positions[begins] < at, ends, begins)
        if len(straddles):
            sought = pairs[straddles] * self._reach + np.minimum(at[straddles], self._reach - 1)
            ends[straddles] = np.searchsorted(self._places, sought)
        return rows, self._columns[pairs], (self._upto[ends] - self._upto[begins]).astype(np.float64)


def _ranges(begins: Ints, ids: Ints) -> tuple[Ints, Ints]:
    """Each id's range begins[id]..begins[id + 1], written out: for every place its index in `ids`, and the place."""
    first = begins[ids]
    sizes = begins[ids + 1] - first
    rows = np.repeat(np.arange(len(ids)), sizes)
    places = np.arange(len(rows)) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)
    return rows, places
