"""Weights of memories: what each was worth whenever it was scored, in a conversation however long it has grown.

Rows are only ever added. The latest of a memory is its state, all of them are its history. Scores of two engines do not
compare, so each has histories of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from memscope.store._names import kept, name_of
from memscope.store.database import Database

_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0  # seconds since the epoch: the years 1 to 9999, others are no time


@dataclass(frozen=True, slots=True)
class Weighed:
    """A memory was scored: when (`at`, seconds since the epoch), its `score` in nats, and the `weight` that it and the
    scores before it make."""

    at: float
    score: float
    weight: float


class Weights:
    """The weights of one conversation (`conversation.lineage`) by one `engine` (a digest, as `Scorer.digest`). Raises
    `StoreError` for everything SQLite refuses; a row that cannot be read is passed over."""

    def __init__(self, database: Database, conversation: str, engine: bytes) -> None:
        self._database = database
        self._of = kept(conversation), engine

    def add(self, memory: str, weighed: Weighed) -> None:
        """Keeps what a memory was scored; it is on disk when this returns."""
        self._database.write(
            "INSERT INTO weights (conversation, engine, memory, at, score, weight) VALUES (?, ?, ?, ?, ?, ?)",
            *self._of,
            kept(memory),
            weighed.at,
            weighed.score,
            weighed.weight,
        )

    def histories(self) -> dict[str, list[Weighed]]:
        """All that the memories were ever scored, by key, each in the order in which it was: the last is its state."""
        query = "SELECT memory, at, score, weight FROM weights WHERE conversation = ? AND engine = ? ORDER BY id"
        return _read(self._database.read(query, *self._of))

    def history(self, memory: str) -> list[Weighed]:
        """The same of one memory; empty where it was never scored."""
        query = (
            "SELECT memory, at, score, weight FROM weights"
            " WHERE conversation = ? AND engine = ? AND memory = ? ORDER BY id"
        )
        return _read(self._database.read(query, *self._of, kept(memory))).get(memory, [])


def _read(rows: list[tuple[object, ...]]) -> dict[str, list[Weighed]]:
    found: dict[str, list[Weighed]] = {}
    for memory, *numbers in rows:
        try:
            key = name_of(memory)
        except ValueError:
            continue
        known = [value for value in numbers if isinstance(value, float) and math.isfinite(value)]
        if len(known) == 3 and _FIRST <= known[0] <= _LAST:
            found.setdefault(key, []).append(Weighed(*known))
    return found
