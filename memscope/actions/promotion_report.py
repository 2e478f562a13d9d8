"""What was found, as the document that commands print and the pane shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from memscope.actions.promotion_decisions import name_of
from memscope.reports.promotion import PromotionDocument, finding_rows, member_row
from memscope.reports.promotions import (
    PromotionRow,
    PromotionsDocument,
    PromotionUnread,
    promotion_row,
    skipped_part,
    why_none,
)

if TYPE_CHECKING:
    from memscope.actions.promoting import Draft
    from memscope.actions.promotion_standing import Looked
    from memscope.actions.promotions import Found
    from memscope.promotion.pattern import Pattern
    from memscope.reports.promotions import Standing


def promotion_rows(patterns: Sequence[Pattern], standings: Mapping[str, Standing]) -> list[PromotionRow]:
    """A row for each pattern, in their order."""
    return [promotion_row(pattern, standings[pattern.signature]) for pattern in patterns]


def promotions_document(found: Found, standings: Mapping[str, Standing]) -> PromotionsDocument:
    """The document of what was found, with how each pattern stands (see `promotion_standing.look`)."""
    how = found.grouping
    document = PromotionsDocument(
        method=how.method,
        threshold=how.threshold,
        min_occurrences=how.min_occurrences,
        min_sessions=how.min_sessions,
        embedder=found.space,
        lexical=found.lexical,
        rows=found.rows,
        sessions=found.sessions,
        candidates=promotion_rows(found.patterns, standings),
        skipped=skipped_part(found.skipped),
        left_out=dict(found.left_out),
        unread=[PromotionUnread(source=one.source, line=one.line, error=one.error) for one in found.unread],
        clusters=found.clusters,
        reason=None,
    )
    return document.model_copy(update={"reason": why_none(document)})


def promotion_document(pattern: Pattern, looked: Looked, draft: Draft) -> PromotionDocument:
    """The document of one pattern, with its draft."""
    standing = looked.standings[pattern.signature]
    there = looked.skill_of(pattern)
    return PromotionDocument(
        candidate=promotion_row(pattern, standing),
        members=[member_row(one, dropped=name_of(one) in standing.dropped) for one in pattern.members],
        text=draft.text,
        findings=finding_rows(draft.findings),
        flags=list(draft.flags),
        path=None if there is None else str(there.path),
    )
