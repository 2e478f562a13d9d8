"""What a cluster is known by, whatever run finds it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memscope.promotion.model import Row, content_hash

if TYPE_CHECKING:
    from memscope.promotion.model import Vectors

_Words = NDArray[np.uint64]


def content_hashes(rows: Sequence[Row], vectors: Vectors) -> list[str]:
    """The content hash of each row; of one without text that of its vector, so that such rows are told apart."""
    return [
        content_hash(row.text or vector.astype("<f4").tobytes().hex())
        for row, vector in zip(rows, vectors, strict=True)
    ]


def signature(hashes: Iterable[str]) -> str:
    """The signature of a cluster whose members have these content hashes: the same in any order."""
    return sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def classic_signatures(centroids: Vectors) -> list[str]:
    """The first promotion engine's signature of each centroid, 16 hex digits: SipHash-1-3 with zero keys over the bytes
    of its single precision numbers, little end first. All at once, a word of 8 bytes after the other."""
    count, dimension = centroids.shape
    padded = np.zeros((count, 2 * (dimension // 2 + 1)), "<f4")
    padded[:, :dimension] = centroids
    words = padded.view("<u8").astype(np.uint64)
    words[:, -1] |= np.uint64(4 * dimension % 256 << 56)  # the last word ends with the number of bytes
    start = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    a, b, c, d = (np.full(count, word, np.uint64) for word in start)
    for word in words.T:
        d = d ^ word
        a, b, c, d = _round(a, b, c, d)
        a = a ^ word
    c = c ^ np.uint64(0xFF)
    for _ in range(3):
        a, b, c, d = _round(a, b, c, d)
    return [f"{digest:016x}" for digest in (a ^ b ^ c ^ d).tolist()]


def _round(a: _Words, b: _Words, c: _Words, d: _Words) -> tuple[_Words, _Words, _Words, _Words]:
    a, c = a + b, c + d
    b, d = _turned(b, 13) ^ a, _turned(d, 16) ^ c
    a = _turned(a, 32)
    c, a = c + b, a + d
    b, d = _turned(b, 17) ^ c, _turned(d, 21) ^ a
    return a, b, _turned(c, 32), d


def _turned(words: _Words, by: int) -> _Words:
    return (words << np.uint64(by)) | (words >> np.uint64(64 - by))
