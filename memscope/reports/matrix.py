"""The matrix document, and the lists of memories and of responses that are parts of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from memscope.attribution.aggregates import MemoryTotals, cutoffs, memory_totals, response_totals
from memscope.attribution.matrix import Matrix, State
from memscope.base.settings import Settings
from memscope.base.text import preview
from memscope.conversation.model import Conversation, MemoryEntry
from memscope.conversation.native import sha256
from memscope.conversation.render import response_text
from memscope.engines.protocol import EngineIdentity
from memscope.reports.failures import row_failure
from memscope.reports.memory_columns import MemoryDecision, memory_columns
from memscope.reports.noise import NoisePart, noise_part
from memscope.reports.view import Column, Document, View, number

CellState = Literal["ok", "failed", "before", "pending"]
STATE_NAMES: dict[int, CellState] = {
    State.PENDING: "pending",
    State.OK: "ok",
    State.FAILED: "failed",
    State.BEFORE: "before",
}


class ConversationPart(Document):
    """Which conversation: `sha256` is over its native form as loaded, `messages` their number."""

    source: str
    title: str
    messages: int
    sha256: str
    format: str
    item: int
    items: int
    window: int
    windows: int


class EnginePart(Document):
    name: str
    model: str
    url: str


class SettingsPart(Document):
    """`threshold` in nats; `context`: what stands before responses that are looked at; `compat`: null but in classic
    mode."""

    threshold: float
    context: Literal["full", "window"] = "full"
    compat: Literal["classic"] | None = None


class CostPart(Document):
    """What the run took: scorings the engine made, scorings found on disk, seconds."""

    scorings: int
    from_store: int
    seconds: float


class MemoryRow(Document):
    """A memory: where it occurs (message indices), its length, and its effects added up, in nats.

    Null where every cell of it is left out. `responses` counts the effects above the response's cutoff.

    The rest is null where it is not known: `tokens` that all its occurrences take, the `weight` (nats) that incremental
    scoring made of it and when it was `last_scored`, its `verdict` over all responses, and a person's `decision` and
    `note`.
    """

    key: str
    preview: str
    occurrences: list[int]
    chars: int
    rules: list[str]
    total: float | None
    net: float | None
    max: float | None
    mean: float | None
    responses: int | None
    against: float | None
    left_out: int
    state: Literal["ok", "failed", "partial"]
    error: str | None
    tokens: int | None = None
    weight: float | None = None
    last_scored: str | None = None
    verdict: str | None = None
    decision: MemoryDecision | None = None
    note: str | None = None


class ResponseRow(Document):
    """A response, by message index. `stripped`: what all memories together gave it; `gap`: that minus the single
    effects; `noise`: its noise floor; `cutoff`: what an effect must exceed to count; all in nats."""

    message: int
    preview: str
    baseline: float | None
    tokens: int | None
    total: float | None
    stripped: float | None
    gap: float | None
    noise: float | None
    cutoff: float
    top: str | None
    left_out: int


class MatrixDocument(Document):
    schema_: Literal["memscope/matrix@1"] = Field("memscope/matrix@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    settings: SettingsPart
    memories: list[MemoryRow]
    responses: list[ResponseRow]
    effects: list[list[float | None]]
    states: list[list[CellState]]
    reason: str | None
    cost: CostPart
    noise: NoisePart


class MemoriesDocument(Document):
    schema_: Literal["memscope/memories@1"] = Field("memscope/memories@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    memories: list[MemoryRow]
    reason: str | None


class ResponsesDocument(Document):
    schema_: Literal["memscope/responses@1"] = Field("memscope/responses@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    responses: list[ResponseRow]
    reason: str | None


def matrix_document(
    conversation: Conversation,
    matrix: Matrix,
    identity: EngineIdentity,
    threshold: float,
    cost: CostPart,
    *,
    settings: Settings | None = None,
) -> MatrixDocument:
    """`settings`: those it was made by, beside the threshold; None: the usual ones."""
    return MatrixDocument(
        conversation=conversation_part(conversation),
        engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
        settings=SettingsPart(threshold=threshold) if settings is None else settings_part(settings, threshold),
        memories=memory_rows(conversation, matrix, threshold),
        responses=response_rows(conversation, matrix, threshold),
        effects=[[number(effect) for effect in row] for row in matrix.effects],
        states=[[STATE_NAMES[state] for state in row] for row in matrix.state.tolist()],
        reason=matrix.reason,
        cost=cost,
        noise=noise_part(matrix, threshold),
    )


def memories_document(document: MatrixDocument) -> MemoriesDocument:
    return MemoriesDocument(
        conversation=document.conversation,
        engine=document.engine,
        memories=document.memories,
        reason=document.reason,
    )


def responses_document(document: MatrixDocument) -> ResponsesDocument:
    return ResponsesDocument(
        conversation=document.conversation,
        engine=document.engine,
        responses=document.responses,
        reason=document.reason,
    )


def all_responses(
    conversation: Conversation, matrix: Matrix, identity: EngineIdentity, threshold: float
) -> ResponsesDocument:
    """The document of the responses, without that of the matrix."""
    return ResponsesDocument(
        conversation=conversation_part(conversation),
        engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
        responses=response_rows(conversation, matrix, threshold),
        reason=matrix.reason,
    )


def conversation_part(conversation: Conversation) -> ConversationPart:
    source = conversation.source
    return ConversationPart(
        source=str(source.path) if source else "",
        title=conversation.title,
        messages=len(conversation.messages),
        sha256=sha256(conversation),
        format=source.format if source else "",
        item=source.item if source else 0,
        items=conversation.items,
        window=source.window if source else 0,
        windows=conversation.windows,
    )


def settings_part(settings: Settings, threshold: float | None = None) -> SettingsPart:
    """What of the settings numbers depend on; `threshold`: another than theirs."""
    return SettingsPart(
        threshold=settings.threshold if threshold is None else threshold,
        context=settings.context,
        compat=settings.compat or None,
    )


def memory_rows(conversation: Conversation, matrix: Matrix, threshold: float) -> list[MemoryRow]:
    totals = memory_totals(matrix, cutoffs(matrix, threshold))
    return [memory_row(conversation, matrix, totals, row) for row in range(len(matrix.keys))]


def memory_row(conversation: Conversation, matrix: Matrix, totals: MemoryTotals, row: int) -> MemoryRow:
    """The row of one memory; `totals` are those of the matrix."""
    memory = _entry(conversation, matrix.keys[row], row)
    of_row, failure = matrix.state[row], row_failure(matrix, row)
    failed = (of_row == State.FAILED).any() and not (of_row == State.OK).any()
    return MemoryRow(
        key=memory.key,
        preview=preview(memory.texts[-1], 200),
        occurrences=list(memory.occurrences),
        chars=memory_chars(conversation, memory),
        rules=list(memory.rules),
        total=number(totals.total[row]),
        net=number(totals.net[row]),
        max=number(totals.max[row]),
        mean=number(totals.mean[row]),
        responses=int(totals.responses[row]) if math.isfinite(totals.total[row]) else None,
        against=number(totals.against[row]),
        left_out=int(totals.left_out[row]),
        state="failed" if failed else "partial" if totals.left_out[row] else "ok",
        error=failure.error if failure is not None else None,
    )


def response_rows(conversation: Conversation, matrix: Matrix, threshold: float) -> list[ResponseRow]:
    cut = cutoffs(matrix, threshold)
    totals = response_totals(matrix, cut)
    return [
        ResponseRow(
            message=message,
            preview=preview(response_text(conversation, message)),
            baseline=number(matrix.baseline[column]),
            tokens=int(matrix.tokens[column]) or None,
            total=number(totals.total[column]) if len(matrix.keys) else None,
            stripped=number(totals.stripped[column]),
            gap=number(totals.gap[column]),
            noise=number(cut.noise[column]),
            cutoff=float(cut.cutoff[column]),
            top=matrix.keys[totals.top[column]] if totals.top[column] >= 0 else None,
            left_out=int(totals.left_out[column]),
        )
        for column, message in enumerate(matrix.responses)
    ]


def _entry(conversation: Conversation, key: str, row: int) -> MemoryEntry:
    """The memory of a row: the one at its place, but where memories that return have rows of their own."""
    memories = conversation.memories
    if row < len(memories) and memories[row].key == key:
        return memories[row]
    return next(memory for memory in memories if memory.key == key)


def memory_chars(conversation: Conversation, memory: MemoryEntry) -> int:
    """Characters the memory takes in the conversation, every occurrence counted."""
    places = dict.fromkeys(memory.occurrences)
    return sum(len(m.text) for i in places for m in conversation.messages[i].memories if m.key == memory.key)


def _matrix_columns(document: MatrixDocument) -> Sequence[Column[int]]:
    """The memory, then one column a response; rows are row numbers."""

    def cell(column: int) -> Column[int]:
        message = document.responses[column].message
        return Column(
            f"#{message}",
            lambda row: document.effects[row][column],
            "nats",
            shown=lambda row: glyph(
                document.effects[row][column], document.states[row][column], document.responses[column].cutoff
            ),
        )

    return [
        Column("memory", lambda row: document.memories[row].key),
        *(cell(column) for column in range(len(document.responses))),
    ]


def glyph(effect: float | None, state: CellState, cutoff: float) -> str:
    """A cell in few characters; what is no number has a sign of its own, never colour alone."""
    if state == "before":
        return " "
    if state == "failed":
        return "×"
    if state == "pending" or effect is None:
        return "…"
    if abs(effect) <= cutoff:
        return "·"
    if abs(effect) < 0.5:
        return "+" if effect > 0 else "-"
    return f"{effect:.0f}" if abs(effect) >= 9.95 else f"{effect:.1f}"


def _memory_columns(document: MemoriesDocument) -> Sequence[Column[MemoryRow]]:
    missing = any(row.left_out for row in document.memories) and document.reason is None
    return memory_columns(document.memories, missing=missing)


_RESPONSE_COLUMNS: tuple[Column[ResponseRow], ...] = (
    Column("message", lambda row: row.message, "index", shown=lambda row: f"#{row.message}"),
    Column("response", lambda row: row.preview, wide=True),
    Column("total", lambda row: row.total, "nats"),
    Column("stripped", lambda row: row.stripped, "nats", rank=2),
    Column("gap", lambda row: row.gap, "nats", rank=1),
    Column("top memory", lambda row: row.top),
    Column("noise", lambda row: row.noise, "nats", rank=3),
    Column("baseline", lambda row: row.baseline, "nats", rank=4),
    Column("tokens", lambda row: row.tokens, "tokens", rank=5),
    Column("left out", lambda row: row.left_out, "cells", rank=6),
)

MATRIX: View[MatrixDocument, int] = View(
    "matrix", MatrixDocument, lambda document: range(len(document.memories)), _matrix_columns
)
MEMORIES: View[MemoriesDocument, MemoryRow] = View(
    "memories", MemoriesDocument, lambda document: document.memories, _memory_columns
)
RESPONSES: View[ResponsesDocument, ResponseRow] = View(
    "responses", ResponsesDocument, lambda document: document.responses, lambda _: _RESPONSE_COLUMNS
)
