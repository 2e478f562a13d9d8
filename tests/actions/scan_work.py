"""A reader of files that one file is too much for, in a module that imports little, as processes import it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

from memscope.sessions.reading import Read, reader


def mortal(repositories: Sequence[str], input_format: str) -> Callable[[bytes], Read]:
    """Reads as a scan does; a file named `deadly.json` kills the process, as one that takes all memory would."""
    read = reader(repositories, input_format)

    def work(path: bytes) -> Read:
        if path.endswith(b"deadly.json"):
            os.kill(os.getpid(), signal.SIGKILL)
        return read(path)

    return work
