"""The console's figures: start-up, a key while results pour in, and quitting in the middle of a run.

    python tests/benchmarks/console.py [rounds]

Start-up: the demo on a pseudo-terminal, from the start of Python to its first heatmap, beside a bare Textual app with
a header, a footer, an input and a text. Key to paint: in the process, from a key's arrival to the end of the painting
it causes, idle and with 1,000 rows a second landing in a matrix of 500 x 200. Quit: from `q` to the end of the process,
while eight requests wait for a server that takes four seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.actions.open import Opened, Opening
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Memory, Message, Text
from tests.engines.server import KEY, MODEL, Process
from tests.tui.apps import console, settled
from tests.tui.terminal import Terminal

BARE = """
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Header, Input, Label, Static
class Main(Screen):
    BINDINGS = [(key, "bell", f"key {key}") for key in "abcdefghiklm"]
    def compose(self):
        yield Header()
        with VerticalScroll():
            yield Static("\\n".join(f"project/web-uses-pnpm {n} " + "." * 40 for n in range(40)))
        yield Static("the cell in words")
        with Horizontal():
            yield Label("/")
            yield Input()
        yield Static("status")
        yield Footer()
class Bare(App):
    MODES = {"main": Main}
    def on_mount(self):
        self.switch_mode("main")
Bare().run()
"""
FRAME = 16.0  # milliseconds


def talk(memories: int, responses: int) -> Conversation:
    known = [Message("user", (Memory(f"m{n}", f"Fact {n} of the project, word {n}"),)) for n in range(memories)]
    turns = [Message(r, (Text(f"{r} {n}: text"),)) for n in range(responses) for r in ("user", "assistant")]
    return Conversation((Message("system", (Text("You help."),)), *known, *turns), title="made up")


def first_paint(bare: Path | None) -> float:
    """Seconds from the start of Python to the first row on the screen."""
    began = time.perf_counter()
    with Terminal("demo", columns=160, rows=50, script=bare) as terminal:
        while b"project/web-uses-pnpm" not in terminal.raw:
            terminal.read(0.005)
        took = time.perf_counter() - began
        if bare is None:
            terminal.wait("12 memories x 21 responses · ")
    return took


def start_up(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEMSCOPE_DATA_DIR": folder, "MEMSCOPE_CONFIG_DIR": folder}
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        first_paint(None), first_paint(bare)
        pairs = [(first_paint(None), first_paint(bare)) for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"start-up: {ours:.3f} s, bare Textual {theirs:.3f} s, median ratio {ratio:.2f} (at most 1.5)")


async def latencies(pouring: bool, keys: int) -> list[float]:
    """Milliseconds from a key to the end of the painting it causes."""
    from memscope.actions.score import Cost
    from memscope.engines.protocol import ResponseScore

    conversation = talk(500, 200)
    opened = Opened(Opening(Path("none.json")), conversation, conversation, conversation)
    app = console(None)
    painted = asyncio.Event()
    async with app.run_test(size=(160, 50)) as pilot:
        app.workspace.start = lambda: None  # type: ignore[method-assign]
        app.workspace.show(opened)
        app.go("matrix")
        await settled(pilot)
        space = app.workspace
        from memscope.actions.score import new_run

        space.run = run = new_run(conversation, keep_tokens=False)
        random = np.random.default_rng(1)

        def pour(job: Job) -> Cost:
            landed, began = 0, time.monotonic()
            run.land(run.plan[0], [ResponseScore(-50.0) for _ in range(200)])
            while not job.cancelled:
                for ablation in run.plan[1:]:
                    run.land(ablation, [ResponseScore(float(total)) for total in random.normal(-52, 3, 200)])
                    landed += 1
                    job.progress(landed % len(run.plan), len(run.plan), "scorings", "made up")
                    ahead = began + landed / 1000 - time.monotonic()
                    if ahead > 0:
                        time.sleep(ahead)
                    if job.cancelled:
                        break
            raise Cancelled

        if pouring:
            space._run("pouring", pour)
        else:
            run.land(run.plan[0], [ResponseScore(-50.0) for _ in range(200)])
            for ablation in run.plan[1:]:
                run.land(ablation, [ResponseScore(float(total)) for total in random.normal(-52, 3, 200)])
            space._picture()
        await pilot.pause(0.5)
        display = app._display

        def shown(screen: Any, renderable: Any) -> None:
            display(screen, renderable)
            painted.set()

        app._display = shown  # type: ignore[method-assign]
        from textual import events

        took = []
        for n in range(keys):
            await asyncio.sleep(0.05 + (n % 7) * 0.004)
            painted.clear()
            began = time.perf_counter()
            app.post_message(events.Key("j" if n % 40 < 20 else "k", "j" if n % 40 < 20 else "k"))
            await asyncio.wait_for(painted.wait(), 5)
            took.append((time.perf_counter() - began) * 1000)
        space.background.stop()
    return took


def key_to_paint(keys: int) -> None:
    def percentile(values: list[float]) -> tuple[float, float]:
        ordered = sorted(values)
        return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]

    idle, busy = (percentile(asyncio.run(latencies(pouring, keys))) for pouring in (False, True))
    limit = 2 * idle[1] + FRAME
    print(
        f"key to paint: idle p50 {idle[0]:.1f} p95 {idle[1]:.1f} ms; at 1,000 rows a second p50 {busy[0]:.1f}"
        f" p95 {busy[1]:.1f} ms (at most {limit:.1f})"
    )


def quit_in_a_run(rounds: int) -> None:
    process = Process()
    took = []
    try:
        server = process.room(LATENCY="4")
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {"MEMSCOPE_DATA_DIR": folder, "MEMSCOPE_CONFIG_DIR": folder, "MEMSCOPE_API_KEY": KEY}
            path = Path(folder) / "talk.json"
            messages = [{"role": "user", "memory_key": f"m{n}", "content": f"fact {n}"} for n in range(40)]
            messages += [{"role": r, "content": f"{r} {n}"} for n in range(9) for r in ("user", "assistant")]
            path.write_text(json.dumps({"messages": messages}))
            flags = ("--engine", "score-api", "--base-url", server.url, "--model", MODEL, "--workers", "8")
            for _ in range(rounds):
                with Terminal(path, *flags) as terminal:
                    terminal.wait("0/43")
                    terminal.read(0.3)
                    began = time.perf_counter()
                    terminal.send("q")
                    terminal.end()
                    took.append(time.perf_counter() - began)
    finally:
        process.stop()
    print(f"quit during a run: median {statistics.median(took):.3f} s, longest {max(took):.3f} s (at most 0.5)")


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    start_up(rounds)
    key_to_paint(40 * rounds)
    quit_in_a_run(rounds)
