"""Words of the embedded engine: what is a token, what counts as the same word, and where it stands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.engines.embedded.prior import Prior
from memscope.engines.embedded.tokens import LONGEST, cut, is_json, surfaces
from memscope.engines.embedded.vocabulary import Vocabulary, fold

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)  # lone surrogates and NULs, too


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(Prior(["the", "cat", "sat"]))


def lines(text: str, vocabulary: Vocabulary, *, escaped: bool = False) -> list[list[str]]:
    made = cut(text, vocabulary, escaped=escaped)
    out: list[list[str]] = []
    for start, end, opens in zip(made.starts, made.ends, made.opens, strict=True):
        if opens:
            out.append([])
        out[-1].append(fold(text[start:end]))
    return out


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \n ", []),
        ("The cat sat.", ["The", "cat", "sat", "."]),
        ("send_interface Eicy-36 v2.0", ["send", "_", "interface", "Eicy", "-", "36", "v2", ".", "0"]),
        ("don't Rahul's 'so'", ["don", "'t", "Rahul", "'s", "'", "so", "'"]),
        ("it\u2019s", ["it", "\u2019s"]),
        ("你好 мир", ["你", "好", "мир"]),
        ("हिन्दी।", ["हिन्दी", "।"]),
        ("cafe\u0301 naïve", ["cafe\u0301", "naïve"]),
        ("x" * 45, ["x" * 20, "x" * 20, "x" * 5]),
        ("a\0b\ud800", ["a", "\0", "b", "\ud800"]),
    ],
)
def test_surfaces(text: str, tokens: list[str]) -> None:
    assert surfaces(text) == tokens


def test_same_word_whatever_its_case_and_apostrophe(vocabulary: Vocabulary) -> None:
    made = cut("GitHub's github\u2019s", vocabulary, escaped=False)
    assert made.words[0] == made.words[2]
    assert made.words[1] == made.words[3]


def test_a_line_begins_after_every_newline(vocabulary: Vocabulary) -> None:
    assert lines("a b\nc\r\n\n d", vocabulary) == [["a", "b"], ["c"], ["d"]]


def test_escapes_of_json_are_what_they_stand_for(vocabulary: Vocabulary) -> None:
    text = r'{"code": "def f():\n\treturn \"né\u4f60\" \\ new"}'
    assert lines(text, vocabulary, escaped=True) == [
        ["{", '"', "code", '"', ":", '"', "def", "f", "(", ")", ":"],
        ["return", '"', "né", "你", '"', "\\", "new", '"', "}"],
    ]


def test_backslashes_of_other_text_are_plain(vocabulary: Vocabulary) -> None:
    assert lines(r"C:\new\table", vocabulary) == [["c", ":", "\\", "new", "\\", "table"]]


@pytest.mark.parametrize(
    ("text", "json"), [(' {"a": 1}', True), ("[1]", True), ('"x"', True), ("x {", False), ("", False)]
)
def test_is_json(text: str, json: bool) -> None:
    assert is_json(text) is json


@given(ANY_TEXT, st.booleans())
def test_offsets_ascend_and_reproduce_the_words(text: str, escaped: bool) -> None:
    vocabulary = Vocabulary(Prior(["the"]))
    made = cut(text, vocabulary, escaped=escaped)
    assert np.all(made.starts < made.ends)
    assert np.all(made.ends - made.starts <= LONGEST)
    assert np.all(made.ends[:-1] <= made.starts[1:])
    assert np.all(made.form <= 0)
    if len(made.words):
        assert made.starts[0] >= 0
        assert made.ends[-1] <= len(text)
        assert made.opens[0]
    words = [fold(text[start:end]) for start, end in zip(made.starts, made.ends, strict=True)]
    same = dict(zip(words, made.words.tolist(), strict=True))
    assert [same[word] for word in words] == made.words.tolist()
    assert len(set(same.values())) == len(same)
    if not escaped:
        assert words == [fold(surface) for surface in surfaces(text)]
        assert "".join(text[s:e] for s, e in zip(made.starts, made.ends, strict=True)) == "".join(text.split())
