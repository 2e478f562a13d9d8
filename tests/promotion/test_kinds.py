"""A pattern is of one kind of messages, whatever else is there."""

from __future__ import annotations

import numpy as np
import pytest

from memscope.base.job import Job
from memscope.promotion.grouping import clustered, group
from memscope.promotion.kinds import ByKind, clustered_by_kind, stabilities_by_kind
from memscope.promotion.model import Grouping, Method, Row, RowKind, Skipped
from memscope.promotion.stability import stabilities
from tests.promotion.average import clumped

KINDS: tuple[RowKind, ...] = ("request", "plan", "")


def rows_of(count: int, kinds: tuple[RowKind, ...] = KINDS, text: str = "text {}") -> list[Row]:
    return [Row(at, at % 4, text.format(at), kinds[at % len(kinds)]) for at in range(count)]


def found(rows: list[Row], vectors: np.ndarray, how: Grouping | None = None) -> ByKind:
    return clustered_by_kind(rows, vectors, how or Grouping(), Job())


def members(by_kind: ByKind) -> list[tuple[int, ...]]:
    return [candidate.members for candidate in by_kind.grouped.candidates]


def test_a_request_and_its_echo_are_no_two_occurrences() -> None:
    rows = rows_of(4, ("request", "plan"))
    vectors = np.ones((4, 2), np.float32)
    assert members(found(rows, vectors)) == []
    assert found(rows, vectors).grouped.clusters == 2
    assert len(group(rows, vectors, Grouping(), Job()).candidates) == 1
    of_two = members(found(rows, vectors, Grouping(min_occurrences=2)))
    assert sorted(sorted(some) for some in of_two) == [[0, 2], [1, 3]]


def test_in_classic_mode_all_are_together() -> None:
    how = Grouping("greedy", classic=True)
    ours = found(rows_of(6), np.ones((6, 2), np.float32), how).grouped
    theirs = group(rows_of(6), np.ones((6, 2), np.float32), how, Job())
    assert [(one.members, one.signature) for one in ours.candidates] == [
        (one.members, one.signature) for one in theirs.candidates
    ]
    assert ours.candidates[0].members == (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("method", ["stable", "greedy"])
def test_each_kind_is_grouped_as_if_it_were_alone(method: Method) -> None:
    rows, vectors, how = rows_of(240), clumped(3, 240, 4, 9, 0.2), Grouping(method)
    whole = found(rows, vectors, how)
    shares = dict(zip(members(whole), stabilities_by_kind(whole, Job()), strict=True))
    expected: dict[tuple[int, ...], float | None] = {}
    clusters = 0
    for kind in KINDS:
        places = [at for at, row in enumerate(rows) if row.kind == kind]
        alone = clustered([rows[at] for at in places], vectors[places], how, Job())
        clusters += alone.grouped.clusters
        for one, share in zip(
            alone.grouped.candidates, stabilities(alone, alone.grouped.candidates, Job()), strict=True
        ):
            expected[tuple(places[at] for at in one.members)] = share
    assert shares == expected
    assert len(shares) > 3
    assert whole.grouped.clusters == clusters
    assert whole.has_stability is (method == "stable")


def test_the_largest_come_first_and_greedy_ones_as_they_began() -> None:
    rows = [Row(at, at % 3, f"text {at}", "plan" if at < 3 or at > 9 else "request") for at in range(13)]
    vectors = np.eye(3, dtype=np.float32)[[0] * 3 + [1] * 7 + [2] * 3]
    assert [len(some) for some in members(found(rows, vectors))] == [7, 3, 3]
    assert [some[0] for some in members(found(rows, vectors, Grouping("greedy")))] == [0, 3, 10]


def test_what_is_passed_over_is_counted_over_all_kinds() -> None:
    vectors = [None, np.ones(2, np.float32), np.full(2, np.nan, np.float32), *[np.ones(2, np.float32)] * 3]
    by_kind = clustered_by_kind(rows_of(6), vectors, Grouping(), Job())
    assert by_kind.grouped.skipped == Skipped(no_embedding=1, not_finite=1)


@pytest.mark.parametrize("method", ["stable", "greedy"])
def test_candidates_of_the_same_texts_have_signatures_of_their_own(method: Method) -> None:
    rows = [Row(at, at % 3, f"text {at % 3}") for at in range(6)]
    vectors = np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 1, 1]]
    signatures = [one.signature for one in found(rows, vectors, Grouping(method)).grouped.candidates]
    assert len(set(signatures)) == 2
    assert {one.signature for one in found(rows[::-1], vectors[::-1], Grouping(method)).grouped.candidates} == {
        *signatures
    }
    alone = [one.signature for one in found(rows[:3], vectors[:3], Grouping(method)).grouped.candidates]
    assert alone == [group(rows[:3], vectors[:3], Grouping(method), Job()).candidates[0].signature]
    kinds = [Row(at, at % 3, f"text {at % 3}", "plan" if at < 3 else "request") for at in range(6)]
    by_kind = found(kinds, np.ones((6, 2), np.float32), Grouping(method)).grouped.candidates
    assert len({one.signature for one in by_kind}) == 2


def test_without_rows_there_is_nothing() -> None:
    assert found([], np.empty((0, 2), np.float32)).grouped.clusters == 0
