"""Sessions in which the same is asked again and again, and a console that looks for that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from memscope.actions.kept import Kept
from memscope.tui.app import MemscopeApp
from memscope.tui.panes.promotions.screen import PromotionsScreen
from tests.tui.apps import console, settled

Ask = tuple[str, Sequence[str]]
"""What a person asks, and the tools that are called for it."""

TESTS = "Run the unit tests and fix whatever fails in module {}, please"
RELEASE = "Bump the version number, update the changelog and tag release {}"
ONCE = (
    "Explain how garbage collection works in Go",
    "Draw a diagram of the billing service",
    "Which port does the staging database use?",
    "Translate the onboarding page to French",
)


def session_file(folder: Path, name: str, asks: Sequence[Ask], day: int = 1) -> Path:
    """A transcript of Claude Code in which this is asked."""
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

    for asked, tools in asks:
        add("user", content=asked)
        for tool in tools:
            call = f"call{len(lines)}"
            used = {"type": "tool_use", "id": call, "name": tool, "input": {"command": "x"}}
            add("assistant", id=f"m{len(lines)}", content=[used])
            add("user", content=[{"type": "tool_result", "tool_use_id": call, "content": "ok"}])
        add("assistant", id=f"m{len(lines)}", content=[{"type": "text", "text": "Done."}])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def sessions(folder: Path, *asks: str, count: int = 4) -> Path:
    """So many sessions in which all of `asks`, with the session's number in them, and something else are asked."""
    for number in range(count):
        asked: list[Ask] = [(ask.format(number), ()) for ask in asks]
        session_file(folder, f"s{number}", [*asked, (ONCE[number % len(ONCE)], ())], day=number + 1)
    return folder


def promoting_console(tmp_path: Path, kept: Kept | None = None, **settings: Any) -> MemscopeApp:
    """A console over the sessions in `talks`; its skills are in `skills`."""
    settings = {"skills_folder": str(tmp_path / "skills"), "store": kept is not None, **settings}
    app = console(None, kept, **settings)
    app.folder = tmp_path / "talks"
    return app


async def at_promotions(pilot: Pilot[Any]) -> PromotionsScreen:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    app.go("promotions")
    await at_rest(pilot)
    assert isinstance(app.screen, PromotionsScreen)
    return app.screen


async def at_rest(pilot: Pilot[Any]) -> None:
    """Settled, with what is made for the row under the cursor."""
    await settled(pilot)
    await settled(pilot)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Keys, each once what came of the one before is shown."""
    for key in keys:
        await pilot.press(key)
        await at_rest(pilot)


def openings(screen: PromotionsScreen) -> list[str]:
    """The first word of each row."""
    return [row.preview.split()[0] for row in screen.table.shown]


def states(screen: PromotionsScreen) -> list[str]:
    return [row.state for row in screen.table.shown]


def signature_of(screen: PromotionsScreen, beginning: str) -> str:
    assert screen.deciding is not None and screen.deciding.seen is not None
    rows = screen.deciding.seen.document.candidates
    return next(row.signature for row in rows if row.preview.startswith(beginning))


def text_of(widget: Any) -> str:
    """What a widget of paragraphs holds."""
    return "\n".join(one.text for one in (getattr(widget, "_linked", ()) or widget._paragraphs))


def errors_of(app: MemscopeApp) -> str:
    """What went wrong, as it stands over the screen, where its lines are broken."""
    return "\n".join(one.message for one in app._notifications)
