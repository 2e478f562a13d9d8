"""Explaining a matrix: its strongest cells, with the words that carry them."""

from __future__ import annotations

from memscope.actions.engine import Scorer
from memscope.actions.heat import token_heat
from memscope.attribution.aggregates import cutoffs, strongest_cells
from memscope.attribution.matrix import MatrixRun
from memscope.attribution.tokens import Heat
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.reports.cell import CellDetail, cell_detail


def explain_strongest(
    run: MatrixRun,
    scorer: Scorer,
    job: Job,
    *,
    threshold: float,
    count: int = 5,
    workers: int | None = None,
) -> list[CellDetail]:
    """The `count` cells furthest beyond their cutoff, strongest first."""
    matrix = run.snapshot()
    cut = cutoffs(matrix, threshold)
    cells = strongest_cells(matrix, cut, count)
    rows: dict[int, list[int]] = {}
    for row, column in cells:
        rows.setdefault(column, []).append(row)
    heats: dict[tuple[int, int], Heat] = {}
    for column, its_rows in rows.items():
        singles = {Ablation.of(matrix.keys[row]): row for row in its_rows}
        found = token_heat(run, column, tuple(singles), scorer, job, workers=workers)
        heats |= {(singles[single], column): heat for single, heat in found.items()}
    return [cell_detail(run.conversation, matrix, cut, *cell, heat=heats.get(cell)) for cell in cells]
