"""Which points can end in one cluster at all."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.promotion import components as module
from memscope.promotion.components import components
from memscope.promotion.vectors import units
from tests.promotion.average import clumped


def connected(points: np.ndarray, threshold: float) -> list[int]:
    """Component by component, from neighbour to neighbour."""
    near = points @ points.T >= threshold - module.SLACK
    labels = [-1] * len(points)
    for first in range(len(points)):
        todo = [first] if labels[first] < 0 else []
        while todo:
            at = todo.pop()
            if labels[at] < 0:
                labels[at] = first
                todo.extend(np.flatnonzero(near[at]).tolist())
    return labels


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0.05, 1.0), st.sampled_from([0.0, 0.6, 0.85, 0.99]),
    st.sampled_from([(3, 2, 1), (4, 16, 5), (512, 4096, 10), (512, 4096, 4096)]),
)  # fmt: skip
@settings(max_examples=150)
def test_they_are_what_chains_of_near_pairs_connect(
    seed: int, count: int, noise: float, threshold: float, sizes: tuple[int, int, int]
) -> None:
    points = units(clumped(seed, count, 4, 6, noise))

    with patch.multiple(module, _ROWS=sizes[0], _COLUMNS=sizes[1], _MANY=sizes[2]):
        assert components(points, threshold, Job()).tolist() == connected(points, threshold)


def test_a_dense_clump_among_others_is_one_without_its_pairs_being_kept() -> None:
    clump = units(clumped(1, 3000, 8, 1, 0.05))
    others = np.eye(12, 8, dtype=np.float32)
    points = np.concatenate((others[:4], clump, others[4:8]))

    found = components(points, 0.9, Job())

    assert set(found[4:3004].tolist()) == {4}
    assert len(set(found.tolist())) == 9


def test_zero_vectors_are_near_to_nothing() -> None:
    assert components(np.zeros((5, 3), np.float32), 0.5, Job()).tolist() == [0, 1, 2, 3, 4]


def test_of_nothing_there_are_none() -> None:
    assert components(np.zeros((0, 3), np.float32), 0.5, Job()).tolist() == []


def test_it_stops_when_asked_to() -> None:
    job = Job()
    job.cancel()

    with pytest.raises(Cancelled):
        components(np.eye(3, dtype=np.float32), 0.5, job)
