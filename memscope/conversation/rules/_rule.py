"""What a memory rule is, and how the text it finds becomes memories.

A rule over text sees the whole text of a message and says which lines are memories. It never sees how the message is
parted already, and what it finds counts only where the text is still a message's own words. As finding memories leaves
the text of a message as it was, a second search finds the same places, all of them taken: rules are idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from memscope.conversation.model import Conversation, Memory, Message, Part, Text, ToolResult

ROLES = frozenset({"system", "developer", "user"})


@dataclass(frozen=True, slots=True)
class Found:
    """A memory in a text: the whole lines `text[start:end]`, and its key."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A memory rule: its name, which `Memory.rule` shows, and what finds the memories of a conversation."""

    name: str
    apply: Callable[[Conversation], Conversation]


Find = Callable[[str], Iterable[Found]]


def text_rule(name: str, find: Find) -> Rule:
    """A rule that looks for memories in what people and software told the agent.

    Responses are never looked at, for what an agent wrote is no memory that it was given; nor are tool results, which
    quote anything, or a compaction's summary, which is the agent's own retelling.
    """

    def apply(conversation: Conversation) -> Conversation:
        return conversation.with_messages([_marked(message, find, name) for message in conversation.messages])

    return Rule(name, apply)


def _marked(message: Message, find: Find, rule: str) -> Message:
    own_words = any(isinstance(p, Text) for p in message.parts)
    if message.role not in ROLES or message.kind == "summary" or not own_words:
        return message
    found = sorted(find(message.text), key=lambda f: (f.start, f.end))
    parts = tuple(_placed(message.parts, found, rule))
    return message if parts == message.parts else replace(message, parts=_absorb_blank(parts))


def _placed(parts: Iterable[Part], found: list[Found], rule: str) -> Iterator[Part]:
    """`parts` with memories cut out of the texts that hold them wholly; of finds that overlap, the first."""
    parts = tuple(parts)
    ends = accumulate(len(p.text) if isinstance(p, Text | Memory | ToolResult) else 0 for p in parts)
    pending = iter(found)
    hit = next(pending, None)
    for part, end in zip(parts, ends, strict=True):
        if not isinstance(part, Text):
            yield part
            continue
        begin = at = end - len(part.text)
        while hit is not None and hit.start < end:
            if at <= hit.start < hit.end <= end:
                if at < hit.start:
                    yield Text(part.text[at - begin : hit.start - begin])
                yield Memory(hit.key, part.text[hit.start - begin : hit.end - begin], rule)
                at = hit.end
            hit = next(pending, None)
        if at < end:
            yield Text(part.text[at - begin :])


def _absorb_blank(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """When nothing but blank lines stands around a message's memories, they join those: no blank message stays behind
    when the memories are removed."""
    if not all(isinstance(p, Memory) or (isinstance(p, Text) and not p.text.strip()) for p in parts):
        return parts
    out: list[Memory] = []
    before = ""
    for part in parts:
        if isinstance(part, Memory):
            out.append(replace(part, text=before + part.text))
            before = ""
        elif isinstance(part, Text) and out:
            out[-1] = replace(out[-1], text=out[-1].text + part.text)
        elif isinstance(part, Text):
            before = part.text
    return tuple(out)
