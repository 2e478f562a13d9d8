"""The wrapper that remembers: an engine behind it is asked for what is not on disk, and for nothing twice.

No engine knows of it. What the store cannot do never costs a score: on the first trouble with the disk the wrapper goes
on without it, and `trouble` says so.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Generator, Iterable, Sequence
from copy import copy
from dataclasses import asdict

import numpy as np

from memscope.base.errors import StoreError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, Renderer
from memscope.engines.protocol import (
    Capabilities,
    Engine,
    EngineIdentity,
    Failure,
    Marks,
    OnePassEngine,
    RecomputingEngine,
    RememberingEngine,
    ResponseScore,
    Tokens,
)
from memscope.engines.validity import problem
from memscope.store.scores import DIGEST, ScoreStore, StoredScores

_NONE, _NO_MARK = np.empty(0), bytes(DIGEST)


def score_key(identity: EngineIdentity, prompt: Prompt, repeat: int) -> bytes:
    """The key of a stored scoring: everything that can change its numbers, and nothing else.

    The engine's identity, the rendered turns up to the last response, the tool definitions, and the number of the
    repeat, so that a repeated scoring is measured and not looked up.
    """
    about = [asdict(identity), prompt.tools, repeat, len(prompt.turns), *(["thinking"] if prompt.thinking else [])]
    digest = hashlib.sha256(json.dumps(about).encode())
    for turn in prompt.turns:
        digest.update(turn.digest)
    return digest.digest()


def stored(engine: Engine, scores: ScoreStore) -> Stored:
    """`engine` with a memory; one that scores in one pass keeps doing so."""
    if isinstance(engine, RecomputingEngine):
        return StoredRecomputing(engine, scores)
    return StoredOnePass(engine, scores) if isinstance(engine, OnePassEngine) else Stored(engine, scores)


class Stored:
    """An engine whose scorings are kept. What was found on disk is counted as "found" on the job."""

    def __init__(self, engine: Engine, scores: ScoreStore) -> None:
        self.engine = engine
        self._scores = scores
        self._looks = True
        self._troubles: list[StoreError] = []

    @property
    def trouble(self) -> StoreError | None:
        """What first went wrong with the store; it is not used any more from then on."""
        return self._troubles[0] if self._troubles else None

    def afresh(self) -> Stored:
        """The same engine and store, but nothing is looked up: what is scored replaces what was kept."""
        asking = copy(self)  # it shares the troubles
        asking._looks = False
        if isinstance(self.engine, RememberingEngine):
            self.engine.forget()
        return asking

    def known(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        """Which of these scorings (`score_key`) are on disk."""
        if self.trouble:
            return frozenset()
        try:
            return self._scores.known(keys)
        except StoreError as error:
            self._troubles.append(error)
            return frozenset()

    @property
    def identity(self) -> EngineIdentity:
        return self.engine.identity

    @property
    def capabilities(self) -> Capabilities:
        return self.engine.capabilities

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        key = score_key(self.identity, prompt, prompt.repeat)
        found = self._find(key, prompt, job)
        if found is not None:
            return found
        scores = self.engine.score(prompt, job)
        self._keep(key, prompt, scores)
        return scores

    def close(self) -> None:
        self.engine.close()

    def _find(self, key: bytes, prompt: Prompt, job: Job) -> list[ResponseScore] | None:
        try:
            kept = self._scores.get(key) if self._looks and not self.trouble else None
        except StoreError as error:
            self._troubles.append(error)
            return None
        found = None if kept is None else _scores(kept)
        if found is None or problem(prompt, found):
            return None
        job.count("found")
        return found

    def _keep(self, key: bytes, prompt: Prompt, scores: list[ResponseScore]) -> None:
        if self.trouble or problem(prompt, scores):
            return
        try:
            self._scores.put(key, _stored(scores))
        except StoreError as error:
            self._troubles.append(error)


class StoredOnePass(Stored):
    """The same around an engine that scores many ablations at once: only those not on disk are asked for."""

    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[tuple[Ablation, list[ResponseScore] | Failure], None, None]:
        renderer = Renderer(conversation)
        missing: dict[Ablation, tuple[bytes, Prompt]] = {}
        for ablation in ablations:
            prompt = renderer.prompt(ablation)
            key = score_key(self.identity, prompt, prompt.repeat)
            found = self._find(key, prompt, job)
            if found is None:
                missing[ablation] = (key, prompt)
            else:
                yield ablation, found
        if not missing:
            return
        assert isinstance(self.engine, OnePassEngine)
        for ablation, result in self.engine.columns(conversation, tuple(missing), job):
            if not isinstance(result, Failure):
                self._keep(*missing[ablation], result)
            yield ablation, result


class StoredRecomputing(StoredOnePass):
    """The same around an engine that makes tokens when they are asked for."""

    def tokens(
        self, conversation: Conversation, response: int, ablations: Sequence[Ablation], job: Job
    ) -> dict[Ablation, Tokens]:
        """Computed, not kept: such an engine makes them faster than a disk would give them back."""
        assert isinstance(self.engine, RecomputingEngine)
        return self.engine.tokens(conversation, response, ablations, job)


def _scores(kept: StoredScores) -> list[ResponseScore]:
    absent: list[None] = [None] * len(kept.totals)
    counts: Sequence[int | None] = kept.counts if kept.counts is not None else absent
    tokens: Sequence[Tokens | None] = absent if kept.tokens is None else [Tokens(*arrays) for arrays in kept.tokens]
    marks = absent if kept.marks is None else [Marks(*pair) for pair in kept.marks]
    found = [ResponseScore(*fields) for fields in zip(kept.totals, tokens, counts, marks, strict=True)]
    for place, why in kept.failures.items():
        found[place] = ResponseScore(math.nan, failure=why)
    return found


def _stored(scores: list[ResponseScore]) -> StoredScores:
    """The arrays have an entry for every response, one of no meaning where it failed."""
    scored = [s for s in scores if not s.failure]
    nothing = np.empty(0, np.int32)
    return StoredScores(
        [s.total for s in scores],
        [s.count or 0 for s in scores] if all(s.count is not None for s in scored) else None,
        [(s.tokens.starts, s.tokens.ends, s.tokens.logprobs) if s.tokens else (nothing, nothing, _NONE) for s in scores]
        if all(s.tokens is not None for s in scored)
        else None,
        [(s.marks.response, s.marks.context) if s.marks else (_NO_MARK, _NO_MARK) for s in scores]
        if all(s.marks is not None for s in scored)
        else None,
        {place: s.failure for place, s in enumerate(scores) if s.failure},
    )
