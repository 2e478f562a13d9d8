"""What is to be said of a matrix beside its strongest cells."""

from __future__ import annotations

from dataclasses import dataclass

from memscope.reports.matrix import MatrixDocument, ResponseRow


@dataclass(frozen=True, slots=True)
class Remarks:
    """What single cells do not show. `shared`: the response with the most support that memories share, where that is
    at least 5 nats and a quarter of all; `idle`: keys of the memories whose effect is known and under
    a nat everywhere."""

    shared: ResponseRow | None
    idle: list[str]


def remarks(document: MatrixDocument) -> Remarks:
    """What is to be said of a matrix beside its strongest cells."""
    rows = [row for row in document.responses if row.gap is not None and row.stripped is not None]
    most = max(rows, key=lambda row: row.gap or 0.0, default=None)
    clear = most is not None and (most.gap or 0.0) > max(5.0, (most.stripped or 0.0) / 4)
    whole = [memory for memory in document.memories if not memory.left_out]
    idle = [memory.key for memory in whole if memory.max is not None and memory.max < 1.0]
    return Remarks(most if clear else None, idle)
