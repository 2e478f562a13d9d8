"""Every pane as a picture, narrow and wide, empty, running, done and failed.

Looked at by a person when they change: `pytest tests/tui/test_snapshots.py --snapshot-update`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.engine import Scorer
from memscope.base.job import Progress
from memscope.conversation.ablation import Ablation
from memscope.tui import app as app_module
from memscope.tui.app import MemscopeApp
from memscope.tui.progress import progress_words
from tests.fakes import (
    LATE,
    PNPM,
    TABS,
    FormulaEngine,
    Gate,
    assistant,
    fails_baseline,
    fails_without,
    office,
    talk,
    user,
)
from tests.tui.apps import PATIENCE, SIZES, console, demo, settled

PANES = ["matrix", "responses", "memories", "fine-tune"]


def scored_by(engine: FormulaEngine) -> MemscopeApp:
    app = console(office())
    app.workspace.engines.adopt(Scorer(engine))
    return app


@contextmanager
def running() -> Iterator[MemscopeApp]:
    """The baseline and one ablation have landed; the next is waited for."""
    with Gate(through=2) as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1))
        app.gate = gate  # type: ignore[attr-defined]
        yield app


STATES: dict[str, Callable[[], Any]] = {
    "empty": lambda: console(talk(user("Hello?"), assistant("Hello."))),
    "running": running,
    "done": lambda: console(demo()),
    "failed row": lambda: scored_by(FormulaEngine(before=fails_without(PNPM))),
    "failed": lambda: scored_by(FormulaEngine(before=fails_baseline(TABS, PNPM, LATE))),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("pane", PANES)
def test_pane(snap_compare: Any, monkeypatch: pytest.MonkeyPatch, pane: str, state: str, size: tuple[int, int]) -> None:
    monkeypatch.setattr(app_module, "progress_words", _at_three_seconds)
    with ExitStack() as stack:
        made = STATES[state]()
        app = made if isinstance(made, MemscopeApp) else stack.enter_context(made)
        assert snap_compare(app, terminal_size=size, run_before=lambda pilot: _come_to_rest(pilot, pane))


def _at_three_seconds(name: str, progress: Progress | None, _seconds: float, **more: int) -> str:
    return progress_words(name, progress, 3.0, **more)


async def _come_to_rest(pilot: Pilot[Any], pane: str) -> None:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    gate = getattr(app, "gate", None)
    if gate is not None:
        await asyncio.to_thread(gate.reached.wait, PATIENCE)
        run = app.workspace.run
        assert run is not None
        while len(run.missing()) > len(run.plan) - 2 or Ablation() in run.missing():
            await asyncio.sleep(0.01)
        app.go(pane)
        await pilot.pause(0.3)
        return
    await settled(pilot)
    app.go(pane)
    await settled(pilot)
    await pilot.pause(0.3)  # the words of a cell are looked up when the cursor has rested
    await settled(pilot)
    if app.workspace.cost is not None:
        app.workspace.cost = replace(app.workspace.cost, seconds=0.2)
        app.refresh_chrome()
    await pilot.pause()
