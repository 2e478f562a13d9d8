"""Markdown parted into units: the pieces of an instruction file that can be judged one by one.

One memory for a whole CLAUDE.md would say nothing, and one for each line would say nothing either. So a file is split
at its headings, and a bulleted section at its bullets, and what is too short to stand alone stays with its neighbour.
Units are whole lines; joined they are the text they came from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from memscope.base.text import slug

Split = Literal["file", "heading", "bullet"]

SHORTEST = 40  # characters, headings and labels not counted: below this a unit does not stand alone
ENTRY_MARK = "§"  # alone on a line, it parts the entries of a Hermes memory file
_CODE_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_LABEL = re.compile(r"\*\*[^*]{1,200}\*\*:?$")  # a line in bold, which stands over a list as a heading does
_NUMBER = re.compile(r"([ \t]*)[0-9]{1,4}[.)](?:[ \t]|$)")
_BULLET = re.compile(r"([ \t]*)[-*+•](?:[ \t]|$)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text: its place there, newline included, and its words without line end.

    `code`: it belongs to a fenced code block, the fences included.
    """

    start: int
    end: int
    text: str
    code: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()

    @property
    def is_heading(self) -> bool:
        return not self.code and _HEADING.match(self.text) is not None

    @property
    def heading_depth(self) -> int | None:
        """How deep a heading goes, from 1; one deeper than all of them is a line in bold, which heads a list. None for
        any other line."""
        words = self.text.strip()
        if self.is_heading:
            return len(words) - len(words.lstrip("#"))
        return 7 if not self.code and _LABEL.match(words) else None

    @property
    def bullet_indent(self) -> int | None:
        """How far a bullet's sign is indented; None for a line that is no bullet."""
        return self._indent(_BULLET)

    @property
    def number_indent(self) -> int | None:
        """The same of a numbered item."""
        return self._indent(_NUMBER)

    def _indent(self, item: re.Pattern[str]) -> int | None:
        found = None if self.code else item.match(self.text)
        return len(found[1].expandtabs(4)) if found else None


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of Markdown. `name` is "heading/n": its section and its number there, from 1; unique within its file."""

    name: str
    text: str


def lines_of(text: str) -> list[Line]:
    """The lines of `text`, ended by a newline only: form feeds and other separators do occur inside a line."""
    found: list[Line] = []
    start, fence = 0, ""
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        words = text[start:end].rstrip("\r\n")
        was_open = bool(fence)
        fence = _fence_after(words, fence)
        found.append(Line(start, end, words, was_open or bool(fence)))
        start = end
    return found


def _fence_after(line: str, fence: str) -> str:
    """The code fence that is open behind `line`, when `fence` was open before it; "" for none."""
    found = _CODE_FENCE.match(line)
    if not found:
        return fence
    sign, behind = found[1], line[found.end() :]
    if not fence:  # back-ticks behind the opening ones make it code within a line
        return "" if "`" in behind and sign[0] == "`" else sign
    closes = sign[0] == fence[0] and len(sign) >= len(fence) and not behind.strip()
    return "" if closes else fence


def split_units(text: str, split: Split | None = None) -> tuple[Unit, ...]:
    """`text` in units. None: at headings and bullets, each unit of at least `SHORTEST` characters where there are so
    many. A `split` that is asked for is done to the letter: every section or every bullet is a unit, however short.
    """
    least = SHORTEST if split is None else 1
    groups: list[list[_Chunk]] = []
    for chunk in _chunks(text, split):
        if chunk.opens_group or not groups:
            groups.append([])
        groups[-1].append(chunk)
    # First within the groups, so that a short bullet stays with its list, and then across them.
    merged = _merged((chunk for group in groups for chunk in _merged(group, least)), least)
    return _named(merged)


def split_entries(text: str) -> tuple[tuple[int, int], ...]:
    """Where the entries of `text` stand that lines of `§` part: (start, end) of whole lines, blank ends left out."""
    entries: list[tuple[int, int]] = []
    held: list[Line] = []
    for line in [*lines_of(text), None]:
        if line is not None and line.text.strip() != ENTRY_MARK:
            held.append(line)
            continue
        entry = without_blank_ends(held)
        if entry:
            entries.append((entry[0].start, entry[-1].end))
        held = []
    return tuple(entries)


def without_blank_ends(lines: list[Line]) -> list[Line]:
    """`lines` without the blank ones it begins and ends with."""
    written = [i for i, line in enumerate(lines) if not line.is_blank]
    return lines[written[0] : written[-1] + 1] if written else []


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Lines that stay together. `weight` counts the characters that say something: headings and labels do not.

    A heading opens a group, and so does a paragraph behind a list, for it may announce the next list.
    """

    heading: str
    text: str
    weight: int
    opens_group: bool = False


@dataclass(frozen=True, slots=True)
class _List:
    """A list that is open: how far its items are indented, and whether they are bullets rather than numbers."""

    indent: int
    bullets: bool


def _chunks(text: str, split: Split | None) -> Iterable[_Chunk]:
    """The smallest pieces: a heading and what follows, a bullet and what hangs on it, a paragraph behind a list."""
    heading, opens = "", False
    held: list[Line] = []
    open_list: _List | None = None
    for line in lines_of(text):
        starts = False
        if split != "file" and line.is_heading:
            starts, open_list = True, None
        elif split not in ("file", "heading"):
            starts, open_list = _starts(line, held, open_list)
        if starts and held:
            yield _chunk(text, heading, held, opens)
            held, opens = [], False
        if starts and line.bullet_indent is None:
            opens = True
            heading = line.text.strip().strip("#").strip() if line.is_heading else heading
        held.append(line)
    if held:
        yield _chunk(text, heading, held, opens)


def _starts(line: Line, before: list[Line], open_list: _List | None) -> tuple[bool, _List | None]:
    """Whether `line` begins a bullet or what stands behind a list of bullets, and the list that is open behind it.

    Numbered items are steps of one thing and stay together, with the bullets that hang on them.
    """
    bullet, number = line.bullet_indent, line.number_indent
    in_bullets = open_list is not None and open_list.bullets
    if bullet is not None:
        is_top = open_list is None or bullet <= open_list.indent
        return is_top, _List(bullet, True) if is_top else open_list
    if number is not None and (open_list is None or (in_bullets and number <= open_list.indent)):
        return in_bullets, _List(number, False)
    is_paragraph = bool(line.text[:1].strip()) and bool(before) and before[-1].is_blank and number is None
    if open_list is not None and is_paragraph and not (line.code and before[-1].code):
        return in_bullets, None
    return False, open_list


def _chunk(text: str, heading: str, lines: list[Line], opens: bool) -> _Chunk:
    words = (line.text.strip() for line in lines if not line.is_heading)
    weight = sum(len(word) for word in words if not _LABEL.match(word))
    return _Chunk(heading, text[lines[0].start : lines[-1].end], weight, opens)


def _merged(chunks: Iterable[_Chunk], least: int) -> list[_Chunk]:
    """Chunks lighter than `least` joined to the next one, the last of them to the one before."""
    out: list[_Chunk] = []
    light: _Chunk | None = None
    for chunk in chunks:
        whole = chunk if light is None else _joined(light, chunk, chunk.heading)
        light = whole if whole.weight < least else None
        if light is None:
            out.append(whole)
    if light is not None:
        out[-1:] = [_joined(out[-1], light, out[-1].heading)] if out else [light]
    return out


def _joined(first: _Chunk, second: _Chunk, heading: str) -> _Chunk:
    return _Chunk(heading, first.text + second.text, first.weight + second.weight, first.opens_group)


def _named(chunks: list[_Chunk]) -> tuple[Unit, ...]:
    seen: Counter[str] = Counter()
    units = []
    for chunk in chunks:
        heading = slug(chunk.heading) or ("section" if chunk.heading else "start")
        seen[heading] += 1
        units.append(Unit(f"{heading}/{seen[heading]}", chunk.text))
    return tuple(units)
