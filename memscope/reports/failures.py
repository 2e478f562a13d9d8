"""What of a matrix failed, why, and whether trying again may help: a whole scoring may have failed in
passing, a cell that fails alone fails again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from memscope.attribution.matrix import NOT_VISIBLE, Matrix, State
from memscope.base.text import counted
from memscope.conversation.ablation import AGAIN, Ablation

_FOLD = (
    "The setting fold (--fold memories, or system for the system message too) puts memories into the message beside"
    " them, which every template shows."
)


def failures(matrix: Matrix) -> list[str]:
    """What failed and why, in words, in the order of the plan."""

    def name(ablation: Ablation) -> str:
        if ablation == AGAIN:
            return "the repeated baseline"
        return next(iter(ablation.removed)) if len(ablation.removed) == 1 else "all memories at once"

    cells: Counter[tuple[int, str]] = Counter((row, why) for (row, _), why in matrix.cell_errors.items())
    return [f"{name(ablation)}: {reason}" for ablation, reason in matrix.errors.items()] + [
        f"{matrix.keys[row]}: {counted(number, 'response')}: {why}" for (row, why), number in cells.items()
    ]


@dataclass(frozen=True, slots=True)
class RowFailure:
    """Why `cells` effects of a memory are missing: the first reason, and what to `do` about it, where anything is
    known. `again`: its whole scoring failed, so that trying again may help."""

    error: str
    cells: int
    again: bool
    do: str


def row_failure(matrix: Matrix, row: int) -> RowFailure | None:
    """What failed of a memory; None where nothing did."""
    whole = matrix.errors.get(Ablation.of(matrix.keys[row]))
    failed = np.flatnonzero(matrix.state[row] == State.FAILED)
    error = whole or (matrix.error(row, int(failed[0])) if len(failed) else None)
    return None if error is None else RowFailure(error, len(failed), whole is not None, advice(error))


def failed_cells(matrix: Matrix) -> str:
    """The cells that failed alone, in a few words; nothing where none did."""
    if not matrix.cell_errors:
        return ""
    why = Counter(matrix.cell_errors.values()).most_common(1)[0][0]
    return f"{counted(len(matrix.cell_errors), 'cell')} failed: {why.partition(':')[0]}"


def advice(error: str) -> str:
    """What to do about a failure that lasts; nothing where that is not known."""
    return _FOLD if error == NOT_VISIBLE else ""
