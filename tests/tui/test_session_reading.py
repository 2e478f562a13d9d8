"""Reading a session in the console: at its evidence, from failure to failure, and on to opening it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.sessions.facts import Evidence
from memscope.sessions.ranked import Place
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.export import Export
from memscope.tui.panes import _session
from memscope.tui.panes._session import SessionScreen
from memscope.tui.widgets.words import Words
from tests.actions.test_reading import said, session
from tests.tui.apps import SIZES, console, demo, held_back, screen_text, settled, shows

FAILED = Evidence(0, 2, 3, "Exit code 2 no such…")


async def read(pilot: Pilot[Any], path: Path, evidence: Evidence | None = None, item: int = 0) -> SessionScreen:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    app.read_session(Place(str(path), item), evidence, "failure" if evidence is not None else "")
    await settled(pilot)
    assert isinstance(app.screen, SessionScreen)
    return app.screen


async def press(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def told(screen: SessionScreen, what: str) -> str:
    return screen.query_one(f"#session-{what}", Words).told


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_shown_at_the_evidence_and_leads_back(tmp_path: Path, size: tuple[int, int]) -> None:
    app = console(demo())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.go("memories")
        await press(pilot, "j", "j")
        before = app.workspace.memory
        screen = await read(pilot, session(tmp_path / "s.jsonl"), FAILED)
        shown = screen_text(app)
        assert "s.jsonl" in told(screen, "place")
        assert told(screen, "facts").startswith("window 1 of 2 ([ ]) · 4 messages · 2 responses · 1 memory · 1 failure")
        assert told(screen, "evidence") == "failure: Exit code 2 no such…"
        assert "no such test" in shown and "exit 2" in shown  # the result is unfolded
        assert screen.transcript.place == (2, 0)
        found = screen.transcript.style_of("transcript--found")
        drawn = screen.transcript.render_line(screen.transcript.cursor - int(screen.transcript.scroll_offset.y))
        assert any(segment.style and segment.style.underline for segment in drawn) and found.underline
        assert app.workspace.opened is not None and app.workspace.opened.conversation.title != "s"
        await press(pilot, "escape")
        assert (app.current_mode, app.workspace.memory) == ("memories", before)


async def test_the_line_is_found_whose_words_stand_behind_a_code(tmp_path: Path) -> None:
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await read(pilot, session(tmp_path / "s.jsonl"), FAILED._replace(text="exit code 2: no such test"))
        line = screen.transcript.render_line(screen.transcript.cursor - int(screen.transcript.scroll_offset.y))
        assert line.text.strip() == "no such test"


async def test_keys_lead_from_failure_to_failure_and_to_memories_and_responses(tmp_path: Path) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await read(pilot, session(tmp_path / "s.jsonl"))
        assert "[ Window before  ] Next window" in screen_text(app)
        places, lines = [], []
        for key in ("f", "f", "f", "f", "F", "F"):
            await press(pilot, key)
            places.append((_window(screen), screen.transcript.place[0]))
            lines.append(told(screen, "evidence"))
        assert places == [(0, 2), (1, 2), (1, 3), (0, 2), (1, 3), (1, 2)]
        assert lines[2] == "failure 2 of 2: broken off: [Request interrupted by user]"
        assert "failure 1 of 2, in" not in screen_text(app)
        await press(pilot, "g", "a")
        assert (screen.transcript.place[0], told(screen, "evidence")) == (2, "")
        await press(pilot, "a", "a")
        assert (_window(screen), screen.transcript.place[0]) == (0, 1)  # round the end
        assert "response 1 of 2, in window 1 of 2" in screen_text(app)
        await press(pilot, "right_square_bracket", "M")
        assert (_window(screen), screen.transcript.place) == (0, (0, 0))
        await press(pilot, "M")
        assert "memory 1 of 1, round the end" in screen_text(app)
        await press(pilot, "left_square_bracket")
        assert "there is no other context window on that side" in screen_text(app)
        await press(pilot, "right_curly_bracket")
        assert "there is no other conversation on that side" in screen_text(app)


def _window(screen: SessionScreen) -> int:
    source = screen.transcript.conversation.source
    assert source is not None
    return source.window


async def test_enter_opens_it_at_the_same_message_and_escape_leads_back_to_reading(tmp_path: Path) -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await read(pilot, session(tmp_path / "s.jsonl"), FAILED._replace(message=3, text=""))
        place = screen.transcript.place
        await press(pilot, "enter")
        conversation = app.workspace.conversation
        assert conversation is not None and conversation.source is not None
        assert (conversation.source.path.name, conversation.source.window) == ("s.jsonl", 0)
        assert (app.current_mode, app.workspace.response) == ("responses", 3)
        await press(pilot, "escape")
        assert (app.screen, screen.transcript.place) == (screen, place)
        await press(pilot, "escape")
        assert app.current_mode == "start"


async def test_words_are_found_and_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _app, text: copied.append(text))
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await read(pilot, session(tmp_path / "s.jsonl"))
        await press(pilot, "right_square_bracket")
        await press(pilot, "slash", *"trying", "enter", "y", "m")  # m marks memories elsewhere, and does nothing here
        assert (screen.transcript.place[0], copied) == (2, ["Trying.\nStill trying."])
        await press(pilot, "n")
        assert screen.transcript.place[0] == 2
        await press(pilot, "slash", *"nowhere")
        assert "not in this context window; [ and ] lead to the others" in screen_text(app)


@pytest.mark.parametrize("key", ["x", "escape"])
async def test_reading_is_stopped_by_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    gate = held_back(monkeypatch, _session, "read_session")
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.read_session(Place(str(session(tmp_path / "s.jsonl")), 0))
        await shows(pilot, "The session is being read.")
        await pilot.press(key)
        gate.set()
        await settled(pilot)
        if key == "x":
            assert "The session was not read; Esc leads back." in screen_text(app)
        assert (app.current_mode == "start") == (key == "escape")
        app.read_session(Place(str(tmp_path / "s.jsonl"), 0))
        await settled(pilot)
        assert "There is no such test." in screen_text(app)


async def test_what_cannot_be_read_says_what_and_where_and_what_to_do(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot, bad)
        shown = " ".join(screen_text(app).split())
        assert "this is no transcript" in shown and "bad.jsonl" in shown and "Esc leads back." in shown
        screen = await read(pilot, session(tmp_path / "s.jsonl"), Evidence(1, 99, 0, "gone"))
        assert "the place is not there any more" in screen_text(app)
        assert screen.transcript.message == 0


async def test_of_a_file_without_messages_the_words_that_were_kept_are_shown(tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text('{"messages": []}')
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await read(pilot, empty, Evidence(0, 0, 3, "Rate limit exceeded"))
        assert told(screen, "evidence") == "failure: line 3: Rate limit exceeded"


async def test_a_file_of_it_has_its_name_and_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = console(demo())
    app.folder = tmp_path
    async with app.run_test(size=(120, 36)) as pilot:
        await read(pilot, session(tmp_path / "s.jsonl"))
        await press(pilot, "e")
        assert isinstance(app.screen, Export)
        await press(pilot, "enter")
        (written,) = tmp_path.glob("memscope-session-memory-key-port*.txt")
        assert "#3 assistant\nThere is no such test.\n" in written.read_text()
        await press(pilot, "R")
        assert "nothing here answers this key" in screen_text(app)
        await press(pilot, "5")
        await press(pilot, "e")
        assert "memscope-sessions.json" in screen_text(app)


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/]\u202e"
    path = tmp_path / "[bold]\x1b[31m.jsonl"
    path.write_text(json.dumps({"messages": [{"role": "user", "content": evil}]}))
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        await read(pilot, path, Evidence(0, 0, 1, evil))
        shown = screen_text(app)
        assert "PWNED" in shown and "[@click=app.quit]" in shown
        assert not set("\x1b\x07\u202e") & set(shown)


async def test_conversations_of_a_file_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    lines = ({"messages": [{"role": "user", "content": f"Question {n}?"}]} for n in range(3))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await read(pilot, path, item=1)
        assert "conversation 2 of 3" in told(screen, "facts")
        await press(pilot, "right_curly_bracket")
        assert "conversation 3 of 3" in told(screen, "facts") and "Question 2?" in screen_text(app)


async def test_a_session_that_has_grown_is_read_anew(tmp_path: Path) -> None:
    path = session(tmp_path / "s.jsonl")
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await read(pilot, path)
        await press(pilot, "G")
        place = screen.transcript.place
        await read(pilot, path)
        assert screen.transcript.place == place  # the same, and nobody asked for another place
        session(path, json.dumps({"uuid": "x", "parentUuid": "u12", **said("user", "And now?")}))
        await read(pilot, path)
        await press(pilot, "right_square_bracket")
        assert "7 messages" in told(screen, "facts")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.chdir(tmp_path)
    session(tmp_path / "s.jsonl")

    async def come_to_rest(pilot: Pilot[Any]) -> None:
        await read(pilot, Path("s.jsonl"), FAILED)

    assert snap_compare(console(demo()), terminal_size=size, run_before=come_to_rest)
