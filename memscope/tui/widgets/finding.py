"""Words looked for in a conversation, message by message, from where one is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from memscope.conversation.model import Conversation
from memscope.tui.widgets.outline import Folds, Outline, Place
from memscope.tui.widgets.parts import part_text


def word_pattern(words: str) -> re.Pattern[str] | None:
    """What finds `words` one after the other, in any case and with any blanks between; None for no words."""
    found = words.split()
    return re.compile(r"\s+".join(map(re.escape, found)), re.IGNORECASE) if found else None


class _Wanted:
    """What is looked for; `may_be_in` tells for little whether it is worth looking at a text at all."""

    def __init__(self, words: str) -> None:
        self.pattern = word_pattern(words)
        self._words = words.lower().split() if words.isascii() else []

    def may_be_in(self, text: str) -> bool:
        """False only where `pattern` finds nothing: a plain search is many times faster, also in all of a long text."""
        lowered = text.lower()
        if not text.isascii() and any(letter in lowered for letter in _ALIKE):
            return True
        return all(word in lowered for word in self._words)


_ALIKE = "ıſ\u0307"  # what a pattern takes for an i or an s, and what lowering makes of an İ beside the i


def find_place(
    conversation: Conversation, messages: Sequence[int], words: str, after: Place, *, backwards: bool = False
) -> Place | None:
    """The next place of `words` behind where `after` begins, in the `messages` (ascending), and on from the other end;
    with `backwards` the one before. A part of -1 stands before all of its message."""
    wanted = _Wanted(words)
    if wanted.pattern is None or not messages:
        return None
    here = (after.part, after.start)
    at, on = bisect_left(messages, after.message), bisect_right(messages, after.message)
    before, behind = messages[:at], messages[on:]
    order = chain(reversed(before), reversed(behind)) if backwards else chain(behind, before)
    own = list(_places(conversation, after.message, wanted)) if at < on else []
    first = [p for p in own if ((p.part, p.start) < here if backwards else (p.part, p.start) > here)]
    if first:
        return first[-1 if backwards else 0]
    for message in order:
        found = _places(conversation, message, wanted)
        place = next(iter(list(found)[::-1]), None) if backwards else next(found, None)
        if place is not None:
            return place
    return own[-1 if backwards else 0] if own else None


def place_in(conversation: Conversation, message: int, words: str) -> Place | None:
    """The first place of `words` in a message, or of as many of the first of them as stand there together, half of them
    at least: words that were kept of a text may have been cut, at both ends. None where there is none."""
    split = words.removeprefix("…").removesuffix("…").split()
    count = len(split)
    while split:
        found = next(_places(conversation, message, _Wanted(" ".join(split))), None)
        if found is not None or 2 * len(split) <= count:
            return found
        split.pop()
    return None


class Search:
    """Words that are searched for in an outline, and where it has come to. What it unfolds it folds again when it goes
    on; where it ends, that stays. `found`: the place it is at."""

    def __init__(self) -> None:
        self.words = ""
        self.pattern: re.Pattern[str] | None = None
        self.found: Place | None = None
        self._began: Place | None = None
        self._typed: Sequence[int] = ()  # the messages in which the words that were typed last were looked for
        self._peeked: tuple[int, Folds | None] | None = None  # what it unfolded, and how that was before

    def type(self, outline: Outline, words: str, here: Place) -> int | None:
        """The row of the first place from where the search began, which is `here` for the first words; None where
        there is none. No words: the search is over."""
        if not words:
            self.words, self.pattern, self.found, self._began, self._peeked = "", None, None, None, None
            return None
        if not self.words:
            self._began = here
        before, typed = self.words, self._typed
        self.words, self.pattern, self._typed = words, word_pattern(words), outline.messages
        if before and words.startswith(before) and typed == outline.messages:  # the longer stand where the shorter do
            if self.found is None:
                return self._shown(outline, None)
            return self._go(outline, replace(self.found, start=self.found.start - 1), backwards=False)
        return self._go(outline, self._began or here, backwards=False)

    def step(self, outline: Outline, here: Place, *, backwards: bool) -> int | None:
        """The row of the next place from `here`, or of the one before."""
        self._typed = ()
        return self._go(outline, here, backwards=backwards) if self.words else None

    def _go(self, outline: Outline, after: Place, *, backwards: bool) -> int | None:
        found = find_place(outline.conversation, outline.messages, self.words, after, backwards=backwards)
        return self._shown(outline, found)

    def _shown(self, outline: Outline, found: Place | None) -> int | None:
        """The row of what was found, unfolded."""
        if self._peeked is not None and (found is None or found.message != self._peeked[0]):
            outline.restore(*self._peeked)
            self._peeked = None
        self.found = found
        if found is None:
            return None
        if self._peeked is None:
            self._peeked = found.message, outline.folds(found.message)
        return outline.reveal(found)


def _places(conversation: Conversation, message: int, wanted: _Wanted) -> Iterator[Place]:
    for part, content in enumerate(conversation.messages[message].parts):
        text = part_text(content)
        if wanted.pattern is not None and wanted.may_be_in(text):
            for match in wanted.pattern.finditer(text):
                yield Place(message, part, *match.span())
