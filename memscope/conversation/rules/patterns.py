"""A person's own patterns: memories that no built-in rule knows."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from memscope.base.errors import SettingsError
from memscope.conversation.keys import made_up_key
from memscope.conversation.rules._rule import Found, Rule, text_rule
from memscope.conversation.units import lines_of

LONGEST_TEXT = 1_000_000  # characters; a longer message is not searched


@dataclass(frozen=True)
class Pattern:
    """A regular expression that finds memories: the lines its group `text` touches, under the key its group `key` says.

    It is searched with `^` and `$` at every line's ends, in what the built-in rules look at (never in responses), and
    after them: switch off the rule that takes what a pattern is for. Python cannot stop a search that has begun, so a
    pattern in which a repeat repeats, such as `(a+)+`, may take for ever on a text that almost fits; write `[^\\n]*`
    rather than `(.*)*`. Raises `SettingsError` for a name or an expression that cannot be used.
    """

    name: str
    regex: str
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        where = f"pattern {self.name!r}"
        if not self.name.strip():
            raise SettingsError(
                "a memory pattern needs a name",
                where=f"pattern {self.regex!r}",
                do="Write it in front: name = 'regex'.",
            )
        try:
            compiled = re.compile(self.regex, re.MULTILINE)
        except (re.error, OverflowError, RecursionError) as error:
            raise SettingsError(
                f"this is no regular expression: {error}", where=where, do="Python's `re` says what is allowed."
            ) from error
        if "text" not in compiled.groupindex:
            raise SettingsError(
                "it has no group for the memory's text",
                where=where,
                do="Mark it with (?P<text>...), a key with (?P<key>...).",
            )
        object.__setattr__(self, "compiled", compiled)

    @property
    def rule(self) -> Rule:
        return text_rule(f"pattern:{self.name}", partial(_find, self.compiled))


def _find(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    if len(text) > LONGEST_TEXT:
        return
    lines = lines_of(text)
    starts = [line.start for line in lines]
    for match in pattern.finditer(text):
        start, end = match.span("text")
        if start >= end or lines[bisect_right(starts, start) - 1].code:
            continue
        key = match["key"] if "key" in pattern.groupindex else ""
        yield Found(*_whole_lines(text, start, end), (key or "").strip() or made_up_key(match["text"]))


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """The lines that `text[start:end]` touches."""
    return text.rfind("\n", 0, start) + 1, text.find("\n", end - 1) + 1 or len(text)
