"""What a cluster is known by."""

from __future__ import annotations

import random
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.model import Row, content_hash
from memscope.promotion.signature import classic_signatures, content_hashes, signature


@pytest.mark.parametrize(("centroid", "digest"), [([1, 0, 0, 0], "5eca24ccab358611"), ([0.5, 0.5], "7558cd7c46b70728")])
def test_a_classic_signature_is_that_of_the_first_engine(centroid: list[float], digest: str) -> None:
    assert classic_signatures(np.array([centroid], np.float32)) == [digest]


@given(st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_classic_signatures_of_many_are_those_of_each_word_by_word(dimension: int, seed: int) -> None:
    centroids = np.random.default_rng(seed).standard_normal((3, dimension)).astype(np.float32)

    assert classic_signatures(centroids) == [f"{siphash13(row.astype('<f4').tobytes()):016x}" for row in centroids]


def siphash13(data: bytes) -> int:
    """The digest as its authors give it, with one round a word and three in the end, keys zero."""
    mask = 2**64 - 1
    a, b, c, d = 0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573

    def turned(word: int, by: int) -> int:
        return (word << by | word >> (64 - by)) & mask

    def turn() -> None:
        nonlocal a, b, c, d
        a, b = (a + b) & mask, turned(b, 13)
        b, a = b ^ a, turned(a, 32)
        c, d = (c + d) & mask, turned(d, 16)
        d ^= c
        a, d = (a + d) & mask, turned(d, 21)
        d ^= a
        c, b = (c + b) & mask, turned(b, 17)
        b, c = b ^ c, turned(c, 32)

    end = len(data) // 8 * 8
    last = int.from_bytes(data[end:], "little") | len(data) % 256 << 56
    for word in [*(int.from_bytes(data[at : at + 8], "little") for at in range(0, end, 8)), last]:
        d ^= word
        turn()
        a ^= word
    c ^= 0xFF
    for _ in range(3):
        turn()
    return a ^ b ^ c ^ d


def test_a_signature_does_not_depend_on_the_order_of_members() -> None:
    hashes = [content_hash(text) for text in "abcdefg"]
    other = random.Random(1).sample(hashes, len(hashes))

    assert signature(hashes) == signature(other) == sha256("\n".join(sorted(hashes)).encode()).hexdigest()
    assert signature(hashes) != signature(hashes[1:])


def test_rows_without_text_are_told_apart_by_their_vectors() -> None:
    rows = [Row(0, 0, "run the tests"), Row(1, 0, ""), Row(2, 0, ""), Row(3, 0, "")]
    vectors = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], np.float32)

    first, one, other, again = content_hashes(rows, vectors)

    assert first == content_hash("run the tests")
    assert one == again == content_hash("0000803f00000000")
    assert len({first, one, other}) == 3


def test_a_text_that_is_no_sound_unicode_has_a_hash() -> None:
    assert content_hashes([Row(0, 0, "\ud800")], np.zeros((1, 2), np.float32))[0]
