"""Recurring patterns of sessions as candidates for skills."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from memscope.base.text import counted, preview
from memscope.promotion.model import Id, Method, RowKind, State
from memscope.promotion.skill_file import DEFAULT_NAME
from memscope.reports.view import Column, Document, View

if TYPE_CHECKING:
    from memscope.promotion.model import Skipped
    from memscope.promotion.pattern import Pattern

_PREVIEW = 200  # characters
_SIGNATURE = re.compile(r"[0-9a-f]{16,64}")
DUPLICATE, MERGE = 0.90, 0.75  # cosines from which on a skill is the same thing, or one to put it into


class PromotionSkill(Document):
    """The skill that is most like a candidate, by the cosine of both. `verdict`: null where it is another thing."""

    name: str
    path: str
    similarity: float
    verdict: Literal["duplicate", "merge"] | None


class PromotionRow(Document):
    """A candidate. `members` and `sessions` are the names that their rows gave them, sessions without those all of
    whose members were dropped by hand; `member_sessions`: the session of each member, in their order, for a name is one
    within its session. `cohesion`: mean cosine to the centroid; `stability`: share of subsamples that hold it, null
    where it was not looked at; `nearest`: the cosine to the nearest other cluster. `state`: whether something was
    decided of it, `decided`: the name of the skill it is, or the signature of what it has grown from. `left_out`: how
    many of the members were dropped by hand. `flags`: what reads like an instruction to override in its members."""

    signature: str
    members: list[Id]
    member_sessions: list[Id]
    sessions: list[Id]
    size: int
    cohesion: float
    stability: float | None
    nearest: float | None
    nearest_skill: PromotionSkill | None
    state: State
    decided: str | None
    name: str
    kinds: list[RowKind]
    tools: list[str]
    left_out: int
    flags: list[str]
    preview: str


class PromotionSkipped(Document):
    """How many rows were passed over, by the reason."""

    no_embedding: int
    dimension: int
    not_finite: int


class PromotionUnread(Document):
    """A file that could not be read, or a line of it (counted from 1, 0: all of it)."""

    source: str
    line: int
    error: str


class PromotionsDocument(Document):
    """What recurs in `rows` messages of so many `sessions`. `embedder`: what made the vectors, null where the rows
    brought them; `lexical`: whether it goes by words alone. `left_out`: messages that were not looked at, by the
    reason. `clusters`: how many there are, candidates or not. `reason`: why there is no candidate."""

    schema_: Literal["memscope/promotions@1"] = Field("memscope/promotions@1", alias="schema")
    method: Method
    threshold: float
    min_occurrences: int
    min_sessions: int
    embedder: str | None
    lexical: bool
    rows: int
    sessions: int
    candidates: list[PromotionRow]
    skipped: PromotionSkipped
    left_out: dict[str, int]
    unread: list[PromotionUnread]
    clusters: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What was decided of a pattern, see `PromotionRow`; the `name` its skill has or would have; members that were
    dropped (`dropped`: their session's and their own name); and what its members were flagged for. `was`: the state of
    what it has grown from, None where it has not."""

    state: State
    name: str
    decided: str | None = None
    dropped: frozenset[tuple[Id, Id]] = frozenset()
    flags: Sequence[str] = ()
    was: State | None = None


def promotion_row(pattern: Pattern, standing: Standing) -> PromotionRow:
    """The row of a pattern."""
    skill = pattern.nearest_skill
    kinds = dict.fromkeys(member.kind for member in pattern.members if member.kind)
    return PromotionRow(
        signature=pattern.signature,
        members=list(pattern.names),
        member_sessions=list(pattern.named_in),
        sessions=_sessions(pattern, standing),
        size=pattern.size,
        cohesion=pattern.cohesion,
        stability=pattern.stability,
        nearest=pattern.nearest,
        nearest_skill=None
        if skill is None
        else PromotionSkill(
            name=skill.name, path=skill.path, similarity=skill.similarity, verdict=verdict_on(skill.similarity)
        ),
        state=standing.state,
        decided=standing.decided,
        name=standing.name,
        kinds=sorted(kinds, reverse=True),
        tools=list(pattern.tools),
        left_out=len(standing.dropped),
        flags=list(standing.flags),
        preview=preview(pattern.members[0].text, _PREVIEW),
    )


def skipped_part(skipped: Skipped) -> PromotionSkipped:
    return PromotionSkipped(
        no_embedding=skipped.no_embedding, dimension=skipped.dimension, not_finite=skipped.not_finite
    )


def _sessions(pattern: Pattern, standing: Standing) -> list[Id]:
    """The sessions of the members that were not dropped."""
    if not standing.dropped:
        return list(pattern.sessions)
    named = zip(pattern.named_in, pattern.names, strict=True)
    left = {session for session, name in named if (session, name) not in standing.dropped}
    return [session for session in pattern.sessions if session in left]


def why_none(document: PromotionsDocument) -> str | None:
    """Why nothing recurs, and what could be tried; None where something does."""
    if document.candidates:
        return None
    if not document.rows:
        left = ", ".join(left_out_words(document.left_out))
        return "there are no messages to look at" + (f": {left} left out" if left else "")
    compared = document.rows - document.skipped.no_embedding - document.skipped.dimension - document.skipped.not_finite
    if not compared:
        return f"none of {counted(document.rows, 'message')} has an embedding that can be compared"
    if document.sessions < document.min_sessions:
        return f"{counted(document.sessions, 'session')}: a pattern has to be in {document.min_sessions} at least"
    return (
        f"nothing recurs: {counted(compared, 'message')} of {counted(document.sessions, 'session')} fall into"
        f" {counted(document.clusters, 'cluster')}, and none has {document.min_occurrences} messages of"
        f" {document.min_sessions} sessions that are alike from a cosine of {document.threshold:g} on"
    )


def promotions_words(document: PromotionsDocument) -> str:
    """What was looked at, and how, in a line."""
    made = "the rows' own embeddings" if document.embedder is None else document.embedder
    lexical = " (lexical: by words, not by meaning)" if document.lexical else ""
    return " · ".join(
        (
            f"{counted(document.rows, 'message')} of {counted(document.sessions, 'session')}",
            f"{counted(document.clusters, 'cluster')}, {counted(len(document.candidates), 'candidate')}",
            f"{document.method} from a cosine of {document.threshold:g} on",
            f"{made}{lexical}",
        )
    )


def left_out_words(left_out: Mapping[str, int]) -> list[str]:
    """What was not looked at, each reason that there is with its number."""
    return [counted(left_out[name], *words) for name, words in _LEFT_OUT.items() if left_out.get(name)]


_LEFT_OUT = {
    "copies": ("copy of a session", "copies of sessions"),
    "synthetic": ("text by software", "texts by software"),
    "short": ("request or plan that says too little", "requests and plans that say too little"),
    "repeated": ("message told before", "messages told before"),
    "bad": ("bad row",),
}


def skipped_words(skipped: PromotionSkipped) -> list[str]:
    """What could not be compared, each reason that there is with its number."""
    named = (
        (skipped.no_embedding, "without an embedding"),
        (skipped.dimension, "with an embedding of another length than most"),
        (skipped.not_finite, "with an embedding that holds numbers that are not finite"),
    )
    return [f"{counted(number, 'message')} {what}" for number, what in named if number]


def verdict_on(similarity: float) -> Literal["duplicate", "merge"] | None:
    """What a skill is to a pattern that it is so alike."""
    return "duplicate" if similarity >= DUPLICATE else "merge" if similarity >= MERGE else None


def skill_words(skill: PromotionSkill | None) -> str:
    """The nearest skill in a word or two; "" where none is near."""
    if skill is None or skill.verdict is None:
        return ""
    return f"{'duplicate' if skill.verdict == 'duplicate' else 'merge?'} {skill.name} {skill.similarity:.2f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _grown_from(row: PromotionRow) -> str:
    """What a pattern has grown from: the name of a skill, or a signature, cut as those are. What a skill itself is
    called is in another column."""
    known = row.decided if row.state == "grown" and row.decided else ""
    return known[:12] if _SIGNATURE.fullmatch(known) else known


PROMOTION_COLUMNS: tuple[Column[PromotionRow], ...] = (
    Column("signature", lambda row: row.signature, shown=lambda row: row.signature[:12]),
    Column("state", lambda row: row.state, rank=1),
    Column("size", lambda row: row.size - row.left_out, "messages", rank=1),
    Column("sessions", lambda row: len(row.sessions), "sessions", rank=2),
    Column("cohesion", lambda row: row.cohesion, "cosine", rank=3, shown=lambda row: _share(row.cohesion)),
    Column("stability", lambda row: row.stability, "share", rank=2, shown=lambda row: _share(row.stability)),
    Column("pattern", lambda row: row.preview, wide=True),
    Column("tools", lambda row: " ".join(row.tools), rank=6, shown=lambda row: _cut(row.tools)),
    Column("nearest skill", lambda row: skill_words(row.nearest_skill), rank=4),
    Column("decided", lambda row: row.decided or "", rank=1, shown=_grown_from),
    Column("flags", lambda row: "; ".join(row.flags), rank=1, shown=lambda row: "!" if row.flags else ""),
    Column("kind", lambda row: " ".join(row.kinds), rank=7),
    Column(
        "name", lambda row: row.name, rank=9, shown=lambda row: "" if row.name.startswith(DEFAULT_NAME) else row.name
    ),
)


def _cut(tools: Sequence[str]) -> str:
    more = len(tools) - 3
    return " ".join(tools[:3]) + (f" +{more}" if more > 0 else "")


PROMOTIONS: View[PromotionsDocument, PromotionRow] = View(
    "promotions", PromotionsDocument, lambda document: document.candidates, lambda _: PROMOTION_COLUMNS
)
