"""The file of an agent's memory: read, written as a whole or not at all, and changed by one program at a time.

A file that cannot be read as a memory is left alone: whoever started afresh would destroy it with the next save.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from memscope.base.disk import disk_error
from memscope.base.errors import SourceError, UsageError
from memscope.base.files import remove_leftovers, replace_files
from memscope.conversation.raw import is_too_deep
from memscope.conversation.unreadable import unreadable
from memscope.lessons.document import WrongValueError, document_of, memory_of
from memscope.lessons.model import AgentMemory
from memscope.lessons.places import line_of, refused

LOGGED = 100
"""Episodes that the log keeps in the file."""

_BETWEEN_TRIES = 0.05  # seconds, to get the lock


def read(path: Path) -> AgentMemory:
    """The memory in the file at `path`; a fresh one where there is none. Raises `SourceError`, which names the line
    where there is one, for anything that is no such file; the file is never touched."""
    return _read(path)[1]


def _read(path: Path) -> tuple[bytes | None, AgentMemory]:
    data = _bytes(path)
    return data, _memory(data, path)


def _memory(data: bytes | None, path: Path) -> AgentMemory:
    return AgentMemory() if data is None else _parsed(data, path)


def save(path: Path, memory: AgentMemory) -> None:
    """Writes `memory` in place of what the file at `path` holds, which stays beside it with .bak behind its name; where
    `path` is a link, beside the file it leads to. A new file has the rights that the umask leaves.

    The folders are made; of the log the last 100 are written. What is in the file already is not written again, for
    the copy beside it would be the same then. Raises `SourceError` where no file can be, `UsageError` and
    `MemscopeError` of the disk, or for a file that is read-only, which leave the file as it was.
    """
    before = _bytes(path)
    after = json.dumps(document_of(_trimmed(memory)), indent=2).encode()
    if after == before:
        return
    if before is not None and not os.access(path, os.W_OK):  # to replace it takes the rights of its folder alone
        raise UsageError("this may not be written to", where=path, do="Make it writable, or choose another file.")
    copy = _copy(path)
    if copy.is_dir():
        what = "this is a folder, where the version before is to be kept"
        raise UsageError(what, where=copy, do="Move it away; nothing was written.")
    files = {path: (after,)} if before is None else {copy: (before,), path: (after,)}
    try:
        replace_files(files, shared=True, like=path)
    except OSError as error:
        raise disk_error(error, path) from error


def changing(
    path: Path,
    change: Callable[[AgentMemory], AgentMemory],
    *,
    patience: float = 10.0,
    wait: Callable[[], object] = lambda: None,
) -> tuple[AgentMemory, AgentMemory]:
    """Reads the file, changes what it holds and saves that, while nobody else who does so can; the memory before and
    after. Nothing is written where `change` returns the very memory that it is given.

    `patience`: seconds to wait for others; `wait` is called again and again meanwhile, and may raise to end that.
    Raises `UsageError` where the patience is not enough, what `read`, `save`, `change` and `wait` raise.
    """
    data, memory = _read(path)  # what is no such file is refused before a lock is made beside it, which stays there
    with _locked(Path(os.path.realpath(path)), path, patience, wait):
        remove_leftovers(path)
        remove_leftovers(_copy(path))
        again = _bytes(path)
        before = memory if again == data else _memory(again, path)
        after = change(before)
        if after is not before:
            after = _trimmed(after)
            save(path, after)
    return before, after


@contextmanager
def _locked(real: Path, named: Path, patience: float, wait: Callable[[], object]) -> Iterator[None]:
    """Keeps other programs from changing the file at `real`, by whatever link they know it."""
    from filelock import FileLock, Timeout

    lock = FileLock(real.parent / f".{real.name}.lock", timeout=0)
    until = time.monotonic() + patience
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                lock.acquire()
                break
            except Timeout as error:
                if time.monotonic() >= until:
                    what = f"another program has been changing it for {patience:g} seconds"
                    do = "Try again when that is done; nothing was written."
                    raise UsageError(what, where=named, do=do) from error
            wait()
            time.sleep(_BETWEEN_TRIES)
    except OSError as error:
        raise disk_error(error, named) from error
    try:
        yield
    finally:
        lock.release()


def _trimmed(memory: AgentMemory) -> AgentMemory:
    is_long = len(memory.episode_log) > LOGGED
    return replace(memory, episode_log=memory.episode_log[-LOGGED:]) if is_long else memory


def _copy(path: Path) -> Path:
    """Where the version before is kept: beside the file, as its lock is, and not beside a link to it."""
    real = Path(os.path.realpath(path)) if path.is_symlink() else path
    return real.parent / f"{real.name}.bak"


def _bytes(path: Path) -> bytes | None:
    """What the file holds; None where there is none."""
    try:
        # What is opened may be a pipe that nobody writes to.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(error, path) from error
    except ValueError as error:
        raise UsageError("no file has such a name", where=path, do="Check the path.") from error
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        if stat.S_ISDIR(mode):
            raise SourceError("this is a folder, not a file", where=path, do="Name a file in it.")
        raise SourceError("this is a pipe or a device, not a file", where=path, do="Name a file.")
    try:
        with os.fdopen(handle, "rb") as file:
            return file.read()
    except OSError as error:
        raise unreadable(error, path) from error


def _parsed(data: bytes, path: Path) -> AgentMemory:
    text, do = "", ""
    try:
        text = data.decode("utf-8-sig")
        if not text.strip():
            raise SourceError("the file is empty")
        document = json.loads(text, object_pairs_hook=_object)
        if is_too_deep(document):
            raise RecursionError
        return memory_of(document)
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        what = f"line {number}: this is not UTF-8"
    except json.JSONDecodeError as error:
        what = f"line {error.lineno}: this is no JSON ({error.msg})"
    except WrongValueError as error:
        what = f"line {line_of(text, error.names)}: {error.what}"
    except SourceError as error:
        what, do = error.what, error.do
    except (RecursionError, ValueError):
        what = refused(text)
    copy = _copy(path)
    instead = "move it away to begin afresh"
    if copy.is_file():
        instead = f"put {copy if path.is_symlink() else copy.name} in its place"
    raise SourceError(what, where=path, do=do or f"Repair it, or {instead}; it was left as it is.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one of two values of the same name would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
