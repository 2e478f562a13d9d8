from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.base.clock import set_clock
from memscope.store.database import Database
from memscope.store.recents import Recent, Recents


@pytest.fixture
def recents(database: Database) -> Iterator[Recents]:
    """With a clock that goes on by a second whenever it is asked."""
    times = iter(range(100, 1000))
    set_clock(lambda: float(next(times)))
    yield Recents(database)
    set_clock(None)


def test_the_latest_come_first_and_each_once(recents: Recents) -> None:
    recents.opened(Path("/a.json"), 0, None, "first")
    recents.opened("/b\udc80.json", 0, 2, "second \ud800", ("/m/CLAUDE.md", Path("/m\udcff")))
    recents.opened(Path("/a.json"), 1, 0, "an item of it")
    recents.opened(Path("/a.json"), 0, 1, "first again")
    again = Recent(Path("/a.json"), 0, 1, "first again", (), 103.0)
    item = Recent(Path("/a.json"), 1, 0, "an item of it", (), 102.0)
    memories = (Path("/m/CLAUDE.md"), Path("/m\udcff"))
    assert recents.latest(10) == [again, item, Recent(Path("/b\udc80.json"), 0, 2, "second \ud800", memories, 101.0)]
    assert recents.latest(2) == [again, item]
    assert recents.latest(0) == recents.latest(-1) == []


def test_a_row_that_cannot_be_read_is_left_out(recents: Recents, database: Database) -> None:
    recents.opened("/good.json", 0, None, "")
    recents.opened("/bad.json", 0, None, "")
    database.write("UPDATE recents SET about = 'broken' WHERE path = ?", b"/bad.json")
    recents.opened("/odd.json", 0, None, "")
    database.write(
        """UPDATE recents SET about = '{"window": "x", "title": 3, "memories": 4}' WHERE path = ?""", b"/odd.json"
    )
    assert [(r.path.name, r.window, r.title, r.memories) for r in recents.latest(9)] == [
        ("odd.json", None, "", ()),
        ("good.json", None, "", ()),
    ]
