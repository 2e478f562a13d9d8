"""Insights as they are looked at: what was found, without repeats, together with what was kept before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.insights.curation import merged
from memscope.insights.model import KINDS, Insight
from memscope.reports.insights import InsightRow, insight_row

if TYPE_CHECKING:
    from memscope.actions.insight_decisions import Standing
    from memscope.base.settings import Settings


@dataclass(frozen=True, slots=True)
class Listed:
    """`rows` by kind: what was found before what else is kept. `insights`: each by its name, as it was found, or else
    is kept."""

    rows: tuple[InsightRow, ...]
    insights: Mapping[str, Insight]


def without_repeats(insights: Sequence[Insight], settings: Settings) -> tuple[Insight, ...]:
    """One for all that say the same, as keeping has it."""
    return tuple(merged(insights, settings.insight_winner))


def listed(found: Sequence[Insight], standing: Standing) -> Listed:
    """A row for each insight that was found, or is kept; of one that is both, as it is kept."""
    kept = {one.insight.name: one.insight for one in standing.kept}
    named = {one.name: one for one in found}
    rows = [insight_row(one, standing.state_of(name)) for name, one in {**named, **kept}.items()]
    rows.sort(key=lambda row: KINDS.index(row.kind))
    return Listed(tuple(rows), {**kept, **named})
