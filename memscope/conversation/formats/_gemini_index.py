"""Which messages a Gemini CLI session is made of in the end.

The session is a log: a message is written anew whenever something was added to it, under the same id; a record
`{"$set": {"messages": [...]}}` replaces all there were, and `{"$rewindTo": id}` takes that one and all behind it back.
Where the replacement begins with a summary, the context was compressed: a new window. The head of another session
begins another log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from memscope.conversation.formats._json import Json
from memscope.conversation.raw import Raw, Value

SNAPSHOT = "<state_snapshot>"
SAID = ("user", "gemini")
NOTES = ("info", "warning", "error")  # shown to the person, never sent to the model
_OPENING = 3  # messages: a compressed history begins with the surroundings, and then has the summary


class Place(NamedTuple):
    """Where a version of a message is: the number of the JSON value, from 0, and the number within it."""

    value: int
    entry: int


class Kept(NamedTuple):
    """A message that stays: its window, and whether it was carried over into that by a compression."""

    window: int
    is_carried: bool


@dataclass
class Index:
    """What one pass over a session tells: `order` has the last version of every message that stays, in the order of
    the conversation, `ids` what these are called. The session's values are from `begin` up to `end` (None: the last).
    """

    begin: int = 0
    end: int | None = None
    order: dict[Place, Kept] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    is_subagent: bool = False


def is_header(value: Any) -> bool:
    """Whether the value begins a session, or is all of one."""
    if not isinstance(value, dict) or not isinstance(value.get("sessionId"), str):
        return False
    held = value.get("messages")
    told = held[:8] if isinstance(held, list) else []
    return isinstance(value.get("projectHash"), str) or any(map(is_message, told))


def is_message(value: Any) -> bool:
    """Whether the value is a message, or a note beside the conversation."""
    return isinstance(value, dict) and (value.get("type") in SAID or value.get("type") in NOTES) and "content" in value


def turns(value: Any) -> list[Any] | None:
    """The turns of a checkpoint (`/chat save`), which is the history as the API takes it; None for anything else."""
    listed = value.get("history") if isinstance(value, dict) else value
    return listed if isinstance(listed, list) and bool(listed) and all(map(_is_turn, listed[:8])) else None


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and value.get("role") in ("user", "model") and isinstance(value.get("parts"), list)


def listed(value: Any) -> list[Any]:
    """The messages that a JSON value holds: itself, a list of them, or none."""
    if is_message(value):
        return [value]
    if not isinstance(value, dict):
        return _as_messages(turns(value) or [])
    holder = value["$set"] if isinstance(value.get("$set"), dict) else value
    found = holder.get("messages")
    return found if isinstance(found, list) else _as_messages(turns(value) or [])


def _as_messages(found: list[Any]) -> list[Any]:
    kinds = {"user": "user", "model": "gemini"}
    return [
        {"type": kinds.get(turn["role"]), "content": turn.get("parts")}
        for turn in found
        if isinstance(turn, dict) and isinstance(turn.get("role"), str)
    ]


def name_of(message: Json, place: Place) -> str:
    """The message's id, or else a name of its place."""
    found = message.get("id")
    return found if isinstance(found, str) and found else f"#{place.value}.{place.entry}"


def index(raw: Raw) -> list[Index]:
    """Reads the sessions of a file once, keeping the ids of their messages."""
    log, found = _Log(0), []
    values = (value for value in raw.kept() if isinstance(value, Value))
    for number, value in enumerate(values):
        if is_header(value.json):
            session = value.json["sessionId"]
            if log.session not in ("", session):
                found.append(log.finish(number))
                log = _Log(number)
            log.session = session
        log.add(number, value.json)
    return [*found, log.finish(None)]


class _Log:
    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.session = ""
        self.windows: list[dict[str, Place]] = [{}]
        self.carried: list[set[str]] = [set()]
        self.is_subagent = False

    def add(self, number: int, record: Any) -> None:
        if not isinstance(record, dict):
            self._listed(number, record)
            return
        back, update = record.get("$rewindTo"), record.get("$set")
        if isinstance(back, str):
            self._rewind(back)
        elif is_message(record):
            self._put(Place(number, 0), record)
        else:
            about = update if isinstance(update, dict) else record
            self.is_subagent = self.is_subagent or about.get("kind") == "subagent"
            if isinstance(update, dict) and isinstance(update.get("messages"), list):
                self._replace(number, update["messages"])
            self._listed(number, record)

    def _listed(self, number: int, record: Any) -> None:
        for entry, message in enumerate(listed(record)):
            self._put(Place(number, entry), message)

    def _put(self, place: Place, message: Any) -> None:
        if is_message(message) and message["type"] in SAID:
            self.windows[-1][name_of(message, place)] = place

    def _rewind(self, back: str) -> None:
        window = self.windows[-1]
        if back not in window:
            window.clear()
        while window and window.popitem()[0] != back:
            pass

    def _replace(self, number: int, messages: list[Any]) -> None:
        """Makes room for `messages`, behind a compression in a new window."""
        window = self.windows[-1]
        named = [(name_of(m, Place(number, entry)), m) for entry, m in enumerate(messages) if is_message(m)]
        summaries = {name for name, message in named[:_OPENING] if is_summary(message)}
        if window and summaries and not summaries & window.keys():
            self.windows.append({})
            self.carried.append({name for name, _ in named})
        else:
            window.clear()

    def finish(self, end: int | None) -> Index:
        found = Index(self.begin, end, is_subagent=self.is_subagent)
        for number, window in enumerate(self.windows):
            found.ids.update(window)
            found.order.update({place: Kept(number, name in self.carried[number]) for name, place in window.items()})
        return found


def is_summary(message: Json) -> bool:
    """Whether the message is what a compression left of the conversation."""
    return message.get("type") == "user" and any(SNAPSHOT in text for text in texts_of(message))


def texts_of(message: Json) -> Iterator[str]:
    """The texts of a message's content, which is a string, a part, or a list of either."""
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str):
            yield text
