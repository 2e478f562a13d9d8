"""`score-api`: a server with one route that scores whole conversations.

    POST {base}/score  {"model", "messages": [{"role", "content"}], "logprobs": 1}
    ->                 {"scores": [{"total_logprob"}, ...]}, one for each assistant message

Other servers have an unrelated `/score` of their own; only answers of exactly this shape are taken for scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.render import Prompt, Turn
from memscope.engines.http import Server
from memscope.engines.protocol import Capabilities, EngineIdentity, ResponseScore
from memscope.engines.registry import EngineOptions, EngineSpec
from memscope.engines.served import ServedModel, names, server_at

TIMEOUT = 120.0


class ScoreApi:
    """Scores over HTTP, whole responses at a time: this API gives no tokens."""

    capabilities = Capabilities(label="score-api", tokens=False, concurrency=4)

    def __init__(self, server: Server, model: str) -> None:
        self._server = server
        self.identity = EngineIdentity("score-api", model=model, url=server.base_url)

    def close(self) -> None:
        self._server.close()

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        messages = [sent(turn) for turn in prompt.turns]
        answer = self._server.post("/score", {"model": self.identity.model, "messages": messages, "logprobs": 1}, job)
        return [ResponseScore(total) for total in _totals(answer)]


def sent(turn: Turn) -> dict[str, str]:
    """A turn as this API takes it: role and content only, tool calls written into the content, memories as `user`.

    It scores whatever has the role `assistant`, so nothing else may go by that name.
    """
    role = "user" if turn.is_memory or (turn.role == "assistant" and not turn.is_response) else turn.role
    return {"role": role, "content": turn.text}


def _totals(answer: Any) -> list[float]:
    scores = answer.get("scores") if isinstance(answer, Mapping) else None
    if not isinstance(scores, list):
        raise EngineError(
            'the answer has no list "scores"', do="Another API may live on this path; check the engine and --base-url."
        )
    return [_total(number, len(scores), score) for number, score in enumerate(scores, 1)]


def _total(number: int, of: int, score: Any) -> float:
    value = score.get("total_logprob") if isinstance(score, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        found = "null" if value is None else type(value).__name__
        raise EngineError(f'score {number} of {of} has no number as "total_logprob" ({found})')
    try:
        return float(value)
    except OverflowError:
        raise EngineError(f"score {number} of {of} is too large a number") from None


def _build(options: EngineOptions) -> ScoreApi:
    server = _server(options)
    try:
        return ScoreApi(server, ServedModel(server, options, "/models").name)
    except BaseException:
        server.close()
        raise


def _server(options: EngineOptions, *, hasty: bool = False) -> Server:
    """The server at the very address that was given: its routes stand below it."""
    return server_at("score-api", options.base_url, options, timeout=TIMEOUT, hasty=hasty)


ENGINE = EngineSpec(
    "score-api",
    "a server that scores whole conversations (POST /score)",
    ScoreApi.capabilities,
    _build,
    lambda options, job: names(_server(options, hasty=True), job, "/models"),
)
