"""The one clock, so that tests can set the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

_now: Callable[[], float] = time.time


def now() -> float:
    """Seconds since the epoch, UTC."""
    return _now()


def iso(at: float) -> str:
    """A time, in seconds since the epoch, as ISO 8601 in UTC: 2026-05-01T12:00:00Z."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def time_words(at: float) -> str:
    """A time for a person, in that of the place: 2026-05-01 14:00."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def from_iso(text: str) -> float:
    """The time that ISO 8601 says, in seconds since the epoch; UTC where it names no zone. Raises ValueError."""
    found = datetime.fromisoformat(text.strip())
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def set_clock(source: Callable[[], float] | None) -> None:
    """Take the time from `source`; None takes it from the machine again."""
    global _now  # noqa: PLW0603 - one clock for the process is the point
    _now = source or time.time
