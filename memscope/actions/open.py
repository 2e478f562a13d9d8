"""Opening a conversation: a file, its memories by the rules, and memory files from disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from memscope.base.settings import Settings
from memscope.conversation.load import load
from memscope.conversation.memory_files import add_memories, read_memories
from memscope.conversation.model import Conversation
from memscope.conversation.rules import Pattern, find_memories


def open_conversation(
    path: Path,
    settings: Settings,
    *,
    input_format: str = "",
    item: int = 0,
    window: int | None = None,
    memories: Sequence[Path] = (),
    split: Literal["file", "heading", "bullet"] | None = None,
) -> Conversation:
    """The conversation in `path` as every command and the console see it, so that `#I` is the same everywhere.

    `memories` are files and folders whose text is put into the system message. Raises `SourceError`, `UsageError`,
    `SettingsError`.
    """
    conversation = load(path, input_format=input_format, item=item, window=window)
    patterns = [Pattern(name, regex) for name, regex in settings.patterns.items()]
    conversation = find_memories(conversation, off=settings.rules_off, patterns=patterns)
    if memories:
        files = read_memories(memories, split=split)
        conversation = replace(add_memories(conversation, files.memories), notes=conversation.notes + files.notes)
    return replace(conversation, thinking=settings.thinking)
