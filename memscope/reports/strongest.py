"""The strongest cells of a matrix, each in words: the memory, the place in the response, and how strong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memscope.attribution.matrix import Matrix
from memscope.attribution.tokens import Heat
from memscope.base.text import preview
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text

_AROUND = 70  # characters shown on each side of the strongest word


@dataclass(frozen=True, slots=True)
class CellNote:
    """A cell for reading: `effect` in nats, `share` of the response's stripped effect (None when that is not
    positive), `memory` and `response` excerpts on one clean line, `word` the strongest one, `word_effect` its nats."""

    key: str
    message: int
    effect: float
    share: float | None
    memory: str
    response: str
    word: str = ""
    word_effect: float = 0.0


def cell_notes(
    conversation: Conversation,
    matrix: Matrix,
    cells: list[tuple[int, int]],
    heat_of: Callable[[int, int], Heat | None],
) -> list[CellNote]:
    """A note for each (row, column); `heat_of` gives a cell's heat where there is one."""
    return [_note(conversation, matrix, row, column, heat_of(row, column)) for row, column in cells]


def _note(conversation: Conversation, matrix: Matrix, row: int, column: int, heat: Heat | None) -> CellNote:
    effect = float(matrix.effects[row, column])
    stripped = float(matrix.baseline[column] - matrix.stripped[column])
    message = matrix.responses[column]
    text = response_text(conversation, message)
    span = heat.strongest() if heat is not None else None
    start, end = span or (0, 0)
    excerpt = preview(text, 2 * _AROUND)
    if span is not None and start > _AROUND:
        excerpt = "…" + preview(text[start - _AROUND :], 2 * _AROUND)
    return CellNote(
        key=matrix.keys[row],
        message=message,
        effect=effect,
        share=effect / stripped if stripped > 0 else None,
        memory=preview(conversation.memories[row].texts[-1], 2 * _AROUND),
        response=excerpt,
        word=preview(text[start:end], 40),
        word_effect=heat.within(start, end) if heat is not None and span else 0.0,
    )
