"""In which order a heatmap's rows and columns stand, which rows a search leaves, and where the next strong cell is."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memscope.attribution.aggregates import Cutoffs, strongest_cells
from memscope.attribution.matrix import Matrix
from memscope.conversation.model import Conversation
from memscope.reports.grid import Grid

RowOrder = Literal["first seen", "strength", "key"]
ColumnOrder = Literal["first seen", "strength"]
JUMPS = 2000  # more cells than anybody steps through


def row_order(grid: Grid, by: RowOrder) -> NDArray[np.intp]:
    """Rows as they stand from above. By strength: the largest total first, rows without one last; ties as first
    seen."""
    if by == "key":
        keys = grid.keys
        return np.array(sorted(range(len(keys)), key=lambda row: (keys[row].casefold(), keys[row])), np.intp)
    return _order(grid.row_totals, by)


def column_order(grid: Grid, by: ColumnOrder) -> NDArray[np.intp]:
    """Columns as they stand from the left, by the same rules."""
    return _order(grid.column_totals, by)


def _order(totals: NDArray[np.float64], by: ColumnOrder) -> NDArray[np.intp]:
    if by == "first seen":
        return np.arange(len(totals))
    return np.argsort(-totals, kind="stable")  # NaN is sorted to the end


def matching(conversation: Conversation, query: str) -> NDArray[np.bool_]:
    """[N]: the memories in whose key or texts every word of `query` stands, in any case; no word: all of them."""
    words = query.casefold().split()
    return np.array([_has(words, (memory.key, *memory.texts)) for memory in conversation.memories], np.bool_)


def _has(words: list[str], texts: tuple[str, ...]) -> bool:
    if not words:
        return True
    folded = "\n".join(texts).casefold()
    return all(word in folded for word in words)


def strongest_order(matrix: Matrix, cut: Cutoffs) -> list[tuple[int, int]]:
    """(row, column) of the cells beyond their cutoff, the furthest from 0 first: the way "next strongest" goes. No more
    than `JUMPS`."""
    return strongest_cells(matrix, cut, JUMPS)
