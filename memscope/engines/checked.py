"""The wrapper that makes sure: an engine behind it is checked before it is first asked for a score.

It stands between the store and the engine, so that a run that is wholly on disk asks nothing. That an engine passed is
kept for a day; that it failed is not, for somebody will mend it and run again.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Generator, Iterable, Sequence
from dataclasses import asdict, dataclass

from memscope.base.clock import now
from memscope.base.errors import EngineError, StoreError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.checks import NOISE, SECONDS, Check
from memscope.engines.protocol import (
    Capabilities,
    Engine,
    EngineIdentity,
    Failure,
    OnePassEngine,
    RecomputingEngine,
    ResponseScore,
    Tokens,
)
from memscope.engines.registry import EngineSpec
from memscope.engines.stored import Stored
from memscope.store.verdicts import Verdicts

HOLDS = 24 * 3600.0  # seconds that a passed check holds
_LOOK = 0.2  # seconds between looks at whether somebody asked to stop


@dataclass(frozen=True, slots=True)
class Proof:
    """An engine passed its checks: the `seconds` a token took, and its `noise` in nats a response, where measured."""

    seconds: float | None = None
    noise: float | None = None


def checked(engine: Engine, spec: EngineSpec, verdicts: Verdicts | None) -> Engine:
    """`engine`, checked before its first use; itself where there is no check, or none that is made unasked. Without
    `verdicts` it is remembered in this process alone that it passed."""
    if spec.check is None or not spec.quiet:
        return engine
    if isinstance(engine, RecomputingEngine):
        return CheckedRecomputing(engine, spec, verdicts)
    return (
        CheckedOnePass(engine, spec, verdicts) if isinstance(engine, OnePassEngine) else Checked(engine, spec, verdicts)
    )


class Checked:
    """An engine that is used only once it passed its checks. When one fails, whatever was asked for raises a lasting
    `EngineError` with its words; the next asks again."""

    def __init__(self, engine: Engine, spec: EngineSpec, verdicts: Verdicts | None) -> None:
        self.engine = engine
        self._spec = spec
        self._verdicts = verdicts
        self._key = digest(engine.identity)
        self._checking = threading.Lock()
        self._until = -math.inf  # when it has to be checked again
        self._proof: Proof | None = None
        self._refusals = 0
        self._refused: Check | None = None

    @property
    def identity(self) -> EngineIdentity:
        return self.engine.identity

    @property
    def capabilities(self) -> Capabilities:
        return self.engine.capabilities

    @property
    def proof(self) -> Proof | None:
        """That it passed its checks within the last day, and what they measured; None where it has yet to."""
        if now() >= self._until and self._verdicts is not None:
            try:
                kept = self._verdicts.get(self._key)
            except StoreError:
                kept = None
            if kept is not None and 0 <= now() - kept[1] < HOLDS:
                self._proof, self._until = (
                    Proof(*(_number(kept[0].get(name)) for name in (SECONDS, NOISE))),
                    kept[1] + HOLDS,
                )
        return self._proof if now() < self._until else None

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        self._make_sure(job)
        return self.engine.score(prompt, job)

    def close(self) -> None:
        self.engine.close()

    def _make_sure(self, job: Job) -> None:
        refusals = self._refusals
        while not self._checking.acquire(timeout=_LOOK):
            job.check()
        try:
            if self.proof is not None:
                return
            if self._refusals == refusals:  # nobody has found out while this one waited
                self._check(job)
            if self._refused is not None:
                raise refusal(self._refused, self.identity)
        finally:
            self._checking.release()

    def _check(self, job: Job) -> None:
        assert self._spec.check is not None
        self._refused, done = None, []
        for number, check in enumerate(self._spec.check(self.engine, job)):
            job.progress(number + 1, None, "checks", f"checking {self.capabilities.label}")
            done.append(check)
            if check.verdict == "fail":
                self._refused = check
                self._refusals += 1
                return
        self._proof, self._until = keep(done, self.identity, self._verdicts), now() + HOLDS


class CheckedOnePass(Checked):
    """The same around an engine that scores many ablations at once."""

    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[tuple[Ablation, list[ResponseScore] | Failure], None, None]:
        assert isinstance(self.engine, OnePassEngine)
        try:
            self._make_sure(job)
        except EngineError as error:
            for ablation in ablations:
                yield ablation, Failure(str(error))
            return
        yield from self.engine.columns(conversation, ablations, job)


class CheckedRecomputing(CheckedOnePass):
    """The same around an engine that makes tokens when they are asked for."""

    def tokens(
        self, conversation: Conversation, response: int, ablations: Sequence[Ablation], job: Job
    ) -> dict[Ablation, Tokens]:
        assert isinstance(self.engine, RecomputingEngine)
        self._make_sure(job)
        return self.engine.tokens(conversation, response, ablations, job)


def keep(checks: Iterable[Check], identity: EngineIdentity, verdicts: Verdicts | None) -> Proof | None:
    """Keeps what the checks of an engine came to, when all are done: the proof where none failed; where one did, an
    earlier proof is forgotten. What the disk cannot do is passed over: it costs another check."""
    done = list(checks)
    measured = {name: value for check in done for name, value in check.measured.items()}
    failed = any(check.verdict == "fail" for check in done)
    try:
        if verdicts is not None and failed:
            verdicts.drop(digest(identity))
        elif verdicts is not None:
            verdicts.put(digest(identity), measured)
    except StoreError:
        pass
    return None if failed else Proof(measured.get(SECONDS), measured.get(NOISE))


def refusal(check: Check, identity: EngineIdentity) -> EngineError:
    """The engine is not used, because of a check that failed."""
    do = f"{check.do} `memscope doctor` makes all checks.".strip()
    return EngineError(f"not used, for its check failed: {check.said}", where=identity.url or None, do=do, lasting=True)


def bare(engine: Engine) -> Engine:
    """An engine without what is wrapped around it."""
    while isinstance(engine, Stored | Checked):
        engine = engine.engine
    return engine


def passed(engine: Engine) -> Proof | None:
    """The proof of an engine, as it may be wrapped; None where it has none, or needs none."""
    while isinstance(engine, Stored | Checked):
        if isinstance(engine, Checked):
            return engine.proof
        engine = engine.engine
    return None


def digest(identity: EngineIdentity) -> bytes:
    """What verdicts on an engine are kept under."""
    return hashlib.sha256(json.dumps(asdict(identity)).encode()).digest()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
