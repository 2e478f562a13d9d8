"""The ways in which the same is said: those that differ, and what they come to in one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from memscope.promotion.quoting import one_line, shortened

_SAME = 0.8  # a Jaccard index of words from which on two wordings are one
_SLOT = 3  # words that may differ between two wordings of one sentence
_FRAME = 3, 0.6  # words that such have in common, and their share of the sentence
_VARIANTS = 3  # of a sentence, by which its slot is known
_HEADLINE = 160  # characters of a first line that may hold more than a sentence
_FEWEST = 20  # characters of a sentence that says enough

_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\([^()\s]{1,1000}\)")
_SENTENCE = re.compile(rf"(.{{{_FEWEST},}}?[.!?。！？])(?:\s|(?<=[。！？])).")
_PUNCTUATION = ".,;:!?\"'()"

_Words = tuple[str, ...]


def distinct(texts: Iterable[str], most: int) -> list[str]:
    """Up to `most` texts that are not one sentence with another noun in it, the first of such."""
    found: list[str] = []
    seen: list[tuple[_Words, frozenset[str]]] = []
    for text in texts:
        words = _words(text)
        alike = frozenset(words)
        if all(len(alike & others) < _SAME * len(alike | others) and not _frame(words, told) for told, others in seen):
            seen.append((words, alike))
            found.append(text)
            if len(found) == most:
                break
    return found


def headline(text: str, limit: int) -> str:
    """What a text says first, on one line: its first line, of a long one the first sentence; links by their words."""
    line = _LINK.sub(r"\1", next((line for line in text.split("\n") if line.strip()), "")).strip()
    sentence = _SENTENCE.match(line)
    # What ends in a colon announces what is not quoted.
    if sentence is not None and (len(line) > _HEADLINE or line.endswith(":")):
        line = sentence[1]
    return one_line(line, limit)


def gist(texts: Sequence[str], central: str) -> str:
    """`central` with … for the words in it that the others have others for, where most of `texts` are this sentence."""
    own, words = central.split(), _words(central)
    told = [_words(text) for text in texts]
    frames = Counter(frame for others in told if (frame := _frame(words, others)) and sum(frame) < len(words))
    if not frames or len(own) != len(words):
        return central
    front, back = max(frames, key=lambda frame: (frames[frame], frame))
    end = len(words) - back
    fitting = [
        others
        for others in told
        if len(others) >= front + back
        and others[:front] == words[:front]
        and others[len(others) - back :] == words[end:]
    ]
    if len(set(fitting)) < _VARIANTS or 2 * len(fitting) < len(texts) or end - front > _SLOT:
        return central
    ending = own[end - 1][len(own[end - 1].rstrip(_PUNCTUATION)) :]
    return " ".join([*own[:front], f"…{ending}", *own[end:]])


def _words(text: str) -> _Words:
    return tuple(word.strip(_PUNCTUATION) or word for word in shortened(text, 2_000).casefold().split())


def _frame(words: _Words, others: _Words) -> tuple[int, int] | None:
    """How many words two wordings of one sentence begin with alike, and end with; None where they are not."""
    shorter = min(len(words), len(others))
    front = next((n for n in range(shorter) if words[n] != others[n]), shorter)
    back = next((n for n in range(shorter - front) if words[-1 - n] != others[-1 - n]), shorter - front)
    fewest, share = _FRAME
    longer = max(len(words), len(others))
    is_one = longer - front - back <= _SLOT and front + back >= max(fewest, share * longer)
    return (front, back) if is_one else None
