"""A conversation without memories: what could be scored in their place is counted beside the screen."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from memscope.actions import nearby
from memscope.actions.nearby import SourceCounts
from memscope.base.errors import SourceError
from memscope.conversation.model import Conversation, Message, Text, ToolResult
from tests.tui.apps import console, screen_text, settled

TALK = Conversation(
    (
        Message("user", (Text("Find it."),)),
        Message("tool", (ToolResult("1", "here"),)),
        Message("assistant", (Text("Found."),)),
    )
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)


async def test_sources_are_counted_beside_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[threading.Thread] = []
    count = nearby.count_sources

    def counting(conversation: Conversation) -> SourceCounts:
        where.append(threading.current_thread())
        return count(conversation)

    monkeypatch.setattr(nearby, "count_sources", counting)
    app = console(TALK)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert "score tool results (1)" in screen_text(app)
        assert "score user turns (1)" in screen_text(app)
        assert threading.current_thread() not in where
        assert len(where) == 1


async def test_sources_are_offered_where_looking_for_files_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Conversation) -> None:
        raise SourceError("nothing can be read")

    monkeypatch.setattr(nearby, "nearby_memories", broken)
    app = console(TALK)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert "score tool results (1)" in screen_text(app)
        assert "nothing can be read" in screen_text(app)
