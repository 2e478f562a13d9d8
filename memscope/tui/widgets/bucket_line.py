"""How many rows are in which bucket, and which bucket is shown, on one line; a click chooses, or tells of what is said
behind."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from memscope.base.cells import beginning

ALL = "all"
_LEAST = 10  # cells for what is said behind; less says nothing


class BucketLine(Widget):
    """`counts`: each bucket with its number; `shown`: the bucket whose rows are shown. `more`: what is said behind, cut
    where it is too long."""

    DEFAULT_CSS = "BucketLine { height: 1; background: $surface; color: $text-muted; padding: 0 1; }"

    counts: reactive[tuple[tuple[str, int], ...]] = reactive(())
    shown: reactive[str] = reactive("")
    more: reactive[str] = reactive("")

    _PLACES: tuple[tuple[int, int, str], ...] = ()
    _behind: int | None = None  # the cell at which what is said behind begins; None: there is no room for it

    class Picked(Message):
        """A click on a bucket."""

        def __init__(self, bucket: str) -> None:
            super().__init__()
            self.bucket = bucket

    class Behind(Message):
        """A click on what is said behind."""

    def on_resize(self) -> None:
        self.refresh()

    def render(self) -> Text:
        text, places = Text(no_wrap=True), []
        for name, number in self.counts:
            words = f" {number:,} {name} "
            start = cell_len(text.plain)
            text.append(words, Style(bold=True, reverse=True) if name == self.shown else None)
            places.append((start, cell_len(text.plain), name))
        self._PLACES, self._behind = tuple(places), None
        room = self.content_size.width - cell_len(text.plain) - 1
        if room >= min(_LEAST, cell_len(self.more)):
            more = beginning(self.more, room)
            text.append(" " * (room + 1 - cell_len(more)) + more)
            self._behind = cell_len(text.plain) - cell_len(more) if more else None
        return text

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        for start, end, name in self._PLACES if place is not None else ():
            if place is not None and start <= place.x < end:
                self.post_message(self.Picked(name))
        if place is not None and self._behind is not None and place.x >= self._behind:
            self.post_message(self.Behind())
