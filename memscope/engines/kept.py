"""What an engine remembers of its own work: a bounded store that forgets what was used longest ago."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most `room` of values, as measured by `size`; a value larger than that is not kept. Thread-safe."""

    def __init__(self, room: int, size: Callable[[V], int]) -> None:
        self._room = room
        self._size = size
        self._used = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._used = 0

    def put(self, key: K, value: V) -> None:
        if (size := self._size(value)) > self._room:
            return
        with self._lock:
            if (old := self._values.pop(key, None)) is not None:
                self._used -= self._size(old)
            self._values[key] = value
            self._used += size
            while self._used > self._room:
                _, gone = self._values.popitem(last=False)
                self._used -= self._size(gone)

    def values(self) -> list[V]:
        """What is kept now, the latest used last."""
        with self._lock:
            return list(self._values.values())
