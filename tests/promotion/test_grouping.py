"""From messages to candidates."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled, UsageError
from memscope.base.job import Job
from memscope.promotion.grouping import group
from memscope.promotion.model import Candidate, Grouping, Row, Skipped, content_hash
from memscope.promotion.signature import signature
from tests.promotion.average import clumped

STABLE, GREEDY = Grouping(), Grouping("greedy")
CLASSIC = Grouping("greedy", classic=True)


def rows_of(count: int, sessions: int = 4) -> list[Row]:
    return [Row(number, f"s{number % sessions}", f"text {number}") for number in range(count)]


def told(found: Candidate, rows: list[Row]) -> tuple[object, ...]:
    """A candidate without the places of its members, which are those of the rows as given."""
    members = sorted((str(rows[place].message_id), rows[place].text) for place in found.members)
    return (
        found.signature,
        members,
        found.sessions,
        found.hashes,
        found.centroid.tobytes(),
        found.cohesion,
        found.nearest,
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.randoms(), st.booleans())
@settings(max_examples=80)
def test_stable_gives_the_same_for_any_order_of_the_rows(seed: int, count: int, chance, coarse: bool) -> None:
    vectors = clumped(seed, count, 3, 4, 0.3)
    if coarse:  # ties by the dozen
        vectors = np.round(vectors)
    rows = [Row(number % 7, number % 3, f"text {number % 11}") for number in range(count)]
    order = chance.sample(range(count), count)
    mixed = [rows[place] for place in order]

    one, other = group(rows, vectors, STABLE, Job()), group(mixed, vectors[order], STABLE, Job())

    assert [told(found, rows) for found in one.candidates] == [told(found, mixed) for found in other.candidates]
    assert (one.clusters, one.skipped) == (other.clusters, other.skipped)


def test_five_vectors_in_any_order_are_one_answer_where_greedy_gives_several() -> None:
    angles = np.deg2rad([0, 14, 28, 42, 56])
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    rows = rows_of(5)

    def answers(how: Grouping) -> int:
        orders = [list(order) for order in permutations(range(5))]
        found = [group([rows[place] for place in order], vectors[order], how, Job()) for order in orders]
        return len({tuple(candidate.signature for candidate in one.candidates) for one in found})

    assert answers(STABLE) == 1
    assert answers(GREEDY) > 1


@pytest.mark.parametrize("how", [STABLE, GREEDY])
def test_a_candidate_has_enough_members_in_enough_sessions(how: Grouping) -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), [3, 2, 3, 4], axis=0)
    sessions = ["a", "b", "b", "a", "b", "c", "c", "c", 2, "10", 1, 2]
    rows = [Row(number, name, f"text {number}") for number, name in enumerate(sessions)]

    found = group(rows, vectors, how, Job())

    by_size = sorted(found.candidates, key=lambda candidate: len(candidate.members))
    assert [candidate.sessions for candidate in by_size] == [("a", "b"), (1, 2, "10")]
    assert [sorted(candidate.members) for candidate in by_size] == [[0, 1, 2], [8, 9, 10, 11]]
    assert by_size[0].hashes == tuple(sorted(content_hash(f"text {number}") for number in range(3)))
    assert by_size[0].signature == signature(by_size[0].hashes)
    assert by_size[0].cohesion == pytest.approx(1)
    assert by_size[0].nearest == pytest.approx(0)
    assert by_size[0].centroid.tolist() == [1, 0, 0, 0]
    assert by_size[0].stability is None
    assert found.clusters == 4


def test_stable_candidates_come_by_size_then_sessions_and_greedy_ones_as_they_began() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), [3, 3, 4], axis=0)
    rows = [Row(number, name, f"text {number}") for number, name in enumerate("aababcaaab")]

    stable, greedy = group(rows, vectors, STABLE, Job()), group(rows, vectors, GREEDY, Job())

    assert [min(found.members) for found in stable.candidates] == [6, 3, 0]
    assert [found.members for found in greedy.candidates] == [(0, 1, 2), (3, 4, 5), (6, 7, 8, 9)]


def test_members_are_places_among_all_rows_given() -> None:
    vectors = [None, np.ones(2), np.ones(3), np.ones(2), np.array([np.nan, 0]), np.ones(2)]

    for how in (STABLE, GREEDY):
        found = group(rows_of(6), vectors, how, Job())

        assert sorted(found.candidates[0].members) == [1, 3, 5]
        assert found.skipped == Skipped(1, 1, 1)
        assert found.candidates[0].nearest is None


def test_classic_fails_on_the_first_row_that_cannot_be_compared() -> None:
    vectors = [None, np.ones(2), np.array([np.inf, 0]), np.ones(3), np.ones(2)]

    with pytest.raises(UsageError, match="message 2 of session s2 has an embedding with a value that is not finite"):
        group(rows_of(5), vectors, CLASSIC, Job())
    with pytest.raises(UsageError, match="line 3 has an embedding"):
        group(rows_of(5), vectors, CLASSIC, Job(), named=lambda place: f"line {place + 1}")


def test_an_error_names_a_hostile_row_without_its_escapes() -> None:
    rows = [Row("\x1b[2J", "s", "a"), Row(1, "s", "b"), Row(2, "s", "c")]

    with pytest.raises(UsageError) as caught:
        group(rows, [np.ones(1), np.ones(2), np.ones(2)], CLASSIC, Job())

    assert "\x1b" not in str(caught.value)


def test_classic_has_the_first_engines_signatures_and_skips_rows_without_a_vector() -> None:
    vectors = [None, *np.repeat(np.eye(4, dtype=np.float32)[:1], 3, axis=0)]

    found = group(rows_of(4), vectors, CLASSIC, Job())

    assert [candidate.signature for candidate in found.candidates] == ["5eca24ccab358611"]
    assert found.candidates[0].members == (1, 2, 3)
    assert found.skipped == Skipped(no_embedding=1)


@pytest.mark.parametrize("how", [STABLE, GREEDY, CLASSIC])
@pytest.mark.parametrize("vectors", [[], [None, None], np.zeros((0, 3), np.float32), np.zeros((3, 3), np.float32)])
def test_where_nothing_recurs_nothing_is_a_candidate(how: Grouping, vectors: list[None]) -> None:
    found = group(rows_of(len(vectors)), vectors, how, Job())

    assert found.candidates == ()
    assert found.clusters == (len(vectors) if isinstance(vectors, np.ndarray) else 0)


@pytest.mark.parametrize("threshold", [float("nan"), 1.2, -7])
def test_a_threshold_that_is_no_cosine_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold"):
        group([], [], dataclasses.replace(STABLE, threshold=threshold), Job())


@pytest.mark.parametrize("how", [STABLE, GREEDY])
def test_it_stops_when_asked_to(how: Grouping) -> None:
    job = Job()
    job.cancel()

    with pytest.raises(Cancelled):
        group(rows_of(3), np.ones((3, 2), np.float32), how, job)
