"""Keys that come faster than they are answered."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from memscope.tui import type_ahead
from memscope.tui.type_ahead import Answered, TypeAhead
from tests.tui.apps import console, demo, settled


async def rush(pilot: Pilot[Any], keys: str) -> None:
    """All keys at once, as from a paste or a slow line."""
    for key in keys.split():
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await settled(pilot)


async def test_keys_find_the_pane_that_the_one_before_them_leads_to() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await rush(pilot, "1 j")
        first = app.workspace.memory
        await rush(pilot, "j 2 3 1 k")
        assert app.workspace.memory == first
        before = app.workspace.response
        await rush(pilot, "2 j")
        assert app.workspace.response != before


async def test_keys_find_the_dialog_that_the_one_before_them_opens() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await rush(pilot, "t ctrl+u 5 enter 2 j")
        assert app.workspace.view.threshold == 5
        assert app.workspace.response == 4


async def test_when_one_key_hangs_the_others_go_on_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type_ahead, "_PATIENCE", 0.2)
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(TypeAhead, "_follow", lambda *_, **__: None)
        gave_up, late = TypeAhead._give_up, []
        monkeypatch.setattr(TypeAhead, "_give_up", lambda ahead, turn: (late.append(turn), gave_up(ahead, turn)))
        await rush(pilot, "3 2 1 3")
        assert app.current_mode == "memories"
        assert len(late) == 2  # the first key's patience, and the last one's


async def test_a_dialog_that_closes_gives_keys_back() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await rush(pilot, "t escape 3 question_mark escape 2")
        assert app.current_mode == "responses"
        app.post_message(Answered(0))  # of a turn that is long over
        await rush(pilot, "1")
        assert app.current_mode == "matrix"
