"""Content blocks of Anthropic's API, for the formats that store them.

Anthropic answers a tool call with a `tool_result` block inside a user message. Here, as in every other format, a tool's
answer is a message of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
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
) -> list[Message]:
    """The messages that one API message with this `content` (a string, a list of blocks, or null) stands for, in order.

    Each `tool_result` block is a tool message; the blocks before, between and behind them are messages of `role`. A
    message without content is one message without parts. Tool messages are always "said", for a tool gave them.
    """
    found: list[Message] = []
    said: list[Part] | None = None  # since the last result
    for block in content if isinstance(content, list) else (content,):
        if isinstance(block, dict) and block.get("type") == "tool_result":
            if said is not None:
                found.append(Message(role, tuple(said), kind, time, id, line=line))
                said = None
            found.append(Message("tool", tool_result(block), "said", time, id, line=line))
        elif said is None:
            said = parts(block)
        else:
            said += parts(block)
    if said is not None:
        found.append(Message(role, tuple(said), kind, time, id, line=line))
    return found


def tool_result(block: Mapping[str, Any]) -> tuple[Part, ...]:
    """A `tool_result` block: the texts of its content up to a memory as one answer, each from a line of its own, and
    what stands beside them."""
    content = block.get("content")
    text, beside = (content, []) if isinstance(content, str) else _answer(content)
    return (ToolResult(string(block.get("tool_use_id")), text, block.get("is_error") is True), *beside)


def _answer(content: Any) -> tuple[str, list[Part]]:
    """The text that is the tool's answer, and what stays beside it: images, memories and what follows those."""
    texts: list[str] = []
    beside: list[Part] = []
    past_memory = False
    for part in parts(content):
        past_memory = past_memory or isinstance(part, Memory)
        if isinstance(part, Text) and not past_memory:
            texts.append(part.text)
        else:
            beside.append(part)
    return joined(texts), beside
