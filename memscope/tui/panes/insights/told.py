"""What the Insights pane says of all it shows: what was read, which rows there are, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.insight_decisions import kept_words
from memscope.base.files import shown_path
from memscope.base.text import counted, preview
from memscope.reports.insights import KIND_WORDS
from memscope.tui.panes.insights.rows import ALL, counts_of
from memscope.tui.panes.promotions.told import places_words
from memscope.tui.widgets.paragraphs import Paragraph

if TYPE_CHECKING:
    from memscope.actions.insights import Observed
    from memscope.insights.curation import Curated
    from memscope.reports.insights import InsightRow
    from memscope.tui.panes.insights.deciding import Found
    from memscope.tui.panes.insights.reading import Looked, Where
    from memscope.tui.panes.insights.rows import Bucket, ShownKind

HELPS = "R reads again, o reads elsewhere; , shows the settings."
READING = "What sessions teach is being read.\nx stops that."
_NAMED = 3  # folders
_TOLD = 80  # characters of an insight
_RULES = (
    "No tool failed twice in a session, no two calls in a row worked between two plain answers, no answer is as long "
    "as 500 characters."
)


def head_words(looked: Looked | None, asked: Where, *, reading: bool) -> str:
    """What was read in a line, with how much of it was not; None: nothing yet. `asked`: what is read now, or was to
    be."""
    if looked is None:
        return f"{_where_words(asked)} · {'reading …' if reading else 'nothing was read'}"
    observed = looked.observed
    said = [f"reading {_where_words(asked)} …"] if reading else []
    said += [_where_words(looked.where), counted(len(observed.sessions), "session")]
    missed = [counted(observed.copies, "copy", "copies")] if observed.copies else []
    missed += [f"{len(observed.unread):,} unread"] if observed.unread else []
    said += [f"{', '.join(missed)} (i)"] if missed else []
    return " · ".join(said)


def _where_words(where: Where) -> str:
    return places_words(where.inputs) + (f" conversation {where.item + 1:,}" if where.item else "")


def kind_words(kind: ShownKind) -> str:
    """The kind that is shown, and the key that shows another."""
    return f"{'all kinds' if kind == ALL else KIND_WORDS[kind][1]} (t)"


def why_empty(
    found: Found, rows: Sequence[InsightRow], bucket: Bucket, kind: ShownKind, folders: Sequence[Path]
) -> str:
    """Why no row is shown, and which key helps. `folders`: where was read."""
    if not rows:
        return _why_none(found.observed, folders) if found.observed is not None else f"Nothing was read.\n{HELPS}"
    if kind != ALL and not counts_of(rows, kind)[ALL]:
        return f"None of {counted(len(rows), 'insight')} is of this kind: {KIND_WORDS[kind][0]}.\nt shows the others."
    told = ", ".join(f"{number} {name}" for name, number in counts_of(rows, kind).items() if number and name != ALL)
    of_kind = "" if kind == ALL else " of this kind"
    if bucket == "new":
        return f"No insight{of_kind} is new: {told}.\nb shows the others; u takes the latest decision back."
    return f"None{of_kind} is {bucket}: {told}.\nb shows the others."


def _why_none(observed: Observed, folders: Sequence[Path]) -> str:
    keys = ["o reads another folder or file", "R reads again"]
    keys += ["i lists what was not read"] if observed.unread or observed.copies else []
    if observed.sessions:
        asks = "f has a chat model say what they teach; "
        return f"Nothing stands out in {counted(len(observed.sessions), 'session')}. {_RULES}\n{asks}{'; '.join(keys)}."
    named = ", ".join(map(shown_path, folders[:_NAMED]))
    looked = f"Looked in: {named}{_more(len(folders) - _NAMED)}." if folders else "No folder of an agent is there."
    lines = ["No session was read.", looked]
    if observed.unread:
        path, error = observed.unread[0]
        lines.append(f"{shown_path(path)}: {error}{_more(len(observed.unread) - 1)}.")
    return "\n".join([*lines, "; ".join(keys) + "."])


def kept_said(curated: Curated, asked: int) -> str:
    """What became of so many insights that a person wants to keep, with the key that takes it back."""
    back = "; u takes that back" if curated.added else ""
    if asked > 1 or curated.left or not (curated.added or curated.repeated):
        return kept_words(curated) + back
    if not curated.added:
        return "nothing new to keep: what says the same is kept already"
    same = {one.insight.name for one in curated.added}
    others = [preview(old.insight.text, _TOLD) for old, _ in curated.replaced if old.insight.name not in same]
    if others:
        more = _more(len(others) - 1)
        return f"kept in place of what says the same: {others[0]}{more}{back}"
    return f"{'kept with where else it comes from' if curated.replaced else 'kept'}{back}"


def what_was_read(observed: Observed, folders: Sequence[Path]) -> Iterator[Paragraph]:
    """All that was read, left out, and could not be read, with the reasons."""
    yield Paragraph("Looked in", "title")
    for folder in folders:
        yield Paragraph(shown_path(folder))
    yield Paragraph("")
    yield Paragraph(f"Read ({len(observed.sessions):,})", "title")
    for session in observed.sessions:
        yield Paragraph(shown_path(Path(session.name)))
    yield Paragraph("")
    yield Paragraph("Left out", "title")
    copies = counted(observed.copies, "copy of a session", "copies of sessions")
    yield Paragraph(f"{copies} that is read" if observed.copies else "nothing")
    yield Paragraph("")
    yield Paragraph(f"Could not be read ({len(observed.unread):,})", "title")
    for path, error in observed.unread:
        yield Paragraph(f"{shown_path(path)}: {error}")


def _more(number: int) -> str:
    return f", and {number:,} more" if number > 0 else ""
