"""The Insights pane as a picture, narrow and wide.

Looked at by a person when they change: `pytest tests/tui/panes/test_insight_pictures.py --snapshot-update`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.kept import Kept
from memscope.base.clock import set_clock
from memscope.store.database import Database
from tests.tui.panes.teaching import at_insights, insights_console, press, two_sessions

SIZES = [(80, 24), (140, 40)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A person's home folder, on a day that does not end."""
    monkeypatch.setenv("HOME", str(tmp_path))
    set_clock(lambda: 1_785_000_000.0)
    yield tmp_path
    set_clock(None)


STATES = {"empty": (), "decided": ("a", "r", "b b b")}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_picture(snap_compare: Any, tmp_path: Path, state: str, size: tuple[int, int]) -> None:
    if state == "empty":
        (tmp_path / "talks").mkdir()
    else:
        two_sessions(tmp_path / "talks")
    kept = Kept(Database(tmp_path / "store"))

    async def come_to_rest(pilot: Pilot[Any]) -> None:
        await at_insights(pilot)
        await press(pilot, *STATES[state])

    app = insights_console(tmp_path, kept)
    try:
        assert snap_compare(app, terminal_size=size, run_before=come_to_rest)
    finally:
        kept.close()
        assert kept.database is not None
        kept.database.close()
