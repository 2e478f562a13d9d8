"""Stored scorings: the numbers one engine gave to the responses of one prompt."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from memscope.base.clock import now
from memscope.store.database import Database

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGEST = 16  # bytes of a mark
_AT_ONCE = 500  # keys a query asks for: SQLite bounds how many it takes
_I32, _F32, _F64 = np.dtype("<i4"), np.dtype("<f4"), np.dtype("<f8")

# starts, ends (character offsets) and log-probabilities (nats) of one response's tokens
TokenArrays = tuple["NDArray[np.int32]", "NDArray[np.int32]", "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class StoredScores:
    """One scoring, response by response: totals in nats; token counts, tokens, and pairs of digests (what was scored,
    and what stood before it, `DIGEST` bytes each) where the engine gave them. `failures`: why responses have none of
    that, by their place."""

    totals: list[float]
    counts: list[int] | None = None
    tokens: list[TokenArrays] | None = None
    marks: list[tuple[bytes, bytes]] | None = None
    failures: Mapping[int, str] = field(default_factory=dict)


class ScoreStore:
    """Totals as float64, exactly as scored; token log-probabilities as float32, compressed, where there are any."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: bytes) -> StoredScores | None:
        """What is stored under `key`; None where nothing is, or nothing readable, which is then scored again."""
        rows = self._database.read("SELECT totals, counts, tokens, marks, failures FROM scores WHERE key = ?", key)
        if not rows:
            return None
        try:
            return _read(*rows[0])
        except (ValueError, TypeError, struct.error, zlib.error):
            return None

    def known(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        """Those of `keys` under which something is stored; whether it can be read is not looked at."""
        asked = list(dict.fromkeys(keys))
        found: set[bytes] = set()
        for first in range(0, len(asked), _AT_ONCE):
            some = asked[first : first + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            rows = self._database.read(f"SELECT key FROM scores WHERE key IN ({marks})", *some)
            found.update(key for (key,) in rows if isinstance(key, bytes))
        return frozenset(found)

    def put(self, key: bytes, scores: StoredScores) -> None:
        """Keeps a scoring; it is on disk when this returns."""
        self._database.write(
            """INSERT OR REPLACE INTO scores (key, totals, counts, tokens, marks, failures, at)
            VALUES (?, ?, ?, ?, ?, ?, ?)""",
            key,
            np.asarray(scores.totals, _F64).tobytes(),
            None if scores.counts is None else np.asarray(scores.counts, _I32).tobytes(),
            None if scores.tokens is None else _pack(scores.tokens),
            None if scores.marks is None else b"".join(digest for pair in scores.marks for digest in pair),
            json.dumps(dict(scores.failures)) if scores.failures else None,
            now(),
        )


def _read(totals: object, counts: object, tokens: object, marks: object, failures: object) -> StoredScores:
    if not isinstance(totals, bytes):
        raise TypeError("totals")
    values: list[float] = np.frombuffer(totals, _F64).tolist()
    numbers: list[int] | None = np.frombuffer(counts, _I32).tolist() if isinstance(counts, bytes) else None
    if numbers is not None and len(numbers) != len(values):
        raise ValueError("counts")
    return StoredScores(
        values,
        numbers,
        _unpack(tokens, len(values)) if isinstance(tokens, bytes) else None,
        _pairs(marks, len(values)) if isinstance(marks, bytes) else None,
        _reasons(failures, len(values)) if isinstance(failures, str) else {},
    )


def _reasons(failures: str, responses: int) -> dict[int, str]:
    found = {int(place): why for place, why in dict(json.loads(failures)).items()}
    if not all(0 <= place < responses and isinstance(why, str) for place, why in found.items()):
        raise ValueError("failures")
    return found


def _pairs(marks: bytes, responses: int) -> list[tuple[bytes, bytes]]:
    if len(marks) != 2 * DIGEST * responses:
        raise ValueError("marks")
    digests = [marks[at : at + DIGEST] for at in range(0, len(marks), DIGEST)]
    return list(zip(digests[::2], digests[1::2], strict=True))


def _pack(tokens: list[TokenArrays]) -> bytes:
    counts = struct.pack(f"<{len(tokens)}I", *(len(starts) for starts, _, _ in tokens))
    columns = (
        b"".join(np.asarray(response[column], kind).tobytes() for response in tokens)
        for column, kind in enumerate((_I32, _I32, _F32))
    )
    return zlib.compress(counts + b"".join(columns), level=1)


def _unpack(packed: bytes, responses: int) -> list[TokenArrays]:
    data = zlib.decompress(packed)
    counts = struct.unpack_from(f"<{responses}I", data)
    total, at = sum(counts), 4 * responses
    if len(data) != at + 12 * total:
        raise ValueError("tokens")
    starts = np.frombuffer(data, _I32, total, at)
    ends = np.frombuffer(data, _I32, total, at + 4 * total)
    logprobs = np.frombuffer(data, _F32, total, at + 8 * total).astype(np.float64)
    borders = np.cumsum((0, *counts))
    return [(starts[a:b], ends[a:b], logprobs[a:b]) for a, b in pairwise(borders)]
