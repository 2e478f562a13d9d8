"""The strongest cells of a matrix, each in words: the memory, the place in the response, and how strong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memscope.attribution.aggregates import cutoffs, response_totals, share
from memscope.attribution.matrix import Matrix
from memscope.attribution.tokens import Heat
from memscope.base.text import preview
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.matrix import MatrixDocument, ResponseRow

_AROUND = 70  # characters shown on each side of the strongest word


@dataclass(frozen=True, slots=True)
class CellNote:
    """A cell for reading: `effect` in nats, `share` of the response's stripped effect (None where that says nothing),
    `memory` and `response` excerpts on one clean line, `word` the one that did most in the effect's direction and
    `word_effect` its nats. `spread`: no few words carry the effect, as when a long memory dilutes all others."""

    key: str
    message: int
    effect: float
    share: float | None
    memory: str
    response: str
    word: str = ""
    word_effect: float = 0.0
    spread: bool = False


def cell_notes(
    conversation: Conversation,
    matrix: Matrix,
    cells: Sequence[tuple[int, int]],
    heats: Mapping[tuple[int, int], Heat],
    threshold: float,
) -> list[CellNote]:
    """A note for each (row, column), from its heat where there is one."""
    cut = cutoffs(matrix, threshold)
    stripped = response_totals(matrix, cut).stripped
    notes = []
    for row, column in cells:
        effect, message, heat = float(matrix.effects[row, column]), matrix.responses[column], heats.get((row, column))
        text = response_text(conversation, message)
        strongest = heat.strongest(effect) if heat is not None else None
        start, end, word_effect = strongest or (0, 0, 0.0)
        key = matrix.keys[row]
        notes.append(
            CellNote(
                key=key,
                message=message,
                effect=effect,
                share=share(effect, float(stripped[column]), float(cut.cutoff[column])) if effect > 0 else None,
                memory=preview(conversation.memory_text(key, before=message), 2 * _AROUND),
                response=_excerpt(text, start),
                word=preview(text[start:end], 40),
                word_effect=word_effect,
                spread=heat is not None and not heat.concentrated(effect),
            )
        )
    return notes


def _excerpt(text: str, around: int) -> str:
    """The beginning of a text, or what stands around a place further on."""
    if around <= _AROUND:
        return preview(text, 2 * _AROUND)
    return "…" + preview(text[around - _AROUND :], 2 * _AROUND)


@dataclass(frozen=True, slots=True)
class Remarks:
    """What single cells do not show. `shared`: the response with the most support that memories share, where that is
    at least 5 nats and a quarter of all; `idle`: keys of the memories whose effect is under a nat everywhere."""

    shared: ResponseRow | None
    idle: list[str]


def remarks(document: MatrixDocument) -> Remarks:
    """What is to be said of a matrix beside its strongest cells."""
    rows = [row for row in document.responses if row.gap is not None and row.stripped is not None]
    most = max(rows, key=lambda row: row.gap or 0.0, default=None)
    clear = most is not None and (most.gap or 0.0) > max(5.0, (most.stripped or 0.0) / 4)
    idle = [memory.key for memory in document.memories if memory.max is not None and memory.max < 1.0]
    return Remarks(most if clear else None, idle)
