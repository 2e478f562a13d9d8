"""Reading a database of another program: what was written last is seen, and no trace is left, whoever is writing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from memscope.base.errors import SourceError
from memscope.conversation import sqlite_file
from memscope.conversation.sqlite_file import SqliteFile

WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    database.execute(line).fetchall()
    print("done", flush=True)
"""


class Writer:
    """A program that writes a database: a process of its own, for locks are a process's."""

    def __init__(self, path: Path) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdin=pipe, stdout=pipe, text=True)

    def __call__(self, *statements: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        for statement in statements:
            self.process.stdin.write(statement + "\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "done\n"

    def close(self) -> None:
        """Lets it end as programs do."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def end(self) -> None:
        """Ends it in the middle, if it has not ended."""
        with self.process:  # which closes its pipes
            self.process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder?#" / "a%20.db"  # a name that means something in a URI


@pytest.fixture
def write(path: Path) -> Iterator[Writer]:
    path.parent.mkdir()
    writer = Writer(path)
    yield writer
    writer.end()


LOG = "PRAGMA journal_mode = wal"
TABLE = "CREATE TABLE t (x)"


def insert(number: int) -> str:
    return f"INSERT INTO t VALUES ({number})"


def state(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """All that is in the database's folder."""
    found = sorted(path.parent.iterdir())
    return {p.name: (p.stat().st_size, p.stat().st_mtime_ns, p.read_bytes()) for p in found}


def read(path: Path) -> list[int]:
    """The numbers in the table, which are read without leaving a trace."""
    before = state(path)
    rows = [number for (number,) in SqliteFile(path).rows("SELECT x FROM t ORDER BY x")]
    assert state(path) == before
    return rows


def test_what_a_living_writer_wrote_last_is_seen(path: Path, write: Writer) -> None:
    write(LOG, TABLE, insert(1))
    assert read(path) == [1]
    write("BEGIN IMMEDIATE", insert(2))
    assert read(path) == [1]
    write("COMMIT")
    assert read(path) == [1, 2]
    write("PRAGMA wal_checkpoint(TRUNCATE)")
    assert read(path) == [1, 2]
    write(insert(3))
    assert read(path) == [1, 2, 3]
    with SqliteFile(path) as file:
        assert len(file.rows("SELECT x FROM t")) == 3
        write(insert(4), "PRAGMA wal_checkpoint(PASSIVE)", insert(5))  # nobody is kept from writing
        assert len(file.rows("SELECT x FROM t")) == 5


def test_what_a_writer_that_died_left_in_the_log_is_seen(path: Path, write: Writer) -> None:
    write(LOG, TABLE, "PRAGMA wal_checkpoint(TRUNCATE)", insert(1))
    write.end()
    assert len(state(path)) == 3
    assert read(path) == [1]


@pytest.mark.parametrize("without", ["-wal", "-shm"])
def test_a_copy_that_lacks_a_file(path: Path, write: Writer, without: str, tmp_path: Path) -> None:
    write(LOG, TABLE, insert(1), "PRAGMA wal_checkpoint(TRUNCATE)", insert(2))
    copy = tmp_path / "copy" / "a.db"
    copy.parent.mkdir()
    for end in {"", "-wal", "-shm"} - {without}:
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    assert read(copy) == ([1] if without == "-wal" else [1, 2])


def test_the_private_copy_goes_and_has_its_limit(path: Path, write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    write(LOG, TABLE, insert(1))
    write.end()
    Path(f"{path}-shm").unlink()
    made = path.parent.parent / "temporary"
    made.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(made))
    with SqliteFile(path) as file:
        assert file.rows("SELECT x FROM t") == [(1,)]
        assert list(made.iterdir())
    assert not list(made.iterdir())
    monkeypatch.setattr(sqlite_file, "LARGEST_COPY", 10)
    with pytest.raises(SourceError, match="write-ahead log, which lacks its index"):
        read(path)


@pytest.mark.parametrize("statements", [(LOG,), ()])
def test_a_database_that_was_closed(path: Path, write: Writer, statements: tuple[str, ...]) -> None:
    write(*statements, TABLE, insert(1))
    write.close()
    assert list(state(path)) == [path.name]
    assert read(path) == [1]


def test_a_change_without_a_lock_is_noticed(path: Path, write: Writer) -> None:
    write(LOG, TABLE, insert(1))
    write.close()
    again = Writer(path)
    with SqliteFile(path) as file:
        assert file.rows("SELECT x FROM t") == [(1,)]
        again(LOG, insert(2))
        assert file.rows("SELECT x FROM t") == [(1,), (2,)]
        again.end()
    assert read(path) == [1, 2]


def test_a_writer_that_keeps_others_out(path: Path, write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "_PATIENCE", 0.01)
    write(TABLE, insert(1), "BEGIN EXCLUSIVE")
    with pytest.raises(SourceError, match=r"keeps the database locked.*Try again"):
        read(path)
    write("COMMIT")
    assert read(path) == [1]


def test_a_write_that_was_broken_off(path: Path, write: Writer) -> None:
    write(TABLE, insert(1), "PRAGMA cache_size = 1", "BEGIN")
    write("INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT i FROM n")
    write.end()
    with pytest.raises(SourceError, match=r"broken off.*Start the program"):
        read(path)


@contextmanager
def without_rights() -> Iterator[None]:
    """For what root does in here: it may write everywhere, so somebody else does it."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such rights")
def test_a_folder_that_nobody_may_write_to(path: Path, write: Writer) -> None:
    write(LOG, TABLE, insert(1), "PRAGMA wal_checkpoint(TRUNCATE)", insert(2))
    with TemporaryDirectory() as top:  # not below pytest's own folder, which nobody else may enter
        Path(top).chmod(0o755)
        found = {}
        for name, ends in {"closed": (), "written": ("-wal", "-shm"), "no index": ("-wal",)}.items():
            folder = Path(top, name)
            folder.mkdir()
            for end in ("", *ends):
                shutil.copy(f"{path}{end}", folder / f"a.db{end}")
                (folder / f"a.db{end}").chmod(0o444)
            folder.chmod(0o555)
            with without_rights():
                found[name] = read(folder / "a.db")
            folder.chmod(0o755)
    assert found == {"closed": [1], "written": [1, 2], "no index": [1, 2]}


def test_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(TABLE)
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 100)
        database.commit()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:20000])
    with pytest.raises(SourceError, match="damaged"):
        SqliteFile(path).rows("SELECT x FROM t")
    path.write_bytes(whole[:16] + b"\xff" * 200)
    with pytest.raises(SourceError, match="damaged"):
        SqliteFile(path).columns("t")
    path.write_text("{}")
    with pytest.raises(SourceError, match="no SQLite database"):
        SqliteFile(path).columns("t")
    path.unlink()
    with pytest.raises(SourceError, match="no such file"):
        SqliteFile(path).columns("t")
    assert not list(tmp_path.iterdir())


def test_tables_alone_have_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (x, y AS (x + 1))")
        database.execute("CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n")
    with SqliteFile(path) as file:
        assert (file.columns("t"), file.columns("v"), file.columns("none")) == (("x",), (), ())
        with pytest.raises(SourceError, match="no such column"):
            file.rows("SELECT z FROM t")


def test_texts_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(TABLE)
        database.execute("INSERT INTO t VALUES (CAST(x'61ff62' AS TEXT)), (x'63ff'), ('d'), (NULL), (1)")
        database.commit()
    assert SqliteFile(path).rows("SELECT x FROM t") == [("a\ufffdb",), ("c\ufffd",), ("d",), (None,), (1,)]
