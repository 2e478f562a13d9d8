"""A conversation as lines to show: a line a message, and below an unfolded one its text, wrapped.

Only what is unfolded is wrapped, and only so much of a text at a time, so that a conversation of any length, and a
message that is one line of megabytes, cost what is seen of them. Nothing here draws; `Transcript` does.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from memscope.base.text import Span, character_count
from memscope.conversation.model import Conversation, Memory, Opaque, Text, ToolResult
from memscope.tui.widgets.parts import part_text, part_words
from memscope.tui.widgets.wrapping import Row, wrapped

SHOWN = 20_000  # characters of a message shown at first, and how many more each time
_BLANK_LINES = re.compile(r"(?:[ \t\r]*\n)+")
_BEFORE = 2_000  # characters shown before a place that is jumped to

Folds = tuple[dict[int, Span], frozenset[int]]  # see `_Open`


@dataclass(frozen=True, slots=True)
class Place:
    """[start, end) of the text of one part of a message."""

    message: int
    part: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `message`: the opening words of a message; `part`: what a part of it is, and its size; `text`: a row of
    a part's text; `more`: what is not shown of it.

    `words`, clean, are of parts and of what is more. `memory`: the key of the memory it belongs to. `offset`: where in
    the message's text the part's text begins; None where it is no part of that (thinking, calls).
    """

    kind: Literal["message", "part", "text", "more"]
    message: int
    part: int = -1
    row: Row | None = None
    words: str = ""
    folded: bool | None = None  # None: nothing to unfold
    memory: str | None = None
    offset: int | None = None

    @property
    def span(self) -> Span | None:
        """What the row shows of the message's text."""
        if self.row is None or self.offset is None:
            return None
        return self.offset + self.row.start, self.offset + self.row.end


@dataclass
class _Open:
    """What is unfolded of a message: by part, how much of its text; and the parts that were folded by hand."""

    shown: dict[int, Span] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    lines: list[Line] | None = None


class Outline:
    """The lines of a conversation. `width`: cells a row of text may take."""

    def __init__(self, conversation: Conversation, width: int = 80, *, responses_only: bool = False) -> None:
        self.conversation = conversation
        self._width = width
        self._responses_only = responses_only
        self._open: dict[int, _Open] = {}
        self._place()

    # Which messages.

    @property
    def responses_only(self) -> bool:
        return self._responses_only

    @responses_only.setter
    def responses_only(self, only: bool) -> None:
        self._responses_only = only
        self._place()

    @property
    def width(self) -> int:
        return self._width

    @width.setter
    def width(self, width: int) -> None:
        if width != self._width:
            self._width = width
            for opened in self._open.values():
                opened.lines = None
            self._place()

    @property
    def messages(self) -> Sequence[int]:
        """Indices of the messages that have a line, ascending."""
        return self.conversation.responses if self._responses_only else range(len(self.conversation.messages))

    def nearest(self, message: int) -> int | None:
        """The message that has a line and is `message`, or comes next before it, or else first; None without any."""
        there = self.messages
        return there[max(0, bisect_right(there, message) - 1)] if there else None

    # Lines.

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.messages) + self._hidden[-1]

    def line(self, row: int) -> Line:
        """The line at a row."""
        at = bisect_right(self._heads, row) - 1
        if at >= 0:
            inside = row - self._heads[at] - 1
            message = self._unfolded[at]
            lines = self._lines(message)
            if inside < 0:
                return Line("message", message, folded=False)
            if inside < len(lines):
                return lines[inside]
        message = self.messages[row - self._hidden[at + 1]]
        return Line("message", message, folded=True)

    def row(self, message: int) -> int:
        """The row of a message's line; it must have one."""
        position = bisect_left(self.messages, message)
        return position + self._hidden[bisect_left(self._unfolded, message)]

    def row_at(self, place: Place) -> int:
        """The row that shows where a place begins; the nearest above where it is folded."""
        head = self.row(place.message)
        if place.message not in self._open:
            return head
        best = head
        for inside, line in enumerate(self._lines(place.message)):
            if line.part > place.part or (line.part == place.part and line.row and line.row.start > place.start):
                break
            best = head + 1 + inside
            if line.part == place.part and line.row is not None and line.row.end > place.start:
                break
        return best

    def _place(self) -> None:
        """Where the lines of unfolded messages push down those of the others."""
        there = self.messages
        at = {message: bisect_left(there, message) for message in sorted(self._open)}
        self._unfolded = [m for m, position in at.items() if position < len(there) and there[position] == m]
        self._hidden = [0, *accumulate(len(self._lines(message)) for message in self._unfolded)]
        self._heads = [at[m] + before for m, before in zip(self._unfolded, self._hidden, strict=False)]

    def _lines(self, message: int) -> list[Line]:
        opened = self._open[message]
        if opened.lines is None:
            opened.lines = self._laid_out(message, opened)
        return opened.lines

    # Folding.

    def unfold(self, message: int) -> None:
        """Shows a message's text below its line."""
        self._open.setdefault(message, _Open())
        self._place()

    def fold(self, message: int) -> None:
        """Leaves a message its line."""
        self._open.pop(message, None)
        self._place()

    def toggle(self, row: int) -> int:
        """Folds or unfolds what the row is the head of, or is in; shows more where it says that there is more. Returns
        the row where that now begins."""
        line = self.line(row)
        if line.kind == "message":
            (self.unfold if line.folded else self.fold)(line.message)
            return row
        opened, head = self._open[line.message], self.row(line.message)
        part = self.conversation.messages[line.message].parts[line.part]
        top = next(i for i, one in enumerate(self._lines(line.message)) if one.part == line.part)
        has_head = self._lines(line.message)[top].kind == "part"
        if line.kind == "more":
            start, end = self._shown(line.message, opened)[line.part]
            backwards = line.row is not None and line.row.start < start
            opened.shown[line.part] = (max(0, start - SHOWN), end) if backwards else (start, end + SHOWN)
        elif not has_head:
            self.fold(line.message)
            return head
        elif self._lines(line.message)[top].folded is None:
            return row
        elif self._lines(line.message)[top].folded:
            opened.closed.discard(line.part)
            opened.shown.setdefault(line.part, (0, min(SHOWN, len(part_text(part)))))
        else:
            opened.shown.pop(line.part, None)
            opened.closed.add(line.part)
        opened.lines = None
        self._place()
        return row if line.kind == "more" else head + 1 + top

    def reveal(self, place: Place) -> int:
        """Unfolds what hides a place. Returns its row."""
        opened = self._open.setdefault(place.message, _Open())
        text = part_text(self.conversation.messages[place.message].parts[place.part])
        shown = self._shown(place.message, opened).get(place.part, (0, 0))
        if not shown[0] <= place.start < place.end <= shown[1]:
            start = 0 if place.end <= SHOWN else _line_start(text, place.start)
            opened.shown[place.part] = (start, max(start + SHOWN, place.end))
            opened.closed.discard(place.part)
            opened.lines = None
        self._place()
        return self.row_at(place)

    def folds(self, message: int) -> Folds | None:
        """How a message is folded, for `restore`; None: it is."""
        opened = self._open.get(message)
        return None if opened is None else (dict(opened.shown), frozenset(opened.closed))

    def restore(self, message: int, folds: Folds | None) -> None:
        """Folds a message as it was."""
        if folds is None:
            self._open.pop(message, None)
        else:
            self._open[message] = _Open(dict(folds[0]), set(folds[1]))
        self._place()

    # A message's lines.

    def _shown(self, message: int, opened: _Open) -> dict[int, Span]:
        """How much of which parts' texts is shown: what was asked for, and else words and memories until it is enough,
        or the only part there is."""
        parts = self.conversation.messages[message].parts
        left, shown = SHOWN, {}
        for index, part in enumerate(parts):
            length = len(part_text(part))
            by_itself = isinstance(part, Text | Memory) or len(parts) == 1
            if index in opened.shown:
                start, end = opened.shown[index]
                shown[index] = (start, min(end, length))
            elif by_itself and index not in opened.closed and left > 0:
                shown[index] = (0, min(left, length))
            left -= length if by_itself else 0
        return shown

    def _laid_out(self, message: int, opened: _Open) -> list[Line]:
        parts = self.conversation.messages[message].parts
        shown = self._shown(message, opened)
        lines: list[Line] = []
        offset = 0
        for index, part in enumerate(parts):
            text, inside = part_text(part), shown.get(index)
            own = offset if isinstance(part, Text | Memory | ToolResult) else None
            memory = part.key if isinstance(part, Memory) else None
            if not (isinstance(part, Text) and inside is not None):
                folded = None if isinstance(part, Opaque) or not text else inside is None
                lines.append(Line("part", message, index, None, part_words(part), folded, memory))
            if inside is not None:
                start, end = inside
                rest = character_count(len(text) - end)
                if start > 0:
                    before = f"… {character_count(start)} before"
                    lines.append(Line("more", message, index, Row(0, start, ""), before, True, memory))
                for row in wrapped(text, self._width, start or _first_line(text), end):
                    lines.append(Line("text", message, index, row, memory=memory, offset=own))
                if end < len(text):
                    lines.append(Line("more", message, index, Row(end, len(text), ""), f"… {rest} more", True, memory))
            offset += len(text) if own is not None else 0
        return lines


def _first_line(text: str) -> int:
    """Where the first line of a text begins that is not blank; 0 where all are."""
    blank = _BLANK_LINES.match(text)
    return blank.end() if blank is not None and blank.end() < len(text) else 0


def _line_start(text: str, place: int) -> int:
    """A little before a place in a long text: at a line's start where one is near."""
    near = max(0, place - _BEFORE)
    newline = text.rfind("\n", near, place - _BEFORE // 10) if place > near else -1
    return newline + 1 if newline >= 0 else max(0, place - _BEFORE // 10)
