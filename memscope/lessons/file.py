"""The file of an agent's memory: read, written as a whole or not at all, and changed by one program at a time.

A file that cannot be read as a memory is left alone: whoever started afresh would destroy it with the next save.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from memscope.base.disk import disk_error
from memscope.base.errors import SourceError, UsageError
from memscope.base.files import replace_files
from memscope.base.text import preview
from memscope.conversation.raw import is_too_deep
from memscope.conversation.unreadable import unreadable
from memscope.lessons.document import WrongValueError, document_of, memory_of
from memscope.lessons.model import AgentMemory

LOGGED = 100
"""Episodes that the log keeps in the file."""

_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def read(path: Path) -> AgentMemory:
    """The memory in the file at `path`; a fresh one where there is none. Raises `SourceError`, which names the line
    where there is one, for anything that is no such file; the file is never touched."""
    data = _bytes(path)
    return AgentMemory() if data is None else _parsed(data, path)


def save(path: Path, memory: AgentMemory) -> None:
    """Writes `memory` in place of what the file at `path` holds, which stays beside it with .bak behind its name.

    The folders are made; of the log the last 100 are written. What is in the file already is not written again, for
    the copy beside it would be the same then. Raises `SourceError` where no file can be, `UsageError` and
    `MemscopeError` of the disk, which leave the file as it was.
    """
    before = _bytes(path)
    after = json.dumps(document_of(_trimmed(memory)), indent=2).encode()
    if after == before:
        return
    files = {path: (after,)} if before is None else {_copy(path): (before,), path: (after,)}
    try:
        replace_files(files)
    except OSError as error:
        raise disk_error(error, path) from error


def changing(
    path: Path, change: Callable[[AgentMemory], AgentMemory], *, patience: float = 10.0
) -> tuple[AgentMemory, AgentMemory]:
    """Reads the file, changes what it holds and saves that, while nobody else who does so can; the memory before and
    after. Nothing is written where `change` returns the very memory that it is given.

    `patience`: seconds to wait for others. Raises `UsageError` where that is not enough, what `read`, `save` and
    `change` raise.
    """
    read(path)  # what is no such file is refused before a lock is made beside it, which stays there
    with _locked(Path(os.path.realpath(path)), path, patience):
        before = read(path)
        after = change(before)
        if after is not before:
            after = _trimmed(after)
            save(path, after)
    return before, after


@contextmanager
def _locked(real: Path, named: Path, patience: float) -> Iterator[None]:
    """Keeps other programs from changing the file at `real`, by whatever link they know it."""
    from filelock import FileLock, Timeout

    lock = FileLock(real.parent / f".{real.name}.lock", timeout=patience)
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        what = f"another program has been changing it for {patience:g} seconds"
        raise UsageError(what, where=named, do="Try again when that is done; nothing was written.") from error
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
    return path.with_name(path.name + ".bak")


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
    except RecursionError:
        what = "the JSON is nested too deeply"
    except WrongValueError as error:
        what = f"line {_line(text, error.names)}: {error.what}"
    except SourceError as error:
        what, do = error.what, error.do
    except ValueError:
        what = "it holds a number too long to read"
    copy = _copy(path)
    instead = f"put {copy.name} in its place" if copy.exists() else "move it away to begin afresh"
    raise SourceError(what, where=path, do=do or f"Repair it, or {instead}; it was left as it is.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one of two values of the same name would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(f"an object in it has {preview(twice, 40)} twice")
    return found


def _line(text: str, names: tuple[str, ...]) -> int:
    """The line, from 1, of the value to which these names lead, in a whole document."""
    at = 0
    for name in names:
        at = text.index("{", at) + 1
        found = ""
        while found != name:
            found, at = _DECODER.raw_decode(text, _behind_blanks(text, at))
            at = _behind_blanks(text, _behind_blanks(text, at) + 1)  # behind the colon
            if found != name:
                _, at = _DECODER.raw_decode(text, at)
                at = _behind_blanks(text, at) + 1  # behind the comma
    return text.count("\n", 0, at) + 1


def _behind_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return at if match is None else match.end()
