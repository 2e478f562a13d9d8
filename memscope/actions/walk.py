"""The files at and below a path that may be transcripts, and what cannot be looked for: each with its reason.

Nothing is opened. Folders are walked in one pass, with what the system says of each file, for there are thousands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from memscope.conversation.unreadable import why

SUFFIXES = (".json", ".jsonl", ".ndjson", ".af", ".traj")  # of what may be a transcript, in a folder
DATABASES = (".db", ".sqlite", ".sqlite3")
AGAIN = "a folder that is read already"  # why there is nothing of what a link leads to
_PASSED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv"})


class Found(NamedTuple):
    """A file, or something else under the name of one: its `path` as reached, and as it is without links (`real`), both
    as `os.fsdecode` has them; what the system says of it. Or why that, or what is below a folder, is not known."""

    path: str
    real: str
    status: os.stat_result | None
    error: str = ""


class Passed(NamedTuple):
    """What is passed over in folders: those `folders`, and `files` whose names begin so."""

    folders: Collection[str]
    files: tuple[str, ...]


NOTHING = Passed((), ())


def walk(
    named: Path,
    suffixes: tuple[str, ...] = SUFFIXES,
    passed: Passed = NOTHING,
    check: Callable[[], object] = lambda: None,
) -> Iterator[Found]:
    """The file at `named`, whatever its name; or those below it in folders, by name, sorted.

    In folders, names that begin with a dot are passed over, and files without one of the `suffixes` in whatever case.
    Links are followed; a folder that is reached again on another way is told, and not walked twice. A file is told as
    often as it is reached: `real` says which are the same. `check` is called before each folder, and may raise.
    """
    try:
        path = str(named.expanduser())
    except RuntimeError as error:  # the ~ of somebody who does not exist
        yield Found(str(named), str(named), None, str(error))
        return
    if not os.path.isdir(path):  # noqa: PTH112 - it never raises
        yield _file(path)
        return
    entered: set[str] = set()
    folders: list[Iterator[Found | _Folder]] = [iter([_Folder(path, os.path.realpath(path))])]
    while folders:
        for found in folders[-1]:
            if isinstance(found, Found):
                yield found
            elif found.real in entered:
                yield Found(found.path, found.real, None, AGAIN)
            else:
                check()
                entered.add(found.real)
                folders.append(_below(found, suffixes, passed))
                break
        else:
            folders.pop()


class _Folder(NamedTuple):
    path: str
    real: str


def _below(folder: _Folder, suffixes: tuple[str, ...], passed: Passed) -> Iterator[Found | _Folder]:
    """What a folder holds, in order; folders are yet to be entered."""
    path, real = folder
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=attrgetter("name"))
    except OSError as error:
        yield Found(path, real, None, why(error))
        return
    real = real if real.endswith(os.sep) else real + os.sep
    is_link_free = path + os.sep == real
    for entry in entries:
        name = entry.name
        if name.startswith("."):
            continue
        is_link = entry.is_symlink()
        if _is_folder(entry):
            if name not in _PASSED_FOLDERS and name not in passed.folders:
                yield _Folder(entry.path, os.path.realpath(entry.path) if is_link else real + name)
        elif name.lower().endswith(suffixes) and not name.startswith(passed.files):
            if is_link:
                yield _file(entry.path)
                continue
            try:
                status = entry.stat()
            except OSError as error:
                yield Found(entry.path, real + name, None, why(error))
            else:
                yield Found(entry.path, entry.path if is_link_free else real + name, status)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _file(path: str) -> Found:
    real = path
    try:
        real = os.path.realpath(path)
        return Found(path, real, os.stat(path))  # noqa: PTH116 - a name of any bytes
    except (OSError, ValueError) as error:  # ValueError: no file can have such a name
        return Found(path, real, None, why(error) if isinstance(error, OSError) else str(error))
