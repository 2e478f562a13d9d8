"""Lines to choose from: each a few texts in columns of their own, some of them only to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.geometry import clamp
from textual.strip import Strip

from memscope.base.cells import beginning
from memscope.base.text import clean_line
from memscope.tui.widgets.lines import LineScroll

_GAP = 2
_HERE, _THERE, _END = "> ", "  ", " "  # before the line under the cursor and before others, and behind all


@dataclass(frozen=True, slots=True)
class Line:
    """A line of texts as found, one a column. One that is `quiet` cannot be chosen; the cursor passes over it.

    `heading`: it is a title over the lines below. A line of one text takes the whole width.
    """

    texts: tuple[str, ...]
    quiet: bool = False
    heading: bool = False

    @classmethod
    def said(cls, text: str = "") -> Line:
        """A line that is only read."""
        return cls((text,), quiet=True)

    @classmethod
    def title(cls, text: str) -> Line:
        """A line that heads those below."""
        return cls((text,), quiet=True, heading=True)


class Listing(LineScroll):
    """Lines under a cursor. A column is as wide as its longest text; the last takes what is left, `wide` gives way."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"listing--heading", "listing--first"}

    DEFAULT_CSS = """
    Listing {
        & > .listing--heading { color: $text-muted; text-style: bold; }
        & > .listing--first { color: $text-accent; }
    }
    """

    def __init__(
        self,
        lines: Sequence[Line] = (),
        *,
        wide: int = -1,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """`wide`: the column whose texts are cut first where there is no room; by default the last."""
        super().__init__(id=id, classes=classes)
        self._wide = wide
        self._lines: tuple[Line, ...] = ()
        self._widths: tuple[int, ...] = ()
        self._take(lines)

    def on_mount(self) -> None:
        self.rows_changed()
        self.move_to(self.cursor)

    def show(self, lines: Sequence[Line]) -> None:
        """Shows these lines; the cursor stays at its number."""
        self._take(lines)
        self.rows_changed()
        self.move_to(self.cursor)

    def _take(self, lines: Sequence[Line]) -> None:
        self._lines = tuple(lines)
        table = [line.texts for line in self._lines if len(line.texts) > 1]
        self._widths = tuple(
            max(cell_len(clean_line(texts[column])) for texts in table if column < len(texts))
            for column in range(max(map(len, table), default=0))
        )

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    @property
    def chosen(self) -> int | None:
        """The number of the line under the cursor; None where it cannot be chosen."""
        here = self._lines[self.cursor] if self.cursor < len(self._lines) else None
        return None if here is None or here.quiet else self.cursor

    @property
    def row_count(self) -> int:
        return len(self._lines)

    def draw_row(self, row: int, width: int) -> Strip:
        line = self._lines[row]
        style = self.style_of("listing--heading") if line.heading else None
        room = width - len(_HERE) - len(_END)
        here = _HERE if row == self.cursor and not line.quiet else _THERE  # seen without colours too
        if len(line.texts) < 2:
            text = set_cell_size(beginning(clean_line("".join(line.texts)), room), room)
            return self.strip((here + text + _END, style)).crop(0, width)
        widths = self._fitted(room)
        pieces = [(here, style)]
        for number, text in enumerate(line.texts):
            cut = beginning(clean_line(text), widths[number])
            first = self.style_of("listing--first") if number == 0 and not line.heading else style
            pieces.append((set_cell_size(cut, widths[number]) + " " * _GAP, first))
        used = sum(cell_len(text) for text, _ in pieces)
        return self.strip(*pieces, (" " * (width - used), style)).crop(0, width)

    def _fitted(self, room: int) -> list[int]:
        """The columns' widths in `room` cells: the wide one is cut first, then those behind it, then all."""
        widths = list(self._widths)
        wide = range(len(widths))[self._wide]
        over = sum(widths) + _GAP * (len(widths) - 1) - room
        for column in [wide, *range(len(widths) - 1, -1, -1)]:
            cut = clamp(over, 0, max(0, widths[column] - (8 if column == wide else 4)))
            widths[column] -= cut
            over -= cut
        return widths

    def move_to(self, row: int) -> None:
        """The cursor to a line that can be chosen: on past those that cannot, or back where there is none."""
        if not self._lines:
            return
        row = clamp(row, 0, self.row_count - 1)
        onward, backward = range(row, self.row_count), range(row, -1, -1)
        ways = (*onward, *backward) if row >= self.cursor else (*backward, *onward)
        place = next((place for place in ways if not self._lines[place].quiet), row)
        super().move_to(place)
        # What is said above the first line to choose, and below the last, is reached too.
        for edge, between in ((0, range(place)), (self.row_count - 1, range(place + 1, self.row_count))):
            if between and len(between) < self._page and all(self._lines[other].quiet for other in between):
                self.show_row(edge)

    def on_click(self, event: events.Click) -> None:
        """A click on a line that is only read does nothing."""
        row = self.row_at(event)
        if row is not None and self._lines[row].quiet:
            event.prevent_default()
