"""Engines that score tokens: everything around the one call that differs from model server to model server.

A `TokenModel` lays a chat out as token ids and gives tokens log-probabilities. Around it: finding the responses,
keeping within the model's length, not asking twice for what an ablation does not touch, and telling where each token
stands.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.conversation.render import Prompt
from memscope.engines.chat import Chat, Fold
from memscope.engines.kept import Kept
from memscope.engines.layout import Layout, Layouts
from memscope.engines.protocol import Capabilities, EngineIdentity, Marks, ResponseScore, Tokens
from memscope.engines.spans import Laid

NOT_SHOWN = "response not visible to this template: the chat template shows nothing of it"
NOTHING_BEFORE = "nothing stands before this response, and a first token has no log-probability"
ROUNDING = 1e-4  # nats above 0 that are rounding: the log-probability of what is certain
_DIGEST = 16
_BEHIND = 64  # tokens, at most, that stand behind the last response, which are not sent
_KEPT_TOKENS = 500_000  # of responses whose scores are remembered by an engine that reuses what stands before a change


@dataclass(frozen=True, slots=True)
class TokenScores:
    """Log-probabilities in nats of the tokens of one span, and their texts where they are known."""

    logprobs: NDArray[np.float64]
    pieces: tuple[str, ...] | None = None


class TokenModel(Protocol):
    """What a model server, or a model in this process, does for a `TokenEngine`. Safe to use from any thread."""

    @property
    def identity(self) -> EngineIdentity: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def longest(self, job: Job) -> int | None:
        """The most tokens it takes; None where that is not known. Raises `EngineError`."""
        ...

    def lay(self, said: Chat, job: Job) -> list[int]:
        """The whole chat as token ids, without an opening for a further answer. Raises `EngineError`."""
        ...

    def logprobs(self, ids: list[int], spans: Sequence[Span], job: Job) -> list[TokenScores]:
        """The log-probabilities of the tokens at each span of `ids`, each given all before it. The spans ascend, and
        none begins at 0 or is empty. Raises `EngineError`."""
        ...

    def generate(self, ids: list[int], count: int, job: Job) -> list[tuple[int, float]]:
        """The `count` tokens, at most, that the model itself would go on with, greedily, and their log-probabilities:
        what it says of them while it generates. Where that can be had, it goes on when its turn is over. For checks.
        Raises `EngineError`."""
        ...

    def close(self) -> None: ...


class TokenEngine:
    """An engine out of a `TokenModel`."""

    def __init__(self, model: TokenModel, fold: Fold = "off") -> None:
        self.model = model
        self.identity = model.identity
        self.capabilities = model.capabilities
        self._layouts: Layouts[list[int]] = Layouts(model.lay, fold)
        self._kept: Kept[Marks, TokenScores] = Kept(_KEPT_TOKENS, lambda scores: len(scores.logprobs) + 1)

    def close(self) -> None:
        self.model.close()

    def forget(self) -> None:
        """Scores anew whatever is asked for from now on; how prompts are laid out stays known."""
        self._kept.clear()

    def layout(self, prompt: Prompt, job: Job) -> Layout[list[int]]:
        """The prompt as token ids, and where its responses stand in them. Raises `EngineError`, also where it is longer
        than the model takes."""

        def accept(ids: list[int], behind: int = _BEHIND) -> None:
            longest = self.model.longest(job)
            if longest is not None and len(ids) - behind >= longest:
                raise too_long(len(ids), longest, self.identity.url or None)

        laid = self._layouts.of(prompt, job, accept)
        accept(laid.whole, 0)
        return laid

    def count(self, prompt: Prompt, job: Job) -> int:
        """How many tokens the prompt has, whether or not the model takes as many."""
        return len(self.whole(prompt, job))

    def whole(self, prompt: Prompt, job: Job) -> list[int]:
        """All of the prompt as token ids, where its responses stand not looked for. Raises `EngineError`."""
        return self._layouts.whole(prompt, job)

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        laid = self.layout(prompt, job)
        marks = marks_of(laid)
        found: dict[int, TokenScores] = {}
        if self.capabilities.reuses and not prompt.repeat:
            found = {m: kept for m, mark in enumerate(marks) if (kept := self._kept.get(mark)) is not None}
        asked = [m for m, span in enumerate(laid.spans) if m not in found and span[1] > span[0] > 0]
        if asked:
            scored = self.model.logprobs(laid.whole, [laid.spans[m] for m in asked], job)
            found |= dict(zip(asked, scored, strict=True))
        if self.capabilities.reuses:
            for m in asked:
                self._kept.put(marks[m], found[m])
        return [response_score(laid, m, found.get(m), marks[m]) for m in range(len(laid.spans))]


def marks_of(laid: Layout[list[int]]) -> list[Marks]:
    """What each response's score is of: its tokens, and all before them."""
    ids = np.asarray(laid.whole, np.int64)
    context, at, marks = hashlib.sha256(), 0, []
    for start, end in laid.spans:
        context.update(ids[at:start].tobytes())
        response = hashlib.sha256(ids[start:end].tobytes()).digest()[:_DIGEST]
        marks.append(Marks(response, context.digest()[:_DIGEST]))
        at = start
    return marks


def response_score(laid: Layout[Laid], m: int, scored: TokenScores | None, marks: Marks) -> ResponseScore:
    """The score of response `m` of a layout; `scored` is None where its span is empty, or begins where nothing
    stands before it."""
    text = laid.texts[m]
    if scored is None:
        start, end = laid.spans[m]
        if end > start:
            return ResponseScore(math.nan, failure=NOTHING_BEFORE)
        if text.strip():
            return ResponseScore(math.nan, failure=NOT_SHOWN)
        nothing = np.empty(0, np.int32)
        return ResponseScore(0.0, Tokens(nothing, nothing, np.empty(0)), 0, marks)
    logprobs = tidy(scored.logprobs)
    tokens = None
    if scored.pieces is not None:
        if text.strip() and not "".join(scored.pieces).strip():  # whitespace on both sides of nothing, in one token
            return ResponseScore(math.nan, failure=NOT_SHOWN)
        from memscope.engines.token_text import offsets

        tokens = Tokens(*offsets(scored.pieces, text), logprobs)
    return ResponseScore(float(logprobs.sum()), tokens, len(logprobs), marks)


def tidy(logprobs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities with what is above 0 by rounding alone at 0; what is further above stays, and is refused."""
    return np.where((logprobs > 0) & (logprobs <= ROUNDING), 0.0, logprobs)


def too_long(tokens: int, longest: int, where: str | None = None) -> EngineError:
    """The conversation does not fit into the model."""
    what = f"the conversation has {tokens:,} tokens, and the model takes {longest:,} with at least one more"
    do = "Serve it with a longer context, or score a part of it: `memscope why FILE --message I` stops at a response."
    return EngineError(what, where=where, do=do)
