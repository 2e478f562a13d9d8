"""Conversations as they are offered to somebody who named none: a row of a table, and how to open it."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.actions.open import Opening
from memscope.base.clock import now
from memscope.base.files import shown_path
from memscope.reports.view import Column

if TYPE_CHECKING:
    from memscope.actions.recent import RecentConversation

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WEEKS = 14 * _DAY  # after them a day says more than a number of days


@dataclass(frozen=True, slots=True)
class Offer:
    """A conversation to open; `recent` is None for the demo. `title` is empty where nobody has looked yet."""

    title: str
    recent: RecentConversation | None = None

    @property
    def identity(self) -> Hashable:
        return None if self.recent is None else (str(self.recent.path), self.recent.item)

    @property
    def name(self) -> str:
        """The title, or the file's name."""
        return self.title or (self.recent.path.name if self.recent is not None else "")

    @property
    def format(self) -> str:
        return self.recent.format if self.recent is not None else "demo"

    @property
    def folder(self) -> str:
        return shown_path(self.recent.path.parent) if self.recent is not None else ""

    @property
    def time(self) -> float | None:
        return self.recent.time if self.recent is not None else None

    @property
    def size(self) -> int | None:
        return self.recent.size if self.recent is not None else None

    @property
    def known(self) -> str:
        return "before" if self.recent is not None and self.recent.known else ""


def _when(offer: Offer) -> str:
    return "" if offer.time is None else how_long_ago(offer.time)


def _sized(offer: Offer) -> str:
    """As file managers count."""
    if offer.size is None:
        return ""
    return f"{offer.size / 1e6:.1f} MB" if offer.size >= 1e6 else f"{max(1, offer.size // 1000)} kB"


COLUMNS: tuple[Column[Offer], ...] = (
    Column("when", lambda offer: offer.time, "s", 1, shown=_when),
    Column("conversation", lambda offer: offer.name, wide=True),
    Column("format", lambda offer: offer.format, rank=2),
    Column("folder", lambda offer: offer.folder, rank=3),
    Column("size", lambda offer: offer.size, "bytes", 4, shown=_sized),
    Column("opened", lambda offer: offer.known, rank=5),
)


def opening_of(recent: RecentConversation) -> Opening:
    """The same once more, with the memory files that are still there."""
    memories = tuple(path for path in recent.memories if path.exists())
    return Opening(recent.path, item=recent.item, window=recent.window, memories=memories)


def how_long_ago(at: float) -> str:
    """Minutes, hours or days since `at` (seconds since the epoch), or its day where that is long ago."""
    ago = now() - at
    if ago < _MINUTE:
        return "now"
    if ago < _HOUR:
        return f"{ago // _MINUTE:.0f} min"
    if ago < _DAY:
        return f"{ago // _HOUR:.0f} h"
    if ago < _WEEKS:
        return f"{ago // _DAY:.0f} d"
    return time.strftime("%Y-%m-%d", time.localtime(at))
