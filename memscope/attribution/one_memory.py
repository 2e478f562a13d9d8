"""What one memory did for the responses that came after it, within a stretch of the conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from memscope.attribution.matrix import Floats, Matrix
from memscope.attribution.windows import Stretch
from memscope.conversation.ablation import Ablation

RESPONSES = 50
"""Responses after a memory that are looked at."""

NO_RESPONSE = "no response comes after the memory"


@dataclass(frozen=True, eq=False)
class MemoryEffects:
    """The effects of a memory on the R responses of a stretch, in nats, signed; NaN where there is none. `errors`: why,
    by place among the R, where one response alone has none. `reason`: why there are no effects at all; `failed`: that
    is because a scoring failed, `baseline` that of the conversation as it was."""

    key: str
    stretch: Stretch
    effects: Floats
    errors: Mapping[int, str] = field(default_factory=dict)
    reason: str | None = None
    failed: bool = False
    baseline: bool = False

    @property
    def measured(self) -> Floats:
        """The effects that are known."""
        return self.effects[np.isfinite(self.effects)]

    @property
    def unknown(self) -> bool:
        """Whether nothing is known of a memory that could have mattered."""
        return bool(self.stretch.responses) and not len(self.measured)

    @property
    def sum(self) -> float | None:
        """All effects added up, signed; 0 where no response could have one, None where none is known."""
        return None if self.unknown else float(self.measured.sum())

    @property
    def divergence(self) -> float | None:
        """The positive ones added up."""
        return None if self.unknown else float(np.maximum(self.measured, 0.0).sum())

    @property
    def max(self) -> float | None:
        """The largest."""
        if self.unknown:
            return None
        return float(self.measured.max()) if len(self.measured) else 0.0


def no_effects(key: str, stretch: Stretch) -> MemoryEffects:
    """Of a memory that no response came after."""
    return MemoryEffects(key, stretch, np.empty(0), reason=NO_RESPONSE)


def memory_effects(matrix: Matrix, key: str, stretch: Stretch) -> MemoryEffects:
    """The effects from a matrix of what was scored for a stretch (`windows.cut`), whose last responses it has."""
    row, size = matrix.keys.index(key), len(stretch.responses)
    first = len(matrix.responses) - size
    why = matrix.reason or matrix.errors.get(Ablation.of(key))
    if why is not None:
        baseline = matrix.reason is not None
        return MemoryEffects(key, stretch, np.full(size, np.nan), reason=why, failed=True, baseline=baseline)
    errors = {column - first: why for (of, column), why in matrix.cell_errors.items() if of == row and column >= first}
    effects = matrix.effects[row, first:]
    lost = bool(size) and not np.isfinite(effects).any()
    reason = next(iter(errors.values()), None) if lost else None
    return MemoryEffects(key, stretch, effects, errors, reason, failed=lost)
