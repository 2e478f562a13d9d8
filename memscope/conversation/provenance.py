"""Where a memory of a conversation stands on disk: in the files a person named, or in one that its own record names.

Never a guess: of a file that a record names, the memory's exact words must stand there once, in whole lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from memscope.base.errors import SourceError
from memscope.conversation.memory_files import Place, Places, digest_of, file_bytes
from memscope.conversation.model import Conversation, Memory, Message, ToolCall, ToolResult
from memscope.conversation.rules import tools
from memscope.conversation.rules._reads import without_numbers

_AGENTS = re.compile(r"^# AGENTS\.md instructions for (.{1,4000})$", re.MULTILINE)


def places_of(conversation: Conversation, key: str, text: str, known: Places) -> tuple[Place, ...]:
    """The places of the memory `key` as it last stood (`text`); `known` are those of the files a person named. Empty
    where they are not known."""
    words = text.strip()
    same = [places for (_, other), places in known.items() if other == words]
    found = known.get((key, words)) or (same[0] if len(same) == 1 else ())
    if found or not words:
        return found
    named = {os.path.realpath(path): path for path in named_files(conversation, key, text)}
    in_files = [place for path in named.values() if (place := place_in(path, text)) is not None]
    return tuple(in_files) if len(in_files) == 1 else ()


def named_files(conversation: Conversation, key: str, text: str) -> Iterator[Path]:
    """The files there are that the records of a memory name, by whole paths."""
    calls: dict[str, ToolCall] = {}
    for message in conversation.messages:
        calls.update((call.id, call) for call in message.calls)
        for index, part in enumerate(message.parts):
            if isinstance(part, Memory) and (part.key, part.text) == (key, text):
                names = (key, key.rpartition("#")[0], *_read_by(message, index, calls), *_instructions(message, index))
                yield from (path for name in names if (path := _whole(name)) is not None)


def place_in(path: Path, text: str) -> Place | None:
    """Where `text`, which a reader may have put numbers before the lines of, stands in a file; None where it does not,
    or more than once."""
    try:
        data = file_bytes(path)
    except SourceError:
        return None
    written = data.decode("utf-8", "surrogateescape")
    for words in dict.fromkeys((text.strip("\n"), without_numbers(text).strip("\n"))):
        lines = _lines_in(written, words) if words.strip() else None
        if lines is not None:
            return Place(path, lines, digest_of(data))
    return None


def _lines_in(written: str, words: str) -> tuple[int, ...] | None:
    """The numbers of the lines that are `words`, if these stand there just once and share no line with others."""
    start = written.find(words)
    if start < 0 or written.find(words, start + 1) >= 0:
        return None
    before, behind = written[:start], written[start + len(words) :]
    if before.removeprefix("\ufeff")[-1:] not in ("", "\n") or behind.removeprefix("\r")[:1] not in ("", "\n"):
        return None
    first = before.count("\n") + 1
    return tuple(range(first, first + words.count("\n") + 1))


def _whole(name: str) -> Path | None:
    """`name` as the path of a file there is, if it says by itself where it leads; None for any other."""
    try:
        path = Path(name).expanduser()
        return path if name and path.is_absolute() and path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # a home of nobody, a name that is too long, a NUL in it
        return None


def _read_by(message: Message, index: int, calls: dict[str, ToolCall]) -> list[str]:
    """The files that the tool call whose answer the part `index` was has named."""
    before = [part for part in message.parts[:index] if isinstance(part, ToolResult)]
    call = calls.get(before[-1].call_id) if before else None
    return tools.files_named(call) if call is not None else []


def _instructions(message: Message, index: int) -> list[str]:
    """The AGENTS.md that Codex says it put before the part `index`."""
    texts = (getattr(part, "text", "") for part in message.parts[:index])
    found = _AGENTS.findall("".join(texts))
    return [f"{found[-1].rstrip()}/AGENTS.md"] if found else []
