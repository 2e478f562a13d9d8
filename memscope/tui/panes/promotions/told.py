"""What the Promotions pane says of all it shows: what was looked at, which rows there are, and why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.cells import middle
from memscope.base.files import shown_path
from memscope.base.text import clean_line
from memscope.reports.promotions import left_out_words, promotions_words, skipped_words
from memscope.tui.widgets.line_input import expanded

if TYPE_CHECKING:
    from memscope.reports.promotions import PromotionRow, PromotionsDocument

ALL = "all"
BUCKETS = ("new", "grown", "draft", "accepted", "rejected", ALL)
AGENTS = "the agents' folders"
_PLACE = 32  # cells


def places_words(inputs: Sequence[Path]) -> str:
    """Where is looked; what is long is cut, for the numbers stand behind it."""
    return ", ".join(middle(clean_line(shown_path(one)), _PLACE) for one in inputs) or AGENTS


def head_words(document: PromotionsDocument | None, inputs: Sequence[Path], *, looking: bool) -> str:
    """What was looked at in a line, and what was not; None: nothing yet."""
    if document is None:
        return f"{places_words(inputs)} · {'looking …' if looking else 'nothing was looked at'}"
    said = [places_words(inputs), promotions_words(document)]
    left = [*left_out_words(document.left_out), *skipped_words(document.skipped)]
    said += [f"left out: {', '.join(left)}"] if left else []
    said += [f"{len(document.unread):,} unread"] if document.unread else []
    return " · ".join(said)


def how_words(document: PromotionsDocument) -> str:
    """How it was grouped, short."""
    return f"{document.method} {document.threshold:g}{' lexical' if document.lexical else ''}"


def counts_of(rows: Sequence[PromotionRow]) -> dict[str, int]:
    """How many rows each bucket has."""
    states: Counter[str] = Counter(row.state for row in rows)
    return {bucket: len(rows) if bucket == ALL else states[bucket] for bucket in BUCKETS}


def why_empty(document: PromotionsDocument, bucket: str) -> str:
    """Why no row is shown, and which key helps."""
    if document.reason is not None:
        first = f"{document.reason[:1].upper()}{document.reason[1:]}."
        unread = document.unread
        if not document.rows and unread:
            more = f", and {len(unread) - 1:,} more" if len(unread) > 1 else ""
            first = f"{first}\n{shown_path(Path(unread[0].source))}: {unread[0].error}{more}."
        lower = "t sets a lower threshold; " if document.rows else ""
        return f"{first}\n{lower}o looks in another folder or file, R looks again."
    counts = counts_of(document.candidates)
    told = ", ".join(f"{number} {name}" for name, number in counts.items() if number and name != ALL)
    if bucket == "new":
        return f"No candidate is new: {told}.\nb shows the others; u takes the latest decision back."
    return f"None is {bucket}: {told}.\nb shows the others."


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
