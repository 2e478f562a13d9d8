"""Which context window a message is in, and where in it: told for a message at a time, so that none need be held."""

from __future__ import annotations


class WindowCount:
    """Counts messages by windows as they come. `number` is the window the last message is in, from 0, `length` how many
    messages are in there by now, `opening` how many system messages the first window begins with, as does every one."""

    __slots__ = ("length", "number", "opening")

    def __init__(self) -> None:
        self.number = self.length = self.opening = 0

    def add(self, role: str) -> int:
        """Counts a message; its index in its window."""
        index = self.length
        if index == self.opening and role == "system" and not self.number:
            self.opening += 1
        self.length += 1
        return index

    def boundary(self) -> bool:
        """Begins a window, if the current one holds more than the opening; whether it did."""
        if self.length <= self.opening:
            return False
        self.number += 1
        self.length = self.opening
        return True

    @property
    def last_is_empty(self) -> bool:
        """Whether nothing followed the last boundary: what it began is no window."""
        return self.number > 0 and self.length == self.opening

    @property
    def windows(self) -> int:
        """How many there are."""
        return self.number + (0 if self.last_is_empty else 1)
