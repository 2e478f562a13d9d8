"""Which columns of a table a screen has room for, and how many cells each gets: one rule for commands and panes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from memscope.reports.view import Column

_LEAST_WIDE, _LEAST_TEXT, _LEAST_LATEST = 24, 20, 12  # cells a column of text needs to be worth its place


@dataclass(frozen=True, slots=True)
class Wish:
    """The cells a column would like and those it needs; of the columns too many, the highest `rank` goes first."""

    natural: int
    least: int
    rank: int

    @classmethod
    def of(cls, column: Column[Any], natural: int) -> Wish:
        """What a column wants whose longest cell takes `natural` cells. Numbers need all of them; text can be cut."""
        worth = _LEAST_LATEST if column.latest else _LEAST_WIDE if column.wide else _LEAST_TEXT
        return cls(natural, natural if column.numeric else min(natural, worth), column.rank)


def widths(wishes: Sequence[Wish], room: int, gap: int) -> dict[int, int]:
    """The cells each column gets, by its place among the `wishes`, with `gap` cells behind each; those that are not
    there are left out. Columns of rank 0 stay, whether there is room or not."""
    kept = list(range(len(wishes)))
    while (left := room - sum(wishes[i].least + gap for i in kept)) < 0 and kept:
        last = max(kept, key=lambda i: (wishes[i].rank, i))
        if wishes[last].rank <= 0:
            break
        kept.remove(last)
    given: dict[int, int] = {}
    for i in kept:
        more = max(0, min(wishes[i].natural - wishes[i].least, left))
        given[i] = wishes[i].least + more
        left -= more
    return given
