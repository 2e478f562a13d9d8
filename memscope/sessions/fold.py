"""From a conversation's records to its facts: one pass, of which little is held.

The second fold over the records of a format, beside that of `conversation.load`: both count windows and messages alike,
so that a piece of evidence is found again where loading puts it.
"""

from __future__ import annotations

from functools import lru_cache

from memscope.base.text import preview
from memscope.conversation.keys import digest
from memscope.conversation.model import Conversation, Memory, Message, Part, Skipped, Text, ToolCall, ToolResult
from memscope.conversation.records import Fact, Item, title_from
from memscope.conversation.rules import fenced
from memscope.conversation.window_count import WindowCount
from memscope.sessions.facts import LAST_SECOND, Evidence, Facts, FailureKind
from memscope.sessions.outcome import EVIDENCE, Outcome
from memscope.sessions.repositories import Patterns, Repositories

_REQUEST = 240  # characters of the first request that are kept
_SURE_ID = 16  # characters of an id that nothing else has by chance; shorter ones are numbers within the file
_SHORT = 100_000  # characters: the memories of longer texts are not kept in mind
_ALIKE = 3  # messages whose times have to be the same where there are no such ids
_FAILURES: dict[str, FailureKind] = {"error": "error", "exit_code": "exit_code", "interrupted": "interrupted"}
_MALFORMED = (  # how the reasons begin for lines that are broken or hold something other than a record
    *("the line ", "the last line ", "the JSON is ", "a number too long"),
    *("the value is no", "the entry is no", "the object is no", "the object has no"),
)


def read_facts(item: Item, number: int, patterns: Patterns) -> Facts:
    """The facts of the conversation `item`, which is the one with that `number` in its file. Reads its records, once;
    what they raise (`SourceError`) ends the reading."""
    fold = _Fold(item, patterns)
    for record in item.records:
        if type(record) is Message:
            fold.message(record)
        elif type(record) is Fact:
            fold.fact(record)
        elif type(record) is Skipped:
            fold.passed_over(record)
        else:
            fold.count.boundary()
    return fold.facts(number)


def is_malformed(skipped: Skipped) -> bool:
    """Whether it is a line that is broken, or holds something other than a record."""
    return skipped.reason.startswith(_MALFORMED)


class _Fold:
    """What is known of a conversation so far."""

    __slots__ = (
        *("beginning", "began", "count", "ended", "has_content", "item", "keys", "malformed", "memory", "messages"),
        *("outcome", "parent", "repositories", "request", "responses", "session", "skipped", "title", "tool_calls"),
    )

    def __init__(self, item: Item, patterns: Patterns) -> None:
        self.item = item
        self.count = WindowCount()
        self.outcome = Outcome(item.marks_failures)
        self.repositories = Repositories(patterns)
        self.title = self.session = self.parent = self.request = ""
        self.beginning: list[Message] = []  # the first few that were said
        self.began: float | None = None
        self.ended: float | None = None
        self.keys: set[str] = set()
        self.memory: Evidence | None = None
        self.messages = self.responses = self.tool_calls = self.malformed = self.skipped = 0
        self.has_content = False

    def message(self, message: Message) -> None:
        role, parts, time = message.role, message.parts, message.time
        index = self.count.add(role)
        window = self.count.number
        self.outcome.message(message, window, index)
        if time is not None and 0 <= time <= LAST_SECOND:
            if self.began is None:
                self.began = time
            self.ended = time
        if message.kind != "summary":
            self.messages += 1
            if role == "assistant":
                self._response(message, parts, window, index)
            if len(self.beginning) < _ALIKE and message.kind == "said" and role != "system":
                self.beginning.append(message)
            if not self.has_content and role != "system":
                self.has_content = any(_says(part) for part in parts)
        if role != "assistant":
            self._told(message, parts, window, index)

    def _response(self, message: Message, parts: tuple[Part, ...], window: int, index: int) -> None:
        """What the agent said: its calls, and no memories, unless it is all of a memory in the agent's name."""
        if message.is_memory:
            self._remember(message.memories, message, window, index)
            return
        self.responses += message.kind == "said"
        for part in parts:
            if type(part) is ToolCall:
                self.tool_calls += 1
                self.repositories.call(part.arguments, window, index, message.line)

    def _told(self, message: Message, parts: tuple[Part, ...], window: int, index: int) -> None:
        """What the agent was told: memories may be in it, and the first request of a person."""
        text = ""
        marked: tuple[Memory, ...] = ()
        for part in parts:
            if type(part) is Memory:
                marked = message.memories
            elif type(part) is Text and message.role != "tool":
                text = text or part.text
        if marked:
            self._remember(marked, message, window, index)
        if not text:
            return
        if len(parts) > 1:
            text = message.text
        if message.kind != "summary" and fenced.may_hold(text):
            find = _fenced if len(text) <= _SHORT else _fenced.__wrapped__
            self._remember(find(message.role, parts), message, window, index)
        if not self.request and message.role == "user" and message.kind == "said":
            self.request = preview(text, _REQUEST)

    def _remember(self, memories: tuple[Memory, ...], message: Message, window: int, index: int) -> None:
        if memories and self.memory is None:
            self.memory = Evidence(window, index, message.line, preview(memories[0].text, EVIDENCE))
        self.keys.update(memory.key for memory in memories)

    def fact(self, fact: Fact) -> None:
        kind = fact.kind
        if kind in _FAILURES:
            self.outcome.fact(fact, _FAILURES[kind])
        elif kind in ("cwd", "repository"):
            self.repositories.fact(fact, self.count.number, max(0, self.count.length - 1))
        elif kind == "title":
            self.title = fact.text
        elif kind == "session":
            self.session = fact.text
        elif kind == "parent":
            self.parent = fact.text

    def passed_over(self, skipped: Skipped) -> None:
        self.skipped += 1
        self.malformed += is_malformed(skipped)

    def facts(self, number: int) -> Facts:
        return Facts(
            item=number,
            title=self.title or self.item.title or title_from([self.request]),
            request=self.request,
            session=self.session,
            parent=self.parent,
            print=_print(self.beginning),
            is_subagent=self.item.is_subagent or bool(self.parent),
            messages=self.messages,
            responses=self.responses,
            tool_calls=self.tool_calls,
            memories=len(self.keys),
            memory=self.memory,
            windows=self.count.windows,
            began=self.began,
            ended=self.ended,
            repositories=self.repositories.found(),
            failure=self.outcome.failure,
            has_content=self.has_content,
            malformed=self.malformed,
            skipped=self.skipped,
        )


@lru_cache(maxsize=16)
def _fenced(role: str, parts: tuple[Part, ...]) -> tuple[Memory, ...]:
    """The memories of a message, by the fenced rule too. Sessions of one repository are told the same AGENTS.md."""
    return fenced.RULE.apply(Conversation((Message(role, parts),))).messages[0].memories


def _says(part: Part) -> bool:
    """Whether the part is something that is said or done."""
    if isinstance(part, Text | ToolResult | Memory):
        return bool(part.text) and not part.text.isspace()
    return type(part) is ToolCall


def _print(beginning: list[Message]) -> str:
    """What two files have in common only if one goes on with the other's session: the first message by its id, or the
    first few by their times; "" where they have neither, for a benchmark asks the same question many times."""
    if not beginning:
        return ""
    first = beginning[0]
    if len(first.id) >= _SURE_ID:
        return digest(f"{first.role}\n{first.id}\n{first.text[:1000]}", 16)
    if any(message.time is None for message in beginning):
        return ""
    told = (f"{message.role}\n{message.id}\n{message.time!r}\n{message.text[:1000]}" for message in beginning)
    return digest("\0".join(told), 16)
