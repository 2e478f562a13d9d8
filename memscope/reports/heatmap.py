"""A matrix for a heatmap that fills: the grid, the way through its strongest cells, and one cell told in full, without
doing twice what need not be done twice.
"""

from __future__ import annotations

from functools import cached_property

from memscope.attribution.aggregates import cutoffs
from memscope.attribution.matrix import Matrix
from memscope.attribution.tokens import Heat
from memscope.conversation.model import Conversation
from memscope.reports.cell import CellDetail, cell_detail
from memscope.reports.grid import Grid, grid, units
from memscope.reports.order import strongest_order
from memscope.reports.scale import Unit
from memscope.reports.verdicts import VerdictReader

Cell = tuple[int, int]
"""Row and column of a matrix."""


class HeatmapReader:
    """Reads one matrix, with effects counted from `threshold` nats on. Another matrix takes another reader."""

    def __init__(self, conversation: Conversation, matrix: Matrix, threshold: float) -> None:
        self.conversation = conversation
        self.matrix = matrix
        self._cut = cutoffs(matrix, threshold)
        self._grids: dict[tuple[Unit, bool], Grid] = {}

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The units it can be drawn in."""
        return units(self.matrix)

    def grid(self, unit: Unit = "nats", *, signed: bool = True) -> Grid:
        """The matrix as it is drawn."""
        if (unit, signed) not in self._grids:
            self._grids[unit, signed] = grid(self.matrix, self._cut, unit, signed=signed)
        return self._grids[unit, signed]

    @cached_property
    def strongest(self) -> list[Cell]:
        """The cells beyond their cutoff, strongest first."""
        return strongest_order(self.matrix, self._cut)

    def cell(
        self,
        row: int,
        column: int,
        heat: Heat | None = None,
        width: int = 140,
        verdicts: VerdictReader | None = None,
    ) -> CellDetail:
        """One cell told in full, with its words where its heat is given, and its verdict where there are `verdicts`;
        excerpts are at most `width` characters."""
        verdict = verdicts.of(self.matrix.keys[row], self.matrix.responses[column]) if verdicts is not None else None
        return cell_detail(
            self.conversation, self.matrix, self._cut, row, column, heat=heat, verdict=verdict, width=width
        )
