"""An SQLite database of another program, read without leaving a trace, even while that program writes it.

Opened as usual, a database with a write-ahead log gets files beside it, and a reader that comes last leaves them there.
So the way depends on what there is:

- no log: as one that nobody changes, without a lock; if it changes nevertheless, what was read is read again
- a log with its index (`-shm`): read-only, the index too; takes the locks readers take, sees what was written last
- a log without its index, as in a copy or on a folder nobody may write to: a private copy of both, which then goes
- a database that keeps no such log: read-only, with a lock for as long as one query takes
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self, TypeVar

from memscope.base.errors import SourceError
from memscope.conversation.unreadable import unreadable
from memscope.conversation.write_ahead import log_path, log_state

LARGEST_COPY = 2**30  # bytes, of a database and its log
_PATIENCE = 2.0  # seconds to wait for a program that keeps others out
_TRIES = 5
_KEEPS_A_LOG = b"\x02\x02"  # in the header, at 18: written and read through a log
Result = TypeVar("Result")

_TOLD: dict[str, tuple[str, str]] = {  # by SQLite's name of the error: what happened, and what to do
    "SQLITE_BUSY": ("another program keeps the database locked", "Try again, or end that program."),
    "SQLITE_LOCKED": ("another program keeps the database locked", "Try again, or end that program."),
    "SQLITE_CORRUPT": ("the database is damaged", "Open a backup, or let its own program repair it."),
    "SQLITE_NOTADB": ("this is no SQLite database, or it is encrypted or damaged", "Check that it is the right file."),
    "SQLITE_READONLY_ROLLBACK": (
        "a write to the database was broken off, and is still to be undone",
        "Start the program it belongs to once, which undoes it.",
    ),
    "SQLITE_CANTOPEN": ("the database, or its write-ahead log, cannot be opened", "Check that both may be read."),
}
_INDEX_UNUSABLE = ("SQLITE_READONLY_CANTINIT", "SQLITE_READONLY_RECOVERY", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL")


class SqliteFile:
    """The database at `path`, opened when it is first asked and closed at the end of the `with`, or of the question
    where there is none. All its methods raise `SourceError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._real = os.path.realpath(path)
        self._connection: sqlite3.Connection | None = None
        self._copy: TemporaryDirectory[str] | None = None
        self._watched: tuple[Any, ...] | None = None  # what must stay as it is for what was read to hold
        self._held = 0
        self._is_indexed, self._index_is_usable = False, True
        self._text: Callable[[bytes], Any] = str

    def __enter__(self) -> Self:
        self._held += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._held -= 1
        if not self._held:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._copy is not None:
            self._copy.cleanup()
        self._connection, self._copy = None, None

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table; none for one that is not there, or is none of its own (a view may do anything)."""

        def ask(connection: sqlite3.Connection) -> tuple[str, ...]:
            known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? AND rootpage > 0"
            if connection.execute(known, (table,)).fetchone() is None:
                return ()
            return tuple(name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)))

        return self._asked(ask)

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query finds, bytes as text; bytes of a text that are not UTF-8 are replaced."""
        found = self._asked(lambda connection: connection.execute(query, parameters).fetchall())
        return [tuple(map(_text, row)) if bytes in map(type, row) else row for row in found]

    def _asked(self, ask: Callable[[sqlite3.Connection], Result]) -> Result:
        """The answer to one question; asked again where the database changed under a reader without a lock."""
        failure: sqlite3.Error | None = None
        with self:
            for _ in range(_TRIES):
                try:
                    if self._connection is None:
                        self._connection, self._watched = self._connect()
                    answer = ask(self._connection)
                    if not self._changed():
                        return answer
                except OSError as error:
                    raise unreadable(error, self.path) from error
                except sqlite3.Error as error:
                    failure = error
                    if not self._may_help(error) and not self._changed():
                        raise self._told(error) from error
                self.close()
        raise self._told(failure or sqlite3.Error("it is changed all the time"))

    def _may_help(self, error: sqlite3.Error) -> bool:
        """Whether there is another way to read it, which is the next one to be tried."""
        if "decode to UTF-8" in str(error) and self._text is str:
            self._text = _text
            return True
        was_usable, self._index_is_usable = self._index_is_usable, self._index_is_usable and not self._is_indexed
        return was_usable and getattr(error, "sqlite_errorname", "") in _INDEX_UNUSABLE

    def _connect(self) -> tuple[sqlite3.Connection, tuple[Any, ...] | None]:
        """A connection, and what must not change behind its back; None where locks see to that, or it is a copy."""
        log, seen = log_path(self._real), self._stamp()
        with open(self._real, "rb") as file:  # noqa: PTH123 - a name of any bytes
            keeps_a_log = file.read(20)[18:] == _KEEPS_A_LOG
        self._is_indexed = keeps_a_log and os.path.exists(log) and os.path.exists(f"{self._real}-shm")  # noqa: PTH110
        if not keeps_a_log:
            return self._opened(self._real, "mode=ro"), None
        if self._is_indexed and self._index_is_usable:
            return self._opened(self._real, "mode=ro&readonly_shm=1"), None
        if not os.path.exists(log) or not os.path.getsize(log):  # noqa: PTH110, PTH202
            return self._opened(self._real, "immutable=1"), seen
        return self._of_a_copy(log), None

    def _of_a_copy(self, log: str) -> sqlite3.Connection:
        size = os.path.getsize(self._real) + os.path.getsize(log)  # noqa: PTH202
        if size > LARGEST_COPY:
            raise SourceError(
                "the newest entries of the database are in its write-ahead log, which lacks its index (-shm)",
                where=self.path,
                do="Open it once with the program it belongs to, which takes them over.",
            )
        self._copy = TemporaryDirectory(prefix="memscope-")
        copy = os.path.join(self._copy.name, "copy.db")  # noqa: PTH118
        for _ in range(_TRIES):
            seen = self._stamp()
            shutil.copyfile(self._real, copy)
            shutil.copyfile(log, f"{copy}-wal")
            if seen == self._stamp():
                break
        return self._opened(copy, "mode=rw")

    def _opened(self, path: str, how: str) -> sqlite3.Connection:
        uri = f"{Path(path).as_uri()}?{how}"
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        connection.text_factory = self._text
        connection.execute("PRAGMA trusted_schema = OFF")  # its triggers and views are another program's
        return connection

    def _stamp(self) -> tuple[Any, ...]:
        status = os.stat(self._real)  # noqa: PTH116
        return status.st_ino, status.st_size, status.st_mtime_ns, log_state(self._real)

    def _changed(self) -> bool:
        """Whether the files are no longer as they were when they were opened without a lock."""
        try:
            return self._watched is not None and self._watched != self._stamp()
        except OSError:
            return True

    def _told(self, error: sqlite3.Error) -> SourceError:
        name = getattr(error, "sqlite_errorname", "")
        known = next((told for start, told in _TOLD.items() if name.startswith(start)), None)
        what, do = known or ("the database cannot be read", "Check that it is the right file.")
        return SourceError(f"{what} ({error})", where=self.path, do=do)


def _text(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
