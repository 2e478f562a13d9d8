"""The order that messages are taken in before any arithmetic, so that it does not matter in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memscope.promotion.model import Id, Row

if TYPE_CHECKING:
    from memscope.promotion.model import Vectors

_IdKey = tuple[bool, Id]


def canonical(rows: Sequence[Row], hashes: Sequence[str], vectors: Vectors) -> NDArray[np.intp]:
    """The places of `rows` by content hash, then message id, then session id, then, of rows that claim to be the same
    message, by vector: what is alike in all of that is the same in every respect that grouping looks at."""

    def key(place: int) -> tuple[str, _IdKey, _IdKey]:
        row = rows[place]
        return hashes[place], id_key(row.message_id), id_key(row.session_id)

    order: list[int] = []
    for _, group in groupby(sorted(range(len(rows)), key=key), key):
        same = list(group)
        order.extend(same if len(same) == 1 else sorted(same, key=lambda place: vectors[place].tobytes()))
    return np.array(order, np.intp)


def in_order(ids: Iterable[Id]) -> tuple[Id, ...]:
    """Ids in their order: numbers by size, then texts."""
    return tuple(sorted(ids, key=id_key))


def id_key(name: Id) -> _IdKey:
    """What ids sort by: numbers do not compare with texts."""
    return isinstance(name, str), name
