"""The write-ahead log beside a database: what was written last may stand there alone, the database itself unchanged."""

from __future__ import annotations

import os
from pathlib import Path


def log_path(path: Path | str) -> str:
    """Where the log of the database at `path` is, if it has one: beside the file that links lead to."""
    return f"{os.path.realpath(path)}-wal"


def log_state(path: Path | str) -> str:
    """Size in bytes and time in nanoseconds of the log of the database at `path`, as a text to compare with another.

    "" where there is none, as for every file that is no database. Never raises.
    """
    try:
        status = os.stat(log_path(path))  # noqa: PTH116 - for any name, and thousands of times
    except (OSError, ValueError):
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
