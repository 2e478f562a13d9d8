"""One memory of a matrix for reading: what it says, its numbers, where in the conversation it did something, and which
others say nearly the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from memscope.attribution.aggregates import Cutoffs, MemoryTotals, above
from memscope.attribution.duplicates import Duplicates
from memscope.attribution.matrix import Matrix, State
from memscope.conversation.model import Conversation
from memscope.reports.cell import CellDetail, cell_detail
from memscope.reports.matrix import STATE_NAMES, CellState, MemoryRow, memory_row
from memscope.reports.view import number

STRONGEST = 5


class EffectAt(NamedTuple):
    """The memory's effect on the response `message`, in nats, None where there is none; `counts`: it exceeds the
    cutoff either way; `before`: the response came before the memory, whatever became of its scoring."""

    message: int
    effect: float | None
    state: CellState
    counts: bool
    before: bool


@dataclass(frozen=True, slots=True)
class NearMemory:
    """Another memory that has `part` (0 to 1) of the shorter one's words in common: `shared`, sorted. `total` as in its
    own row."""

    key: str
    part: float
    shared: tuple[str, ...]
    total: float | None


@dataclass(frozen=True, slots=True)
class MemoryDetail:
    """A memory: its numbers (`row`, which also tells its length, its places and what recognised it), every text it had,
    as found, its effects response by response, the cells where it did most either way, and its near duplicates."""

    key: str
    texts: tuple[str, ...]
    row: MemoryRow
    effects: tuple[EffectAt, ...]
    strongest: tuple[CellDetail, ...]
    near: tuple[NearMemory, ...]

    def against(self, blur: float) -> EffectAt | None:
        """Where it worked against a response most, beyond the cutoff and beyond `blur` (`Capabilities`), in nats; None
        where it did against none."""
        hurt = [found for found in self.effects if found.counts and found.effect is not None and found.effect < -blur]
        return min(hurt, key=lambda found: found.effect or 0.0, default=None)


def duplicates_of(conversation: Conversation) -> Duplicates:
    """What `memory_detail` needs to know of all memories; made once for a conversation."""
    return Duplicates(["\n".join(memory.texts) for memory in conversation.memories])


def memory_detail(
    conversation: Conversation,
    matrix: Matrix,
    cut: Cutoffs,
    totals: MemoryTotals,
    row: int,
    *,
    duplicates: Duplicates,
) -> MemoryDetail:
    """The memory in `row`. `cut` and `totals` are the matrix's. Looks at one row and not at the whole matrix: a cursor
    that moves asks for one each time."""
    memory = conversation.memories[row]
    effects = np.where(matrix.state[row] == State.OK, matrix.effects[row], 0.0)
    strongest = above(np.where(np.abs(effects) > cut.cutoff, np.abs(effects), 0.0), 0.0)[:STRONGEST]
    return MemoryDetail(
        key=memory.key,
        texts=memory.texts,
        row=memory_row(conversation, matrix, totals, row),
        effects=_along(matrix, cut, row, memory.first),
        strongest=tuple(cell_detail(conversation, matrix, cut, row, column) for column in strongest),
        near=tuple(
            NearMemory(matrix.keys[near.row], near.part, near.shared, number(totals.total[near.row]))
            for near in duplicates.near(row)
        ),
    )


def _along(matrix: Matrix, cut: Cutoffs, row: int, first: int) -> tuple[EffectAt, ...]:
    known = np.isfinite(matrix.effects[row]).tolist()
    counts = (np.abs(matrix.effects[row]) > cut.cutoff).tolist()
    cells = zip(matrix.responses, matrix.effects[row].tolist(), matrix.state[row].tolist(), strict=True)
    return tuple(
        EffectAt(message, effect if there else None, STATE_NAMES[state], beyond, message < first)
        for (message, effect, state), there, beyond in zip(cells, known, counts, strict=True)
    )
