"""Sessions that teach something, and a console that reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from memscope.actions.kept import Kept
from memscope.tui.app import MemscopeApp
from memscope.tui.panes.insights.screen import InsightsScreen
from tests.tui.apps import console, settled

REASONING = "The queue is slow because every worker takes the same lock before it reads its batch of orders. "
FAILED = "fatal: not a git repository"


def teaching_session(
    folder: Path,
    name: str,
    *,
    day: int = 1,
    ask: str = "Release the shop",
    failures: Sequence[str] = (FAILED, FAILED),
    tools: Sequence[str] = ("Read", "Edit", "Bash"),
    reasoning: str = "",
) -> Path:
    """A transcript of Claude Code: calls of Bash that fail, then a sequence of `tools` that works, then reasoning."""
    lines: list[dict[str, Any]] = []

    def add(kind: str, **message: Any) -> None:
        number = len(lines)
        lines.append(
            {
                "parentUuid": lines[-1]["uuid"] if lines else None,
                "sessionId": name,
                "cwd": "/srv/shop",
                "uuid": f"{name}-{number}",
                "timestamp": f"2026-07-{day:02d}T10:{number:02d}:00.000Z",
                "type": kind,
                "message": {"role": kind, **message},
            }
        )

    def call(tool: str, answer: str, *, failed: bool = False) -> None:
        used = {"type": "tool_use", "id": f"call{len(lines)}", "name": tool, "input": {"command": "x"}}
        add("assistant", id=f"m{len(lines)}", content=[used])
        result = {"type": "tool_result", "tool_use_id": used["id"], "content": answer, "is_error": failed}
        add("user", content=[result])

    def say(text: str) -> None:
        add("assistant", id=f"m{len(lines)}", content=[{"type": "text", "text": text}])

    add("user", content=ask)
    for failure in failures:
        call("Bash", failure, failed=True)
    if failures:
        say("That does not work.")
        add("user", content=ask)
    for tool in tools:
        call(tool, "ok")
    say(reasoning or "Done.")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def two_sessions(folder: Path) -> Path:
    """One session with an error and a sequence, and one with the same error and reasoning."""
    teaching_session(folder, "s0", day=1)
    teaching_session(folder, "s1", day=2, tools=(), ask="Why is the queue slow?", reasoning=REASONING * 8)
    return folder


def insights_console(tmp_path: Path, kept: Kept | None = None, **settings: Any) -> MemscopeApp:
    """A console over the sessions in `talks`."""
    app = console(None, kept, store=kept is not None, **settings)
    app.folder = tmp_path / "talks"
    return app


async def at_insights(pilot: Pilot[Any]) -> InsightsScreen:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    app.go("insights")
    await settled(pilot)
    assert isinstance(app.screen, InsightsScreen)
    return app.screen


async def press(pilot: Pilot[Any], *groups: str) -> None:
    """Keys, with blanks between those that are pressed without waiting; each group once what came of the one before is
    shown."""
    for keys in groups:
        await pilot.press(*keys.split())
        await settled(pilot)


def texts(screen: InsightsScreen) -> list[str]:
    """The first word of each row."""
    return [row.text.split()[0] for row in screen.table.shown]


def states(screen: InsightsScreen) -> list[str]:
    return [row.state for row in screen.table.shown]
