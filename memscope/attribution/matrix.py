"""The memory-by-response matrix: what is known of it so far, and the frozen picture of that.

    effect of memory n on response m = score(m, everything) - score(m, without n)

in nats, signed: positive when the memory made the wording likelier.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Failure, Marks, ResponseScore

Floats = NDArray[np.float64]

RETOKENISED = "retokenised: without the memory the response is cut into other tokens, so the scores do not compare"
OTHERWISE = "scored in another way than the conversation as it was: the server changed meanwhile"
NOT_VISIBLE = "memory not visible to this template: what stands before the response is the same with and without it"


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
    `cell_errors`: why single cells failed, by row and column, where the ablation itself did not. `reason`: why there is
    no matrix at all.
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
    cell_errors: Mapping[tuple[int, int], str]
    reason: str | None = None

    def __post_init__(self) -> None:
        for array in (self.baseline, self.again, self.stripped, self.effects, self.stray, self.state, self.tokens):
            array.setflags(write=False)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """[N, M]: the cells that sums leave out, failed or still pending."""
        return np.asarray((self.state == State.FAILED) | (self.state == State.PENDING))

    def error(self, row: int, column: int) -> str | None:
        """Why a cell has failed; None when it has not."""
        if self.state[row, column] != State.FAILED:
            return None
        return self.errors.get(Ablation.of(self.keys[row])) or self.cell_errors.get((row, column), "")


@dataclass(frozen=True, slots=True, eq=False)
class Landed:
    """What has landed of one ablation: totals [M] in nats and what they are of, with the scores where tokens are kept;
    or why it failed. `failures`: why single responses have no score, by column."""

    totals: Floats | None
    marks: Sequence[Marks | None] = ()
    failures: Mapping[int, str] = field(default_factory=dict)
    scores: list[ResponseScore] | None = None
    failure: str | None = None

    @classmethod
    def of(cls, result: list[ResponseScore] | Failure, *, keep_tokens: bool = False) -> Landed:
        """What an engine returned for an ablation."""
        if isinstance(result, Failure):
            return cls(None, failure=result.reason)
        return cls(
            np.array([score.total for score in result], np.float64),
            [score.marks for score in result],
            {column: score.failure for column, score in enumerate(result) if score.failure},
            list(result) if keep_tokens else None,
        )


class MatrixRun:
    """A matrix being filled: workers land scorings, anybody takes snapshots. Safe to use from any thread.

    The cells are kept as they are drawn, so that landing a scoring costs one row and a snapshot a few copies.
    """

    def __init__(self, conversation: Conversation, *, keep_tokens: bool = True) -> None:
        """`keep_tokens`: keep what landed token by token too, for want of a store that does."""
        self.conversation = conversation
        self.keys = tuple(memory.key for memory in conversation.memories)
        self.responses = conversation.responses
        first = np.array([memory.first for memory in conversation.memories], np.int64)
        self.before = np.array(self.responses, np.int64)[None, :] < first[:, None]
        """[N, M]: the memory first appears after the response."""
        self.before.setflags(write=False)
        seen = [key for key, before in zip(self.keys, self.before, strict=True) if not before.all()]
        self.everything = Ablation.of(*seen)
        """All the memories that any response could have seen, left out at once."""
        # One memory: leaving it out is leaving all out.
        plan = dict.fromkeys((BASELINE, *map(Ablation.of, seen), self.everything, AGAIN))
        self._nothing_to_do = nothing_to_score(conversation)
        self.plan = () if self._nothing_to_do else tuple(plan)
        self._keep_tokens = keep_tokens
        self._lock = threading.Lock()
        self._row = {Ablation.of(key): row for row, key in enumerate(self.keys)}
        self.blank = tuple(not "".join(memory.texts).strip() for memory in conversation.memories)
        """[N]: there is nothing to be seen of the memory."""
        self._cell_errors: list[dict[int, str]] = [{} for _ in self.keys]
        self._landed: dict[Ablation, Landed] = {}
        self._tokens = np.zeros(len(self.responses), np.int64)
        self._dirty = set(range(len(self.keys)))
        self._effects = np.where(self.before, 0.0, np.nan)
        self._stray = np.full(self.before.shape, np.nan)
        self._state = np.where(self.before, State.BEFORE, State.PENDING).astype(np.uint8)

    @property
    def reason(self) -> str | None:
        """Why there is no matrix: nothing to score, or a failed baseline."""
        with self._lock:
            return self._reason()

    def _reason(self) -> str | None:
        why = self._failure(BASELINE)
        if self._nothing_to_do is None and why is not None:
            return f"the conversation as it was could not be scored: {why}"
        return self._nothing_to_do

    def land(self, ablation: Ablation, result: list[ResponseScore] | Failure) -> None:
        """Takes in one scoring; a later one of the same ablation replaces it."""
        landed = Landed.of(result, keep_tokens=self._keep_tokens)
        with self._lock:
            self._landed[ablation] = landed
            if ablation == BASELINE and not isinstance(result, Failure):
                self._tokens = np.array([score.count or 0 for score in result], np.int64)
            self._redraw(ablation)

    def forget(self, ablations: Iterable[Ablation]) -> dict[Ablation, Landed]:
        """Takes back what has landed of these: they are pending again. Returned for `restore`."""
        with self._lock:
            taken = {ablation: self._landed.pop(ablation) for ablation in ablations if ablation in self._landed}
            for ablation in taken:
                self._redraw(ablation)
            return taken

    def restore(self, taken: Mapping[Ablation, Landed]) -> None:
        """Puts back what `forget` took, but for what has landed since."""
        with self._lock:
            for ablation, landed in taken.items():
                if ablation not in self._landed:
                    self._landed[ablation] = landed
                    self._redraw(ablation)

    @property
    def baseline_failed(self) -> bool:
        """Whether the conversation as it was could not be scored, which ends a run."""
        with self._lock:
            return self._failure(BASELINE) is not None

    def missing(self) -> tuple[Ablation, ...]:
        """The ablations of the plan that have no numbers: those that failed, and those a run has not come to."""
        with self._lock:
            landed = self._landed
            return tuple(a for a in self.plan if a not in landed or landed[a].totals is None)

    def failed(self) -> tuple[Ablation, ...]:
        """The ablations of the plan to be tried again: those that failed, and those never tried because the baseline
        failed, which ends a run."""
        with self._lock:
            ended = self._failure(BASELINE) is not None
            return tuple(a for a in self.plan if self._failure(a) is not None or (ended and a not in self._landed))

    def landed(self, ablations: Sequence[Ablation]) -> dict[Ablation, list[ResponseScore] | Failure]:
        """What has landed of these, as it came from the engine: failures, and scores where tokens are kept."""
        with self._lock:
            known = {ablation: self._landed[ablation] for ablation in ablations if ablation in self._landed}
        scores: dict[Ablation, list[ResponseScore] | Failure] = {
            ablation: landed.scores for ablation, landed in known.items() if landed.scores is not None
        }
        return scores | {a: Failure(landed.failure) for a, landed in known.items() if landed.failure is not None}

    def totals(self, ablations: Iterable[Ablation]) -> dict[Ablation, Landed]:
        """What has landed of these, as the matrix sees it: totals, or why there are none."""
        with self._lock:
            return {ablation: self._landed[ablation] for ablation in ablations if ablation in self._landed}

    def take_dirty(self) -> frozenset[int]:
        """The rows whose drawing may have changed since this was last asked."""
        with self._lock:
            dirty, self._dirty = frozenset(self._dirty), set()
            return dirty

    def snapshot(self) -> Matrix:
        """The matrix as far as it is known now."""
        with self._lock:
            return Matrix(
                keys=self.keys,
                responses=self.responses,
                baseline=self._totals(BASELINE),
                again=self._comparable(AGAIN),
                stripped=self._comparable(self.everything),
                effects=self._effects.copy(),
                stray=self._stray.copy(),
                state=self._state.copy(),
                tokens=self._tokens,
                errors={a: why for a in self.plan if (why := self._failure(a)) is not None},
                cell_errors={(row, c): why for row, of in enumerate(self._cell_errors) for c, why in of.items()},
                reason=self._reason(),
            )

    def _totals(self, ablation: Ablation) -> Floats:
        landed = self._landed.get(ablation)
        return np.full(len(self.responses), np.nan) if landed is None or landed.totals is None else landed.totals

    def _comparable(self, ablation: Ablation) -> Floats:
        """The totals of an ablation, NaN where they are of other tokens than the baseline's."""
        totals, baseline = self._totals(ablation), self._landed.get(BASELINE)
        odd = [] if baseline is None else differences(baseline, self._landed.get(ablation), after=None)
        if odd:
            totals = totals.copy()
            totals[list(odd)] = np.nan
        return totals

    def _failure(self, ablation: Ablation) -> str | None:
        landed = self._landed.get(ablation)
        return None if landed is None else landed.failure

    def _redraw(self, ablation: Ablation) -> None:
        """Brings the cells up to date with what has just landed of `ablation`, or was taken back."""
        if ablation == BASELINE:
            for single, row in self._row.items():
                self._redraw_row(single, row)
        row_of_it = self._row.get(ablation)
        if row_of_it is not None:
            self._redraw_row(ablation, row_of_it)
        if row_of_it is None or self.before[row_of_it].any():  # it moves the noise floor, or the sums, of every row
            self._dirty.update(range(len(self.keys)))
        else:
            self._dirty.add(row_of_it)

    def _redraw_row(self, ablation: Ablation, row: int) -> None:
        baseline, landed = self._landed.get(BASELINE), self._landed.get(ablation)
        self._cell_errors[row] = {}
        if landed is not None and landed.failure is not None:  # a failed row is wholly failed
            self._effects[row] = self._stray[row] = np.nan
            self._state[row] = State.FAILED
            return
        before = self.before[row]
        if landed is None or landed.totals is None or baseline is None or baseline.totals is None:
            self._effects[row] = np.where(before, 0.0, np.nan)
            self._stray[row] = np.nan
            self._state[row] = np.where(before, State.BEFORE, State.PENDING)
            return
        raw = baseline.totals - landed.totals
        self._effects[row] = np.where(before, 0.0, raw)
        self._stray[row] = np.where(before, raw, np.nan)
        self._state[row] = np.where(before, State.BEFORE, State.OK)
        odd = differences(baseline, landed, after=None if self.blank[row] else before)
        for column, why in odd.items():
            if before[column]:
                self._stray[row, column] = np.nan
            else:
                self._cell_errors[row][column] = why
                self._effects[row, column], self._state[row, column] = np.nan, State.FAILED


def differences(baseline: Landed, other: Landed | None, *, after: NDArray[np.bool_] | None) -> dict[int, str]:
    """Why scores of single responses cannot be compared with the baseline's, by column; the baseline can be any
    ablation that leaves out less than the other.

    `after` [M]: where what the other leaves out comes only after the response, so that nothing before it has to differ;
    None: nowhere has it to.
    """
    if other is None:
        return {}
    found = dict(baseline.failures) | dict(other.failures)
    for column, (was, now) in enumerate(zip(baseline.marks, other.marks, strict=False)):
        if column in found or (was is None and now is None):
            continue
        if was is None or now is None:
            found[column] = OTHERWISE
        elif was.response != now.response:
            found[column] = RETOKENISED
        elif after is not None and not after[column] and was.context == now.context:
            found[column] = NOT_VISIBLE
    return found


def nothing_to_score(conversation: Conversation) -> str | None:
    """Why no effect can be measured in it; None where one can."""
    if not conversation.responses:
        return "the conversation has no response"
    if not conversation.memories:
        return "no memory was found in the conversation"
    return None
