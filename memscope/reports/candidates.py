"""Responses to train on: those that owe much to all memories together, and what was decided of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from memscope.attribution.aggregates import cutoffs, response_totals
from memscope.attribution.finetune import Dependence, dependences
from memscope.attribution.matrix import Matrix, State
from memscope.base.text import counted, preview
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, Memory, Message, ToolResult
from memscope.conversation.render import response_text
from memscope.reports.finetune import Dependents, FinetuneCandidate, FinetuneDocument, finetune_conversation
from memscope.reports.view import Column, Document, nats
from memscope.reports.worth import limit_words
from memscope.triage.decisions import UNDECIDED, Bucket, Decided

BUCKETS: tuple[Bucket, ...] = ("undecided", "accepted", "rejected", "skipped")

_MESSAGES = 8  # before a response, that are shown of its prompt
_LONGEST = 20_000  # characters of each


class Candidate(Document):
    """A response by message index. `divergence`: what all memories together gave it, as far as they helped, and
    `per_token`, in nats, null where it is not measured; `top`: the memory it leaned on most. `target`: what is to be
    trained on in place of its own words."""

    message: int
    preview: str
    divergence: float | None
    per_token: float | None
    tokens: int | None
    top: str | None
    decision: Bucket
    target: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a search for candidates saw: how many `responses`, of how many the divergence is known, and the `largest` in
    nats, of which message. `error`: why all memories could not be left out, or nothing could be scored."""

    responses: int
    known: int
    largest: float | None
    message: int | None
    error: str | None

    def words(self, threshold: float) -> str:
        """Why there is no candidate above `threshold` nats."""
        if not self.responses or (self.error is not None and not self.known):
            return self.error or "The conversation has no response."
        said = [f"{counted(self.responses, 'response')} seen"]
        if self.largest is not None:
            said.append(f"the largest divergence {nats(self.largest)} nats, of #{self.message}")
        if missing := self.responses - self.known:
            said.append(f"{missing} not measured{f': {self.error}' if self.error else ''}")
        if not self.known:
            return f"No divergence is known: {', '.join(said)}."
        return f"No response owes its memories more than {limit_words(threshold)}: {', '.join(said)}."


class Told(NamedTuple):
    """A message before a response: who said it, and what, without its memories."""

    who: str
    text: str


def seen_in(matrix: Matrix, found: Sequence[Dependence]) -> Seen:
    """What was seen in a matrix; `found` are its dependences."""
    best = found[0] if found else None
    return Seen(
        len(matrix.responses),
        len(found),
        best.divergence if best is not None else None,
        best.message if best is not None else None,
        matrix.reason or _why_not(matrix, found),
    )


def _why_not(matrix: Matrix, found: Sequence[Dependence]) -> str | None:
    """Why the divergence of a response is not known."""
    seen = ~(matrix.state == State.BEFORE).all(axis=1)
    everything = Ablation.of(*(key for key, there in zip(matrix.keys, seen.tolist(), strict=True) if there))
    if (why := matrix.errors.get(everything)) is not None:
        return why
    missing = set(range(len(matrix.responses))) - {one.column for one in found}
    return next((why for (_, column), why in matrix.cell_errors.items() if column in missing), None)


class CandidateReader:
    """Reads candidates off the latest matrix and decisions it was given: `look` first, whenever one has changed."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._openings: dict[int, str] = {}
        self._of: tuple[Matrix, float] | None = None
        self._found: dict[int, Dependence] = {}
        self._top: dict[int, str | None] = {}
        self._decided: Mapping[int, Decided] = {}
        self.seen = Seen(len(conversation.responses), 0, None, None, None)

    def look(self, matrix: Matrix, cutoff: float, decided: Mapping[int, Decided]) -> None:
        """Takes a matrix of the same conversation, what the effect of a memory must exceed to count, in nats, and what
        was decided, by message."""
        self._decided = decided
        if self._of is not None and self._of[0] is matrix and self._of[1] == cutoff:
            return
        self._of = matrix, cutoff
        found = dependences(matrix)
        self._found = {one.message: one for one in found}
        self.seen = seen_in(matrix, found)
        rows = response_totals(matrix, cutoffs(matrix, cutoff)).top.tolist()
        self._top = {m: matrix.keys[row] if row >= 0 else None for m, row in zip(matrix.responses, rows, strict=True)}

    def rows(self, threshold: float) -> list[Candidate]:
        """The responses whose divergence exceeds `threshold` nats, the most dependent first, and after them those of
        which something was decided nevertheless."""
        above = [message for message, one in self._found.items() if one.divergence > threshold]
        there = set(above)
        others = (m for m in self.conversation.responses if m not in there and self.decided(m).bucket != "undecided")
        return [self.row(message) for message in (*above, *others)]

    def row(self, message: int) -> Candidate:
        """One response."""
        one, decided = self._found.get(message), self.decided(message)
        return Candidate(
            message=message,
            preview=self._opening(message),
            divergence=one.divergence if one is not None else None,
            per_token=one.per_token if one is not None else None,
            tokens=one.tokens if one is not None else None,
            top=self._top.get(message),
            decision=decided.bucket,
            target=decided.target,
            note=decided.note,
        )

    def effect(self, message: int) -> float | None:
        """The effect of all memories on a response, signed, in nats."""
        one = self._found.get(message)
        return one.effect if one is not None else None

    def decided(self, message: int) -> Decided:
        return self._decided.get(message, UNDECIDED)

    def _opening(self, message: int) -> str:
        if message not in self._openings:
            self._openings[message] = preview(response_text(self.conversation, message), 200)
        return self._openings[message]


def candidate_columns(*, decisions: bool = True) -> tuple[Column[Candidate], ...]:
    """`decisions`: with what was decided, which rows of one bucket have in common."""
    columns: tuple[Column[Candidate], ...] = (
        Column("#", lambda row: row.message, "message"),
        Column("divergence", lambda row: row.divergence, "nats"),
        Column("per token", lambda row: row.per_token, "nats a token", rank=3),
        Column("decision", lambda row: row.decision),
        Column("leaned on", lambda row: row.top, rank=2),
        Column("response", lambda row: row.preview, wide=True),
    )
    return tuple(column for column in columns if decisions or column.title != "decision")


def chosen_candidates(
    conversation: Conversation, matrix: Matrix, rows: Sequence[Candidate], threshold: float
) -> FinetuneDocument:
    """The document of these candidates, as the command prints it. Those of which something was decided though they are
    not above `threshold` nats are among them, those that are not measured are not."""
    found = dependences(matrix)
    seen = seen_in(matrix, found)
    dependents = Dependents(seen.responses, found, None if matrix.reason else seen.error, matrix.reason)
    document = finetune_conversation(conversation, dependents, threshold)
    candidates = [
        FinetuneCandidate(
            message=row.message,
            divergence=row.divergence,
            per_token=row.per_token,
            decision=row.decision,
            preview=row.preview,
        )
        for row in rows
        if row.divergence is not None
    ]
    return FinetuneDocument(threshold=threshold, conversations=[document.model_copy(update={"candidates": candidates})])


def bucket_counts(rows: Sequence[Candidate]) -> dict[Bucket, int]:
    """How many of the rows are in each bucket."""
    found = dict.fromkeys(BUCKETS, 0)
    for row in rows:
        found[row.decision] += 1
    return found


def told_before(conversation: Conversation, message: int) -> tuple[list[Told], int]:
    """What was said before a response, from the last thing a person said on, without memories; and how many messages
    came before that."""
    first = message
    while first > 0 and message - first < _MESSAGES:
        first -= 1
        if conversation.messages[first].role == "user" and not conversation.messages[first].is_memory:
            break
    told = [Told(_who(one), _said(one)) for one in conversation.messages[first:message] if not one.is_memory]
    return told, first


def _who(message: Message) -> str:
    return f"{message.role}, {message.kind}" if message.kind != "said" else message.role


def _said(message: Message) -> str:
    shown = Message(message.role, tuple(part for part in message.parts if not isinstance(part, Memory)))
    calls = "\n".join(f"call {call.name} {call.arguments}" for call in shown.calls)
    text = "\n".join(filter(None, (shown.text.rstrip("\n"), calls)))
    failed = any(isinstance(part, ToolResult) and part.is_error for part in shown.parts)
    cut = f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
    return f"(error) {cut}" if failed else cut


def steps(threshold: float, by: int) -> float:
    """The threshold one step up or down from another: 0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5 and so on."""
    ladder = [0.0, *(float(f"{digit}e{power}") for power in range(-2, 6) for digit in (1, 2, 5))]
    if by > 0:
        return next((step for step in ladder if step > threshold and not math.isclose(step, threshold)), threshold)
    below = [step for step in ladder if step < threshold and not math.isclose(step, threshold)]
    return below[-1] if below else 0.0
