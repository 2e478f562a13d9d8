"""Vectors that models made of texts, each by a digest of the model and the text: so that nothing is embedded twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from memscope.base.clock import now
from memscope.store.database import Database

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 500  # keys a query asks for: SQLite bounds how many it takes
_F32 = np.dtype("<f4")
_KEEP = "INSERT OR REPLACE INTO embeddings (key, vector, at) VALUES (?, ?, ?)"


def embedding_key(name: str, text: str) -> bytes:
    """What the vector of a text is kept under: the only definition there is. `name` is that of the space it is in, as
    embedders have it. Where a model is served is no part of it, so that a server may move."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return hashlib.sha256(json.dumps(["embedding", name, digest]).encode()).digest()


class Embeddings:
    """Vectors as float32, exactly as they came. Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, keys: Sequence[bytes]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Of `keys`, the places of those under which a vector is kept, with it, in any order; a row that holds none is
        left out. A few hundred at a time are in memory."""
        for start in range(0, len(keys), _AT_ONCE):
            places = {key: start + place for place, key in enumerate(keys[start : start + _AT_ONCE])}
            asked = ",".join("?" * len(places))
            rows = self._database.read(f"SELECT key, vector FROM embeddings WHERE key IN ({asked})", *places)
            for key, kept in rows:
                vector = _read(kept)
                if isinstance(key, bytes) and vector is not None:
                    yield places[key], vector

    def put(self, vectors: Iterable[tuple[bytes, NDArray[np.float32]]]) -> None:
        """Keeps vectors by their keys in place of what was there, all or none; they are on disk when this returns."""
        at = now()
        with self._database.writing() as write:
            for key, vector in vectors:
                write(_KEEP, key, vector.astype(_F32).tobytes(), at)


def _read(kept: object) -> NDArray[np.float32] | None:
    """The vector that was kept; None for what is none, which is then made again."""
    if not isinstance(kept, bytes) or not kept or len(kept) % _F32.itemsize:
        return None
    vector = np.frombuffer(kept, _F32).astype(np.float32)
    return vector if bool(np.isfinite(vector).all()) else None
