"""Content blocks of Anthropic's API, for the formats that store them.

Anthropic answers a tool call with a `tool_result` block inside a user message. Here, as in every other format, a tool's
answer is a message of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from memscope.conversation.formats._content import joined, parts, string
from memscope.conversation.model import Kind, Memory, Message, Part, Text, ToolResult


def messages_of(
    role: str,
    content: Any,
    *,
    line: int,
    kind: Kind = "said",
    time: float | None = None,
    id: str = "",  # noqa: A002 - named as the field it becomes
) -> Iterator[Message]:
    """The messages that one API message with this `content` (a string, a list of blocks, or null) stands for, in order.

    Each `tool_result` block is a tool message; the blocks before, between and behind them are messages of `role`. A
    message without content is one message without parts. Tool messages are always "said", for a tool gave them.
    """
    blocks = content if isinstance(content, list) else [content]
    for is_result, run in groupby(blocks, _is_result):
        if is_result:
            for block in run:
                yield Message("tool", (tool_result(block), *_beside(block)), time=time, id=id, line=line)
        else:
            yield Message(role, tuple(p for block in run for p in parts(block)), kind, time, id, line=line)


def tool_result(block: Mapping[str, Any]) -> ToolResult:
    """A `tool_result` block: the texts of its content up to a memory, each from a line of its own."""
    text = joined(p.text for p in _answer(block)[0])
    return ToolResult(string(block.get("tool_use_id")), text, block.get("is_error") is True)


def _beside(block: Mapping[str, Any]) -> list[Part]:
    return _answer(block)[1]


def _answer(block: Mapping[str, Any]) -> tuple[list[Text], list[Part]]:
    """The texts that are the tool's answer, and what stays beside them: images, memories and what follows those."""
    texts: list[Text] = []
    beside: list[Part] = []
    past_memory = False
    for part in parts(block.get("content")):
        past_memory = past_memory or isinstance(part, Memory)
        if isinstance(part, Text) and not past_memory:
            texts.append(part)
        else:
            beside.append(part)
    return texts, beside


def _is_result(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "tool_result"
