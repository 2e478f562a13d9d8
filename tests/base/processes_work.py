"""Work for processes to do, in a module that imports little, as each of them imports it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


def squares() -> Callable[[int], tuple[int, int]]:
    """The square of a number, and who worked it out. It prints, which nobody may take for a result."""

    def work(number: int) -> tuple[int, int]:
        print("a result")
        print("a result", file=sys.stderr)
        return number * number, os.getpid()

    return work


def mortal(deadly: int) -> Callable[[int], int]:
    """Numbers as they are, but for one that kills the process."""

    def work(number: int) -> int:
        if number == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    return work


def at_home(parent: int) -> Callable[[int], int]:
    """Work that can be begun in one process alone."""
    if os.getpid() != parent:
        os._exit(3)
    return lambda number: number


def refusing() -> Callable[[int], int]:
    raise ValueError("no work here")


def endless() -> Callable[[str], None]:
    """Writes who works to a file, and works on."""

    def work(path: str) -> None:
        whole = Path(path)
        whole.with_suffix(".part").write_text(str(os.getpid()), encoding="utf-8")
        whole.with_suffix(".part").rename(whole)
        time.sleep(600)

    return work
