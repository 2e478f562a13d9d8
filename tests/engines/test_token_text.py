"""Where the tokens of a response stand in its text, whatever a template or a server made of that text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from memscope.engines.token_text import offsets

pieces_of = st.lists(st.one_of(st.text(max_size=4), st.sampled_from(["\ufffd", " ", "tea", '", "', ""])), max_size=12)
texts = st.one_of(st.text(max_size=30), pieces_of.map("".join))


def cuts(pieces: list[str], text: str) -> list[str]:
    """What each token stands for."""
    starts, ends = offsets(pieces, text)
    return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


@given(pieces_of, texts)
def test_offsets_ascend_and_stay_inside_the_text(pieces: list[str], text: str) -> None:
    starts, ends = offsets(pieces, text)

    assert len(starts) == len(ends) == len(pieces)
    assert all(0 <= start <= end <= len(text) for start, end in zip(starts, ends, strict=True))
    assert all(end <= start for end, start in pairwise(x for pair in zip(starts, ends, strict=True) for x in pair))
    assert starts.dtype == ends.dtype == "int32"


@given(pieces_of)
def test_pieces_that_make_up_the_text_stand_exactly_where_they_stand(pieces: list[str]) -> None:
    assert cuts(pieces, "".join(pieces)) == pieces


@given(pieces_of, st.sampled_from(["", " ", "\n\n"]), st.sampled_from(["", "  ", "\n"]))
def test_what_a_template_trimmed_moves_no_token(pieces: list[str], before: str, after: str) -> None:
    pieces = ["<", *(piece.replace("<", "").replace(">", "") for piece in pieces), ">"]

    first, *inner, last = cuts(pieces, before + "".join(pieces) + after)

    assert (first.strip(), inner, last.strip()) == ("<", pieces[1:-1], ">")


@given(st.text(alphabet="ab ", max_size=6), st.text(alphabet="ab ", max_size=6), st.integers(2, 4))
def test_a_character_in_parts_belongs_to_its_parts_and_to_nobody_else(before: str, after: str, parts: int) -> None:
    found = cuts([before, *["\ufffd"] * parts, after], f"{before}😀{after}")

    assert (found[0], "".join(found[1:-1]), found[-1]) == (before, "😀", after)


def test_characters_in_parts_between_words() -> None:
    pieces = ["Tea", " \ufffd", "\ufffd", "!", " S", "\ufffd", "\ufffd", "o", "."]

    found = cuts(pieces, "Tea 😀! Süo.")

    assert (found[0], "".join(found[1:3]), found[3], found[4]) == ("Tea", " 😀", "!", " S")
    assert ("".join(found[5:7]), found[7:]) == ("ü", ["o", "."])


def test_a_call_in_the_syntax_of_another_template_stands_where_its_name_and_arguments_stand() -> None:
    text = 'Yes.\n<tool_call>\n{"name": "look", "arguments": {"at": "the sea"}}\n</tool_call>'
    pieces = ["Yes.", "[", "look", "(", "at", "=", '"', "the", " sea", '"', ")]"]

    found = dict(zip(pieces, cuts(pieces, text), strict=True))

    assert (found["Yes."], found["look"], found["at"], found["the"], found[" sea"]) == (
        "Yes.",
        "look",
        "at",
        "the",
        " sea",
    )


def test_a_long_text_that_is_quite_another_is_laid_over_by_length() -> None:
    """And soon: nothing is compared word by word."""
    starts, ends = offsets(["a "] * 30_000, "b " * 15_000)

    assert (starts[0], ends[-1]) == (0, 30_000)
    assert abs(int(starts[15_000]) - 15_000) <= 1


def test_no_tokens_and_no_text() -> None:
    assert cuts([], "tea") == []
    assert cuts(["tea", " x"], "") == ["", ""]
