"""Verdicts on engines: the last of each is kept, with its time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.base.clock import set_clock
from memscope.store.database import Database
from memscope.store.verdicts import Verdicts


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    set_clock(lambda: 1_000.0)
    opened = Database(tmp_path)
    yield opened
    opened.close()
    set_clock(None)


def test_the_last_verdict_counts_with_its_time(database: Database) -> None:
    verdicts = Verdicts(database)
    assert verdicts.get(b"one") is None

    verdicts.put(b"one", {"noise": 0.5})
    verdicts.put(b"other", {})
    set_clock(lambda: 2_000.0)
    verdicts.put(b"one", {"noise": 0.25, "seconds": 1.0})

    assert verdicts.get(b"one") == ({"noise": 0.25, "seconds": 1.0}, 2_000.0)
    assert verdicts.get(b"other") == ({}, 1_000.0)


def test_a_verdict_that_was_dropped_is_gone(database: Database) -> None:
    verdicts = Verdicts(database)
    verdicts.put(b"one", {})
    verdicts.put(b"other", {})

    verdicts.drop(b"one")
    verdicts.drop(b"one")

    assert verdicts.get(b"one") is None
    assert verdicts.get(b"other") is not None


@pytest.mark.parametrize("said", ["", "[1]", "{", "null", "[" * 100_000])
def test_what_cannot_be_read_is_none(database: Database, said: str) -> None:
    database.write("INSERT INTO verdicts (engine, said, at) VALUES (?, ?, ?)", b"one", said, 1.0)

    assert Verdicts(database).get(b"one") is None
