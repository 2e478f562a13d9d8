"""Which conversation it is, however long it has grown by now."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from memscope.conversation.model import Conversation


def lineage(conversation: Conversation) -> str:
    """A name for a conversation that stays as it grows: the file it is in, whatever link leads there, and its item.

    All context windows of a conversation share it. One that comes from no file goes by its first message.
    """
    source = conversation.source
    if source is not None:
        return lineage_in(source.path, source.item)
    opening = "".join(message.text for message in conversation.messages[:1])
    return f"#{hashlib.sha256(opening.encode('utf-8', 'surrogatepass')).hexdigest()}"


def lineage_in(path: Path, item: int) -> str:
    """The same of the conversation at a place in a file."""
    return f"{os.path.realpath(path)}#{item}"
