"""What reading transcripts takes, beside parsing the same lines as JSON and nothing else.

    python tests/benchmarks/reading.py TRANSCRIPTS... [--rounds 7]

Every round reads each file three ways: `json.loads` of every line; the parsing of this program (`Raw`); and all of
reading, which is recognising the format and taking every record of every conversation. Prints MB/s of each, for the
files of each format and for all, as medians of the rounds, and how many times as long reading takes as `json.loads`.
Files that no format claims are named and left out. Sub-agents in files of their own beside a file are read with it, but
their bytes are not counted: name sessions without such, or the sub-agents' files alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.base.errors import MemscopeError
from memscope.conversation.formats import recognise
from memscope.conversation.raw import Raw
from memscope.conversation.records import Item


def loaded(path: Path) -> None:
    """Every line read as JSON, and nothing else done; the file as a whole where that fails for its first line."""
    with path.open("rb") as file:
        for number, line in enumerate(file):
            try:
                json.loads(line)
            except ValueError:  # two values on a line, as there are, or one document on many
                if not number:
                    file.seek(0)
                    with suppress(ValueError):
                        json.loads(file.read())
                    return


def parsed(path: Path) -> None:
    for _ in Raw(path).values():
        pass


def read(path: Path) -> None:
    raw = Raw(path)
    for item in recognise(raw).conversations(raw):
        if isinstance(item, Item):
            for _ in item.records:
                pass


WAYS: dict[str, Callable[[Path], None]] = {"json.loads": loaded, "parsing": parsed, "reading": read}


def round_of(paths: Sequence[Path]) -> dict[str, float]:
    """The seconds that each way takes for all of `paths`; they take turns file by file."""
    taken = dict.fromkeys(WAYS, 0.0)
    for path in paths:
        for name, way in WAYS.items():
            began = time.perf_counter()
            way(path)
            taken[name] += time.perf_counter() - began
    return taken


def by_format(paths: Sequence[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        try:
            found[recognise(Raw(path)).name].append(path)
        except MemscopeError as error:
            print(f"left out: {path.name}: {error.what}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("transcripts", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    groups = by_format(args.transcripts)
    if len(groups) > 1:
        groups["all"] = [path for paths in groups.values() for path in paths]
    print(f"{'':14}{'files':>6}{'MB':>8}" + "".join(f"{name:>12}" for name in WAYS) + f"{'reading / json.loads':>22}")
    for name, paths in groups.items():
        size = sum(path.stat().st_size for path in paths) / 1e6
        round_of(paths)  # what is loaded once, and the system's cache of the files
        rounds = [round_of(paths) for _ in range(args.rounds)]
        speeds = "".join(f"{size / median(taken[way] for taken in rounds):>7.1f} MB/s" for way in WAYS)
        ratio = median(taken["reading"] / taken["json.loads"] for taken in rounds)
        print(f"{name:14}{len(paths):>6}{size:>8.1f}{speeds}{ratio:>22.2f}")


if __name__ == "__main__":
    main()
