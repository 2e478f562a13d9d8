"""What scans found in files: a text for each, as it was read and from which state of the file, so that it need not be
read again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from types import NoneType
from typing import NamedTuple

from memscope.store.database import Database

_READ = "SELECT path, size, modified, log, CASE WHEN reading = ? THEN found END FROM sessions"
_KEEP = "INSERT OR REPLACE INTO sessions (path, reading, size, modified, log, found) VALUES (?, ?, ?, ?, ?, ?)"
_TYPES: tuple[set[type], ...] = ({bytes}, {int}, {int}, {str}, {str, NoneType})
_MOST = 2**63 - 1  # that SQLite takes for a number


class KeptFile(NamedTuple):
    """What was found in the file at `path` (as `os.fsdecode` has it) when it looked so: its `size` in bytes, its time
    `modified` in nanoseconds since the epoch, and the state of its write-ahead log, "" where it has none. `found`: None
    where it was read in another way than is asked for."""

    path: str
    size: int
    modified: int
    log: str
    found: str | None


class KeptSessions:
    """Files by path. `reading` is a digest of how they are read; what was read otherwise counts as unread. Raises
    `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database, reading: bytes) -> None:
        self._database = database
        self._reading = reading

    def below(self, path: str) -> list[KeptFile]:
        """The file at `path`, and those below it, by path; a row that is none is left out."""
        name = os.fsencode(path)
        folder = name if name.endswith(b"/") else name + b"/"
        behind = folder[:-1] + b"0"  # what follows / among the bytes
        rows = self._database.read(f"{_READ} WHERE path = ?", self._reading, name)
        rows += self._database.read(
            f"{_READ} WHERE path >= ? AND path < ? ORDER BY path", self._reading, folder, behind
        )
        if not _are_sound(rows):
            rows = [row for row in rows if _are_sound([row])]
        return [KeptFile(os.fsdecode(name), size, at, log, found) for name, size, at, log, found in rows]  # type: ignore[arg-type]

    def keep(self, files: Iterable[KeptFile]) -> None:
        """Keeps files in place of what was kept of them, all or none."""
        with self._database.writing() as write:
            for path, size, modified, log, found in files:
                if size <= _MOST and -_MOST <= modified <= _MOST:
                    write(_KEEP, os.fsencode(path), self._reading, size, modified, log, found)

    def forget(self, paths: Iterable[str]) -> None:
        """Lets go of files, all or none."""
        with self._database.writing() as write:
            for path in paths:
                write("DELETE FROM sessions WHERE path = ?", os.fsencode(path))


def _are_sound(rows: Sequence[tuple[object, ...]]) -> bool:
    """Whether every value is of the type that was kept. By columns, for there are thousands of rows."""
    return all(set(map(type, values)) <= types for values, types in zip(zip(*rows, strict=True), _TYPES, strict=False))
