"""`openai-echo`: any completions server that gives back its prompt with log-probabilities.

    POST /v1/completions  {"model", "prompt": text, "echo": true, "logprobs": 1, "max_tokens": 1, "temperature": 0}
    ->                    choices[0]: "text", "logprobs": {"tokens", "token_logprobs": [null, ...], "text_offset"}

It works on text: the conversation is laid out here, by a template that has to be the model's own. One token is asked
for and dropped, because servers read 0 as "without end".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.clients.http import Server
from memscope.clients.served import ServedModel, names
from memscope.conversation.render import Prompt
from memscope.engines.chat import Chat
from memscope.engines.layout import Layout, Layouts
from memscope.engines.openai_echo.places import Places, places
from memscope.engines.protocol import Capabilities, EngineIdentity, Marks, ResponseScore
from memscope.engines.registry import EngineOptions, EngineSpec
from memscope.engines.served import connect, number
from memscope.engines.templates import Template, template_of
from memscope.engines.token_checks import text_checks
from memscope.engines.token_engine import TokenScores, response_score

TEMPLATE = "chatml"
MERGED = (
    "the server gives the tokens at the border of this response no text, so it cannot be told which are the response's"
)
_INSTEAD = (
    "The engines vllm, sglang and llama-server each speak to a server that scores; transformers and llamacpp score"
    " in this process."
)
_DIGEST = 16


@dataclass(frozen=True)
class Echo:
    """A text as a server gave it back: its tokens' texts, where they stand, and their log-probabilities (nats; None
    where the server gives none, as for the first)."""

    pieces: list[str]
    places: Places
    logprobs: list[float | None]


_NOTHING = Echo([], Places(*(np.empty(0, np.int64) for _ in range(4))), [])


class EchoEngine:
    """Scores text over HTTP. Every scoring reads the whole text."""

    capabilities = Capabilities(label="openai-echo", tokens=True, concurrency=4)

    def __init__(self, server: Server, model: ServedModel, template: Template, options: EngineOptions) -> None:
        self._server = server
        self._template = template
        shown = options.shown(("template", template.digest))
        self.identity = EngineIdentity("openai-echo", model.name, server.base_url, options=shown)
        self.longest = model.longest
        self._layouts: Layouts[str] = Layouts(self._laid, options.fold)

    def close(self) -> None:
        self._server.close()

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        laid = self.layout(prompt, job)
        shown = any(end > start for start, end in laid.spans)
        return self._scores(laid, self._echo(laid.whole, job) if shown else _NOTHING)

    def layout(self, prompt: Prompt, job: Job) -> Layout[str]:
        """The prompt as text, and where its responses stand in it. Raises `EngineError`."""
        return self._layouts.of(prompt, job)

    def whole(self, prompt: Prompt, job: Job) -> str:
        """All of the prompt as text, where its responses stand not looked for. Raises `EngineError`."""
        return self._layouts.whole(prompt, job)

    def tokens(self, text: str, job: Job) -> list[tuple[str, int, float | None]]:
        """The tokens of a text: what each reads, the character at which it begins, and its log-probability in nats
        given all before it, None for the first. For checks. Raises `EngineError`."""
        echo = self._echo(text, job)
        return list(zip(echo.pieces, map(int, echo.places.starts), echo.logprobs, strict=True))

    def generate(self, text: str, count: int, job: Job) -> list[tuple[str, float]]:
        """The `count` tokens, at most, that the model itself would go on with, greedily, and what it says of their
        log-probabilities while it generates. For checks. Raises `EngineError`."""
        choice = self._complete({"prompt": text, "logprobs": 1, "max_tokens": count, "temperature": 0}, job)
        pieces, logprobs, _ = self._told(choice)
        values = [value for value in logprobs if value is not None]
        if len(values) != len(pieces):
            raise self._broken("a generated token has no log-probability")
        return list(zip(pieces, values, strict=True))

    def _laid(self, said: Chat, _: Job) -> str:
        return self._template.render(said)

    def _scores(self, laid: Layout[str], echo: Echo) -> list[ResponseScore]:
        context, at, scores = sha256(), 0, []
        for m, (start, end) in enumerate(laid.spans):
            context.update(_bytes(laid.whole[at:start]))
            at = start
            own = echo.places.of(start, end)
            if own is None:
                scores.append(ResponseScore(math.nan, failure=MERGED))
                continue
            said = [(echo.pieces[n], int(echo.places.starts[n]) - start) for n in own]
            marks = Marks(sha256(_bytes(repr(said))).digest()[:_DIGEST], context.digest()[:_DIGEST])
            scored = self._span(laid.whole, (start, end), own.tolist(), echo) if start else None
            scores.append(response_score(laid, m, scored, marks))
        return scores

    def _span(self, text: str, span: tuple[int, int], own: list[int], echo: Echo) -> TokenScores | None:
        """The scores of the tokens `own` of a span; None where it is empty."""
        if not own:
            return None
        values, pieces = [], []
        for n in own:
            value = echo.logprobs[n]
            if value is None:
                raise self._broken(f"token {n} has no log-probability")
            values.append(value)
            pieces.append(text[max(echo.places.starts[n], span[0]) : min(echo.places.ends[n], span[1])])
        return TokenScores(np.array(values, np.float64), tuple(pieces))

    def _echo(self, text: str, job: Job) -> Echo:
        """What the server says of each token of `text`."""
        body = {"prompt": text, "echo": True, "logprobs": 1, "max_tokens": 1, "temperature": 0}
        choice = self._complete(body, job)
        logprobs = choice.get("logprobs")
        if isinstance(logprobs, Mapping) and "content" in logprobs:
            what = "the server ignores echo: it scores the tokens that it generates, and no others"
            do = "llama.cpp's server does so: --engine llama-server. With its model file here: --engine llamacpp."
            raise EngineError(what, where=self._server.base_url, do=do)
        echoed = choice.get("text")
        if not isinstance(echoed, str) or not echoed.startswith(text):
            what = "the server ignores echo: its text does not begin with the prompt"
            raise EngineError(what, where=self._server.base_url, do=_INSTEAD)
        pieces, values, offsets = self._told(choice)
        found = places(pieces, offsets, echoed)
        if found is None:  # some leave the generated token out of the list
            found = places(pieces, offsets, text)
        if found is None:
            do = f"`memscope doctor` says what the server looks like. {_INSTEAD}"
            raise EngineError("its token offsets do not fit the prompt", where=self._server.base_url, do=do)
        count = int(np.searchsorted(found.starts, len(text)))  # tokens behind the prompt are generated
        kept = Places(found.starts[:count], found.ends[:count], found.low[:count], found.high[:count])
        return Echo(pieces[:count], kept, values[:count])

    def _told(self, choice: Mapping[str, Any]) -> tuple[list[str], list[float | None], list[int] | None]:
        """The texts, log-probabilities and offsets of the tokens in an answer."""
        told = choice.get("logprobs")
        pieces, values, offsets = (
            (told.get("tokens"), told.get("token_logprobs"), told.get("text_offset"))
            if isinstance(told, Mapping)
            else (None, None, None)
        )
        if not isinstance(pieces, list) or not isinstance(values, list) or len(pieces) != len(values):
            raise EngineError("the answer has no log-probabilities", where=self._server.base_url, do=_INSTEAD)
        if not all(isinstance(piece, str) for piece in pieces):
            raise self._broken("a token has no text")
        logprobs = [number(value) for value in values]
        if any(found is None and value is not None for found, value in zip(logprobs, values, strict=True)):
            raise self._broken("a log-probability is no number")
        usable = isinstance(offsets, list) and len(offsets) == len(pieces) and all(type(at) is int for at in offsets)
        return pieces, logprobs, offsets if usable else None

    def _complete(self, body: Mapping[str, Any], job: Job) -> Mapping[str, Any]:
        answer = self._server.post("/v1/completions", {"model": self.identity.model, **body}, job)
        choices = answer.get("choices") if isinstance(answer, Mapping) else None
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            raise self._broken("the answer has no choices")
        return choices[0]

    def _broken(self, what: str) -> EngineError:
        return EngineError(what, where=self._server.base_url, do="`memscope doctor` says what the server looks like.")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _build(options: EngineOptions) -> EchoEngine:
    template = template_of(options.template or TEMPLATE)
    server = _server(options)
    try:
        return EchoEngine(server, ServedModel(server, options.model), template, options)
    except BaseException:
        server.close()
        raise


def _server(options: EngineOptions, *, hasty: bool = False) -> Server:
    if urlsplit(options.base_url).hostname == "api.openai.com":
        raise UsageError("OpenAI's own API cannot score a text that is given to it", do=_INSTEAD)
    return connect("openai-echo", options, hasty=hasty)


ENGINE = EngineSpec(
    "openai-echo",
    "a completions server that gives back its prompt with log-probabilities",
    EchoEngine.capabilities,
    _build,
    lambda options, job: names(_server(options, hasty=True), job),
    check=text_checks,
)
