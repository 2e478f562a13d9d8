"""A session of 18 MB to read: loading it, keys meanwhile, its first paint, scrolling, and words searched for.

    python tests/benchmarks/transcript.py [megabytes] [FILE]

The session is made up: 20 kB of talk, calls and results over and over. With a FILE (a session of Claude Code), that is
repeated instead: one whose last context window is long. Key to paint is measured in the process, at 160 by 50 cells:
from a key's arrival to the end of the painting it causes. Loading is beside what `json.loads` of every line takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from textual import events

from memscope.actions.open import Opening
from memscope.actions.reading import Read, read_session
from memscope.base.job import Job
from memscope.base.settings import resolve
from memscope.sessions.ranked import Place
from memscope.tui.app import MemscopeApp
from memscope.tui.panes._session import SessionScreen
from tests.tui.apps import console, demo, settled

KEYS = 200
NOWHERE = "qzxv"  # letters that stand nowhere together
IDS = ("uuid", "parentUuid", "leafUuid", "logicalParentUuid")


def made_up() -> Iterator[dict[str, Any]]:
    """About 20 kB of a session: questions, calls, results of some length, one of which failed, and answers."""
    code = "\n".join(
        f"    {n:>4}  def total_{n}(rows): return sum(row.worth for row in rows)  # — each row" for n in range(28)
    )
    turns: list[tuple[str, Any]] = [("user", "Where are the totals added up, and why do they differ?")]
    for n in range(8):
        call = {"type": "tool_use", "id": f"c{n}", "name": "Bash", "input": {"command": f"sed -n 1,30p totals_{n}.py"}}
        result = {"type": "tool_result", "tool_use_id": f"c{n}", "content": code, "is_error": n == 5}
        turns += [("assistant", [{"type": "text", "text": f"Looking at file {n}."}, call]), ("user", [result])]
    turns.append(("assistant", [{"type": "text", "text": "They are added up twice: once a row, once a file. 🙂 " * 9}]))
    before = None
    for n, (role, content) in enumerate(turns):
        message = {"role": role, "content": content, "id": f"m{n}", "model": "made-up"}
        yield {"type": role, "uuid": f"u{n}", "parentUuid": before, "sessionId": "s", "message": message}
        before = f"u{n}"


def write(path: Path, records: Sequence[dict[str, Any]], size: int) -> None:
    """The records over and over, each time under ids of their own, one behind the other."""
    written, times, last = 0, 0, None
    with path.open("w", encoding="utf-8") as file:
        while written < size:
            before = last
            for record in records:
                again = {**record, **{name: f"{times}-{record[name]}" for name in IDS if record.get(name)}}
                if record.get("parentUuid", "") is None and before is not None:
                    again["parentUuid"] = before
                if isinstance(record.get("message"), dict) and record["message"].get("id"):
                    again["message"] = {**record["message"], "id": f"{times}-{record['message']['id']}"}
                last = again.get("uuid", last)
                line = json.dumps(again, ensure_ascii=False) + "\n"
                written += file.write(line)
            times += 1


def size_in_memory() -> float:
    """Megabytes that the process has, at most, had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def loading(path: Path) -> Read:
    settings = resolve({"store": False}).settings
    read_session(Opening(path), settings, None, Job())  # what is imported and compiled is not counted
    began = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            json.loads(line)
    bare = time.perf_counter() - began
    before, began = size_in_memory(), time.perf_counter()
    read = read_session(Opening(path), settings, None, Job())
    took = time.perf_counter() - began
    text = sum(len(message.text) for message in read.conversation.messages)
    print(
        f"{path.stat().st_size / 1e6:.1f} MB, {len(read.conversation.messages):,} messages, {text / 1e6:.1f} million"
        f" characters: read in {took:.2f} s, {took / bare:.1f} times a bare parse;"
        f" {size_in_memory() - before:.0f} MB more"
    )
    return read


class Painted:
    """Presses keys, and waits until what they change is painted."""

    def __init__(self, app: MemscopeApp) -> None:
        self.app = app
        self._painted = asyncio.Event()
        display = app._display

        def shown(screen: Any, renderable: Any) -> None:
            display(screen, renderable)
            self._painted.set()

        app._display = shown  # type: ignore[method-assign]

    async def after(self, what: Any) -> float:
        """Milliseconds from doing something to the end of the painting it causes."""
        self._painted.clear()
        began = time.perf_counter()
        what()
        await asyncio.wait_for(self._painted.wait(), 30)
        return (time.perf_counter() - began) * 1000

    async def keys(self, keys: Sequence[str], rest: float = 0.02) -> list[float]:
        took = []
        for key in keys:
            await asyncio.sleep(rest)
            character = key if len(key) == 1 else None
            took.append(await self.after(lambda k=key, c=character: self.app.post_message(events.Key(k, c))))
        return took


def there_and_back(key: str, other: str, most: int, times: int) -> list[str]:
    """A key over and over, and then the other one, that many `times` in all; at most `most` to one side, so that none
    reaches the end, where it would paint nothing."""
    steps = max(1, min(most, times // 2))
    return ([*[key] * steps, *[other] * steps] * (times // (2 * steps) + 1))[:times]


def told(name: str, took: Sequence[float]) -> None:
    ordered = sorted(took)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    print(f"{name}: p50 {ordered[len(ordered) // 2]:.1f} p95 {p95:.1f} longest {ordered[-1]:.1f} ms")


async def keys_while_loading(path: Path) -> None:
    app = console(demo())
    async with app.run_test(size=(160, 50)) as pilot:
        await settled(pilot)
        app.go("memories")
        await settled(pilot)
        painted, settings = Painted(app), app.workspace.settings
        moves = ["j" if n % 10 < 5 else "k" for n in range(KEYS)]
        told("key to paint, nothing being read", await painted.keys(moves))

        def again(_: Any = None) -> None:
            work = lambda job: read_session(Opening(path), settings, None, job)  # noqa: E731
            app.workspace.background.start("session", "reading", work, again, lambda _: None)

        again()
        told("key to paint, while it is read", await painted.keys(moves))
        app.workspace.background.stop()


async def reading(path: Path, read: Read) -> None:
    app = console(None)
    async with app.run_test(size=(160, 50)) as pilot:
        await settled(pilot)
        app.read_session(Place(str(path), 0))
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, SessionScreen)
        painted = Painted(app)
        screen._clear("")
        await pilot.pause(0.2)
        print(f"first paint after loading: {await painted.after(lambda: screen._found(read, None, '')):.1f} ms")
        await pilot.pause(0.2)
        rows = len(read.conversation.messages) - 1
        told("row by row", await painted.keys(there_and_back("j", "k", rows, KEYS)))
        told("page by page", await painted.keys(there_and_back("pagedown", "pageup", rows // 50, KEYS // 2)))
        told("unfold and on", await painted.keys(["z", "j", "j", "pagedown", "pagedown", "pageup"] * (KEYS // 6)))
        told("next failure", await painted.keys(["f"] * (KEYS // 4)))
        told("next response", await painted.keys(["a"] * (KEYS // 4)))
        told("to the end and back", await painted.keys(["G", "g"] * 10))
        await painted.keys(["slash"])
        told(f"typing words that are nowhere ({NOWHERE!r})", await painted.keys([*NOWHERE], 0.3))
        await painted.keys(["escape", "slash", *"total_27(rows)", "enter"], 0.1)
        told("next find", await painted.keys(["n"] * (KEYS // 4)))
    print(f"memory in all, at most: {size_in_memory():.0f} MB")


if __name__ == "__main__":
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 18.0
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEMSCOPE_DATA_DIR": folder, "MEMSCOPE_CONFIG_DIR": folder}
        lines = Path(sys.argv[2]).read_text(encoding="utf-8").splitlines() if len(sys.argv) > 2 else []
        session = Path(folder) / "session.jsonl"
        write(session, [json.loads(line) for line in lines] or [*made_up()], int(megabytes * 1e6))
        loaded = loading(session)
        asyncio.run(keys_while_loading(session))
        asyncio.run(reading(session, loaded))
