"""Where the tokens of an echoed text stand: exactly, whatever is said of their offsets, or not at all."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.engines.openai_echo.places import places
from tests.engines.replay import recorded
from tests.engines.token_server import SPECIAL, Formula

MODEL = Formula()
OPEN, CLOSE = "<|im_start|>", "<|im_end|>"
said = st.lists(st.text(alphabet="ab é😀\n.", max_size=10), min_size=1, max_size=4)


def cuts(pieces: list[str], offsets: list[int] | None, text: str) -> list[str] | None:
    found = places(pieces, offsets, text)
    if found is None:
        return None
    return [text[start:end] for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True)]


def offsets_of(pieces: list[str]) -> list[int]:
    return [0, *accumulate(map(len, pieces))][:-1]


def chat(texts: list[str]) -> str:
    return "".join(f"{OPEN}user\n{text}{CLOSE}\n" for text in texts)


@given(st.lists(st.text(max_size=3), min_size=1))
def test_right_offsets_are_taken_as_they_are(pieces: list[str]) -> None:
    assert cuts(pieces, offsets_of(pieces), "".join(pieces)) == pieces


@given(st.lists(st.text(min_size=1, max_size=3).filter(lambda piece: "\ufffd" not in piece), min_size=1))
def test_texts_alone_are_enough_where_every_token_has_one(pieces: list[str]) -> None:
    text = "".join(pieces)
    wrong = [at + 1 for at in offsets_of(pieces)]
    assert cuts(pieces, None, text) == cuts(pieces, wrong, text) == pieces


@given(said, st.booleans())
def test_special_tokens_without_a_text_stand_where_their_text_is(texts: list[str], told: bool) -> None:
    """As llama-cpp-python has it, whose offsets leave them out. A character in parts may stand beside one: then who has
    which part of the text is not told, but what they have together is, unless the words behind it stand twice."""
    text = chat(texts)
    whole = [MODEL.text([token]) for token in MODEL.encode(text)]
    pieces = ["" if piece in SPECIAL else piece for piece in whole]

    found = places(pieces, offsets_of(pieces) if told else None, text)

    if found is None:
        assert "\ufffd" in "".join(pieces)
        return
    starts = [len(MODEL.text(MODEL.encode(text)[:n])) for n in range(len(whole))]
    for n, piece in enumerate(whole):
        if "\ufffd" not in piece and all("\ufffd" not in p for p in whole[max(0, n - 1) : n + 2]):
            assert text[found.starts[n] : found.ends[n]] == piece
            assert found.starts[n] == starts[n] or "\ufffd" in "".join(whole[:n])
        assert found.low[n] <= found.starts[n] <= found.ends[n] <= found.high[n]
    assert (found.starts[1:] == found.ends[:-1]).all()
    assert (found.starts[0], found.ends[-1]) == (0, len(text))


def test_of_two_ways_to_lay_tokens_over_a_text_neither_is_taken() -> None:
    pieces = ["", "user\na", " aa\ufffd", "\ufffd", " ", ""]
    assert places(pieces, None, f"{OPEN}user\na aa\u00e9\u00e9 {CLOSE}") is None
    assert places(pieces, None, f"{OPEN}user\na-aa\u00e9\u00e9 {CLOSE}") is not None


def test_tokens_that_are_parts_of_a_character_share_it() -> None:
    found = places(["a", "\ufffd", "\ufffd", "b"], None, "a😀b")
    assert found is not None
    assert (found.low.tolist(), found.high.tolist()) == ([0, 1, 1, 2], [1, 2, 2, 3])


def test_a_token_that_the_server_put_in_front_stands_before_the_text() -> None:
    assert cuts(["<s>", "a", " b"], [0, 3, 4], "a b") == ["", "a", " b"]


@pytest.mark.parametrize(
    ("pieces", "offsets", "text"),
    [
        ([], None, ""),
        (["a", "c"], [0, 1], "a b c"),  # a gap where every token has a text
        (["a"], None, "a b"),
        (["a", "b"], None, "ab c"),
        (["b", "a"], None, "ab"),
        (["a", "", "b"], None, "a b b c"),
        (["x", "", "m", "", "y"], None, "x m m y"),  # two places for the same token
        (["x", "y", "z"], [0, 5, 1], "x"),
    ],
)
def test_what_does_not_fit_in_exactly_one_way_does_not_fit(
    pieces: list[str], offsets: list[int] | None, text: str
) -> None:
    assert places(pieces, offsets, text) is None


def test_a_recorded_answer_with_special_tokens_left_out_of_the_offsets() -> None:
    answer = recorded("llama-cpp-python-echo")
    prompt, logprobs = answer["request"]["json"]["prompt"], answer["response"]["choices"][0]["logprobs"]

    found = cuts(logprobs["tokens"], logprobs["text_offset"], prompt)

    assert found is not None
    assert "".join(found) == prompt
    for piece, cut in zip(logprobs["tokens"], found, strict=True):
        assert cut == (piece or cut)
        assert bool(piece) != (cut in (OPEN, CLOSE))


# --- whose a token is ------------------------------------------------------------------------------------------------


def owned(pieces: list[str], text: str, start: int, end: int) -> list[int] | None:
    found = places(pieces, None, text)
    assert found is not None
    own = found.of(start, end)
    return None if own is None else own.tolist()


def test_a_token_across_the_border_is_a_part_of_the_response() -> None:
    assert owned(["a ", "\n b", "c", "d\n"], "a \n bcd\n", 4, 7) == [1, 2, 3]
    assert owned(["a", "b", "c"], "abc", 1, 2) == [1]
    assert owned(["a", "b", "c"], "abc", 1, 1) == []


def test_special_tokens_beside_the_response_are_none_of_it() -> None:
    text = f"{OPEN}Tea{CLOSE}{OPEN}"
    start = len(OPEN)
    assert owned(["", "Tea", "", ""], text, start, start + 3) == [1]


def test_parts_of_a_character_at_the_border_are_told_apart_only_from_words() -> None:
    text = f"{OPEN}x 😀!{CLOSE}"
    start, end = len(OPEN), len(OPEN) + 4
    assert owned(["", "x ", "\ufffd", "\ufffd", "!", ""], text, start, end) == [1, 2, 3, 4]
    text = f"{OPEN}x 😀{CLOSE}"
    assert owned(["", "x ", "\ufffd", "\ufffd", ""], text, start, start + 3) is None


def test_the_first_parts_of_a_character_that_its_last_part_shows_belong_to_it() -> None:
    """As vLLM writes them: nothing, and then the character."""
    text = "a:😀b"
    found = places(["a:", "", "😀", "b"], [0, 2, 2, 3], text)
    assert found is not None
    assert found.of(2, 4).tolist() == [1, 2, 3]  # type: ignore[union-attr]
    assert found.of(0, 2).tolist() == [0]  # type: ignore[union-attr]
