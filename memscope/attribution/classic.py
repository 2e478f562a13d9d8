"""Classic mode: the numbers of the first memory scorers, to compare with, and all that is peculiar about them.

An effect that made a wording less likely counts as 0, and so does one that could not be measured: of a scoring that
failed, or of a response that no score came back for. What an engine returned for a memory that came after the response
counts as measured. Only neighbours are taken for the same memory, so one that returns after another has a row of its
own each time, and counts as often. There is no noise floor: the threshold alone decides what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from memscope.attribution.finetune import Dependence
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation


class ClassicRun(MatrixRun):
    """A run whose matrix is the classic one, of a scoring for each memory and one more: without a repeated baseline,
    and without leaving out all memories at once."""

    def __init__(self, conversation: Conversation, *, keep_tokens: bool = True) -> None:
        super().__init__(conversation, keep_tokens=keep_tokens)
        if self.plan:
            self.plan = (BASELINE, *map(Ablation.of, self.keys))

    def snapshot(self) -> Matrix:
        return classic_view(super().snapshot())


def classic_view(matrix: Matrix) -> Matrix:
    """The matrix as classic mode tells it, one row a memory. Why scorings failed is still told. A failed baseline
    remains one."""
    if matrix.reason is not None:
        return matrix
    pending = matrix.state == State.PENDING
    known = np.where(matrix.state == State.BEFORE, matrix.stray, matrix.effects)
    effects = np.where(pending, np.nan, np.fmax(0.0, known))
    came_after = (matrix.state == State.BEFORE) & ~(effects > 0)
    return replace(
        matrix,
        effects=effects,
        stray=np.full(matrix.stray.shape, np.nan),
        again=np.full(matrix.again.shape, np.nan),
        state=np.where(pending | came_after, matrix.state, State.OK).astype(np.uint8),
    )


def with_returning(conversation: Conversation, matrix: Matrix) -> Matrix:
    """The matrix with a row for every time a memory returns after another one."""
    row_of = {key: row for row, key in enumerate(matrix.keys)}
    rows = [row_of[key] for key in appearances(conversation)]
    places = {row: [place for place, other in enumerate(rows) if other == row] for row in rows}
    return replace(
        matrix,
        keys=tuple(matrix.keys[row] for row in rows),
        effects=matrix.effects[rows],
        stray=matrix.stray[rows],
        state=matrix.state[rows],
        cell_errors={
            (place, column): why for (row, column), why in matrix.cell_errors.items() for place in places[row]
        },
    )


def appearances(conversation: Conversation) -> Sequence[str]:
    """The memories' keys as they appear, neighbours of one key taken together."""
    found = (memory.key for message in conversation.messages for memory in message.memories)
    return [key for key, _ in groupby(found)]


def classic_dependences(matrix: Matrix) -> list[Dependence]:
    """What every response owes to all memories together, the most first, ties in order, from a matrix in which the
    scoring without them has landed: a response without a score owes nothing."""
    effects = np.nan_to_num(matrix.baseline - matrix.stripped, nan=0.0).tolist()
    found = [
        Dependence(column, message, max(0.0, effect), int(matrix.tokens[column]) or None)
        for column, (message, effect) in enumerate(zip(matrix.responses, effects, strict=True))
    ]
    return sorted(found, key=lambda one: -one.effect)
