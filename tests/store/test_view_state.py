from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.store.database import Database
from memscope.store.view_state import ViewState


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(tmp_path)
    yield store
    store.close()


def test_the_last_state_put_under_a_name_is_there_the_next_time(tmp_path: Path) -> None:
    database = Database(tmp_path)
    ViewState(database).put("view /a\udc80#0", {"sort": "key"})
    ViewState(database).put("view /a\udc80#0", {"sort": "strength", "threshold": 0.05, "title": "\ud800\0"})
    ViewState(database).put("view /b#0", {})
    database.close()
    database = Database(tmp_path)
    state = ViewState(database)
    assert state.get("view /a\udc80#0") == {"sort": "strength", "threshold": 0.05, "title": "\ud800\0"}
    assert state.get("view /b#0") == state.get("never put") == {}
    database.close()


@pytest.mark.parametrize("text", ["", "broken", "[1]", "3", "null", "[" * 100_000, b"{}", 7])
def test_what_cannot_be_read_is_empty_and_can_be_put_anew(text: object, database: Database) -> None:
    state = ViewState(database)
    state.put("pane", {"a": 1})
    database.write("UPDATE view_state SET state = ?", text)
    assert state.get("pane") == {}
    state.put("pane", {"a": 2})
    assert state.get("pane") == {"a": 2}
