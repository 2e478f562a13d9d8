"""Texts to read, one below the other, wrapped as far as the screen has come: a memory can be as long as a book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from textual import events
from textual.strip import Strip

from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.wrapping import wrapped

Look = Literal["text", "title", "note", "warning"]

LONGEST = 100_000  # characters of one paragraph that are shown


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text as found, and how it looks. `lead`: what stands before it; its further rows begin where the text does."""

    text: str
    look: Look = "text"
    lead: str = field(default="", kw_only=True)


class Paragraphs(LineScroll):
    """Reads without a cursor: the moving keys scroll."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"paragraphs--title", "paragraphs--note", "paragraphs--warning"}

    DEFAULT_CSS = """
    Paragraphs {
        padding: 0 1;
        scrollbar-gutter: stable;
        & > .paragraphs--title { text-style: bold; }
        & > .paragraphs--note { color: $text-muted; }
        & > .paragraphs--warning { color: $text-error; }
        &:focus > .paragraphs--title { color: $text-accent; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.set_reactive(LineScroll.cursor, -1)
        self._paragraphs: tuple[Paragraph, ...] = ()
        self._lines: list[tuple[str, Look]] = []
        self._wrapped_to = 0

    def show(self, paragraphs: Sequence[Paragraph]) -> None:
        """Shows these, from the beginning if they are others than before."""
        if tuple(paragraphs) == self._paragraphs:
            return
        same = [one.text for one in paragraphs][:1] == [one.text for one in self._paragraphs][:1]
        self._paragraphs = tuple(paragraphs)
        self._wrap()
        if not same:
            self.scroll_to(y=0, animate=False, force=True)

    def _wrap(self) -> None:
        width = self._wrapped_to = self.scrollable_content_region.width
        self._lines = []
        for paragraph in self._paragraphs:
            text, more = paragraph.text[:LONGEST], len(paragraph.text) - LONGEST
            lead, room = paragraph.lead, max(width - len(paragraph.lead), 1)
            for shown in [row.shown for row in wrapped(text, room)] or [""]:
                self._lines.append((lead + shown, paragraph.look))
                lead = " " * len(lead)
            if more > 0:
                self._lines.append((f"… {more:,} characters more; y copies them all", "note"))
        self.rows_changed()

    @property
    def row_count(self) -> int:
        return len(self._lines)

    def draw_row(self, row: int, width: int) -> Strip:
        text, look = self._lines[row]
        return self.strip((text, None if look == "text" else self.style_of(f"paragraphs--{look}")))

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._wrapped_to:
            self._wrap()

    def move_to(self, row: int) -> None:
        """There is no cursor to move."""

    def show_row(self, row: int) -> None:
        """Nor to be kept on the screen."""

    def _by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    def action_up(self) -> None:
        self._by(-1)

    def action_down(self) -> None:
        self._by(1)

    def action_page_up(self) -> None:
        self._by(-self._page)

    def action_page_down(self) -> None:
        self._by(self._page)

    def action_top(self) -> None:
        self.scroll_to(y=0, animate=False, force=True)

    def action_bottom(self) -> None:
        self.scroll_to(y=self.row_count, animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # a click gives the focus, and that is all
