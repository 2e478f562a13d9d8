"""What the Sessions pane takes with many sessions, until it is painted: the first table, a jump, a sort, a filter.

    python tests/benchmarks/sessions_pane.py [sessions] [rounds]

The sessions are made up, and in the store before the console starts; the scan that would look whether they are still
there is held back. "ready" is from going to the pane, which was never shown before, to the painted table; each round
of it is a console of its own. "rows" is the last part of that: from ranked rows to the painted table. The others are
from an act to the end of painting. Prints milliseconds, the median and the worst.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.actions import scan as scanning
from memscope.actions.kept import Kept
from memscope.base.settings import Settings
from memscope.sessions.facts import Evidence, Facts, Failure, Repository
from memscope.sessions.kept import Reading, encoded
from memscope.store.database import Database
from memscope.store.sessions import KeptFile, KeptSessions
from memscope.tui.app import MemscopeApp
from memscope.tui.panes.sessions.filter_line import FilterLine
from memscope.tui.panes.sessions.screen import SessionsScreen, SessionTable
from tests.tui.apps import console, settled

SIZE = (160, 45)
FOLDER = Path("/made-up/sessions")
WORDS = "parser reads line tests fail config path module cache flag output build error function main source".split()
NOW = 1_777_636_800.0
ACTS = 20  # of each kind
FILTERS = ("fail", "outcome=failure", "score>=12 memories>0", "repo=service-7", "cache build", "windows>1 -error")


def made_up(count: int) -> Iterator[KeptFile]:
    """Files of one session each, of as many repositories as a company has; one in ten is there twice."""
    rng = random.Random(7)
    for number in range(count):
        same = number - 1 if number % 10 == 9 else number
        rng.seed(same)
        text = " ".join(rng.choices(WORDS, k=9))
        ended = NOW - rng.random() * 30_000_000
        evidence = Evidence(0, rng.randrange(300), rng.randrange(2000), text)
        facts = Facts(
            item=0, title=text[:40] if same % 3 else "", request=text, session=f"{same:032x}", parent="",
            print=f"{same:016x}", is_subagent=False, messages=rng.randrange(2, 300), responses=rng.randrange(1, 100),
            tool_calls=rng.randrange(40), memories=rng.randrange(50) if same % 5 == 0 else 0,
            memory=evidence if same % 5 == 0 else None, windows=1 + same % 3 // 2, began=ended - 4000, ended=ended,
            repositories=(Repository(f"service-{rng.randrange(300)}", evidence),) if same % 4 else (),
            failure=Failure("exit_code", evidence) if same % 3 == 0 else None, has_content=True, malformed=0, skipped=0,
        )  # fmt: skip
        path = FOLDER / f"project-{number % 200}" / f"{number:08x}-session.jsonl"
        yield KeptFile(str(path), 100_000, int(ended * 1e9), "", encoded(Reading("claude-code", (facts,))))


def made(database: Database) -> MemscopeApp:
    return console(None, Kept(database), store=True)


async def ready(database: Database) -> float:
    """Milliseconds to the first table."""
    app = made(database)
    async with app.run_test(size=SIZE) as pilot:
        return (await shown(pilot))[0]


async def shown(pilot: Pilot[Any]) -> tuple[float, SessionsScreen]:
    """Milliseconds from going to the pane until it shows rows."""
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    began = time.perf_counter()
    app.go("sessions")
    while not any(table.row_count for table in app.screen.query(SessionTable)):
        await asyncio.sleep(0.001)
    screen = app.screen
    assert isinstance(screen, SessionsScreen)
    await painted(screen, lambda: None)
    return (time.perf_counter() - began) * 1000, screen


async def painted(screen: SessionsScreen, act: Callable[[], object]) -> float:
    """Milliseconds from `act` until the screen is up to date."""
    began = time.perf_counter()
    act()
    for _ in range(2):  # layout, then what it led to
        done = asyncio.Event()
        screen.app.call_after_refresh(done.set)
        await done.wait()
    screen._compositor.render_update(full=True)
    return (time.perf_counter() - began) * 1000


async def figures(database: Database) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    app = made(database)
    async with app.run_test(size=SIZE) as pilot:
        _, screen = await shown(pilot)
        table, line = screen.table, screen.query_one(FilterLine)
        last = table.row_count - 1

        async def each(name: str, act: Callable[[int], object], times: int = ACTS) -> None:
            found[name] = []
            for n in range(times):
                await pilot.pause()  # what came of the last has been done
                found[name].append(await painted(screen, lambda n=n: act(n)))  # type: ignore[misc]

        def jump(n: int) -> None:
            screen._due = True  # or the detail would follow
            table.move_to(last if n % 2 == 0 else last // 3 + n)

        def jump_with_detail(n: int) -> None:
            jump(n)
            screen._show_detail()

        ranking = screen._ranking
        assert ranking is not None
        await each("rows", lambda _: screen._found(ranking), 5)
        await each("jump", jump)
        await each("jump, and its detail", jump_with_detail)
        titles = [column.title for column in table._rows.columns][:ACTS]
        await each("sort, each column first", lambda n: table.sort_by(titles[n]), len(titles))
        await each("sort, again", lambda n: table.sort_by(titles[n], n % 2 == 0), len(titles))
        table.sort_by("")
        screen.action_find()
        await each("filter", lambda n: setattr(line.line, "value", FILTERS[n % len(FILTERS)]))
        screen.action_back()
        await each("only with memories", lambda _: screen.action_memories(), 4)
        await each("with copies", lambda _: screen.action_copies(), 4)
        await each("mark all", lambda _: screen.action_mark_all(), 4)
    return found


async def main() -> None:
    count, rounds = (int(arg) for arg in (*sys.argv[1:], *("20000", "5")[len(sys.argv) - 1 :]))
    settings = Settings(session_folders=(str(FOLDER),))

    def held(scan: scanning._Scan) -> None:
        scan.job.wait(60)
        raise TimeoutError

    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder))
        KeptSessions(database, scanning._reading(settings, "")).keep(list(made_up(count)))
        scanning.session_folders = lambda _: [FOLDER]  # type: ignore[assignment]
        scanning._Scan.look = held  # type: ignore[method-assign]
        found = {"ready": [await ready(database) for _ in range(rounds)], **await figures(database)}
        print(f"{count} sessions, {SIZE[0]}x{SIZE[1]}")
        for name, took in found.items():
            print(f"{name:26} median {statistics.median(took):7.1f} ms   worst {max(took):7.1f} ms")
        database.close()


if __name__ == "__main__":
    asyncio.run(main())
