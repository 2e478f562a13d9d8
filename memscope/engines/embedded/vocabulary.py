"""Every distinct word an engine has met: its id, its prior and what its capitals cost."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from memscope.engines.embedded.prior import Prior

# log p(capitals | word) of a word that has upper and lower case
_LOWER, _TITLE, _UPPER, _MIXED = log(0.80), log(0.14), log(0.05), log(0.01)


APOSTROPHE = "\u2019"  # as word processors write it


class Vocabulary:
    """Grows as text is read. Ids are given in the order of appearance and never change; safe to use from any thread."""

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self._lock = threading.Lock()
        self._entries: dict[str, int] = {}  # a word as written -> its place in the three arrays below
        self._word = array("q")
        self._lettered = array("b")
        self._log_capitals = array("d")
        self._ids: dict[str, int] = {}  # a word as compared -> its id
        self._log_prior = array("d")  # by id

    def __len__(self) -> int:
        return len(self._entries)

    def look_up(self, surfaces: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.float64]]:
        """For words as written [T]: ids, whether each is a word (1) or a sign (0), and log p(capitals | word)."""
        with self._lock:
            for surface in set(surfaces).difference(self._entries):
                self._add(surface)
            places = np.fromiter(map(self._entries.__getitem__, surfaces), np.intp, len(surfaces))
            # Views of the growing arrays must not outlive the lock; taking places of them copies.
            return (
                np.asarray(self._word)[places],
                np.asarray(self._lettered)[places],
                np.asarray(self._log_capitals)[places],
            )

    def priors(self) -> NDArray[np.float64]:
        """p_0 of every word met so far, by id."""
        with self._lock:
            return np.exp(np.array(self._log_prior, np.float64))

    def _add(self, surface: str) -> None:
        word = fold(surface)
        if word not in self._ids:
            self._ids[word] = len(self._ids)
            self._log_prior.append(self._prior.log_probability(word))
        self._entries[surface] = len(self._entries)
        self._word.append(self._ids[word])
        self._lettered.append(len(word) > 1 or word.isalnum())
        self._log_capitals.append(_log_capitals(surface))


def fold(surface: str) -> str:
    r"""What a token is compared as: case-folded, a curly apostrophe straight, a JSON escape as what it stands for."""
    if len(surface) > 1 and surface[0] == "\\":
        surface = chr(int(surface[2:], 16)) if surface[1] == "u" else surface[1]
    return surface.casefold().replace(APOSTROPHE, "'")


def _log_capitals(surface: str) -> float:
    if surface.lower() == surface.upper():
        return 0.0
    if surface == surface.lower():
        return _LOWER
    if surface == surface[0].upper() + surface[1:].lower():
        return _TITLE
    return _UPPER if surface == surface.upper() else _MIXED
