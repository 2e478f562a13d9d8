"""The texts of single tokens: put together they are the text."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from memscope.engines.transformers.pieces import pieces


def decoder(tokens: Sequence[bytes]) -> list[str]:
    """What a byte-level tokenizer makes of tokens with these bytes."""

    def decode(ids: Sequence[int]) -> str:
        return b"".join(tokens[i] for i in ids).decode("utf-8", "replace")

    return list(pieces(range(len(tokens)), decode))


@given(st.text(max_size=30), st.lists(st.integers(1, 5), max_size=40))
def test_pieces_of_bytes_put_together_are_the_text(text: str, cuts: list[int]) -> None:
    data = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
    tokens, at = [], 0
    for cut in [*cuts, len(data)]:
        if at < len(data):
            tokens.append(data[at : at + cut])
            at += cut

    found = decoder(tokens)

    assert len(found) == len(tokens)
    assert "".join(found) == data.decode()


def test_a_character_of_several_tokens_stands_in_the_one_that_ends_it() -> None:
    robot = "🤖".encode()
    assert decoder([b"a", robot[:1], robot[1:3], robot[3:], b" b"]) == ["a", "", "", "🤖", " b"]
    assert decoder([b"a", robot[:2], robot[2:] + b"!"]) == ["a", "", "🤖!"]


def test_a_text_that_ends_within_a_character_ends() -> None:
    assert decoder([b"a", "🤖".encode()[:2]]) == ["a", "\ufffd"]
    assert "".join(decoder([b"\xf0"] * 40)) == "\ufffd" * 40


def test_a_decoder_that_drops_the_first_space_keeps_the_others() -> None:
    words = ["▁I", "▁like", "▁te", "a", "."]
    found = pieces(range(5), lambda ids: "".join(words[i] for i in ids).replace("▁", " ").removeprefix(" "))
    assert found == ("I", " like", " te", "a", ".")


def test_nothing_has_no_pieces() -> None:
    assert pieces([], lambda ids: "") == ()
