"""The command palette: everything that can be done here, by name, and nothing that acts by being listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from memscope.actions.kept import Kept
from memscope.store.database import Database
from memscope.store.recents import Recents
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.settings import SettingsDialog
from tests.tui.apps import SIZES, console, screen_text, settled

EVIL = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/] [b + \u202eabc"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)


async def listed(pilot: Pilot[Any], typed: str = "") -> list[str]:
    """Opens the palette over the start screen and types; the first lines of what is listed."""
    await settled(pilot)
    await pilot.press("colon")
    await settled(pilot)
    assert isinstance(pilot.app.screen, CommandPalette)
    pilot.app.screen.query_one(Input).value = typed
    await settled(pilot)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    options = pilot.app.screen.query_one(OptionList)
    return [str(options.get_option_at_index(i).prompt).splitlines()[0] for i in range(options.option_count)]


@pytest.mark.parametrize("size", SIZES)
async def test_what_can_be_done_here_and_the_panes_are_offered_at_once(size: tuple[int, int]) -> None:
    app = console(None)
    async with app.run_test(size=size) as pilot:
        names = await listed(pilot)
        assert "Open a path (o)" in names
        assert "Settings (,)" in names
        assert {f"Pane: {pane.name}" for pane in app.panes.values()} <= set(names)
        assert not any(name.startswith(("Theme:", "Commands", "Up ")) for name in names)
        assert len(names) == len(set(names))


async def test_an_action_is_found_by_its_tip_and_done() -> None:
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        names = await listed(pilot, "change the settings")
        assert names == ["Settings (,)"]
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, SettingsDialog)


async def test_remapped_keys_are_shown() -> None:
    app = console(None)
    app.set_keymap({"settings": "f4"})
    async with app.run_test(size=(80, 24)) as pilot:
        assert "Settings (f4)" in await listed(pilot, "settings")


async def test_a_theme_is_found_and_taken() -> None:
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        assert (await listed(pilot, "theme: nord"))[0] == "Theme: nord"
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.theme == "nord"


async def test_a_conversation_opened_before_is_found_by_its_title_which_is_only_text(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]')
    kept = Kept(Database(tmp_path / "store"))
    assert kept.database is not None
    Recents(kept.database).opened(path, 0, None, f"Zyqqx {EVIL}")
    app = console(None, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        names = await listed(pilot, "zyqqx")
        assert len(names) == 1
        assert names[0].startswith("Open: Zyqqx ␛]0;PWNED␇ [/red] [@click")
        assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(app))
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.workspace.conversation is not None
        assert app.workspace.conversation.source is not None
        assert app.workspace.conversation.source.path == path
        assert isinstance(app, MemscopeApp)
        app.leave()
