"""All memories of a conversation for a pane: rows and details of a matrix that fills, without doing twice what need not
be done twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import NamedTuple

from memscope.attribution.aggregates import cutoffs, memory_totals
from memscope.attribution.duplicates import Duplicates
from memscope.attribution.matrix import Matrix, State
from memscope.base.clock import iso
from memscope.base.text import preview
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.engines.protocol import EngineIdentity
from memscope.reports.failures import RowFailure, row_failure
from memscope.reports.incremental import ScoreAt
from memscope.reports.matrix import (
    EnginePart,
    MemoriesDocument,
    MemoryRow,
    conversation_part,
    memory_row,
    memory_rows,
)
from memscope.reports.memory import MemoryDetail, duplicates_of, memory_detail
from memscope.reports.memory_columns import memory_columns
from memscope.reports.view import Column

_UNKNOWN = dict.fromkeys(("total", "net", "max", "mean", "responses", "against"))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of memories beside their effects, by key: the `tokens` they take, the `weights` that incremental
    scoring made of them and when, their `verdicts` in words, and what a person decided and noted. What is not known of
    a memory is not there."""

    tokens: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, ScoreAt] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    def of(self, row: MemoryRow) -> MemoryRow:
        """A row with what is known of its memory."""
        weight = self.weights.get(row.key)
        return row.model_copy(
            update={
                "tokens": self.tokens.get(row.key),
                "weight": None if weight is None else weight.weight,
                "last_scored": None if weight is None else iso(weight.at),
                "verdict": self.verdicts.get(row.key) or None,
                "decision": self.decisions.get(row.key) or None,
                "note": self.notes.get(row.key) or None,
            }
        )

    def unlike(self, other: Known) -> set[str]:
        """The keys of the memories of which something else is known."""
        found: set[str] = set()
        for name in _KNOWN:
            here, there = getattr(self, name), getattr(other, name)
            found.update(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
        return found


_KNOWN = tuple(one.name for one in fields(Known))
NOTHING = Known()


class Version(NamedTuple):
    """A text of a memory, and the message in which it first stands."""

    message: int
    text: str


class MemoryReader:
    """Reads memories off the latest matrix it was given: `look` first, whenever matrix or threshold have changed."""

    def __init__(self, conversation: Conversation, matrix: Matrix, threshold: float) -> None:
        self.conversation = conversation
        self.known = NOTHING
        self.place = {memory.key: row for row, memory in enumerate(conversation.memories)}
        self._openings: dict[int, str] = {}
        self.look(matrix, threshold)

    def look(self, matrix: Matrix, threshold: float) -> None:
        """Takes a matrix of the same conversation; `threshold` in nats."""
        self.matrix, self.threshold = matrix, threshold
        self._cut = cutoffs(matrix, threshold)
        self._totals = memory_totals(matrix, self._cut)

    @cached_property
    def _duplicates(self) -> Duplicates:
        return duplicates_of(self.conversation)

    def rows(self, places: Iterable[int] | None = None) -> list[MemoryRow]:
        """The rows of some memories, by their place in the conversation; of all: None."""
        wanted = range(len(self.matrix.keys)) if places is None else sorted(places)
        return [self._row(memory_row(self.conversation, self.matrix, self._totals, row), row) for row in wanted]

    def _row(self, found: MemoryRow, row: int) -> MemoryRow:
        """While nothing of a memory is measured, that it did nothing to earlier responses says nothing of it yet."""
        waits = State.PENDING in self.matrix.state[row] and State.OK not in self.matrix.state[row]
        return self.known.of(found.model_copy(update=_UNKNOWN) if waits else found)

    def columns(self, rows: Sequence[MemoryRow]) -> tuple[Column[MemoryRow], ...]:
        """The columns of the MEMORIES view; those that tell of failures where there are some, not while rows wait."""
        missing = self.matrix.reason is None and any(row.error is not None for row in rows)
        return memory_columns(rows, missing=missing)

    def failure(self, key: str) -> RowFailure | None:
        """What failed of a memory; None where nothing did. Raises KeyError."""
        return row_failure(self.matrix, self.place[key])

    def detail(self, key: str) -> MemoryDetail:
        """A memory, with its effects along the conversation and its near duplicates. Raises KeyError."""
        row = self.place[key]
        found = memory_detail(self.conversation, self.matrix, self._cut, self._totals, row, duplicates=self._duplicates)
        return replace(found, row=self._row(found.row, row))

    def versions(self, key: str) -> list[Version]:
        """The distinct texts of a memory, each with the message that first has it. Raises KeyError."""
        memory = self.conversation.memories[self.place[key]]
        first: dict[str, int] = {}
        for message in dict.fromkeys(memory.occurrences):
            for part in self.conversation.messages[message].memories:
                if part.key == key:
                    first.setdefault(part.text, message)
        return [Version(first[text], text) for text in memory.texts]

    def response(self, message: int) -> str:
        """What a response says, as found."""
        return response_text(self.conversation, message)

    def opening(self, message: int) -> str:
        """The opening words of a response, on one clean line."""
        if message not in self._openings:
            self._openings[message] = preview(self.response(message))
        return self._openings[message]


def chosen_memories(
    conversation: Conversation,
    matrix: Matrix,
    identity: EngineIdentity,
    threshold: float,
    keys: Iterable[str] | None = None,
    *,
    known: Known = NOTHING,
) -> MemoriesDocument:
    """The document of the memories with these keys, in the conversation's order; of all: None."""
    wanted = set(matrix.keys if keys is None else keys)
    return MemoriesDocument(
        conversation=conversation_part(conversation),
        engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
        memories=[known.of(row) for row in memory_rows(conversation, matrix, threshold) if row.key in wanted],
        reason=matrix.reason,
    )
