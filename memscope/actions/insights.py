"""What session traces teach by rules: transcripts and folders of them read once, in processes where there are many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions.insight_decisions import NOTHING, standing
from memscope.actions.named_inputs import there, without_session
from memscope.actions.scan import scan, session_folders
from memscope.actions.session_choice import chosen, name_of, to_read
from memscope.base.clock import now
from memscope.base.collecting import lasting
from memscope.conversation.many import ToRead, read_files
from memscope.conversation.model import Source
from memscope.insights.curation import merged
from memscope.insights.model import KINDS, Evidence, Insight, Observation
from memscope.insights.rules import observing
from memscope.reports.insights import InsightRow, insight_row
from memscope.sessions.ranking import rank

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.sessions.ranked import RankedSession
    from memscope.store.database import Database

_DOING = "reading what sessions teach"


class Session(NamedTuple):
    """A conversation that was read, by its name; `source` without a window, `date` in seconds since the epoch."""

    name: str
    source: Source
    date: float
    size: int
    is_subagent: bool


@dataclass(frozen=True, slots=True)
class Observed:
    """What the rules saw: by kind, those of a kind by their sessions, the oldest first. `copies`: conversations that
    are others' copies, and were not read. `unread`: files that hold none, each with the reason. `trouble`: why not all
    that a scan read was kept, "" where it was."""

    insights: tuple[Insight, ...]
    sessions: tuple[Session, ...]
    copies: int
    unread: tuple[tuple[Path, str], ...]
    trouble: str

    def with_more(self, insights: Sequence[Insight]) -> Observed:
        """The same with insights of another origin behind them."""
        return replace(self, insights=(*self.insights, *insights))


def observe(
    inputs: Sequence[Path],
    settings: Settings,
    database: Database | None,
    job: Job,
    *,
    input_format: str = "",
    item: int | None = None,
) -> Observed:
    """What the rules see in `inputs`: transcripts and folders of them; none: the folders of the agents and of the
    settings. `item`: of one file, this conversation alone, be it a copy or none. Raises `UsageError` for an input that
    is not there, `SourceError` for a file that is named and is no transcript, `Cancelled`."""
    named = [there(path) for path in inputs]
    done = scan(named or session_folders(settings), settings, database, job, input_format=input_format)
    ranked = rank(done.files, now())
    unread = [*without_session(ranked, named)]
    choice = chosen(ranked)
    rows = [part.row for part in choice.parts if not part.is_copy]
    copies = choice.copies + len(choice.parts) - len(rows)
    if item is not None:
        rows, copies = [row for row in ranked if row.facts is not None and row.item == item], 0
    by_file: dict[str, list[RankedSession]] = {}
    for row in rows:
        by_file.setdefault(row.path, []).append(row)
    files = [to_read(some) for some in by_file.values()]
    read = dict(zip(by_file, read_files(observing, (), files, job, _DOING), strict=True))
    unread += [(Path(path), file.error) for path, file in read.items() if file.error]
    with lasting():
        sessions = [_session(row) for row in rows if row.item in read[row.path].made]
        found = [
            insight_of(one, session)
            for session in sessions
            for one in read[str(session.source.path)].made[session.source.item]
        ]
    found.sort(key=lambda insight: KINDS.index(insight.kind))
    return Observed(tuple(found), tuple(sessions), copies, tuple(unread), done.trouble)


def insight_of(one: Observation, session: Session) -> Insight:
    """What was observed in a session, with where that is."""
    evidence = tuple(
        Evidence(session.name, _window(session.source, spot.window), spot.message, spot.words) for spot in one.spots
    )
    return Insight(one.kind, one.text, one.confidence, evidence, one.time)


def files_of(sessions: Sequence[Session]) -> list[ToRead]:
    """What is read of the files of these sessions, which may be several of one."""
    by_file: dict[Path, list[Session]] = {}
    for session in sessions:
        by_file.setdefault(session.source.path, []).append(session)
    return [
        ToRead(
            os.fsencode(path),
            some[0].source.format,
            tuple((one.source.item, one.is_subagent) for one in some),
            some[0].size,
        )
        for path, some in by_file.items()
    ]


def _window(source: Source, window: int) -> Source:
    return Source(source.path, source.format, source.item, window)


def _session(row: RankedSession) -> Session:
    is_subagent = row.facts is not None and row.facts.is_subagent
    source = Source(Path(row.path), row.format, row.item)
    return Session(name_of(row.place), source, row.date, row.size, is_subagent)


# What is listed.


def offered(observed: Observed, database: Database | None) -> tuple[Observed, tuple[Insight, ...]]:
    """The same without the insights that were dropped, and those. Raises `StoreError`."""
    decided = standing(database) if database is not None else NOTHING
    dropped = tuple(one for one in observed.insights if decided.state_of(one) == "dropped")
    gone = {one.name for one in dropped}
    return replace(observed, insights=tuple(one for one in observed.insights if one.name not in gone)), dropped


def found_rows(
    observed: Observed, settings: Settings, database: Database | None, *, merge: bool = False
) -> list[InsightRow]:
    """A row for each insight, with what was decided of it. `merge`: one for all that say the same, as keeping has it;
    it stands where the one that stays does. Raises `StoreError`."""
    insights = merged(observed.insights, settings.insight_winner) if merge else observed.insights
    decided = standing(database) if database is not None else NOTHING
    return [insight_row(one, decided.state_of(one)) for one in insights]


def kept_rows(database: Database) -> list[InsightRow]:
    """A row for each insight that is kept, in the order of kinds, the most confident first. Raises `StoreError`."""
    kept = sorted(
        (one.insight for one in standing(database).kept), key=lambda one: (KINDS.index(one.kind), -one.confidence)
    )
    return [insight_row(one, "kept") for one in kept]
