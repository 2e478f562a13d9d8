"""What happened in a conversation, a line for each message, as a model is told it that looks for lessons.

A fold over a format's records, in which each message counts once: see `told_once`. Texts are cut and otherwise as they
were found; whoever puts them into a prompt or onto a screen makes lines of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from memscope.conversation.failed_calls import has_failed
from memscope.conversation.many import Fold
from memscope.conversation.model import Memory, Message, Text, ToolResult
from memscope.conversation.own_words import own_words, without_memories
from memscope.conversation.records import Record
from memscope.conversation.told_once import told_once
from memscope.insights.failed import failed_words, tool_name

LINE = 2000  # characters of a text: more than is told of one, so that credentials are whole where they are masked


class TraceLine(NamedTuple):
    """A message as plain values. `text`: what was said, "" of a tool's; `tools`: what the assistant called; `failed`:
    what the first call that failed answered, "" where none did."""

    role: Literal["user", "assistant", "tool"]
    text: str
    tools: tuple[str, ...] = ()
    failed: str = ""


def trace(records: Iterable[Record], most: int) -> list[TraceLine]:
    """The first lines of a conversation, at most so many: a person's own words, what the assistant said and called,
    and that tools answered. System messages are none, nor is what says nothing. The records are read once, as far as
    they are needed, and what they raise (`SourceError`) ends the reading."""
    lines: list[TraceLine] = []
    if most <= 0:
        return lines
    for _, _, message in told_once(records):
        line = _line(message)
        if line is not None:
            lines.append(line)
            if len(lines) == most:
                break
    return lines


def tracing(most: int) -> Fold[list[TraceLine]]:
    """The same for many files: see `many.read_files`."""
    return lambda records, is_subagent: trace(records, most)


def _line(message: Message) -> TraceLine | None:
    results = [part for part in message.parts if type(part) is ToolResult]
    if message.role == "tool" or (results and message.role == "user"):
        failed = next((failed_words(result)[:LINE] for result in results if has_failed(result)), "")
        return TraceLine("tool", "", (), failed)
    if message.kind != "said":
        return None
    if message.role == "user":
        text = own_words(without_memories(message))
        return TraceLine("user", text[:LINE]) if text else None
    if message.role != "assistant":
        return None
    text = "".join(part.text for part in message.parts if type(part) is Text or type(part) is Memory)
    tools = tuple(tool_name(call.name) for call in message.calls)
    return TraceLine("assistant", text[:LINE], tools) if tools or not (not text or text.isspace()) else None
