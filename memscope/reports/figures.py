"""What a list of responses says of each while the matrix is filled: a few numbers, fast, without their texts."""

from __future__ import annotations

from dataclasses import dataclass

from memscope.attribution.aggregates import cutoffs, response_totals
from memscope.attribution.matrix import Matrix
from memscope.reports.view import number


@dataclass(frozen=True, slots=True)
class ResponseFigures:
    """`total`: positive effects summed; `top`: key of the strongest memory above the cutoff; `gap`: what all memories
    gave together minus the single effects; nats. `total` is a lower bound where cells are `left_out`."""

    total: float | None
    top: str | None
    gap: float | None
    left_out: int


def response_figures(matrix: Matrix, threshold: float) -> dict[int, ResponseFigures]:
    """By message index; the same numbers as in the document of responses."""
    totals = response_totals(matrix, cutoffs(matrix, threshold))
    columns = zip(
        matrix.responses,
        totals.total.tolist(),
        totals.top.tolist(),
        totals.gap.tolist(),
        totals.left_out.tolist(),
        strict=True,
    )
    keys = matrix.keys
    return {
        message: ResponseFigures(
            total=number(total) if keys else None,
            top=keys[top] if top >= 0 else None,
            gap=number(gap),
            left_out=left_out,
        )
        for message, total, top, gap, left_out in columns
    }
