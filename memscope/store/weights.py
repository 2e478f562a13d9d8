"""Weights of memories: what each was worth whenever it was scored, in a conversation however long it has grown.

Rows are only ever added. The latest of a memory is its state, all of them are its history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from memscope.store._names import kept, name_of
from memscope.store.database import Database


@dataclass(frozen=True, slots=True)
class Weighed:
    """A memory was scored: when (`at`, seconds since the epoch), its `score` in nats, and the `weight` that it and the
    scores before it make."""

    at: float
    score: float
    weight: float


class Weights:
    """Weights by conversation (`conversation.lineage`) and memory. Raises `StoreError` for everything SQLite refuses;
    a row that cannot be read is passed over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, conversation: str, memory: str, weighed: Weighed) -> None:
        """Keeps what a memory was scored; it is on disk when this returns."""
        self._database.write(
            "INSERT INTO weights (conversation, memory, at, score, weight) VALUES (?, ?, ?, ?, ?)",
            kept(conversation),
            kept(memory),
            weighed.at,
            weighed.score,
            weighed.weight,
        )

    def histories(self, conversation: str) -> dict[str, list[Weighed]]:
        """All that the memories of a conversation were ever scored, by key, each in the order in which it was: the last
        is its state."""
        query = "SELECT memory, at, score, weight FROM weights WHERE conversation = ? ORDER BY id"
        found: dict[str, list[Weighed]] = {}
        for memory, *numbers in self._database.read(query, kept(conversation)):
            known = [value for value in numbers if isinstance(value, float) and math.isfinite(value)]
            if len(known) == 3:
                found.setdefault(name_of(memory), []).append(Weighed(*known))
        return found
