"""Files with several sessions one behind the other, as `cat` makes them: the values of each."""

from __future__ import annotations

from collections.abc import Iterator

from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw, Value


class Stretches:
    """Reads stretches of a file. Those that are read in their order cost one pass together, and any may be left out."""

    def __init__(self, raw: Raw, several: bool) -> None:
        self._pass = raw.kept if several else raw.values
        self._reading: tuple[Iterator[Value | Skipped], int] | None = None  # and the number of the next value

    def values(self, begin: int, end: int | None) -> Iterator[tuple[int, Value | Skipped]]:
        """The values from the number `begin` up to `end` (None: up to the last), each with its number, from 0, and what
        was passed over before them, with that of the value behind it."""
        if self._reading is None or self._reading[1] > begin:
            self._reading = self._pass(), 0
        (reading, number), self._reading = self._reading, None
        while end is None or number < end:
            value = next(reading, None)
            if value is None:
                return
            if number >= begin:
                yield number, value
            number += isinstance(value, Value)
        self._reading = reading, number
