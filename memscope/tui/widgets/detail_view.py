"""A few lines that tell of one thing: of the cell under a cursor."""

from __future__ import annotations

from typing import Generic, TypeVar

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

Detail = TypeVar("Detail")


class DetailView(Widget, Generic[Detail]):
    """Shows a `detail`; None: nothing. `plain`: no signs but ASCII. What it says of it is `lines`."""

    DEFAULT_CSS = "DetailView { height: 2; padding: 0 1; background: $surface; }"

    detail: reactive[Detail | None] = reactive(None)
    plain: reactive[bool] = reactive(False)

    def lines(self, detail: Detail, width: int, height: int) -> list[Text]:
        """At most `height` lines of at most `width` cells."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """What is drawn depends on the width, which the toolkit may have drawn it without knowing."""
        self.refresh()

    def render(self) -> Text:
        width, height = self.content_size
        if self.detail is None or not width:
            return Text()
        return Text("\n", no_wrap=True).join(self.lines(self.detail, width, height))
