"""Weights of memories: every one is kept, and the latest is the state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.store.database import Database
from memscope.store.weights import Weighed, Weights

ODD = "a key\ud800\n✓"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


def test_every_score_is_kept_in_order_and_conversations_are_apart(database: Database, tmp_path: Path) -> None:
    rows = [Weighed(10.0, 2.0, 2.0), Weighed(20.0, 4.0, 3.0)]
    Weights(database).add("here", ODD, rows[0])
    Weights(database).add("here", "other", Weighed(15.0, 0.0, 0.0))
    Weights(database).add("there", ODD, Weighed(30.0, 9.0, 9.0))
    Weights(database).add("here", ODD, rows[1])
    again = Database(tmp_path)
    try:
        assert Weights(again).histories("here") == {ODD: rows, "other": [Weighed(15.0, 0.0, 0.0)]}
    finally:
        again.close()
    assert Weights(database).histories("nowhere") == {}


def test_order_is_that_of_writing_and_not_of_the_clock(database: Database) -> None:
    for at in (20.0, 10.0):
        Weights(database).add("here", "m", Weighed(at, 1.0, 1.0))
    assert [one.at for one in Weights(database).histories("here")["m"]] == [20.0, 10.0]


def test_a_row_that_cannot_be_read_is_passed_over(database: Database) -> None:
    Weights(database).add("here", "m", Weighed(1.0, 1.0, 1.0))
    insert = "INSERT INTO weights (conversation, memory, at, score, weight) VALUES (?, ?, ?, ?, ?)"
    database.write(insert, b"here", b"m", 2.0, "damaged", 1.0)
    database.write(insert, b"here", b"n", 2.0, 9e999, 1.0)
    assert Weights(database).histories("here") == {"m": [Weighed(1.0, 1.0, 1.0)]}
