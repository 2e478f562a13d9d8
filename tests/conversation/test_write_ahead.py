from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from memscope.conversation.write_ahead import log_state


def test_the_state_changes_with_every_write(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert log_state(path) == ""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = wal")
    seen = [log_state(path)]
    for statement in ("CREATE TABLE t (x)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"):
        database.execute(statement)
        seen.append(log_state(str(path)))
    assert len(set(seen)) == len(seen)
    assert seen[-1].split()[0] == str((tmp_path / "a.db-wal").stat().st_size)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    assert log_state(link) == seen[-1]
    database.close()
    assert log_state(path) == ""


@pytest.mark.parametrize("path", ["", "no/such/a.db", "a\0b", "x" * 5000])
def test_it_never_raises(path: str) -> None:
    assert log_state(path) == ""
