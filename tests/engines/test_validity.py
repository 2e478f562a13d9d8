"""What can be a score, and what is said about what cannot."""

from __future__ import annotations

import numpy as np
import pytest

from memscope.conversation.render import Piece, Prompt, Turn
from memscope.engines.protocol import ResponseScore, Tokens
from memscope.engines.validity import problem

TEXT = "Yes."
PROMPT = Prompt(
    (Turn("user", (Piece("Right?"),)), Turn("assistant", (Piece(TEXT),)), Turn("assistant", (Piece(TEXT),)))
)
LOWEST = -(10_000.0 + 1_000 * len(TEXT))  # nats


def with_tokens(*logprobs: float) -> ResponseScore:
    edges = np.arange(len(logprobs) + 1, dtype=np.int32)
    return ResponseScore(-1.0, Tokens(edges[:-1], edges[1:], np.array(logprobs)))


@pytest.mark.parametrize(
    "score",
    [
        *map(ResponseScore, (0.0, -0.0, -3.5, LOWEST)),
        *(with_tokens(), with_tokens(0.0, -1.0), with_tokens(-1e6)),
    ],
)
def test_what_can_be_a_score(score: ResponseScore) -> None:
    assert problem(PROMPT, [score, score]) is None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_there_is_one_score_for_each_response(count: int) -> None:
    said = problem(PROMPT, [ResponseScore(-1.0)] * count)
    assert said == f"misaligned: 2 responses were sent and {count} scores came back"


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (ResponseScore(float("nan")), "is nan, which is no log-probability"),
        (ResponseScore(float("-inf")), "is -inf, which is no log-probability"),
        (ResponseScore(float("inf")), "is inf, which is no log-probability"),
        (ResponseScore(1e-9), "is 1e-09, and a log-probability is never positive"),
        (ResponseScore(LOWEST - 1), "is -14001, which is implausible for 4 characters"),
        (with_tokens(-1.0, 0.5), "has tokens with positive, infinite or missing log-probabilities"),
        (with_tokens(-1.0, float("nan")), "has tokens with positive, infinite or missing log-probabilities"),
        (with_tokens(float("-inf"), -1.0), "has tokens with positive, infinite or missing log-probabilities"),
    ],
)
def test_what_cannot_be_a_score_is_named_by_its_place(score: ResponseScore, reason: str) -> None:
    assert problem(PROMPT, [ResponseScore(-1.0), score]) == f"score 2 of 2 {reason}"
