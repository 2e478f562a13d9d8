"""Tool results or user turns as sources: any message can be left out, so any can be asked what it did to a response.

For conversations without memories, or to see what else a response leaned on. What is a memory already stays one, and
no response is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from memscope.base.text import preview, slug
from memscope.conversation.joining import joined
from memscope.conversation.model import Conversation, Memory, Message, Part, Text, ToolResult

Kind = Literal["tools", "turns"]
RESULT_RULE = "tool result"
TURN_RULE = "turn"


def as_sources(conversation: Conversation, kind: Kind) -> Conversation:
    """`conversation` with each tool result ("tools") or each turn that the user said ("turns") as a memory.

    Keys are `tool/12 grep` and `turn/4 opening-words`, with the message's index. A call stays, with an empty result.
    """
    namer = _Namer(conversation)
    if kind == "turns":
        return conversation.with_messages([_turn(i, m, namer) for i, m in enumerate(conversation.messages)])
    names: dict[str, str] = {}
    messages = []
    for index, message in enumerate(conversation.messages):
        names.update((call.id, call.name) for call in message.calls)
        messages.append(_results(index, message, names, namer))
    return conversation.with_messages(messages)


class _Namer:
    """Makes up keys that no other memory has."""

    def __init__(self, conversation: Conversation) -> None:
        self.taken = {entry.key for entry in conversation.memories}

    def key(self, kind: str, message: int, words: str) -> str:
        key = first = f"{kind}/{message} {words}".rstrip()
        number = 1
        while key in self.taken:
            number += 1
            key = f"{first} {number}"
        self.taken.add(key)
        return key


def _turn(index: int, message: Message, namer: _Namer) -> Message:
    own = "".join(part.text for part in message.parts if isinstance(part, Text))
    if message.role != "user" or message.kind != "said" or not own.strip():
        return message
    key = namer.key("turn", index, slug(own))
    parts = (Memory(key, part.text, TURN_RULE) if isinstance(part, Text) else part for part in message.parts)
    return replace(message, parts=tuple(joined(_owned(parts, {key}))))


def _results(index: int, message: Message, names: Mapping[str, str], namer: _Namer) -> Message:
    if message.role == "assistant":
        return message
    belongs = _results_of(message)
    answers: dict[int, str] = {}
    for part, result in zip(message.parts, belongs, strict=True):
        if result is not None and isinstance(part, Text | ToolResult):
            answers[result] = answers.get(result, "") + part.text
    keys: dict[int, str] = {}
    for result, answer in answers.items():
        part = message.parts[result]
        if answer.strip() and isinstance(part, ToolResult):
            keys[result] = namer.key("tool", index, preview(names.get(part.call_id) or message.name, 40))
    if not keys:
        return message
    return replace(message, parts=tuple(joined(_owned(_emptied(message, belongs, keys), keys.values()))))


def _results_of(message: Message) -> list[int | None]:
    """For each part the place of the result it belongs to: its own, or, as the texts behind a result in a tool's
    message go on with the answer, that one's."""
    found: list[int | None] = []
    latest: int | None = None
    for place, part in enumerate(message.parts):
        latest = place if isinstance(part, ToolResult) else latest
        goes_on = message.role == "tool" and isinstance(part, Text)
        found.append(latest if isinstance(part, ToolResult) or goes_on else None)
    return found


def _emptied(message: Message, belongs: Sequence[int | None], keys: Mapping[int, str]) -> Iterator[Part]:
    """The parts, with the results that have a key emptied and their texts as memories."""
    for part, result in zip(message.parts, belongs, strict=True):
        key = None if result is None else keys.get(result)
        if key is None or not isinstance(part, Text | ToolResult):
            yield part
            continue
        if isinstance(part, ToolResult):
            yield replace(part, text="")
        if part.text:
            yield Memory(key, part.text, RESULT_RULE)


def _owned(parts: Iterable[Part], keys: Collection[str]) -> Iterator[tuple[str | None, Part]]:
    """The parts, each with the key of the source it belongs to: one of `keys`, for what was a memory before stays."""
    return ((part.key if isinstance(part, Memory) and part.key in keys else None, part) for part in parts)
