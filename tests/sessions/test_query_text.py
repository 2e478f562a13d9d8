"""The text of a query, cut into terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.sessions.query_text import is_plain, pieces, quoted

NAMES = frozenset({"score", "title"})


def cut(text: str) -> list[tuple[bool, str, str, str]]:
    return [(one.negated, one.name, one.operator, one.value) for one in pieces(text, NAMES)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("  \t ", []),
        ("words", [(False, "", "", "words")]),
        ("-words", [(True, "", "", "words")]),
        ("- words", [(False, "", "", "words")]),
        ("--words", [(True, "", "", "-words")]),
        ("score>=12", [(False, "score", ">=", "12")]),
        ("score==12", [(False, "score", "=", "12")]),
        ("-title:x", [(True, "title", ":", "x")]),
        ("score >= 12 x", [(False, "score", ">=", "12"), (False, "", "", "x")]),
        ("score>= 12", [(False, "score", ">=", "12")]),
        ("score >=12", [(False, "score", ">=", "12")]),
        ("-score  !=  12", [(True, "score", "!=", "12")]),
        ("title: x y", [(False, "title", ":", "x"), (False, "", "", "y")]),
        ("other: x", [(False, "other", ":", ""), (False, "", "", "x")]),
        (
            "score=>3 score !50 other!50 score!",
            [
                (False, "score", "=>", "3"),
                (False, "score", "!", "50"),
                (False, "", "", "other!50"),
                (False, "", "", "score!"),
            ],
        ),
        ("score> ", [(False, "score", ">", "")]),
        ("other >= 12", [(False, "", "", word) for word in ("other", ">=", "12")]),
        ("a->b => 12:30 <p>", [(False, "", "", word) for word in ("a->b", "=>", "12:30", "<p>")]),
        ("http://x/?a=b", [(False, "http", ":", "//x/?a=b")]),
        ('title:"two  words" y', [(False, "title", ":", "two  words"), (False, "", "", "y")]),
        ('-"two words"y', [(True, "", "", "two words"), (False, "", "", "y")]),
        ("'two  words' title='' y", [(False, "", "", "two  words"), (False, "title", "=", ""), (False, "", "", "y")]),
        ("'tis don't 'a'b'", [(False, "", "", word) for word in ("'tis", "don't", "'a'b'")]),
        ('"open to the', [(False, "", "", "open to the")]),
        (r'"a \" b \\ c \n"', [(False, "", "", r'a " b \ c \n')]),
        ('"', [(False, "", "", "")]),
        ('say"hi" 5"', [(False, "", "", 'say"hi"'), (False, "", "", '5"')]),
    ],
)
def test_a_text_falls_into_terms(text: str, found: list[tuple[bool, str, str, str]]) -> None:
    assert cut(text) == found


def test_spans_say_where_everything_stands() -> None:
    text = 'x -score  >=  12 title:"a b"'
    _, score, title = pieces(text, NAMES)

    def at(span: tuple[int, int]) -> str:
        return text[slice(*span)]

    assert [at(score.whole), at(score.named), at(score.signed), at(score.valued)] == [
        "score  >=  12",
        "score",
        ">=",
        "12",
    ]
    assert [at(title.whole), at(title.signed), at(title.valued)] == ['title:"a b"', ":", '"a b"']


@given(st.text(st.sampled_from('score title:=<>!-"\\ \n12') | st.characters()))
def test_terms_stand_one_behind_the_other_within_the_text(text: str) -> None:
    last = 0
    for piece in pieces(text, NAMES):
        assert last <= piece.whole[0] < piece.whole[1] <= len(text)
        assert set("".join(text[last : piece.whole[0]].split())) <= {"-"}
        for span in (piece.named, piece.signed, piece.valued):
            assert piece.whole[0] <= span[0] <= span[1] <= piece.whole[1]
        last = piece.whole[1]


@given(st.text())
def test_what_is_quoted_is_read_back(words: str) -> None:
    (piece,) = pieces(f"title={quoted(words)}", NAMES)
    assert (piece.value, piece.quoted, piece.operator) == (words, True, "=")


@given(st.text(min_size=1))
def test_what_is_plain_needs_no_quotation_marks(words: str) -> None:
    if is_plain(words):
        (piece,) = pieces(f"title:{words}", NAMES)
        assert (piece.value, piece.quoted) == (words, False)
