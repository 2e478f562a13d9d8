"""What scans found, kept by path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memscope.base.errors import StoreError
from memscope.store.database import Database
from memscope.store.sessions import KeptFile, KeptSessions

READING = b"a" * 16
FOLDERS = st.text("ab/0.\udcff-", max_size=4)
NAMES = FOLDERS.filter(lambda name: name[-1:] not in ("", "/"))  # of files


def file(path: str, found: str | None = "[]") -> KeptFile:
    return KeptFile(path, 3, 4, "", found)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(tmp_path)
    yield store
    store.close()


@pytest.fixture
def kept(database: Database) -> KeptSessions:
    return KeptSessions(database, READING)


def test_the_last_that_was_kept_is_there_the_next_time(tmp_path: Path) -> None:
    database = Database(tmp_path)
    files = [file("/t/a\udcff.jsonl"), KeptFile("/t/b.db", 0, -5, "12 99", "[1]")]
    KeptSessions(database, READING).keep([file("/t/b.db"), *files])
    database.close()
    database = Database(tmp_path)
    kept = KeptSessions(database, READING)
    assert kept.below("/t") == files
    assert kept.below("/t/b.db") == files[1:]
    kept.forget(["/t/b.db", "/t/never"])
    assert kept.below("/t/") == files[:1]
    database.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(folder=FOLDERS, names=st.sets(NAMES, max_size=6))
def test_below_is_the_path_and_what_it_leads(kept: KeptSessions, folder: str, names: set[str]) -> None:
    kept.forget([one.path for one in kept.below("/")])
    paths = {f"/{name}" for name in names}
    kept.keep(map(file, paths))
    asked = f"/{folder}"
    inside = {path for path in paths if path == asked or path.startswith(asked.removesuffix("/") + "/")}
    assert sorted(one.path for one in kept.below(asked)) == sorted(inside)


def test_what_was_read_otherwise_is_known_to_be_there(database: Database, kept: KeptSessions) -> None:
    kept.keep([file("/a")])
    assert KeptSessions(database, b"b" * 16).below("/a") == [file("/a", None)]


@pytest.mark.parametrize("values", ["size = 'x'", "modified = x'00'", "log = x'00'", "found = x'00'", "path = 'text'"])
def test_a_damaged_row_is_none(database: Database, kept: KeptSessions, values: str) -> None:
    kept.keep([file("/a"), file("/b")])
    database.write(f"UPDATE sessions SET {values} WHERE path = ?", os.fsencode("/a"))
    assert kept.below("/") == [file("/b")]


def test_a_number_that_the_store_cannot_hold_keeps_the_others(kept: KeptSessions) -> None:
    kept.keep([KeptFile("/a", 2**63, 0, "", ""), KeptFile("/b", 1, 2**63, "", ""), file("/c")])
    assert kept.below("/") == [file("/c")]


def test_a_store_that_fails_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path)
    kept = KeptSessions(database, READING)
    database.close()
    for ask in (lambda: kept.below("/"), lambda: kept.keep([file("/a")]), lambda: kept.forget(["/a"])):
        with pytest.raises(StoreError):
            ask()
