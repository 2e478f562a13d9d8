"""Where each token of a response stands in the response's own text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

_WORDS = re.compile(r"\w+|\W")
_MOST_WORDS = 20_000  # compared word by word; a longer text is laid over the other by length


def offsets(pieces: Sequence[str], text: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """[start, end) in `text` of each token, in characters, ascending; `pieces` are the tokens' texts.

    Put together they need not be `text`: a template trims, writes tool calls otherwise, and a token that is a part of a
    character comes as U+FFFD. What both have in common is laid one over the other, what lies between stands for what
    lies between.
    """
    borders = np.array([0, *accumulate(map(len, pieces))], np.int64)
    said = "".join(pieces)
    places = borders if said == text else _laid_over(said, text)[borders]
    return places[:-1].astype(np.int32), places[1:].astype(np.int32)


def spelled(pieces: Sequence[bytes]) -> tuple[str, ...]:
    """The texts of tokens that are known as bytes. A character that several tokens make stands in the one that ends it;
    bytes that are no character come as U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return tuple(decoder.decode(piece, final=number == len(pieces)) for number, piece in enumerate(pieces, 1))


def _laid_over(said: str, text: str, between: _Laying | None = None) -> NDArray[np.int64]:
    """For each place in `said`, the end included, the place in `text` it stands for; ascending. `between` lays what is
    left when both are rid of what they begin and end with alike."""
    place = np.zeros(len(said) + 1, np.int64)
    shorter = min(len(said), len(text))
    first = 0
    while first < shorter and said[first] == text[first]:
        first += 1
    last = 0
    while last < shorter - first and said[-1 - last] == text[-1 - last]:
        last += 1
    one, other = said[first : len(said) - last], text[first : len(text) - last]
    place[: first + 1] = np.arange(first + 1)
    place[first : first + len(one) + 1] = first + (between or _by_words)(one, other)
    place[len(said) - last :] = np.arange(len(text) - last, len(text) + 1)
    return place


def _by_words(one: str, other: str) -> NDArray[np.int64]:
    """The same by the words that both have."""
    place = np.zeros(len(one) + 1, np.int64)
    words, others = _WORDS.findall(one), _WORDS.findall(other)
    anchors = [(0, 0)]
    if len(words) + len(others) <= _MOST_WORDS:
        starts, starts_there = [0, *accumulate(map(len, words))], [0, *accumulate(map(len, others))]
        for block in SequenceMatcher(None, words, others).get_matching_blocks():
            anchors.append((starts[block.a], starts_there[block.b]))
            anchors.append((starts[block.a + block.size], starts_there[block.b + block.size]))
    anchors.append((len(one), len(other)))
    for (a, b), (c, d) in pairwise(anchors):
        if c > a:
            place[a : c + 1] = b + _laid_over(one[a:c], other[b:d], _by_length)
    return place


def _by_length(one: str, other: str) -> NDArray[np.int64]:
    """The same by nothing but their lengths."""
    return np.linspace(0, len(other), len(one) + 1).astype(np.int64)


_Laying = Callable[[str, str], "NDArray[np.int64]"]
