"""From a file to a conversation: the fold over a format's records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from memscope.base.errors import SourceError, UsageError
from memscope.base.text import preview
from memscope.conversation.formats import format_named, recognise
from memscope.conversation.model import Conversation, Message, Skipped, Source
from memscope.conversation.raw import Raw
from memscope.conversation.records import Boundary, Fact, Record


def load(path: Path, *, input_format: str = "", item: int = 0, window: int | None = None) -> Conversation:
    """The conversation in the file at `path`, as its format tells it, before any memory rule.

    `item` chooses among several conversations, `window` among its context windows (None: the last). Raises
    `SourceError` for a file that is no transcript or holds no message, `UsageError` for an item or window it has not.
    """
    raw = Raw(path)
    form = format_named(input_format) if input_format else recognise(raw)
    items = form.items(raw)
    if not items:
        raise SourceError(f"this {form.title} holds no conversation", where=path)
    if not 0 <= item < len(items):
        raise UsageError(f"there is no item {item}; the file has {_count(len(items))}", where=path)
    told = fold(form.records(raw, item))
    if not any(told.windows):
        passed = f" ({told.skipped[0].reason}, line {told.skipped[0].line})" if told.skipped else ""
        raise SourceError(f"this {form.title} holds no message at all{passed}", where=path)
    chosen = len(told.windows) - 1 if window is None else window
    if not 0 <= chosen < len(told.windows):
        raise UsageError(f"there is no window {chosen}; the conversation has {_count(len(told.windows))}", where=path)
    messages = tuple(told.windows[chosen])
    return Conversation(
        messages,
        tools=tuple(told.tools),
        source=Source(path, form.name, item, chosen),
        title=told.title or items[item].title or _first_request(told.windows),
        skipped=tuple(told.skipped),
        windows=len(told.windows),
        items=len(items),
    )


@dataclass
class Told:
    """What a format's records add up to."""

    windows: list[list[Message]] = field(default_factory=lambda: [[]])
    tools: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    title: str = ""


def fold(records: Iterable[Record]) -> Told:
    """Messages parted into context windows: each begins with the system messages that opened the first."""
    told = Told()
    for record in records:
        match record:
            case Message():
                told.windows[-1].append(record)
            case Skipped():
                told.skipped.append(record)
            case Boundary():
                opening = _opening(told.windows[0])
                if len(told.windows[-1]) > len(opening):
                    told.windows.append(list(opening))
            case Fact("title", text):
                told.title = text
            case Fact("tool", text):
                told.tools.append(text)
            case Fact():
                pass
    if len(told.windows) > 1 and len(told.windows[-1]) == len(_opening(told.windows[0])):
        told.windows.pop()  # a boundary that nothing followed
    return told


def _opening(messages: list[Message]) -> list[Message]:
    opening = []
    for message in messages:
        if message.role != "system":
            break
        opening.append(message)
    return opening


def _first_request(windows: list[list[Message]]) -> str:
    asked = (m for window in windows for m in window if m.role == "user" and m.kind == "said" and not m.is_memory)
    return next((preview(m.text, 80) for m in asked if m.text.strip()), "")


def _count(number: int) -> str:
    return "only number 0" if number == 1 else f"numbers 0 to {number - 1}"
