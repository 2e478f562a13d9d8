"""Responses that depend on memories the model has not internalised: what all memories together gave each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from memscope.attribution.matrix import Matrix

THRESHOLD = 1.0
"""Nats: what a response must owe to its memories to be worth training on."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """A response (its `column` in the matrix, its `message`), and the `effect` of all memories on it together, signed,
    in nats; `tokens`: its length, None where the engine does not count."""

    column: int
    message: int
    effect: float
    tokens: int | None

    @property
    def divergence(self) -> float:
        """The effect, as far as the memories helped."""
        return max(0.0, self.effect)

    @property
    def per_token(self) -> float | None:
        """The divergence in nats a token."""
        return self.divergence / self.tokens if self.tokens else None


def dependences(matrix: Matrix) -> list[Dependence]:
    """The responses whose score with and without all memories is known, the most dependent first, ties in order."""
    effects = (matrix.baseline - matrix.stripped).tolist()
    found = [
        Dependence(column, message, effect, int(matrix.tokens[column]) or None)
        for column, (message, effect) in enumerate(zip(matrix.responses, effects, strict=True))
        if math.isfinite(effect)
    ]
    return sorted(found, key=lambda one: -one.divergence)
