"""What the Promotions pane says of all it shows: what was looked at, which rows there are, and why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.cells import middle
from memscope.base.files import shown_path
from memscope.base.text import clean_line, counted
from memscope.reports.promotions import left_out_words, skipped_words
from memscope.tui.widgets.line_input import expanded
from memscope.tui.widgets.paragraphs import Paragraph

if TYPE_CHECKING:
    from memscope.reports.promotions import PromotionRow, PromotionsDocument

ALL = "all"
BUCKETS = ("new", "grown", "draft", "accepted", "rejected", ALL)
AGENTS = "the agents' folders"
HELPS = "R looks again, o looks elsewhere; , shows the settings."
_PLACE = 24  # cells
_NAMED = 3  # folders


def places_words(inputs: Sequence[Path]) -> str:
    """Where is looked; what is long is cut, for the numbers stand behind it."""
    return ", ".join(middle(clean_line(shown_path(one)), _PLACE) for one in inputs) or AGENTS


def head_words(
    document: PromotionsDocument | None, shown: Sequence[Path], asked: Sequence[Path], *, looking: bool
) -> str:
    """What was looked at in a line, with how much of it was not: what is `shown` was found in these files and folders,
    and `asked` for is another place, perhaps. None: nothing yet."""
    if document is None:
        return f"{places_words(asked)} · {'looking …' if looking else 'nothing was looked at'}"
    said = [f"looking in {places_words(asked)} …"] if looking and tuple(asked) != tuple(shown) else []
    said += [
        places_words(shown),
        f"{counted(document.rows, 'message')} of {counted(document.sessions, 'session')}",
    ]
    missed = [f"{len(document.unread):,} unread"] if document.unread else []
    missed += [f"{left:,} left out"] if (left := _left(document)) else []
    said += [f"{', '.join(missed)} (i)"] if missed else []
    said += [counted(len(document.candidates), "candidate")]
    return " · ".join(said)


def how_words(document: PromotionsDocument) -> str:
    """How it was grouped, short."""
    made = "own embeddings" if document.embedder is None else document.embedder
    return clean_line(f"{document.method} {document.threshold:g} {'lexical' if document.lexical else f'· {made}'}")


def counts_of(rows: Sequence[PromotionRow]) -> dict[str, int]:
    """How many rows each bucket has."""
    states: Counter[str] = Counter(row.state for row in rows)
    return {bucket: len(rows) if bucket == ALL else states[bucket] for bucket in BUCKETS}


def why_empty(document: PromotionsDocument, bucket: str, inputs: Sequence[Path], folders: Sequence[Path]) -> str:
    """Why no row is shown, and which key helps. `folders`: those of the agents, in which is looked where there are no
    `inputs`."""
    if document.reason is not None:
        lines = [f"{document.reason[:1].upper()}{document.reason[1:]}."]
        if not inputs:
            named = ", ".join(shown_path(one) for one in folders[:_NAMED])
            lines += [
                f"Looked in: {named}{_more(len(folders) - _NAMED)}." if folders else "No folder of an agent is there."
            ]
        if not document.rows and document.unread:
            one = document.unread[0]
            lines += [f"{shown_path(Path(one.source))}: {one.error}{_more(len(document.unread) - 1)}."]
        keys = ["t sets a lower threshold"] if _could_recur(document) else []
        keys += ["o looks in another folder or file", "R looks again"]
        keys += ["i lists what was left out"] if document.unread or _left(document) else []
        return "\n".join([*lines, "; ".join(keys) + "."])
    counts = counts_of(document.candidates)
    told = ", ".join(f"{number} {name}" for name, number in counts.items() if number and name != ALL)
    if bucket == "new":
        return f"No candidate is new: {told}.\nb shows the others; u takes the latest decision back."
    return f"None is {bucket}: {told}.\nb shows the others."


def looked_at(document: PromotionsDocument, folders: Sequence[Path]) -> Iterator[Paragraph]:
    """All that was looked at, left out, and could not be read, with the reasons. `folders`: where was looked."""
    yield Paragraph("Looked in", "title")
    for folder in folders:
        yield Paragraph(shown_path(folder))
    yield Paragraph("")
    yield Paragraph("Compared", "title")
    sessions = counted(document.sessions, "session")
    yield Paragraph(f"{counted(document.rows, 'message')} of {sessions}, in {counted(document.clusters, 'group')}")
    yield Paragraph("")
    yield Paragraph("Left out", "title")
    for words in (*left_out_words(document.left_out), *skipped_words(document.skipped)) or ("nothing",):
        yield Paragraph(words)
    yield Paragraph("")
    yield Paragraph(f"Could not be read ({len(document.unread):,})", "title")
    for one in document.unread:
        line = f":{one.line}" if one.line else ""
        yield Paragraph(f"{shown_path(Path(one.source))}{line}: {one.error}")


def _more(number: int) -> str:
    return f", and {number:,} more" if number > 0 else ""


def _left(document: PromotionsDocument) -> int:
    return sum(document.left_out.values()) + _skipped(document)


def _skipped(document: PromotionsDocument) -> int:
    skipped = document.skipped
    return skipped.no_embedding + skipped.dimension + skipped.not_finite


def _could_recur(document: PromotionsDocument) -> bool:
    """Whether a lower threshold could help: there are messages of enough sessions to compare."""
    return document.rows > _skipped(document) and document.sessions >= document.min_sessions


def no_input(text: str) -> str | None:
    """Why what was typed cannot be looked in; None when it may."""
    try:
        return None if not text.strip() or expanded(text.strip()).exists() else "there is no such file or folder"
    except (OSError, ValueError):
        return "no file can have this name"


def no_cosine(text: str) -> str | None:
    """Why what was typed is no threshold; None when it is one."""
    try:
        return None if not text.strip() or 0 < float(text) <= 1 else "a cosine is above 0, and 1 at most"
    except ValueError:
        return "a number such as 0.85, or nothing"
