"""The words of a text that a cursor can stand on, and where they are in its rows."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from memscope.base.text import Span
from memscope.tui.widgets.wrapping import Row, row_of

_LONGEST = 40  # characters: longer runs are parted, so that a line of base64 can be walked through
# Characters of scripts without blanks stand alone; names, paths, numbers and contractions stay together.
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LETTER = rf"(?:(?![{_SINGLE}])\w)"
_NAME = rf"{_LETTER}(?:{_LETTER}|[-'’./@:](?={_LETTER})){{0,{_LONGEST - 1}}}"
_WORD = re.compile(rf"[{_SINGLE}]|{_NAME}|[^\w\s]{{1,{_LONGEST}}}")


class WordMap:
    """The words of `text[:end]`, in order, as [start, end) of the text."""

    def __init__(self, text: str, end: int) -> None:
        self.words: list[Span] = [match.span() for match in _WORD.finditer(text, 0, end)]
        self._starts = [start for start, _ in self.words]

    def __len__(self) -> int:
        return len(self.words)

    def at(self, offset: int) -> int | None:
        """The word that holds an offset, or the nearest before it, or else the first; None without words."""
        return max(0, bisect_right(self._starts, offset) - 1) if self.words else None

    def within(self, start: int, end: int) -> range:
        """The words that begin in [start, end)."""
        return range(bisect_left(self._starts, start), bisect_left(self._starts, end))

    def nearest(self, row: Row, cell: int) -> int | None:
        """The word that begins in a row and is nearest to a cell; None where no word begins."""
        there = self.within(row.start, row.end)
        if not there:
            return None

        def distance(word: int) -> int:
            start, end = self.words[word]
            left, right = row.cell_of(start), row.cell_of(end)
            return max(left - cell, cell - right + 1, 0)

        return min(there, key=distance)

    def row(self, rows: Sequence[Row], word: int) -> int:
        """The row in which a word begins."""
        return row_of(rows, self.words[word][0])
