"""Reading a session without loading it as the conversation: one context window of it, where something failed in it, and
the next window in which something is.

The messages have the indices that opening has them under, so that every piece of evidence can be jumped to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from memscope.actions.open import Opening, opened
from memscope.actions.walk import DATABASES
from memscope.base.job import Job
from memscope.base.text import preview
from memscope.conversation.model import Memory, Message, ToolResult
from memscope.conversation.records import Fact, Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from memscope.base.settings import Settings
    from memscope.conversation.model import Conversation
    from memscope.store.database import Database

_EVERY = 100  # records after which it is told how far the reading is
_WORDS = 120  # characters of why something failed
_FAILED = {"error": "error", "interrupted": "broken off", "exit_code": "exit"}  # facts told beside the messages


What = Literal["failure", "memory", "response"]
"""What one goes through a session for."""


class Trouble(NamedTuple):
    """Something failed in, or right behind, the message with this index, in this part of it (-1: in none); `words` say
    what, on one line."""

    message: int
    part: int
    words: str


@dataclass(frozen=True, slots=True)
class Read:
    """A context window of a session, and what failed in it: of each message the first, in their order. `opening`: how
    it was read; `stamp`: what the file looked like then; `windows`: in which context windows, at most, something is."""

    opening: Opening
    stamp: tuple[int, int] | None
    conversation: Conversation
    troubles: tuple[Trouble, ...]
    windows: Mapping[What, Collection[int]]

    def places(self, what: What) -> list[tuple[int, int]]:
        """The messages, and parts of them (-1: none), where there is a failure, a memory or a response, in order."""
        if what == "failure":
            return [(trouble.message, trouble.part) for trouble in self.troubles]
        if what == "response":
            return [(message, -1) for message in self.conversation.responses]
        return [
            (index, place)
            for index, message in enumerate(self.conversation.messages)
            for place, part in enumerate(message.parts)
            if isinstance(part, Memory)
        ]


def read_session(
    opening: Opening, settings: Settings, database: Database | None, job: Job, known: Read | None = None
) -> Read:
    """The session as `opening` says, read; or what is `known` of it, where the file is as it was. Raises `SourceError`,
    `UsageError`, `SettingsError`, and `Cancelled`."""
    stamp = _stamp(opening.path)
    if known is not None and known.opening == opening and known.stamp == stamp is not None:
        return known
    told = _Told(opening.path.name, job)
    conversation = opened(opening, settings, database, watch=told).conversation
    window = conversation.source.window if conversation.source is not None else 0
    messages = conversation.messages
    failed = {trouble.message: trouble for trouble in _results(messages)}
    for one in told.facts:
        if one.window == window:
            trouble = _placed(one, messages)
            failed.setdefault(trouble.message, trouble)  # that a result failed is told as a fact too
    return Read(opening, stamp, conversation, tuple(failed[message] for message in sorted(failed)), told.windows)


def read_on(read: Read, what: What, by: int, *, settings: Settings, database: Database | None, job: Job) -> Read | None:
    """The next context window of a session in which there is such a thing (`by` -1: the one before), round the end;
    None where it is in no other. Every window that may hold one is read for that. Raises as `read_session`."""
    source, windows = read.conversation.source, read.conversation.windows
    here = source.window if source is not None else 0
    for step in range(1, windows):
        window = (here + by * step) % windows
        if window in read.windows.get(what, range(windows)):
            found = read_session(replace(read.opening, window=window), settings, database, job)
            if found.places(what):
                return found
    return None


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; None where that cannot be told, as of a database whose newest pages lie beside it."""
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return None
    return None if path.name.lower().endswith(DATABASES) else (seen.st_size, seen.st_mtime_ns)


class _Found(NamedTuple):
    """A fact, and where it was told: in which window, behind how many messages of that."""

    fact: Fact
    window: int
    behind: int


class _Told:
    """Follows the reading: says how far it is, ends it when it is cancelled, keeps the facts of failures, and the
    `windows` in which there are failures and responses. (What is a memory is known only when rules have read it.)"""

    def __init__(self, name: str, job: Job) -> None:
        self.facts: list[_Found] = []
        self.windows: dict[What, set[int]] = {"failure": set(), "response": set()}
        self._name = name
        self._job = job
        self._records = self._messages = 0

    def __call__(self, record: Record, window: int, behind: int) -> None:
        if isinstance(record, Fact) and record.kind in _FAILED:
            self.facts.append(_Found(record, window, behind))
            self.windows["failure"].add(window)
        elif isinstance(record, Message):
            self._messages += 1
            if record.role == "assistant":
                self.windows["response"].add(window)
            if any(isinstance(part, ToolResult) and (part.is_error or part.exit_code) for part in record.parts):
                self.windows["failure"].add(window)
        self._records += 1
        if self._records % _EVERY == 1:
            self._job.check()
            self._job.progress(self._messages, None, "messages", f"reading {self._name}")


def _results(messages: Sequence[Message]) -> Iterator[Trouble]:
    """The messages in which a tool's result says that it failed."""
    for index, message in enumerate(messages):
        for place, part in enumerate(message.parts):
            if isinstance(part, ToolResult) and (part.is_error or part.exit_code):
                code = f", exit {part.exit_code}" if part.exit_code else ""
                yield Trouble(index, place, f"a tool failed{code}: {preview(part.text, _WORDS)}")
                break


def _placed(found: _Found, messages: Sequence[Message]) -> Trouble:
    """A failure with the last message from no later line: a reply is told in pieces, and what is told between those
    comes before all of it."""
    at = found.behind
    while at < len(messages) and 0 < messages[at].line <= found.fact.line:
        at += 1
    words = f"{_FAILED[found.fact.kind]}: {preview(found.fact.text, _WORDS)}"
    return Trouble(max(0, min(at, len(messages)) - 1), -1, words.removesuffix(": "))
