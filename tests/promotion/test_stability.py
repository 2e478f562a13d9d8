"""How far candidates depend on which messages were there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled
from memscope.base.job import Job, Progress
from memscope.promotion.grouping import Clustered, clustered
from memscope.promotion.model import Grouping, Row
from memscope.promotion.stability import SAMPLES, stabilities
from tests.promotion.average import average_linkage, clumped


def clusters_of(vectors: np.ndarray, how: Grouping | None = None) -> Clustered:
    rows = [Row(number, number % 5, f"text {number}") for number in range(len(vectors))]
    return clustered(rows, vectors, how or Grouping(), Job())


def test_what_is_far_from_all_else_is_always_found_again() -> None:
    found = clusters_of(np.repeat(np.eye(4, dtype=np.float32), 6, axis=0))

    assert stabilities(found, found.grouped.candidates, Job()) == [1.0] * 4


def test_what_hangs_together_by_a_thread_is_not() -> None:
    angles = np.deg2rad(np.concatenate((np.linspace(0, 60, 40), [120, 121, 122, 123, 124])))
    found = clusters_of(np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32), Grouping(threshold=0.95))

    by_place = {min(one.members): value for one, value in zip(
        found.grouped.candidates, stabilities(found, found.grouped.candidates, Job()), strict=True
    )}  # fmt: skip

    assert by_place.pop(40) == 1.0
    assert min(value for value in by_place.values() if value is not None) < 0.9


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_it_is_what_linking_the_whole_sample_gives(seed: int) -> None:
    vectors = clumped(seed, 18, 3, 3, 0.4)
    found = clusters_of(vectors, Grouping(threshold=0.8))
    count = np.zeros(len(found.grouped.candidates))
    hits = np.zeros(len(found.grouped.candidates))
    for sample in range(SAMPLES):
        chance = np.random.default_rng((0, sample)).random(18)
        drawn = found.places[np.sort(np.argsort(chance)[:14])]
        groups = [set(drawn[sorted(one)].tolist()) for one in average_linkage(vectors[drawn], 0.8, gap=1e-5)]
        for number, candidate in enumerate(found.grouped.candidates):
            left = set(candidate.members) & set(drawn.tolist())
            if len(left) > 1:
                count[number] += 1
                hits[number] += max(len(left & one) / len(left | one) for one in groups) >= 0.75

    assert stabilities(found, found.grouped.candidates, Job()) == [
        yes / all_ if all_ else None for yes, all_ in zip(hits, count, strict=True)
    ]


def test_it_does_not_depend_on_the_order_of_messages_nor_on_what_else_is_asked_for() -> None:
    vectors = clumped(4, 120, 3, 4, 0.35)
    rows = [Row(number, number % 5, f"text {number}") for number in range(120)]
    order = np.random.default_rng(1).permutation(120)
    one = clustered(rows, vectors, Grouping(), Job())
    other = clustered([rows[place] for place in order], vectors[order], Grouping(), Job())

    values = stabilities(one, one.grouped.candidates, Job())

    assert values == stabilities(other, other.grouped.candidates, Job())
    assert len(set(values)) > 1
    assert stabilities(one, one.grouped.candidates[1:2], Job()) == values[1:2]


def test_a_sample_that_leaves_less_than_two_says_nothing() -> None:
    found = clusters_of(np.ones((2, 2), np.float32), Grouping(min_occurrences=2))  # a sample is of two, always

    assert stabilities(found, found.grouped.candidates, Job()) == [1.0]

    found = clusters_of(np.ones((1, 2), np.float32), Grouping(min_occurrences=1, min_sessions=1))

    assert stabilities(found, found.grouped.candidates, Job()) == [None]


def test_greedy_candidates_have_none() -> None:
    found = clusters_of(np.ones((4, 2), np.float32), Grouping("greedy"))

    assert stabilities(found, found.grouped.candidates, Job()) == [None]
    assert stabilities(found, (), Job()) == []


def test_it_counts_the_samples_and_stops_when_asked_to() -> None:
    found = clusters_of(np.repeat(clumped(1, 10, 4, 10, 0), 3, axis=0) + clumped(2, 30, 4, 1, 0.1))
    seen: list[Progress] = []

    def watch(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 2:
            job.cancel()

    job = Job(watch)
    with pytest.raises(Cancelled):
        stabilities(found, found.grouped.candidates, job)

    assert [(progress.done, progress.total, progress.unit) for progress in seen] == [
        (done, SAMPLES, "samples") for done in range(3)
    ]
