"""Texts of a memory as they may stand in one line: agents wrote them, of whatever they had seen."""

from __future__ import annotations

from collections.abc import Iterable

from memscope.base.text import clean_line


def one_line(text: str) -> str:
    """`text` on one clean line, its blanks as single spaces; "" where there are no words."""
    return clean_line(" ".join(text.split()))


def lines_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text on a line, those that are the same once, where the first of them stands, and none without words."""
    return tuple(dict.fromkeys(line for line in map(one_line, texts) if line))
