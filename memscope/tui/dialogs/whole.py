"""A text to read, however long, in a dialog that scrolls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from memscope.tui.dialogs.dialog import Dialog
from memscope.tui.widgets.paragraphs import Paragraph, Paragraphs


class Whole(Dialog[None]):
    """Shows `paragraphs`, of which there may be thousands, below a heading."""

    DEFAULT_CSS = "Whole Paragraphs { height: 1fr; background: $surface; }"

    def __init__(self, heading: str, paragraphs: Sequence[Paragraph]) -> None:
        super().__init__(heading, classes="-whole")
        self._paragraphs = paragraphs

    def body(self) -> Iterable[Widget]:
        yield Paragraphs()

    def on_mount(self) -> None:
        shown = self.query_one(Paragraphs)
        shown.show(self._paragraphs)
        shown.focus()
