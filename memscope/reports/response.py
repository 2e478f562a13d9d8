"""One response: the memories that mattered to it, where in its words, and what explains the others away."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from memscope.attribution.aggregates import Cutoffs, above, cutoffs, response_totals, share
from memscope.attribution.explained import already_said
from memscope.attribution.matrix import Matrix
from memscope.attribution.redundancy import Verdict
from memscope.attribution.tokens import Heat
from memscope.base.text import Span, preview
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.verdicts import VerdictReader
from memscope.reports.view import Column, Document, View, number, show


class ImportantMemory(Document):
    """A memory whose effect exceeds the response's cutoff; `share` is of the response's `stripped` effect, `per_token`
    and `effect` are in nats. `verdict`: what the memory is to the whole response, null where that was not computed.
    `text` is the memory's, as the response could see it."""

    key: str
    effect: float
    per_token: float | None
    share: float | None
    verdict: Verdict | None = None
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
    """The words asked about: `text`, where it first stands ([start, end) of the response's text), and all `spans`."""

    start: int
    end: int
    text: str
    spans: list[tuple[int, int]]


class FailedMemory(Document):
    """A memory that could not be scored, and why; `again`: it may have failed in passing, and scoring it again may
    help."""

    key: str
    error: str
    again: bool = True


class ResponseDocument(Document):
    """`important`: effects above the cutoff; `against`: below minus it, strongest first; `failed`: not scored;
    `redundant`: memories of neither, whose verdict is that others do what they would, where it was computed. `heat` is
    against the conversation without `memory`, or without any memory when that is null. With a `selection`, effects,
    `per_token`, `share` and `heat` are those of its words alone."""

    schema_: Literal["memscope/response@1"] = Field("memscope/response@1", alias="schema")
    message: int
    text: str
    important: list[ImportantMemory]
    against: list[ImportantMemory] = Field(default_factory=list)
    failed: list[FailedMemory] = Field(default_factory=list)
    redundant: list[ImportantMemory] = Field(default_factory=list)
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


@dataclass(frozen=True, slots=True)
class Words:
    """What was asked about a part of a response's text: its spans, each memory's effect on them and that of all
    memories together, in nats, and their number of tokens. Without tokens `effects` is None: the whole response's
    stand in for it."""

    spans: tuple[Span, ...]
    effects: Mapping[str, float] | None = None
    stripped: float | None = None
    tokens: int = 0


def touching(heat: Sequence[HeatSpan], span: Span) -> range:
    """The places in `heat`, ascending, of the tokens that touch a part of the response's text."""
    first = bisect_right(heat, span[0], key=lambda token: token.end)
    while first and heat[first - 1].start == span[0]:  # of no width: a part of the character that begins there
        first -= 1
    return range(first, max(first, bisect_left(heat, span[1], key=lambda token: token.start)))


def effect_on(heat: Sequence[HeatSpan], spans: Sequence[Span]) -> float | None:
    """The effect on the words of `spans` in nats, as `Heat.within` has it; None where nothing is known of words."""
    touched = {place for span in spans for place in touching(heat, span)}
    return sum(heat[place].effect for place in sorted(touched)) if heat else None


def no_response(conversation: Conversation, message: int) -> ResponseDocument:
    """The document of a message that is no response, or not there at all."""
    last = len(conversation.messages) - 1
    there = 0 <= message <= last
    reason = f"message #{message} is no response" if there else f"there is no message #{message}, only #0 to #{last}"
    return ResponseDocument(message=message, text="", important=[], heat=[], reason=reason)


def response_document(
    conversation: Conversation,
    matrix: Matrix,
    message: int,
    threshold: float,
    *,
    heat: Heat | None = None,
    memory: str | None = None,
    words: Words | None = None,
    verdicts: VerdictReader | None = None,
) -> ResponseDocument:
    """The document of the response at `message`. `heat`: of `memory`, or of all. `words`: what was asked about.
    `verdicts`: where they were computed."""
    column = matrix.responses.index(message)
    cut = cutoffs(matrix, threshold)
    totals = response_totals(matrix, cut)
    text = response_text(conversation, message)
    cutoff = float(cut.cutoff[column])
    known = ~matrix.missing[:, column]
    effects = {key: float(matrix.effects[row, column]) for row, key in enumerate(matrix.keys) if known[row]}
    stripped, tokens = number(totals.stripped[column]), int(matrix.tokens[column])
    if words is not None and words.effects is not None:
        effects, stripped, tokens = dict(words.effects), words.stripped, words.tokens
    found = {key: row for key in effects if verdicts is not None and (row := verdicts.of(key, message)) is not None}
    keys, values = list(effects), np.array(list(effects.values()), np.float64)

    def entry(index: int) -> ImportantMemory:
        key, effect = keys[index], float(values[index])
        return ImportantMemory(
            key=key,
            effect=effect,
            per_token=effect / tokens if tokens else None,
            share=share(effect, stripped, cutoff) if stripped is not None and effect > 0 else None,
            verdict=found[key].verdict if key in found else None,
            text=conversation.memory_text(key, before=message),
        )

    important, against = above(values, cutoff), above(-values, cutoff)
    told = {*important, *against}
    stands_in = [
        i for i, key in enumerate(keys) if i not in told and key in found and found[key].verdict == "redundant"
    ]
    return ResponseDocument(
        message=message,
        text=text,
        important=[entry(index) for index in important],
        against=[entry(index) for index in against],
        failed=_failed(matrix, column),
        redundant=[entry(index) for index in sorted(stands_in, key=lambda index: -(found[keys[index]].alone or 0.0))],
        heat=[] if heat is None else _spans(heat, words),
        memory=memory,
        selection=words and _selection(text, words),
        already_said=_explained(conversation, matrix, cut, column),
        stripped=number(totals.stripped[column]),
        tokens=int(matrix.tokens[column]) or None,
        noise=number(cut.noise[column]),
        cutoff=cutoff,
        left_out=int(totals.left_out[column]),
        reason=matrix.reason,
    )


def _failed(matrix: Matrix, column: int) -> list[FailedMemory]:
    found = []
    for row, key in enumerate(matrix.keys):
        whole = matrix.errors.get(Ablation.of(key))
        why = whole or matrix.error(row, column)
        if why is not None:
            found.append(FailedMemory(key=key, error=why, again=whole is not None))
    return found


def _selection(text: str, words: Words) -> Selection:
    start, end = words.spans[0]
    return Selection(start=start, end=end, text=text[start:end], spans=list(words.spans))


def _spans(heat: Heat, words: Words | None) -> list[HeatSpan]:
    rows = zip(heat.starts.tolist(), heat.ends.tolist(), heat.effects.tolist(), strict=True)
    asked = heat.at(words.spans) if words is not None else np.ones(len(heat.starts), np.bool_)
    return [
        HeatSpan(start=s, end=e, effect=effect) for (s, e, effect), wanted in zip(rows, asked, strict=True) if wanted
    ]


def _explained(conversation: Conversation, matrix: Matrix, cut: Cutoffs, column: int) -> list[Explained]:
    memories = ["\n".join(memory.texts) for memory in conversation.memories]
    responses = [response_text(conversation, message) for message in matrix.responses]
    found = already_said(matrix, cut, column, memories, responses)
    return [Explained(key=matrix.keys[said.row], message=matrix.responses[said.earlier]) for said in found]


_VERDICT: Column[ImportantMemory] = Column("verdict", lambda row: row.verdict)
RESPONSE: View[ResponseDocument, ImportantMemory] = View(
    "response",
    ResponseDocument,
    lambda document: [*document.important, *document.redundant],
    lambda document: (
        Column("memory", lambda row: row.key),
        Column("effect", lambda row: row.effect, "nats"),
        *([_VERDICT] if any(row.verdict for row in RESPONSE.rows(document)) else []),
        Column("per token", lambda row: row.per_token, "nats a token", rank=1),
        Column("share", lambda row: row.share, "of stripped", shown=lambda row: percent(row.share)),
        Column("text", lambda row: row.text, wide=True, shown=lambda row: preview(row.text, 200)),
    ),
)


def percent(share: float | None) -> str:
    """A share for a person; a memory that did more than all together is said so."""
    if share is None:
        return show(None)
    return ">100%" if share > 1.005 else f"{share:.0%}" if share > 0.005 else "<1%"
