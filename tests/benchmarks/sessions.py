"""What scanning a folder of sessions takes, beside parsing the same files and nothing else, and the classic sampler.

    python tests/benchmarks/sessions.py FOLDER [--count 20000] [--size 100000] [--templates TRANSCRIPTS...]
        [--sampler SCRIPT] [--processes N]

FOLDER is made where it is not there, and kept: so many sessions of so many bytes, in the shape of Hermes' transcripts;
`--templates` (JSONL files of Claude Code or Codex) makes most of them out of those, each with other ids. `--sampler` is
the script of the classic sampler. Prints MB/s and processor seconds of `json.loads` of every line and of a cold scan,
with as many processes, the seconds of a rescan and of the classic sampler, ratios, and peaks of memory. Every part runs
in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.actions.scan import scan
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.base.processes import processors
from memscope.base.settings import Settings
from memscope.sessions.facts import ScannedFile
from memscope.sessions.ranking import rank
from memscope.store.database import Database

UUID = re.compile(rb"[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
WORDS = """the parser reads a line and tests fail because config path was not found in module cache so we try again with
another flag and look at output of build which says error in function main at src lib rs""".split()


def make(folder: Path, count: int, size: int, templates: list[Path]) -> None:
    """A fifth of the files in Hermes' shape, the others from templates, if there are any."""
    folder.mkdir(parents=True)
    rng = random.Random(7)
    texts = [path.read_bytes().splitlines(keepends=True) for path in templates]
    for number in range(count):
        day = time.strftime("%Y%m%d_%H%M%S", time.gmtime(1_777_000_000 - 400 * number))
        path = folder / f"session_{day}_{number:08x}.jsonl"
        lines = hermes(rng) if not texts or not number % 5 else like(texts[number % len(texts)], number)
        with path.open("wb") as file:
            written = 0
            for line in lines:
                file.write(line)
                written += len(line)
                if written >= size:
                    break


def like(lines: list[bytes], number: int) -> Iterator[bytes]:
    """The lines of a transcript, again and again, as those of another session; each round with ids of its own."""
    for again in range(1000):
        other = number * 1000 + again
        yield from (UUID.sub(lambda match, other=other: b"%08x" % (int(match[0], 16) ^ other), line) for line in lines)


def hermes(rng: random.Random) -> Iterator[bytes]:
    at, call = 1_777_000_000.0 + rng.random() * 1e6, 0

    def said(words: int) -> str:
        return " ".join(rng.choices(WORDS, k=words)) + "\n"

    while True:
        at += 30 * rng.random()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{rng.randrange(10**6):06}"
        call += 1
        arguments = json.dumps({"command": "cd ~/src/mise && " + said(12)})
        calls = [{"id": f"call_{call}", "type": "function", "function": {"name": "terminal", "arguments": arguments}}]
        result = json.dumps(
            {"output": said(rng.randrange(20, 400)), "exit_code": int(rng.random() < 0.1), "error": None}
        )
        for row in (
            {"role": "user", "content": said(40), "timestamp": stamp},
            {"role": "assistant", "content": said(60), "tool_calls": calls, "timestamp": stamp},
            {"role": "tool", "content": result, "tool_call_id": f"call_{call}", "timestamp": stamp},
        ):
            yield json.dumps(row).encode() + b"\n"


def parsed(path: str) -> int:
    """Every line of a file read as JSON, and nothing else done; its size."""
    size = 0
    with open(path, "rb") as file:  # noqa: PTH123
        for line in file:
            size += len(line)
            with suppress(ValueError):  # two values on a line, as there are
                json.loads(line)
    return size


def bare(folder: Path, processes: int) -> dict[str, float]:
    files = sorted(map(str, folder.iterdir()), key=lambda path: -Path(path).stat().st_size)
    began = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        size = sum(pool.imap_unordered(parsed, files, chunksize=8))
        pool.close()
        pool.join()
    return {"bytes": size, "seconds": time.perf_counter() - began}


def scanned(folder: Path, store: Path) -> dict[str, float]:
    database = Database(store)
    done = scan([folder], Settings(), database, Job())
    database.close()
    return {"bytes": done.bytes_read, "seconds": done.seconds, "files": len(done.files), "read": done.read}


def ranked(folder: Path, store: Path) -> dict[str, float]:
    database = Database(store)
    files: list[ScannedFile] = []
    job = Job()
    job.cancel()  # it ends where it would look at the files
    began = time.perf_counter()
    with suppress(Cancelled):
        scan([folder], Settings(), database, job, files.extend)
    known = time.perf_counter()
    rows = rank(files, time.time())
    return {"seconds": known - began, "rank": time.perf_counter() - known, "rows": len(rows)}


def part(name: str, *arguments: str) -> dict[str, float]:
    """A part done in a process of its own."""
    command = [sys.executable, __file__, "--part", name, *arguments]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def used() -> dict[str, float]:
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return {"cpu": cpu, "own_peak": own.ru_maxrss / 1024, "other_peak": others.ru_maxrss / 1024}


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("folder", type=Path)
    given.add_argument("--count", type=int, default=20_000)
    given.add_argument("--size", type=int, default=100_000)
    given.add_argument("--templates", type=Path, nargs="*", default=[])
    given.add_argument("--sampler", type=Path)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--store", type=Path)
    given.add_argument("--part")
    asked = given.parse_args()
    parts = {
        "bare": lambda: bare(asked.folder, processors()),
        "scan": lambda: scanned(asked.folder, asked.store),
        "rank": lambda: ranked(asked.folder, asked.store),
    }
    if asked.part:
        print(json.dumps(parts[asked.part]() | used()))
        return
    if not asked.folder.exists():
        make(asked.folder, asked.count, asked.size, asked.templates)
    folder = str(asked.folder)
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as store:
            report(folder, store, asked.sampler)


def report(folder: str, store: str, sampler: Path | None) -> None:
    parse = part("bare", folder)
    cold = part("scan", folder, "--store", store)
    again = part("scan", folder, "--store", store)
    shown = part("rank", folder, "--store", store)
    for name, told in (("json.loads", parse), ("cold scan", cold)):
        rate = told["bytes"] / told["seconds"] / 1e6
        print(f"{name}: {rate:.0f} MB/s, {told['seconds']:.1f} s, {told['cpu']:.1f} processor seconds")
    print(
        f"ratio, {processors()} processes: {parse['seconds'] / cold['seconds']:.2f};"
        f" of processor seconds: {parse['cpu'] / cold['cpu']:.2f}"
    )
    print(f"peak: {cold['own_peak']:.0f} MB, of another process {cold['other_peak']:.0f} MB")
    print(f"rescan: {again['seconds']:.3f} s ({again['cpu']:.2f} processor seconds in all, {again['own_peak']:.0f} MB)")
    print(f"kept: {shown['seconds']:.3f} s, ranked: {shown['rank']:.3f} s, {shown['rows']} rows")
    if sampler is not None:
        began = time.perf_counter()
        command = [sys.executable, str(sampler), "--sessions-dir", folder, "--format", "paths"]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        took = float(re.findall(r"in ([\d.]+)s", told)[-1])
        whole = time.perf_counter() - began
        print(f"classic: {took:.1f} s of {whole:.1f} s; {took / again['seconds']:.1f} times the rescan")


if __name__ == "__main__":
    main()
