"""Words looked for in a conversation, message by message, from where one is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from memscope.conversation.model import Conversation
from memscope.tui.widgets.outline import Folds, Outline, Place
from memscope.tui.widgets.parts import part_text


def word_pattern(words: str) -> re.Pattern[str] | None:
    """What finds `words` one after the other, in any case and with any blanks between; None for no words."""
    found = words.split()
    return re.compile(r"\s+".join(map(re.escape, found)), re.IGNORECASE) if found else None


def find_place(
    conversation: Conversation, messages: Sequence[int], words: str, after: Place, *, backwards: bool = False
) -> Place | None:
    """The next place of `words` behind where `after` begins, in the `messages` (ascending), and on from the other end;
    with `backwards` the one before. A part of -1 stands before all of its message."""
    pattern = word_pattern(words)
    if pattern is None or not messages:
        return None
    here = (after.part, after.start)
    ahead = [m for m in messages if (m < after.message if backwards else m > after.message)]
    behind = [m for m in messages if (m > after.message if backwards else m < after.message)]
    order = [*reversed(ahead), *reversed(behind)] if backwards else [*ahead, *behind]
    own = list(_places(conversation, after.message, pattern)) if after.message in messages else []
    first = [p for p in own if ((p.part, p.start) < here if backwards else (p.part, p.start) > here)]
    if first:
        return first[-1 if backwards else 0]
    for message in order:
        found = _places(conversation, message, pattern)
        place = next(iter(list(found)[::-1]), None) if backwards else next(found, None)
        if place is not None:
            return place
    return own[-1 if backwards else 0] if own else None


class Search:
    """Words that are searched for in an outline, and where it has come to. What it unfolds it folds again when it goes
    on; where it ends, that stays. `found`: the place it is at."""

    def __init__(self) -> None:
        self.words = ""
        self.pattern: re.Pattern[str] | None = None
        self.found: Place | None = None
        self._began: Place | None = None
        self._peeked: tuple[int, Folds | None] | None = None  # what it unfolded, and how that was before

    def type(self, outline: Outline, words: str, here: Place) -> int | None:
        """The row of the first place from where the search began, which is `here` for the first words; None where
        there is none. No words: the search is over."""
        if not words:
            self.words, self.pattern, self.found, self._began, self._peeked = "", None, None, None, None
            return None
        if not self.words:
            self._began = here
        self.words, self.pattern = words, word_pattern(words)
        return self._go(outline, self._began or here, backwards=False)

    def step(self, outline: Outline, here: Place, *, backwards: bool) -> int | None:
        """The row of the next place from `here`, or of the one before."""
        return self._go(outline, here, backwards=backwards) if self.words else None

    def _go(self, outline: Outline, after: Place, *, backwards: bool) -> int | None:
        found = find_place(outline.conversation, outline.messages, self.words, after, backwards=backwards)
        if self._peeked is not None and (found is None or found.message != self._peeked[0]):
            outline.restore(*self._peeked)
            self._peeked = None
        self.found = found
        if found is None:
            return None
        if self._peeked is None:
            self._peeked = found.message, outline.folds(found.message)
        return outline.reveal(found)


def _places(conversation: Conversation, message: int, pattern: re.Pattern[str]) -> Iterator[Place]:
    for part, content in enumerate(conversation.messages[message].parts):
        for match in pattern.finditer(part_text(content)):
            yield Place(message, part, *match.span())
