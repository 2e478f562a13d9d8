"""What the Sessions pane says of all it shows: what that is, how far the scan is, and why there is nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.sessions import looked_for, parse_filter
from memscope.base.files import shown_path
from memscope.base.text import byte_count, counted
from memscope.tui.widgets.line_input import expanded

if TYPE_CHECKING:
    from memscope.actions.scan import Scan
    from memscope.actions.sessions import Ranking
    from memscope.sessions.ranked import Place, RankedSession

_NAMED = 2  # folders


def can_be_scored(row: RankedSession) -> bool:
    """Whether there is something in it to score, as far as a scan tells."""
    return row.facts is not None and row.facts.memories > 0 and row.facts.responses > 0


@dataclass(frozen=True)
class Shown:
    """Which rows are shown: those that the filter `words` ask for; `copies` and sub-agents too, unless these say
    whether; with `memories`, of these those alone that can be scored. `wanted` raises `BadFilter` for words that are no
    filter."""

    words: str = ""
    copies: bool = False
    memories: bool = False

    @cached_property
    def wanted(self) -> Callable[[RankedSession], bool]:
        query = parse_filter(self.words, copies=self.copies)
        if not self.memories:
            return query
        return lambda row: can_be_scored(row) and query(row)


@dataclass(frozen=True, slots=True)
class Hop:
    """A jump to the row of a place, from another row, and what was shown by then."""

    place: Place
    origin: Place
    shown: Shown


def head_words(ranking: Ranking | None, chosen: Sequence[Path], shown: Shown, rows: int, *, looking: bool) -> str:
    """What is shown, in a line: of which folders, how many, and what is left out; `looking`: whether they are being
    scanned."""
    if ranking is None and looking:
        return f"{_folders(chosen)} · looking …" if chosen else "looking for sessions …"
    if ranking is None:
        return " · ".join(filter(None, (_folders(chosen), "nothing was scanned")))
    total, said = ranking.totals, [_folders(ranking.folders)]
    if shown.memories or shown.words:
        said.append(f"{rows:,} to score shown (m)" if shown.memories else f"{rows:,} shown")
    said.append(f"{counted(total.sessions, 'session')}, {total.with_memories:,} with memories")
    if total.copies:
        what = "copy or sub-agent" if total.copies == 1 else "copies and sub-agents"
        said.append(f"{total.copies:,} {what} {'too' if shown.copies else 'hidden'}")
    if total.errors:
        said.append(f"{total.errors:,} unreadable")
    return " · ".join(filter(None, said))


def _folders(folders: Sequence[Path]) -> str:
    more = len(folders) - _NAMED
    names = ", ".join(shown_path(folder) for folder in folders[:_NAMED])
    return f"{names} and {more} more" if more > 0 else names


def scanned_words(scan: Scan) -> str:
    """What a scan came to."""
    said = [f"{counted(len(scan.files), 'file')}: {scan.read:,} read, {scan.kept:,} as they were"]
    if scan.gone:
        said.append(f"{scan.gone:,} gone")
    if scan.bytes_read:
        said.append(f"{byte_count(scan.bytes_read)} in {scan.seconds:.1f} s")
    return ", ".join(said)


def why_empty(ranking: Ranking, chosen: bool) -> str:
    """Why there is no session at all, and which key helps."""
    if ranking.scan is None:
        return "The folders are being scanned.\nx cancels; what was found by then stays."
    if not ranking.folders:
        places = "".join(f"\n  {shown_path(folder)}" for folder in looked_for())
        return (
            f"No agent has left sessions here. Looked for:{places}\n"
            "o scans a folder; the setting session_folders adds more for good."
        )
    where = ", ".join(map(shown_path, ranking.folders))
    agents = " With nothing typed there, the folders of the agents." if chosen else ""
    return f"There is no session in {where}.\nR scans again; o scans another folder.{agents}"


def why_none(shown: Shown, ranking: Ranking | None) -> str:
    """Why none of the rows there are is shown; "" where all are."""
    if ranking is not None and ranking.rows and not ranking.totals.sessions:
        first, more = ranking.rows[0], len(ranking.rows) - 1
        said = f"{shown_path(Path(first.path))}: {first.error}"
        others = f", and {counted(more, 'file')} more without a session" if more else ""
        return f"There is no session here. {said}{others}.\nR scans again; o scans another folder."
    if shown.memories and not shown.words:
        return "None of these sessions has memories and a response, and only such are shown.\nm shows them all."
    if shown.memories:
        return f"No session that can be scored fits {shown.words!r}.\nEsc ends the filter, m shows the others too."
    return f"No session fits {shown.words!r}.\nEsc ends the filter." if shown.words else ""


def why_unscored(rows: Sequence[RankedSession]) -> str:
    """Why none of these, the marked or the one under the cursor, can be scored."""
    if len(rows) == 1 and rows[0].facts is None:
        return f"there is nothing to score: {rows[0].error}"
    if len(rows) > 1:
        return "none of the marked has memories and a response, so there is nothing to score"
    what = [f"this session has no {'responses' if row.facts and row.facts.memories else 'memories'}" for row in rows]
    return f"{what[0]}, so there is nothing to score" if what else "no session is here"


def no_place(text: str) -> str | None:
    """Why a place that was typed cannot be scanned; None when it may."""
    try:
        return None if not text.strip() or expanded(text.strip()).exists() else "there is no such folder"
    except (OSError, ValueError):
        return "no folder can have this name"
