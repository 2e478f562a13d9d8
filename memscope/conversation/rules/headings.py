"""Rule 5: a heading that announces memories, and the list below it.

The wordings are those that memory libraries put into prompts: "User Memories:", "Relevant memories:", "# Memories",
"- Relevant Memories/Facts:", "... preferences retrieved from ... memory sources:". The heading stays where it is, so
that taking out one memory leaves the list that the agent would have been given without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from memscope.conversation.rules._entries import Entry, entries_within, found_in, indent, is_entry
from memscope.conversation.rules._rule import Found, text_rule
from memscope.conversation.units import Line, lines_of

_WORDS = r"(?:(?:user|relevant|retrieved|recalled|saved|stored|past|long-term|personal|agent|your)[ ]){0,3}memories"
_HEADING = re.compile(
    rf"[ ]{{0,3}}(?:\#{{1,6}}[ ]+(?:\*\*)?{_WORDS}(?:/facts)?:?(?:\*\*)?:?"
    rf"|(?:[-*•][ ])?(?:\*\*)?{_WORDS}(?:/facts)?(?:\*\*)?:(?:\*\*)?"
    r"|below[ ]are[ ]a[ ]set[ ]of[ ]relevant[ ]preferences[ ]retrieved[ ]from[ ].{0,60}memory[ ]sources:)[ \t]*$",
    re.IGNORECASE,
)
# mem0's proxy puts the first memory behind the heading itself and the others below, one a line, up to a blank line.
_FACTS = re.compile(r"- Relevant Memories/Facts:(?:[ \t]|$)")


def find(text: str) -> Iterator[Found]:
    lowered = text.lower()
    if "memories" not in lowered and "memory sources:" not in lowered:
        return
    lines = lines_of(text)
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.code:
            continue
        if _FACTS.match(line.text):
            entries, at = _facts(lines, at)
            yield from found_in(entries)
        elif _HEADING.match(line.text):
            entries, at = _list_below(lines, at)
            yield from found_in(entries)


def _facts(lines: list[Line], at: int) -> tuple[list[Entry], int]:
    """The lines up to a blank one; the heading's own line is one of them when more than the heading stands in it."""
    end = next((i for i in range(at, len(lines)) if lines[i].is_blank), len(lines))
    entries = [[lines[at - 1]]] if lines[at - 1].text.rstrip()[-1:] != ":" else []
    return entries + list(entries_within(lines[at:end])), end


def _list_below(lines: list[Line], at: int) -> tuple[list[Entry], int]:
    """The entries below a heading, and the line behind them.

    The list ends at the first line that is neither an entry, nor indented as part of one, nor blank before another
    entry. Headings below a heading part the list (MemOS writes "# Memories", "## PersonalMemory") and stay as they are.
    """
    level = _depth(lines[at - 1])
    entries: list[Entry] = []
    first, blank = 0, False
    while at < len(lines):
        line = lines[at]
        if is_entry(line) and (not entries or indent(line) <= first):
            first = indent(line)
            entries.append([line])
        elif line.is_blank or (level and line.is_heading and _depth(line) > level):
            pass
        elif entries and not blank and indent(line) > first:
            entries[-1].append(line)
        else:
            break
        blank = line.is_blank or line.is_heading
        at += 1
    return entries, at


def _depth(line: Line) -> int:
    words = line.text.lstrip()
    return len(words) - len(words.lstrip("#")) if line.is_heading else 0


RULE = text_rule("heading", find)
