"""Conversations as they are offered to somebody who named none: a row of a table, and how to open it."""

from __future__ import annotations

import os
import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memscope.actions.open import Opening
from memscope.base.clock import now
from memscope.base.files import shown_path
from memscope.base.text import byte_count
from memscope.reports.view import Column

if TYPE_CHECKING:
    from memscope.actions.recent import RecentConversation
    from memscope.tui.app import MemscopeApp

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
    def is_told(self) -> bool:
        """Whether there is nothing more to look for in its file."""
        return bool(self.title and self.format)

    def told(self, title: str, form: str) -> Offer:
        """This one, with what was looked for where it is not known."""
        if self.recent is None:
            return self
        return Offer(self.title or title, replace(self.recent, format=self.format or form))

    @property
    def words(self) -> str:
        """What a search looks at: more than the table has room for."""
        file = shown_path(self.recent.path) if self.recent is not None else ""
        return f"{self.title} {self.format} {file}".casefold()

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
    return "" if offer.size is None else byte_count(offer.size)


COLUMNS: tuple[Column[Offer], ...] = (
    Column("when", lambda offer: offer.time, "s", 1, shown=_when),
    Column("conversation", lambda offer: offer.name, wide=True),
    Column("format", lambda offer: offer.format, rank=2),
    Column("folder", lambda offer: offer.folder, rank=3),
    Column("size", lambda offer: offer.size, "bytes", 4, shown=_sized),
    Column("opened", lambda offer: offer.known, rank=5),
)


def open_again(console: MemscopeApp, recent: RecentConversation) -> None:
    """Opens the same once more, with the memory files that are still there, and says which are not."""
    gone = [path for path in recent.memories if not os.path.exists(path)]  # noqa: PTH110 - it never raises
    memories = tuple(path for path in recent.memories if path not in gone)
    console.open(Opening(recent.path, item=recent.item, window=recent.window, memories=memories))
    if gone:
        are = "1 memory file is" if len(gone) == 1 else f"{len(gone)} memory files are"
        console.say(f"{are} gone and left out: {', '.join(map(shown_path, gone))}", "warning")


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
