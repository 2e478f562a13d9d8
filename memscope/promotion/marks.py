"""What a message is known by where it is told again: in a file of another format, in a fork of its session."""

from __future__ import annotations

from memscope.conversation.keys import digest
from memscope.conversation.model import Message, ToolCall

_SURE_ID = 16  # characters of an id that nothing else has by chance; shorter ones are numbers within the file
_LOOKED_AT = 1000  # characters of what is said and called


def message_mark(message: Message, text: str) -> str:
    """The mark of a message that says `text`: by an id that nothing else has, else by its time; "" where it has
    neither, for the same is asked many times."""
    has_id = len(message.id) >= _SURE_ID
    if not has_id and message.time is None:
        return ""
    time = None if has_id else message.time
    calls = [f"{part.name}\n{part.arguments[:_LOOKED_AT]}" for part in message.parts if type(part) is ToolCall]
    return digest("\0".join((message.role, message.id, repr(time), text[:_LOOKED_AT], *calls)), 16)


def call_mark(call: ToolCall, text: str = "") -> str:
    """The mark of a tool call, or of a `text` that it was made for; "" where its id may be another's, too."""
    return digest(f"{call.id}\0{text[:_LOOKED_AT]}", 16) if len(call.id) >= _SURE_ID else ""
