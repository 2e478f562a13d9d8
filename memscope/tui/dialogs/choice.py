"""Asking for one of a few: rows to choose from, or yes and no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from memscope.tui.dialogs.dialog import TAKE, Dialog, said
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.listing import Line, Listing


class Choice(Dialog[int | None]):
    """Rows to choose from: each a text, or texts in columns. The answer is the row's number."""

    BINDINGS: ClassVar[list[BindingType]] = [TAKE]

    def __init__(self, title: str, rows: Sequence[str | tuple[str, ...]], *, hint: str = "", chosen: int = 0) -> None:
        """`chosen`: the row under the cursor to begin with."""
        super().__init__(title)
        self._lines = [Line(row if isinstance(row, tuple) else (row,)) for row in rows]
        self._hint = hint
        self._chosen = chosen

    def body(self) -> Iterable[Widget]:
        if self._hint:
            yield said(self._hint)
        yield Listing(self._lines)

    def on_mount(self) -> None:
        self.query_one(Listing).move_to(self._chosen)

    def action_deeper(self) -> None:
        chosen = self.query_one(Listing).chosen
        if chosen is not None:
            self.dismiss(chosen)

    def on_line_scroll_chosen(self, _: LineScroll.Chosen) -> None:
        self.action_deeper()


class Confirm(Dialog[bool]):
    """A question with two answers, each in words that say what will be done. Closing it is the second."""

    BINDINGS: ClassVar[list[BindingType]] = [TAKE]

    def __init__(self, question: str, yes: str = "Yes", no: str = "No", *, hint: str = "", sure: bool = False) -> None:
        """`hint`: why it is asked. `sure`: the cursor stands on the first answer, not on the one that does nothing."""
        super().__init__(question)
        self._hint = hint
        self._answers = [Line((yes,)), Line((no,))]
        self._sure = sure

    def body(self) -> Iterable[Widget]:
        if self._hint:
            yield said(self._hint)
        yield Listing(self._answers)

    def on_mount(self) -> None:
        self.query_one(Listing).move_to(0 if self._sure else 1)

    def action_deeper(self) -> None:
        self.dismiss(self.query_one(Listing).chosen == 0)

    def action_close(self) -> None:
        self.dismiss(False)

    def on_line_scroll_chosen(self, _: LineScroll.Chosen) -> None:
        self.action_deeper()
