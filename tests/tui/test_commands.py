"""What the palette can do beside the keys, and what ends the console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from memscope.actions.open import Opening
from memscope.tui.app import MemscopeApp
from memscope.tui.commands import commands
from memscope.tui.screens import START
from tests.tui.apps import console, demo, settled

SIZE = (100, 30)


def do(app: MemscopeApp, name: str) -> None:
    next(command for command in commands(app) if command.name == name).do()


def two_conversations(folder: Path) -> Path:
    """A file of two conversations, each with a memory file's worth of talk."""
    path = folder / "two.jsonl"
    talks = [
        {
            "title": f"talk {n}",
            "messages": [{"role": "user", "content": f"Port {n}?"}, {"role": "assistant", "content": "7741"}],
        }
        for n in range(2)
    ]
    path.write_text("".join(json.dumps(talk) + "\n" for talk in talks))
    return path


async def test_the_conversations_of_a_file_are_stepped_through(tmp_path: Path) -> None:
    app = console(Opening(two_conversations(tmp_path)))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for keys, item in (("}", 1), ("}", 1), ("{", 0), ("{", 0)):
            await pilot.press(*keys)
            await settled(pilot)
            assert app.workspace.conversation is not None
            assert app.workspace.conversation.source is not None
            assert app.workspace.conversation.source.item == item
        do(app, "Next conversation")
        await settled(pilot)
        assert app.workspace.conversation.source.item == 1


async def test_memory_files_are_added_to_what_is_open_and_remembered(tmp_path: Path) -> None:
    memory = tmp_path / "CLAUDE.md"
    memory.write_text("# Ports\n\n- The staging server listens on port 7741, and on no other port.\n")
    app = console(Opening(two_conversations(tmp_path)))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert app.workspace.conversation is not None and not app.workspace.conversation.memories
        do(app, "Add memory files")
        await pilot.pause()
        app.screen.query_one(Input).value = str(tmp_path / "nosuch.md")
        await pilot.press("enter")
        await pilot.pause()
        assert app.workspace.opened is not None and not app.workspace.opened.opening.memories
        app.screen.query_one(Input).value = str(memory)
        await pilot.press("enter")
        await settled(pilot)
        assert len(app.workspace.conversation.memories) == 1
        assert app.workspace.phase == "done"


async def test_tool_results_and_turns_become_sources_and_are_no_more() -> None:
    app = console(demo())
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert app.workspace.conversation is not None
        before = len(app.workspace.conversation.memories)
        do(app, "Sources: turns")
        await settled(pilot)
        assert len(app.workspace.conversation.memories) > before
        do(app, "Sources: memories")
        await settled(pilot)
        assert len(app.workspace.conversation.memories) == before
        assert not [command for command in commands(app) if command.name == "Sources: memories"]


async def test_back_leads_to_the_conversations_in_the_end_and_from_there_to_what_is_open() -> None:
    app = console(demo())
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("3", "escape", "escape")
        await pilot.pause()
        assert app.current_mode == START
        await pilot.press("escape")
        await pilot.pause()
        assert app.current_mode == "matrix"


async def test_a_key_without_an_answer_says_so() -> None:
    app = console(demo())
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for key, words in (("x", "nothing runs"), ("9", "there is no such pane"), ("R", "nothing is missing")):
            await pilot.press(key)
            await pilot.pause()
            assert app._said[0] == words


async def test_a_bug_in_a_thread_ends_the_console_and_is_not_swallowed() -> None:
    app = console(demo())
    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            app.workspace.background.start("bug", "a bug", lambda job: 1 // 0, lambda _: None, lambda _: None)
            await pilot.pause(0.3)
