"""Garbage collection, put off while much is made of which nothing is garbage."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = 0  # of those that put it off now, in all threads
_was_on = False


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected in here, in no thread: the collector would look through all that is being made, again and
    again. For a fraction of a second."""
    global _depth, _was_on  # noqa: PLW0603 - there is one collector
    with _lock:
        if not _depth:
            _was_on = gc.isenabled()
            gc.disable()
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth and _was_on:
                gc.enable()


def lasting() -> None:
    """What there is now lasts: the collector looks through it no more. What nobody holds any longer goes as before,
    unless it holds itself. For much that is kept and looked at: going through it would be felt at every key."""
    gc.freeze()
