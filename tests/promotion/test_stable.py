"""Messages as points, and their clusters."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.job import Job, Progress
from memscope.promotion import stable
from memscope.promotion.stable import points, several
from tests.promotion.average import as_sets, average_linkage, clumped


def clusters(vectors: np.ndarray, threshold: float) -> np.ndarray:
    found = points(vectors, np.arange(len(vectors)), threshold, Job())
    return stable.clusters(found, Job())[found.point]


def test_messages_in_one_direction_are_one_point() -> None:
    vectors = np.array([[1, 0], [0, 3], [2, 0], [0, -0.0], [-0.0, 0], [0, 1]], np.float32)

    found = points(vectors, np.arange(6), 0.85, Job())

    assert found.point.tolist() == [0, 1, 0, 2, 3, 1]
    assert found.units.tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]


def test_points_are_numbered_in_the_order_given() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)

    found = points(vectors, np.array([1, 0, 2]), 0.85, Job())

    assert found.point.tolist() == [0, 1, 1]
    assert found.units.tolist() == [[0, 1], [1, 0]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 16), st.sampled_from([0.1, 0.3, 0.6]), st.sampled_from([2, 5, 512]))
@settings(max_examples=100)
def test_components_apart_and_in_bundles_are_what_all_together_are(
    seed: int, count: int, noise: float, bundle: int
) -> None:
    vectors = clumped(seed, count, 4, 4, noise)

    with patch.object(stable, "_BUNDLE", bundle):
        assert as_sets(clusters(vectors, 0.8)) == average_linkage(vectors, 0.8, gap=1e-5)


def test_one_component_of_a_long_chain_is_split_into_clusters() -> None:
    angles = np.deg2rad(np.arange(0, 180, 0.1) + 0.01 * np.random.default_rng(1).random(1800))
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)

    found = points(vectors, np.arange(len(vectors)), 0.85, Job())
    labels = stable.clusters(found, Job())

    assert set(found.component.tolist()) == {0}
    assert 2 < len(set(labels.tolist())) < 12
    assert (np.diff(np.unique(labels, return_inverse=True)[1]) <= 1).all()  # each is an arc


def test_a_dense_clump_is_one_cluster() -> None:
    assert set(clusters(clumped(1, 2000, 8, 1, 0.05), 0.85).tolist()) == {0}


def test_several_are_the_components_of_more_than_one() -> None:
    parts = several(np.array([0, 1, 0, 3, 1, 5, 0]))

    assert [part.tolist() for part in parts] == [[0, 2, 6], [1, 4]]
    assert several(np.array([], np.intp)) == []


def test_progress_never_goes_back() -> None:
    seen: list[Progress] = []
    vectors = np.concatenate((clumped(1, 900, 4, 3, 0.4), clumped(2, 400, 4, 200, 0.02)))

    found = points(vectors, np.arange(len(vectors)), 0.9, Job(seen.append))
    stable.clusters(found, Job(seen.append))

    for doing in ("comparing", "linking"):
        done = [progress.done for progress in seen if progress.doing == doing]
        assert done == sorted(done)
        assert len(set(done)) > 2
        assert done[-1] == next(progress.total for progress in seen if progress.doing == doing)
