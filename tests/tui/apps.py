"""Consoles for tests: over a conversation of one's own, with nothing kept, and waited for."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.kept import Kept
from memscope.actions.open import Opened, Opening, demo_opening, opened
from memscope.base.settings import resolve
from memscope.conversation.model import Conversation
from memscope.tui.app import MemscopeApp

SIZES = [(80, 24), (120, 36)]
PATIENCE = 20.0  # seconds


def console(first: Conversation | Opening | Opened | None, kept: Kept | None = None, **settings: Any) -> MemscopeApp:
    """A console over a conversation; by default with the embedded engine and no store."""
    if isinstance(first, Conversation):
        first = Opened(Opening(Path("none.json")), first, first, first)
    app = MemscopeApp(resolve({"store": False, **settings}), kept or Kept(None), first)
    app.animation_level = "none"
    return app


def demo() -> Opened:
    """The bundled conversation."""
    return opened(demo_opening(), resolve({"store": False}).settings)


async def settled(pilot: Pilot[Any]) -> None:
    """Waits until every key is answered, nothing runs in the background, and what came of it is painted."""
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    patience = time.monotonic() + PATIENCE
    await pilot.pause()
    while app.type_ahead.busy or app.workspace.background.busy:
        assert time.monotonic() < patience, [task.name for task in app.workspace.background._tasks.values()]
        await asyncio.sleep(0.005)
    await pilot.pause()


async def shows(pilot: Pilot[Any], words: str) -> None:
    """Waits until the screen shows words, with work still on its way behind it."""
    patience = time.monotonic() + PATIENCE
    assert isinstance(pilot.app, MemscopeApp)
    while words not in screen_text(pilot.app):
        assert time.monotonic() < patience, f"{words!r} was not shown:\n{screen_text(pilot.app)}"
        await pilot.pause(0.02)


def held_back(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> threading.Event:
    """A function of a module that is done only once the event is set."""
    gate, really = threading.Event(), getattr(module, name)

    def slow(*arguments: Any, **named: Any) -> Any:
        assert gate.wait(PATIENCE)
        return really(*arguments, **named)

    monkeypatch.setattr(module, name, slow)
    return gate


def screen_text(app: MemscopeApp) -> str:
    """What the screen shows, as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip)[:width] for strip in lines[:height])


def path_of(folder: Path, name: str, text: str) -> Path:
    """A file with a text, for a console to open."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
