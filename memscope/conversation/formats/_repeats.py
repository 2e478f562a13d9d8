"""How much of what compactions keep is told again, for formats that write it down once."""

from __future__ import annotations

_MOST_KEPT = 1000  # messages or entries, by a compaction; those that are seen keep some 20,000 tokens
_MOST_REPEATED = 100_000  # by all compactions of a session: else it would cost the square of its length
CUT = "a compaction kept more than is told again: its window lacks the beginning"


class Repeats:
    """What may still be told again in a session."""

    def __init__(self) -> None:
        self._spare = _MOST_REPEATED

    def take(self, kept: int) -> int:
        """How many of the last of so many `kept` are told again."""
        taken = min(kept, _MOST_KEPT, self._spare)
        self._spare -= taken
        return taken
