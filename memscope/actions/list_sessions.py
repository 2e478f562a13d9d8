"""Listing sessions for a command: folders are scanned and ranked, and of all there are those chosen that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from memscope.actions import scan as scanning
from memscope.actions.engine import open_store
from memscope.actions.sessions import parse_filter
from memscope.base.clock import now
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.sessions.choice import Choice, choose, first_of
from memscope.sessions.classic import ClassicSession, classic_sessions
from memscope.sessions.query_values import days
from memscope.sessions.ranked import RankedSession
from memscope.sessions.ranking import rank


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions below which `paths` (none: the folders of the agents and of the settings). All that is said has to
    hold: `filter` is a query; `since` a day; see `Choice`. Of those the first `count`, or that part in percent."""

    paths: tuple[Path, ...] = ()
    repo: str = ""
    since: str = ""
    min_score: int = 0
    filter: str = ""
    copies: bool = False
    count: int = 100
    top_percent: float | None = None
    input_format: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """What came of it at a time (`at`, seconds since the epoch): the `rows` of all that was found below `folders`, how
    many of them are as asked for (`fitting`), and the first of those (`chosen`). `errors_wanted`: files that hold no
    session were asked for. `trouble`: why nothing of the scan was kept, "" where it was."""

    at: float
    folders: Sequence[Path]
    rows: Sequence[RankedSession]
    fitting: int
    chosen: Sequence[RankedSession]
    errors_wanted: bool
    trouble: str


def list_sessions(wanted: Wanted, settings: Settings, job: Job) -> Listed:
    """Scans, ranks and chooses. What is wanted is looked at first: raises `QueryError` for the filter, `UsageError` for
    the day or a path that is not there; and `StoreError`, `Cancelled`."""
    query = parse_filter(wanted.filter, copies=wanted.copies)
    choice = Choice(query, wanted.repo, _start_of(wanted.since), wanted.min_score)
    for path in wanted.paths:
        _check(path)
    folders = wanted.paths or tuple(scanning.session_folders(settings))
    database = open_store(settings)
    with closing(database) if database is not None else nullcontext():
        scan = scanning.scan(folders, settings, database, job, input_format=wanted.input_format)
    at = now()
    rows = rank(scan.files, at)
    fitting = choose(rows, choice)
    sessions = sum(row.facts is not None for row in fitting)
    chosen = first_of(fitting, wanted.count, wanted.top_percent, sessions)
    return Listed(at, folders, rows, len(fitting), chosen, query.asks("error"), scan.trouble)


def classic_list(wanted: Wanted, folder: Path) -> list[ClassicSession]:
    """The sessions right in `folder` with the numbers of the first sampler, highest first; those of as many points in
    the order of their names. Raises `UsageError`."""
    _check(folder)
    if not folder.is_dir():
        raise UsageError("this is no folder", where=folder, do="Classic mode ranks the *.jsonl files of a folder.")
    found = classic_sessions(folder, now(), since=_start_of(wanted.since), repo=wanted.repo)
    kept = [one for one in found if one.score >= wanted.min_score]
    kept.sort(key=lambda one: -one.score)
    return list(first_of(kept, wanted.count, wanted.top_percent, len(kept)))


def _start_of(day: str) -> float | None:
    """When a day begins, in seconds since the epoch; None for none. Raises `UsageError`."""
    if not day:
        return None
    found = days(day, now())
    if found is None:
        raise UsageError(f"--since cannot be {day!r}", do="It is a day such as 2026-04-01, a month, today or 7d.")
    return found.start


def _check(path: Path) -> None:
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise UsageError(f"this cannot be read ({error})", where=path) from error
    if not there:
        raise UsageError("there is no such file or folder", where=path)
