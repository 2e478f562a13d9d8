"""A conversation that is put together from requests to a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from memscope.conversation.formats._langfuse_request import Request
from memscope.conversation.formats._langfuse_trace import Observation
from memscope.conversation.formats._traced_messages import messages_in, unwrapped
from memscope.conversation.model import Message, Skipped, Thinking, ToolCall, ToolResult
from memscope.conversation.records import Fact, Record


class Thread:
    """What the last request tells, and those before it where it has only what is new.

    `number` is the request's it began with; `parent`, `agent` and `depth` are the last one's, `asked` its time. `end`
    is where its messages end among those of all conversations.
    """

    def __init__(self, number: int, opening: Iterable[Message] = ()) -> None:
        self.number = number
        self.parent, self.agent, self.depth, self.asked = "", "", 0, 0.0
        self.end = 0
        self._opening = list(opening)
        self._told: list[Record] = []
        self._messages = 0
        self._first: list[_First] = []  # one for each message
        self._facts: dict[tuple[str, str], Fact] = {}
        self._passed: list[Skipped] = []  # in replies: later requests repeat only what was said
        self._calls = _Calls()

    def go_on(self, request: Request) -> None:
        """Goes on with a request that repeats all there is."""
        self._opening = self._opening or request.opening
        self._told, self._messages, self._calls = [], 0, _Calls()
        self._take(request)

    def go_behind(self, request: Request, answers: Iterable[Observation]) -> list[Message]:
        """Goes on with a request that has only what is new, and the tools' answers before it: the messages added."""
        before = len(self._told)
        for one in answers:
            call = self._calls.waiting(one.name)
            if call is None:
                self._passed.append(Skipped(one.line, "a tool's answer to no call that is known", one.name))
            else:
                content = unwrapped(one.output)
                answer = {"role": "tool", "tool_call_id": call, "content": content, "is_error": one.failed}
                self._tell(messages_in([answer], one.line), one.ended)
        self._take(request)
        return [record for record in self._told[before:] if isinstance(record, Message)]

    def records(self) -> Iterator[Record]:
        """All of it, each message as it was told first."""
        yield from self._facts.values()
        yield from (replace(message, time=self._first[0].time) for message in self._opening)
        first = iter(self._first)
        for record in self._told:
            yield next(first).of(record) if isinstance(record, Message) else record
        yield from self._passed

    def _take(self, request: Request) -> None:
        self._tell(request.sent, request.began)
        self._tell((record for record in request.reply if not isinstance(record, Skipped)), request.ended)
        self._passed += [record for record in request.reply if isinstance(record, Skipped)]
        for fact in request.facts:
            self._facts.setdefault((fact.kind, fact.text), fact)
        self.parent, self.agent, self.depth = request.parent, request.agent, request.depth
        self.asked = request.began or 0.0

    def _tell(self, records: Iterable[Record], time: float | None) -> None:
        for record in records:
            self._told.append(record)
            if isinstance(record, Message):
                self._calls.note(record)
                self._messages += 1
                if self._messages > len(self._first):
                    thoughts = tuple(part for part in record.parts if isinstance(part, Thinking))
                    self._first.append(_First(time, thoughts))


@dataclass(frozen=True, slots=True)
class _First:
    """What later requests, which repeat a message, tell no more: when it was said, and mostly what was thought."""

    time: float | None
    thoughts: tuple[Thinking, ...]

    def of(self, message: Message) -> Message:
        lacks = self.thoughts and not any(isinstance(part, Thinking) for part in message.parts)
        return replace(message, time=self.time, parts=(*self.thoughts, *message.parts) if lacks else message.parts)


class _Calls:
    """The calls of a conversation that have no answer yet."""

    def __init__(self) -> None:
        self._open: dict[str, list[str]] = {}  # their ids, by the tool's name
        self._names: dict[str, str] = {}

    def note(self, message: Message) -> None:
        for part in message.parts:
            if isinstance(part, ToolCall):
                self._open.setdefault(part.name, []).append(part.id)
                self._names[part.id] = part.name
            elif isinstance(part, ToolResult):
                waiting = self._open.get(self._names.get(part.call_id, ""), [])
                if part.call_id in waiting:
                    waiting.remove(part.call_id)

    def waiting(self, name: str) -> str | None:
        """The first call of a tool that waits for its answer."""
        return next(iter(self._open.get(name, ())), None)
