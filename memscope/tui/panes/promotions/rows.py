"""The rows of the table: their columns, and which of them have the words that are searched for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from memscope.reports.promotions import PROMOTION_COLUMNS, PromotionRow
from memscope.reports.view import Column

if TYPE_CHECKING:
    from memscope.promotion.pattern import Pattern

_RANKS = {"signature": 8, "kind": 7, "name": 6, "tools": 5}  # what stands beside the table too gives way first


def _given_name(row: PromotionRow) -> str:
    """The name of its skill, unless that was made of its signature."""
    return "" if row.signature[:12] in row.name else row.name


_COLUMNS: tuple[Column[PromotionRow], ...] = tuple(
    replace(
        column,
        rank=_RANKS.get(column.title, column.rank),
        shown=_given_name if column.title == "name" else column.shown,
    )
    for column in sorted(PROMOTION_COLUMNS, key=lambda column: column.title == "signature")
)


def columns_of(rows: Sequence[PromotionRow]) -> list[Column[PromotionRow]]:
    """The columns that say something of any row."""
    return [column for column in _COLUMNS if not rows or any(map(column.text, rows))]


def has_words(words: str, pattern_of: Callable[[str], Pattern | None]) -> Callable[[PromotionRow], bool]:
    """Whether a row has all words in its messages, its name, its tools or its signature."""
    wanted = words.casefold().split()

    def has(row: PromotionRow) -> bool:
        pattern = pattern_of(row.signature)
        members = pattern.members if pattern is not None else ()
        told = "\n".join([row.name, row.signature, *row.tools, *(member.text for member in members)]).casefold()
        return all(word in told for word in wanted)

    return has
