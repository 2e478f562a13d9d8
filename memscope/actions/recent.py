"""Conversations to offer to somebody who named none: those opened before, and the newest that agents have left."""

from __future__ import annotations

import heapq
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.errors import MemscopeError
from memscope.conversation.formats import format_named, format_names, recognise
from memscope.conversation.load import fold
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.records import title_from
from memscope.store.recents import Recents

if TYPE_CHECKING:
    from memscope.store.database import Database

MOST_ENTRIES = 20_000  # of folders, looked at in all
_DEEPEST = 6  # folders below an agent's
_SUFFIXES = (".jsonl", ".json")
_PEEK = 2**17  # bytes; Codex writes some 90 kB before the first request
_PEEK_FURTHER = 2**21  # for files that begin with a long record, or are one
_PUT_BEFORE = re.compile(r"\s*<(system-reminder|[a-z]+(?:[-_][a-z]+)+)>.*?(?:</\1>|\Z)", re.DOTALL)
# Beside its sessions an agent keeps sub-agents, whose main conversation is listed, and what is no conversation.
_PASSED_FOLDERS = frozenset({"subagents", "workflows", "tool-results", "memory"})
_PASSED_FILES = ("agent-", "sessions.json", ".", "request_dump_")


@dataclass(frozen=True, slots=True)
class RecentConversation:
    """A conversation that can be opened.

    `time`, in seconds since the epoch: when it was opened last, if it is `known` (opened before), else when its file
    was written last. `title` and `format` are empty where nobody has looked yet; `size` is in bytes. `window`: None is
    the last. `memories`: the memory files it was opened with.
    """

    path: Path
    item: int
    window: int | None
    title: str
    format: str
    time: float
    size: int
    known: bool
    memories: tuple[Path, ...] = ()


def recent_conversations(database: Database | None, count: int = 50) -> list[RecentConversation]:
    """At most `count` conversations: those opened before, latest first, and then the newest transcripts in the folders
    of the agents that memscope knows.

    Files that are gone are left out, and nothing is read but folders, at most `MOST_ENTRIES` of their entries. Raises
    `StoreError`.
    """
    folders = _folders()
    found = list(_opened_before(database, count, folders))
    places = {(os.path.realpath(one.path), one.item) for one in found}
    # Of so many as are asked for, at most those that are known are repeats.
    for one in heapq.nlargest(count, _transcripts(folders, count), key=lambda one: one.time):
        place = (os.path.realpath(one.path), one.item)
        if place not in places:
            places.add(place)
            found.append(one)
    return found[: max(count, 0)]


def _opened_before(
    database: Database | None, count: int, folders: Sequence[tuple[str, Path]]
) -> Iterator[RecentConversation]:
    for recent in Recents(database).latest(count) if database is not None else ():
        status = _status(recent.path)
        if status is not None:
            yield RecentConversation(
                recent.path,
                recent.item,
                recent.window,
                "" if _PUT_BEFORE.match(recent.title) and not recent.item else recent.title,  # to be looked for anew
                # Of the agent in whose folder it lies.
                next((name for name, folder in folders if recent.path.is_relative_to(folder)), ""),
                recent.at,
                status.st_size,
                True,
                recent.memories,
            )


def _folders() -> list[tuple[str, Path]]:
    """Each agent's folders of sessions, and files of many, with the name of its format."""
    homes = ((name, format_named(name).home) for name in format_names())
    return [(name, folder) for name, home in homes if home is not None for folder in home.session_folders]


def _transcripts(folders: Sequence[tuple[str, Path]], count: int) -> Iterator[RecentConversation]:
    """What agents have left; of a file that holds many conversations at most `count`."""
    there = [(name, folder) for name, folder in folders if os.path.isdir(folder)]  # noqa: PTH112 - it never raises
    for name, path in folders:
        latest = format_named(name).latest
        status = _status(path) if latest is not None else None
        if latest is None or status is None:
            continue
        with suppress(MemscopeError):  # who opens it is told why it cannot be read
            for one in latest(Raw(path), count):
                yield RecentConversation(path, one.item, None, one.title, name, one.time, status.st_size, False)
    for name, folder in there:
        for entry in _files(folder, MOST_ENTRIES // len(there)):
            status = _status(Path(entry.path))
            if status is not None:
                path = Path(entry.path)
                yield RecentConversation(path, 0, None, "", name, status.st_mtime, status.st_size, False)


def _files(folder: Path, most: int) -> Iterator[os.DirEntry[str]]:
    """The transcripts below `folder`, of folders those first that were changed last; links to folders lead nowhere."""
    waiting = [(0.0, 0, str(folder))]
    while waiting and most > 0:
        _, depth, place = heapq.heappop(waiting)
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    most -= 1
                    if entry.is_dir(follow_symlinks=False):
                        if depth < _DEEPEST and entry.name not in _PASSED_FOLDERS:
                            heapq.heappush(waiting, (-entry.stat().st_mtime, depth + 1, entry.path))
                    elif entry.name.lower().endswith(_SUFFIXES) and not entry.name.startswith(_PASSED_FILES):
                        yield entry
                    if most <= 0:
                        break
        except OSError:
            continue


def _status(path: Path) -> os.stat_result | None:
    """A file's, if it is one and not empty."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) and status.st_size else None


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What the beginning of a transcript tells: its title, or else its first request, and the name of its format; both
    are empty where it does not tell."""

    title: str = ""
    format: str = ""


def glimpse(path: Path) -> Glimpse:
    """Looks at the first 128 KiB of a transcript, and where they hold no request at the first 2 MiB."""
    status, found = _status(path), Glimpse()
    for most in (_PEEK, _PEEK_FURTHER) if status is not None else ():
        found = _glimpse(path, most) or found
        if found.title or (status is not None and status.st_size <= most):
            break
    return found


def _glimpse(path: Path, most: int) -> Glimpse | None:
    """What the first bytes tell, at most so many; None where they are nothing that can be read."""
    try:
        with path.open("rb") as file:
            start = file.read(most + 1)
        lines = start.count(b"\n") if len(start) > most else None
        if lines == 0:
            return None
        raw = Raw(path, lines)
        form = recognise(raw)
        name = next(name for name in format_names() if format_named(name) is form)
        for item in form.conversations(raw):
            if not isinstance(item, Skipped):
                told = fold(item.records)
                asked = [m.text for w in told.windows for m in w if m.role == "user" and m.kind == "said" and m.text]
                titles = [told.title, item.title, title_from(map(_own_words, asked)), title_from(asked)]
                named = [title for title in titles if title]
                return Glimpse(
                    next((title for title in named if not _PUT_BEFORE.match(title)), "".join(named[:1])), name
                )
        return Glimpse("", name)
    except (OSError, ValueError, MemscopeError):
        return None


def _own_words(text: str) -> str:
    """A request without what software put before it, between tags."""
    while block := _PUT_BEFORE.match(text):
        text = text[block.end() :]
    return text.strip()
