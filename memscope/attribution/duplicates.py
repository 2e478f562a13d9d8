"""Memories that say nearly the same, by their words alone: what leaving one out at a time cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from memscope.base.similar import content_words

ALIKE = 0.5  # of the words of the shorter one
SHARED_WORDS = 3  # fewer are chance, unless they are all the words both have


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Memory `row` has `part` (0 to 1) of the shorter one's words in common with another: `shared`, sorted."""

    row: int
    part: float
    shared: tuple[str, ...]


class Duplicates:
    """The texts of N memories, whose words are cut once, and which of them are near each other."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)

    @cached_property
    def _words(self) -> tuple[frozenset[str], ...]:
        return tuple(content_words(text) for text in self._texts)

    def near(self, row: int) -> list[NearDuplicate]:
        """The other memories that share most of their words with memory `row`, or it with them: the nearest first,
        which of two equally near is the one of more like length; then in order."""
        mine = self._words[row]
        found: list[tuple[float, float, NearDuplicate]] = []
        for other, words in enumerate(self._words):
            shorter = min(len(mine), len(words))
            if other == row or not shorter:
                continue
            shared = mine & words
            part = len(shared) / shorter
            if part >= ALIKE and (len(shared) >= SHARED_WORDS or mine == words):
                in_all = len(shared) / len(mine | words)
                found.append((-part, -in_all, NearDuplicate(other, part, tuple(sorted(shared)))))
        return [near for *_, near in sorted(found, key=lambda entry: (entry[0], entry[1], entry[2].row))]
