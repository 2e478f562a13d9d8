"""Listing sessions for a command: folders are scanned and ranked, and of all there are those chosen that are wanted.
Such a list can be read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from memscope.actions import scan as scanning
from memscope.actions.engine import open_store
from memscope.actions.sessions import parse_filter
from memscope.base.clock import now
from memscope.base.errors import StoreError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.sessions.choice import Choice, choose, first_of
from memscope.sessions.classic import ClassicSession, classic_sessions
from memscope.sessions.query_values import days
from memscope.sessions.ranked import Place, RankedSession
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
    session were asked for. `words`: those of the filter that belong to no field. `trouble`: why not all that was read
    was kept, "" where it was."""

    at: float
    folders: Sequence[Path]
    rows: Sequence[RankedSession]
    fitting: int
    chosen: Sequence[RankedSession]
    errors_wanted: bool
    words: Sequence[str]
    trouble: str


def list_sessions(wanted: Wanted, settings: Settings, job: Job) -> Listed:
    """Scans, ranks and chooses. What is wanted is looked at first: raises `QueryError` for the filter, `UsageError` for
    the day or a path that is not there; and `Cancelled`. A store that cannot be used is only told."""
    query = parse_filter(wanted.filter, copies=wanted.copies)
    choice = Choice(query, wanted.repo, _start_of(wanted.since), wanted.min_score)
    for path in wanted.paths:
        _check(path)
    folders = wanted.paths or tuple(scanning.session_folders(settings))
    database, trouble = None, ""
    try:
        database = open_store(settings)
    except StoreError as error:
        trouble = str(error)
    with closing(database) if database is not None else nullcontext():
        scan = scanning.scan(folders, settings, database, job, input_format=wanted.input_format)
    at = now()
    rows = rank(scan.files, at)
    fitting = choose(rows, choice)
    chosen = first_of(fitting, wanted.count, wanted.top_percent, _whole(fitting, wanted.top_percent))
    words = [term.value for term in query.terms if not term.field]
    return Listed(at, folders, rows, len(fitting), chosen, query.asks("error"), words, trouble or scan.trouble)


def _whole(rows: Sequence[RankedSession], percent: float | None) -> int:
    """What a percentage is of: the sessions; files without one stand behind them, and come with the last of them."""
    sessions = sum(row.facts is not None for row in rows)
    return len(rows) if not sessions or percent == 100 else sessions


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


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list of sessions that was read again: the `places` of the sessions, and the files that held none, each with
    the reason (`errors`)."""

    places: Sequence[Place]
    errors: Sequence[tuple[str, str]]


def read_list(text: str | bytes) -> ReadList | None:
    """The list that `memscope sessions` writes as JSON, in whatever mode; None for what is no such list."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        return None
    sessions = [row for row in rows if row["score"] is not None]
    return ReadList(
        [Place(row["path"], row.get("item", 0)) for row in sessions],
        [(row["path"], str(row.get("error"))) for row in rows if row["score"] is None],
    )


def _is_row(row: object) -> bool:
    if not isinstance(row, dict) or not {"path", "score", "breakdown"} <= row.keys():
        return False
    path, item = row["path"], row.get("item", 0)
    return isinstance(path, str) and _can_be(path) and type(item) is int and item >= 0


def _can_be(path: str) -> bool:
    """Whether a file can have such a name."""
    try:
        return bool(path) and b"\0" not in os.fsencode(path)
    except UnicodeError:
        return False


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
