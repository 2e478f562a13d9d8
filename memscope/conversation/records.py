"""What every transcript format yields, and how a format is announced.

A `Conversation` and the ranking of sessions are two folds over the same records; there is no second parser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from memscope.base.text import preview
from memscope.conversation.homes import Home
from memscope.conversation.model import Message, Part, Skipped, ToolResult
from memscope.conversation.raw import Raw

FactKind = Literal[
    "title",
    "session",  # the agent's own name for it
    "parent",  # that of the session whose sub-agent it is
    "model",
    "tool",
    "cwd",
    "repository",
    "branch",
    "error",
    "exit_code",
    "interrupted",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a transcript says that is no message: `tool` is a definition as JSON, `error` the deciding text, ..."""

    kind: FactKind
    text: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Boundary:
    """A new context window starts here: what follows did not see what came before, but for the system prompt."""

    line: int = 0


Record = Message | Fact | Skipped | Boundary
CERTAIN = 0.9  # of a claim, see `Yes`: no other format is asked
_PARTING = Message | Boundary


@dataclass(frozen=True, slots=True)
class Yes:
    """The source is in this format; the strongest claim wins. 0.5: the shape fits; `CERTAIN`: it alone has it."""

    strength: float


@dataclass(frozen=True, slots=True)
class No:
    """The source is not in this format, and why, to follow the words "not FORMAT:"."""

    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """A conversation in a source. `records` can be read once, at any time, and cost nothing until then.

    `is_subagent` is for the ranking of sessions and the console, which list sub-agents below their session.
    `marks_failures`: whoever wrote it marks results and turns that failed, so that where none is marked, none did.
    """

    records: Iterable[Record]
    title: str = ""
    is_subagent: bool = False
    marks_failures: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a source, by its number. `time`: of its last message, in seconds since the epoch."""

    item: int
    title: str
    time: float


@dataclass(frozen=True, slots=True)
class Format:
    """A transcript format.

    `conversations(raw)` yields the conversations of a file as they come, sub-agents after the main one, and between
    them what belongs to none and was passed over. All of them, records included, are one pass over the file (two where
    the end of a session decides about its beginning), and none is held that was handed out. It may raise `SourceError`,
    and never guesses.

    `home` is the folder of the agent that writes it, where it has one. `is_database`: it reads SQLite databases, and
    nothing else is shown to it; every other format is shown text alone. `latest`: the conversations that were gone on
    with last, newest first and at most so many, in a file that holds those of months; sub-agents are none of them.
    """

    name: str
    title: str
    sniff: Callable[[Raw], Yes | No]
    conversations: Callable[[Raw], Iterator[Item | Skipped]]
    home: Home | None = None
    is_database: bool = False
    latest: Callable[[Raw, int], list[Listed]] | None = None


def merge_assistant(records: Iterable[Record]) -> Iterator[Record]:
    """Assistant messages of one kind that follow each other become one: some agents write a reply as several records.

    Facts and skips between them do not part them, and come behind the reply that they follow; a boundary does. The
    first record's id, time and line stay. A message that is a memory as a whole stays by itself.
    """
    held: Message | None = None
    more: list[Part] = []  # of those that follow the one held
    behind: list[Record] = []
    for record in records:
        is_reply = isinstance(record, Message) and record.role == "assistant" and not record.is_memory
        if held is not None:
            if isinstance(record, Message) and is_reply and record.kind == held.kind:
                more.extend(record.parts)
                continue
            if not isinstance(record, _PARTING):
                behind.append(record)
                continue
            yield with_more(held, more)
            yield from behind
            held, more, behind = None, [], []
        if isinstance(record, Message) and is_reply:
            held = record
        else:
            yield record
    if held is not None:
        yield with_more(held, more)
        yield from behind


def with_more(message: Message, more: list[Part]) -> Message:
    """The message with `more` parts behind its own."""
    return replace(message, parts=(*message.parts, *more)) if more else message


def outcome_facts(result: ToolResult, line: int) -> list[Fact]:
    """The facts a tool result holds about how it went."""
    facts: list[Fact] = []
    if result.exit_code:
        facts.append(Fact("exit_code", str(result.exit_code), line))
    if result.is_error:
        facts.append(Fact("error", result.text, line))
    return facts


class Changes:
    """Facts that hold until the next one of their kind, such as the folder: told only where they change."""

    def __init__(self) -> None:
        self._known: dict[FactKind, str] = {}

    def told(self, kind: FactKind, value: Any, line: int) -> tuple[Fact, ...]:
        """The fact, if `value` is a text and not the one that holds already."""
        if not isinstance(value, str) or not value or self._known.get(kind) == value:
            return ()
        self._known[kind] = value
        return (Fact(kind, value, line),)


def title_from(texts: Iterable[str]) -> str:
    """The title of a conversation that names none: the opening words of the first of `texts` that says anything."""
    return next((preview(text, 80) for text in texts if text.strip()), "")
