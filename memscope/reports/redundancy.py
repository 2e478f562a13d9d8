"""What leaving one memory out at a time cannot see, as a document: the verdicts, and the memories that stand in for
each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Literal

from pydantic import Field

from memscope.attribution.redundancy import Pair
from memscope.base.settings import Settings
from memscope.base.similar import content_words
from memscope.base.text import preview
from memscope.conversation.model import Conversation
from memscope.engines.protocol import EngineIdentity
from memscope.reports.matrix import (
    ConversationPart,
    EnginePart,
    SettingsPart,
    conversation_part,
    memory_chars,
    settings_part,
)
from memscope.reports.verdicts import MemorySummary, VerdictReader, VerdictRow
from memscope.reports.view import Column, Document, View

_WORD = re.compile(r"\w+")
_LONGEST = 2000  # words of a text that are looked at for a run


class PairResponse(Document):
    """In the response `message` leaving the memories out at once costs `joint` nats; each by itself costs `singles`, in
    the order of the keys."""

    message: int
    joint: float
    singles: list[float]


class PairRow(Document):
    """Memories that stand in for each other, as a rule two: copies of one fact can be more.

    `excess`: what leaving out one at a time does not see of them, over all `responses`, in nats. `shared_words`: the
    telling words they have in common; `shared_text`: the longest run of words that stands in both, as it does in the
    one kept. To `keep` is the one that most responses need for itself; of equals the shorter, then the first.
    `needed`: responses that need one of those to `drop` for itself. `chars` and `tokens`: what dropping them saves in
    the conversation, tokens null where the engine does not count them.
    """

    keys: list[str]
    responses: list[PairResponse]
    excess: float
    shared_words: list[str]
    shared_text: str
    keep: str
    drop: list[str]
    needed: list[int]
    chars: int
    tokens: int | None


class RedundancyDocument(Document):
    """`message`: the response that was asked about; null: all. `memories` adds the verdicts up; `pairs` were looked for
    only in the whole conversation, where `untried` are those that could not all be tried. What counts is above the
    `cutoff` of the verdicts, also in the pairs."""

    schema_: Literal["memscope/redundancy@1"] = Field("memscope/redundancy@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    settings: SettingsPart
    message: int | None
    verdicts: list[VerdictRow]
    memories: list[MemorySummary]
    pairs: list[PairRow]
    untried: int
    reason: str | None


class PairsDocument(Document):
    """The `pairs` of a `RedundancyDocument`, alone."""

    schema_: Literal["memscope/pairs@1"] = Field("memscope/pairs@1", alias="schema")
    conversation: ConversationPart
    engine: EnginePart
    pairs: list[PairRow]
    untried: int
    reason: str | None


def redundancy_document(
    conversation: Conversation,
    reader: VerdictReader,
    identity: EngineIdentity,
    settings: Settings,
    *,
    message: int | None = None,
    tokens: Mapping[str, int] | None = None,
) -> RedundancyDocument:
    """`message`: only this response is told of. `tokens` that the memories take in the conversation, where known."""
    messages = None if message is None else [message]
    return RedundancyDocument(
        conversation=conversation_part(conversation),
        engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
        settings=settings_part(settings, reader.threshold),
        message=message,
        verdicts=reader.rows(messages),
        memories=reader.summaries(messages),
        pairs=pair_rows(conversation, reader, tokens) if message is None else [],
        untried=reader.screen.untried,
        reason=reader.screen.matrix.reason,
    )


def pairs_document(
    conversation: Conversation,
    reader: VerdictReader,
    identity: EngineIdentity,
    tokens: Mapping[str, int] | None = None,
) -> PairsDocument:
    """The pairs alone."""
    return PairsDocument(
        conversation=conversation_part(conversation),
        engine=EnginePart(name=identity.name, model=identity.model, url=identity.url),
        pairs=pair_rows(conversation, reader, tokens),
        untried=reader.screen.untried,
        reason=reader.screen.matrix.reason,
    )


def pair_rows(
    conversation: Conversation, reader: VerdictReader, tokens: Mapping[str, int] | None = None
) -> list[PairRow]:
    """The memories that stand in for each other, the strongest first."""
    return [_pair_row(conversation, reader, pair, tokens) for pair in reader.pairs]


def _pair_row(
    conversation: Conversation, reader: VerdictReader, pair: Pair, tokens: Mapping[str, int] | None
) -> PairRow:
    memories = [conversation.memories[row] for row in pair.rows]
    chars = {memory.key: memory_chars(conversation, memory) for memory in memories}
    needed = {memory.key: reader.needed(memory.key) for memory in memories}
    keep = min(memories, key=lambda memory: (-len(needed[memory.key]), chars[memory.key]))  # the first of equals
    drop = [memory for memory in memories if memory is not keep]
    texts = ["\n".join(memory.texts) for memory in (keep, *drop)]
    return PairRow(
        keys=[memory.key for memory in memories],
        responses=[
            PairResponse(
                message=reader.screen.matrix.responses[found.column], joint=found.joint, singles=list(found.singles)
            )
            for found in pair.responses
        ],
        excess=pair.excess,
        shared_words=sorted(frozenset.intersection(*map(content_words, texts))),
        shared_text=longest_run(texts[0], texts[1]),
        keep=keep.key,
        drop=[memory.key for memory in drop],
        needed=sorted({message for memory in drop for message in needed[memory.key]}),
        chars=sum(chars[memory.key] for memory in drop),
        tokens=None if tokens is None else sum(tokens.get(memory.key, 0) for memory in drop),
    )


def longest_run(one: str, other: str) -> str:
    """The longest run of words that stands in both texts, as it stands in the first; case and what is between words do
    not count. Of long texts only the beginning is looked at."""
    found, others = (list(_WORD.finditer(text))[:_LONGEST] for text in (one, other))
    words, other_words = ([word[0].casefold() for word in text] for text in (found, others))
    run = SequenceMatcher(None, words, other_words, autojunk=False).find_longest_match()
    return one[found[run.a].start() : found[run.a + run.size - 1].end()] if run.size else ""


def pair_words(pair: PairRow) -> str:
    """What can be done about a pair, in a sentence."""
    saved = f"{pair.tokens} tokens" if pair.tokens is not None else f"{pair.chars} characters"
    costs = ", ".join(f"#{message}" for message in pair.needed[:3])
    but = f"; but {costs} {'need' if len(pair.needed) > 1 else 'needs'} it for itself" if costs else ""
    return f"keep {pair.keep}, drop {', '.join(pair.drop)}: saves {saved}{but}"


def _responses(pair: PairRow) -> str:
    return ", ".join(f"#{found.message}" for found in pair.responses)


PAIR_COLUMNS: tuple[Column[PairRow], ...] = (
    Column("keep", lambda row: row.keep),
    Column("drop", lambda row: ", ".join(row.drop)),
    Column("excess", lambda row: row.excess, "nats"),
    Column("tokens", lambda row: row.tokens, "tokens"),
    Column("chars", lambda row: row.chars, "characters", rank=2),
    Column("in responses", lambda row: len(row.responses), "responses", rank=1),
    Column("shared", lambda row: row.shared_text, wide=True, shown=lambda row: preview(row.shared_text, 200)),
)
_VERDICT_COLUMNS: tuple[Column[VerdictRow], ...] = (
    Column("message", lambda row: row.message, "index", shown=lambda row: f"#{row.message}"),
    Column("memory", lambda row: row.key),
    Column("verdict", lambda row: row.verdict),
    Column("effect", lambda row: row.effect, "nats"),
    Column("alone", lambda row: row.alone, "nats"),
    Column("group", lambda row: row.group.effect if row.group else None, "nats", rank=2),
    Column("instead", lambda row: row.group.instead if row.group else None, "nats", rank=3),
    Column("cutoff", lambda row: row.cutoff, "nats", rank=4, shown=lambda row: f"{row.cutoff:.3g}"),
    Column("near", lambda row: ", ".join(row.group.keys) if row.group else "", wide=True, rank=1),
)
SUMMARY_COLUMNS: tuple[Column[MemorySummary], ...] = (
    Column("memory", lambda row: row.key),
    Column("needed", lambda row: row.needed, "responses"),
    Column("redundant", lambda row: row.redundant, "responses"),
    Column("together", lambda row: row.together, "responses"),
    Column("suppressor", lambda row: row.suppressor, "responses"),
    Column("unused", lambda row: row.unused, "responses"),
    Column("stand-ins", lambda row: ", ".join(row.stand_ins), wide=True, rank=1),
)
"""What each memory is to all responses, one line a memory."""

REDUNDANCY: View[RedundancyDocument, VerdictRow] = View(
    "redundancy", RedundancyDocument, lambda document: document.verdicts, lambda _: _VERDICT_COLUMNS
)
PAIRS: View[PairsDocument, PairRow] = View(
    "pairs", PairsDocument, lambda document: document.pairs, lambda _: PAIR_COLUMNS
)
