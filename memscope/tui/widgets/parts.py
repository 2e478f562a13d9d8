"""What a part of a message is, in words: its kind, its size and how it begins."""

from __future__ import annotations

from memscope.base.text import character_count, clean_line, preview
from memscope.conversation.model import Memory, Message, Opaque, Part, Text, Thinking, ToolCall, ToolResult

_PREVIEW = 120  # characters


def part_text(part: Part) -> str:
    """The text of a part, as it is searched and shown; the offsets of a `Place` count in it."""
    if isinstance(part, ToolCall):
        return part.arguments
    return "" if isinstance(part, Opaque) else part.text


def part_words(part: Part) -> str:
    """What a part is, and how large, on one clean line."""
    if isinstance(part, Memory):
        return f"memory {clean_line(part.key)}, {character_count(len(part.text))}, found by {clean_line(part.rule)}"
    if isinstance(part, ToolCall):
        long = character_count(len(part.arguments))
        return f"call {clean_line(part.name)}, {long}: {preview(part.arguments, _PREVIEW)}"
    if isinstance(part, ToolResult):
        failed = ", error" if part.is_error else ""
        code = f", exit {part.exit_code}" if part.exit_code is not None else ""
        return f"result{failed}{code}, {character_count(len(part.text))}: {preview(part.text, _PREVIEW)}"
    if isinstance(part, Opaque):
        return f"{clean_line(part.kind)}, {character_count(len(part.data))}"
    name = "thinking" if isinstance(part, Thinking) else "text"
    return f"{name}, {character_count(len(part.text))}: {preview(part.text, _PREVIEW)}"


def opening_words(message: Message) -> str:
    """What a folded message shows of itself, on one clean line: its first words, else its calls, else its thoughts,
    else what it is made of."""
    for part in message.parts:
        if isinstance(part, Text | Memory | ToolResult) and not part.text.isspace() and part.text:
            return preview(part.text, 200)
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if calls:
        return "; ".join(f"{clean_line(call.name)} {preview(call.arguments, _PREVIEW)}" for call in calls[:3])
    for part in message.parts:
        if isinstance(part, Thinking) and part.text.strip():
            return f"(thinking) {preview(part.text, 200)}"
    return "; ".join(part_words(part) for part in message.parts[:3]) or "(empty)"
