"""What the console's tests share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import CSSLocation, Stylesheet
from textual.pilot import Pilot

from memscope.actions.kept import Kept
from memscope.store.database import Database
from memscope.tui.app import MemscopeApp


@pytest.fixture(scope="session", autouse=True)
def _style_sheets_are_parsed_once() -> Iterator[None]:
    """The same sheets are read by every console, which is a fifth of what it takes to open one."""
    parse, parsed = Stylesheet._parse_rules, {}

    def parsed_once(
        sheet: Stylesheet,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        what = (css, read_from, is_default_rules, tie_breaker, scope)
        key = (*what, frozenset(sheet._variables.items()))
        if key not in parsed:
            parsed[key] = parse(sheet, *what)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_key_is_waited_for() -> Iterator[None]:
    """The toolkit takes it that all is done once the process does little, as it also does where others have the
    machine; here no message may wait either."""
    press, pause = Pilot.press, Pilot.pause

    async def pressed(pilot: Pilot[Any], *keys: str) -> None:
        await press(pilot, *keys)
        await _quiet(pilot.app)

    async def paused(pilot: Pilot[Any], delay: float | None = None) -> None:
        await pause(pilot, delay)
        await _quiet(pilot.app)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pilot, "press", pressed)
        patch.setattr(Pilot, "pause", paused)
        yield


@pytest.fixture
def kept(database: Database) -> Iterator[Kept]:
    """What lasts, on disk."""
    found = Kept(database)
    yield found
    found.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person with a home folder of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


async def _quiet(app: App[Any], patience: float = 5.0) -> None:
    """Until no widget has a message to see to, several times in a row; an app that fails never gets there."""
    rounds, until = 0, time.monotonic() + patience
    while app.is_running and rounds < 3 and time.monotonic() < until and not app._exception_event.is_set():
        waits = any(pump._running and not pump._message_queue.empty() for pump in (app, *app._registry))
        rounds = 0 if waits or (isinstance(app, MemscopeApp) and app.type_ahead.busy) else rounds + 1
        await asyncio.sleep(0)
