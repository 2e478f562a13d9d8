"""Rule 6: a person's own marks, for memories that no rule knows.

A mark is kept beside a conversation's hash, never in its file. Like every rule it only parts text into text and
memories: no message's text changes, no response is touched, and a memory that was found stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from memscope.conversation.joining import joined
from memscope.conversation.keys import made_up_key
from memscope.conversation.model import Conversation, Memory, Message, Part, Text, ToolResult
from memscope.conversation.units import Line, lines_of

RULE = "mark"


@dataclass(frozen=True, slots=True)
class Mark:
    """The lines of a message that `Message.text[start:end]` touches are a memory called `key`.

    Blank lines at its ends are not part of it.
    """

    message: int
    start: int
    end: int
    key: str


def mark_key(text: str) -> str:
    """The key of a mark on `text`: the same text has the same key wherever it is marked."""
    return made_up_key(text)


def lines_at(message: Message, start: int, end: int) -> tuple[int, int]:
    """Where the lines that `message.text[start:end]` touches begin and end, blank ones at the ends left out; (0, 0)
    where there are none."""
    found = _Lines(message).touched(start, end)
    return (found[0].line.start, found[-1].line.end) if found else (0, 0)


def with_marks(conversation: Conversation, marks: Sequence[Mark]) -> Conversation:
    """`conversation` with the marked lines as memories; of marks that overlap, the first.

    A message that is marked as a whole is a memory as a whole. A tool's result that is marked stays as far as it is
    not, so that its call keeps an answer. A mark that does not fit is passed over and counted in a note. Marking twice
    with the same marks is marking once.
    """
    by_message: dict[int, list[Mark]] = {}
    for mark in marks:
        by_message.setdefault(mark.message, []).append(mark)
    messages = list(conversation.messages)
    unfit = 0
    for index, those in by_message.items():
        if not 0 <= index < len(messages) or messages[index].role == "assistant":
            unfit += len(those)
            continue
        lines = _Lines(messages[index])
        for mark in those:
            lines.take(mark)
        unfit += sum(not lines.is_taken_by(mark) for mark in those)
        messages[index] = lines.marked()
    count = "1 mark of yours does" if unfit == 1 else f"{unfit} marks of yours do"
    note = f"passed over, {count} not fit: outside the text, in a response, or over another memory"
    if unfit and note not in conversation.notes:
        conversation = replace(conversation, notes=(*conversation.notes, note))
    return conversation.with_messages(messages)


def refusal(conversation: Conversation, mark: Mark) -> str:
    """Why `mark` would be passed over, to follow "this cannot be marked:"; empty for one that fits."""
    if not 0 <= mark.message < len(conversation.messages):
        return "there is no such message"
    message = conversation.messages[mark.message]
    if message.role == "assistant":
        return "what an agent says is no memory it was given"
    lines = _Lines(message)
    if not lines.touched(mark.start, mark.end):
        return "there are no words of the message's own"
    lines.take(mark)
    return "" if lines.is_taken_by(mark) else "some of it is a memory already"


@dataclass(slots=True)
class _Owned:
    """A line of a message's text, and what it belongs to: a part that is a memory, or a mark. `key`: of a mark, also
    of one that became a part before."""

    line: Line
    owner: int | None = None
    key: str | None = None

    @property
    def is_blank(self) -> bool:
        return self.line.is_blank


class _Lines:
    """The lines of a message, each with its owner. Parts of a message begin and end where lines do."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.text = message.text
        self.marks: dict[int, Mark] = {}
        self.lines = [_Owned(line) for line in lines_of(self.text)]
        self.of_part: list[list[_Owned]] = []
        at = place = 0
        for number, part in enumerate(message.parts):
            at += len(part.text) if isinstance(part, Text | Memory | ToolResult) else 0
            first = place
            while place < len(self.lines) and self.lines[place].line.end <= at:
                place += 1
            self.of_part.append(self.lines[first:place])
            if isinstance(part, Memory):
                for line in self.of_part[-1]:
                    line.owner, line.key = number, part.key if part.rule == RULE else None

    def touched(self, start: int, end: int) -> list[_Owned]:
        """The lines that a range touches, without the blank ones it begins and ends with; none when it is no place."""
        if not 0 <= start < end <= len(self.text):
            return []
        found = [line for line in self.lines if line.line.start < end and line.line.end > start]
        written = [i for i, line in enumerate(found) if not line.is_blank]
        return found[written[0] : written[-1] + 1] if written else []

    def take(self, mark: Mark) -> None:
        """Gives the lines of a mark to it, if all of them are free."""
        lines = self.touched(mark.start, mark.end)
        if all(line.owner is None for line in lines):
            number = len(self.message.parts) + len(self.marks)
            self.marks[number] = mark
            for line in lines:
                line.owner, line.key = number, mark.key

    def is_taken_by(self, mark: Mark) -> bool:
        """Whether what a mark says is so. Blank lines do not count: they may have joined another memory."""
        written = [line for line in self.touched(mark.start, mark.end) if not line.is_blank]
        return bool(written) and all(line.key == mark.key for line in written)

    def marked(self) -> Message:
        """The message with the marks as memories."""
        if not self.marks:
            return self.message
        if all(isinstance(part, Text | Memory) for part in self.message.parts):
            self._absorb_blank()
        return replace(self.message, parts=tuple(joined(self._parts())))

    def _absorb_blank(self) -> None:
        """When nothing but blank lines is left, they join the marks, so that no blank message stays without them."""
        if not all(line.owner is not None or line.is_blank for line in self.lines):
            return
        for order in (self.lines, self.lines[::-1]):
            before: _Owned | None = None
            for line in order:
                if line.owner is None and before is not None and before.owner in self.marks:
                    line.owner, line.key = before.owner, before.key
                before = line

    def _parts(self) -> Iterator[tuple[int | None, Part]]:
        """The message's parts, texts cut where their lines change the owner; each with the mark it belongs to."""
        for part, lines in zip(self.message.parts, self.of_part, strict=True):
            if not isinstance(part, Text | ToolResult) or all(line.owner is None for line in lines):
                yield None, part
                continue
            head: ToolResult | None = part if isinstance(part, ToolResult) else None
            for owner, group in groupby(lines, key=lambda line: line.owner):
                run = list(group)
                text = self.text[run[0].line.start : run[-1].line.end]
                if head is not None:
                    yield None, replace(head, text="" if owner is not None else text)
                    head, text = None, text if owner is not None else ""
                if owner is not None:
                    yield owner, Memory(self.marks[owner].key, text, RULE)
                elif text:
                    yield None, Text(text)
