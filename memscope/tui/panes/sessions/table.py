"""The table of sessions: its columns, in what order it stands, and what it says where no row is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memscope.reports.sessions import session_columns
from memscope.reports.view import Column
from memscope.tui.widgets.rows import Sort
from memscope.tui.widgets.table import Table

if TYPE_CHECKING:
    from memscope.actions.sessions import Ranking
    from memscope.sessions.ranked import RankedSession

_RANKS = {"windows": 2, "messages": 3, "file": 5}  # of columns that matter more, or less, here than in a listing
_ENDS = {"date": ("newest", "oldest"), "outcome": ("failures", "what says nothing")}  # what is first, either way


class SessionTable(Table["RankedSession"]):
    """`hidden`: why none of the rows there are is shown."""

    hidden: str = ""

    def nothing_said(self) -> str:
        return self.hidden if self.rows and self.hidden else super().nothing_said()


def columns_of(ranking: Ranking) -> list[Column[RankedSession]]:
    """Those of the report, the file's name later, which stands beside; and which sessions were scored already."""
    columns = [replace(column, rank=_RANKS.get(column.title, column.rank)) for column in session_columns()]
    if ranking.scored:
        columns.append(
            Column("scored", lambda row: "scored" if row.place in ranking.scored else "", rank=1, highest_first=True)
        )
    return columns


def order_words(sort: Sort | None) -> str:
    """The order as it is told to a person."""
    if sort is None:
        return "the most worth first"
    first, last = _ENDS.get(sort.title, ("", ""))
    return f"sorted by {sort.title}, {first if sort.descending else last} first" if first else sort.words
