"""Responses worth training on, over many conversations: what each owes to all memories together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.attribution.finetune import Dependence
from memscope.base.text import counted, preview
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.view import Column, Document, View, nats
from memscope.reports.worth import limit_words
from memscope.triage.decisions import Bucket

_PREVIEW = 200  # characters


class FinetuneCandidate(Document):
    """A response, by message index: what all memories together gave it as far as they helped, and that for each of its
    tokens, in nats. `decision`: null where nothing is kept."""

    message: int
    divergence: float
    per_token: float | None
    decision: Bucket | None
    preview: str


class FinetuneConversation(Document):
    """What was seen of a conversation: so many responses, `left_out` of them without a divergence. `error`: why it
    could not be read or scored; `reason`: why there was nothing to score. Its candidates, the most dependent first."""

    source: str
    item: int
    window: int | None
    title: str
    responses_seen: int
    left_out: int
    max_divergence: float | None
    error: str | None
    reason: str | None
    candidates: list[FinetuneCandidate]


class FinetuneDocument(Document):
    """`threshold`: what a divergence must exceed, in nats."""

    schema_: Literal["memscope/finetune@1"] = Field("memscope/finetune@1", alias="schema")
    threshold: float
    conversations: list[FinetuneConversation]


@dataclass(frozen=True, slots=True)
class FinetuneRow:
    """A candidate and its conversation."""

    conversation: FinetuneConversation
    candidate: FinetuneCandidate


@dataclass(frozen=True, slots=True)
class Dependents:
    """What came of scoring the `responses` of a conversation with all memories and without any: the dependences by
    their messages in the conversation, the most dependent first; or `error` or `reason`, why there are none or not
    all."""

    responses: int = 0
    found: Sequence[Dependence] = ()
    error: str | None = None
    reason: str | None = None


def unread_conversation(path: Path, item: int, error: str) -> FinetuneConversation:
    """The row of one that could not be opened."""
    return FinetuneConversation(
        source=str(path),
        item=item,
        window=None,
        title="",
        responses_seen=0,
        left_out=0,
        max_divergence=None,
        error=error,
        reason=None,
        candidates=[],
    )


def finetune_conversation(conversation: Conversation, seen: Dependents, threshold: float) -> FinetuneConversation:
    """The row of a conversation, of which nothing is known yet that was decided."""
    source = conversation.source
    return FinetuneConversation(
        source=str(source.path) if source is not None else "",
        item=source.item if source is not None else 0,
        window=source.window if source is not None else 0,
        title=conversation.title,
        responses_seen=seen.responses,
        left_out=seen.responses - len(seen.found),
        max_divergence=seen.found[0].divergence if seen.found else None,
        error=seen.error,
        reason=seen.reason,
        candidates=[
            FinetuneCandidate(
                message=one.message,
                divergence=one.divergence,
                per_token=one.per_token,
                decision=None,
                preview=preview(response_text(conversation, one.message), _PREVIEW),
            )
            for one in seen.found
            if one.divergence > threshold
        ],
    )


def with_decisions(row: FinetuneConversation, decisions: Mapping[int, Bucket]) -> FinetuneConversation:
    """The row with what was decided of its candidates, by message."""
    candidates = [
        one.model_copy(update={"decision": decisions.get(one.message, "undecided")}) for one in row.candidates
    ]
    return row.model_copy(update={"candidates": candidates})


def finetune_words(document: FinetuneDocument) -> str:
    """What was found, in a sentence; where nothing was, why."""
    conversations = document.conversations
    errors = sum(conversation.error is not None for conversation in conversations)
    read = sum(conversation.window is not None for conversation in conversations)
    idle = sum(conversation.reason is not None for conversation in conversations)
    seen = sum(conversation.responses_seen for conversation in conversations)
    found = sum(len(conversation.candidates) for conversation in conversations)
    said = [f"{counted(seen, 'response')} seen in {counted(read, 'conversation')}"]
    best = max(conversations, key=lambda c: c.max_divergence or 0.0, default=None)
    if not found and best is not None and best.max_divergence is not None:
        top = f"the largest divergence {nats(best.max_divergence)} nats"
        said.append(f"{top} ({preview(best.title or best.source)})" if len(conversations) > 1 else top)
    if missing := sum(c.left_out for c in conversations if not c.reason):
        said.append(f"{missing} of them not measured")
    if idle:
        said.append(f"{_conversations(idle, conversations)} nothing to score: {_first_reason(conversations)}")
    if errors:
        said.append(f"{_conversations(errors, conversations)} an error")
    what = f"{counted(found, 'response')} owe{'s' if found == 1 else ''}" if found else "No response owes"
    return f"{what} the memories more than {limit_words(document.threshold)}: {'; '.join(said)}."


def _conversations(number: int, among: Sequence[FinetuneConversation]) -> str:
    """How many have something; of one conversation there is nothing to count."""
    return "there was" if len(among) == 1 else f"{counted(number, 'conversation')} with"


def _first_reason(conversations: Sequence[FinetuneConversation]) -> str:
    reasons = list(dict.fromkeys(c.reason for c in conversations if c.reason))
    return reasons[0] if len(reasons) == 1 else "no memories, or no responses"


def _rows(document: FinetuneDocument) -> list[FinetuneRow]:
    """As they stand in one conversation; those of several together, the most dependent first."""
    rows = [
        FinetuneRow(conversation, one) for conversation in document.conversations for one in conversation.candidates
    ]
    if len(document.conversations) > 1:
        rows.sort(key=lambda row: -row.candidate.divergence)
    return rows


def _columns(document: FinetuneDocument) -> tuple[Column[FinetuneRow], ...]:
    several = len(document.conversations) > 1
    return (
        Column("message", lambda row: row.candidate.message, "index", shown=lambda row: f"#{row.candidate.message}"),
        Column("divergence", lambda row: row.candidate.divergence, "nats"),
        Column("per token", lambda row: row.candidate.per_token, "nats a token", rank=2),
        Column("decision", lambda row: row.candidate.decision, rank=1),
        Column(
            "conversation",
            lambda row: row.conversation.title,
            rank=1 if several else 5,
            shown=lambda row: preview(row.conversation.title, 30),
        ),
        Column("response", lambda row: row.candidate.preview, wide=True),
        Column("item", lambda row: row.conversation.item, "index", rank=6),
        Column("source", lambda row: row.conversation.source, rank=4 if several else 7),
    )


FINETUNE: View[FinetuneDocument, FinetuneRow] = View("finetune", FinetuneDocument, _rows, _columns)
