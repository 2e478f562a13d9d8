"""One cell in full: the whole memory as the response could see it, and the whole response."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.text import clean
from memscope.reports.cell import CellDetail
from memscope.tui.dialogs.dialog import Dialog
from memscope.tui.widgets.cell_view import told
from memscope.tui.widgets.reading import Reading

_LONGEST = 100_000  # characters of a text that are shown
_WIDE, _LINES = 2000, 5


class CellDialog(Dialog[None]):
    """`memory` and `response` are the texts as they are in the source."""

    def __init__(self, detail: CellDetail, memory: str, response: str, *, plain: bool = False) -> None:
        super().__init__(f"{detail.key} and #{detail.message}", classes="-whole")
        self._detail, self._memory, self._response, self._plain = detail, memory, response, plain

    def body(self) -> Iterable[Widget]:
        _, numbers, _, _, reading = told(self._detail, _WIDE, _LINES, plain=self._plain)
        texts = [
            Content(numbers.plain),
            Content(reading.plain),
            Content(f"Memory ({len(self._memory)} characters)").stylize("bold"),
            Content(_shown(self._memory)),
            Content(f"Response #{self._detail.message} ({len(self._response)} characters)").stylize("bold"),
            Content(_shown(self._response)),
        ]
        yield Reading(Static(Content("\n\n").join(text for text in texts if text.plain)))

    def on_mount(self) -> None:
        self.query_one(Reading).focus()


def _shown(text: str) -> str:
    more = len(text) - _LONGEST
    return clean(text[:_LONGEST]) + (f"\n… {more} characters more" if more > 0 else "")
