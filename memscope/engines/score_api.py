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

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.clients.http import RETRIED, Server
from memscope.clients.served import ServedModel, names, root
from memscope.conversation.render import Prompt, Turn
from memscope.engines.chat import Fold
from memscope.engines.layout import Layouts
from memscope.engines.protocol import Capabilities, EngineIdentity, ResponseScore
from memscope.engines.registry import EngineOptions, EngineSpec
from memscope.engines.served import number, server_at, tokenise
from memscope.engines.token_checks import total_checks
from memscope.engines.token_engine import marks_of, response_score, too_long

TIMEOUT = 120.0
_NO_ROUTE = frozenset({404, 405, 501})
_OTHERS = "vLLM and SGLang have other APIs on this path: for them there are --engine vllm and --engine sglang."


class ScoreApi:
    """Scores over HTTP, whole responses at a time: this API gives no tokens.

    `tokenisers`: where /tokenize may stand, for the later form; `longest`: the most tokens the model takes, if known.

    Both forms go by one identity, though the server's own template may make other tokens of messages than /tokenize
    does. What tells them apart are marks: scores of ranges have them, scores of messages have none.
    """

    capabilities = Capabilities(label="score-api", tokens=False, concurrency=4)

    def __init__(
        self,
        server: Server,
        model: str,
        fold: Fold = "off",
        tokenisers: Sequence[Server] = (),
        longest: Callable[[Job], int | None] = lambda _: None,
    ) -> None:
        self._server = server
        options = EngineOptions(fold=fold).shown()
        self.identity = EngineIdentity("score-api", model=model, url=server.base_url, options=options)
        self._servers = (server, *tokenisers)
        self._takes_messages = False  # it has, once
        self._later = tuple(_Ranges(server, tokeniser, model, fold, longest) for tokeniser in tokenisers)
        self._ranges: _Ranges | None = None  # the one of them that has given scores

    def close(self) -> None:
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
            return self._in_later_form(prompt, job, error)
        totals = _totals(answer)
        self._takes_messages = True
        return [ResponseScore(total) for total in totals]

    def _in_later_form(self, prompt: Prompt, job: Job, refusal: EngineError) -> list[ResponseScore]:
        """The scores of ranges. Raises `refusal`, that of the messages, where those are refused too: it may be this one
        conversation that the server does not take."""
        for ranges in self._later:
            try:
                scores = ranges.score(prompt, job)
            except EngineError as error:
                if not 400 <= error.status < 500 or error.status in RETRIED:
                    raise
                if error.status not in _NO_ROUTE:
                    refusal.what = f"{refusal.what}; sent as token ids: {error.what}"
                    break
                self._later = tuple(other for other in self._later if other is not ranges)  # not asked again
            else:
                if ranges.worked:
                    self._ranges = ranges
                return scores
        refusal.do = _OTHERS
        raise refusal


class _Ranges:
    """The later form: `tokeniser` makes ids of messages, `server` scores ranges of them. `worked`: it has, once."""

    def __init__(
        self, server: Server, tokeniser: Server, model: str, fold: Fold, longest: Callable[[Job], int | None]
    ) -> None:
        self.worked = False
        self._server = server
        self._model = model
        self._longest = longest
        self._layouts: Layouts[list[int]] = Layouts(lambda said, job: tokenise(tokeniser, model, said, job), fold)

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        laid = self._layouts.of(prompt, job)
        longest = self._longest(job)
        if longest is not None and len(laid.whole) >= longest:
            raise too_long(len(laid.whole), longest, self._server.base_url)
        asked = [m for m, (start, end) in enumerate(laid.spans) if end > start > 0]
        totals: dict[int, float] = {}
        if asked:
            ranges = [laid.spans[m] for m in asked]
            body = {"model": self._model, "prompt": laid.whole, "score_ranges": ranges, "logprobs": 1}
            found = _totals(self._server.post("/score", body, job))
            if len(found) != len(asked):
                what = f"{len(asked)} ranges were sent and {len(found)} scores came back"
                raise EngineError(what, where=self._server.base_url)
            self.worked = True
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
    return [_total(place, len(scores), score) for place, score in enumerate(scores, 1)]


def _total(place: int, of: int, score: Any) -> float:
    value = score.get("total_logprob") if isinstance(score, Mapping) else None
    total = number(value)
    if total is None:
        found = "null" if value is None else "too large a one" if type(value) is int else type(value).__name__
        listed = isinstance(score, list)
        do = "It is that of SGLang's /score, which weighs single tokens: use --engine sglang." if listed else ""
        raise EngineError(f'score {place} of {of} has no number as "total_logprob" ({found})', do=do)
    return total


def _build(options: EngineOptions) -> ScoreApi:
    server = _server(options)
    try:
        model = ServedModel(server, options.model, "/models")
        tokenisers, url = [server], root(server.base_url)
        if url != server.base_url:
            tokenisers.insert(0, server_at("score-api", url, options, timeout=TIMEOUT))
        return ScoreApi(server, model.name, options.fold, tokenisers, model.longest)
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
