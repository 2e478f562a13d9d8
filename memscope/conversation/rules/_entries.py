"""Entries: the bullets and `[key]: value` lines of a list of memories."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from memscope.conversation.keys import made_up_key
from memscope.conversation.rules._rule import Found
from memscope.conversation.units import Line

_SIGN = re.compile(r"[ \t]*(?:[-*+•]|\d{1,4}[.)])[ \t]+(?=\S)")
_BRACKET = re.compile(r"(?:MEMORY )?\[([^\[\]]{1,120})\]:?[ \t]")  # "[key]: text", "MEMORY [id | date | type]: text"
_BRACKET_LINE = re.compile(r"[ \t]*\[[^\[\]]{1,120}\]:(?:[ \t]|$)")
_WORD_KEY = re.compile(r"(?:\*\*)?([^\W_][\w./-]{0,39})(?:\*\*)?:(?:\*\*)?[ \t]")
_TAG_ALONE = re.compile(r"</?[^<>]*>$")

Entry = list[Line]


def is_entry(line: Line) -> bool:
    """Whether an entry starts here: a bullet, a numbered item, or `[key]: value`."""
    return not line.code and bool(_SIGN.match(line.text) or _BRACKET_LINE.match(line.text))


def indent(line: Line) -> int:
    text = line.text.expandtabs(4)
    return len(text) - len(text.lstrip(" "))


def entries_within(lines: Iterable[Line]) -> Iterator[Entry]:
    """The entries between two tags, which bound them.

    Where lines are marked as entries, the unmarked ones that follow without a blank line go on with theirs, and what
    stands elsewhere is an introduction. Where none is, every line is an entry, but for headings, tags and the note
    to the agent, which say what follows and not what was remembered.
    """
    lines = list(lines)
    marked = [line for line in lines if is_entry(line)]
    if not marked:
        yield from ([line] for line in lines if _says_something(line))
        return
    level = min(map(indent, marked))
    held: Entry = []
    for line in lines:
        starts = is_entry(line) and indent(line) <= level
        if held and (starts or line.is_blank or line.is_heading):
            yield held
            held = []
        if starts or held:
            held.append(line)
    if held:
        yield held


def found_in(entries: Iterable[Entry]) -> Iterator[Found]:
    """The entries with their keys: the one they name, or one made up of their text.

    A word before a colon is a key only when no other entry of the list begins with it: two that begin with "Note:" are
    two memories, not one that changed.
    """
    entries = list(entries)
    named = [_named(entry) for entry in entries]
    times = Counter(named)
    for entry, key in zip(entries, named, strict=True):
        words = " ".join(line.text.strip() for line in entry)
        yield Found(entry[0].start, entry[-1].end, key if key and times[key] == 1 else made_up_key(words))


def _named(entry: Entry) -> str:
    sign = _SIGN.match(entry[0].text)
    words = entry[0].text[sign.end() if sign else 0 :].lstrip() + " "
    bracket = _BRACKET.match(words)
    if bracket:
        return bracket[1].partition("|")[0].strip()
    word = _WORD_KEY.match(words)
    return word[1] if word else ""


def _says_something(line: Line) -> bool:
    words = line.text.strip()
    return bool(words) and not line.is_heading and not words.startswith("[System note") and not _TAG_ALONE.match(words)
