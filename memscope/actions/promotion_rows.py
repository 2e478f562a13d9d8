"""From transcripts, folders of them and files of rows to the rows that are clustered: what each session says, once.

What counts is told as `memscope sessions` ranks it. Of a session that is there in several files one counts, and of the
others what that does not tell: a session that was forked goes on elsewhere. Its sub-agents are read too, in its name:
what they set out to do is a plan, but what they are asked, no person said.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions.named_inputs import there, without_session
from memscope.actions.scan import scan, session_folders
from memscope.actions.session_choice import Chosen, Part, chosen, name_of, to_read
from memscope.base.clock import now
from memscope.base.collecting import lasting
from memscope.base.errors import SourceError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.many import read_files
from memscope.conversation.model import Ref, Source
from memscope.promotion.model import Row, RowKind
from memscope.promotion.rows_file import BadRow, Embeddings, is_rows, read_rows
from memscope.promotion.texts import Texts, Told, texts_fold
from memscope.sessions.ranked import RankedSession
from memscope.sessions.ranking import rank

if TYPE_CHECKING:
    from memscope.promotion.model import Vector, Vectors
    from memscope.store.database import Database

KINDS: tuple[RowKind, ...] = ("request", "plan")

_DOING = "reading requests and plans"
_DO = "Name a transcript, or JSON lines with message_id, session_id, and text or embedding."
_ROWS = "it holds rows, which are read where the file itself is named"


class LeftOut(NamedTuple):
    """How many were left out: sessions that tell nothing that others do not (`copies`); texts in a person's name that
    no person wrote (`synthetic`), or that say too little to be told from others, plans too (`short`); lines of a file
    that are no row (`bad`); messages that another session tells, too, and rows that are there before (`repeated`)."""

    copies: int = 0
    synthetic: int = 0
    short: int = 0
    bad: int = 0
    repeated: int = 0


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
        unread = [*without_session(ranked, named, do=_DO, why=_why)]
        rows, sessions, left_out, failed = _read(chosen(ranked), kinds, job)
        for _ in rows:
            embeddings.add()
        unread += failed
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
        path = there(path)  # noqa: PLW2901
        if path.is_dir() or input_format or not is_rows(path):
            transcripts.append(path)
        else:
            rows.setdefault(os.path.realpath(path), path)
    return transcripts, [*rows.values()]


def _why(row: RankedSession) -> str:
    """Why a file holds no session."""
    return _ROWS if not row.format and _holds_rows(Path(row.path)) else row.error


def _holds_rows(path: Path) -> bool:
    """Whether it is a file of rows, which is read only where it is named."""
    try:
        return path.is_file() and is_rows(path)
    except (SourceError, OSError):
        return False


def _read(
    choice: Chosen, kinds: Collection[RowKind], job: Job
) -> tuple[list[Row], int, LeftOut, list[tuple[Path, str]]]:
    """The rows of all sessions, in their order; how many there are; what of them is left out; the files that could not
    be read."""
    wanted: dict[str, list[RankedSession]] = {}
    for part in choice.parts:
        wanted.setdefault(part.row.path, []).append(part.row)
    files = [*map(to_read, wanted.values())]
    found = read_files(texts_fold, (tuple(kinds),), files, job, _DOING)
    read = dict(zip(wanted, found, strict=True))
    once = _Once()
    with lasting():
        for part in choice.parts:
            texts = read[part.row.path].made.get(part.row.item)
            if texts is not None:
                once.take(part, texts)
    failed = [(Path(path), file.error) for path, file in read.items() if file.error]
    told = once.told()
    left_out = once.left_out()
    left_out = left_out._replace(copies=left_out.copies + choice.copies)
    return [row for session in told for row in session.rows], len(told), left_out, failed


@dataclass(slots=True)
class _Session:
    """What a session tells that was not told before it, and how many messages it tells that were."""

    rows: list[Row] = field(default_factory=list)
    said: set[tuple[RowKind, str]] = field(default_factory=set)
    repeated: int = 0

    @property
    def is_elsewhere(self) -> bool:
        """Whether others tell all that it tells."""
        return not self.rows and self.repeated > 0


class _Once:
    """What sessions tell, each message once."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._marks: set[str] = set()
        self._left = LeftOut()

    def take(self, part: Part, texts: Texts) -> None:
        """What a conversation tells; of a copy also what has no mark, or another one, is known by its words."""
        row, name, is_copy = part
        session = self._sessions.setdefault(name, _Session())
        new = [
            told
            for told in texts.rows
            if self._marks.isdisjoint(told.marks) and not (is_copy and (told.kind, told.text) in session.said)
        ]
        self._marks.update(mark for told in texts.rows for mark in told.marks)
        session.said.update((told.kind, told.text) for told in texts.rows)
        session.rows += _rows(new, row, name)
        left = self._left
        if is_copy:
            self._left = left._replace(copies=left.copies + (not new))
        else:
            session.repeated += len(texts.rows) - len(new)
            self._left = left._replace(synthetic=left.synthetic + texts.synthetic, short=left.short + texts.short)

    def told(self) -> list[_Session]:
        return [session for session in self._sessions.values() if not session.is_elsewhere]

    def left_out(self) -> LeftOut:
        copies = len(self._sessions) - len(self.told())
        repeated = sum(session.repeated for session in self.told())
        return self._left._replace(copies=self._left.copies + copies, repeated=repeated)


def _rows(texts: Iterable[Told], row: RankedSession, session: str) -> Iterator[Row]:
    path = Path(row.path)
    sources: dict[int, Source] = {}  # by window
    prefix = "" if name_of(row.place) == session else f"{name_of(row.place)}:"
    for window, message, kind, text, tools, time, failures, _ in texts:
        source = sources.setdefault(window, Source(path, row.format, row.item, window))
        name = f"{prefix}{window}:{message}"
        yield Row(name, session, text, kind, tools, time, Ref(source, message), failures)
