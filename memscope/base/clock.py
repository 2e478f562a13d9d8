"""The one clock, so that tests can set the time."""

from __future__ import annotations

import time
from collections.abc import Callable

_now: Callable[[], float] = time.time


def now() -> float:
    """Seconds since the epoch, UTC."""
    return _now()


def set_clock(source: Callable[[], float] | None) -> None:
    """Take the time from `source`; None takes it from the machine again."""
    global _now  # noqa: PLW0603 - one clock for the process is the point
    _now = source or time.time
