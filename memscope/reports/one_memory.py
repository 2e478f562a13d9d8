"""The document of one memory: what it did for each response that came after it, and in all."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from memscope.attribution.one_memory import MemoryEffects
from memscope.base.settings import Settings
from memscope.base.text import counted, preview
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.engines.protocol import EngineIdentity
from memscope.reports.matrix import (
    ConversationPart,
    CostPart,
    EnginePart,
    SettingsPart,
    conversation_part,
    settings_part,
)
from memscope.reports.view import Column, Document, View, nats, number, signed


class MemoryEffect(Document):
    """The memory's effect on the response `message`, signed, in nats; null with the reason where there is none."""

    message: int
    effect: float | None
    preview: str
    error: str | None


class MemoryDocument(Document):
    """`window`: the first and the last message of the stretch that was looked at. `sum` is signed, `divergence` of the
    positive effects, `max` the largest: null where nothing could be measured, for the `reason`, and 0 where there is no
    response in the window. `failure`: which scoring failed, that of the conversation as it was or that without the
    memory. `left_out`: effects that are missing in the sums."""

    schema_: Literal["memscope/memory@1"] = Field("memscope/memory@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    settings: SettingsPart
    key: str
    window: tuple[int, int]
    effects: list[MemoryEffect]
    sum: float | None
    divergence: float | None
    max: float | None
    left_out: int
    failure: Literal["baseline", "without"] | None
    reason: str | None
    cost: CostPart


def one_memory_document(
    conversation: Conversation, found: MemoryEffects, identity: EngineIdentity, settings: Settings, cost: CostPart
) -> MemoryDocument:
    stretch = found.stretch
    return MemoryDocument(
        conversation=conversation_part(conversation),
        engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
        settings=settings_part(settings),
        key=found.key,
        window=(stretch.start, stretch.end - 1),
        effects=[
            MemoryEffect(
                message=message,
                effect=number(effect),
                preview=preview(response_text(conversation, message)),
                error=found.errors.get(place, found.reason),
            )
            for place, (message, effect) in enumerate(zip(stretch.responses, found.effects.tolist(), strict=True))
        ],
        sum=found.sum,
        divergence=found.divergence,
        max=found.max,
        left_out=len(stretch.responses) - len(found.measured),
        failure=None if not found.failed else "baseline" if found.baseline else "without",
        reason=found.reason,
        cost=cost,
    )


def memory_lines(document: MemoryDocument) -> list[str]:
    """What is said below the table."""
    first, last = document.window
    where = f"#{first} to #{last}, {counted(len(document.effects), 'response')}"
    if document.sum is None or document.divergence is None or document.max is None or document.reason is not None:
        return ["", f"{where}: {document.reason}"]
    numbers = f"sum {signed(document.sum)} nats, divergence {nats(document.divergence)}, largest {nats(document.max)}"
    left = f", {counted(document.left_out, 'effect')} left out" if document.left_out else ""
    return ["", f"{where}: {numbers}{left}"]


ONE_MEMORY: View[MemoryDocument, MemoryEffect] = View(
    "memory",
    MemoryDocument,
    lambda document: document.effects,
    lambda _: (
        Column("message", lambda row: row.message, "index", shown=lambda row: f"#{row.message}"),
        Column("effect", lambda row: row.effect, "nats"),
        Column("response", lambda row: row.preview, wide=True),
    ),
)
