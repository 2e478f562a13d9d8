"""Sessions for whoever shows them: ranked as the store knows them, again and again while they are scanned; filtered."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions import scan as scanning
from memscope.base.clock import now
from memscope.base.collecting import lasting
from memscope.base.errors import Cancelled
from memscope.conversation.formats import format_named, format_names
from memscope.sessions.query import Completion, Query, QueryError, complete, parse
from memscope.sessions.query_fields import FIELDS, Field
from memscope.sessions.query_typed import sound, without_begun
from memscope.sessions.ranked import Place, RankedSession
from memscope.sessions.ranking import rank
from memscope.store.runs import Runs

if TYPE_CHECKING:
    from memscope.actions.scan import Scan
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.sessions.facts import ScannedFile
    from memscope.store.database import Database

BadFilter = QueryError
"""An expression that is none: from `start` to `end` of it is what is wrong."""

_PAUSE = 0.2  # seconds of a scan after which what it has found is ranked again
_SHARE = 10  # or so many times what ranking and showing took, if that is more


def parse_filter(text: str, *, copies: bool = False) -> Query:
    """Which sessions an expression asks for; `copies` too, unless it says itself whether. Raises `BadFilter`."""
    query = parse(text, now())
    return parse(f"copies=yes {text}", now()) if copies and not query.asks("copies") else query


def begun_filter(text: str, cursor: int | None = None) -> str:
    """What of an expression is asked for already: all but what is wrong, and but a word that is being typed at the
    `cursor`, at its end, which may become the name of a field. None: nothing is being typed."""
    return sound(without_begun(text) if cursor == len(text) else text, now()).strip()


def filter_fields() -> tuple[Field, ...]:
    """What an expression may ask of a session, what is asked most first."""
    return tuple(FIELDS.values())


def complete_filter(text: str, cursor: int, rows: Sequence[RankedSession]) -> list[Completion]:
    """What could stand at the cursor of an expression about these sessions."""
    return complete(text, cursor, rows)


class Totals(NamedTuple):
    """How many there are: `sessions`, each counted once, and those `with_memories`; `copies` of these and their
    sub-agents; files that could not be read, or hold none (`errors`)."""

    sessions: int
    with_memories: int
    copies: int
    errors: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """Sessions in their order, of these `folders`. `scored`: those of which scores are kept. `scan`: the scan that
    found them, once it has ended; None: it goes on, was stopped, has not begun, or was told of before."""

    folders: Sequence[Path]
    rows: Sequence[RankedSession]
    totals: Totals
    scored: frozenset[Place]
    scan: Scan | None = None


def rank_folders(
    folders: Sequence[Path], settings: Settings, database: Database | None, job: Job, show: Callable[[Ranking], object]
) -> Ranking:
    """Scans folders (none: those of the settings), and ranks what is below them: at first what the store knows, again
    from time to time while files are read, and in the end. `show` is told of all but the last of these, in this thread;
    of the last also when the scan is stopped. Raises `Cancelled`, `StoreError`."""
    folders = folders or scanning.session_folders(settings)
    runs = scored_lineages(database)
    files: dict[str, ScannedFile] = {}
    at = time.monotonic()
    pause = 0.0  # what the store knows is shown at once

    def tell(*, scan: Scan | None = None) -> Ranking:
        with lasting():
            rows = rank(scan.files if scan is not None else [*files.values()], now())
            return Ranking(folders, rows, totals(rows), scored_among(rows, runs), scan)

    def landed(found: Sequence[ScannedFile]) -> None:
        nonlocal at, pause
        files.update((file.path, file) for file in found)
        began = time.monotonic()
        if began - at >= pause and not job.cancelled:
            show(tell())
            at = time.monotonic()
            pause = max(_PAUSE, _SHARE * (at - began))

    try:
        return tell(scan=scanning.scan(folders, settings, database, job, landed))
    except Cancelled:
        show(tell())
        raise


def totals(rows: Iterable[RankedSession]) -> Totals:
    """How many sessions these rows are."""
    sessions = with_memories = copies = errors = 0
    for row in rows:
        if row.facts is None:
            errors += 1
        elif row.copy_of is not None:
            copies += 1
        else:
            sessions += 1
            with_memories += row.facts.memories > 0
    return Totals(sessions, with_memories, copies, errors)


def looked_for() -> list[Path]:
    """The folders in which the agents whose formats are read keep their sessions, whether they are there or not."""
    homes = (format_named(name).home for name in format_names())
    return [folder for home in homes if home is not None for folder in home.session_folders]


def scored_lineages(database: Database | None) -> frozenset[str]:
    """The lineages of the conversations of which something was scored, and kept. Raises `StoreError`."""
    names = Runs(database).conversations(scored=True) if database is not None else ()
    return frozenset(name.rpartition("/")[0] for name in names)


def looked_again(ranking: Ranking, database: Database) -> Ranking:
    """A ranking as it is with what was scored since. Raises `StoreError`."""
    return replace(ranking, scored=scored_among(ranking.rows, scored_lineages(database)), scan=None)


def scored_among(rows: Iterable[RankedSession], lineages: frozenset[str]) -> frozenset[Place]:
    """The places of the sessions that are of these lineages."""
    real: dict[str, str] = {}  # folders, however many files are in them

    def lineage(row: RankedSession) -> str:
        folder, name = os.path.split(row.path)
        if folder not in real:
            real[folder] = os.path.realpath(folder)
        return f"{os.path.join(real[folder], name)}#{row.item}"  # noqa: PTH118 - thousands of them

    return frozenset(row.place for row in rows if lineage(row) in lineages) if lineages else frozenset()
