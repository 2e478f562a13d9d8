"""A pattern that was decided is known again when it has grown, and others are not taken for it."""

from __future__ import annotations

from typing import Literal

import pytest

from memscope.promotion.decided import Decided, grown_from, read, told
from memscope.promotion.pattern import Pattern
from tests.promotion.patterns import member, pattern

State = Literal["draft", "accepted", "rejected"]


def of(*texts: str, centroid: tuple[float, ...] = (1.0, 0.0), space: str = "lexical-1") -> Pattern:
    return pattern(*(member(text, f"s{text}", text) for text in texts), centroid=centroid, space=space)


def decided(found: Pattern, state: State = "rejected", name: str = "") -> Decided:
    return read(found.signature, state, name, told(found))


AWAY = (0.0, 1.0)


def test_one_that_has_all_the_old_messages_and_many_new_ones_has_grown() -> None:
    old = decided(of("a", "b", "c"))

    assert grown_from(of(*"abcdefghij", centroid=AWAY), [old]) is old


def test_one_that_has_lost_some_is_known_too() -> None:
    old = decided(of(*"abcdefghij"))

    assert grown_from(of("a", "b", "x", centroid=AWAY), [old]) is old


def test_half_of_the_smaller_is_enough_and_less_is_not() -> None:
    old = decided(of(*"abcd"))

    assert grown_from(of("a", "b", "x", "y", centroid=AWAY), [old]) is old
    assert grown_from(of("a", "x", "y", "z", centroid=AWAY), [old]) is None


def test_the_same_centre_is_enough_in_the_same_space_alone() -> None:
    old = decided(of("a", centroid=(1.0, 0.0)))

    assert grown_from(of("x", centroid=(0.96, 0.28)), [old]) is old
    assert grown_from(of("x", centroid=(0.94, 0.34)), [old]) is None
    assert grown_from(of("x", space="other"), [old]) is None
    assert grown_from(of("x", centroid=(1.0, 0.0, 0.0)), [old]) is None
    assert grown_from(of("x", centroid=(0.0, 0.0)), [old]) is None


def test_it_has_not_grown_from_itself() -> None:
    found = of("a", "b")

    assert grown_from(found, [decided(found)]) is None


def test_of_several_the_one_with_most_in_common_is_meant() -> None:
    small, large = decided(of("a")), decided(of("a", "b", "c"))

    assert grown_from(of("a", "b", "c", "d"), [small, large]) is large


@pytest.mark.parametrize(
    "kept", [{}, {"hashes": 3, "centroid": 4, "space": 5}, {"hashes": [1, None], "centroid": "%", "space": "lexical-1"}]
)
def test_of_what_cannot_be_read_nothing_has_grown(kept: dict[str, object]) -> None:
    old = read("ab", "rejected", "", kept)

    assert not old.hashes
    assert grown_from(of("a"), [old]) is None
