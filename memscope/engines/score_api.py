"""`score-api`: a server with one route that scores whole conversations.

    POST {base}/score  {"model", "messages": [{"role", "content"}], "logprobs": 1}
    ->                 {"scores": [{"total_logprob"}, ...]}, one for each assistant message

Other servers have an unrelated `/score` of their own; only answers of exactly this shape are taken for scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.conversation.render import Prompt, Turn
from memscope.engines.http import Server
from memscope.engines.protocol import Capabilities, EngineIdentity, ResponseScore
from memscope.engines.registry import EngineOptions, EngineSpec

TIMEOUT = 120.0
QUICK = 3.0  # seconds that a person who chooses an engine waits for a server
MOST_MODELS = 500  # that anybody chooses from


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
    server = _server(options, timeout=options.timeout or TIMEOUT)
    try:
        return ScoreApi(server, options.model or _only_model(server))
    except BaseException:
        server.close()
        raise


def _server(options: EngineOptions, *, timeout: float, retries: int | None = None) -> Server:
    if not options.base_url:
        raise UsageError("score-api needs the address of a server", do="Give --base-url, or set MEMSCOPE_BASE_URL.")
    return Server(options.base_url, api_key=options.api_key, timeout=timeout, retries=retries)


def _only_model(server: Server) -> str:
    """The one model a server serves; several have to be chosen from."""
    models = _served(server, Job())
    if len(models) == 1:
        return models[0]
    if not models:
        raise UsageError("the server does not say which models it serves", where=server.base_url, do="Give --model.")
    raise UsageError(
        f"the server serves {len(models)} models",
        where=server.base_url,
        do=server.hidden(f"Choose with --model: {', '.join(models)}."),
    )


def _served(server: Server, job: Job) -> list[str]:
    answer = server.get("/models", job)
    listed = answer.get("data") if isinstance(answer, Mapping) else None
    entries = listed if isinstance(listed, list) else []
    return [m["id"] for m in entries if isinstance(m, Mapping) and isinstance(m.get("id"), str)]


def _models(options: EngineOptions, job: Job) -> list[str]:
    server = _server(options, timeout=min(options.timeout or QUICK, QUICK), retries=0)
    try:
        return [server.hidden(model) for model in _served(server, job)[:MOST_MODELS]]
    finally:
        server.close()


ENGINE = EngineSpec("score-api", "a server that scores whole conversations (POST /score)", _build, _models)
