"""How close clusters are."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.job import Job
from memscope.promotion import measures
from memscope.promotion.measures import cohesions, means, nearest
from tests.promotion.average import clumped


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.sampled_from([1, 4, 1024]))
@settings(max_examples=60)
def test_they_are_as_defined(seed: int, count: int, size: int) -> None:
    vectors = clumped(seed, count, 4, 3, 0.5)
    random = np.random.default_rng(seed)
    weights = random.integers(1, 5, count)
    clusters = np.unique(random.integers(0, 6, count), return_inverse=True)[1]
    number = int(clusters.max()) + 1

    with patch.multiple(measures, _ROWS=size, _COLUMNS=size):
        centroids = means(vectors, weights, clusters, number, Job())
        close = cohesions(vectors, np.arange(count), clusters, centroids, Job())
        far = nearest(centroids, np.arange(number), Job())

    def cosine(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))

    for cluster in range(number):
        own = clusters == cluster
        mean = np.average(vectors[own], axis=0, weights=weights[own])
        assert centroids[cluster] == pytest.approx(mean, abs=1e-5)
        assert close[cluster] == pytest.approx(np.mean([cosine(v, centroids[cluster]) for v in vectors[own]]), abs=1e-5)
        others = [cosine(centroids[cluster], centroids[other]) for other in range(number) if other != cluster]
        assert far[cluster] == pytest.approx(max(others, default=-1), abs=1e-5)


def test_zero_vectors_are_neither_close_nor_near() -> None:
    vectors = np.array([[0, 0], [1, 0]], np.float32)

    assert cohesions(vectors, np.array([0, 1]), np.array([0, 0]), vectors[:1], Job()).tolist() == [0]
    assert nearest(vectors, np.array([0, 1]), Job()).tolist() == [0, 0]


def test_none_is_closer_than_the_same() -> None:
    vectors = clumped(1, 50, 300, 1, 0.0)

    assert nearest(vectors, np.arange(50), Job()).max() <= 1
    assert cohesions(vectors, np.arange(50), np.arange(50), vectors, Job()).max() <= 1
