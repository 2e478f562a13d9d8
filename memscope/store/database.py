"""The one SQLite file: opening, migrating, and saying clearly what is wrong with it. Nothing here ever deletes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from memscope.base.errors import StoreError

FILE_NAME = "memscope.sqlite3"
PATIENCE = 10.0  # seconds to wait for another process to finish its write

# The statements of each version of the schema; a store is brought up to date by those it has not seen.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
    CREATE TABLE scores (
        key    BLOB PRIMARY KEY,  -- engines.stored.score_key
        totals BLOB NOT NULL,     -- float64, little-endian, one a response
        counts BLOB,              -- int32, tokens of each response, where the engine counts them
        tokens BLOB,              -- zlib; see store.scores
        at     REAL NOT NULL      -- seconds since the epoch
    )
    """,
    ),
    # Names are blobs: what a transcript calls a thing may hold lone surrogates, which SQLite's texts cannot.
    (
        """
    CREATE TABLE journal (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        at       REAL NOT NULL,  -- seconds since the epoch
        kind     BLOB NOT NULL,
        subject  BLOB NOT NULL,
        verdict  BLOB NOT NULL,
        payload  TEXT NOT NULL,  -- a JSON object
        previous INTEGER         -- the entry in force before this one; of an undo: the entry it undoes
    )
    """,
        "CREATE INDEX journal_subjects ON journal (kind, subject)",
        "CREATE TABLE view_state (name BLOB PRIMARY KEY, state TEXT NOT NULL)  -- a JSON object",
        """
    CREATE TABLE recents (
        path  BLOB NOT NULL,
        item  INTEGER NOT NULL,
        about TEXT NOT NULL,  -- a JSON object; see store.recents
        at    REAL NOT NULL,  -- when it was opened last, seconds since the epoch
        PRIMARY KEY (path, item)
    )
    """,
    ),
    (
        "ALTER TABLE scores ADD COLUMN marks BLOB",  # digests: what was scored, and what stood before it
        "ALTER TABLE scores ADD COLUMN failures TEXT",  # a JSON object: why responses have no score, by their place
        """
    CREATE TABLE verdicts (
        engine BLOB PRIMARY KEY,  -- a digest of its identity
        said   TEXT NOT NULL,     -- a JSON object; see store.verdicts
        at     REAL NOT NULL      -- seconds since the epoch
    )
    """,
    ),
    (
        "ALTER TABLE journal ADD COLUMN step INTEGER",  # of entries made, and undone, at once: the first
        "CREATE INDEX journal_undone ON journal (previous)",
        """
    CREATE TABLE weights (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation BLOB NOT NULL,  -- conversation.lineage
        engine       BLOB NOT NULL,  -- a digest of its identity, and of the mode
        memory       BLOB NOT NULL,  -- its key
        at           REAL NOT NULL,  -- when it was scored, seconds since the epoch
        score        REAL NOT NULL,  -- nats
        weight       REAL NOT NULL   -- what the scores so far make of it, nats
    )
    """,
        "CREATE INDEX weights_memories ON weights (conversation, engine, memory)",
        """
    CREATE TABLE runs (
        conversation BLOB NOT NULL,  -- conversation.lineage, and the context window
        engine       BLOB NOT NULL,  -- a digest of its identity
        about        TEXT NOT NULL,  -- a JSON object; see store.runs
        at           REAL NOT NULL,  -- seconds since the epoch
        PRIMARY KEY (conversation, engine)
    )
    """,
        """
    CREATE TABLE replies (
        key   BLOB PRIMARY KEY,  -- a digest of what was asked, and of whom
        reply TEXT NOT NULL,     -- a JSON object; see store.replies
        at    REAL NOT NULL      -- seconds since the epoch
    )
    """,
    ),
    (
        """
    CREATE TABLE sessions (
        path     BLOB PRIMARY KEY,  -- as the file system has it
        reading  BLOB NOT NULL,     -- a digest of how it was read: version, patterns, rules
        size     INTEGER NOT NULL,
        modified INTEGER NOT NULL,  -- nanoseconds since the epoch
        log      TEXT NOT NULL,     -- of a database: the size and time of its write-ahead log
        found    TEXT NOT NULL      -- JSON; see store.sessions
    ) WITHOUT ROWID
    """,
    ),
    (
        """
    CREATE TABLE embeddings (
        key    BLOB PRIMARY KEY,  -- store.embeddings.embedding_key
        vector BLOB NOT NULL,     -- float32, little-endian
        at     REAL NOT NULL      -- seconds since the epoch
    )
    """,
        """
    CREATE TABLE candidates (
        signature TEXT PRIMARY KEY,
        found     TEXT NOT NULL,  -- JSON; see store.candidates
        at        REAL NOT NULL   -- seconds since the epoch
    )
    """,
    ),
)


class Database:
    """Two connections that threads share, so that no read waits for a write, be it another process's; one writer at a
    time, every write committed before the call returns.

    In write-ahead mode with `synchronous = NORMAL`: a killed process loses nothing, a power cut at most the last
    commits but for those of `writing`, and neither damages the file. Raises `StoreError` for everything SQLite refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            do = "Move the file away, or set MEMSCOPE_DATA_DIR to a folder."
            raise StoreError("a file stands where the data folder should be", where=folder, do=do) from error
        except OSError as error:
            do = "Set MEMSCOPE_DATA_DIR to a folder that can be written."
            raise StoreError(f"the data folder cannot be made ({error.strerror})", where=folder, do=do) from error
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._connection = self._connected()
        try:
            with self._translated():
                self._write_ahead()
                self._connection.execute("PRAGMA synchronous = NORMAL")
            self._migrate()
            self._reader = self._connected()
        except BaseException:
            self._connection.close()
            raise

    def read(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """All rows of a query."""
        with self._reading, self._translated():
            return self._reader.execute(query, values).fetchall()

    def write(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """One statement, on disk when this returns; the rows it is `RETURNING`."""
        with self._lock, self._translated():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Callable[..., list[tuple[object, ...]]]]:
        """Several statements as one: what it yields is called as `write` is, and all is on disk in the end or nothing;
        a power cut takes none of it back. Other processes wait, so nothing slow belongs in here."""
        with self._lock, self._translated():
            self._connection.execute("PRAGMA synchronous = FULL")  # not within a transaction
            try:
                with self._transaction():
                    yield lambda statement, *values: self._connection.execute(statement, values).fetchall()
            finally:
                self._connection.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        with self._lock, self._reading:
            self._connection.close()
            self._reader.close()

    def _connected(self) -> sqlite3.Connection:
        with self._translated():
            return sqlite3.connect(
                self.path, timeout=PATIENCE, check_same_thread=False, isolation_level=None, cached_statements=64
            )

    def _write_ahead(self) -> None:
        """Alone among statements this one does not wait when another process opens a new store at the same time."""
        patience = time.monotonic() + PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                    raise
                time.sleep(0.01)
            else:
                return

    def _migrate(self) -> None:
        if self._version() == len(MIGRATIONS):
            return
        with self._lock, self._translated(), self._transaction():
            found = self._version()  # again: another process may have been faster
            if found > len(MIGRATIONS):
                raise StoreError(
                    f"the store was written by a newer memscope (its version {found}, known here {len(MIGRATIONS)})",
                    where=self.path,
                    do="Upgrade memscope, or set MEMSCOPE_DATA_DIR to another folder.",
                )
            for statements in MIGRATIONS[found:]:
                for statement in statements:
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _version(self) -> int:
        with self._translated():
            return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has ended it already
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            what, do = _explain(error)
            raise StoreError(what, where=self.path, do=do) from error


def _explain(error: sqlite3.Error) -> tuple[str, str]:
    text = str(error)
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return f"the disk is full or fails ({text})", "Free some space; what was kept before is still there."
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"the store is damaged ({text})", "Move the file away to start a new one."
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another process holds the store", "Try again once it is done."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"the store cannot be written ({text})", "Check its permissions, or set MEMSCOPE_DATA_DIR."
    return f"the store fails ({text})", "Try again; if it stays so, move the file away to start a new one."
