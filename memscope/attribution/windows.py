"""Stretches of a conversation whose responses are looked at, and what is scored for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from memscope.conversation.model import Conversation

Context = Literal["full", "window"]
"""What stands before a stretch when it is scored: all that was said before (`full`), or the opening system messages
alone (`window`)."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The messages [start, end) of a conversation, and the `responses` among them, as message indices."""

    start: int
    end: int
    responses: tuple[int, ...]


def after_memory(conversation: Conversation, key: str, count: int) -> Stretch:
    """From the first occurrence of a memory to the end of the `count`-th response after it. Raises KeyError."""
    first = next((memory.first for memory in conversation.memories if memory.key == key), None)
    if first is None:
        raise KeyError(key)
    later = [message for message in conversation.responses if message >= first]
    end = later[count - 1] + 1 if len(later) >= count else len(conversation.messages)
    return Stretch(first, end, tuple(later[:count]))


def last_messages(conversation: Conversation, count: int | None) -> Stretch:
    """The last `count` messages behind the opening system messages; None: all of them."""
    total, opening = len(conversation.messages), conversation.opening
    start = opening if count is None else max(opening, total - count)
    return Stretch(start, total, tuple(message for message in conversation.responses if message >= start))


def cut(conversation: Conversation, stretch: Stretch, context: Context) -> Conversation:
    """What is scored for a stretch: its responses are the last ones of the conversation returned, in order."""
    messages = conversation.messages
    if context == "full":
        return conversation.with_messages(messages[: stretch.end])
    opening = min(conversation.opening, stretch.end)
    return conversation.with_messages((*messages[:opening], *messages[max(opening, stretch.start) : stretch.end]))
