"""The insight under the cursor: all that it says, how sure it is, and each place it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from memscope.actions.insight_places import may_be_more
from memscope.base.cells import middle
from memscope.base.clock import time_words
from memscope.base.files import shown_path
from memscope.base.text import clean_line, counted, preview
from memscope.reports.insights import KIND_WORDS
from memscope.tui.keys import key
from memscope.tui.widgets.links import Linked, Links

if TYPE_CHECKING:
    from memscope.insights.model import Kind
    from memscope.reports.insights import InsightRow

_WORDS = 150  # characters: about two lines of a narrow screen
_NAME = 40  # cells of a session's name
_DATE = 10  # characters of a time that are its day
_INDENTED = " "  # a label of nothing
_SURE = ((0.8, "sure"), (0.5, "fairly sure"), (0.3, "not very sure"), (0.0, "too unsure to be kept"))
_FROM: dict[Kind, str] = {
    "repeated_tool_error": "by how often it failed in a session: five times or more are 1",
    "successful_sequence": "by how many calls there were: nine or more are 0.90, the most a sequence has",
    "long_reasoning": "by its length: 1,600 characters or more are 0.80, the most reasoning has",
    "synthesized": "as the chat model put it, or 0.50 where it put none",
}


@dataclass(frozen=True, slots=True)
class ToEvidence:
    """A piece of evidence of an insight, by its place among them."""

    insight: str
    number: int


class InsightEvidenceView(Links):
    """Lines with an arrow are places; `goal` is a `ToEvidence`, or None."""

    HELP = (
        "All of the insight, and where it comes from: messages, or whole sessions for what a chat model made of them. "
        "Enter, or a click, leads into the transcript."
    )

    BINDINGS: ClassVar[list[BindingType]] = [key("deeper", "enter", "deeper", "Go there", "To where the line leads")]

    def action_deeper(self) -> None:
        self.post_message(self.Chosen(self))

    def show_insight(self, row: InsightRow | None) -> None:
        """Shows an insight; None: there is none."""
        self.show_linked([*_head(row), *_places(row)] if row is not None else [])


def confidence_words(row: InsightRow) -> str:
    """How sure an insight is, and by what that goes."""
    sure = next((words for least, words in _SURE if row.confidence >= least), _SURE[-1][1])
    return f"{row.confidence:.2f}, {sure}: {_FROM[row.kind]}"


def _head(row: InsightRow) -> Iterator[Linked]:
    yield Linked(row.text, "title")
    by = f", by {row.model}" if row.model else ""
    yield Linked(f"{KIND_WORDS[row.kind][0]}{by}", label="kind")
    yield Linked(confidence_words(row), label="confidence")
    said = {"new": "not decided", "kept": "kept", "dropped": "dropped: it is not offered again"}[row.state]
    date = f" · {time_words(row.time)[:_DATE]}" if row.time is not None else ""
    yield Linked(f"{said}{date}", label="state")


def _places(row: InsightRow) -> Iterator[Linked]:
    messages = sum(one.message is not None for one in row.evidence)
    first = "the first " if may_be_more(row) else ""
    told = f"{first}{counted(messages, 'message')} of " if messages else ""
    yield Linked(f"{told}{counted(row.sessions, 'session')}", "note", label="evidence")
    for number, one in enumerate(row.evidence):
        label, goal = str(number + 1), ToEvidence(row.name, number)
        conversation = f" · conversation {one.item + 1:,}" if one.item else ""
        session = middle(clean_line(shown_path(Path(one.source))), _NAME) + conversation
        if one.message is None:
            yield Linked(f"all of {session}", label=label, goal=goal)
            continue
        yield Linked(preview(one.words, _WORDS) or f"message {one.message}", label=label, goal=goal)
        window = f" · window {one.window + 1}" if one.window else ""
        yield Linked(f"{session} · #{one.message}{window}", "note", label=_INDENTED)
