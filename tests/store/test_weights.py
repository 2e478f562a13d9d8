"""Weights of memories: every one is kept, and the latest is the state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.store.database import Database
from memscope.store.weights import Weighed, Weights

ENGINE = b"engine"
ODD = "a key\ud800\n✓"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


def test_every_score_is_kept_in_order_and_conversations_and_engines_are_apart(
    database: Database, tmp_path: Path
) -> None:
    rows = [Weighed(10.0, 2.0, 2.0), Weighed(20.0, 4.0, 3.0)]
    here = Weights(database, "here", ENGINE)
    here.add(ODD, rows[0])
    here.add("other", Weighed(15.0, 0.0, 0.0))
    Weights(database, "there", ENGINE).add(ODD, Weighed(30.0, 9.0, 9.0))
    Weights(database, "here", b"another").add(ODD, Weighed(40.0, 7.0, 7.0))
    here.add(ODD, rows[1])
    again = Database(tmp_path)
    try:
        found = Weights(again, "here", ENGINE)
        assert found.histories() == {ODD: rows, "other": [Weighed(15.0, 0.0, 0.0)]}
        assert (found.history(ODD), found.history("no such")) == (rows, [])
    finally:
        again.close()
    assert Weights(database, "nowhere", ENGINE).histories() == {}


def test_order_is_that_of_writing_and_not_of_the_clock(database: Database) -> None:
    for at in (20.0, 10.0):
        Weights(database, "here", ENGINE).add("m", Weighed(at, 1.0, 1.0))
    assert [one.at for one in Weights(database, "here", ENGINE).history("m")] == [20.0, 10.0]


def test_a_row_that_cannot_be_read_is_passed_over(database: Database) -> None:
    here = Weights(database, "here", ENGINE)
    here.add("m", Weighed(1.0, 1.0, 1.0))
    insert = "INSERT INTO weights (conversation, engine, memory, at, score, weight) VALUES (?, ?, ?, ?, ?, ?)"
    for memory, at, score in (
        (b"m", 2.0, "damaged"),
        (b"n", 2.0, 9e999),
        (b"n", 9e99, 1.0),
        ("a text", 2.0, 1.0),
        (b"\xff", 2.0, 1.0),
    ):
        database.write(insert, b"here", ENGINE, memory, at, score, 1.0)
    assert here.histories() == {"m": [Weighed(1.0, 1.0, 1.0)]}
