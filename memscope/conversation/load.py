"""From a file to a conversation: the fold over a format's records."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from memscope.base.errors import SourceError, UsageError
from memscope.base.text import preview
from memscope.conversation.formats import format_named, recognise
from memscope.conversation.model import Conversation, Memory, Message, Skipped, Source, Text
from memscope.conversation.raw import Raw
from memscope.conversation.records import Boundary, Fact, Format, Record, title_from
from memscope.conversation.window_count import WindowCount

_DETAILS = 5  # of each reason
_SPOKEN = "a memory inside a response was read as its text: no response is made of memories"
_MOST_LISTED = 12  # items or windows, in an error

Watch = Callable[[Record, int, int], None]
"""Told every record of a conversation as it is read, the number of its context window, and how many messages that
holds by then. What it raises ends the reading."""


def load(
    path: Path, *, input_format: str = "", item: int = 0, window: int | None = None, watch: Watch | None = None
) -> Conversation:
    """The conversation in the file at `path`, as its format tells it, before any memory rule.

    `item` chooses among several conversations, `window` among its context windows (None: the last). Raises
    `SourceError` for a file that is no transcript or holds no message, `UsageError` for an item or window it has not.
    """
    raw = Raw(path)
    form = format_named(input_format) if input_format else recognise(raw)
    found = _found(form, raw, item, watch)
    return _conversation(form, found, Source(path, form.name, item), window, input_format)


def count_items(path: Path, *, input_format: str = "") -> int:
    """How many conversations the file at `path` holds; what they say is left unread. Raises `SourceError`."""
    raw = Raw(path)
    form = format_named(input_format) if input_format else recognise(raw)
    items = sum(not isinstance(found, Skipped) for found in form.conversations(raw))
    if not items:
        raise _no_item(form, path)
    return items


def load_each(
    path: Path, items: int, *, input_format: str = "", wanted: Container[int] | None = None
) -> Iterator[Conversation | SourceError]:
    """The conversations of a file that holds so many `items`, each in its last window, in one pass over the file; in
    place of one that holds no message, why. Only those `wanted`, by their numbers (None: all), are read. Raises
    `SourceError` for a file that is no transcript."""
    raw = Raw(path)
    form = format_named(input_format) if input_format else recognise(raw)
    number = 0
    for found in form.conversations(raw):
        if isinstance(found, Skipped):
            continue
        if wanted is None or number in wanted:
            told = _Found(fold(found.records), found.title, items)
            try:
                yield _conversation(form, told, Source(path, form.name, number), None, input_format)
            except SourceError as error:
                yield error
        number += 1


def _conversation(form: Format, found: _Found, source: Source, window: int | None, input_format: str) -> Conversation:
    """What was found at `source`; its `window` (None: the last) is yet to be chosen."""
    told, path = found.told, source.path
    if not any(told.windows):
        passed = f" ({told.skipped[0].reason}, line {told.skipped[0].line})" if told.skipped else ""
        what = f"this file, read as the format {form.name}, holds no message at all{passed}"
        raise SourceError(what, where=path, do=_another(found.items, input_format))
    chosen = len(told.windows) - 1 if window is None else window
    if not 0 <= chosen < len(told.windows):
        what = f"there is no window {chosen}; the conversation has {_count(len(told.windows))}"
        raise UsageError(what, where=path, do=_listed("Windows", map(_window_title, told.windows)))
    return Conversation(
        tuple(told.windows[chosen]),
        tools=tuple(told.tools),
        source=replace(source, window=chosen),
        title=told.title or found.title or _first_request(told.windows),
        skipped=tuple(told.skipped),
        windows=len(told.windows),
        items=found.items,
    )


@dataclass
class Told:
    """What a format's records add up to."""

    windows: list[list[Message]] = field(default_factory=lambda: [[]])
    tools: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    title: str = ""


@dataclass(frozen=True)
class _Found:
    """One conversation of a file, and how many there are."""

    told: Told
    title: str
    items: int


def _found(form: Format, raw: Raw, item: int, watch: Watch | None) -> _Found:
    """The conversation number `item`: the others are counted in the same pass, and their records left unread."""
    told: Told | None = None
    title, items = "", 0
    passed: list[Skipped] = []
    for found in form.conversations(raw):
        if isinstance(found, Skipped):
            passed.append(found)
            continue
        if items == item:
            told, title = fold(found.records, watch), found.title
        items += 1
    if not items:
        raise _no_item(form, raw.path)
    if told is None:
        do = _listed("Items", _item_titles(form, raw)) if items <= _MOST_LISTED else ""
        raise UsageError(f"there is no item {item}; the file has {_count(items)}", where=raw.path, do=do)
    told.skipped = sorted((*told.skipped, *passed), key=lambda skipped: skipped.line)
    return _Found(told, title, items)


def _no_item(form: Format, path: Path) -> SourceError:
    what = f"this file, read as the format {form.name}, holds no conversation"
    return SourceError(what, where=path, do=_another(0, ""))


def fold(records: Iterable[Record], watch: Watch | None = None) -> Told:
    """Messages parted into context windows: each begins with the system messages that opened the first."""
    told, count = Told(), WindowCount()
    for record in records:
        if watch is not None:
            watch(record, count.number, count.length)
        match record:
            case Message():
                count.add(record.role)
                told.windows[-1].append(_spoken(record, told.skipped))
            case Skipped():
                told.skipped.append(record)
            case Boundary():
                if count.boundary():
                    told.windows.append(told.windows[0][: count.opening])
            case Fact("title", text):
                told.title = text
            case Fact("tool", text):
                told.tools.append(text)
            case Fact():
                pass
    if count.last_is_empty:
        told.windows.pop()  # a boundary that nothing followed
    told.skipped = list(_with_some_details(told.skipped))
    return told


def _spoken(message: Message, skipped: list[Skipped]) -> Message:
    """`message`, if it is a response without the memories in it: what an agent says is no memory it was given.

    Taking them out would compare two different responses. A message made of memories alone is none, whoever's name it
    bears, and stays a memory.
    """
    if message.role != "assistant" or message.is_memory or not message.memories:
        return message
    skipped.append(Skipped(message.line, _SPOKEN))
    return replace(message, parts=tuple(Text(p.text) if isinstance(p, Memory) else p for p in message.parts))


def _with_some_details(skipped: Iterable[Skipped]) -> Iterator[Skipped]:
    """The details of each reason put into words, the first few: there may be thousands, and reasons are counted."""
    shown: dict[str, dict[str, None]] = {}
    for one in skipped:
        details = shown.setdefault(one.reason, {})
        if one.detail and len(details) < _DETAILS:
            details[one.detail] = None
        detail = f", {preview(one.detail, 80)}" if one.detail in details else ""
        yield Skipped(one.line, one.reason + detail)


def _first_request(windows: list[list[Message]]) -> str:
    asked = (m for window in windows for m in window if m.role == "user" and m.kind == "said" and not m.is_memory)
    return title_from(m.text for m in asked)


def _item_titles(form: Format, raw: Raw) -> Iterator[str]:
    """What the conversations of a file are called; each is read, so there should be few."""
    for item in form.conversations(raw):
        if not isinstance(item, Skipped):
            told = fold(item.records)
            yield told.title or item.title or _first_request(told.windows)


def _window_title(messages: list[Message]) -> str:
    return _first_request([messages]) or title_from(m.text for m in messages if m.role != "system")


def _listed(what: str, titles: Iterable[str]) -> str:
    """`titles` with their numbers, if they are few."""
    known = list(titles)
    if len(known) > _MOST_LISTED:
        return ""
    words = (f"{number} ({preview(title, 40)})" if title else str(number) for number, title in enumerate(known))
    return f"{what}: {', '.join(words)}."


def _another(items: int, input_format: str) -> str:
    ways = ["Open another file"]
    if items > 1:
        ways.append(f"another of the {items} items of this one with --item")
    if input_format:
        ways.append("leave --input-format out")
    return f"{', or '.join(ways)}."


def _count(number: int) -> str:
    return "only number 0" if number == 1 else f"numbers 0 to {number - 1}"
