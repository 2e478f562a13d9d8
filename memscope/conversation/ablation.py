"""Which memories are left out of a scoring."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ablation:
    """A set of memory keys to remove, every occurrence of each. Empty: the conversation as it was.

    `repeat` numbers repeated scorings of the same prompt, which measure an engine's noise; it is part of a stored
    score's key so that a repeat is really measured.
    """

    removed: frozenset[str] = frozenset()
    repeat: int = 0

    @classmethod
    def of(cls, *keys: str) -> Ablation:
        return cls(frozenset(keys))


BASELINE = Ablation()
AGAIN = Ablation(repeat=1)
