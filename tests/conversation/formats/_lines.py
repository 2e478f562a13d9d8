"""Helpers for tests that write a transcript line by line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from memscope.conversation.formats import format_named
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Memory, Message, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Item, Record

DATA = Path(__file__).parents[3].parent / "shared" / "data"


def write(path: Path, records: Sequence[Any]) -> Path:
    """A file with a record a line; a string stands as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records), newline="")
    return path


ODD = [None, [], {}, "x", 0, True, ["a", {}], {"a": [1]}, [[]], {"type": "text"}]  # what a field should never be


def with_odd_fields(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The record with each of its fields, and each of its message's or payload's, replaced by each odd value."""
    found = [{**record, name: odd} for name in record for odd in ODD]
    for inner in ("message", "payload", "attachment"):
        for name in record.get(inner, ()):
            found.extend({**record, inner: {**record[inner], name: odd}} for odd in ODD)
    return found


def shape(conversation: Conversation) -> list[tuple[str, str]]:
    """Role and text of each message, which is what most tests are about."""
    return [(m.role, m.text) for m in conversation.messages]


def facts(path: Path, format_name: str, item: int = 0) -> list[tuple[str, str]]:
    return [(r.kind, r.text) for r in told(path, format_name, item) if isinstance(r, Fact)]


def told(path: Path, format_name: str, item: int = 0) -> list[Record]:
    return list(items(path, format_name)[item].records)


def items(path: Path, format_name: str) -> list[Item]:
    return [item for item in format_named(format_name).conversations(Raw(path)) if isinstance(item, Item)]


def counts(path: Path) -> list[tuple[int, int, int]]:
    """For each window of each item: messages, responses, memories (occurrences)."""
    found = []
    for item in range(load(path).items):
        for window in range(load(path, item=item).windows):
            one = load(path, item=item, window=window)
            found.append((len(one.messages), len(one.responses), sum(len(m.memories) for m in one.messages)))
    return found


def unpaired(path: Path) -> tuple[int, int]:
    """How many calls have no result, and how many results no call, over all items and windows."""
    calls: set[str] = set()
    results: set[str] = set()
    for item in range(load(path).items):
        for window in range(load(path, item=item).windows):
            for message in load(path, item=item, window=window).messages:
                calls.update(part.id for part in message.parts if isinstance(part, ToolCall))
                results.update(part.call_id for part in message.parts if isinstance(part, ToolResult))
    return len(calls - results), len(results - calls)


def memory(message: Message) -> tuple[str, str, str]:
    (only,) = message.parts
    assert isinstance(only, Memory)
    return only.key, only.text, only.rule
