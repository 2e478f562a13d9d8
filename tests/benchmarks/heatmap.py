"""What the heatmap writes to a terminal, and how soon: cursor keys and pages beside a repaint of the whole screen.

    python tests/benchmarks/heatmap.py [rounds]

500 memories by 2,000 responses on a real pseudo-terminal of 200 by 60, truecolor. `usual`: one cell in ten is beyond
noise; `full`: every one is, and none is like its neighbour, which is the worst there can be. Prints bytes, milliseconds
from key to last byte, and both as a part of a repaint of everything.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import sys
import termios
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

COLUMNS, ROWS = 200, 60
MEMORIES, RESPONSES = 500, 2000
QUIET = 0.1  # seconds without a byte after which a key has had its effect

KEYS = {
    "everything": "r",
    "down": "j",
    "right": "l",
    "page down": "\x1b[6~",
    "page right": "p",
    "overview": "v",
}
LIMITS = {"down": 6_000, "right": 6_000, "page down": 170_000, "page right": 170_000}


def child(kind: str) -> None:
    """The app that is measured."""
    from textual.app import App, ComposeResult

    from memscope.reports.grid import Grid
    from memscope.tui.widgets.heatmap import Heatmap

    random = np.random.default_rng(1)
    values = random.normal(0.0, 4.0, (MEMORIES, RESPONSES))
    noise = random.random(values.shape) < (0.9 if kind == "usual" else 0.0)
    positive = np.maximum(values, 0.0)
    grid = Grid(
        keys=tuple(f"notes/of-the-project/memory-{n}" for n in range(MEMORIES)),
        responses=tuple(range(1, 2 * RESPONSES, 2)),
        values=values,
        state=np.ones(values.shape, np.uint8),
        noise=noise,
        row_totals=positive.sum(axis=1),
        column_totals=positive.sum(axis=0),
    )

    class Bench(App[None]):
        def compose(self) -> ComposeResult:
            yield Heatmap()

        def on_mount(self) -> None:
            heatmap = self.query_one(Heatmap)
            heatmap.focus()
            heatmap.show(grid)
            self.call_after_refresh(heatmap.go, 10, 100)

        def on_key(self, event: object) -> None:
            heatmap, name = self.query_one(Heatmap), getattr(event, "key", "")
            if name == "r":
                heatmap.redraw()
            elif name == "p":
                heatmap.move_across(heatmap.column + heatmap._layout(heatmap.scrollable_content_region.width).seen)
            elif name == "v":
                heatmap.overview = not heatmap.overview

    Bench().run()


class Terminal:
    """The app on a terminal of its own."""

    def __init__(self, kind: str) -> None:
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            surroundings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, __file__, "--child", kind], surroundings)
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def read(self, first: float) -> tuple[int, float]:
        """Bytes until it is quiet, and seconds until the last of them; `first`: how long to wait for one."""
        began, last, count, wait = time.perf_counter(), 0.0, 0, first
        while select.select([self.handle], [], [], wait)[0]:
            count += len(os.read(self.handle, 1 << 16))
            last, wait = time.perf_counter() - began, QUIET
        return count, last

    def press(self, keys: str) -> tuple[int, float]:
        os.write(self.handle, keys.encode())
        return self.read(1.0)


def measure(kind: str, rounds: int) -> None:
    terminal = Terminal(kind)
    try:
        terminal.read(10.0)
        terminal.read(1.0)
        print(f"{kind}: {'':12} {'bytes':>9} {'ms':>7}   of everything")
        whole = (1.0, 1.0)
        for name, keys in KEYS.items():
            found = [terminal.press(keys) for _ in range(rounds)]
            size = max(count for count, _ in found)
            seconds = statistics.median(taken for _, taken in found)
            if name == "everything":
                whole = size, seconds
            limit = LIMITS.get(name)
            over = "" if limit is None else f"   limit {limit}{'' if size <= limit else ' EXCEEDED'}"
            print(
                f"  {name:16} {size:11} {seconds * 1000:7.1f}   {size / whole[0]:6.1%} {seconds / whole[1]:6.1%}{over}"
            )
    finally:
        os.kill(terminal.pid, 9)
        os.waitpid(terminal.pid, 0)
        os.close(terminal.handle)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    else:
        for kind in ("usual", "full"):
            measure(kind, int(sys.argv[1]) if len(sys.argv) > 1 else 6)
