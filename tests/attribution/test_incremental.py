"""Which memories are due, and what a score makes of a weight."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.attribution.incremental import NO_RESPONSE, Place, Round, due, limit, round_of, score_of, weight_after

NOW = 1_800_000_000.0
KEYS = st.sampled_from("abcdef")
weights = st.floats(0, 1e6)


def planned(ages: dict[str, float] | None = None, *, keys: str = "abc", cutoff: float = 1.0, silent: str = "") -> Round:
    """A round over memories that end at 10, 20, 30 ... of 100; `ages`: seconds since they were scored."""
    last = {key: NOW - age for key, age in (ages or {}).items()}
    place = Place({key: 10 * number for number, key in enumerate(dict.fromkeys(keys), 1)}, 100, "tokens")
    return round_of(
        keys, last, NOW, max_age=3600, cutoff=cutoff, place=lambda: place, responded=lambda key: key not in silent
    )


def test_never_scored_comes_first_and_then_the_oldest() -> None:
    assert planned({"a": 4000, "b": 9000}).score == ("c", "b", "a")


def test_a_memory_is_due_at_the_very_age_and_not_before() -> None:
    found = planned({"a": 3600, "b": 3599})
    assert (found.score, found.fresh) == (("c", "a"), ("b",))


def test_what_was_scored_at_a_time_yet_to_come_is_not_due() -> None:
    assert planned({"a": -1, "b": -1e6, "c": -1e6}).fresh == ("a", "b", "c")
    assert due("a", {"a": NOW + 1}, NOW, 0.0) == []


def test_positions_are_asked_for_only_where_something_is_due() -> None:
    def never() -> Place:
        raise AssertionError

    found = round_of("a", {"a": NOW}, NOW, max_age=1, cutoff=0.0, place=never, responded=lambda _: True)
    assert found == Round((), {}, ("a",))


def test_a_memory_that_returns_is_due_once() -> None:
    assert planned(keys="abacab").score == ("a", "b", "c")


def test_what_ends_at_the_limit_is_scored_and_what_ends_past_it_is_told() -> None:
    found = planned(cutoff=0.2)
    assert found.score == ("a", "b")
    assert found.skipped == {"c": "too recent: it ends at 30 of 100 tokens, past 20"}


def test_a_memory_without_a_response_is_told() -> None:
    found = planned(silent="b")
    assert (found.score, found.skipped) == (("a", "c"), {"b": NO_RESPONSE})


@pytest.mark.parametrize(("cutoff", "total", "expected"), [(0.6, 5, 3), (0.57, 100, 57), (0.29, 100, 29), (1.0, 7, 7)])
def test_the_limit_is_that_of_the_cutoff_as_it_is_written(cutoff: float, total: int, expected: int) -> None:
    assert limit(cutoff, total) == expected


@given(st.integers(0, 100), st.integers(0, 10**9))
def test_the_limit_of_whole_percents_is_the_rounded_down_part(percent: int, total: int) -> None:
    assert limit(percent / 100, total) == total * percent // 100


@given(st.lists(KEYS), st.dictionaries(KEYS, st.floats(0, 10_000)), st.floats(0, 10_000))
def test_due_are_the_old_ones_each_once_and_stably_oldest_first(
    keys: list[str], ages: dict[str, float], max_age: float
) -> None:
    last = {key: NOW - age for key, age in ages.items()}
    found = due(keys, last, NOW, max_age)
    assert sorted(found) == sorted({key for key in keys if key not in last or NOW - last[key] >= max_age})
    assert all(
        (last.get(one, 0.0), keys.index(one)) < (last.get(other, 0.0), keys.index(other))
        for one, other in pairwise(found)
    )


@given(st.lists(KEYS), st.dictionaries(KEYS, st.floats(0, 10_000)), st.floats(0, 1), st.sets(KEYS))
def test_every_memory_is_scored_skipped_or_fresh(
    keys: list[str], ages: dict[str, float], cutoff: float, silent: set[str]
) -> None:
    found = planned(ages, keys="".join(keys), cutoff=cutoff, silent="".join(silent))
    assert sorted([*found.score, *found.skipped, *found.fresh]) == sorted(set(keys))


def test_the_first_score_sets_the_weight() -> None:
    assert weight_after(None, 3.0) == 3.0
    assert weight_after(0.0, 3.0) == 1.5


def test_a_weight_rises_by_half_of_the_way_and_falls_by_a_tenth() -> None:
    assert weight_after(2.0, 6.0) == 4.0
    assert weight_after(6.0, 2.0) == pytest.approx(5.6)
    assert weight_after(2.0, 2.0) == 2.0


@given(weights, weights)
def test_a_weight_lies_between_what_it_was_and_the_score(weight: float, score: float) -> None:
    after = weight_after(weight, score)
    low, high = sorted((weight, score))
    assert low - 1e-9 * high <= after <= high * (1 + 1e-9)
    part = Fraction(1, 2) if score > weight else Fraction(1, 10)
    assert after == pytest.approx(float(Fraction(weight) + part * (Fraction(score) - Fraction(weight))))


@given(st.lists(st.floats(-100, 100)))
def test_a_score_is_the_largest_effect_and_never_below_zero(effects: list[float]) -> None:
    assert score_of(effects) == max([0.0, *effects])
