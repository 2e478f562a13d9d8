"""The conversation: messages made of parts, some of which are memories.

Everything here is frozen. A message's parts keep their order; the text of a message is the texts of its parts put one
after another, so a memory part owns whole lines and leaving it out takes those lines and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

Kind = Literal["said", "synthetic", "summary"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the message's author."""

    text: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Text that was surfaced into the conversation from an agent's memory.

    `rule` names what recognised it ("explicit", "structured", "fenced", ...), so that a person can judge the find.
    """

    key: str
    text: str
    rule: str = "explicit"


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning that was not part of the visible answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool by the assistant. `arguments` is the JSON text as it was found, which need not be valid."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered. `text` is empty when the whole answer is a memory, which then is a part behind it."""

    call_id: str
    text: str
    is_error: bool = False
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Opaque:
    """A part that is kept but not understood, such as an image: its JSON as found. Never decoded, never scored."""

    kind: str
    data: str


Part = Text | Memory | Thinking | ToolCall | ToolResult | Opaque
_WITH_TEXT = (Text, Memory, ToolResult)


def whole_lines(parts: Iterable[Part]) -> tuple[Part, ...]:
    """`parts` with a newline at the end of every text that another text follows, and tool calls moved to the end.

    This is what makes a memory own whole lines, and what every chat API can express. Applying it twice changes nothing.
    Empty texts go; an empty `ToolResult` stays, for it answers a call, and so does an empty memory.
    """
    said: list[Part] = []
    calls: list[ToolCall] = []
    before: Text | Memory | ToolResult | None = None  # the last one that says something, and its place
    place = 0
    for part in parts:
        if isinstance(part, ToolCall):
            calls.append(part)
            continue
        if isinstance(part, _WITH_TEXT):
            if part.text:
                if before is not None and not before.text.endswith("\n"):
                    said[place] = _ended(before)
                before, place = part, len(said)
            elif isinstance(part, Text):
                continue
        said.append(part)
    return (*said, *calls)


def _ended(part: Text | Memory | ToolResult) -> Part:
    """The part with its last line ended."""
    text = part.text + "\n"
    return Text(text) if isinstance(part, Text) else replace(part, text=text)


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """One message of a conversation.

    `kind` tells what a person said from what software put in their name: `synthetic` (skills, slash commands,
    environment blocks, hooks) and `summary` (what a compaction left). `time` is in seconds since the epoch; `line`
    counts from 1 in the source file, 0 where there is none.
    """

    role: str
    parts: tuple[Part, ...]
    kind: Kind = "said"
    time: float | None = None
    id: str = ""
    name: str = ""
    line: int = 0

    def __init__(  # noqa: PLR0917 - the fields, as the dataclass would take them
        self,
        role: str,
        parts: tuple[Part, ...],
        kind: Kind = "said",
        time: float | None = None,
        id: str = "",  # noqa: A002 - named as the field
        name: str = "",
        line: int = 0,
    ) -> None:
        # What dataclasses make of a frozen class takes three times as long, and a scan makes millions of messages.
        _set_role(self, role)
        _set_parts(self, whole_lines(parts))
        _set_kind(self, kind)
        _set_time(self, time)
        _set_id(self, id)
        _set_name(self, name)
        _set_line(self, line)

    @property
    def memories(self) -> tuple[Memory, ...]:
        return tuple(p for p in self.parts if isinstance(p, Memory))

    @property
    def is_memory(self) -> bool:
        """Whether the message is a memory as a whole: it disappears when the memory is removed."""
        parts = self.parts
        return bool(parts) and isinstance(parts[0], Memory) and all(isinstance(p, Memory) for p in parts)

    @property
    def is_response(self) -> bool:
        """Whether the assistant said it here: what a compaction carried over was said in another context."""
        return self.role == "assistant" and self.kind == "said" and not self.is_memory

    @property
    def text(self) -> str:
        """The message's own words and memories, without thinking and tool calls."""
        return "".join([p.text for p in self.parts if isinstance(p, _WITH_TEXT)])

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(p for p in self.parts if isinstance(p, ToolCall))


_set_role, _set_parts, _set_kind, _set_time, _set_id, _set_name, _set_line = (
    getattr(Message, field.name).__set__ for field in fields(Message)
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a conversation comes from: a file, which conversation in it (`item`), and which context window of that."""

    path: Path
    format: str
    item: int = 0
    window: int = 0


@dataclass(frozen=True, slots=True)
class Ref:
    """A message of a source: what every jump of the console and every piece of a scan's evidence points to."""

    source: Source
    message: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in a source that was passed over, and why. `line` counts from 1.

    `detail` is what the file itself says of it, such as a type that nobody knows. It is not part of the reason, for
    there are as many details as a file likes to have.
    """

    line: int
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """A memory of a conversation: its key and every place it occurs.

    `occurrences` are message indices, ascending, one for each part. `texts` are the distinct texts found under the key
    in order of appearance: more than one means that the memory changed on the way.
    """

    key: str
    occurrences: tuple[int, ...]
    texts: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def first(self) -> int:
        """Index of the message in which the memory first appears."""
        return self.occurrences[0]


@dataclass(frozen=True)
class Conversation:
    """A conversation as loaded: one context window of one item of a source.

    `windows` and `items` say how many there are to choose from; `skipped` counts what loading passed over. `thinking`:
    the thinking counts as said, so it is sent and scored too.
    """

    messages: tuple[Message, ...]
    tools: tuple[str, ...] = ()  # each tool's definition: its JSON as found
    source: Source | None = None
    title: str = ""
    skipped: tuple[Skipped, ...] = ()
    windows: int = 1
    items: int = 1
    notes: tuple[str, ...] = ()
    thinking: bool = False

    @cached_property
    def memories(self) -> tuple[MemoryEntry, ...]:
        """One entry for each key, in the order of first appearance."""
        places: dict[str, list[int]] = {}
        texts: dict[str, dict[str, None]] = {}
        rules: dict[str, dict[str, None]] = {}
        for index, message in enumerate(self.messages):
            for memory in message.memories:
                places.setdefault(memory.key, []).append(index)
                texts.setdefault(memory.key, {})[memory.text] = None
                rules.setdefault(memory.key, {})[memory.rule] = None
        return tuple(MemoryEntry(k, tuple(places[k]), tuple(texts[k]), tuple(rules[k])) for k in places)

    @cached_property
    def responses(self) -> tuple[int, ...]:
        """Message indices of the responses, ascending."""
        return tuple(i for i, m in enumerate(self.messages) if m.is_response)

    @property
    def opening(self) -> int:
        """How many system messages it begins with."""
        places = (place for place, message in enumerate(self.messages) if message.role != "system")
        return next(places, len(self.messages))

    def memory_text(self, key: str, *, before: int) -> str:
        """The text under `key` as it last stood before the message `before`; its first text where none did."""
        entry = next(entry for entry in self.memories if entry.key == key)
        seen = [place for place in entry.occurrences if place < before]
        if not seen:
            return entry.texts[0]
        return [memory.text for memory in self.messages[seen[-1]].memories if memory.key == key][-1]

    def upto(self, message: int) -> Conversation:
        """The conversation that ends with `message`: what its author could have seen, and the message itself."""
        return replace(self, messages=self.messages[: message + 1])

    def with_messages(self, messages: Sequence[Message]) -> Conversation:
        return replace(self, messages=tuple(messages))
