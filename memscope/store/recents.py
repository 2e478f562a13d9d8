"""The conversations that were opened, so that they can be offered again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memscope.base.clock import now
from memscope.store._names import object_of
from memscope.store.database import Database


@dataclass(frozen=True, slots=True)
class Recent:
    """A conversation as it was last opened: which, with which memory files, and when (seconds since the epoch).

    `window`: None stands for the last one.
    """

    path: Path
    item: int
    window: int | None
    title: str
    memories: tuple[Path, ...]
    at: float


class Recents:
    """The conversations that were opened, one row for each. Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def opened(
        self,
        path: Path | str,
        item: int,
        window: int | None,
        title: str,
        memories: Sequence[Path | str] = (),
    ) -> None:
        """Notes that a conversation was opened now. A path should be absolute, for it is opened from elsewhere too."""
        about = {"window": window, "title": title, "memories": [str(memory) for memory in memories]}
        self._database.write(
            "INSERT OR REPLACE INTO recents (path, item, about, at) VALUES (?, ?, ?, ?)",
            os.fsencode(path),
            item,
            json.dumps(about),
            now(),
        )

    def latest(self, count: int) -> list[Recent]:
        """The `count` conversations that were opened last, newest first; a row that cannot be read is left out."""
        rows = self._database.read(
            "SELECT path, item, about, at FROM recents ORDER BY at DESC, rowid DESC LIMIT ?", max(count, 0)
        )
        return [recent for recent in map(_recent, rows) if recent is not None]


def _recent(row: tuple[object, ...]) -> Recent | None:
    path, item, about, at = row
    try:
        told = object_of(about)
    except ValueError:
        return None
    window, title, memories = told.get("window"), told.get("title"), told.get("memories")
    if not isinstance(path, bytes) or not isinstance(item, int) or not isinstance(at, float):
        return None
    return Recent(
        Path(os.fsdecode(path)),
        item,
        window if isinstance(window, int) else None,
        title if isinstance(title, str) else "",
        tuple(Path(memory) for memory in memories if isinstance(memory, str)) if isinstance(memories, list) else (),
        at,
    )
