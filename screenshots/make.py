"""Makes the pictures of this folder: one of each pane, from the bundled conversation and made-up sessions.

    python screenshots/make.py

A test makes them anew and compares, so that they never go stale.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"  # read when Textual is imported
os.environ.pop("NO_COLOR", None)

FOLDER = Path(__file__).parent
sys.path.append(str(FOLDER))
SIZE = (120, 36)
# What is pressed before each picture is taken.
PICTURES = {
    "matrix": ("1", "f"),
    "responses": ("1", "f", "enter"),
    "memories": ("3",),
    "what-if": ("3", "j", "o", "O"),
    "fine-tune": ("4",),
    "sessions": ("5", "j"),
    "promotions": ("6", "j"),
    "lessons": ("7", "j"),
    "insights": ("8", "j", "f"),
    "help": ("1", "question_mark"),
}
_LESSONS = "agent_memory.json"
# Folders of the home folder: with sessions in which something recurs, and with those that teach something.
_REPEATED, _TAUGHT = "other-laptop", "work-laptop"
_OTHERS = {"promotions": _REPEATED, "insights": _TAUGHT}


@contextmanager
def _sessions() -> Iterator[None]:
    """A home folder in which agents have left sessions, and the day on which they are looked at."""
    from sample_lessons import write_lessons
    from sample_sessions import NOW, REPEATED, write_samples
    from sample_traces import write_traces

    from memscope.base.clock import set_clock

    moved = "HOME CLAUDE_CONFIG_DIR CODEX_HOME HERMES_HOME GEMINI_CLI_HOME PI_CODING_AGENT_DIR OPENCLAW_STATE_DIR"
    before = {name: os.environ.pop(name, None) for name in moved.split()}
    with tempfile.TemporaryDirectory() as home:
        write_samples(Path(home))
        write_samples(Path(home) / _REPEATED, REPEATED)
        write_traces(Path(home) / _TAUGHT)
        write_lessons(Path(home) / _LESSONS)
        os.environ["HOME"] = home
        set_clock(NOW.timestamp)
        try:
            yield
        finally:
            set_clock(None)
            os.environ.pop("HOME")
            os.environ.update({name: value for name, value in before.items() if value is not None})


async def pictures() -> dict[str, str]:
    """Every picture as SVG, by name."""
    with _sessions():
        return await _pictures()


async def _pictures() -> dict[str, str]:
    from memscope.actions.kept import Kept
    from memscope.actions.open import demo_opening, opened
    from memscope.base.settings import resolve
    from memscope.tui.app import MemscopeApp

    resolved = resolve({"store": False, "skills_folder": "~/.claude/skills", "lessons_file": f"~/{_LESSONS}"})
    found = {}
    for name, keys in PICTURES.items():
        app = MemscopeApp(resolved, Kept(None), opened(demo_opening(), resolved.settings))
        app.folder = Path.home() / _OTHERS[name] / ".claude" if name in _OTHERS else None
        async with app.run_test(size=SIZE) as pilot:
            for key in ("", *keys):
                await pilot.press(*filter(None, [key]))
                await pilot.pause()
                while app.workspace.background.busy:
                    await asyncio.sleep(0.01)
                await pilot.pause(0.3)
            if app.workspace.cost is not None:  # what it took is not the same twice
                app.workspace.cost = replace(app.workspace.cost, seconds=0.1)
                app.say("")
                await pilot.pause()
            svg = app.export_screenshot(title="memscope")
        # the class names hold a hash of the machine's own time
        found[name] = re.sub(r"terminal-\d+", "terminal", svg)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEMSCOPE_DATA_DIR": folder, "MEMSCOPE_CONFIG_DIR": folder}
        for name, svg in asyncio.run(pictures()).items():
            path = FOLDER / f"{name}.svg"
            path.write_text(svg, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
