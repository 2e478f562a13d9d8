"""A text to read that may be longer than the screen, scrolled by the keys that move a cursor elsewhere."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from memscope.tui.keys import MOVES


class Reading(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Holds texts; every moving key scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [*MOVES]

    DEFAULT_CSS = "Reading { height: 1fr; scrollbar-size: 1 1; padding: 0 1; } Reading Static { height: auto; }"

    def _by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_up(self) -> None:
        self._by(-1)

    def action_down(self) -> None:
        self._by(1)

    def action_left(self) -> None:
        self._by(-1)

    def action_right(self) -> None:
        self._by(1)

    def action_page_up(self) -> None:
        self._by(1 - self.size.height)

    def action_page_down(self) -> None:
        self._by(self.size.height - 1)

    def action_top(self) -> None:
        self.scroll_home(animate=False)

    def action_bottom(self) -> None:
        self.scroll_end(animate=False)

    def action_first(self) -> None:
        self.action_top()

    def action_last(self) -> None:
        self.action_bottom()
