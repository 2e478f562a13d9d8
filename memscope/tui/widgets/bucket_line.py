"""How many rows are in which bucket, and which bucket is shown, on one line; a click chooses."""

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

    class Picked(Message):
        """A click on a bucket."""

        def __init__(self, bucket: str) -> None:
            super().__init__()
            self.bucket = bucket

    def on_resize(self) -> None:
        self.refresh()

    def render(self) -> Text:
        text, places = Text(no_wrap=True), []
        for name, number in self.counts:
            words = f" {number} {name} "
            start = cell_len(text.plain)
            text.append(words, Style(bold=True, reverse=True) if name == self.shown else None)
            places.append((start, cell_len(text.plain), name))
        self._PLACES = tuple(places)
        room = self.content_size.width - cell_len(text.plain) - 1
        if room >= min(_LEAST, cell_len(self.more)):
            more = beginning(self.more, room)
            text.append(" " * (room + 1 - cell_len(more)) + more)
        return text

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        for start, end, name in self._PLACES if place is not None else ():
            if place is not None and start <= place.x < end:
                self.post_message(self.Picked(name))
