"""Where in a response an effect sits: the difference of two scorings, token by token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memscope.engines.protocol import Tokens


@dataclass(frozen=True, slots=True)
class Heat:
    """Per-token effects of one ablation on one response: character offsets in the response's text, and signed nats."""

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    effects: NDArray[np.float64]

    def within(self, start: int, end: int) -> float:
        """The effect on the words in [start, end): the sum over the tokens that touch it, in nats."""
        return float(self.effects[(self.starts < end) & (self.ends > start)].sum())

    def strongest(self) -> tuple[int, int] | None:
        """Character span of the token with the largest effect either way; None where there is no token."""
        if not len(self.effects):
            return None
        token = int(np.abs(self.effects).argmax())
        return int(self.starts[token]), int(self.ends[token])


def heat(baseline: Tokens | None, ablated: Tokens | None) -> Heat | None:
    """The effect of an ablation on each token; None where an engine gives no tokens, or cut the text otherwise."""
    if baseline is None or ablated is None:
        return None
    if not (np.array_equal(baseline.starts, ablated.starts) and np.array_equal(baseline.ends, ablated.ends)):
        return None
    return Heat(baseline.starts, baseline.ends, baseline.logprobs - ablated.logprobs)
