"""`y` in every pane on a conversation that attacks: what is copied is what stands in the source, and nothing breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from memscope.actions.open import Opening, opened
from memscope.base.settings import resolve
from memscope.tui.pane import PaneScreen
from tests.tui.apps import console, settled
from tests.tui.hostile import EVIL, hostile_file


@pytest.mark.parametrize("pane", ["matrix", "responses", "memories"])
async def test_hostile_text_is_copied_as_it_is(pane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memscope.tui.clipboard._PROGRAMS", ())
    app = console(opened(Opening(hostile_file(tmp_path)), resolve({"store": False}).settings))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        app.go(pane)
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, PaneScreen)
        whole = EVIL.encode("utf-8", "replace").decode()
        seen = 0
        for _ in range(4):
            await pilot.press("y")
            await settled(pilot)
            copied = screen.copied()
            assert copied is not None
            assert app.clipboard == copied.encode("utf-8", "replace").decode()
            seen += whole in app.clipboard
            await pilot.press("j")
            await settled(pilot)
        assert seen


async def test_a_hostile_path_is_copied_from_the_start_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memscope.tui.clipboard._PROGRAMS", ())
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, PaneScreen)
        monkeypatch.setattr(type(screen), "copied", lambda _: str(hostile_file(tmp_path)) + "\udcff")
        await pilot.press("y")
        await settled(pilot)
        assert app.clipboard == str(hostile_file(tmp_path)) + "?"
