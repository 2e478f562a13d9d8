"""One response: the memories that mattered to it, where in its words, and what explains the others away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from memscope.attribution.aggregates import Cutoffs, cutoffs, important, response_totals
from memscope.attribution.explained import already_said
from memscope.attribution.matrix import Matrix
from memscope.attribution.tokens import Heat
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.view import Column, Document, View, number, show


class ImportantMemory(Document):
    """A memory whose effect exceeds the response's cutoff; `share` is of the response's `stripped` effect, `per_token`
    and `effect` are in nats. `text` is the memory's."""

    key: str
    effect: float
    per_token: float | None
    share: float | None
    verdict: None = None
    text: str


class HeatSpan(Document):
    """Effect in nats on the token at [start, end) of the response's text."""

    start: int
    end: int
    effect: float


class Explained(Document):
    """A memory whose effect here is small because response `message` had already said what it says."""

    key: str
    message: int


class Selection(Document):
    """The words asked about: [start, end) of the response's text."""

    start: int
    end: int
    text: str


class ResponseDocument(Document):
    """`heat` is against the conversation without `memory`, or without any memory when that is null. With a
    `selection`, effects are those on its words alone."""

    schema_: Literal["memscope/response@1"] = Field("memscope/response@1", alias="schema")
    message: int
    text: str
    important: list[ImportantMemory]
    heat: list[HeatSpan]
    memory: str | None = None
    selection: Selection | None = None
    already_said: list[Explained] = Field(default_factory=list)
    stripped: float | None = None
    tokens: int | None = None
    noise: float | None = None
    cutoff: float | None = None
    left_out: int = 0
    reason: str | None = None


def response_document(
    conversation: Conversation,
    matrix: Matrix,
    message: int,
    threshold: float,
    *,
    heat: Heat | None = None,
    memory: str | None = None,
    selection: tuple[int, int] | None = None,
    word_effects: Mapping[str, float] | None = None,
) -> ResponseDocument:
    """The document of the response at `message`; an empty list of memories when no response stands there.

    `word_effects`: each memory's effect on the selected words, which then takes the place of its whole effect.
    """
    if message not in matrix.responses:
        return ResponseDocument(
            message=message, text="", important=[], heat=[], reason=f"message #{message} is no response"
        )
    column = matrix.responses.index(message)
    cut = cutoffs(matrix, threshold)
    totals = response_totals(matrix, cut)
    text = response_text(conversation, message)
    return ResponseDocument(
        message=message,
        text=text,
        important=_important(conversation, matrix, cut, column, word_effects),
        heat=[] if heat is None else _spans(heat),
        memory=memory,
        selection=selection and Selection(start=selection[0], end=selection[1], text=text[slice(*selection)]),
        already_said=_explained(conversation, matrix, cut, column),
        stripped=number(totals.stripped[column]),
        tokens=int(matrix.tokens[column]) or None,
        noise=number(cut.noise[column]),
        cutoff=float(cut.cutoff[column]),
        left_out=int(totals.left_out[column]),
        reason=matrix.reason,
    )


def _important(
    conversation: Conversation,
    matrix: Matrix,
    cut: Cutoffs,
    column: int,
    word_effects: Mapping[str, float] | None,
) -> list[ImportantMemory]:
    stripped = number(matrix.baseline[column] - matrix.stripped[column])
    tokens = int(matrix.tokens[column])
    if word_effects is None:
        effects = {matrix.keys[row]: float(matrix.effects[row, column]) for row in important(matrix, cut, column)}
    else:
        above = ((key, effect) for key, effect in word_effects.items() if effect > cut.cutoff[column])
        effects = dict(sorted(above, key=lambda pair: -pair[1]))
    message = matrix.responses[column]
    texts = {m.key: m.text for before in conversation.messages[:message] for m in before.memories}  # the latest stays
    return [
        ImportantMemory(
            key=key,
            effect=effect,
            per_token=effect / tokens if tokens else None,
            share=effect / stripped if stripped is not None and stripped > cut.cutoff[column] else None,
            text=texts[key],
        )
        for key, effect in effects.items()
    ]


def _spans(heat: Heat) -> list[HeatSpan]:
    rows = zip(heat.starts.tolist(), heat.ends.tolist(), heat.effects.tolist(), strict=True)
    return [HeatSpan(start=start, end=end, effect=effect) for start, end, effect in rows]


def _explained(conversation: Conversation, matrix: Matrix, cut: Cutoffs, column: int) -> list[Explained]:
    memories = ["\n".join(memory.texts) for memory in conversation.memories]
    responses = [response_text(conversation, message) for message in matrix.responses]
    found = already_said(matrix, cut, column, memories, responses)
    return [Explained(key=matrix.keys[said.row], message=matrix.responses[said.earlier]) for said in found]


RESPONSE: View[ResponseDocument, ImportantMemory] = View(
    "response",
    ResponseDocument,
    lambda document: document.important,
    lambda _: (
        Column("memory", lambda row: row.key),
        Column("effect", lambda row: row.effect, "nats"),
        Column("per token", lambda row: row.per_token, "nats a token", rank=1),
        Column("share", lambda row: row.share, "of stripped", shown=lambda row: _percent(row.share)),
        Column("text", lambda row: row.text, wide=True),
    ),
)


def _percent(share: float | None) -> str:
    return show(None) if share is None else f"{share:.0%}"
