"""The file on disk: what happens to it, and what is said, when everything around it goes wrong."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memscope.base.errors import StoreError
from memscope.store import database
from memscope.store.database import FILE_NAME, MIGRATIONS, Database

PUT = "INSERT OR REPLACE INTO scores (key, totals, at) VALUES (?, ?, 0)"

# A process that writes rows of its own for ever and says each key only after it was written.
WRITER = f"""
import sys
from pathlib import Path
from memscope.store.database import Database
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
store = Database(folder)
for number in range(count):
    store.write({PUT!r}, f"{{name}}{{number}}".encode(), bytes(4000))
    print(f"{{name}}{{number}}", flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    """A `WRITER`, up and waiting for a line on its standard input."""
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def keys(folder: Path) -> set[str]:
    store = Database(folder)
    try:
        return {bytes(key).decode() for (key,) in store.read("SELECT key FROM scores")}  # type: ignore[arg-type]
    finally:
        store.close()


def refusal(folder: Path) -> StoreError:
    """Why a store cannot be opened; it must be said in three plain parts."""
    with pytest.raises(StoreError) as refused:
        Database(folder)
    check_wording(refused.value)
    return refused.value


def check_wording(error: StoreError) -> None:
    assert error.what
    assert error.where
    assert error.do
    for word in ("Traceback", "sqlite3.", "Errno", "Error("):
        assert word not in str(error)


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    store = Database(tmp_path / "a" / "b")
    store.close()
    assert (tmp_path / "a" / "b" / FILE_NAME).is_file()
    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


def test_what_was_written_is_there_the_next_time(tmp_path: Path) -> None:
    store = Database(tmp_path)
    store.write(PUT, b"k", b"v")
    assert store.read("SELECT key, totals FROM scores") == [(b"k", b"v")]
    store.close()
    assert keys(tmp_path) == {"k"}


@pytest.mark.parametrize("place", ["", "below"])
def test_a_file_where_the_data_folder_should_be(place: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    error = refusal(tmp_path / "taken" / place)
    assert error.where == str(tmp_path / "taken" / place)
    assert "a file stands where the data folder should be" in error.what
    assert "MEMSCOPE_DATA_DIR" in error.do
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    assert "cannot be written" in refusal(tmp_path).what


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert "cannot be written" in refusal(tmp_path).what
        assert "cannot be made" in refusal(tmp_path / "deeper").what
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_store_can_still_be_read(tmp_path: Path) -> None:
    store = Database(tmp_path)
    store.write(PUT, b"k", b"v")
    store.write("PRAGMA query_only = 1")
    with pytest.raises(StoreError, match="the store cannot be written") as refused:
        store.write(PUT, b"l", b"v")
    check_wording(refused.value)
    assert store.read("SELECT key FROM scores") == [(b"k",)]
    store.close()


def test_garbage_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    garbage = b"this is no database\n" * 500
    (tmp_path / FILE_NAME).write_bytes(garbage)
    error = refusal(tmp_path)
    assert "the store is damaged" in error.what
    assert "Move the file away" in error.do
    assert (tmp_path / FILE_NAME).read_bytes() == garbage


def test_a_store_cut_short_is_told_when_it_is_read(tmp_path: Path) -> None:
    store = Database(tmp_path)
    for number in range(200):
        store.write(PUT, str(number).encode(), bytes(1000))
    store.close()
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError, match="the store is damaged") as refused:
        keys(tmp_path)
    check_wording(refused.value)
    assert path.stat().st_size == 20_000


def test_a_newer_store_is_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    newer = sqlite3.connect(path)
    newer.execute("CREATE TABLE scores (something, else_)")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    error = refusal(tmp_path)
    assert "newer memscope" in error.what
    assert "99" in error.what
    assert "Upgrade" in error.do
    again = sqlite3.connect(path)
    assert again.execute("PRAGMA user_version").fetchone() == (99,)
    assert again.execute("SELECT sql FROM sqlite_schema").fetchall() == [("CREATE TABLE scores (something, else_)",)]
    again.close()


def test_an_older_store_is_brought_up_to_date_and_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Database(tmp_path)
    store.write(PUT, b"k", b"v")
    store.close()
    monkeypatch.setattr(
        database, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE more (a)", "CREATE INDEX by_a ON more (a)"))
    )
    store = Database(tmp_path)
    assert store.read("SELECT * FROM more") == []
    assert store.read("PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]
    store.close()
    assert keys(tmp_path) == {"k"}


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(tmp_path).close()
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE more (a)", "CREATE TABLE more (a)")))
        assert "already exists" in refusal(tmp_path).what
    store = Database(tmp_path)
    assert store.read("SELECT name FROM sqlite_schema WHERE name = 'more'") == []
    store.close()


def test_a_migration_on_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite may end the transaction by itself then; there is nothing left to roll back."""
    Database(tmp_path).close()
    filling = ("PRAGMA max_page_count = 1", "CREATE TABLE more AS SELECT zeroblob(100000)")
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, filling))
    assert "the disk is full" in refusal(tmp_path).what


def test_a_transaction_that_sqlite_ended_itself_keeps_its_own_error(tmp_path: Path) -> None:
    store = Database(tmp_path)
    with pytest.raises(StoreError, match="the disk is full"), store._translated(), store._transaction():
        store._connection.execute("ROLLBACK")
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorname = "SQLITE_FULL"
        raise full
    store.close()


def test_a_full_disk_costs_what_is_new_and_nothing_that_is_there(tmp_path: Path) -> None:
    store = Database(tmp_path)
    store.write(PUT, b"before", b"v")
    pages = store.read("PRAGMA page_count")[0][0]
    store.write(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full") as refused:
        store.write(PUT, b"large", bytes(10**6))
    check_wording(refused.value)
    assert store.read("SELECT key FROM scores") == [(b"before",)]
    store.write("PRAGMA max_page_count = 100000")
    store.write(PUT, b"after", bytes(10**6))
    store.close()
    assert keys(tmp_path) == {"before", "after"}


def test_a_store_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(tmp_path).close()
    monkeypatch.setattr(database, "PATIENCE", 0.0)
    store = Database(tmp_path)
    holder = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process holds the store") as refused:
        store.write(PUT, b"k", b"v")
    check_wording(refused.value)
    holder.execute("ROLLBACK")
    holder.close()
    store.write(PUT, b"k", b"v")
    store.close()


def test_a_closed_store_refuses_in_plain_words(tmp_path: Path) -> None:
    store = Database(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StoreError) as refused:
        store.read("SELECT 1")
    check_wording(refused.value)


def test_threads_share_one_store(tmp_path: Path) -> None:
    store = Database(tmp_path)
    barrier = threading.Barrier(8)

    def work(thread: int) -> None:
        barrier.wait()
        for number in range(25):
            store.write(PUT, f"{thread}.{number}".encode(), b"v")
            assert store.read("SELECT totals FROM scores WHERE key = ?", f"{thread}.{number}".encode()) == [(b"v",)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    store.close()
    assert keys(tmp_path) == {f"{thread}.{number}" for thread in range(8) for number in range(25)}


def test_processes_open_and_write_a_new_store_at_once(tmp_path: Path) -> None:
    names = "abcd"
    writers = [writer(tmp_path, name, 50) for name in names]
    for process in writers:
        go(process)
    said = [process.communicate(timeout=60)[0].split() for process in writers]
    assert [process.returncode for process in writers] == [0] * len(names)
    assert sorted(map(len, said)) == [50] * len(names)
    assert keys(tmp_path) == set().union(*said)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
def test_what_a_killed_process_said_it_wrote_is_there(tmp_path: Path) -> None:
    process = writer(tmp_path, "k", 10**9)
    go(process)
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split()  # not `communicate`, which passes over what was read ahead
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    there = keys(tmp_path)
    assert there >= set(said)
    assert len(there) <= len(said) + 1  # the one that was written and not yet said
    store = Database(tmp_path)
    assert store.read("PRAGMA integrity_check") == [("ok",)]
    store.close()


def test_a_read_waits_for_no_write_be_it_another_processs(tmp_path: Path) -> None:
    store = Database(tmp_path)
    store.write(PUT, b"k", b"v")
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # as another process that is at its writing
    writer = threading.Thread(target=store.write, args=(PUT, b"k2", b"v"))
    writer.start()
    began = time.monotonic()
    assert len(store.read("SELECT key FROM scores")) == 1
    assert time.monotonic() - began < database.PATIENCE / 2
    other.execute("COMMIT")
    writer.join()
    assert len(store.read("SELECT key FROM scores")) == 2


def test_what_is_written_as_one_outlives_a_power_cut_and_scores_need_not(tmp_path: Path) -> None:
    store = Database(tmp_path)
    with store.writing() as write:
        assert write("PRAGMA synchronous") == [(2,)]  # FULL
    with pytest.raises(StoreError), store.writing() as write:
        write("no statement")
    assert store.write("PRAGMA synchronous") == [(1,)]  # NORMAL
    store.close()
