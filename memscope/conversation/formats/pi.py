"""pi sessions, versions 1 to 3, and OpenClaw's, which are the same: a head, then an entry a line.

Which entries are the conversation is `_pi_tree`'s business, what a message says `_pi_message`'s. The stream of events
that `pi --mode json` prints has the same head and is read too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from memscope.conversation.formats._content import entries, seconds, string
from memscope.conversation.formats._pi_message import (
    ROLES,
    branch_summary,
    compaction_summary,
    parts,
    read_message,
)
from memscope.conversation.formats._pi_tree import Index, index
from memscope.conversation.formats._repeats import CUT
from memscope.conversation.formats._stretches import Stretches
from memscope.conversation.homes import Home
from memscope.conversation.model import Message, Skipped
from memscope.conversation.raw import Raw, Value
from memscope.conversation.records import Boundary, Changes, Format, Item, No, Record, Yes, merge_assistant

_OWN_ROLES = ROLES - {"user", "assistant", "custom"}
_SILENT = frozenset(  # settings, bookmarks, what extensions keep for themselves; events, which the messages repeat
    """thinking_level_change thinking_level_changed active_tools_change custom label leaf agent_start agent_end
    turn_start turn_end message_start message_update tool_execution_start tool_execution_update tool_execution_end
    auto_compaction_start auto_compaction_end auto_retry_start auto_retry_end""".split()
)


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if any(_is_head(value) for value in raw.head):
        return Yes(0.9)
    if any(_is_own(value) for value in raw.head):
        return Yes(0.7)  # the head is lost
    return No('it has no head of the type "session", nor entries of the type "message" as pi writes them')


def _is_head(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("type") != "session" or not isinstance(value.get("id"), str):
        return False
    return isinstance(value.get("timestamp"), str) and ("cwd" in value or "version" in value)


def _is_own(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("type") != "message" or not isinstance(value.get("message"), dict):
        return False
    message = value["message"]
    return string(message.get("role")) in _OWN_ROLES or ("stopReason" in message and "provider" in message)


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    """One for each head, as a rule one: pi's sub-agents keep no sessions."""
    found = index(raw)
    stretches = Stretches(raw, several=len(found) > 1)
    for one in found:
        yield Item(merge_assistant(_Reader(one).read(stretches)), marks_failures=True)


class _Reader:
    """Reads a session in file order, holding what a compaction is yet to keep."""

    def __init__(self, found: Index) -> None:
        self.index = found
        self.changes = Changes()
        self.held: dict[int, list[Message]] = {}

    def read(self, stretches: Stretches) -> Iterator[Record]:
        for place, value in stretches.values(self.index.begin, self.index.end):
            if isinstance(value, Skipped):
                yield value
            elif not isinstance(value.json, dict):
                yield Skipped(value.line, "the value is no entry of a session")
            elif place not in self.index.left:
                yield from self._entry(value, place)
            elif value.json.get("type") in ("message", "custom_message"):
                yield Skipped(value.line, "on a branch that was given up: the conversation was rewound")

    def _entry(self, value: Value, place: int) -> Iterator[Record]:
        told = self._compaction(value, place) if value.json.get("type") == "compaction" else self._plain(value)
        if place not in self.index.held:
            yield from told
            return
        held = self.held[place] = []
        for record in told:
            if isinstance(record, Message):
                held.append(record)
            yield record

    def _plain(self, value: Value) -> Iterator[Record]:
        entry, line = value.json, value.line
        kind, message = string(entry.get("type")), entry.get("message")
        name = string(entry.get("id"))
        if kind == "session":
            yield from self._head(entry, line)
        elif kind in ("message", "message_end") and isinstance(message, dict):
            yield from read_message(message, line=line, time=_time(entry), name=name, changes=self.changes)
        elif kind == "custom_message":
            yield Message("user", tuple(parts(entry.get("content"))), "synthetic", _time(entry), name, line=line)
        elif kind == "branch_summary":
            if entry.get("summary"):
                yield branch_summary(entry, line, _time(entry), name)
        elif kind == "model_change":
            yield from self.changes.told("model", entry.get("modelId"), line)
        elif kind == "session_info":
            yield from self.changes.told("title", entry.get("name"), line)
        elif kind not in _SILENT:
            yield Skipped(
                line, "an entry of an unknown type" if kind else "an entry without a type", kind and repr(kind)
            )

    def _head(self, head: dict[str, Any], line: int) -> Iterator[Record]:
        yield from self.changes.told("session", head.get("id"), line)
        yield from self.changes.told("cwd", head.get("cwd"), line)
        yield from self.changes.told("model", head.get("modelId"), line)

    def _compaction(self, value: Value, place: int) -> Iterator[Record]:
        """A new window: the summary, and what was kept, which was said in another context."""
        entry, line = value.json, value.line
        tail = entries(entry.get("retainedTail"))
        yield Boundary(line)
        if place in self.index.cut and not tail:
            yield Skipped(line, CUT)
        yield compaction_summary(entry, line, _time(entry), string(entry.get("id")))
        kept = (message for kept in self.index.kept.get(place, ()) for message in self.held.get(kept, ()))
        again = self._tail(tail, line) if tail else kept
        yield from (replace(message, kind="summary") for message in again if message.kind != "summary")

    def _tail(self, messages: list[Any], line: int) -> Iterator[Message]:
        """Messages that a compaction holds itself."""
        for message in messages:
            if isinstance(message, dict):
                time = seconds(message.get("timestamp"))
                told = read_message(message, line=line, time=time, name="", changes=Changes())
                yield from (record for record in told if isinstance(record, Message))


def _time(entry: dict[str, Any]) -> float | None:
    """When the entry was written; the events have the message's own time only."""
    found, message = seconds(entry.get("timestamp")), entry.get("message")
    return seconds(message.get("timestamp")) if found is None and isinstance(message, dict) else found


_OPENCLAW = Home(
    "~/.openclaw",
    "OPENCLAW_STATE_DIR",
    ("agents/*/sessions",),
    tuple(f"workspace/{name}" for name in ("MEMORY.md", "USER.md", "AGENTS.md", "memory")),
)
HOME = Home("~/.pi/agent", "PI_CODING_AGENT_DIR", ("sessions",), ("AGENTS.md",), (_OPENCLAW,))

FORMAT = Format("pi", "pi session", sniff, conversations, HOME)
