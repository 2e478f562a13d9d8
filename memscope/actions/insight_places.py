"""Where the evidence of an insight stands: its session, and the place in that, as a jump to it takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memscope.sessions.facts import Evidence
from memscope.sessions.ranked import Place

if TYPE_CHECKING:
    from memscope.reports.insights import InsightEvidence


def place_of(one: InsightEvidence) -> tuple[Place, Evidence | None]:
    """The session of a piece of evidence and the place in it; None: its beginning, where the evidence is all of it."""
    place = Place(one.source, one.item)
    return place, None if one.message is None else Evidence(one.window, one.message, 0, one.words)
