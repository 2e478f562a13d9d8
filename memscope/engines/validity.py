"""Whether what an engine returned can be scores at all: asked of every scoring before it is shown or stored."""

from __future__ import annotations

import math
from collections.abc import Sequence

from memscope.conversation.render import Prompt, Turn
from memscope.engines.protocol import ResponseScore


def problem(prompt: Prompt, scores: Sequence[ResponseScore]) -> str | None:
    """Why `scores` cannot be those of the prompt's responses; None when they can."""
    if len(scores) != len(prompt.responses):
        return f"misaligned: {len(prompt.responses)} responses were sent and {len(scores)} scores came back"
    for number, (turn, score) in enumerate(zip(prompt.responses, scores, strict=True), 1):
        if why := _odd(turn, score):
            return f"score {number} of {len(scores)} {why}"
    return None


def _odd(turn: Turn, score: ResponseScore) -> str | None:
    if score.failure:
        return None  # it says itself why it has no number
    if not math.isfinite(score.total):
        return f"is {score.total}, which is no log-probability"
    if score.total > 0:
        return f"is {score.total:g}, and a log-probability is never positive"
    if score.total < -(10_000 + 1_000 * len(turn.text)):
        return f"is {score.total:g}, which is implausible for {len(turn.text)} characters"
    if score.tokens is not None:
        logprobs = score.tokens.logprobs
        if not ((logprobs <= 0) & (logprobs > -math.inf)).all():
            return "has tokens with positive, infinite or missing log-probabilities"
    return None
