"""The checks of engines that score tokens, and of those that give totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol, cast

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Message, Text
from memscope.conversation.render import Prompt, render
from memscope.engines.checks import Check
from memscope.engines.layout import Layout
from memscope.engines.protocol import Engine
from memscope.engines.token_engine import TokenEngine
from memscope.engines.trial import Values, repeats, trial
from memscope.engines.validity import problem

_OTHER = "Another API may live on this path: check the engine and --base-url."


def token_checks(engine: Engine, job: Job) -> Iterator[Check]:
    """The trial of a `TokenEngine`."""
    assert isinstance(engine, TokenEngine)
    return trial(_Tokens(engine), job)


class _Tokens:
    """A `TokenEngine` as a trial sees it: what is laid out are token ids."""

    def __init__(self, engine: TokenEngine) -> None:
        self._engine = engine
        self.longest = engine.model.longest
        self.whole = engine.whole

    def lay(self, prompt: Prompt, job: Job) -> list[int]:
        return self._engine.layout(prompt, job).whole

    def values(self, laid: list[int], first: int, job: Job) -> Values:
        (scored,) = self._engine.model.logprobs(laid, [(first, len(laid))], job)
        if len(scored.logprobs) != len(laid) - first:
            what = f"{len(laid) - first} tokens were asked about and {len(scored.logprobs)} came back scored"
            raise EngineError(what, where=self._engine.identity.url or None)
        return {(at, laid[at]): float(value) for at, value in enumerate(scored.logprobs, first)}

    def go_on(self, laid: list[int], count: int, job: Job) -> tuple[list[int], Values]:
        made = self._engine.model.generate(laid, count, job)
        values: Values = {(at, token): value for at, (token, value) in enumerate(made, len(laid))}
        return laid + [token for token, _ in made], values


class TextEngine(Engine, Protocol):
    """An engine that lays a conversation out as text, and scores that."""

    def longest(self, job: Job) -> int | None:
        """The most tokens the model takes, where that is known."""
        ...

    def whole(self, prompt: Prompt, job: Job) -> str:
        """The prompt as text."""
        ...

    def layout(self, prompt: Prompt, job: Job) -> Layout[str]:
        """The same to the end of its last response, and where its responses stand."""
        ...

    def tokens(self, text: str, job: Job) -> list[tuple[str, int, float | None]]:
        """What each token of a text reads, where it begins, and its log-probability in nats."""
        ...

    def generate(self, text: str, count: int, job: Job) -> list[tuple[str, float]]:
        """The tokens that the model itself goes on with, and their log-probabilities."""
        ...


def text_checks(engine: Engine, job: Job) -> Iterator[Check]:
    """The trial of a `TextEngine`."""
    return trial(_Text(cast(TextEngine, engine)), job)


class _Text:
    """A `TextEngine` as a trial sees it: what is laid out is text."""

    def __init__(self, engine: TextEngine) -> None:
        self._engine = engine
        self.longest = engine.longest
        self.whole = engine.whole

    def lay(self, prompt: Prompt, job: Job) -> str:
        return self._engine.layout(prompt, job).whole

    def values(self, laid: str, first: int, job: Job) -> Values:
        values: dict[tuple[int, int | str], float] = {}
        for piece, at, value in self._engine.tokens(laid, job):
            if at >= first:
                if value is None:
                    raise EngineError(f"the token at character {at} has no log-probability")
                values[at, piece] = value
        return values

    def go_on(self, laid: str, count: int, job: Job) -> tuple[str, Values]:
        values: dict[tuple[int, int | str], float] = {}
        for piece, value in self._engine.generate(laid, count, job):
            values[len(laid), piece] = value
            laid += piece
        return laid, values


def total_checks(engine: Engine, job: Job) -> Iterator[Check]:
    """For an engine that gives totals alone: two baselines of a small conversation."""
    said = (("user", "What is the capital of France?"), ("assistant", "Paris."))
    more = (("user", "And of Italy?"), ("assistant", "The capital of Italy is Rome."))
    prompt = render(Conversation(tuple(Message(role, (Text(text),)) for role, text in said + more)))
    try:
        first = engine.score(prompt, job)
        if wrong := problem(prompt, first):
            yield Check("scores", "fail", wrong, _OTHER)
            return
        yield Check("scores", "pass", f"{len(first)} responses, each with a log-probability")
        again = engine.score(replace(prompt, repeat=1), job)
    except EngineError as error:
        yield Check("scores", "fail", error.what, error.do or _OTHER)
        return
    if wrong := problem(prompt, again):
        yield Check("repeats", "fail", wrong, _OTHER)
        return
    yield repeats(max(abs(one.total - other.total) for one, other in zip(first, again, strict=True)))
