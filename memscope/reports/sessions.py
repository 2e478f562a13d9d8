"""The sessions document, a bare list as that of the classic sampler was: sessions in their order, each with its score
and what that rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, RootModel

from memscope.base.cells import middle
from memscope.base.clock import from_iso, iso
from memscope.base.text import byte_count, counted
from memscope.reports.session_parts import Part, headline, score_parts
from memscope.reports.view import Cell, Column, Document, View, show
from memscope.sessions.facts import Evidence, Facts, Failure, FailureKind, Repository
from memscope.sessions.ranked import Breakdown, Place, RankedSession

Outcome = Literal["failure", "content", "empty"]

_NAME = 20  # cells of a file's name before what is wrong with it
_WORTH: dict[str, int] = {"failure": 3, "content": 2, "empty": 1}  # as outcomes are sorted
_NOWHERE = Evidence(0, 0, 0, "")
_NO_FACTS = Facts(
    item=0,
    title="",
    request="",
    session="",
    parent="",
    print="",
    is_subagent=False,
    messages=0,
    responses=0,
    tool_calls=0,
    memories=0,
    memory=None,
    windows=0,
    began=None,
    ended=None,
    repositories=(),
    failure=None,
    has_content=False,
    malformed=0,
    skipped=0,
)


class BreakdownPart(Document):
    """The parts of a score."""

    recency: int
    length: int
    repo_unique: int
    outcome: int
    tool_calls: int


class EvidencePart(Document):
    """What a part rests on: in `words`, and where there is one, a place. `message` is an index into the messages of the
    context `window`, as `memscope convert FILE --window W` prints them; `line` of the file, from 1; `text`: the words
    that decided."""

    words: str
    window: int | None
    message: int | None
    line: int | None
    text: str | None


class SessionEvidence(Document):
    """What each part of the score rests on; `memories`: where the first is."""

    recency: EvidencePart
    length: EvidencePart
    repo_unique: EvidencePart
    outcome: EvidencePart
    tool_calls: EvidencePart
    memories: EvidencePart


class PlacePart(Document):
    """A conversation: its file, and its number in there."""

    path: str
    item: int


class HolderPart(Document):
    """A repository, and the session that has the bonus of being its first."""

    repo: str
    path: str
    item: int


class SessionRow(Document):
    """A session, or a file that holds none: then `error` says why, and score, breakdown and evidence are null.

    `message_count`, `responses`, `tool_calls` are those of the whole file; `memories`: different ones that were found;
    `windows`: its contexts. `failure`: what told that it failed. `date`: ISO 8601, UTC, and `dated` by what.
    `malformed_lines` were broken; `skipped` are all that were passed over, those among them. `size` in bytes.
    `session`: the agent's own name for it, and `parent` that of the session whose sub-agent it is. `holders`: who was
    first at those of its `repos` that it is not the first session of. `copies`: where else the session is, and its
    sub-agents, which count here; `copy_of`: of such a one, where it counts. Bytes of a path that are no UTF-8 stand in
    it as lone surrogates.
    """

    path: str
    filename: str
    item: int
    score: int | None
    breakdown: BreakdownPart | None
    message_count: int
    repos: list[str]
    holders: list[HolderPart]
    is_failure: bool
    outcome: Outcome | None
    failure: FailureKind | None
    date: str | None
    dated: Literal["name", "message", "file"]
    evidence: SessionEvidence | None
    format: str
    title: str
    request: str
    session: str
    parent: str
    is_subagent: bool
    memories: int
    windows: int
    responses: int
    tool_calls: int
    malformed_lines: int
    skipped: int
    size: int
    copies: list[PlacePart]
    copy_of: PlacePart | None
    error: str


class SessionsDocument(RootModel[list[SessionRow]]):
    """Sessions and files without one, in their order; the one document without a `schema`."""

    model_config = ConfigDict(frozen=True)


def sessions_document(rows: Sequence[RankedSession], now: float) -> SessionsDocument:
    """The rows at a time in seconds since the epoch."""
    return SessionsDocument([_row(row, now) for row in rows])


def _row(row: RankedSession, now: float) -> SessionRow:
    facts = row.facts or _NO_FACTS
    parts = {part.name: _evidence(part) for part in score_parts(row, now)}
    return SessionRow(
        path=row.path,
        filename=Path(row.path).name,
        item=row.item,
        score=row.score if parts else None,
        breakdown=BreakdownPart(**row.parts._asdict()) if parts else None,
        message_count=facts.messages,
        repos=[repository.name for repository in facts.repositories],
        holders=[HolderPart(repo=name, path=place.path, item=place.item) for name, place in row.holder],
        is_failure=row.is_failure,
        outcome=_outcome(row),
        failure=facts.failure.kind if facts.failure is not None else None,
        date=_date(row),
        dated=row.dated,
        evidence=SessionEvidence(**parts) if parts else None,
        format=row.format,
        title=facts.title,
        request=facts.request,
        session=facts.session,
        parent=facts.parent,
        is_subagent=facts.is_subagent,
        memories=facts.memories,
        windows=facts.windows,
        responses=facts.responses,
        tool_calls=facts.tool_calls,
        malformed_lines=facts.malformed,
        skipped=facts.skipped,
        size=row.size,
        copies=[PlacePart(path=place.path, item=place.item) for place in row.copies],
        copy_of=PlacePart(path=row.copy_of.path, item=row.copy_of.item) if row.copy_of is not None else None,
        error=row.error,
    )


def _evidence(part: Part) -> EvidencePart:
    found = part.evidence
    if found is None:
        return EvidencePart(words=part.words, window=None, message=None, line=None, text=None)
    return EvidencePart(
        words=part.words, window=found.window, message=found.message, line=found.line or None, text=found.text
    )


def _outcome(row: RankedSession) -> Outcome | None:
    if row.facts is None:
        return None
    return "failure" if row.facts.failure is not None else "content" if row.facts.has_content else "empty"


def _iso(at: float) -> str | None:
    try:
        return iso(at)
    except (ValueError, OverflowError, OSError):  # a clock that was far off
        return None


def _date(row: RankedSession) -> str | None:
    """None where none is known: of what is no file, too."""
    return _iso(row.date) if row.date else None


def _day(row: RankedSession) -> str:
    """In UTC, as names of files have it."""
    return (_date(row) or "–")[:10]


def _title(row: RankedSession) -> str:
    """The headline, with a word before it for what counts elsewhere; behind the name of a file without a session, why
    that is so."""
    if row.facts is None:
        return f"{middle(headline(row), _NAME)}: {row.error}"
    if row.copy_of is None:
        return headline(row)
    return f"{'sub-agent' if row.facts.is_subagent else 'copy'}: {headline(row)}"


def _repositories(row: RankedSession) -> str:
    return "" if row.facts is None else ", ".join(repository.name for repository in row.facts.repositories)


def _count(of: Callable[[Facts], int]) -> Callable[[RankedSession], int | None]:
    """A number of what is told of a session; a file without one has none."""
    return lambda row: None if row.facts is None else of(row.facts)


def _errors_last(column: Column[RankedSession]) -> Column[RankedSession]:
    """The column with its empty cells, and files without a session, behind all others, however it is sorted."""
    value = column.value

    def sorted_by(row: RankedSession) -> Cell:
        found = None if row.facts is None else value(row)
        return None if found == "" else found

    shown, exported = column.shown or (lambda row: show(value(row))), column.exported or value
    return replace(column, value=sorted_by, shown=shown, exported=exported)


def _part(name: str) -> Column[RankedSession]:
    """A part of the score alone, for programs."""
    return Column(f"{name}_points", lambda row: None if row.facts is None else getattr(row.parts, name), "points")


_PARTS: Column[RankedSession] = Column(
    "R L U O T", lambda row: "" if row.facts is None else " ".join(map(str, row.parts)), rank=5, highest_first=True
)
_OUTCOME: Column[RankedSession] = Column(
    "outcome",
    lambda row: _WORTH.get(_outcome(row) or "", 0),
    rank=1,
    shown=lambda row: _outcome(row) or "error",
    exported=lambda row: _outcome(row) or "error",
    highest_first=True,
)
_ERROR: Column[RankedSession] = Column(
    "error",
    lambda row: row.error or None,
    rank=14,
    shown=lambda row: row.error,
    exported=lambda row: row.error,
)

# Of text, a column gets at least 20 cells: on a screen of 80 the ranks leave score, memories, date, outcome and title;
# on one of 40, score and title. Of the same rank, the last goes first.
_OF_SESSIONS: tuple[Column[RankedSession], ...] = (
    Column("score", lambda row: None if row.facts is None else row.score, "points"),
    _PARTS,
    Column("memories", _count(lambda facts: facts.memories), "memories", rank=1),
    Column("messages", _count(lambda facts: facts.messages), "messages", rank=2),
    Column("windows", _count(lambda facts: facts.windows), "windows", rank=4),
    Column("date", lambda row: row.date or None, "s", rank=1, shown=_day, exported=_date),
    _OUTCOME,
    Column("title", headline, wide=True, shown=_title),
    Column("repository", _repositories, rank=1),
    Column("file", lambda row: row.path, rank=3, shown=lambda row: Path(row.path).name),
    Column("item", lambda row: row.item, "index", rank=9),
    Column("format", lambda row: row.format, rank=6),
    Column("size", lambda row: row.size, "bytes", rank=7, shown=lambda row: byte_count(row.size)),
    Column("tool calls", _count(lambda facts: facts.tool_calls), "calls", rank=8),
    Column("responses", _count(lambda facts: facts.responses), "responses", rank=10),
    Column("malformed", _count(lambda facts: facts.malformed), "lines", rank=11),
    Column("copies", lambda row: len(row.copies), "copies", rank=12),
    Column("session", lambda row: "" if row.facts is None else row.facts.session, rank=13),
)
_COLUMNS: tuple[Column[RankedSession], ...] = (*map(_errors_last, _OF_SESSIONS), _ERROR)
_EXPORTED: tuple[Column[RankedSession], ...] = (
    *(column for column in _COLUMNS if column.title != _PARTS.title),
    *map(_part, Breakdown._fields),
    Column("failure", lambda row: row.facts.failure.kind if row.facts and row.facts.failure else ""),
    Column("dated", lambda row: row.dated),
    Column("request", lambda row: row.facts.request if row.facts else ""),
    Column("skipped", _count(lambda facts: facts.skipped)),
    Column("is_subagent", lambda row: row.facts is not None and row.facts.is_subagent),
    Column("copy_of", lambda row: row.copy_of.path if row.copy_of is not None else ""),
    Column("copy_of_item", lambda row: row.copy_of.item if row.copy_of is not None else None),
)
LEGEND = "R recency, L length, U first of its repository, O outcome, T tool calls"


def session_columns() -> tuple[Column[RankedSession], ...]:
    """The columns of a table of sessions; `LEGEND` says what the letters are. CSV has those of `SESSIONS`."""
    return _COLUMNS


def sessions_words(rows: Sequence[RankedSession]) -> str:
    """How many sessions there are, in a sentence: each counted once, whatever stands elsewhere of it."""
    own = [row for row in rows if row.facts is not None and row.copy_of is None]
    files = len({row.path for row in rows if row.facts is not None})
    said = [f"{counted(len(own), 'session')} in {counted(files, 'file')}"]
    if own:
        said.append(f"{sum(1 for row in own if row.facts is not None and row.facts.memories)} with memories")
        said.append(f"{sum(row.is_failure for row in own)} failed")
    more = []
    if copies := sum(row.copy_of is not None for row in rows):
        one, many = "copy or sub-agent counts with its session", "copies and sub-agents count with their sessions"
        more.append(f"{copies} {one if copies == 1 else many}")
    if unread := len({row.path for row in rows if row.facts is None}):
        more.append(f"{counted(unread, 'file')} could not be read")
    return "; ".join([", ".join(said), *more])


def _ranked(row: SessionRow) -> RankedSession:
    """A row of the document as the ranking has it, as far as the columns look at it."""
    facts = _NO_FACTS._replace(
        item=row.item,
        title=row.title,
        request=row.request,
        session=row.session,
        parent=row.parent,
        is_subagent=row.is_subagent,
        messages=row.message_count,
        responses=row.responses,
        tool_calls=row.tool_calls,
        memories=row.memories,
        windows=row.windows,
        repositories=tuple(Repository(name, _NOWHERE) for name in row.repos),
        failure=Failure(row.failure, _NOWHERE) if row.failure is not None else None,
        has_content=row.outcome != "empty",
        malformed=row.malformed_lines,
        skipped=row.skipped,
    )
    return RankedSession(
        row.path,
        row.item,
        row.format,
        row.size,
        facts if row.score is not None else None,
        row.error,
        row.score or 0,
        Breakdown(**row.breakdown.model_dump()) if row.breakdown is not None else Breakdown(0, 0, 0, 0, 0),
        from_iso(row.date) if row.date is not None else 0.0,
        row.dated,
        holder=tuple((one.repo, Place(one.path, one.item)) for one in row.holders),
        copies=tuple(Place(place.path, place.item) for place in row.copies),
        copy_of=Place(row.copy_of.path, row.copy_of.item) if row.copy_of is not None else None,
    )


SESSIONS: View[SessionsDocument, RankedSession] = View(
    "sessions", SessionsDocument, lambda document: [*map(_ranked, document.root)], lambda _: _EXPORTED
)
