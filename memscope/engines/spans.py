"""Finding a response in what a chat template made of a conversation, by difference.

The conversation is laid out as it is, and again with the response's message saying one of two probes. What the three
have in common at both ends is not the response; the rest is. It works on text and on token ids, with any template:
those that strip thinking, trim, or write tool calls in a way of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from memscope.base.text import Span

Laid = TypeVar("Laid", str, list[int])
"""A conversation as a template laid it out: text, or token ids."""

_THINKING = re.compile(r"\s*<think>.*?</think>\s*", re.DOTALL)
_PROBES = (
    "Quartz vexed 7 jumbled foxglove hymns",
    "8 woven plinths mocked Zanzibar's duvet",
    "Xylem & brine: 3 opaque kiln giftz",
)
_BLOCK = 1024


def probes(text: str, *, thinking: bool = False) -> tuple[str, str]:
    """Two texts to say instead of `text`: they share no first and no last character with it, or with each other.

    Thinking at its head is kept, so that only what can be seen is found; with `thinking` that is a part of it too.
    """
    head = _THINKING.match(text)
    kept = head.group() if head is not None and not thinking else ""
    rest = text[len(kept) :].strip()
    edges = {rest[:1].casefold(), rest[-1:].casefold()}
    found = [probe for probe in _PROBES if not edges & {probe[0].casefold(), probe[-1].casefold()}]
    while len(found) < 2:  # a text that begins and ends with two of their edges
        found.append(f"{'{' if '{' not in edges else '~'}{_PROBES[len(found)]}{'}' if '}' not in edges else '^'}")
    return kept + found[0], kept + found[1]


def diff_span(whole: Laid, *probed: Laid) -> Span:
    """Where the response stands in `whole`: between the shortest common prefix and the shortest common suffix with what
    was laid out with each probe. Empty where the template shows nothing of it."""
    start = min(common_prefix(whole, other) for other in probed)
    end = len(whole) - min(common_suffix(whole, other) for other in probed)
    return start, max(start, end)


def common_prefix(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items both begin with."""
    length = min(len(one), len(other))
    at = 0
    while at < length and one[at : at + _BLOCK] == other[at : at + _BLOCK]:
        at += _BLOCK
    at = min(at, length)
    while at < length and one[at] == other[at]:
        at += 1
    return at


def common_suffix(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items both end with."""
    length, at = min(len(one), len(other)), 0
    while at + _BLOCK <= length and _block(one, at) == _block(other, at):
        at += _BLOCK
    while at < length and one[-1 - at] == other[-1 - at]:
        at += 1
    return at


def _block(items: Sequence[object], behind: int) -> Sequence[object]:
    """The last block of items but those `behind` it."""
    last = len(items) - behind
    return items[last - _BLOCK : last]
