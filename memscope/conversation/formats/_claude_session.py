"""The conversations of a Claude Code session: which records of which file each is made of.

The main conversation is streamed. Sub-agents come from sidechain records and reports of progress in the same file,
which are all gathered in one more pass, and from files of their own: below the session's folder, or beside the session,
naming it (as older versions had it). A sub-agent that has a file is read from there, though it is reported too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from memscope.base.errors import SourceError
from memscope.conversation.formats._claude_tree import MAIN, Index, index, reported
from memscope.conversation.formats._content import string
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw, Value

_NO_SESSION = ""
Placed = tuple[int, Value | Skipped]  # a value with its place, see `Index`


@dataclass(frozen=True)
class Thread:
    """A conversation of a session: a file, and which branch of it."""

    session: Session
    branch: str

    @property
    def is_subagent(self) -> bool:
        return self.branch != MAIN

    @property
    def title(self) -> str:
        return self.session.index.titles[self.branch] if self.is_subagent else ""

    @property
    def index(self) -> Index:
        return self.session.index

    def values(self) -> Iterator[Placed]:
        """The values of this conversation in file order, and all that was passed over in the file."""
        aside = [branch for branch in self.session.branches if branch != MAIN]
        if self.is_subagent and len(aside) > 1:
            return iter(self.session.aside[self.branch])
        return self.session.placed((self.branch,))


@dataclass(frozen=True)
class Session:
    """A file of a session, with what one pass over it told."""

    raw: Raw
    index: Index

    @cached_property
    def branches(self) -> list[str]:
        """The conversations in the file, the main one first."""
        return sorted(self.index.titles, key=lambda branch: branch != MAIN) or [MAIN]

    def placed(self, branches: Collection[str]) -> Iterator[Placed]:
        """The values of these conversations in file order, and all that was passed over in the file."""
        placed = enumerate(self.raw.kept())
        if MAIN in branches and not self.index.branches:  # as in most files
            return placed
        return self._among(branches, placed)

    def _among(self, branches: Collection[str], placed: Iterable[Placed]) -> Iterator[Placed]:
        has_reports = bool(self.index.reports)
        for place, value in placed:
            branch = self.index.branch(place)
            if isinstance(value, Skipped):
                yield place, value
            elif branch in branches:
                told = reported(value.json) if has_reports and branch != MAIN else None
                yield place, value if told is None else Value(value.line, told)

    @cached_property
    def aside(self) -> Mapping[str, list[Placed]]:
        """The records of every sub-agent: a pass for each of a hundred sub-agents would be a hundred passes."""
        found: dict[str, list[Placed]] = {branch: [] for branch in self.branches if branch != MAIN}
        for place, value in self.placed(found):
            for name in found if isinstance(value, Skipped) else (self.index.branch(place),):
                found[name].append((place, value))
        return found


def threads(raw: Raw) -> Iterator[Thread]:
    """The main conversation, then sub-agents in file order, then those with files of their own."""
    session = Session(raw, index(raw))
    if session.branches[0] != MAIN:  # the file is a sub-agent's
        yield from (Thread(session, branch) for branch in session.branches)
        return
    side_files = list(_side_files(raw.path, session.index.sessions))
    twice = {session.index.reports.get(path.stem.removeprefix("agent-")) for path in side_files}
    yield from (Thread(session, branch) for branch in session.branches if branch not in twice)
    for path in side_files:
        with suppress(SourceError):  # an empty side file is no reason to refuse the session
            side = Raw(path)
            in_side = Session(side, index(side))
            yield from (Thread(in_side, branch) for branch in in_side.index.titles)


def _side_files(path: Path, sessions: set[str]) -> Iterator[Path]:
    try:
        folder = path.parent / path.stem / "subagents"
        below = sorted(folder.rglob("agent-*.jsonl")) if folder.is_dir() else []
        beside = _beside(path.parent, path.parent.stat().st_mtime_ns)
    except OSError:
        return
    yield from below
    untold = (p for p in beside.get(_NO_SESSION, ()) if _session_of(p) in sessions)  # just begun when it was indexed
    named = (p for session in sessions for p in beside.get(session, ()))
    yield from sorted(p for p in (*named, *untold) if p != path)


@lru_cache(maxsize=32)
def _beside(folder: Path, changed: int) -> Mapping[str, tuple[Path, ...]]:
    """The sub-agents' files in a folder by the session they name. `changed` is the folder's time, part of the key.

    A folder holds the sessions of a project, hundreds of them: without the index, each would open every file.
    """
    del changed
    found: dict[str, tuple[Path, ...]] = {}
    for path in folder.glob("agent-*.jsonl"):
        session = _session_of(path)
        found[session] = (*found.get(session, ()), path)
    return found


def _session_of(path: Path) -> str:
    """The session that a sub-agent's file names in its first record; "" for none."""
    try:
        first = next((value.json for value in Raw(path).values() if isinstance(value, Value)), None)
    except SourceError:
        return _NO_SESSION
    is_agent = isinstance(first, dict) and first.get("isSidechain") is True
    return string(first.get("sessionId")) if isinstance(first, dict) and is_agent else _NO_SESSION
