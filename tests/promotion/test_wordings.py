"""What is said in several ways: told once, in one line, with a gap where the others have another word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.wordings import distinct, gist, headline

TEXTS = st.lists(st.text(alphabet="ab c.?!\n[](x)", max_size=40), min_size=1, max_size=8)


def test_one_sentence_with_another_noun_is_one_wording() -> None:
    texts = ["Tell me more about the door?", "tell me more about the  window!", "tell me more about it", "Explain it"]

    assert distinct(texts, 5) == ["Tell me more about the door?", "Explain it"]
    assert distinct([*texts, "a", "b"], 3) == ["Tell me more about the door?", "Explain it", "a"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n  Fix it.\nThe rest", "Fix it."),
        ("Short one. Where do I start?", "Short one. Where do I start?"),
        ("Solve the issue in this repository. It says:\nx", "Solve the issue in this repository."),
        ("This is the first sentence. " + "more " * 40, "This is the first sentence."),
        ("这是一个很长的请求它说了很多很多很多的事情。" + "更多" * 90, "这是一个很长的请求它说了很多很多很多的事情。"),
        ("see [the issue](https://a.example/1) and [x](y z)", "see the issue and [x](y z)"),
        ("word " * 100, ("word " * 40).rstrip()[:-1].rpartition(" ")[0] + "…"),
        ("", ""),
    ],
)
def test_a_headline_is_what_a_text_says_first(text: str, line: str) -> None:
    assert headline(text, 200) == line


def test_a_gap_stands_where_the_others_have_other_words() -> None:
    texts = ["How does the door work here?", "How does the big window work here?", "how does the roof work here"]

    assert gist([*texts, "What is it?"], texts[0]) == "How does the … work here?"
    assert (
        gist(["Explain me a.", "Explain me b.", "Explain me c."], "Explain me a.") == "Explain me a."
    )  # a short frame
    assert gist(["Do explain me a.", "Do explain me b.", "Do explain me c."], "Do explain me a.") == "Do explain me …."


def test_there_is_no_gap_where_two_or_few_say_it() -> None:
    two = ["How does the door work here?", "How does the window work here?"]

    assert gist(two, two[0]) == two[0]
    assert gist([*two, "how does the roof work here?", *"abcdef"], two[0]) == two[0]


@given(TEXTS)
def test_any_text_has_a_headline_and_is_told(texts: list[str]) -> None:
    found = distinct(texts, 3)
    assert found[0] == texts[0]
    assert set(found) <= set(texts)
    lines = [headline(text, 30) for text in texts]
    assert all(len(line) <= 30 and "\n" not in line for line in lines)
    told = gist(lines, lines[0])
    assert told == lines[0] or "…" in told


@pytest.mark.parametrize("atom", ["[", "[a](", "a. ", "word ", "a"])
def test_a_long_hostile_text_is_read_through(atom: str) -> None:
    text = atom * (20_000 // len(atom))

    assert len(headline(text, 200)) <= 200
    assert distinct([text, text[1:]], 5)
