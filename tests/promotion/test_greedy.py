"""The first engine's clusters, bit by bit."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled
from memscope.base.job import Job, Progress
from memscope.promotion import greedy as module
from memscope.promotion.greedy import greedy

F = np.float32


def total(products: list[np.float32]) -> np.float32:
    out = F(0)
    for product in products:
        out = F(out + product)
    return out


def cosine(one: list[np.float32], other: list[np.float32]) -> np.float32:
    dot = total([F(x * y) for x, y in zip(one, other, strict=True)])
    norm, other_norm = np.sqrt(total([F(x * x) for x in one])), np.sqrt(total([F(y * y) for y in other]))
    if norm < np.finfo(F).eps or other_norm < np.finfo(F).eps:
        return F(0)
    value = F(dot / F(norm * other_norm))
    return F(-1) if value < -1 else F(1) if value > 1 else value


def loop(vectors: np.ndarray, threshold: float) -> tuple[list[int], list[list[np.float32]]]:
    """The loop, message by message, number by number."""
    joined: list[int] = []
    centroids: list[list[np.float32]] = []
    for vector in map(list, vectors):
        for number, centroid in enumerate(centroids):
            if cosine(vector, centroid) >= F(threshold):
                size = F(joined.count(number))
                centroids[number] = [
                    F(F(F(c * size) + v) / F(size + F(1))) for c, v in zip(centroid, vector, strict=True)
                ]
                joined.append(number)
                break
        else:
            joined.append(len(centroids))
            centroids.append(vector)
    return joined, centroids


def assert_as_the_loop(vectors: np.ndarray, threshold: float, block: int = 256) -> None:
    with np.errstate(all="ignore"):
        joined, centroids = loop(vectors, threshold)
    with patch.multiple(module, _BLOCK=block, _TILE=3, _UNSURE=2):
        found = greedy(vectors, threshold, Job())
    assert found.clusters.tolist() == joined
    assert found.centroids.tobytes() == np.array(centroids, F).reshape(found.centroids.shape).tobytes()


def matrices(values: st.SearchStrategy[float], rows: int = 16) -> st.SearchStrategy[np.ndarray]:
    return st.integers(1, 4).flatmap(
        lambda size: st.lists(st.lists(values, min_size=size, max_size=size), min_size=1, max_size=rows).map(
            lambda found: np.array(found, F)
        )
    )


few = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.6, 0.8, 3.0, 4.0, 1e-8, 1e-7, 1.2e-7, 1e-20])
exact = st.sampled_from([0.0, 0.6, 0.8, 0.96, 1.0, -1.0, 0.5, 0.70710678, 1e-5, float(F(0.85))])
blocks = st.sampled_from([1, 2, 5, 256])


@given(matrices(few), exact, blocks)
@example(np.array([[3, 4], [1, 0], [4, 3], [0, 1]], F), 0.6, 2)
@settings(max_examples=300)
def test_ties_zeros_duplicates_and_thresholds_that_are_hit_exactly(
    vectors: np.ndarray, threshold: float, block: int
) -> None:
    assert_as_the_loop(vectors, threshold, block)


@given(matrices(st.floats(-1, 1, width=32)), st.floats(-1, 1, width=32), blocks)
@settings(max_examples=200)
def test_any_numbers_and_any_threshold(vectors: np.ndarray, threshold: float, block: int) -> None:
    assert_as_the_loop(vectors, threshold, block)


@given(matrices(st.floats(allow_nan=False, allow_infinity=False, width=32), rows=10), exact, blocks)
@example(np.array([[3e38, 3e38], [1, 1], [3e38, 3e38], [2e19, 0], [1e19, 1e19]], F), 0.85, 256)
@settings(max_examples=200)
def test_numbers_so_large_or_small_that_they_overflow_or_vanish(
    vectors: np.ndarray, threshold: float, block: int
) -> None:
    assert_as_the_loop(vectors, threshold, block)


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 40]), st.sampled_from([0.3, 0.7, 0.9]))
@settings(max_examples=25)
def test_a_threshold_set_to_a_cosine_that_occurs(seed: int, dimension: int, noise: float) -> None:
    """A pair at the threshold exactly, and its neighbours in single precision: rounding decides."""
    random = np.random.default_rng(seed)
    vectors = (random.standard_normal((4, dimension))[random.integers(0, 4, 14)]).astype(F)
    vectors += F(noise) * random.standard_normal(vectors.shape).astype(F)
    value = cosine(list(vectors[0]), list(vectors[1]))
    for threshold in (value, np.nextafter(value, F(2)), np.nextafter(value, F(-2))):
        assert_as_the_loop(vectors, float(threshold), block=5)


def test_many_messages_over_many_blocks() -> None:
    random = np.random.default_rng(3)
    vectors = random.standard_normal((60, 8)).astype(F)[random.integers(0, 60, 700)]
    vectors += F(0.25) * random.standard_normal(vectors.shape).astype(F)

    with patch.multiple(module, _BLOCK=64, _TILE=16):
        found = greedy(vectors, 0.9, Job())
    joined: list[int] = []
    centroids: list[np.ndarray] = []
    for vector in vectors:
        known = np.array(centroids, F).reshape(-1, 8)
        norms = np.sqrt(np.add.accumulate(known * known, axis=1)[:, -1])
        norm = np.sqrt(np.add.accumulate(vector * vector)[-1])
        (near,) = (np.add.accumulate(known * vector, axis=1)[:, -1] / (norm * norms) >= F(0.9)).nonzero()
        if len(near):
            size = F(joined.count(near[0]))
            centroids[near[0]] = (centroids[near[0]] * size + vector) / (size + F(1))
        else:
            centroids.append(vector)
        joined.append(near[0] if len(near) else len(centroids) - 1)

    assert found.clusters.tolist() == joined
    assert found.centroids.tobytes() == np.array(centroids).tobytes()
    assert 60 < len(centroids) < 400


def test_a_message_joins_the_first_cluster_that_is_near_enough_and_not_the_nearest() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6001]], F)

    assert greedy(vectors, 0.75, Job()).clusters.tolist() == [0, 1, 0]


def test_nothing_is_no_cluster() -> None:
    found = greedy(np.zeros((0, 3), F), 0.85, Job())

    assert found.clusters.shape == (0,)
    assert found.centroids.shape == (0, 3)


def test_it_says_how_far_it_is_and_stops_when_asked_to() -> None:
    seen: list[Progress] = []

    def watch(progress: Progress) -> None:
        seen.append(progress)
        if progress.done:
            job.cancel()

    job = Job(watch)
    with pytest.raises(Cancelled):
        greedy(np.eye(600, dtype=F), 0.85, job)

    assert [(progress.done, progress.total, progress.unit) for progress in seen] == [
        (0, 600, "messages"),
        (256, 600, "messages"),
    ]
