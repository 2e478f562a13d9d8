"""The dialogs of the Lessons pane: an episode as it is typed, rules before they are kept, and all of one entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from memscope.tui.dialogs.dialog import TAKE, Dialog, said
from memscope.tui.dialogs.editor import Editor
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.listing import Line, Listing
from memscope.tui.widgets.paragraphs import Paragraph, Paragraphs


class EpisodeEditor(Editor):
    """An editor that says what is wrong with a text as it is typed."""

    def __init__(self, text: str, template: str, hint: str, check: Callable[[str], str | None]) -> None:
        super().__init__("Record an episode", text, template, hint, check, put_back="The template", at_top=True)

    def on_text_area_changed(self) -> None:
        self._say(self._check(self.area.text) or "")


class Proposed(Dialog[bool]):
    """Rules that could be kept, in words and line by line, which may be many. Closing it keeps none."""

    BINDINGS: ClassVar[list[BindingType]] = [TAKE]

    DEFAULT_CSS = """
    Proposed Paragraphs { height: 1fr; background: $surface; }
    Proposed.-whole Listing { height: 2; margin-top: 1; }
    """

    def __init__(self, paragraphs: Sequence[Paragraph]) -> None:
        super().__init__("Keep these rules?", classes="-whole")
        self._paragraphs = paragraphs

    def body(self) -> Iterable[Widget]:
        yield said("Tab leads to the text, to read on in it, and back.")
        yield Paragraphs()
        yield Listing([Line(("Keep them",)), Line(("Not now",))])

    def on_mount(self) -> None:
        self.query_one(Paragraphs).show(self._paragraphs)
        answers = self.query_one(Listing)
        answers.move_to(1)
        answers.focus()

    def action_deeper(self) -> None:
        self.dismiss(self.query_one(Listing).chosen == 0)

    def action_close(self) -> None:
        self.dismiss(False)

    def on_line_scroll_chosen(self, _: LineScroll.Chosen) -> None:
        self.action_deeper()
