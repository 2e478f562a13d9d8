"""What the table costs beside Textual's own with the same rows: ready, a jump, a sort, a filter, until it is painted.

    python tests/benchmarks/table.py [rows]

Prints milliseconds and how many times as long `DataTable` takes. Each figure is the best of a few; both tables stand in
an app of 160 by 50 cells, 8 columns.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import DataTable

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.reports.view import Column
from memscope.tui.widgets.table import Table

SIZE = (160, 50)
ROUNDS = 5


@dataclass(frozen=True)
class Item:
    name: str
    numbers: tuple[float, ...]
    text: str


COLUMNS: tuple[Column[Item], ...] = (
    Column("name", lambda item: item.name),
    *(Column(f"n{n}", lambda item, n=n: item.numbers[n], "nats") for n in range(6)),  # type: ignore[misc]
    Column("text", lambda item: item.text, wide=True),
)


def items(count: int) -> list[Item]:
    return [
        Item(f"session {n}", tuple((n * 7919 * (k + 1)) % 10007 / 100 for k in range(6)), f"words {n * 31 % 977} again")
        for n in range(count)
    ]


class Ours(App[None]):
    def __init__(self, rows: list[Item]) -> None:
        super().__init__()
        self.rows = rows
        self.table: Table[Item] = Table(identity=lambda item: item.name)

    def compose(self) -> ComposeResult:
        yield self.table

    def fill(self) -> None:
        self.table.show(COLUMNS, self.rows)

    def jump(self, row: int) -> None:
        self.table.move_to(row)

    def sort(self, column: int, descending: bool) -> None:
        self.table.sort_by(COLUMNS[column].title, descending)


class Stock(App[None]):
    def __init__(self, rows: list[Item]) -> None:
        super().__init__()
        self.rows = rows
        self.table: DataTable[Any] = DataTable(cursor_type="row")

    def compose(self) -> ComposeResult:
        yield self.table

    def fill(self) -> None:
        self.table.add_columns(*((column.title, column.title) for column in COLUMNS))
        for row in self.rows:
            self.table.add_row(*(column.value(row) for column in COLUMNS))

    def jump(self, row: int) -> None:
        self.table.move_cursor(row=row)

    def sort(self, column: int, descending: bool) -> None:
        self.table.sort(COLUMNS[column].title, reverse=descending)


async def painted(app: App[None], act: Callable[[], None]) -> float:
    """Milliseconds from `act` until the screen is up to date."""
    began = time.perf_counter()
    act()
    for _ in range(2):  # layout, then what it led to
        done = asyncio.Event()
        app.call_after_refresh(done.set)
        await done.wait()
    app.screen._compositor.render_update(full=True)
    return (time.perf_counter() - began) * 1000


async def figures(app: Ours | Stock, count: int) -> dict[str, float]:
    found: dict[str, float] = {}
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        found["ready"] = await painted(app, app.fill)
        found["jump"] = await best(app, pilot, lambda n: app.jump(count - 1 if n % 2 == 0 else count // 3 + n))
        app.jump(0)
        found["sort"] = await best(app, pilot, lambda n: app.sort(1 + n, n % 2 == 0))
        if isinstance(app, Ours):
            table = app.table
            found["filter"] = await best(app, pilot, lambda n: table.filter(f"words {n}"))
            table.filter("")
            some = app.rows[:1000]
            found["1,000 rows updated"] = await best(app, pilot, lambda n: table.update_rows(some))
            found["shown anew"] = await best(app, pilot, lambda n: table.show(COLUMNS, list(app.rows)))
    return found


async def best(app: App[None], pilot: Pilot[None], act: Callable[[int], None]) -> float:
    async def once(n: int) -> float:
        await pilot.pause()
        return await painted(app, lambda: act(n))

    rounds: list[Awaitable[float]] = [once(n) for n in range(ROUNDS)]
    return min([await each for each in rounds])


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rows = items(count)
    ours, stock = await figures(Ours(rows), count), await figures(Stock(rows), count)
    print(f"{count} rows, {len(COLUMNS)} columns, {SIZE[0]}x{SIZE[1]}")
    for name, took in ours.items():
        ratio = f"DataTable {stock[name]:9.1f} ms, {stock[name] / took:6.1f} times as long" if name in stock else ""
        print(f"{name:20} {took:8.1f} ms  {ratio}")


asyncio.run(main())
