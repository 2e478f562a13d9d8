"""Texts that say the same: the same ones as when each is compared with each."""

from __future__ import annotations

from fractions import Fraction
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.insights import similar
from memscope.insights.similar import AlikeIndex, alike, words
from tests.insights.sayings import texts


def jaccard(one: str, other: str) -> Fraction:
    mine, others = words(one), words(other)
    return Fraction(len(mine & others), len(mine | others)) if mine | others else Fraction(one == other)


def numbered(first: int, last: int) -> str:
    return " ".join(f"w{number}" for number in range(first, last))


def test_words_are_case_folded_and_each_is_there_once() -> None:
    assert words("Read the file, READ the_file! Straße, 42") == {"read", "the", "file", "the_file", "strasse", "42"}
    assert words(" -- !?\n") == frozenset()


def test_each_character_of_a_script_without_spaces_is_a_word() -> None:
    assert words("先运行pytest，再提交") == {*"先运行再提交", "pytest"}
    assert words("テスト2回") == {*"テスト回", "2"} and words("กินข้าว") == {*"กินข้าว"}
    assert alike("提交之前先运行全部测试。", "提交之前，先运行全部测试")
    assert not alike("提交之前先运行全部测试", "部署失败时查看日志")


@pytest.mark.parametrize("scale", [1, 2, 7])
def test_the_limit_itself_is_alike(scale: int) -> None:
    assert alike(numbered(0, 20 * scale), numbered(0, 13 * scale))
    assert not alike(numbered(0, 20 * scale + 1), numbered(0, 13 * scale))


def test_the_order_of_words_and_their_signs_make_no_difference() -> None:
    assert alike("Run the tests, first.", "first run THE tests")


def test_without_any_words_only_the_same_text_is_alike() -> None:
    assert alike("?!", "?!") and alike("", "")
    assert not alike("?!", "!?") and not alike("", "a") and not alike("?!", "a ?!")


@given(texts(), texts())
def test_alike_is_what_the_fraction_says(one: str, other: str) -> None:
    assert alike(one, other) == alike(other, one) == (jaccard(one, other) >= Fraction(65, 100))


@given(st.lists(texts(10), max_size=30), st.lists(texts(10), max_size=5), st.sampled_from([1, 2, 5, 64]))
def test_the_index_finds_what_comparing_with_each_finds(added: list[str], sought: list[str], lanes: int) -> None:
    with patch.object(similar, "_LANES", lanes):
        index = AlikeIndex()
        for number, text in enumerate(added):
            assert index.find(text) == [place for place in range(number) if alike(added[place], text)]
            assert index.add(text) == number
        for text in sought:
            assert index.find(text) == [place for place, other in enumerate(added) if alike(other, text)]


@given(st.lists(st.text(max_size=40), max_size=12))
def test_the_index_takes_any_text(added: list[str]) -> None:
    index = AlikeIndex()
    for text in added:
        index.add(text)
    for text in added:
        assert index.find(text) == [place for place, other in enumerate(added) if alike(other, text)]


@given(st.lists(st.lists(st.integers(0, 120), min_size=60, max_size=110), max_size=6))
def test_the_index_counts_beyond_a_few_words(added: list[list[int]]) -> None:
    lines = [" ".join(map(str, numbers)) for numbers in added]
    lines += [line + " more" for line in lines]
    index = AlikeIndex()
    for line in lines:
        index.add(line)
    for line in lines:
        assert index.find(line) == [place for place, other in enumerate(lines) if alike(other, line)]
