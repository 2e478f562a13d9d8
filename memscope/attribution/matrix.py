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


@dataclass(frozen=True, eq=False)
class Matrix:
    """N memories by M responses, as far as they are scored. The arrays cannot be written to.

    `baseline`, `again`, `stripped` [M]: the responses' scores as they were, a second time, and with every memory
    removed. `effects` [N, M] signed nats: 0 where `BEFORE`, NaN where there is none. `stray` [N, M]: what the engine
    returned for `BEFORE` cells, where the truth is 0; NaN elsewhere. `state` [N, M]: `State`. `tokens` [M]: tokens a
    response, 0 where the engine does not count them. `errors`: why ablations failed, in the order of the plan.
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
    errors: Mapping[Ablation, str]
    reason: str | None = None

    def __post_init__(self) -> None:
        for array in (self.baseline, self.again, self.stripped, self.effects, self.stray, self.state, self.tokens):
            array.setflags(write=False)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """[N, M]: the cells that sums leave out, failed or still pending."""
        return np.isin(self.state, (State.FAILED, State.PENDING))


class MatrixRun:
    """A matrix being filled: workers land scorings, anybody takes snapshots. Safe to use from any thread."""

    def __init__(self, conversation: Conversation, *, keep_tokens: bool = True) -> None:
        """`keep_tokens`: keep what landed token by token too, for want of a store that does."""
        self.conversation = conversation
        self.keys = tuple(memory.key for memory in conversation.memories)
        self.responses = conversation.responses
        first = np.array([memory.first for memory in conversation.memories], np.int64)
        self._before = np.array(self.responses, np.int64)[None, :] < first[:, None]
        seen = [key for key, before in zip(self.keys, self._before, strict=True) if not before.all()]
        self.everything = Ablation.of(*seen)
        """All the memories that any response could have seen, left out at once."""
        # One memory: leaving it out is leaving all out.
        plan = dict.fromkeys((BASELINE, *map(Ablation.of, seen), self.everything, AGAIN))
        self._nothing_to_do = _no_matrix(self.keys, self.responses)
        self.plan = () if self._nothing_to_do else tuple(plan)
        self._keep_tokens = keep_tokens
        self._lock = threading.Lock()
        self._row = {Ablation.of(key): row for row, key in enumerate(self.keys)}
        self._totals: dict[Ablation, Floats] = {}
        self._failures: dict[Ablation, str] = {}
        self._scores: dict[Ablation, list[ResponseScore]] = {}
        self._tokens = np.zeros(len(self.responses), np.int64)
        self._dirty = set(range(len(self.keys)))

    @property
    def reason(self) -> str | None:
        """Why there is no matrix: nothing to score, or a failed baseline."""
        with self._lock:
            return self._reason()

    def _reason(self) -> str | None:
        if self._nothing_to_do is None and BASELINE in self._failures:
            return f"the conversation as it was could not be scored: {self._failures[BASELINE]}"
        return self._nothing_to_do

    def land(self, ablation: Ablation, result: list[ResponseScore] | Failure) -> None:
        """Takes in one scoring; a later one of the same ablation replaces it."""
        scores = [] if isinstance(result, Failure) else result
        totals = np.array([score.total for score in scores], np.float64)
        tokens = np.array([score.count or 0 for score in scores], np.int64)
        with self._lock:
            self._totals.pop(ablation, None)
            self._failures.pop(ablation, None)
            self._scores.pop(ablation, None)
            if isinstance(result, Failure):
                self._failures[ablation] = result.reason
            else:
                self._totals[ablation] = totals
                if self._keep_tokens:
                    self._scores[ablation] = list(result)
                if ablation == BASELINE:
                    self._tokens = tokens
            row = self._row.get(ablation)
            if row is None or self._before[row].any():  # it moves the noise floor, or the sums, of every row
                self._dirty.update(range(len(self.keys)))
            else:
                self._dirty.add(row)

    def failed(self) -> tuple[Ablation, ...]:
        """The ablations of the plan to be tried again: those that failed, and those never tried because the baseline
        failed, which ends a run."""
        with self._lock:
            ended = BASELINE in self._failures
            return tuple(a for a in self.plan if a in self._failures or (ended and a not in self._totals))

    def landed(self, ablations: Sequence[Ablation]) -> dict[Ablation, list[ResponseScore] | Failure]:
        """What has landed of these, as it came from the engine: failures, and scores where tokens are kept."""
        with self._lock:
            scores: dict[Ablation, list[ResponseScore] | Failure] = {
                ablation: self._scores[ablation] for ablation in ablations if ablation in self._scores
            }
            return scores | {a: Failure(self._failures[a]) for a in ablations if a in self._failures}

    def take_dirty(self) -> frozenset[int]:
        """The rows whose drawing may have changed since this was last asked."""
        with self._lock:
            dirty, self._dirty = frozenset(self._dirty), set()
            return dirty

    def snapshot(self) -> Matrix:
        """The matrix as far as it is known now."""
        with self._lock:
            totals, failures, tokens, reason = dict(self._totals), dict(self._failures), self._tokens, self._reason()
        unknown = np.full(len(self.responses), np.nan)
        baseline = totals.get(BASELINE, unknown)
        raw = np.full((len(self.keys), len(self.responses)), np.nan)
        state = np.full(raw.shape, State.PENDING, np.uint8)
        for ablation, row in self._row.items():
            if ablation in failures:
                state[row] = State.FAILED
            elif ablation in totals and BASELINE in totals:
                raw[row] = baseline - totals[ablation]
                state[row] = State.OK
        before = self._before & (state != State.FAILED)  # a failed row is wholly failed
        state[before] = State.BEFORE
        return Matrix(
            keys=self.keys,
            responses=self.responses,
            baseline=baseline,
            again=totals.get(AGAIN, unknown),
            stripped=totals.get(self.everything, unknown),
            effects=np.where(before, 0.0, raw),
            stray=np.where(before, raw, np.nan),
            state=state,
            tokens=tokens,
            errors={ablation: failures[ablation] for ablation in self.plan if ablation in failures},
            reason=reason,
        )


def _no_matrix(keys: Sequence[str], responses: Sequence[int]) -> str | None:
    if not responses:
        return "the conversation has no response"
    if not keys:
        return "no memory was found in the conversation"
    return None
