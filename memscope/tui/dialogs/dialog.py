"""The frame of every dialog: a title, what it asks, and a line with its keys. Esc closes it without an answer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.text import clean, clean_line
from memscope.tui.keys import key
from memscope.tui.widgets.chrome import KeyLine
from memscope.tui.widgets.listing import Listing

Result = TypeVar("Result")

_AROUND = 14  # lines that the rest of a dialog may take

CLOSING = suppress(NoMatches)
"""For what is told to a dialog from outside: when it closes, its parts go one by one, some before it does itself."""

TAKE = key("dialog.take", "enter", "screen.deeper", "OK", "Take it")


class Dialog(ModalScreen[Result]):
    """A dialog knows only what it is given. Its answer is the screen's result; None when it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("dialog.close", "escape", "close", "Close", "Close it; nothing is done")
    ]

    DEFAULT_CSS = """
    Dialog {
        align: center middle; background: $background 60%;
        & > #dialog {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 0;
        }
        & #heading {
            height: 1; padding: 0 1; text-style: bold; color: $text-primary;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        & Listing { width: 1fr; background: $surface; }
        & .words { padding: 0 1; color: $text-muted; }
        & .trouble { padding: 0 1; color: $text-error; &.-fine { color: $text-muted; } }
        & .label { padding: 0 1; color: $text-muted; height: 1; }
        & KeyLine { margin-top: 1; }
    }
    Dialog.-whole > #dialog { width: 100; height: 90%; min-height: 20; }
    Dialog.-whole Listing { height: 1fr; }
    """

    def __init__(self, heading: str, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._heading = heading

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content(clean_line(self._heading)), id="heading")
            yield from self.body()
            yield KeyLine()

    def body(self) -> Iterable[Widget]:
        """What stands between the title and the keys."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """A list is as high as its rows, where there is room: a box of automatic height does not know what is left."""
        for listing in [] if self.has_class("-whole") else self.query(Listing):
            listing.styles.height = max(1, min(listing.row_count, self.size.height - _AROUND))

    def action_close(self) -> None:
        self.dismiss(None)


def said(text: str, *, classes: str = "words", id: str | None = None) -> Static:  # noqa: A002 - Textual's name
    """A text that is read, whatever it holds."""
    return Static(Content(clean(text)), classes=classes, id=id)
