"""The traces of sessions for a prompt, read as far as it has room for them: nobody knows how long a session is, or
whether anything is said in it, before it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.insights import Session, files_of
from memscope.conversation.many import read_files
from memscope.conversation.model import Source
from memscope.insights.prompt import Trace
from memscope.insights.traces import TraceLine, tracing

if TYPE_CHECKING:
    from memscope.base.job import Job

_OF_SESSION = 400  # characters: about as many sessions have room, if they are not short
_MOST_AT_ONCE = 200  # sessions, where that is more than have room: their traces are held together
_LEAST_OF_LINE = 8  # characters: more lines than fit are not read
_NAME = 80  # characters of a file's name

_DOING = "reading the newest sessions"


class NewestTraces:
    """Traces of `sessions`, which are in their order, as somebody iterates; for a prompt of so many `chars`.

    `taken`: the sessions whose traces were taken, `silent`: how many of those that were read say nothing, or cannot be
    read any more. Iterating raises `Cancelled`.
    """

    def __init__(self, sessions: Sequence[Session], chars: int, job: Job) -> None:
        self.taken: list[Session] = []
        self.silent = 0
        self._sessions = sessions
        self._chars = chars
        self._job = job
        self._names: dict[str, Path] = {}

    def __iter__(self) -> Iterator[Trace]:
        at, most = 0, self._chars // _OF_SESSION + 1
        while at < len(self._sessions):
            some = self._sessions[at : at + most]
            read = self._read(some)
            self.silent += sum(not lines for lines in read)
            for session, lines in zip(some, read, strict=True):
                if lines:
                    self.taken.append(session)
                    yield Trace(self._name(session.source), lines)
            at, most = at + most, max(most, min(2 * most, _MOST_AT_ONCE))

    def _read(self, sessions: Sequence[Session]) -> list[list[TraceLine]]:
        files = files_of(sessions)
        made = read_files(tracing, (self._chars // _LEAST_OF_LINE,), files, self._job, _DOING)
        read = {os.fsdecode(file.path): found.made for file, found in zip(files, made, strict=True)}
        return [read[str(session.source.path)].get(session.source.item, []) for session in sessions]

    def _name(self, source: Source) -> str:
        """`talk` of the first file talk.json, `talk (2)` of the next of that name; `talk#3` of a later session in it.
        Folders are not told, for they say where somebody works."""
        stem = source.path.stem[:_NAME]
        for name in chain((stem,), (f"{stem} ({number})" for number in count(2))):
            if self._names.setdefault(name, source.path) == source.path:
                break
        return f"{name}#{source.item}" if source.item else name
