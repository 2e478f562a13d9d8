"""What adding up all stored runs takes, beside reading the same JSON and nothing else, and the memory it needs.

    python tests/benchmarks/across.py [runs] [memories a run] [memories there are]

Prints seconds, how many times as long as the bare reading, and megabytes (the most the process has held, beyond what it
held before).
"""

from __future__ import annotations

import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.actions.across import Wanted, across, sightings
from memscope.base.clock import set_clock
from memscope.base.job import Job
from memscope.store.database import Database
from memscope.store.runs import Outcome, Run, Runs


def outcome(number: int, rng: random.Random) -> Outcome:
    total = rng.expovariate(0.1)
    words = f"memory {number}: " + "words that say what the memory is about, as long as they are kept " * 2
    most = total if rng.random() < 0.2 else 0.0
    return Outcome(
        f"project/memory-{number}", f"{number:016x}", words[:100], 240, 60, 2, total, total - 1, total / 2, -1.0,
        int(most > 0), 0, most, 0.0, 40, 0,
    )  # fmt: skip


def fill(database: Database, runs: int, memories: int, there_are: int) -> None:
    rng, store = random.Random(7), Runs(database)
    for number in range(runs):
        set_clock(lambda at=1_700_000_000.0 + number: at)  # type: ignore[misc]
        found = tuple(outcome(one, rng) for one in rng.sample(range(there_are), memories))
        path = f"/sessions/project-{number % 40}/session-{number}.jsonl"
        store.keep(
            Run(
                conversation=f"{path}#0/0", engine=bytes(32), path=path, form="claude-code", item=0, window=0,
                title=f"session {number}", messages=120, sha256="0" * 64, memories=(), split="", name="embedded",
                model="1", url="", threshold=0.01, time=1_700_000_000.0 + number, responses=40, outcomes=found,
            )
        )  # fmt: skip
    set_clock(None)


def held() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    runs, memories, there_are = (int(arg) for arg in (*sys.argv[1:], *("5000", "200", "2000")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder))
        fill(database, runs, memories, max(there_are, memories))
        size = database.path.stat().st_size / 2**20
        print(f"{runs} runs of {memories} memories, {there_are} in all: {size:.0f} MB on disk")
        before = held()
        began = time.perf_counter()
        document = across(database, Wanted(threshold=1.0), Job())
        took = time.perf_counter() - began
        more = held() - before
        began = time.perf_counter()
        with sqlite3.connect(database.path) as bare:
            for (about,) in bare.execute("SELECT about FROM runs"):
                json.loads(about)
        reading = time.perf_counter() - began
        print(f"totals: {took:.2f} s, {took / reading:.2f} of bare reading ({reading:.2f} s), {more:.0f} MB more held")
        began = time.perf_counter()
        seen = sightings(database, Wanted(threshold=1.0), document.memories[0].key, Job())
        print(f"where one memory was seen ({len(seen.sightings)} times): {time.perf_counter() - began:.2f} s")
        database.close()


if __name__ == "__main__":
    main()
