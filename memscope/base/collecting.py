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
def lasting() -> Iterator[None]:
    """What is made in here is kept: no garbage is collected meanwhile, in no thread, and the collector looks through
    none of it later, which would be felt at every key. What nobody holds any longer goes as before, unless it holds
    itself. For a fraction of a second."""
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
            if not _depth:
                gc.freeze()
                if _was_on:
                    gc.enable()
