"""The embedder that needs nothing: texts are alike here where they use the same words, whatever they mean.

Words, pairs of words and stretches of characters within words are hashed, weighted by how rare a word is in the texts
at hand (tf-idf), and laid each on a few signed places of a short vector. Stretches make `deploying` and `deployment`
alike; pairs say something of the order, and of Chinese, Japanese and Korean, whose every character is a word here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memscope.base.job import Job
from memscope.promotion.hashing import grams, joined, seeded, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from memscope.promotion.hashing import Hashes, Places
    from memscope.promotion.model import Vectors

    Floats = NDArray[np.float64]

DIMENSION = 512
# Characters of a text that count: its beginning, which says what is wanted. What follows is mostly pasted, and long
# texts are alike for their length alone: of those cut at 4,000 a third of all pairs pass the threshold, at 1,000 7 %.
LONGEST = 2_000

# What the features weigh beside each other was chosen on 15 requests with 10 loose rewordings each, among 1,000 other
# requests to a coding agent, 1,000 questions about people, and 182 requests of real sessions; the threshold below on
# planted patterns (`tests/benchmarks/promotion_recall.py`), as the lowest at which nine in ten candidates are one.
_WORD, _PAIR, _IDEOGRAPHS, _PARTS = 0.5, 0.2, 0.7, 1.0
_SIZES = (3, 4)  # characters of a stretch
_COMMON_WEIGHT = 0.2  # of a word that is in every text, whatever it is on
_ALONE = 0.5  # of a word in one text only: it parts that from the others, but no wording has none
_RAREST = 5.5  # an idf: of a word in about one of 90 texts. Rarer ones would outweigh all others together
_PLACES = 2  # that a feature is laid on
_STEP = 2.0**-20  # of weights: sums of its multiples are exact, so no order of texts or words changes a bit

_TEXTS, _CHARACTERS = 4_096, 1_000_000  # that are worked on at a time

_IDEOGRAPH = "\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_IDEOGRAPH}]|[^\W_{_IDEOGRAPH}]+")
_IS_IDEOGRAPH = re.compile(rf"[{_IDEOGRAPH}]")
_NUMBER = "0"  # stands for every number: the 17 of "PR 17" says nothing of what is asked
_COMMON = frozenset(
    f"""
    {_NUMBER} a about after again all also an and any are as at be because been before but by can could did do does down
    for from had has have he her here his how i if in into is it its just let like make me my need no not now of off on
    only or our out please s she should so some t than that the their them then there these they this those to too up us
    use very want was we were what when where which while who why will with would you your
    """.split()
)


class Lexical:
    """Embeds as `promotion.model.Embedder` has it, in unit vectors; a text without any word has one of zeros. How rare
    a word is depends on the texts, not on what is placed among them, so vectors of different calls compare roughly."""

    name = "lexical-1"
    lexical = True
    # Rewordings share about half of what they say. From here on, in three planted sets of 10,000 messages, nine in ten
    # patterns are found, and 19 of 20 candidates of average linkage are one of them; at 0.52 it is 17 of 20. At 0.85,
    # which is for models that know what words mean, half of the patterns are left.
    threshold = 0.56

    def embed(self, texts: Sequence[str], job: Job, also: Sequence[str] = ()) -> Vectors:
        """See `promotion.model.Embedder`; raises `Cancelled`, nothing else."""
        vocabulary: dict[str, int] = {}
        counted, others = [], []
        for start, stop in _stretches(texts):
            job.check()
            job.progress(start, len(texts), "messages", "counting words")
            counted.append(_counted(texts[start:stop], vocabulary))
        for start, stop in _stretches(also):
            others.append(_counted(also[start:stop], vocabulary))
        words = _Words.of(vocabulary, counted, len(texts))
        vectors = np.zeros((len(texts) + len(also), DIMENSION), np.float32)
        start = 0
        for some in (*counted, *others):
            job.check()
            job.progress(start, len(vectors), "messages", "embedding")
            vectors[start : start + some.texts] = _unit(_laid(some, words))
            start += some.texts
        job.progress(len(vectors), len(vectors), "messages", "embedding")
        return vectors


class _Counted(NamedTuple):
    """Some `texts` by their words: of each token its text (`row`) and its word, in order; and of each distinct word of
    a text the text, the word and how often it is in there."""

    texts: int
    token_row: Places
    token: NDArray[np.int32]
    row: Places
    word: NDArray[np.int32]
    times: Places


class _Words(NamedTuple):
    """The words there are, what each weighs, and which are single ideographs."""

    names: list[str]
    weight: Floats
    ideograph: NDArray[np.bool_]

    @classmethod
    def of(cls, vocabulary: dict[str, int], counted: Sequence[_Counted], texts: int) -> _Words:
        inside = np.zeros(len(vocabulary), np.intp)  # in how many texts each word is; 0: in others alone
        for some in counted:
            inside += np.bincount(some.word, minlength=len(vocabulary))
        weight = np.minimum(np.log((1 + texts) / (1 + inside)) + 1, _RAREST)
        weight[inside <= 1] *= _ALONE
        names = list(vocabulary)
        weight[np.array([name in _COMMON for name in names], dtype=bool)] *= _COMMON_WEIGHT
        ideograph = np.array([_IS_IDEOGRAPH.match(name) is not None for name in names], dtype=bool)
        return cls(names, weight, ideograph)


def _stretches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the texts that are worked on at a time begin and end."""
    start = size = 0
    for place, text in enumerate(texts):
        if place > start and (place - start == _TEXTS or size > _CHARACTERS):
            yield start, place
            start, size = place, 0
        size += min(len(text), LONGEST)
    if texts:
        yield start, len(texts)


def _tokens(text: str) -> list[str]:
    found = _TOKEN.findall(unicodedata.normalize("NFKC", text[:LONGEST]).casefold())
    return [_NUMBER if token.isdecimal() else token for token in found]


def _counted(texts: Sequence[str], vocabulary: dict[str, int]) -> _Counted:
    """The words of some texts; new ones go into the vocabulary."""
    lengths, flat = [], []
    for text in texts:
        tokens = _tokens(text)
        lengths.append(len(tokens))
        flat += [vocabulary.setdefault(token, len(vocabulary)) for token in tokens]
    token = np.array(flat, np.int64)
    row = np.repeat(np.arange(len(texts)), lengths)
    most = max(len(vocabulary), 1)
    pairs, times = np.unique(row * most + token, return_counts=True)
    return _Counted(len(texts), row, token.astype(np.int32), pairs // most, (pairs % most).astype(np.int32), times)


def _laid(some: _Counted, words: _Words) -> Floats:
    """The sums of the features of some texts, [n, d]."""
    used, local = np.unique(some.word, return_inverse=True)
    names = [words.names[word] for word in used]
    hashes = whole(names)
    out = _Sums(some.texts)
    weight = words.weight[some.word] * np.sqrt(some.times)
    out.add(some.row, hashes[local], _WORD * weight, _PLACES)

    parts, counts = grams(names, _SIZES)
    each = counts[local]
    begin = (np.cumsum(counts) - counts)[local]
    which = np.repeat(begin - (np.cumsum(each) - each), each) + np.arange(each.sum())
    share = _PARTS * weight / np.sqrt(np.maximum(each, 1))
    out.add(np.repeat(some.row, each), parts[which], np.repeat(share, each), 1)

    beside = some.token_row[1:] == some.token_row[:-1]
    first, second = some.token[:-1][beside], some.token[1:][beside]
    pair = joined(hashes[np.searchsorted(used, first)], hashes[np.searchsorted(used, second)])
    rarity = np.sqrt(words.weight[first] * words.weight[second])
    rarity *= np.where(words.ideograph[first] & words.ideograph[second], _IDEOGRAPHS, _PAIR)
    out.add(some.token_row[1:][beside], pair, rarity, _PLACES)
    return out.sums


class _Sums:
    """Features laid on signed places, which their hashes choose."""

    def __init__(self, texts: int) -> None:
        self.sums: Floats = np.zeros((texts, DIMENSION))

    def add(self, row: Places, feature: Hashes, weight: Floats, places: int) -> None:
        """Lays features of these weights on so many places each of the vectors of their rows."""
        steps = np.rint(weight / (np.sqrt(places) * _STEP))
        for number in range(places):
            chosen = seeded(feature, number)
            place = row * DIMENSION + (chosen % np.uint64(DIMENSION)).astype(np.intp)
            signed = np.where(chosen >> np.uint64(63) == 0, steps, -steps)
            self.sums += np.bincount(place, signed, self.sums.size).reshape(self.sums.shape)


def _unit(sums: Floats) -> Vectors:
    norm = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
    return (sums / np.where(norm > 0, norm, 1)).astype(np.float32)
