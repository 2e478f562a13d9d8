"""`score-api`: a server with one route that scores whole conversations.

    POST {base}/score  {"model", "messages": [{"role", "content"}], "logprobs": 1}
    ->                 {"scores": [{"total_logprob"}, ...]}, one for each assistant message

A later form takes token ids, which the server's /tokenize makes of the messages. It is used with a server that answers
422 to messages:

    POST {base}/score  {"model", "prompt": [id, ...], "score_ranges": [[start, end], ...], "logprobs": 1}
    ->                 the same, one for each range

Other servers have an unrelated `/score` of their own; only answers of exactly this shape are taken for scores.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job
from memscope.conversation.render import Prompt, Turn
from memscope.engines.chat import Chat, Fold, chat
from memscope.engines.http import Server
from memscope.engines.layout import Layouts
from memscope.engines.protocol import Capabilities, EngineIdentity, ResponseScore
from memscope.engines.registry import EngineOptions, EngineSpec
from memscope.engines.served import ServedModel, names, root, server_at, tokenise
from memscope.engines.token_checks import total_checks
from memscope.engines.token_engine import marks_of, response_score

TIMEOUT = 120.0
_NO_ROUTE = frozenset({404, 405, 501})
_OTHERS = "vLLM and SGLang have other APIs on this path: for them there are --engine vllm and --engine sglang."


class ScoreApi:
    """Scores over HTTP, whole responses at a time: this API gives no tokens.

    `elsewhere` makes a server of another address with the same settings: routes for tokens stand at the root.
    """

    capabilities = Capabilities(label="score-api", tokens=False, concurrency=4)

    def __init__(
        self, server: Server, model: str, fold: Fold = "off", elsewhere: Callable[[str], Server] | None = None
    ) -> None:
        self._server = server
        self._fold = fold
        self._elsewhere = elsewhere
        options = EngineOptions(fold=fold).shown()
        self.identity = EngineIdentity("score-api", model=model, url=server.base_url, options=options)
        self._lock = threading.Lock()
        self._takes_messages = False  # it has, once
        self._ranges: _Ranges | None = None
        self._servers = [server]
        self._closed = False

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for server in self._servers:
                server.close()

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        if self._ranges is not None:
            return self._ranges.score(prompt, job)
        messages = [sent(turn) for turn in prompt.turns]
        body = {"model": self.identity.model, "messages": messages, "logprobs": 1}
        try:
            answer = self._server.post("/score", body, job)
        except EngineError as error:
            if error.status in _NO_ROUTE:
                error.do = f"{error.do} {_OTHERS}".strip()
            if error.status != 422 or self._takes_messages:
                raise
            ranges = self._later_form(prompt, job)
            if ranges is None:
                error.do = _OTHERS
                raise
        else:
            self._takes_messages = True
            return [ResponseScore(total) for total in _totals(answer)]
        return ranges.score(prompt, job)

    def _later_form(self, prompt: Prompt, job: Job) -> _Ranges | None:
        """The later form of the API; None where the server has no /tokenize for it, at its root or at its address."""
        with self._lock:  # one finds out, the others wait and know
            if self._ranges is None and self._elsewhere is not None:
                for url in dict.fromkeys((root(self._server.base_url), self._server.base_url)):
                    if self._closed:
                        raise Cancelled("the engine was closed", where=url)
                    server = self._server if url == self._server.base_url else self._elsewhere(url)
                    self._servers.append(server)
                    ranges = _Ranges(self._server, server, self.identity.model, self._fold)
                    try:
                        ranges.lay(chat(prompt, self._fold), job)
                    except EngineError as error:
                        if error.status not in _NO_ROUTE:
                            raise
                    else:
                        self._ranges = ranges
                        break
            return self._ranges


class _Ranges:
    """The later form: `tokeniser` makes token ids of messages, `server` scores ranges of them."""

    def __init__(self, server: Server, tokeniser: Server, model: str, fold: Fold) -> None:
        self._server = server
        self._tokeniser = tokeniser
        self._model = model
        self._layouts: Layouts[list[int]] = Layouts(self.lay, fold)

    def lay(self, said: Chat, job: Job) -> list[int]:
        return tokenise(self._tokeniser, self._model, said, job)

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        laid = self._layouts.of(prompt, job)
        asked = [m for m, (start, end) in enumerate(laid.spans) if end > start > 0]
        totals: dict[int, float] = {}
        if asked:
            ranges = [laid.spans[m] for m in asked]
            body = {"model": self._model, "prompt": laid.whole, "score_ranges": ranges, "logprobs": 1}
            found = _totals(self._server.post("/score", body, job))
            if len(found) != len(asked):
                what = f"{len(asked)} ranges were sent and {len(found)} scores came back"
                raise EngineError(what, where=self._server.base_url)
            totals = dict(zip(asked, found, strict=True))
        return [
            ResponseScore(totals[m], count=end - start, marks=marks)
            if m in totals
            else response_score(laid, m, None, marks)
            for m, ((start, end), marks) in enumerate(zip(laid.spans, marks_of(laid), strict=True))
        ]


def sent(turn: Turn) -> dict[str, str]:
    """A turn as this API takes it: role and content only, tool calls written into the content, memories as `user`.

    It scores whatever has the role `assistant`, so nothing else may go by that name.
    """
    role = "user" if turn.is_memory or (turn.role == "assistant" and not turn.is_response) else turn.role
    return {"role": role, "content": turn.text}


def _totals(answer: Any) -> list[float]:
    scores = answer.get("scores") if isinstance(answer, Mapping) else None
    if not isinstance(scores, list):
        do = f"Another API may live on this path; check the engine and --base-url. {_OTHERS}"
        if isinstance(answer, Mapping) and isinstance(answer.get("data"), list):
            do = "It is that of vLLM's /score, which compares texts: use --engine vllm."
        raise EngineError('the answer has no list "scores"', do=do)
    return [_total(number, len(scores), score) for number, score in enumerate(scores, 1)]


def _total(number: int, of: int, score: Any) -> float:
    value = score.get("total_logprob") if isinstance(score, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        found = "null" if value is None else type(value).__name__
        listed = isinstance(score, list)
        do = "It is that of SGLang's /score, which weighs single tokens: use --engine sglang." if listed else ""
        raise EngineError(f'score {number} of {of} has no number as "total_logprob" ({found})', do=do)
    try:
        return float(value)
    except OverflowError:
        raise EngineError(f"score {number} of {of} is too large a number") from None


def _build(options: EngineOptions) -> ScoreApi:
    server = _server(options)
    try:
        model = ServedModel(server, options, "/models").name
        return ScoreApi(server, model, options.fold, lambda url: server_at("score-api", url, options, timeout=TIMEOUT))
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
    check=total_checks,
    quiet=False,  # a run's own two baselines are it
)
