"""When to give up: pieces of work that fail for one reason, one after another, would go on to."""

from __future__ import annotations

_TIMES = 3  # in a row


class Alike:
    """Why pieces of work failed, in the order in which they were done."""

    def __init__(self) -> None:
        self._last: str | None = None
        self._times = 0

    def take(self, failure: str | None) -> None:
        """One more was done; None: it did not fail."""
        self._times = self._times + 1 if failure is not None and failure == self._last else 1
        self._last = failure

    @property
    def why_not(self) -> str | None:
        """Why the others are not tried: the last three failed alike; None where they are."""
        if self._last is None or self._times < _TIMES:
            return None
        return f"not tried, because the ones before it failed: {self._last}"
