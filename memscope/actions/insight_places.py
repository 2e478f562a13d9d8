"""Where the evidence of an insight stands: its session, and the place in that, as a jump to it takes them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from memscope.insights.curation import MOST_EVIDENCE
from memscope.insights.rules import MOST_SPOTS
from memscope.sessions.facts import Evidence
from memscope.sessions.ranked import Place

if TYPE_CHECKING:
    from memscope.reports.insights import InsightEvidence, InsightRow


def place_of(one: InsightEvidence) -> tuple[Place, Evidence | None]:
    """The session of a piece of evidence and the place in it; None: its beginning, where the evidence is all of it."""
    place = Place(one.source, one.item)
    return place, None if one.message is None else Evidence(one.window, one.message, 0, one.words)


def may_be_more(row: InsightRow) -> bool:
    """Whether there may be more evidence than is listed: of a session, or in all, as much is there as is kept."""
    errors = Counter(one.session for one in row.evidence if row.kind == "repeated_tool_error")
    return len(row.evidence) >= MOST_EVIDENCE or max(errors.values(), default=0) >= MOST_SPOTS
