"""A request to a model as an observation tells it: what was sent, what was replied, and when."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memscope.conversation.formats._content import compact
from memscope.conversation.formats._langfuse_trace import Observation, Trace
from memscope.conversation.formats._traced_attributes import attributes
from memscope.conversation.formats._traced_messages import messages_in, messages_out, unwrapped
from memscope.conversation.model import Message, Opaque, Skipped
from memscope.conversation.records import Fact, Record, merge_assistant

Key = tuple[str, str, Hashable, Hashable]
"""A message's role, words, calls and what else it holds."""


@dataclass
class Request:
    """A request to a model: messages and what was passed over between them; `facts` of all of it.

    `opening` is a system prompt that only the reply repeats. `parent` is the observation above; `depth` counts the
    agents and tools above.
    """

    sent: list[Record]
    reply: list[Record]
    opening: list[Message] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    parent: str = ""
    agent: str = ""
    depth: int = 0
    began: float | None = None
    ended: float | None = None
    line: int = 0

    @property
    def said(self) -> list[Message]:
        return only_messages(self.sent)

    @property
    def replied(self) -> list[Message]:
        return only_messages(self.reply)


def only_messages(records: Iterable[Record]) -> list[Message]:
    return [record for record in records if isinstance(record, Message)]


def key_of(message: Message) -> Key:
    """What tells a message from others, in whatever way a library writes it: arguments are the JSON they stand for."""
    calls = tuple((call.name, _settled(call.arguments)) for call in message.calls)
    beside = tuple(part.data for part in message.parts if isinstance(part, Opaque))
    return message.role, _settled(message.text.strip()), calls, beside


def _settled(text: str) -> str:
    """A text, or the JSON it holds, however that is written."""
    held = unwrapped(text)
    return held if isinstance(held, str) else json.dumps(held, sort_keys=True)


def request_of(one: Observation, trace: Trace) -> Request:
    """The request that an observation tells of; its metadata is asked where the observation itself says nothing."""
    sent, reply = messages_in(one.input, one.line), messages_out(one.output, one.line, is_reply=True)
    metadata = unwrapped(one.metadata)
    noted = metadata.get("attributes", metadata) if isinstance(metadata, Mapping) else {}
    into, out, tools = attributes(noted) if isinstance(noted, Mapping) else ([], [], [])
    if into and not only_messages(sent):
        sent = messages_in(into, one.line)
    if out and not only_messages(reply):
        reply = messages_out(out, one.line, is_reply=False)
    request = put_together(sent, reply, one)
    if not request.facts:
        request.facts = tool_facts(tools, one.line)
    if one.model:
        request.facts.append(Fact("model", one.model, one.line))
    above = list(trace.above(one))
    agents = [outer.name for outer in above if outer.type in ("AGENT", "TOOL")]
    request.agent = next(iter((*agents, *(outer.name for outer in above))), "")
    request.parent, request.depth = one.parent, len(agents)
    return request


def put_together(sent: Sequence[Record], reply: Sequence[Record], one: Observation | None = None, /) -> Request:
    """A request of the records of both its sides, as the observation `one` dates it."""
    facts = [record for record in (*sent, *reply) if isinstance(record, Fact) and record.kind == "tool"]
    said, replied = only_messages(sent), only_messages(reply)
    if len(said) <= len(replied) and all(key_of(a) == key_of(b) for a, b in zip(said, replied, strict=False)):
        reply = _behind(reply, len(said))  # a graph gives back all of its messages
    is_opened = not said or is_system(said[0])
    opening = [] if is_opened else [message for message in only_messages(reply) if is_system(message)]
    request = Request(
        list(merge_assistant(record for record in sent if not _is_tool(record))),
        list(merge_assistant(_spoken(record) for record in reply if not _is_tool(record) and not is_system(record))),
        opening,
        facts,
    )
    if one is not None:
        request.began, request.ended, request.line = one.began, one.ended, one.line
    return request


def _behind(records: Iterable[Record], messages: int) -> list[Record]:
    """The records without the first so many messages."""
    kept = []
    for record in records:
        if isinstance(record, Message) and messages:
            messages -= 1
        else:
            kept.append(record)
    return kept


def tool_facts(tools: Iterable[Any], line: int) -> list[Fact]:
    return [Fact("tool", compact(tool), line) for tool in tools]


def is_system(record: Record) -> bool:
    return isinstance(record, Message) and record.role in ("system", "developer")


def _is_tool(record: Record) -> bool:
    return isinstance(record, Fact) and record.kind == "tool"


def _spoken(record: Record) -> Record:
    """A reply's record; a message with nothing in it is none."""
    is_empty = isinstance(record, Message) and not record.parts
    return Skipped(record.line, "the reply is empty") if is_empty else record
