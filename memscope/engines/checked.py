"""The wrapper that makes sure: an engine behind it is checked before it is first asked for a score.

It stands between the store and the engine, so that a run that is wholly on disk asks nothing. That an engine passed is
kept for a day; that it failed is not, for somebody will mend it and run again.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

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
    RememberingEngine,
    ResponseScore,
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


Look = Callable[[Job], str]
"""Says what an engine that failed its check is in truth spoken to by, and what to do about that; empty where it does
not know better."""


def checked(engine: Engine, spec: EngineSpec, verdicts: Verdicts | None, look: Look = lambda _: "") -> Engine:
    """`engine`, checked before its first use; itself where there is no check, or none that is made unasked. Without
    `verdicts` it is remembered in this process alone that it passed."""
    if spec.check is None or not spec.quiet:
        return engine
    one_pass = isinstance(engine, OnePassEngine)
    return (CheckedOnePass if one_pass else Checked)(engine, spec, verdicts, look)


class Checked:
    """An engine that is used only once it passed its checks. When one fails, whatever was asked for raises a lasting
    `EngineError` with its words; the next asks again."""

    def __init__(self, engine: Engine, spec: EngineSpec, verdicts: Verdicts | None, look: Look) -> None:
        self.engine = engine
        self._look = look
        self._spec = spec
        self._verdicts = verdicts
        self._key = digest(engine.identity)
        self._checking = threading.Lock()
        self._checker: Job | None = None  # whose check is under way
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
        self.make_sure(job)
        return self.engine.score(prompt, job)

    def forget(self) -> None:
        if isinstance(self.engine, RememberingEngine):
            self.engine.forget()

    def close(self) -> None:
        self.engine.close()

    def make_sure(self, job: Job) -> None:
        """Checks the engine, if it has yet to be. Raises a lasting `EngineError` where a check fails, `Cancelled`."""
        refusals = self._refusals
        while not (turn := self._checking).acquire(timeout=_LOOK):
            job.check()
            checker = self._checker
            if checker is not None and checker.cancelled and turn is self._checking:
                self._checking = threading.Lock()  # nobody waits for a request that nobody wants any more
        try:
            self._checker = job
            if self.proof is not None:
                return
            if self._refusals == refusals:  # nobody has found out while this one waited
                self._check(job)
            if self._refused is not None:
                raise refusal(self._refused, self.identity)
        finally:
            turn.release()

    def _check(self, job: Job) -> None:
        assert self._spec.check is not None
        self._refused, done = None, []
        with job.aside(f"checking {self.capabilities.label}"):
            for check in self._spec.check(self.engine, job):
                done.append(check)
                if check.verdict == "fail":
                    better = self._look(job)
                    self._refused = replace(check, do=better) if better else check
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
            self.make_sure(job)
        except EngineError as error:
            for ablation in ablations:
                yield ablation, Failure(str(error))
            return
        yield from self.engine.columns(conversation, ablations, job)


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
    do = check.do if "memscope doctor" in check.do else f"{check.do} `memscope doctor` makes all checks.".strip()
    return EngineError(f"not used, for its check failed: {check.said}", where=identity.url or None, do=do, lasting=True)


def bare(engine: Engine) -> Engine:
    """An engine without what is wrapped around it."""
    while isinstance(engine, Stored | Checked):
        engine = engine.engine
    return engine


def make_sure(engine: Engine, job: Job) -> None:
    """Checks an engine, as it may be wrapped, if it has yet to be: before anything else is asked of it. Raises
    `EngineError` where a check fails, `Cancelled`."""
    while isinstance(engine, Stored | Checked):
        if isinstance(engine, Checked):
            engine.make_sure(job)
            return
        engine = engine.engine


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
