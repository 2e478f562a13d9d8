"""The parts of a session's score that its own facts tell; what looks at other sessions is the ranking's business."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import date
from functools import lru_cache

from memscope.sessions.facts import LAST_SECOND, Facts

DAY = 86_400  # seconds
FIRST, LATER = 5, 1  # for the first session of a repository, and for another one
_NAMED = re.compile(r"(?<![^_])([0-9]{8})(?:_([0-9]{6}))?(?![^_.])")


def date_of(name: str, ended: float | None, modified: int) -> tuple[float, str]:
    """When a session was, in seconds since the epoch, and what says so: its file's `name`, else its last "message",
    else the time of the "file" (in nanoseconds)."""
    if "20" in name or "19" in name:  # of a year
        named = date_named(name)
        if named is not None:
            return named, "name"
    if ended is not None:
        return ended, "message"
    return min(max(modified / 1e9, 0.0), float(LAST_SECOND)), "file"


def date_named(name: str) -> float | None:
    """The time in a file's name, `..._YYYYMMDD_HHMMSS_...` in UTC, in seconds since the epoch; the time of day may be
    missing. None where there is no date that can be one."""
    found = _NAMED.search(name)
    while found is not None:
        digits, time = found.groups()
        day = _day(digits)
        if day is not None:
            return day + (_second(time) if time else 0)
        found = _NAMED.search(name, found.end(1))
    return None


@lru_cache(maxsize=4096)
def _day(digits: str) -> float | None:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return float(timegm(day.timetuple())) if day.year >= 1970 else None


def _second(digits: str) -> int:
    """Seconds into the day; none where that is no time of day, for six digits may be anything."""
    hour, minute, second = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 60 else 0


def recency_of(at: float, now: float) -> int:
    """3 up to 7 whole days of age and for a date to come, 2 up to 30, else 1."""
    days = (now - at) // DAY
    return 3 if days <= 7 else 2 if days <= 30 else 1


def length_of(messages: int) -> int:
    """3 for more than 50 messages, 2 for more than 20, else 1."""
    return 3 if messages > 50 else 2 if messages > 20 else 1


def outcome_of(facts: Facts) -> int:
    """3 for a session that failed, 2 for one that says anything, else 1."""
    return 3 if facts.failure is not None else 2 if facts.has_content else 1


def tool_calls_of(calls: int) -> int:
    """2 for more than 10 tool calls, else 0."""
    return 2 if calls > 10 else 0
