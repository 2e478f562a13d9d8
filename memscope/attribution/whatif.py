"""What-if: some memories left out for good, and everything scored again without them.

    change of response m      = score(m, without them) - score(m, as it was)
    difference of n on m      = effect of n on m without them - effect of n on m as it was

both in nats and signed. A negative change: the wording becomes less likely. A positive difference: the memory does more
now, so it takes over what those that are gone did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memscope.attribution.aggregates import Cutoffs, MemoryTotals, cutoffs, memory_totals
from memscope.attribution.matrix import Floats, Landed, Matrix, MatrixRun, State, differences
from memscope.conversation.ablation import BASELINE, Ablation

AS_IT_WAS, WITHOUT = "as it was", "without them"


@dataclass(frozen=True, eq=False)
class WhatIf:
    """K memories that stay by M responses, as far as both sides are scored; NaN where a number is missing or failed.

    `whole`: the matrix as it was; `less`: the matrix without the memories `removed`, with the whole's message indices.
    `change` [M] and `change_state` [M]: of the responses. `before`, `after` and `differences` [K, M], with `state`
    [K, M]: effects of those that stay. A state is `BEFORE` where all that is gone, or the memory itself, comes after
    the response: change and difference are exactly 0. `errors`: why a response's change is not known, by column.
    `reason`: why nothing is. `blur`, in nats: what any text may move under the engine (`Capabilities`).
    """

    removed: tuple[str, ...]
    whole: Matrix
    less: Matrix
    change: Floats
    change_state: NDArray[np.uint8]
    before: Floats
    after: Floats
    differences: Floats
    state: NDArray[np.uint8]
    errors: Mapping[int, str]
    reason: str | None = None
    blur: float = 0.0

    @property
    def keys(self) -> tuple[str, ...]:
        """The memories that stay."""
        return self.less.keys

    @property
    def responses(self) -> tuple[int, ...]:
        """Message indices, in the whole conversation."""
        return self.whole.responses

    def cutoffs(self, threshold: float) -> Cutoffs:
        """Of each response the larger noise floor and the larger cutoff of both matrices, which is at least `blur`: any
        text that goes changes every response a little. `threshold` in nats."""
        one, other = (cutoffs(matrix, max(threshold, self.blur)) for matrix in (self.whole, self.less))
        return Cutoffs(np.fmax(one.noise, other.noise), np.fmax(one.cutoff, other.cutoff))

    def totals(self, cut: Cutoffs) -> tuple[MemoryTotals, MemoryTotals]:
        """What the effects of those that stay add up to, as it was and without the others, over the same cells."""
        blank = np.full(self.before.shape, np.nan)
        shared = replace(self.less, stray=blank, state=self.state.copy(), errors={}, cell_errors={})
        before, after = (replace(shared, effects=effects.copy()) for effects in (self.before, self.after))
        return memory_totals(before, cut), memory_totals(after, cut)

    def error(self, row: int | None, column: int) -> str | None:
        """Why the difference in a cell is not known, or, without a row, the change of a response; None where it is, or
        is still to come."""
        if row is None:
            return self.errors.get(column) if self.change_state[column] == State.FAILED else None
        if self.state[row, column] != State.FAILED:
            return None
        if column in self.errors:
            return self.errors[column]
        was = self.whole.error(self.whole.keys.index(self.keys[row]), column)
        return f"{AS_IT_WAS}: {was}" if was is not None else f"{WITHOUT}: {self.less.error(row, column) or ''}"


class WhatIfRun:
    """A run of the conversation as it was, and beside it one of the conversation without some memories, which fills.
    Safe to use from any thread, as both runs are."""

    def __init__(self, whole: MatrixRun, less: MatrixRun, *, blur: float = 0.0) -> None:
        self.whole, self.less, self._blur = whole, less, blur
        stay = set(less.keys)
        self._rows = [row for row, key in enumerate(whole.keys) if key in stay]
        self._gone = [row for row, key in enumerate(whole.keys) if key not in stay]
        self.removed = tuple(whole.keys[row] for row in self._gone)
        # Where no memory is left the responses are scored all the same.
        self.plan = less.plan or tuple(ablation for ablation in whole.plan if not ablation.removed)
        """The ablations of `less` that are to be scored."""

    def missing(self) -> tuple[Ablation, ...]:
        """What of the plan has no numbers yet."""
        landed = self.less.totals(self.plan)
        return tuple(a for a in self.plan if a not in landed or landed[a].totals is None)

    def snapshot(self) -> WhatIf:
        """What is known now."""
        whole, less = self.whole.snapshot(), replace(self.less.snapshot(), responses=self.whole.responses)
        was, now = (run.totals((BASELINE,)).get(BASELINE) for run in (self.whole, self.less))
        later: NDArray[np.bool_] = np.all(
            self.whole.before[self._gone], axis=0
        )  # nothing that is gone stands before the response
        errors = self._errors(was, now, later)
        failed = np.isin(np.arange(len(whole.responses)), list(errors))
        change = less.baseline - whole.baseline
        before, after, state = self._cells(whole, less, failed, later)
        return WhatIf(
            removed=self.removed,
            whole=whole,
            less=less,
            change=np.where(later, 0.0, np.where(failed, np.nan, change)),
            change_state=np.select(
                [later, failed, np.isnan(change)], [State.BEFORE, State.FAILED, State.PENDING], State.OK
            ).astype(np.uint8),
            before=before,
            after=after,
            differences=after - before,
            state=state,
            errors=errors,
            reason=_reason(whole, now),
            blur=self._blur,
        )

    def _errors(self, was: Landed | None, now: Landed | None, later: NDArray[np.bool_]) -> dict[int, str]:
        """Why the scores of responses on both sides cannot be compared."""
        columns = range(len(later))
        for side, landed in ((AS_IT_WAS, was), (WITHOUT, now)):
            if landed is not None and landed.failure is not None:
                return dict.fromkeys(columns, f"{side}: {landed.failure}")
        if was is None:
            return {}
        seen = any(not self.whole.blank[row] for row in self._gone)
        return differences(was, now, after=later if seen else None)

    def _cells(
        self, whole: Matrix, less: Matrix, failed: NDArray[np.bool_], later: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        """[K, M] each: effects as they were, effects without the others, and the state of both together."""
        before, states = whole.effects[self._rows], (whole.state[self._rows], less.state)
        any_failed, any_pending = ((states[0] == s) | (states[1] == s) for s in (State.FAILED, State.PENDING))
        same = later & (states[0] != State.FAILED) & (states[0] != State.PENDING)
        state = np.select(
            [same, states[0] == State.BEFORE, any_failed | failed, any_pending],
            [State.BEFORE, State.BEFORE, State.FAILED, State.PENDING],
            State.OK,
        ).astype(np.uint8)
        missing = (state == State.FAILED) | (state == State.PENDING)
        before = np.where(missing, np.nan, before)
        return before, np.where(missing, np.nan, np.where(state == State.BEFORE, before, less.effects)), state


def _reason(whole: Matrix, now: Landed | None) -> str | None:
    """Why nothing is known at all."""
    if whole.reason is not None:
        return whole.reason
    if now is not None and now.failure is not None:
        return f"the conversation without them could not be scored: {now.failure}"
    return None
