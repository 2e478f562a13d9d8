"""Where the tokens of an echoed text stand in it, whatever a server says of their offsets.

Servers write the offsets right, or without the special tokens, which then have no text either, or not at all; and they
write a token that is a part of a character as U+FFFD or as nothing. So the tokens' own texts are laid over the text,
from its first character to its last: text may be passed over only where a token without a text of its own stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

_PART = "\ufffd"  # what a token reads that is a part of a character


@dataclass(frozen=True, slots=True)
class Places:
    """[T] each: the characters [start, end) of every token, ascending and without gaps.

    `low` and `high`: the characters that are known to be those of the token, or of several that have no text of their
    own and share them; `start` and `end` then only divide them.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]

    def of(self, start: int, end: int) -> NDArray[np.int64] | None:
        """The tokens that end behind `start` and begin before `end`; None where it cannot be told which they are."""
        shared = (self.low < self.starts) | (self.high > self.ends)
        for border in (start, end):
            if (shared & (self.low < border) & (border < self.high)).any():
                return None
        inside = (self.ends > start) & (self.starts < end)
        nothing = (self.starts == self.ends) & (self.starts == start) & (start < end)  # the first parts of a character
        return np.flatnonzero(inside | nothing)


def places(pieces: Sequence[str], offsets: Sequence[int] | None, text: str) -> Places | None:
    """Where the tokens that read `pieces` stand in `text`, which they make up; None where they do not fit it.

    `offsets`: where the server says that they begin. A first token that is not in the text, which the server put in
    front of it, stands before its first character.
    """
    if not pieces:
        return None
    if offsets is not None and (found := _as_told(pieces, offsets, text)) is not None:
        return found
    found = _laid_over(pieces, text)
    return found if found is not None else _behind_another(pieces, text)


def _textless(piece: str) -> bool:
    return not piece or _PART in piece


def _as_told(pieces: Sequence[str], offsets: Sequence[int], text: str) -> Places | None:
    """The server's own offsets, where every token reads there what it should."""
    ends = [*offsets[1:], len(text)]
    if offsets[0] != 0:
        return None
    for piece, start, end in zip(pieces, offsets, ends, strict=True):
        if start > end or not (piece == text[start:end] or _textless(piece)):
            return None
    starts_, ends_ = np.array(offsets, np.int64), np.array(ends, np.int64)
    return Places(starts_, ends_, starts_, ends_)


def _laid_over(pieces: Sequence[str], text: str) -> Places | None:
    """The tokens' texts over `text`; where there are two ways to do that, neither is taken."""
    groups = [(textless, list(run)) for textless, run in groupby(pieces, key=_textless)]
    blocks = ["" if textless else "".join(run) for textless, run in groups]
    found = _forwards(blocks, text)
    if found is None or found != _backwards(blocks, text):
        return None
    starts: list[int] = []
    ends: list[int] = []
    low: list[int] = []
    high: list[int] = []
    for (textless, run), (start, end) in zip(groups, pairwise([*found, len(text)]), strict=True):
        if textless:
            cuts = [start + (end - start) * n // len(run) for n in range(len(run) + 1)]
        else:
            cuts = [start]
            for piece in run:
                cuts.append(cuts[-1] + len(piece))
        starts += cuts[:-1]
        ends += cuts[1:]
        low += [start] * len(run) if textless else cuts[:-1]
        high += [end] * len(run) if textless else cuts[1:]
    return Places(*(np.array(numbers, np.int64) for numbers in (starts, ends, low, high)))


def _behind_another(pieces: Sequence[str], text: str) -> Places | None:
    """All tokens but the first over the text, and that one in front of it."""
    found = _laid_over(pieces[1:], text) if len(pieces) > 1 else None
    if found is None:
        return None
    return Places(*(np.insert(numbers, 0, 0) for numbers in (found.starts, found.ends, found.low, found.high)))


def _forwards(blocks: Sequence[str], text: str) -> list[int] | None:
    """Where each block begins, as far to the left as it can; one without a text begins where the one before ends."""
    found, at = [], 0
    for number, block in enumerate(blocks):
        start = at
        if block:
            start = text.find(block, at) if number else 0 if text.startswith(block) else -1
            if start < 0:
                return None
        found.append(start)
        at = start + len(block)
    return found if at == len(text) or not blocks[-1] else _last_at_the_end(blocks, found, text)


def _last_at_the_end(blocks: Sequence[str], found: list[int], text: str) -> list[int] | None:
    """The same, but what comes last ends with the text."""
    last = len(text) - len(blocks[-1])
    return [*found[:-1], last] if len(blocks) > 1 and last > found[-1] and text.endswith(blocks[-1]) else None


def _backwards(blocks: Sequence[str], text: str) -> list[int] | None:
    """Where each block begins, as far to the right as it can."""
    begins: list[int] = []
    at = len(text)
    for number in range(len(blocks) - 1, -1, -1):
        block = blocks[number]
        if not block:
            begins.append(-1)  # where the one before it ends
            continue
        at = text.rfind(block, 0, at) if number else 0
        if at < 0:
            return None
        begins.append(at)
    begins.reverse()
    for number, begin in enumerate(begins):
        if begin < 0:
            begins[number] = begins[number - 1] + len(blocks[number - 1]) if number else 0
    return begins
