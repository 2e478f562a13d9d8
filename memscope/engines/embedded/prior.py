"""p_0: how likely a word is before anything was read. A list of common words, and a speller for all others.

Both are fixed: no ablation moves what it costs to say a word for the first time, only whether that had to be paid.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cache
from importlib.resources import files
from math import exp, log, log1p

_LISTED = 0.8  # share of the probability that the word list has; the speller has the rest
END = "\0end"  # closes a word; longer than a letter, so no letter equals it
START = "\0start"
_ASCII = 0.9  # share of ASCII and END, evenly, at the bottom of the speller; the rest is all other code points
_REST = log(0x110000 / 0x80)  # sum of log(1 + 1/c) over c = 0x80 .. 0x10FFFF, which telescopes


class Speller:
    """p(word) letter by letter: trigrams with Witten-Bell smoothing (Witten & Bell 1991), closed by an END.

    p(x | ab) = (n(abx) + T(ab) p(x | b)) / (n(ab) + T(ab)), T the number of distinct letters seen after ab; at the
    bottom ASCII is even and other code points c go by log(1 + 1/c). Trained on the word list, each word once, so it is
    defined for every string and sums to 1 over all of them but the empty one.
    """

    def __init__(self, words: list[str]) -> None:
        self._seen: Counter[tuple[str, ...]] = Counter()  # n(context + letter), contexts of 0 to 2 letters
        self._total: Counter[tuple[str, ...]] = Counter()  # n(context)
        for word in words:
            padded = (START, START, *word, END)
            for i in range(2, len(padded)):
                for context in (padded[i - 2 : i], padded[i - 1 : i], ()):
                    self._seen[(*context, padded[i])] += 1
                    self._total[context] += 1
        self._kinds = Counter(gram[:-1] for gram in self._seen)  # T(context)

    def letter(self, letter: str, before: tuple[str, str]) -> float:
        """p(letter | the two before it), `letter` possibly END; the first letter of a word is never END."""
        p = self._bottom(letter, before[1])
        for context in ((), before[1:], before):
            if kinds := self._kinds[context]:
                p = (self._seen[(*context, letter)] + kinds * p) / (self._total[context] + kinds)
        return p

    def log_probability(self, word: str) -> float:
        """log p(word) in nats."""
        a = b = START
        total = -log1p(-self.letter(END, (a, b)))
        for letter in (*word, END):
            total += log(self.letter(letter, (a, b)))
            a, b = b, letter
        return total

    def _bottom(self, letter: str, before: str) -> float:
        """After a letter beyond ASCII, half goes to the 64 code points of its block: scripts keep together."""
        ascii_or_end = letter == END or ord(letter) < 0x80
        p = _ASCII / 129 if ascii_or_end else (1 - _ASCII) * log1p(1 / ord(letter)) / _REST
        if len(before) > 1 or ord(before) < 0x80:
            return p
        same_block = letter != END and ord(letter) >> 6 == ord(before) >> 6
        return 0.5 * p + (0.5 / 64 if same_block else 0.0)


class Prior:
    """p_0(w) = 0.8 zipf(rank of w in the list) + 0.2 spell(w), zipf ~ 1 / (rank + 5) with ranks from 1."""

    def __init__(self, words: list[str]) -> None:
        weights = {word: 1 / (rank + 5) for rank, word in enumerate(words, 1)}
        total = sum(weights.values())
        self.words = words
        self._listed = {word: _LISTED * weight / total for word, weight in weights.items()}
        self.speller = Speller(words)
        self.digest = hashlib.blake2b("\n".join(words).encode(), digest_size=4).hexdigest()

    def log_probability(self, word: str) -> float:
        """log p_0(word) in nats, for any string that is not empty."""
        spelled = log(1 - _LISTED) + self.speller.log_probability(word)
        listed = self._listed.get(word)
        return spelled if listed is None else log(listed + exp(spelled))


@cache
def english() -> Prior:
    """The prior of the word list that ships with memscope (its provenance is in its header)."""
    lines = files("memscope").joinpath("data/words.txt").read_text("utf-8").splitlines()
    return Prior(lines[lines.index("") + 1 :])  # a header of # lines ends at the empty line; # is a word, too
