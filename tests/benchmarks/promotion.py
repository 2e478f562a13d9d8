"""How long grouping takes, beside the loop of the first promotion engine, and whether `greedy` gives the same clusters.

    python tests/benchmarks/promotion.py [--peer PROGRAM] [--count 20000] [--dimension 384] [--rounds 3] [--stability]

`--peer` is that loop, compiled: called with a file of vectors and sessions, their number, their dimension, threshold,
fewest members and fewest sessions, it prints its seconds, and a line for each candidate. It is run once, for it takes a
minute where the others take a second: give `--count 200000` without it. The vectors are of three fifths as many
clusters, most of them of one message. Prints seconds, those of processors, ratios, the longest time that a cancelling
would take to be heard, and the peak of memory, of which the vectors and rows themselves are the first part.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from memscope.base.job import Job
from memscope.promotion.grouping import clustered
from memscope.promotion.model import Candidate, Grouping, Row
from memscope.promotion.stability import stabilities

METHODS = {"classic": Grouping("greedy", classic=True), "greedy": Grouping("greedy"), "stable": Grouping()}


class Watched(Job):
    """A job that knows the longest time between two places where it could be stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.longest = time.perf_counter(), 0.0

    def check(self) -> None:
        super().check()
        now = time.perf_counter()
        self.longest, self.last = max(self.longest, now - self.last), now


def make(path: Path, count: int, dimension: int) -> None:
    """The vectors, near one of many centres each, then the sessions, as the loop reads them."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((count * 3 // 5, dimension), dtype=np.float32)
    which = np.concatenate((np.arange(len(centres)), random.integers(0, len(centres), count - len(centres))))
    random.shuffle(which)
    with path.open("wb") as file:
        for start in range(0, count, 4096):
            some = centres[which[start : start + 4096]]
            some += 0.27 * random.standard_normal(some.shape, dtype=np.float32)
            some /= np.linalg.norm(some, axis=1, keepdims=True)
            file.write(some.astype("<f4").tobytes())
        file.write(random.integers(0, count // 5, count).astype("<i8").tobytes())


def grouped(path: Path, count: int, dimension: int, method: str, stability: bool) -> dict[str, object]:
    vectors = np.fromfile(path, "<f4", count * dimension).reshape(count, dimension)
    sessions = np.fromfile(path, "<i8", offset=vectors.nbytes).tolist()
    rows = [Row(number, sessions[number], f"message {number}") for number in range(count)]
    before, job = peak(), Watched()
    began, cpu = time.perf_counter(), time.process_time()
    found = clustered(rows, vectors, METHODS[method], job)
    job.check()
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    told = {"seconds": took, "cpu": cpu, "unheard": job.longest, "before": before, "peak": peak()}
    if stability:
        began = time.perf_counter()
        stabilities(found, found.grouped.candidates, job)
        told |= {"stability": time.perf_counter() - began}
    candidates = found.grouped.candidates
    lines = [line(candidate) for candidate in candidates] if method == "classic" else []
    return told | {"clusters": found.grouped.clusters, "candidates": len(candidates), "lines": lines}


def line(candidate: Candidate) -> str:
    """A candidate as the loop prints it."""
    return f"{candidate.signature} {list(candidate.members)} | {list(candidate.sessions)}"


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--peer", type=Path)
    given.add_argument("--count", type=int, default=20_000)
    given.add_argument("--dimension", type=int, default=384)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--stability", action="store_true")
    given.add_argument("--part", nargs=2, metavar=("METHOD", "FILE"))
    asked = given.parse_args()
    if asked.part:
        method, file = asked.part
        print(json.dumps(grouped(Path(file), asked.count, asked.dimension, method, asked.stability)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors"
        make(path, asked.count, asked.dimension)
        report(asked, path)


def report(asked: argparse.Namespace, path: Path) -> None:
    loop, seconds = None, 0.0
    if asked.peer:
        how = METHODS["classic"]
        command = [asked.peer, path, asked.count, asked.dimension, how.threshold, how.min_occurrences, how.min_sessions]
        loop = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        seconds = float(re.findall(r"seconds ([\d.]+)", loop.stderr)[0])
        print(f"the loop: {seconds:.1f} s")
    for _ in range(asked.rounds):
        for method in METHODS:
            found = part(asked, method, path)
            ratio = f", {seconds / found['seconds']:.0f} times faster" if loop else ""
            print(
                f"{method}: {found['seconds']:.2f} s ({found['cpu']:.2f} of processors){ratio};"
                f" {found['clusters']} clusters, {found['candidates']} candidates;"
                f" at most {found['unheard']:.1f} s without a look at cancel;"
                f" peak {found['peak']:.0f} MB, {found['before']:.0f} MB before"
            )
            if "stability" in found:
                print(f"  stability: {found['stability']:.1f} s")
            if loop and method == "classic":
                print(f"  the same candidates as the loop's: {found['lines'] == loop.stdout.splitlines()}")


def part(asked: argparse.Namespace, method: str, path: Path) -> dict[str, object]:
    """A method by itself in a process."""
    command = [sys.executable, __file__, "--part", method, str(path)]
    command += ["--count", str(asked.count), "--dimension", str(asked.dimension)]
    if asked.stability and method == "stable":
        command.append("--stability")
    found: dict[str, object] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


if __name__ == "__main__":
    main()
