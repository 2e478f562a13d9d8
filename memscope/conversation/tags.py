"""Text between tags that stand on lines of their own, and Letta's memory blocks, which are written so.

Two readers share this: the Letta format, which knows that its system message was compiled from blocks, and the rule
that finds them in any text. Both read texts that nobody vouches for, so closing lines are looked up in an index: what
opens a thousand times and never closes costs no more than what it is long.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from memscope.conversation.units import Line, lines_of

_CLOSING = re.compile(r"</[^<]*>$|^={3,20} MEMORY_SUMMARY (?:BEGINS|ENDS) ={3,20}$")
# A block as it is compiled, `<human>`, and as older versions did it, `<human characters="9/5000">`.
_LABEL = re.compile(r'<(?P<label>[^\s<>/="]{1,80})(?P<count> characters="\d{1,20}/\d{1,20}")?>$')
_VALUE, _VALUE_END = "<value>", "</value>"
_FIRST = (_VALUE, "<description>", "<metadata>")  # right below the label of a block that has a value
_NUMBERED = "# NOTE: Line numbers"  # for the model's orientation, in the value's first line but no part of it

Places = Sequence[int]  # ascending


@dataclass(frozen=True)
class TaggedText:
    """A text by its lines, with what is needed to find a closing line without reading all that follows."""

    text: str

    @cached_property
    def lines(self) -> list[Line]:
        return lines_of(self.text)

    def closing(self, sign: str, after: int, before: int | None = None) -> int | None:
        """The first line from `after` on that ends with `sign`: outside code, or in it when a code block stays open."""
        limit = len(self.lines) if before is None else before
        hits = (next_place(places, after, limit) for places in self._closings.get(sign, ()))
        return next((hit for hit in hits if hit is not None), None)

    def between(self, first: int, behind: int) -> str:
        """The text of the lines from `first` to before `behind`."""
        return self.text[self.lines[first].start : self.lines[behind - 1].end] if first < behind else ""

    def value_start(self, after: int, before: int) -> int | None:
        """The first line that is `<value>`."""
        return next_place(self._values, after, before)

    def value_end(self, sign: str, after: int, before: int) -> int | None:
        """The first line that is `</value>` with the block's closing `sign` right below: a value may hold tags too."""
        return next_place(self._value_ends.get(sign, ()), after, before - 1)

    def label_opens_again(self, label: str, after: int, before: int) -> bool:
        """Whether a block of that label stands between: then the closing tag is that one's."""
        return next_place(self._labels.get(label, ()), after, before) is not None

    @cached_property
    def _closings(self) -> dict[str, tuple[list[int], list[int]]]:
        """For every closing sign that ends a line: where it does outside code, and anywhere."""
        places: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for index, line in enumerate(self.lines):
            sign = _closing_sign(line)
            if sign:
                places[sign][1].append(index)
                if not line.code:
                    places[sign][0].append(index)
        return dict(places)

    @cached_property
    def _labels(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        for index, line in enumerate(self.lines):
            opening = _LABEL.match(line.text.rstrip())
            if opening:
                places[opening["label"]].append(index)
        return dict(places)

    @cached_property
    def _values(self) -> list[int]:
        return [index for index, line in enumerate(self.lines) if line.text.strip() == _VALUE]

    @cached_property
    def _value_ends(self) -> dict[str, list[int]]:
        """For every closing sign: the lines `</value>` it stands below."""
        places: dict[str, list[int]] = defaultdict(list)
        for index, line in enumerate(self.lines[:-1]):
            if line.text.strip() == _VALUE_END:
                places[self.lines[index + 1].text.strip()].append(index)
        return dict(places)


@dataclass(frozen=True, slots=True)
class Block:
    """A memory block: its label, and its value, which is the lines from `first` to before `behind`.

    `close` is the line of the block's closing tag.
    """

    label: str
    first: int
    behind: int
    close: int


def blocks(read: TaggedText, first: int, behind: int, *, bare: bool) -> Iterator[Block]:
    """Letta's blocks in the lines from `first` to before `behind`, one after the other.

    `bare`: a tag that holds neither a `<value>` nor a count of characters is a block too, all of its lines the value.
    """
    at = first
    while at < behind:
        block = _block(read, at, behind, bare)
        if block is not None:
            yield block
        at = at + 1 if block is None else block.close + 1


def _block(read: TaggedText, at: int, behind: int, bare: bool) -> Block | None:
    opening = _LABEL.match(read.lines[at].text.rstrip())
    if not opening:
        return None
    sign = f"</{opening['label']}>"
    close = read.closing(sign, at + 1, behind)
    if close is None:
        return None
    described = read.lines[at + 1].text.strip() in _FIRST
    value = read.value_start(at + 1, close) if described else None
    end = None if value is None else read.value_end(sign, value + 1, behind)
    if value is not None and end is not None:
        return Block(opening["label"], _behind_note(read, value + 1, end), end, end + 1)
    if (opening["count"] or bare) and not read.label_opens_again(opening["label"], at + 1, close):
        return Block(opening["label"], _behind_note(read, at + 1, close), close, close)
    return None


def _behind_note(read: TaggedText, first: int, behind: int) -> int:
    return first + 1 if first < behind and read.lines[first].text.startswith(_NUMBERED) else first


def _closing_sign(line: Line) -> str:
    found = _CLOSING.search(line.text.rstrip())
    return found[0] if found else ""


def next_place(places: Places, after: int, before: int) -> int | None:
    """The first of `places` from `after` on, if it is before `before`."""
    at = bisect_left(places, after)
    return places[at] if at < len(places) and places[at] < before else None
