"""The lexical embedder: what is alike by its words, on every machine and in any order."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled
from memscope.base.job import Job, Progress
from memscope.promotion import lexical
from memscope.promotion.hashing import grams, whole
from memscope.promotion.lexical import DIMENSION, LONGEST, Lexical

LINT = [
    "Run the linter and fix all warnings",
    "Please run the linter and fix the warnings",
    "Fix all linter warnings please",
    "Can you run the linter and fix what it complains about?",
]
CHANGELOG = [
    "Update the changelog for the new release",
    "Please add an entry to the changelog for this release",
    "Update CHANGELOG with the changes since the last release",
    "changelog needs updating for the release, please do it",
]
LINT_IN_CHINESE = ["优化慢查询的 SQL", "这个 SQL 查询太慢，请优化", "优化订单页面的慢 SQL 查询", "请优化报表的慢查询"]
OTHERS = [
    f"{verb} the {thing}" for verb in ("Add", "Explain", "Remove") for thing in "cache parser sidebar invoice".split()
]
TEXTS = [*LINT, *CHANGELOG, *LINT_IN_CHINESE, *OTHERS, "", "?!", "17"]


def embedded(*texts: str) -> np.ndarray:
    return Lexical().embed(texts, Job())


def test_vectors_are_unit_vectors_of_single_precision() -> None:
    vectors = embedded(*TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), DIMENSION), np.float32)
    norms = np.linalg.norm(vectors, axis=1)
    assert norms == pytest.approx([0.0 if text in ("", "?!") else 1.0 for text in TEXTS], abs=1e-6)


def test_rewordings_are_alike_and_other_requests_are_not() -> None:
    vectors = embedded(*TEXTS)
    cosines = vectors @ vectors.T
    for start in (0, 4, 8):
        own = cosines[start : start + 4, start : start + 4]
        others = np.delete(cosines[start : start + 4], np.s_[start : start + 4], axis=1)
        assert own.mean() > Lexical.threshold
        assert others.max() < 0.4 < own.min()


def test_the_form_of_a_word_and_of_its_letters_counts_little() -> None:
    vectors = embedded("ＤＥＰＬＯＹ the straße", "deploy the STRASSE", "deploying the straße", *OTHERS)
    assert (vectors[0] == vectors[1]).all()
    assert vectors[0] @ vectors[2] > 0.7


def test_one_number_is_as_good_as_another() -> None:
    vectors = embedded("Review PR 17", "Review PR 4,512", "Review PR ٣", *OTHERS)
    assert vectors[0] @ vectors[1] > 0.95
    assert (vectors[0] == vectors[2]).all()


def test_the_beginning_of_a_long_text_counts() -> None:
    start = "fix it " * 1000
    vectors = embedded(start[:LONGEST] + "one", start[:LONGEST] + "other", "other")
    assert (vectors[0] == vectors[1]).all()
    assert vectors[0] @ vectors[2] < 0.3


def test_the_numbers_are_the_same_on_every_machine() -> None:
    """Of the signs alone: what is beyond is a matter of the last bit."""
    signs = np.sign(embedded(*TEXTS)).astype(np.int8).tobytes()
    assert hashlib.sha256(signs).hexdigest()[:16] == "9674fbb686e5a57c"


@settings(max_examples=25)
@given(st.permutations(range(len(TEXTS))))
def test_the_order_of_texts_changes_no_bit(order: list[int]) -> None:
    assert (embedded(*(TEXTS[place] for place in order)) == embedded(*TEXTS)[order]).all()


def test_how_many_are_worked_on_at_a_time_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = embedded(*TEXTS)
    for texts, characters in ((1, 10**6), (3, 10**6), (100, 1), (100, 60)):
        monkeypatch.setattr(lexical, "_TEXTS", texts)
        monkeypatch.setattr(lexical, "_CHARACTERS", characters)
        assert (embedded(*TEXTS) == expected).all()


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_text_has_a_finite_vector(texts: list[str]) -> None:
    vectors = embedded(*texts)
    assert vectors.shape == (len(texts), DIMENSION)
    norms = np.linalg.norm(vectors, axis=1)
    assert ((norms == 0) | (abs(norms - 1) < 1e-5)).all()


@pytest.mark.parametrize("text", ["\ud800", "a\udfff b", "\x00", "a" * 100_000, "é" * 5000, "ﷺ" * 5000, "字" * 5000])
def test_a_hostile_text_has_a_vector_as_well(text: str) -> None:
    vectors = embedded(text, "fix it")
    assert np.isfinite(vectors).all()
    assert abs(vectors[0] @ vectors[1]) < 0.3


def test_nothing_comes_of_nothing() -> None:
    assert embedded().shape == (0, DIMENSION)
    assert not embedded("", " \n").any()


def test_it_stops_when_asked_to_and_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "_TEXTS", 2)
    said: list[Progress] = []
    Lexical().embed(OTHERS, Job(said.append))
    assert [(one.done, one.total) for one in said if one.doing == "embedding"] == [(n, 12) for n in range(0, 13, 2)]
    stopping = Job(lambda progress: stopping.cancel() if progress.done == 4 else None)
    with pytest.raises(Cancelled):
        Lexical().embed(OTHERS, stopping)


def test_it_is_known_as_lexical() -> None:
    assert (Lexical.name, Lexical.lexical) == ("lexical-1", True)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6))
def test_words_are_hashed_each_by_itself(words: list[str]) -> None:
    alone = [(whole([word]), *grams([word], (3, 4))) for word in words]
    hashes, counts = grams(words, (3, 4))
    assert whole(words).tolist() == [one[0][0] for one in alone]
    assert counts.tolist() == [max(len(word), 0) + max(len(word) - 1, 0) for word in words]
    assert hashes.tolist() == [gram for one in alone for gram in one[1]]


def test_hashes_tell_words_apart() -> None:
    words = [a + b + c for a in "abcdé字" for b in ("", *"abcd") for c in ("", *"xyz")]
    words = sorted(set(words))
    assert len(set(whole(words).tolist())) == len(words)
    assert whole([]).tolist() == grams([], (3,))[0].tolist() == []


def test_what_is_placed_among_texts_leaves_them_as_they_are() -> None:
    texts = ["run the tests and fix what fails", "bump the version and tag it", "run the tests once more"]
    also = ["run tests: the steps that recur", "quite something else", ""]
    alone, among = Lexical().embed(texts, Job()), Lexical().embed(texts, Job(), also)
    assert among.shape == (6, alone.shape[1])
    assert among[:3].tolist() == alone.tolist()
    assert among[3] @ alone[0] > among[4] @ alone[0]
    assert not among[5].any()
