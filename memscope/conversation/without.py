"""A conversation as it would be if some of its memories had never been surfaced into it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from memscope.conversation.model import Conversation, Memory, Message


def without(conversation: Conversation, keys: Collection[str]) -> Conversation:
    """The conversation with these memories removed for good, exactly as an ablation of them is rendered: a message left
    with no parts disappears, except a tool result, and everything else stays byte for byte.

    Leaving out further memories of it sends an engine what leaving out all of them at once sends, so the scores are
    shared. The responses stay, in their order: the k-th is the k-th of the whole conversation, whose message index it
    goes by wherever it is told of.
    """
    removed = frozenset(keys)
    kept = (_without(message, removed) for message in conversation.messages)
    return conversation.with_messages([message for message in kept if message is not None])


def _without(message: Message, keys: frozenset[str]) -> Message | None:
    parts = tuple(part for part in message.parts if not (isinstance(part, Memory) and part.key in keys))
    if len(parts) == len(message.parts):
        return message
    return replace(message, parts=parts) if parts else None
