"""Explaining a matrix: its strongest cells, with the words that carry them."""

from __future__ import annotations

from memscope.actions.engine import Scorer
from memscope.actions.heat import token_heat
from memscope.attribution.aggregates import cutoffs, strongest_cells
from memscope.attribution.matrix import MatrixRun
from memscope.attribution.tokens import Heat
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.reports.strongest import CellNote, cell_notes


def explain_strongest(run: MatrixRun, scorer: Scorer, job: Job, *, threshold: float, count: int = 5) -> list[CellNote]:
    """Notes on the `count` cells furthest beyond their cutoff, strongest first."""
    conversation, matrix = run.conversation, run.snapshot()

    def heat_of(row: int, column: int) -> Heat | None:
        single = Ablation.of(matrix.keys[row])
        return token_heat(conversation, column, (single,), scorer, job, run=run).get(single)

    return cell_notes(conversation, matrix, strongest_cells(matrix, cutoffs(matrix, threshold), count), heat_of)
