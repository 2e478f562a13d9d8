"""Gemini CLI sessions: one JSON document, or since version 0.40 a log of records, and checkpoints (`/chat save`).

Which versions of which messages make up the conversation is `_gemini_index`'s business, what they say
`_gemini_message`'s. The system prompt is not stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from memscope.conversation.formats._gemini_index import (
    NOTES,
    Index,
    Place,
    index,
    is_header,
    is_message,
    listed,
    name_of,
    texts_of,
    turns,
)
from memscope.conversation.formats._gemini_message import Reader
from memscope.conversation.formats._stretches import Stretches
from memscope.conversation.homes import Home
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw, Value
from memscope.conversation.records import Boundary, Fact, Format, Item, No, Record, Yes, merge_assistant

_CANCELLED = "Request cancelled"
_ABOUT = frozenset({"$rewindTo", "$set", "sessionId", "history"})  # one of these has every record without messages
_LONGEST_PATH = 4096  # characters


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if any(map(is_header, raw.head)):
        return Yes(0.9)
    first = raw.head[0]
    if all(_is_logged(value) for value in raw.head) or turns(first) is not None:
        return Yes(0.7)
    if isinstance(first, list) and any(isinstance(v, dict) and {"sessionId", "messageId"} <= v.keys() for v in first):
        return No("this is the log of what was typed (logs.json), without answers")
    return No('it has neither "sessionId" and "projectHash" nor messages of the type "gemini"')


def _is_logged(value: Any) -> bool:
    """A record of a log that has lost its head."""
    if not isinstance(value, dict):
        return False
    update = isinstance(value.get("$set"), dict) or isinstance(value.get("$rewindTo"), str)
    return update or (is_message(value) and isinstance(value.get("id"), str) and "timestamp" in value)


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    """One for each session, as a rule one: sub-agents have files of their own, in a folder named after the session."""
    found = index(raw)
    stretches = Stretches(raw, several=len(found) > 1)
    for one in found:
        told = _Session(raw.path, one).read(stretches)
        yield Item(merge_assistant(told), is_subagent=one.is_subagent, marks_failures=True)


class _Session:
    """Tells a session in the order of the conversation, which is that of the log but for messages written anew."""

    def __init__(self, path: Path, found: Index) -> None:
        self.path = path
        self.index = found
        self.turns = {place: turn for turn, place in enumerate(found.order)}
        self.kept = list(found.order.values())
        self.waiting: dict[int, tuple[Any, int]] = {}  # messages whose turn has not come, and their lines
        self.turn = 0
        self.reader = Reader()
        self.noted: set[str] = set()

    def read(self, stretches: Stretches) -> Iterator[Record]:
        yield from self.reader.changes.told("cwd", _project(self.path), 0)
        for number, value in stretches.values(self.index.begin, self.index.end):
            if isinstance(value, Skipped):
                yield value
                continue
            yield from self._about(value)
            found = listed(value.json)
            if not found and not (isinstance(value.json, dict) and not _ABOUT.isdisjoint(value.json)):
                yield Skipped(value.line, "the value is no record of a session")
            for entry, message in enumerate(found):
                yield from self._entry(message, Place(number, entry), value.line)

    def _about(self, value: Value) -> Iterator[Record]:
        """What a record says of the session as a whole."""
        if not isinstance(value.json, dict) or is_message(value.json):
            return
        about = value.json["$set"] if isinstance(value.json.get("$set"), dict) else value.json
        changes, path = self.reader.changes, self.path
        yield from changes.told("session", about.get("sessionId"), value.line)
        yield from changes.told("title", about.get("summary"), value.line)
        if about.get("kind") == "subagent":
            spawner = path.parent.name if path.parent.parent.name == "chats" else ""
            yield from changes.told("parent", spawner, value.line)
            folders = about.get("directories")
            yield from changes.told("cwd", folders[0] if isinstance(folders, list) and folders else "", value.line)

    def _entry(self, message: Any, place: Place, line: int) -> Iterator[Record]:
        """A message of a record. Each stays where it first stood, and is told as it was last written."""
        turn = self.turns.get(place)
        if turn is not None:
            self.waiting[turn] = (message, line)
            yield from self._due()
        elif not is_message(message):
            yield Skipped(line, "the entry is no message")
            return
        name = name_of(message, place)
        if name in self.index.ids or name in self.noted:
            return  # there is a later version, or it was told
        self.noted.add(name)
        if message["type"] in NOTES:
            yield from _note(message, line)
        else:
            yield Skipped(line, "the message was taken back or replaced")

    def _due(self) -> Iterator[Record]:
        """The messages whose turn has come."""
        while self.turn in self.waiting:
            message, line = self.waiting.pop(self.turn)
            window, is_carried = self.kept[self.turn]
            if self.turn and self.kept[self.turn - 1].window != window:
                yield Boundary(line)
                self.reader.answered.clear()
            yield from self.reader.read(message, line, is_carried)
            self.turn += 1


def _note(note: Any, line: int) -> Iterator[Record]:
    """What the person was shown: an error, or that they broke off."""
    text = "".join(texts_of(note))
    if note["type"] == "error":
        yield Fact("error", text, line)
    elif text.startswith(_CANCELLED):
        yield Fact("interrupted", text, line)


def _project(path: Path) -> str:
    """The project's folder, which newer versions write down beside the folder of its sessions; "" for none."""
    chats = next((folder for folder in path.parents[:2] if folder.name == "chats"), None)
    return _written(chats.parent / ".project_root") if chats is not None else ""


@lru_cache(maxsize=256)
def _written(path: Path) -> str:
    try:
        if not path.is_file():  # to open a pipe would wait for its writer
            return ""
        with path.open(encoding="utf-8") as file:
            return file.read(_LONGEST_PATH).strip()
    except (OSError, ValueError):
        return ""


HOME = Home("~/", "GEMINI_CLI_HOME", (".gemini/tmp/*/chats",), (".gemini/GEMINI.md",))

FORMAT = Format("gemini", "Gemini CLI session", sniff, conversations, HOME)
