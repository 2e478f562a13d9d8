"""The memory-by-response matrix: what is known of it so far, and the frozen picture of that.

    effect of memory n on response m = score(m, everything) - score(m, without n)

in nats, signed: positive when the memory made the wording likelier.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Failure, ResponseScore

Floats = NDArray[np.float64]


class State(IntEnum):
    """What a cell is. `BEFORE`: the memory first appears after the response, so the effect is exactly 0."""

    PENDING = 0
    OK = 1
    FAILED = 2
    BEFORE = 3


@dataclass(frozen=True)
class Matrix:
    """N memories by M responses, as far as they are scored. Arrays are not to be written to.

    `baseline`, `again`, `stripped` [M]: the responses' scores as they were, a second time, and with every memory
    removed. `effects` [N, M] signed nats: 0 where `BEFORE`, NaN where there is none. `stray` [N, M]: what the engine
    returned for `BEFORE` cells, where the truth is 0; NaN elsewhere. `state` [N, M]: `State`. `tokens` [M]: tokens a
    response, 0 where the engine does not count them. `errors`: the reason for each failed ablation, by name.
    `reason`: why there is no matrix at all.
    """

    keys: tuple[str, ...]
    responses: tuple[int, ...]
    baseline: Floats
    again: Floats
    stripped: Floats
    effects: Floats
    stray: Floats
    state: NDArray[np.uint8]
    tokens: NDArray[np.int64]
    errors: Mapping[str, str]
    reason: str | None = None

    @property
    def missing(self) -> NDArray[np.bool_]:
        """[N, M]: the cells that sums leave out, failed or still pending."""
        return np.isin(self.state, (State.FAILED, State.PENDING))


class MatrixRun:
    """A matrix being filled: workers land scorings, anybody takes snapshots. Safe to use from any thread."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.keys = tuple(memory.key for memory in conversation.memories)
        self.responses = conversation.responses
        self.reason = _no_matrix(self.keys, self.responses)
        self._lock = threading.Lock()
        self._dirty = set(range(len(self.keys)))
        self._results: dict[Ablation, list[ResponseScore] | Failure] = {}
        first = np.array([memory.first for memory in conversation.memories], np.int64)
        self._before = np.array(self.responses, np.int64)[None, :] < first[:, None]
        seen = [key for key, before in zip(self.keys, self._before, strict=True) if not before.all()]
        self.everything = Ablation.of(*seen)
        """All the memories that any response could have seen, left out at once."""
        # One memory: leaving it out is leaving all out.
        plan = dict.fromkeys((BASELINE, *map(Ablation.of, seen), self.everything, AGAIN))
        self.plan = () if self.reason else tuple(plan)

    def land(self, ablation: Ablation, result: list[ResponseScore] | Failure) -> None:
        """Takes in one scoring of the plan; a later one of the same ablation replaces it."""
        with self._lock:
            self._results[ablation] = result
            if ablation == BASELINE:
                self._dirty.update(range(len(self.keys)))
                if isinstance(result, Failure):
                    self.reason = f"the conversation as it was could not be scored: {result.reason}"
                else:
                    self.reason = None
            elif ablation == AGAIN:
                self._dirty.update(range(len(self.keys)))  # the noise floor moves every cutoff
            elif len(ablation.removed) == 1:
                self._dirty.add(self.keys.index(next(iter(ablation.removed))))

    def failed(self) -> tuple[Ablation, ...]:
        """The ablations of the plan to be tried again: those that failed, and those never tried because the baseline
        failed, which ends a run."""
        with self._lock:
            ended = isinstance(self._results.get(BASELINE), Failure)
            again = (Failure, type(None)) if ended else Failure
            return tuple(a for a in self.plan if isinstance(self._results.get(a), again))

    def landed(self, ablations: Sequence[Ablation]) -> dict[Ablation, list[ResponseScore] | Failure]:
        """What has landed of these, as it came from the engine."""
        with self._lock:
            return {ablation: self._results[ablation] for ablation in ablations if ablation in self._results}

    def take_dirty(self) -> frozenset[int]:
        """The rows that changed since this was last asked."""
        with self._lock:
            dirty, self._dirty = frozenset(self._dirty), set()
            return dirty

    def snapshot(self) -> Matrix:
        """The matrix as far as it is known now."""
        with self._lock:
            results = dict(self._results)
            reason = self.reason
        m, n = len(self.responses), len(self.keys)
        baseline = self._totals(results, BASELINE)
        raw = np.full((n, m), np.nan)
        state = np.full((n, m), State.PENDING, np.uint8)
        errors: dict[str, str] = {}
        for row, key in enumerate(self.keys):
            result = results.get(Ablation.of(key))
            if isinstance(result, Failure):
                errors[key] = result.reason
                state[row] = State.FAILED
            elif result is not None and not np.isnan(baseline).all():
                raw[row] = baseline - [score.total for score in result]
                state[row] = State.OK
        all_of_them = {self.everything: "all memories"} if len(self.everything.removed) > 1 else {}
        for ablation, name in (all_of_them | {AGAIN: "baseline again"}).items():
            if isinstance(result := results.get(ablation), Failure):
                errors.setdefault(name, result.reason)
        # A failed row is wholly failed, before or not.
        before = self._before & (state != State.FAILED)
        state[before] = State.BEFORE
        return Matrix(
            keys=self.keys,
            responses=self.responses,
            baseline=baseline,
            again=self._totals(results, AGAIN),
            stripped=self._totals(results, self.everything),
            effects=np.where(before, 0.0, raw),
            stray=np.where(before, raw, np.nan),
            state=state,
            tokens=_counts(results.get(BASELINE), m),
            errors=errors,
            reason=reason,
        )

    def _totals(self, results: Mapping[Ablation, list[ResponseScore] | Failure], ablation: Ablation) -> Floats:
        result = results.get(ablation)
        if result is None or isinstance(result, Failure):
            return np.full(len(self.responses), np.nan)
        return np.array([score.total for score in result], np.float64)


def _no_matrix(keys: Sequence[str], responses: Sequence[int]) -> str | None:
    if not responses:
        return "the conversation has no response"
    if not keys:
        return "no memory was found in the conversation"
    return None


def _counts(result: list[ResponseScore] | Failure | None, responses: int) -> NDArray[np.int64]:
    if result is None or isinstance(result, Failure):
        return np.zeros(responses, np.int64)
    return np.array([score.count or 0 for score in result], np.int64)
