"""What can stand behind the operators of a query: whole numbers, sizes, days, names, and words in any case."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

DAY = 86_400  # seconds

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_AGO = re.compile(r"(\d{1,5})([dw])", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d{1,15}")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_MARKS = re.compile("[\u0300-\u036f]")  # accents, apart from what they stand on
_KEPT = 2**15  # texts with letters beyond ASCII


class Days(NamedTuple):
    """Some days, in seconds since the epoch: from `start` up to, and without, `end`."""

    start: float
    end: float


def number(text: str) -> int | None:
    """A whole number; None for what is none."""
    return int(text) if _NUMBER.fullmatch(text) and text.isascii() else None


def size(text: str) -> float | None:
    """A number of bytes: 900, 12k, 1.5MB; None for what is none."""
    found = _SIZE.fullmatch(text)
    return float(found[1]) * _UNITS[found[2].lower()] if found and text.isascii() else None


def age(text: str) -> int | None:
    """A number of days: 7, 7d, 2w; None for what is none."""
    found = _AGO.fullmatch(text)
    if found is None or not text.isascii():
        return number(text)
    return int(found[1]) * (7 if found[2].lower() == "w" else 1)


def days(text: str, now: float) -> Days | None:
    """The days that are meant: 2026, 2026-04, 2026-04-01, today, yesterday, 7d (the day that many before today), all in
    UTC; None for what is none. `now` in seconds since the epoch."""
    words = {"today": "0d", "yesterday": "1d"}
    text = words.get(text.lower(), text)
    try:
        if text.isascii() and _AGO.fullmatch(text):
            start = datetime.fromtimestamp(now // DAY * DAY, UTC) - timedelta(days=age(text) or 0)
            return Days(start.timestamp(), start.timestamp() + DAY)
        found = _DATE.fullmatch(text)
        if found is None or not text.isascii():
            return None
        year, month, day = (int(part) if part else None for part in found.groups())
        assert year is not None
        first = datetime(year, month or 1, day or 1, tzinfo=UTC)
        return Days(first.timestamp(), _after(first, month is not None, day is not None))
    except (ValueError, OverflowError, OSError):
        return None


def _after(first: datetime, by_month: bool, by_day: bool) -> float:
    """When the year, the month or the day has ended that begins with `first`."""
    if by_day:
        return first.timestamp() + DAY
    if by_month and first.month < 12:
        return first.replace(month=first.month + 1).timestamp()
    return first.replace(year=first.year + 1, month=1).timestamp()


def last_name(text: str) -> str:
    """What a repository is known by: `mise`, of `jdx/mise` too."""
    return text.rstrip("/").rpartition("/")[2]


def folded(text: str) -> str:
    """`text` as it is compared: without regard to case and accents."""
    return text.lower() if text.isascii() else _folded(text)


@lru_cache(_KEPT)
def _folded(text: str) -> str:
    return _MARKS.sub("", normalize("NFKD", text)).casefold()
