"""Memories that say nearly the same, by their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.attribution.duplicates import ALIKE, Duplicates, NearDuplicate
from memscope.base.similar import content_words

PNPM = "Install packages with pnpm, never npm."
AGAIN = "We never install packages with npm: pnpm it is, for every project here."
TABS = "Indent Python code with tabs."


def test_what_shares_most_of_its_words_is_near_with_the_words() -> None:
    near = Duplicates([PNPM, TABS, AGAIN]).near(0)

    assert near == [NearDuplicate(2, 1.0, ("install", "never", "npm", "packages", "pnpm"))]
    assert Duplicates([PNPM, TABS, AGAIN]).near(1) == []


def test_two_shared_words_are_chance_unless_they_are_all_there_is() -> None:
    assert Duplicates(["deploy monday", "deploy monday evening, after lunch"]).near(0) == []
    assert [near.row for near in Duplicates(["deploy monday", "On Monday: deploy!"]).near(0)] == [1]


def test_of_two_equally_near_the_one_of_more_like_length_comes_first() -> None:
    texts = ["alpha beta gamma", "alpha beta gamma delta epsilon", "alpha beta gamma delta", "gamma alpha beta"]

    assert [near.row for near in Duplicates(texts).near(0)] == [3, 2, 1]


@pytest.mark.parametrize("text", ["", "1 2 3", "the and of", "…"])
def test_without_words_nothing_is_near(text: str) -> None:
    assert Duplicates([text, text, PNPM]).near(0) == []


words = st.lists(st.sampled_from("alpha beta gamma delta epsilon zeta".split()), max_size=8).map(" ".join)


@given(st.lists(words, min_size=1, max_size=6))
def test_nearness_is_mutual_and_says_what_is_shared(texts: list[str]) -> None:
    duplicates = Duplicates(texts)
    near = [duplicates.near(row) for row in range(len(texts))]

    for row, found in enumerate(near):
        assert [one.part for one in found] == sorted((one.part for one in found), reverse=True)
        for one in found:
            assert one.row != row
            assert ALIKE <= one.part <= 1
            assert set(one.shared) == content_words(texts[row]) & content_words(texts[one.row])
            assert (row, one.part, one.shared) in [(back.row, back.part, back.shared) for back in near[one.row]]
