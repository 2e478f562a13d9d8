"""One pattern, with its messages and the skill it would make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from memscope.base.files import shown_path
from memscope.base.text import preview
from memscope.promotion.model import Id, RowKind
from memscope.reports.across import day
from memscope.reports.promotions import PromotionRow
from memscope.reports.view import Column, Document, View

if TYPE_CHECKING:
    from memscope.promotion.pattern import Member
    from memscope.promotion.skill_file import Finding

_PREVIEW = 200  # characters


class PromotionMember(Document):
    """A message of a pattern, and where its transcript has it (`source` "" for none). `closeness`: its cosine to the
    centre; `dropped`: it was left out by hand. `time` in seconds since the epoch."""

    message_id: Id
    session_id: Id
    kind: RowKind
    text: str
    tools: list[str]
    failures: list[str]
    time: float | None
    source: str
    item: int
    window: int
    message: int | None
    closeness: float
    dropped: bool


class PromotionFinding(Document):
    """What is wrong with a skill, or not recommended in it; `field` "" for all of it."""

    severity: Literal["error", "warning"]
    field: str
    words: str


class PromotionDocument(Document):
    """`text`: the SKILL.md as it is on disk, or would be written; `path`: where it is, null where it is not yet.
    `flags`: what in the text reads like an instruction to override."""

    schema_: Literal["memscope/promotion@1"] = Field("memscope/promotion@1", alias="schema")
    candidate: PromotionRow
    members: list[PromotionMember]
    text: str
    findings: list[PromotionFinding]
    flags: list[str]
    path: str | None


def member_row(member: Member, *, dropped: bool) -> PromotionMember:
    """The row of a message."""
    ref = member.ref
    return PromotionMember(
        message_id=member.message_id,
        session_id=member.session_id,
        kind=member.kind,
        text=member.text,
        tools=list(member.tools),
        failures=list(member.failures),
        time=member.time,
        source=str(ref.source.path) if ref is not None else "",
        item=ref.source.item if ref is not None else 0,
        window=ref.source.window if ref is not None else 0,
        message=ref.message if ref is not None else None,
        closeness=member.closeness,
        dropped=dropped,
    )


def finding_rows(findings: Sequence[Finding]) -> list[PromotionFinding]:
    return [PromotionFinding(severity=one.severity, field=one.field, words=one.words) for one in findings]


MEMBER_COLUMNS: tuple[Column[PromotionMember], ...] = (
    Column("text", lambda row: row.text, wide=True, shown=lambda row: preview(row.text, _PREVIEW)),
    Column("closeness", lambda row: row.closeness, "cosine", rank=1, shown=lambda row: f"{row.closeness:.2f}"),
    Column("dropped", lambda row: row.dropped, rank=2, shown=lambda row: "dropped" if row.dropped else ""),
    Column("date", lambda row: row.time, "s", rank=3, shown=lambda row: day(row.time)),
    Column("session", lambda row: str(row.session_id), rank=4, shown=lambda row: shown_path(Path(str(row.session_id)))),
    Column("message", lambda row: str(row.message_id), rank=5),
    Column("kind", lambda row: row.kind, rank=6),
    Column("tools", lambda row: " ".join(row.tools), rank=7),
)

PROMOTION: View[PromotionDocument, PromotionMember] = View(
    "promotion", PromotionDocument, lambda document: document.members, lambda _: MEMBER_COLUMNS
)
