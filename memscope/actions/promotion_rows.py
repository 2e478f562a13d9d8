"""From transcripts, folders of them and files of rows to the rows that are clustered: what each session says, once.

What counts is told as `memscope sessions` ranks it: of a session that is there in several files, one is read. Its
sub-agents are read too, in its name: what they set out to do is a plan, but what they are asked, no person said.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions.scan import inside, scan, session_folders
from memscope.base.clock import now
from memscope.base.collecting import lasting
from memscope.base.errors import SourceError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.base.text import counted
from memscope.conversation.model import Ref, Source
from memscope.promotion.model import Row, RowKind
from memscope.promotion.reading import ToRead, read_files
from memscope.promotion.rows_file import BadRow, Embeddings, is_rows, read_rows
from memscope.promotion.texts import Texts
from memscope.sessions.facts import Facts
from memscope.sessions.ranked import Place, RankedSession
from memscope.sessions.ranking import rank

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors
    from memscope.store.database import Database

KINDS: tuple[RowKind, ...] = ("request", "plan")


class LeftOut(NamedTuple):
    """How many were left out: sessions that count with others (`copies`); texts in a person's name that no person wrote
    (`synthetic`), or that say too little to be told from others (`short`); lines of a file that are no row (`bad`)."""

    copies: int = 0
    synthetic: int = 0
    short: int = 0
    bad: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """Each that there is, with a word: "3 copies", "12 short texts"."""
        named = (
            (self.copies, "copy", "copies"),
            (self.synthetic, "text by software", "texts by software"),
            (self.short, "short text", ""),
            (self.bad, "bad row", ""),
        )
        return tuple(counted(number, one, many) for number, one, many in named if number)


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The `rows`: those of transcripts, the oldest session first, each in its order; behind them those of files of
    rows. `vectors` as the rows brought them: one matrix, a row each, where all have one of the same length; else a list
    with None for those without; None where none has one.

    `sessions`: how many were read. `unread`: files that hold none, each with the reason; `bad`: the first lines that
    are no row. `trouble`: why not all that a scan read was kept, "" where it was.
    """

    rows: Sequence[Row]
    vectors: Vectors | Sequence[Vector | None] | None
    sessions: int
    left_out: LeftOut
    unread: Sequence[tuple[Path, str]]
    bad: Sequence[BadRow]
    trouble: str


def gather(
    inputs: Sequence[Path],
    settings: Settings,
    database: Database | None,
    job: Job,
    *,
    kinds: Collection[RowKind] = KINDS,
    input_format: str = "",
) -> Gathered:
    """The rows of `inputs`: transcripts, folders of them, files of rows; none: the folders of the agents and of the
    settings. `kinds`: which rows of transcripts; files of rows do not tell. With an `input_format` every file is a
    transcript of that.

    Raises `UsageError` for an input that is not there, `SourceError` for a file that is named and holds neither,
    `Cancelled`.
    """
    named, files = _parted(inputs, input_format)
    embeddings = Embeddings()
    rows: list[Row] = []
    left_out, unread, sessions, trouble = LeftOut(), list[tuple[Path, str]](), 0, ""
    if named or not inputs:
        done = scan(named or session_folders(settings), settings, database, job, input_format=input_format)
        trouble = done.trouble
        ranked = rank(done.files, now())
        unread = [*_unread(ranked, named)]
        chosen = _chosen(ranked)
        rows, left_out, failed = _read(chosen.parts, kinds, job)
        for _ in rows:
            embeddings.add()
        left_out = left_out._replace(copies=chosen.copies)
        unread += failed
        sessions = len({part.session for part in chosen.parts})
    bad: list[BadRow] = []
    of_files: list[Row] = []
    for path in files:
        found = read_rows(path, embeddings, job)
        of_files += found.rows
        left_out = left_out._replace(bad=left_out.bad + found.bad)
        bad += found.told
    sessions += len({row.session_id for row in of_files})
    rows += of_files
    return Gathered(rows, embeddings.vectors(), sessions, left_out, unread, bad, trouble)


def _parted(inputs: Sequence[Path], input_format: str) -> tuple[list[Path], list[Path]]:
    """Transcripts and folders; and files of rows, each once. What they hold is told by their fields, before any format
    is tried."""
    transcripts: list[Path] = []
    rows: dict[str, Path] = {}
    for path in inputs:
        try:
            path = path.expanduser()  # noqa: PLW2901
            is_there, is_folder = path.exists(), path.is_dir()
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: the ~ of somebody who does not exist
            raise UsageError(f"this cannot be read ({error})", where=path) from error
        if not is_there:
            raise UsageError("there is no such file or folder", where=path)
        if is_folder or input_format or not is_rows(path):
            transcripts.append(path)
        else:
            rows.setdefault(os.path.realpath(path), path)
    return transcripts, [*rows.values()]


def _unread(ranked: Sequence[RankedSession], named: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """The files without a session, and the folders without a file. Raises `SourceError` for one that was named."""
    files = {str(path.absolute()) for path in named if not path.is_dir()}  # as a scan has them
    for row in ranked:
        if row.facts is None:
            if row.path in files:
                do = "Name a transcript, or JSON lines with message_id, session_id, and text or embedding."
                raise SourceError(row.error, where=row.path, do=do)
            yield Path(row.path), row.error
    for folder in named:
        if folder.is_dir() and not any(row.path.startswith(inside(folder)) for row in ranked):
            yield folder, "no transcript is below this folder"


class _Part(NamedTuple):
    """A conversation that is read, and the session it is of: that itself, or that of a sub-agent."""

    row: RankedSession
    session: str


class _Chosen(NamedTuple):
    """What is read, session after session; how many conversations are not, for they are told elsewhere."""

    parts: list[_Part]
    copies: int


def _chosen(ranked: Sequence[RankedSession]) -> _Chosen:
    """The sessions that count, the oldest first, each with its sub-agents, those once."""
    by_place = {row.place: row for row in ranked if row.facts is not None}
    counting = sorted((row for row in by_place.values() if row.copy_of is None), key=lambda r: (r.date, r.path, r.item))
    families: dict[tuple[str, str], str] = {}  # of sub-agents whose session is not there: the name of the first of them
    parts: list[_Part] = []
    for row in counting:
        session = _name(row.place)
        if row.facts is not None and row.facts.is_subagent and row.facts.parent:
            session = families.setdefault((row.format, row.facts.parent), session)
        parts.append(_Part(row, session))
        parts += (_Part(agent, session) for agent in _sub_agents(row, by_place))
    return _Chosen(parts, len(by_place) - len(parts))


def _sub_agents(row: RankedSession, by_place: dict[Place, RankedSession]) -> Iterator[RankedSession]:
    """The sub-agents that count with a session, in the order of their places; of each that is there several times, the
    one that says most, which `copies` has first."""
    seen = {_agent(row.facts)} if row.facts is not None and row.facts.is_subagent else set()
    found = []
    for place in row.copies:
        facts = by_place[place].facts
        if facts is not None and facts.is_subagent and _agent(facts) not in seen:
            seen.add(_agent(facts))
            found.append(by_place[place])
    yield from sorted(found, key=lambda agent: (agent.date, agent.path, agent.item))


def _agent(facts: Facts) -> object:
    """What copies of a sub-agent have in common, and no other sub-agent of its session has."""
    return facts.print or (facts.session, facts.request, facts.began)


def _name(place: Place) -> str:
    """A session as rows name it."""
    return f"{place.path}#{place.item}" if place.item else place.path


def _read(
    parts: Sequence[_Part], kinds: Collection[RowKind], job: Job
) -> tuple[list[Row], LeftOut, list[tuple[Path, str]]]:
    """The rows of all parts, in their order; what of them is left out; the files that could not be read."""
    wanted: dict[str, list[RankedSession]] = {}
    for part in parts:
        wanted.setdefault(part.row.path, []).append(part.row)
    read = dict(zip(wanted, read_files([*map(_to_read, wanted.values())], kinds, job), strict=True))
    rows: list[Row] = []
    synthetic = short = 0
    with lasting():
        for row, session in parts:
            texts = read[row.path].texts.get(row.item)
            if texts is not None:
                rows += _rows(texts, row, session)
                synthetic += texts.synthetic
                short += texts.short
    failed = [(Path(path), file.error) for path, file in read.items() if file.error]
    return rows, LeftOut(synthetic=synthetic, short=short), failed


def _to_read(rows: Sequence[RankedSession]) -> ToRead:
    """What is read of a file: the conversations that are `rows`."""
    first = rows[0]
    items = tuple((row.item, row.facts is not None and row.facts.is_subagent) for row in rows)
    return ToRead(os.fsencode(first.path), first.format, items, first.size)


def _rows(texts: Texts, row: RankedSession, session: str) -> Iterable[Row]:
    path = Path(row.path)
    sources: dict[int, Source] = {}  # by window
    prefix = "" if _name(row.place) == session else f"{_name(row.place)}:"
    for window, message, kind, text, tools, time, failures in texts.rows:
        source = sources.setdefault(window, Source(path, row.format, row.item, window))
        name = f"{prefix}{window}:{message}"
        yield Row(name, session, text, kind, tools, time, Ref(source, message), failures)
