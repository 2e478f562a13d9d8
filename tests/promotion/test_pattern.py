"""A pattern has its closest members first, and comes back from the store as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.model import Ref, Source
from memscope.promotion.model import Candidate, Row
from memscope.promotion.pattern import NearestSkill, decoded, encoded, packed, pattern_of, unpacked
from tests.promotion.patterns import TESTS, member, pattern, run_the_tests


def candidate(members: tuple[int, ...], centroid: list[float]) -> Candidate:
    return Candidate("ab" * 32, members, ("s1", "s2"), ("h",), np.array(centroid, np.float32), 0.9, 0.5)


def test_the_member_closest_to_the_centroid_comes_first() -> None:
    rows = [Row(f"m{n}", "s", f"text {n}") for n in range(4)]
    vectors = np.array([[0, 1], [1, 1], [9, 9], [1, 0]], np.float32)

    found = pattern_of(candidate((0, 1, 3), [1, 0]), rows, vectors, "space")

    assert [one.message_id for one in found.members] == ["m3", "m1", "m0"]
    assert [round(one.closeness, 3) for one in found.members] == [1, 0.707, 0]
    assert list(zip(found.named_in, found.names, strict=True)) == [("s", "m0"), ("s", "m1"), ("s", "m3")]


def test_vectors_that_rows_brought_are_taken_from_a_list_too() -> None:
    rows = [Row(n, 1, "") for n in range(3)]
    vectors = [np.array([1, 0], np.float32), None, np.array([0, 0], np.float32)]

    found = pattern_of(candidate((0, 2), [1, 0]), rows, vectors, "")

    assert [(one.message_id, one.closeness) for one in found.members] == [(0, 1.0), (2, 0.0)]


def test_tools_of_most_members_come_first() -> None:
    assert run_the_tests().tools == ("Bash", "Edit")
    assert pattern(member("a", tools=("B", "A", "B"))).tools == ("A", "B")


def same(one: object, other: object) -> bool:
    return encoded(one) == encoded(other)  # type: ignore[arg-type]


def test_it_comes_back_from_the_store_as_it_was() -> None:
    before = replace(run_the_tests(), nearest_skill=NearestSkill("a", "/srv/skills/a/SKILL.md", 0.8))

    after = decoded(before.signature, encoded(before))

    assert after is not None
    assert same(before, after)
    assert after.members == before.members
    assert after.named_in == before.named_in == ("s1", "s2", "s3")
    assert after.members[0].ref == Ref(Source(Path("/srv/a.jsonl"), "claude-code", 0, 0), 1)
    assert after.centroid.tolist() == before.centroid.tolist()


@given(st.text(), st.one_of(st.text(), st.integers(-(2**40), 2**40)))
def test_any_text_and_any_name_come_back(text: str, name: str | int) -> None:
    before = pattern(member(text, name, name))

    after = decoded("x", encoded(before))

    assert after is not None
    assert after.members == before.members


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"figures": []}', "[" * 100_000, encoded(run_the_tests())[:-2]]
)
def test_what_is_no_pattern_is_none(text: str) -> None:
    assert decoded("x", text) is None


@pytest.mark.parametrize("text", ["%", "AAA", "AAAAAAA="])
def test_what_is_no_vector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpacked(text)


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=9))
def test_vectors_come_back(values: list[float]) -> None:
    assert unpacked(packed(np.array(values, np.float32))).tolist() == values


def test_the_members_of_tests_are_those_of_three_sessions() -> None:
    assert len({one.session_id for one in TESTS}) == 3
