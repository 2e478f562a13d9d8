"""The start screen: what is offered, how it is opened, and what a fresh machine is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.actions.kept import Kept
from memscope.actions.recent import Glimpse, recent_conversations
from memscope.base.clock import set_clock
from memscope.base.settings import Settings
from memscope.store.database import Database
from memscope.store.recents import Recents
from memscope.tui import palette
from memscope.tui.dialogs.prompt import Prompt
from memscope.tui.offered import how_long_ago
from memscope.tui.panes._start import StartScreen
from tests.tui.apps import SIZES, console, screen_text, settled

EVIL = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/] \u202eabc"
NOW = 1_700_000_000.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A person with a home folder of its own, on a day that does not end."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)
    set_clock(lambda: NOW)
    yield folder
    set_clock(None)


def session(home: Path, name: str, words: str, ago: float = 60) -> Path:
    """A session that an agent has left."""
    path = home / ".claude" / "projects" / "-work-ledgerly" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = [("user", words), ("assistant", [{"type": "text", "text": "Done."}])]
    path.write_text(
        "".join(
            json.dumps(
                {
                    "type": role,
                    "uuid": f"{name}-{number}",
                    "parentUuid": f"{name}-{number - 1}" if number else None,
                    "sessionId": name,
                    "timestamp": "2025-01-01T00:00:00Z",
                    "message": {"role": role, "content": content},
                }
            )
            + "\n"
            for number, (role, content) in enumerate(said)
        )
    )
    os.utime(path, (NOW - ago, NOW - ago))
    return path


def opened_before(tmp_path: Path, *paths: Path, title: str = "before", memories: tuple[str, ...] = ()) -> Kept:
    """What the console remembers of these."""
    kept = Kept(Database(tmp_path / "store"))
    assert kept.database is not None
    for path in paths:
        Recents(kept.database).opened(path, 0, None, title, memories)
    return kept


async def at_start(pilot: Pilot[Any]) -> StartScreen:
    await settled(pilot)
    await settled(pilot)  # titles are looked for when the rows are there
    screen = pilot.app.screen
    assert isinstance(screen, StartScreen)
    return screen


@pytest.mark.parametrize("size", SIZES)
async def test_a_fresh_machine_is_told_what_to_do(size: tuple[int, int]) -> None:
    app = console(None)
    async with app.run_test(size=size) as pilot:
        screen = await at_start(pilot)
        assert "No conversations were found" in str(screen.query_one("#start-words", Static).content)
        shown = screen_text(app)
        assert "a bundled conversation" in shown
        assert "Open a path" in shown


async def test_enter_opens_the_demo() -> None:
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_start(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert app.workspace.conversation is not None
        assert app.workspace.conversation.title.startswith("ledgerly")
        assert app.current_mode in app.panes


@pytest.mark.parametrize("size", SIZES)
async def test_what_agents_left_is_listed_newest_first_with_titles_read_in_the_background(
    home: Path, size: tuple[int, int]
) -> None:
    session(home, "older", "Rename the totals", ago=7200)
    session(home, "newer", "Add reminders")
    app = console(None)
    async with app.run_test(size=size) as pilot:
        screen = await at_start(pilot)
        offers = screen.table.shown
        assert [offer.title for offer in offers[:-1]] == ["Add reminders", "Rename the totals"]
        shown = screen_text(app)
        assert "Add reminders" in shown
        assert "claude-code" in shown
        assert "2 h" in shown
        assert "0 opened before, 2 found" in shown


async def test_only_what_is_on_the_screen_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        session(home, f"s{number:02}", f"Task {number}", ago=60 + number)
    read: list[Path] = []

    def look(path: Path) -> Glimpse:
        read.append(path)
        return Glimpse(f"title of {path.stem}")

    monkeypatch.setattr("memscope.actions.recent.glimpse", look)
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_start(pilot)
        assert 10 < len(read) < 30
        await pilot.press("G")
        await at_start(pilot)
        assert screen.table.shown[59].title == "title of s59"
        assert len(read) == len(set(read)) < 60


async def test_what_was_opened_before_comes_first_and_is_opened_as_it_was(home: Path, tmp_path: Path) -> None:
    path, other = session(home, "mine", "Add reminders", ago=9000), session(home, "other", "Rename")
    app = console(None, opened_before(tmp_path, path, title="My title"))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_start(pilot)
        assert [offer.title for offer in screen.table.shown[:-1]] == ["My title", "Rename"]
        assert "1 opened before, 1 found" in screen_text(app)
        await pilot.press("enter")
        await settled(pilot)
        assert app.workspace.conversation is not None
        assert app.workspace.conversation.source is not None
        assert app.workspace.conversation.source.path == path
        app.leave()
    assert other.exists()


async def test_the_format_of_what_was_opened_elsewhere_is_looked_for(tmp_path: Path) -> None:
    talk = tmp_path / "talk.json"
    talk.write_text('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]')
    app = console(None, opened_before(tmp_path, talk, title="My title"))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_start(pilot)
        assert [(offer.title, offer.format) for offer in screen.table.shown[:-1]] == [("My title", "openai")]
        assert "openai" in screen_text(app)
        app.leave()


@pytest.mark.parametrize("words", ["NEWER.jsonl", "work-ledgerly add", "claude-code newer"])
async def test_search_looks_at_the_name_of_the_file_too(home: Path, words: str) -> None:
    session(home, "newer", "Add reminders"), session(home, "older", "Rename totals", ago=7200)
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_start(pilot)
        await pilot.press("slash", *[{" ": "space"}.get(sign, sign) for sign in words], "enter")
        await settled(pilot)
        assert [offer.title for offer in screen.table.shown] == ["Add reminders"]


async def test_the_bar_says_where_one_is() -> None:
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_start(pilot)
        assert screen_text(app).startswith(" Conversations ")
        await pilot.press("enter")
        await settled(pilot)
        assert "Conversations" not in screen_text(app).splitlines()[0]


async def test_search_sort_and_copy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer, older = session(home, "newer", "Add reminders"), session(home, "older", "Rename totals", ago=7200)
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _, text: copied.append(text))
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_start(pilot)
        await pilot.press("slash", *"totals", "enter")
        await settled(pilot)
        assert [offer.title for offer in screen.table.shown] == ["Rename totals"]
        await pilot.press("y")
        assert copied == [str(older)]
        await pilot.press("escape")
        await settled(pilot)
        assert len(screen.table.shown) == 3
        await pilot.press("s")
        assert screen.table.sort is not None
        assert newer.exists()


async def test_a_path_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "talk.json").write_text('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]')
    monkeypatch.chdir(tmp_path)
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_start(pilot)
        await pilot.press("o", *"tal", "enter")
        assert isinstance(app.screen, Prompt)
        assert "no such file" in str(app.screen.query_one(".trouble", Static).content)
        await pilot.pause()
        await pilot.press("right", "enter")
        await settled(pilot)
        assert app.workspace.conversation is not None
        assert app.workspace.conversation.title == "Hi"


async def test_titles_and_folders_are_only_text(home: Path, tmp_path: Path) -> None:
    path = session(home, "evil", EVIL)
    evil_file = home / f"{EVIL.replace('/', '')}.json"
    evil_file.write_text("[]")
    app = console(None, opened_before(tmp_path, evil_file, title=EVIL))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_start(pilot)
        assert [offer.recent.path for offer in screen.table.shown if offer.recent] == [evil_file, path]
        shown = screen_text(app)
        assert "PWNED" in shown
        assert "[@click=app.quit]x[/]" in shown
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)


async def test_a_store_that_cannot_be_read_leaves_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        from memscope.base.errors import StoreError

        raise StoreError("the store is broken", do="Mend it.")

    monkeypatch.setattr("memscope.actions.recent.recent_conversations", broken)
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_start(pilot)
        assert "the store is broken. Mend it." in screen_text(app)
        assert len(screen.table.shown) == 1


@pytest.mark.parametrize(
    ("ago", "words"),
    [(0, "now"), (59, "now"), (61, "1 min"), (3599, "59 min"), (7200, "2 h"), (86_400, "1 d"), (13 * 86_400, "13 d")],
)
def test_how_long_ago(ago: float, words: str) -> None:
    assert how_long_ago(NOW - ago) == words


def test_long_ago_is_a_day() -> None:
    assert how_long_ago(NOW - 400 * 86_400).startswith("2022-")


async def test_ctrl_q_leaves_from_a_dialog_too(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(None)
    left: list[bool] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await at_start(pilot)
        monkeypatch.setattr(app, "leave", lambda: left.append(True))
        await pilot.press("o", "q", "ctrl+q")
        assert isinstance(app.screen, Prompt)
        assert left == [True]


@pytest.mark.parametrize("by_palette", [False, True])
async def test_memory_files_that_are_gone_are_left_out_and_said(home: Path, tmp_path: Path, by_palette: bool) -> None:
    path, there = session(home, "mine", "Add reminders"), tmp_path / "there.md"
    there.write_text("# A fact\n\nThe staging server listens on port 7741.\n")
    gone = (str(home / "gone.md"), str(home / f"{EVIL.replace('/', '')}.md"))
    app = console(None, opened_before(tmp_path, path, title="Mine", memories=(str(there), *gone)))
    async with app.run_test(size=(120, 36)) as pilot:
        await at_start(pilot)
        if by_palette:
            (recent,) = recent_conversations(app.workspace.kept.database)
            palette.MemscopeCommands(app.screen)._open(recent)
        else:
            await pilot.press("enter")
        await settled(pilot)
        shown = screen_text(app)
        assert "2 memory files are gone and left out: ~/gone.md" in shown
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)
        assert app.workspace.opened is not None
        assert app.workspace.opened.opening.memories == (there,)
        app.leave()


async def test_other_glyphs_reach_the_table_at_once() -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_start(pilot)
        await pilot.press("s")
        await pilot.pause()
        assert "▲" in screen_text(app) or "▼" in screen_text(app)
        await pilot.press("comma", "g", *["j"] * list(Settings.model_fields).index("glyphs"), "enter")
        await pilot.press(*"ascii", "enter", "escape")
        await settled(pilot)
        assert isinstance(app.screen, StartScreen)
        assert app.workspace.settings.glyphs == "ascii"
        assert not {"▲", "▼"} & set(screen_text(app))
