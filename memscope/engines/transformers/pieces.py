"""The texts of single tokens, such that put together they are the text of them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_PARTIAL = "\ufffd"
_MOST_PARTS = 16  # tokens that one character is waited for


def pieces(ids: Sequence[int], decode: Callable[[Sequence[int]], str]) -> tuple[str, ...]:
    """The text of each of `ids`: what `decode` says with it and did not say without it.

    A token that ends within a character has no text; the one that completes the character has it.
    """
    found: list[str] = []
    first = read = (
        0  # told are the tokens before `read`; those from `first` on are decoded with the next, for its space
    )
    told = ""
    for end in range(1, len(ids) + 1):
        text = decode(ids[first:end])
        if text.endswith(_PARTIAL) and end < len(ids) and end - read < _MOST_PARTS:
            found.append("")
            continue
        found.append(text[len(told) :])
        first, read = read, end
        told = decode(ids[first:read])
    return tuple(found)
