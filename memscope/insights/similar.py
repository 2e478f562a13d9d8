"""Which texts say the same by their words, among many."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memscope.conversation.own_words import HAN, UNSPACED

_WORD = re.compile(rf"[{HAN}{UNSPACED}]|[^\W{HAN}{UNSPACED}]+")
_PARTS, _WHOLE = 13, 20  # alike from 13/20 = 0.65 on, in whole numbers: no rounding decides
_LANES = 4096  # texts of a block


def words(text: str) -> frozenset[str]:
    """The distinct words of a text, case-folded: letters, digits and underscores, as long as they go; of a script that
    puts no spaces between words, each character."""
    return frozenset(_WORD.findall(text.casefold()))


def alike(one: str, other: str) -> bool:
    """Whether two texts share at least 0.65 of the words that either has (Jaccard). Without any words: whether they are
    the same text."""
    mine, others = words(one), words(other)
    if not mine and not others:
        return one == other
    return len(mine & others) >= _needed(len(mine), len(others))


class AlikeIndex:
    """Texts that were added, and which of them are alike to another.

    A number of one bit a text tells of a word in which texts it is. Adding up those of all words of a text, bit by bit,
    counts what it has in common with each of some thousands at once, in a few hundred operations. An inverted index
    with prefix filtering, which compares only texts that share one of their rarest words, is as fast where words are
    rare, and a hundred times slower where all texts are made of the same few: what stands in transcripts decides that.
    """

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._wordless: dict[str, list[int]] = {}
        self._count = 0

    def add(self, text: str) -> int:
        """Adds a text, and returns its number: how many were added before."""
        number, mine = self._count, words(text)
        self._count += 1
        if number % _LANES == 0:
            self._blocks.append(_Block())
        if mine:
            self._blocks[-1].add(mine, 1 << number % _LANES)
        else:
            self._wordless.setdefault(text, []).append(number)
        return number

    def find(self, text: str) -> list[int]:
        """The numbers of the texts that are alike to this one, the first added first."""
        mine = words(text)
        if not mine:
            return list(self._wordless.get(text, ()))
        return [
            place * _LANES + lane for place, block in enumerate(self._blocks) for lane in _lanes(block.alike_to(mine))
        ]


class _Block:
    """Some texts, each of them a lane: the same bit of every number. `_having`: by word, those that have it; `_sizes`:
    by how many words they have."""

    __slots__ = ("_having", "_sizes")

    def __init__(self) -> None:
        self._having: dict[str, int] = {}
        self._sizes: dict[int, int] = {}

    def add(self, mine: frozenset[str], lane: int) -> None:
        for word in mine:
            self._having[word] = self._having.get(word, 0) | lane
        self._sizes[len(mine)] = self._sizes.get(len(mine), 0) | lane

    def alike_to(self, mine: frozenset[str]) -> int:
        """The lanes of the texts that are alike to one of these words."""
        having = [self._having[word] for word in mine if word in self._having]
        lanes: dict[int, int] = {}  # by how much in common they need: sizes beside each other need the same
        for size, some in self._sizes.items():
            needed = _needed(len(mine), size)
            if needed <= size and needed <= len(having):
                lanes[needed] = lanes.get(needed, 0) | some
        sums = _added(having) if lanes else []
        found = 0
        for needed, some in lanes.items():
            found |= _reaching(needed, sums, some)
        return found


def _needed(one: int, other: int) -> int:
    """How many words sets of so many words have in common at least, if they are alike."""
    return -(-(one + other) * _PARTS // (_PARTS + _WHOLE))


def _added(numbers: list[int]) -> list[int]:
    """How many of the numbers have each bit: of these counts the ones, the twos, the fours and so on, as numbers."""
    sums: list[int] = []
    while numbers:
        carried: list[int] = []
        while len(numbers) > 1:
            one, two = numbers.pop(), numbers.pop()
            three = numbers.pop() if numbers else 0
            either = one ^ two
            numbers.append(either ^ three)
            carried.append((one & two) | (either & three))
        sums += numbers
        numbers = carried
    return sums


def _reaching(least: int, sums: list[int], lanes: int) -> int:
    """Of the lanes those whose count, as `_added` has it, is at least so much, which is no more than was added up."""
    more, same = 0, lanes
    for place in reversed(range(len(sums))):
        if least >> place & 1:
            same &= sums[place]
        else:
            more |= same & sums[place]
            same &= ~sums[place]
    return more | same


def _lanes(found: int) -> Iterator[int]:
    while found:
        lowest = found & -found
        yield lowest.bit_length() - 1
        found ^= lowest
