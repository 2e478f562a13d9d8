"""What-if for reading: which responses change when some memories are gone, and which memories take over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field

from memscope.attribution.aggregates import unmeasured
from memscope.attribution.matrix import Matrix, State
from memscope.attribution.whatif import WhatIf
from memscope.base.settings import Settings
from memscope.base.text import clean_line, counted, preview
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.engines.protocol import EngineIdentity
from memscope.reports.grid import Grid
from memscope.reports.matrix import (
    STATE_NAMES,
    CellState,
    ConversationPart,
    CostPart,
    EnginePart,
    SettingsPart,
    conversation_part,
    memory_chars,
    settings_part,
)
from memscope.reports.view import Column, Document, View, nats, number, signed

WHOLE = "whole response"
"""How the row is called that says how each response changes; it stands above those of the memories."""

_NAMED = 3  # memories that are named in a sentence


class WhatIfResponse(Document):
    """A response: its score as it was, without the memories, and the `change`, in nats; negative: the wording becomes
    less likely. `counts`: the change is beyond the cutoff either way. `takes_over`: the memory whose effect on it rises
    most, beyond the cutoff, and by how much it is `taken`. In the state `before` all that is gone comes after it."""

    message: int
    preview: str
    before: float | None
    after: float | None
    change: float | None
    counts: bool
    noise: float | None
    cutoff: float
    takes_over: str | None
    taken: float | None
    state: CellState
    error: str | None


class WhatIfMemory(Document):
    """A memory that stays: the total of its effects as it was and without the others, and how that (`total`) and the
    signed sum (`net`) change, over the effects known on both sides; null where none is. `takes_over`: responses on
    which its effect rises beyond the cutoff; `left_out`: differences that failed."""

    key: str
    preview: str
    before: float | None
    after: float | None
    total: float | None
    net: float | None
    takes_over: int
    left_out: int
    error: str | None


class WhatIfFailure(Document):
    """Why a difference is not known: of one memory on one response; null: of all."""

    key: str | None
    message: int | None
    error: str


class WhatIfDocument(Document):
    """`removed`: the memories left out together; `chars` and `tokens` they take in the conversation, tokens null where
    the engine does not count them. `differences`, in nats: the effect of a memory that stays without the others minus
    its effect as it was, a row a memory, a column a response; positive: it takes over."""

    schema_: Literal["memscope/whatif@1"] = Field("memscope/whatif@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    settings: SettingsPart
    removed: list[str]
    chars: int
    tokens: int | None
    responses: list[WhatIfResponse]
    memories: list[WhatIfMemory]
    differences: list[list[float | None]]
    states: list[list[CellState]]
    failed: list[WhatIfFailure]
    reason: str | None
    cost: CostPart


@dataclass(frozen=True, slots=True)
class DifferenceCell:
    """A memory (None: the response as a whole) and a response: `before`, `after` and `difference` in nats, None where
    there is nothing to say. `counts`: the difference is beyond the cutoff; `told`: the state in words, with the reason
    of a failure. `memory` and `response` are excerpts on one clean line."""

    key: str | None
    message: int
    before: float | None
    after: float | None
    difference: float | None
    cutoff: float
    counts: bool
    state: CellState
    told: str
    memory: str
    response: str


class WhatIfReader:
    """Reads one what-if as far as it has come, with what is beyond `threshold` nats. `tokens` that what is
    gone takes in the conversation, where they are known."""

    def __init__(self, conversation: Conversation, found: WhatIf, threshold: float, tokens: int | None = None) -> None:
        self.conversation = conversation
        self.found = found
        self.threshold = threshold
        self._cut = found.cutoffs(threshold)
        self._memories = {memory.key: memory for memory in conversation.memories}
        gone = [self._memories[key] for key in found.removed]
        self.chars = sum(memory_chars(conversation, memory) for memory in gone)
        self.tokens = tokens

    @cached_property
    def responses(self) -> list[WhatIfResponse]:
        """How every response changes, in the conversation's order."""
        found, cut = self.found, self._cut
        counts = np.abs(found.change) > cut.cutoff  # NaN is not
        return [
            WhatIfResponse(
                message=message,
                preview=preview(response_text(self.conversation, message)),
                before=number(found.whole.baseline[column]),
                after=number(found.less.baseline[column]),
                change=number(found.change[column]),
                counts=bool(counts[column]),
                noise=number(cut.noise[column]),
                cutoff=float(cut.cutoff[column]),
                takes_over=None if (row := self._takers[column]) < 0 else found.keys[row],
                taken=None if row < 0 else number(found.differences[row, column]),
                state=STATE_NAMES[int(found.change_state[column])],
                error=found.error(None, column),
            )
            for column, message in enumerate(found.responses)
        ]

    @cached_property
    def memories(self) -> list[WhatIfMemory]:
        """What becomes of every memory that stays, in the conversation's order."""
        found = self.found
        before, after = found.totals(self._cut)
        return [
            WhatIfMemory(
                key=key,
                preview=preview(self._memories[key].texts[-1], 200),
                before=number(before.total[row]),
                after=number(after.total[row]),
                total=number(after.total[row] - before.total[row]),
                net=number(after.net[row] - before.net[row]),
                takes_over=int(np.count_nonzero(found.differences[row] > self._cut.cutoff)),
                left_out=int(before.left_out[row]),
                error=self._error(row),
            )
            for row, key in enumerate(found.keys)
        ]

    @property
    def changed(self) -> list[WhatIfResponse]:
        """The responses that change beyond their cutoff, the most first."""
        rows = [row for row in self.responses if row.counts]
        return sorted(rows, key=lambda row: -abs(row.change or 0.0))

    @property
    def takers(self) -> list[WhatIfMemory]:
        """The memories that take over in a response, those whose total rises most first."""
        return sorted((row for row in self.memories if row.takes_over), key=lambda row: -(row.total or 0.0))

    @cached_property
    def _takers(self) -> list[int]:
        """For each response the row whose effect rises most beyond the cutoff, the first of equals; -1 for none."""
        rises = np.nan_to_num(self.found.differences, nan=-np.inf)
        if not len(rises):
            return [-1] * len(self.found.responses)
        most: list[int] = np.where(rises.max(axis=0) > self._cut.cutoff, rises.argmax(axis=0), -1).tolist()
        return most

    def _error(self, row: int) -> str | None:
        """Why differences of a memory are not known: the first reason."""
        columns = np.flatnonzero(self.found.state[row] == State.FAILED)
        return self.found.error(row, int(columns[0])) if len(columns) else None

    @cached_property
    def grid(self) -> Grid:
        """The differences for a heatmap. The first row is the change of each response; it adds up to nothing."""
        found = self.found
        values = np.vstack([found.change[None, :], found.differences])
        state = np.vstack([found.change_state[None, :], found.state])
        rises = np.maximum(np.nan_to_num(found.differences), 0.0)
        known = np.isfinite(found.differences)
        nothing = unmeasured(_with_state(found)) | ~known.any(axis=1)
        return Grid(
            keys=(WHOLE, *found.keys),
            responses=found.responses,
            values=values,
            state=state,
            noise=(np.abs(values) <= self._cut.cutoff) & (state == State.OK),
            row_totals=np.concatenate([[np.nan], np.where(nothing, np.nan, rises.sum(axis=1))]),
            column_totals=np.where(known.any(axis=0), rises.sum(axis=0), np.nan),
        )

    def cell(self, row: int, column: int, width: int = 300) -> DifferenceCell:
        """One cell of the grid told in full; excerpts are at most `width` characters."""
        found, message = self.found, self.found.responses[column]
        if row == 0:
            key, memory, state = None, "", int(found.change_state[column])
            numbers = (found.whole.baseline[column], found.less.baseline[column], found.change[column])
            error = found.error(None, column)
        else:
            place, key = row - 1, found.keys[row - 1]
            memory, state = self.conversation.memory_text(key, before=message), int(found.state[place, column])
            numbers = (found.before[place, column], found.after[place, column], found.differences[place, column])
            error = found.error(place, column)
        difference, cutoff = number(numbers[2]), float(self._cut.cutoff[column])
        counts = difference is not None and abs(difference) > cutoff
        return DifferenceCell(
            key=key,
            message=message,
            before=number(numbers[0]),
            after=number(numbers[1]),
            difference=difference,
            cutoff=cutoff,
            counts=counts,
            state=STATE_NAMES[state],
            told=_told(state, error, key),
            memory=preview(memory, width),
            response=preview(response_text(self.conversation, message), width),
        )

    def document(self, identity: EngineIdentity, settings: Settings, cost: CostPart) -> WhatIfDocument:
        """All of it."""
        found = self.found
        return WhatIfDocument(
            conversation=conversation_part(self.conversation),
            engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
            settings=settings_part(settings, self.threshold),
            removed=list(found.removed),
            chars=self.chars,
            tokens=self.tokens,
            responses=self.responses,
            memories=self.memories,
            differences=[[number(value) for value in row] for row in found.differences],
            states=[[STATE_NAMES[state] for state in row] for row in found.state.tolist()],
            failed=_failures(found),
            reason=found.reason,
            cost=cost,
        )

    # In words.

    @property
    def without_words(self) -> str:
        """What is gone: without a and b (58 tokens)."""
        size = counted(self.chars, "character") if self.tokens is None else counted(self.tokens, "token")
        return f"without {listed(self.found.removed)} ({size})"

    @property
    def result_words(self) -> str:
        """What comes of it, in a line: 2 of 8 responses change, most #14 (-9.12 nats); c takes over (+1.18)."""
        found = self.found
        if found.reason is not None:
            return found.reason
        changed, takers, there = self.changed, self.takers, len(found.responses)
        said = "no response changes beyond its cutoff"
        if changed:
            most, verb = changed[0], "change" if len(changed) > 1 else "changes"
            said = f"{len(changed)} of {counted(there, 'response')} {verb}, most #{most.message}"
            said += f" ({signed(most.change or 0.0)} nats)"
        if not takers:
            return f"{said}; no memory takes over"
        most_taken = f"{preview(takers[0].key, 40)} ({signed(takers[0].total or 0.0)})"
        if len(takers) == 1:
            return f"{said}; {most_taken} takes over"
        return f"{said}; {len(takers)} memories take over, most {most_taken}"


def listed(keys: Sequence[str]) -> str:
    """Keys in a sentence: a, b and c; of many the first."""
    names = [preview(key, 40) for key in keys]
    if len(names) > _NAMED + 1:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nothing"


def _with_state(found: WhatIf) -> Matrix:
    """The matrix without the memories, in the states of both sides."""
    return replace(found.less, state=found.state.copy())


def _failures(found: WhatIf) -> list[WhatIfFailure]:
    """Whole responses and whole memories first, then single cells."""
    failed = [
        WhatIfFailure(key=None, message=found.responses[column], error=why) for column, why in found.errors.items()
    ]
    for row, key in enumerate(found.keys):
        whole = [m.errors[Ablation.of(key)] for m in (found.whole, found.less) if Ablation.of(key) in m.errors]
        columns = [] if whole else np.flatnonzero(found.state[row] == State.FAILED).tolist()
        failed += [WhatIfFailure(key=key, message=None, error=why) for why in whole[:1]]
        failed += [
            WhatIfFailure(key=key, message=found.responses[column], error=found.error(row, column) or "")
            for column in columns
            if column not in found.errors
        ]
    return failed


def _told(state: int, error: str | None, key: str | None) -> str:
    if state == State.PENDING:
        return "not scored yet"
    if state == State.FAILED:
        return clean_line(f"could not be scored: {error or 'no reason was given'}")
    if state == State.BEFORE:
        what = "what is gone" if key is None else "what is gone, or the memory,"
        return f"{what} comes after this response, so nothing changes"
    return ""


_RESPONSE_COLUMNS: tuple[Column[WhatIfResponse], ...] = (
    Column("message", lambda row: row.message, "index", shown=lambda row: f"#{row.message}"),
    Column("change", lambda row: row.change, "nats", shown=lambda row: _signed(row.change), negative=True),
    Column("before", lambda row: row.before, "nats", rank=3),
    Column("after", lambda row: row.after, "nats", rank=3),
    Column("takes over", lambda row: row.takes_over or ""),
    Column("by", lambda row: row.taken, "nats", shown=lambda row: "" if row.taken is None else _signed(row.taken)),
    Column("cutoff", lambda row: row.cutoff, "nats", rank=4, shown=lambda row: f"{row.cutoff:.3g}"),
    Column("response", lambda row: row.preview, wide=True, rank=1),
)
_RESPONSE_FAILED: tuple[Column[WhatIfResponse], ...] = (
    Column("state", lambda row: row.state),
    Column("error", lambda row: row.error or "", wide=True),
)
_MEMORY_COLUMNS: tuple[Column[WhatIfMemory], ...] = (
    Column("memory", lambda row: row.key),
    Column("before", lambda row: row.before, "nats", rank=1),
    Column("after", lambda row: row.after, "nats", rank=1),
    Column("total", lambda row: row.total, "nats", shown=lambda row: _signed(row.total)),
    Column("net", lambda row: row.net, "nats", rank=2, shown=lambda row: _signed(row.net)),
    Column("takes over", lambda row: row.takes_over, "responses"),
    Column("text", lambda row: row.preview, wide=True, rank=3),
)
_MEMORY_FAILED: tuple[Column[WhatIfMemory], ...] = (
    Column("left out", lambda row: row.left_out, "cells", rank=1),
    Column("error", lambda row: row.error or "", wide=True),
)


def response_columns(rows: Sequence[WhatIfResponse]) -> tuple[Column[WhatIfResponse], ...]:
    """The columns of responses; where some failed, with those that say why."""
    return _RESPONSE_COLUMNS + (_RESPONSE_FAILED if any(row.error is not None for row in rows) else ())


def memory_columns(rows: Sequence[WhatIfMemory]) -> tuple[Column[WhatIfMemory], ...]:
    """The columns of memories that stay: how their totals change; where some failed, with those that say why."""
    return _MEMORY_COLUMNS + (_MEMORY_FAILED if any(row.error is not None for row in rows) else ())


def _signed(value: float | None) -> str:
    return "–" if value is None else signed(value) if value else nats(value)


WHATIF: View[WhatIfDocument, WhatIfResponse] = View(
    "whatif", WhatIfDocument, lambda document: document.responses, lambda document: response_columns(document.responses)
)
