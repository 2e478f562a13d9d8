"""Insights as they are looked at: what was found, without repeats, together with what was kept before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.insights.curation import LEAST, merged
from memscope.insights.model import KINDS, Insight
from memscope.insights.similar import AlikeIndex
from memscope.reports.insights import InsightRow, insight_row

if TYPE_CHECKING:
    from memscope.actions.insight_decisions import Standing
    from memscope.base.job import Job
    from memscope.base.settings import Settings

_DOING = "looking for what says the same"


@dataclass(frozen=True, slots=True)
class Listed:
    """`rows` by kind, the most confident first, and then as they came: what was found before what else was decided.
    `insights`: each by its name, as it was found, or else is kept, or was dropped."""

    rows: tuple[InsightRow, ...]
    insights: Mapping[str, Insight]


def without_repeats(insights: Sequence[Insight], settings: Settings, job: Job) -> tuple[Insight, ...]:
    """One for all that say the same, as keeping has it. Raises `Cancelled`."""

    def looked_at(number: int) -> None:
        job.check()
        job.progress(number, len(insights), "insights", _DOING)

    return tuple(merged(insights, settings.insight_winner, looked_at))


def beside(found: Sequence[Insight], said: Sequence[Insight], settings: Settings) -> tuple[Insight, ...]:
    """What was found, which is without repeats, beside what else was said: without repeats, too, where only what says
    the same as something of that is looked at again."""
    index = AlikeIndex()
    for one in said:
        index.add(one.text)
    others: list[Insight] = []
    repeated: list[Insight] = []
    for one in found:
        (repeated if said and index.find(one.text) else others).append(one)
    return (*others, *merged([*repeated, *said], settings.insight_winner))


def listed(found: Sequence[Insight], standing: Standing) -> Listed:
    """A row for each insight that was found, is kept, or was dropped; of one that was found and is kept, as it is
    kept."""
    named = {one.name: one for one in found}
    kept = {one.insight.name: one.insight for one in standing.kept}
    dropped = {one.insight.name: one.insight for one in standing.unwanted if one.insight.name not in named}
    rows = [insight_row(one, standing.state_of(one)) for one in {**named, **kept, **dropped}.values()]
    rows.sort(key=lambda row: (KINDS.index(row.kind), -row.confidence))
    return Listed(tuple(rows), {**dropped, **kept, **named})


def why_not_kept(rows: Sequence[InsightRow]) -> str:
    """Why none of these would be kept; "" where any may be."""
    if any(row.confidence >= LEAST for row in rows):
        return ""
    return f"{'it is' if len(rows) == 1 else 'they are'} too unsure to be kept (below {LEAST:g})"
