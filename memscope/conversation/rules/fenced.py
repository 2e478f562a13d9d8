"""Rule 3: memories between tags, banners and instruction blocks.

Two kinds of fence. One that *is* a memory, `<memory key="...">`, is owned with its tags: the key in the tag would tell
the agent what the memory was about after it is gone. One that *holds* memories keeps its tags, banners, notes and
separators as text, and its entries are the memories, so that taking one out leaves what the agent would have been given
had the store held the others only (the separator of Hermes' entries stays too, else an entry's text would depend on
whether it came last). A fence counts only when it opens at a line's start, outside code, and is closed: prompts
describe and quote such tags more often than they use them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from memscope.conversation.keys import made_up_key
from memscope.conversation.rules._entries import entries_within, found_in
from memscope.conversation.rules._rule import Found, text_rule
from memscope.conversation.tags import TaggedText, blocks, next_place
from memscope.conversation.units import Line, Unit, split_entries, split_units, without_blank_ends

_HINTS = ("</memor", "</claude-mem-context>", "</INSTRUCTIONS>", "═" * 20, "MEMORY_SUMMARY ENDS")
_KEYED = re.compile(r" {0,3}<memory[ \t]([^<>]{0,500})>")
_KEY = re.compile(r"""\b(?:key|name|id)=(?:"([^"]+)"|'([^']+)')""")
_AGENTS = re.compile(r"# AGENTS\.md instructions(?: for .{1,4000})?$")
_SUMMARY = re.compile(r"={3,20} MEMORY_SUMMARY (BEGINS|ENDS) ={3,20}$")
_RULE_LINE = re.compile(r"═{20,}$")
_BANNER = re.compile(r"(?:MEMORY \(your personal notes\)|USER PROFILE \(who the user is\))(?: \[(.{0,60})\])?$")
_COUNT = re.compile(r"([0-9][0-9,.]{0,15})/[0-9]")
_SHORT = 100_000  # characters: longer documents are not kept in mind

Hit = tuple[list[Found], int]  # the memories of a fence, and the index of the line behind it


@dataclass(frozen=True)
class _Text(TaggedText):
    """A text by its lines, with what is needed to tell whether a fence opens again before it closes."""

    @cached_property
    def _openings(self) -> dict[str, list[int]]:
        """For every sign that opens a fence: the lines where it does, outside code."""
        places: dict[str, list[int]] = defaultdict(list)
        for index, line in enumerate(self.lines):
            words = line.text.rstrip()
            if not line.code and (words in _HOLDERS or _KEYED.match(words)):
                places[words if words in _HOLDERS else "<memory>"].append(index)
        return dict(places)

    def opens_again(self, sign: str, after: int, upto: int) -> bool:
        """Whether `sign` stands between: then the closing one belongs to that, and the first was not closed."""
        return next_place(self._openings.get(sign, []), after, upto + 1) is not None


def may_hold(text: str) -> bool:
    """Whether `text` might hold a memory of this rule: quick to tell, while finding it is not."""
    for hint in _HINTS:  # noqa: SIM110 - half the cost of `any`, and a scan asks of every text
        if hint in text:
            return True
    return False


def find(text: str) -> Iterator[Found]:
    if not may_hold(text):
        return
    read = _Text(text)
    at = 0
    while at < len(read.lines):
        hit = None if read.lines[at].code else _fence(read, at)
        if hit is not None and hit[0]:
            yield from hit[0]
        at = hit[1] if hit is not None and hit[0] else at + 1


def _fence(read: _Text, at: int) -> Hit | None:
    """The fence that opens at line `at`; None when none does, or it is not closed."""
    words = read.lines[at].text.rstrip()
    if words in _HOLDERS:
        close = read.closing(f"</{words[1:]}", at + 1)
        if close is None or read.opens_again(words, at + 1, close):
            return None
        return list(_HOLDERS[words](read, at + 1, close)), close + 1
    if _KEYED.match(words):
        return _keyed(read, at)
    if _AGENTS.match(words):
        return _instructions(read, at)
    if _RULE_LINE.match(words):
        return _banner(read, at)
    if _SUMMARY.match(words):
        return _summary(read, at)
    return None


def _keyed(read: _Text, at: int, before: int | None = None) -> Hit | None:
    """`<memory key="...">`; one without a key describes memory and is none."""
    opening = _KEYED.match(read.lines[at].text)
    key = _KEY.search(opening[1]) if opening else None
    close = read.closing("</memory>", at, before)
    if key is None or close is None or read.opens_again("<memory>", at + 1, close):
        return None
    return [Found(read.lines[at].start, read.lines[close].end, key[1] or key[2])], close + 1


def _list(read: _Text, first: int, close: int) -> Iterator[Found]:
    """The entries of a list; memories with tags of their own go before."""
    loose: list[Line] = []
    at = first
    while at < close:
        hit = _keyed(read, at, close)
        if hit is None:
            loose.append(read.lines[at])
            at += 1
            continue
        yield from hit[0]
        at = hit[1]
    yield from found_in(entries_within(loose))


def _blocks(read: _Text, first: int, close: int) -> Iterator[Found]:
    """Letta's blocks, each under its label. The blank lines around a value stay."""
    for block in blocks(read, first, close, bare=True):
        written = without_blank_ends(read.lines[block.first : block.behind])
        if written:
            yield Found(written[0].start, written[-1].end, block.label)


def _claude_mem(read: _Text, first: int, close: int) -> Iterator[Found]:
    yield from _document(read, first, close, "claude-mem-context")


def _document(read: _Text, first: int, behind: int, name: str) -> Iterator[Found]:
    """Markdown of some length, in units as a memory file would be."""
    start = read.lines[first].start
    text = read.between(first, behind)
    for unit in _units(text) if len(text) <= _SHORT else split_units(text):
        if unit.text.strip():
            yield Found(start, start + len(unit.text), f"{name}#{unit.name}")
        start += len(unit.text)


@lru_cache(maxsize=64)
def _units(text: str) -> tuple[Unit, ...]:
    """As `split_units`. Sessions of one repository are told the same document, each between other words."""
    return split_units(text)


def _instructions(read: _Text, at: int) -> Hit | None:
    """Codex: `# AGENTS.md instructions for PATH`, then the file between tags."""
    opening = next((i for i in range(at + 1, len(read.lines)) if not read.lines[i].is_blank), None)
    if opening is None or read.lines[opening].text.rstrip() != "<INSTRUCTIONS>":
        return None
    close = read.closing("</INSTRUCTIONS>", opening + 1)
    if close is None:
        return None
    return list(_document(read, opening + 1, close, "AGENTS.md")), close + 1


def _summary(read: _Text, at: int) -> Hit | None:
    """Codex's summary of its memories."""
    words = read.lines[at].text.rstrip()
    close = read.closing(words.replace("BEGINS", "ENDS"), at + 1)
    if "BEGINS" not in words or close is None:
        return None
    return list(_document(read, at + 1, close, "memory_summary")), close + 1


def _banner(read: _Text, at: int) -> Hit | None:
    """Hermes: a title between two lines of ═, then entries parted by lines of §."""
    if at + 3 >= len(read.lines) or not _RULE_LINE.match(read.lines[at + 2].text.rstrip()):
        return None
    title = _BANNER.match(read.lines[at + 1].text.rstrip())
    if not title:
        return None
    first = at + 3
    behind = _counted_end(read, first, title[1] or "") or _guessed_end(read, first)
    start, block = read.lines[first].start, read.between(first, behind)
    places = [(begin, end, block[begin:end]) for begin, end in split_entries(block)]
    return [Found(start + begin, start + end, made_up_key(words)) for begin, end, words in places], behind


def _counted_end(read: _Text, first: int, title: str) -> int | None:
    """Where the block ends by the count in its title, "2% — 1,100/5,000 chars", if that is the end of a line."""
    count = _COUNT.search(title)
    if not count:
        return None
    length = int(re.sub("[,.]", "", count[1]))
    target = read.lines[first].start + length
    behind = bisect_left(read.lines, target, lo=first, key=lambda line: line.start)
    if behind == first:
        return None
    last = read.lines[behind - 1]
    return behind if target == last.start + len(last.text) else None


def _guessed_end(read: _Text, first: int) -> int:
    """Where the block ends for want of a count: before the next banner, heading or tag that a blank line announces."""
    for index in range(first + 1, len(read.lines)):
        line = read.lines[index]
        opens = line.is_heading or line.text.startswith("<") or _RULE_LINE.match(line.text.rstrip())
        if opens and read.lines[index - 1].is_blank:
            return index
    return len(read.lines)


_HOLDERS: dict[str, Callable[[_Text, int, int], Iterator[Found]]] = {
    "<memories>": _list,
    "<memory-context>": _list,
    "<memory_blocks>": _blocks,
    "<claude-mem-context>": _claude_mem,
}

RULE = text_rule("fenced", find)
