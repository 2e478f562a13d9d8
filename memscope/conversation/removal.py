"""What a memory file is like when memories are taken out of it, as somebody would who edits it by hand."""

from __future__ import annotations

from collections.abc import Collection

from memscope.conversation.memory_files import front_matter
from memscope.conversation.units import ENTRY_MARK, Line, lines_of

_DEPTHS = range(1, 8)  # of headings; a line in bold over a list is deeper than any


def without_lines(text: str, lines: Collection[int]) -> str:
    """`text` without these lines, counted from 1, but for what belongs to others too.

    A heading stays as long as something stands under it, and between entries one line of `§`. Where nothing is left
    but front matter and blank lines, nothing is left.
    """
    found = lines_of(text)
    gone = {number - 1 for number in lines}
    if not gone.intersection(range(len(found))):
        return text
    if any(line.text.strip() == ENTRY_MARK for line in found):
        gone = _with_marks(found, gone)
    else:
        gone -= _headings_needed(found, gone)
    head = len(found) - len(lines_of(front_matter(text)[1])) if front_matter(text)[0] else 0
    kept = [place for place in range(len(found)) if place not in gone]
    if all(place < head or found[place].is_blank for place in kept):
        return ""
    return "".join(text[found[place].start : found[place].end] for place in kept)


def _headings_needed(lines: list[Line], gone: Collection[int]) -> set[int]:
    """The headings among `gone` below which something stays, with the blank lines behind them."""
    needed: set[int] = set()
    stays = dict.fromkeys(_DEPTHS, False)  # whether, in a section of that depth, something below the line stays
    for place in range(len(lines) - 1, -1, -1):
        line = lines[place]
        depth = line.heading_depth
        if depth is None:
            if place not in gone and not line.is_blank:
                stays = dict.fromkeys(_DEPTHS, True)
            continue
        if place in gone and stays[depth]:
            behind = place + 1
            needed.add(place)
            while behind < len(lines) and behind in gone and lines[behind].is_blank:
                needed.add(behind)
                behind += 1
        here = place in needed or place not in gone
        stays = {d: here or stays[d] if d < depth else False for d in _DEPTHS}
    return needed


def _with_marks(lines: list[Line], gone: Collection[int]) -> set[int]:
    """`gone` with the lines of `§` that part entries no longer, and the blank lines around an entry that goes."""
    marks = [place for place, line in enumerate(lines) if line.text.strip() == ENTRY_MARK]
    blocks = [range(start + 1, end) for start, end in zip([-1, *marks], [*marks, len(lines)], strict=True)]
    out = set(gone)
    stayed = False
    for block, mark in zip(blocks, [None, *marks], strict=True):
        written = [place for place in block if not lines[place].is_blank]
        if written and all(place in gone for place in written):
            out.update(block)
            out.update([] if mark is None else [mark])
        else:
            if mark is not None and not stayed:
                out.add(mark)
            stayed = True
    return out
