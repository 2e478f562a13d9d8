"""Where in a response an effect sits: the difference of two scorings, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memscope.base.text import Span
from memscope.engines.protocol import Tokens


@dataclass(frozen=True, slots=True)
class Heat:
    """Per-token effects of one ablation on one response: character offsets in the response's text, and signed nats."""

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    effects: NDArray[np.float64]

    def at(self, spans: Sequence[Span]) -> NDArray[np.bool_]:
        """Which tokens touch any of the [start, end) spans."""
        touched = np.zeros(len(self.starts), np.bool_)
        for start, end in spans:
            touched |= (self.starts < end) & (self.ends > start)
            touched |= (self.starts == self.ends) & (self.starts >= start) & (self.starts < end)  # parts of a character
        return touched

    def within(self, spans: Sequence[Span]) -> float:
        """The effect on the words of `spans`, in nats."""
        return float(self.effects[self.at(spans)].sum())

    def strongest(self, sign: float) -> tuple[int, int, float] | None:
        """Character span and effect of the token that did most in the direction of `sign`; None where none did."""
        along = self.effects if sign > 0 else -self.effects
        if not len(along) or along.max() <= 0:
            return None
        token = int(along.argmax())
        return int(self.starts[token]), int(self.ends[token]), float(self.effects[token])

    def concentrated(self, sign: float, tokens: int = 4) -> bool:
        """Whether at least half of the effect in the direction of `sign` sits on the few tokens that did most."""
        along = np.sort(np.maximum(self.effects if sign > 0 else -self.effects, 0.0))[::-1]
        return bool(along[:tokens].sum() >= 0.5 * along.sum() > 0)


def heat(baseline: Tokens | None, ablated: Tokens | None) -> Heat | None:
    """The effect of an ablation on each token; None where an engine gives no tokens, or cut the text otherwise."""
    if baseline is None or ablated is None:
        return None
    if not (np.array_equal(baseline.starts, ablated.starts) and np.array_equal(baseline.ends, ablated.ends)):
        return None
    return Heat(baseline.starts, baseline.ends, baseline.logprobs - ablated.logprobs)
