"""The heatmap: memories down, responses across, drawn line by line from codes, with a cursor on one cell.

Labels stand still on the left and totals on the right while the cells between them scroll. A key that moves the cursor
paints two labels, two cells and the head of a column, never the screen: on a slow link that is what makes it fluent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from memscope.base.cells import middle
from memscope.base.text import clean_line
from memscope.reports.grid import Grid
from memscope.tui.colours import palette_for
from memscope.tui.widgets.bars import bar
from memscope.tui.widgets.heatmap_layout import Layout, layout, ticks
from memscope.tui.widgets.heatmap_look import Look, Pieces, ceiling, total_text
from memscope.tui.widgets.heatmap_picture import Codes, Order, Picture, codes_of, picture, pooled
from memscope.tui.widgets.lines import LineScroll

_HEADER = 2
_NOTHING = np.zeros((0, 0), np.uint8)


class Heatmap(LineScroll):
    """A `Grid` in the order given. `row` and `column` are always those of the matrix, whatever the order on the screen.

    `plain`: no signs but ASCII.
    """

    HELP = (
        "A cell holds its number, or where it is too narrow a sign: + likelier because of the memory, - less likely. "
        "Among numbers, + and - alone round to 0; ++ and -- are too long for their cell."
    )

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "heatmap--here",
        "heatmap--label",
        "heatmap--quiet",
        "heatmap--failed",
        "heatmap--bar",
    }

    DEFAULT_CSS = """
    Heatmap {
        scrollbar-gutter: stable;
        & > .heatmap--here { background: $foreground 60%; color: $background; text-style: bold; }
        & > .heatmap--label { color: $foreground; }
        & > .heatmap--quiet { color: $text-muted; }
        & > .heatmap--failed { color: $text-error; text-style: bold; }
        & > .heatmap--bar { color: $accent; }
        &:focus > .heatmap--here { background: $foreground; }
    }
    """

    column: reactive[int] = reactive(0, repaint=False)
    """The column under the cursor, from the left; `cursor` is the line."""

    class Moved(LineScroll.Moved):
        """The cursor stands on another cell, or its cell has other numbers: `row` and `column` of the matrix, None
        where nothing is shown."""

        def __init__(self, lines: LineScroll) -> None:
            super().__init__(lines)
            assert isinstance(lines, Heatmap)
            cell = lines.cell
            self.row: int | None = cell[0] if cell is not None else None
            self.column: int | None = cell[1] if cell is not None else None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Heatmap.Moved) and message.lines is self.lines

    class Chosen(LineScroll.Moved):
        """A person wants to go deeper at the cell under the cursor."""

    def __init__(
        self,
        *,
        plain: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.plain = plain
        self.grid: Grid | None = None
        self.codes: Codes = _NOTHING
        self._overview = False
        self._whole: Picture | None = None
        self._picture: Picture | None = None
        self._full = (1.0, 1.0)  # what the longest bar and the highest step stand for
        self._labels: tuple[str, ...] = ()
        self._longest = 0
        self._layouts: dict[int, Layout] = {}
        self._look: Look | None = None

    # What is shown.

    def show(self, grid: Grid | None, row_order: Order | None = None, column_order: Order | None = None) -> None:
        """Shows a grid: these rows and columns of it in this order, all of them where none is given. The cursor stays
        on its cell where that is still shown, and on its line otherwise."""
        here = self.cell
        self.grid, self._look = grid, None
        if grid is None:
            self.codes, self._whole = _NOTHING, None
        else:
            rows = np.arange(len(grid.keys)) if row_order is None else row_order
            columns = np.arange(len(grid.responses)) if column_order is None else column_order
            self.codes = codes_of(grid)
            self._whole = picture(grid, self.codes, rows, columns)
            self._full = ceiling(grid.row_totals), ceiling(grid.column_totals)
        self._draw_anew(here)

    def rows_landed(self, grid: Grid, rows: Iterable[int]) -> None:
        """The same memories and responses with other numbers in these rows of the matrix; nothing moves."""
        assert self._whole is not None
        landed = np.fromiter(rows, np.intp)
        before, here = self._full, self.cell
        self.grid = grid
        self.codes[landed] = codes_of(grid, landed)
        self._whole = picture(grid, self.codes, self._whole.rows, self._whole.columns)
        self._full = ceiling(grid.row_totals), ceiling(grid.column_totals)
        if self._overview:
            self._draw_anew(here)
            return
        self._picture = self._whole
        self.redraw(None if before[0] != self._full[0] else np.flatnonzero(np.isin(self._whole.rows, landed)).tolist())
        self.redraw_header()
        if here is not None and here[0] in landed:
            self.post_message(self.Moved(self))

    @property
    def overview(self) -> bool:
        """Whether all of it is drawn in the cells there are on the screen, each standing for several."""
        return self._overview

    @overview.setter
    def overview(self, on: bool) -> None:
        if on != self._overview:
            here, self._overview = self.cell, on
            self._draw_anew(here)

    @property
    def numbers(self) -> bool:
        """Whether its cells are wide enough for numbers."""
        return self.look.numbers(self._layout(self.scrollable_content_region.width).cell)

    @property
    def cell(self) -> tuple[int, int] | None:
        """Row and column of the matrix under the cursor; of a pooled cell the strongest it stands for."""
        return None if self._picture is None else self._picture.at(self.cursor, self.column)

    def go(self, row: int | None = None, column: int | None = None) -> bool:
        """The cursor to a row and a column of the matrix (None: it stays in that it is in). False where one of them is
        not shown."""
        here = self.cell
        if self._picture is None or here is None:
            return False
        line, place = self._picture.find(here[0] if row is None else row, here[1] if column is None else column)
        if line is not None:
            self.move_to(line)
        if place is not None:
            self.move_across(place)
        return line is not None and place is not None

    def move_across(self, column: int) -> None:
        """The cursor to a column, from the left, or the nearest there is."""
        self.column = max(0, min(column, self._shape[1] - 1))

    @property
    def look(self) -> Look:
        """How its cells look, for the legend."""
        if self._look is None:
            signed = self.grid is None or self.grid.signed
            colours = palette_for(self.app, signed=signed, plain=self.plain)
            self._look = Look(colours, self.style_of("heatmap--quiet"), self.style_of("heatmap--failed"))
        return self._look

    def _draw_anew(self, here: tuple[int, int] | None) -> None:
        """Draws the whole or the overview of it, with the cursor on the cell it was on."""
        self._take(self._whole)
        width = self.scrollable_content_region.width
        if self._overview and self._whole is not None and self.grid is not None and all(self._whole.shape) and width:
            self._longest += len(f" +{self._whole.shape[0] // self._page}")
            placed = self._layout(width)
            self._take(pooled(self._whole, self.grid, self._page, placed.seen))
            self._layouts = {width: placed}  # so that they fit
        if here is not None and self._picture is not None:
            line, place = self._picture.find(*here)
            self.set_reactive(Heatmap.cursor, self.cursor if line is None else line)
            self.set_reactive(Heatmap.column, self.column if place is None else place)
        self.set_reactive(Heatmap.column, max(0, min(self.column, self._shape[1] - 1)))
        self._place()
        self.post_message(self.Moved(self))

    def _take(self, drawn: Picture | None) -> None:
        self._picture = drawn
        self._labels = () if drawn is None else tuple(map(clean_line, drawn.keys))
        self._longest = max([*map(cell_len, self._labels), len(self._counted)])
        self._layouts = {}

    @property
    def _shape(self) -> tuple[int, int]:
        return (0, 0) if self._picture is None else self._picture.shape

    # Layout.

    @property
    def row_count(self) -> int:
        return self._shape[0]

    @property
    def header_height(self) -> int:
        return _HEADER

    @property
    def content_width(self) -> int:
        width, columns = self.scrollable_content_region.width, self._shape[1]
        placed = self._layout(width)
        return width + (columns - placed.seen) * placed.cell if columns > placed.seen else 0

    def _layout(self, width: int) -> Layout:
        if width not in self._layouts:
            self._layouts[width] = layout(width, self._shape[1], self._longest, self.look.least)
        return self._layouts[width]

    def _span(self, width: int) -> tuple[Layout, int, int]:
        """The layout, and the columns that are seen: from one up to another."""
        placed = self._layout(width)
        start = min(self.scroll_offset.x // placed.cell, max(0, self._shape[1] - placed.seen))
        return placed, start, min(self._shape[1], start + placed.seen)

    def _place(self) -> None:
        """The size of it changed, or of what is drawn."""
        self.rows_changed()
        self.show_row(self.cursor)
        self._show_column(self.column)

    def on_resize(self) -> None:
        if self._overview:
            self._draw_anew(self.cell)
        else:
            self._place()

    def notify_style_update(self) -> None:
        self._look, self._layouts = None, {}
        super().notify_style_update()

    def get_line_filters(self) -> list[LineFilter]:
        """All of the app's but the one that makes triplets of indexed colours, which take twice the bytes."""
        return [found for found in super().get_line_filters() if not isinstance(found, ANSIToTruecolor)]

    # Drawing.

    def row_key(self, row: int) -> object:
        return self.column if row == self.cursor else None

    def dress(self, strip: Strip, here: bool) -> Strip:
        """Painted cells keep their own ground and, where they hold no text, name no colour for it: fewer bytes."""
        base = self.base
        return Strip(
            [
                segment if segment.style and segment.style.bgcolor else Segment(segment.text, base + segment.style)
                for segment in strip
            ],
            strip.cell_length,
        )

    def draw_row(self, row: int, width: int) -> Strip:
        drawn = self._picture
        assert drawn is not None
        placed, start, end = self._span(width)
        line, here = drawn.line(row, start, end), row == self.cursor
        pieces: Pieces = [self._label(row, placed.label, here)]
        if here and start <= self.column < end:
            at = self.column - start
            pieces += self.look.cells(drawn, row, start, line[:at], placed.cell)
            pieces.append((self.look.here(drawn, row, self.column, placed.cell), self._here))
            pieces += self.look.cells(drawn, row, self.column + 1, line[at + 1 :], placed.cell)
        else:
            pieces += self.look.cells(drawn, row, start, line, placed.cell)
        pieces.append((" " * (placed.room - len(line) * placed.cell), None))
        return self.strip(*pieces, *self._total(float(drawn.totals[row]), placed))

    @property
    def _here(self) -> Style:
        return self.get_component_rich_style("heatmap--here")

    def _label(self, row: int, width: int, here: bool) -> tuple[str, Style]:
        text = middle(self._labels[row], width - 2)
        sign = self.look.palette.signs.here if here else " "
        style = self.get_component_rich_style("lines--cursor") if here else self.style_of("heatmap--label")
        return sign + text + " " * (width - 1 - cell_len(text)), style

    def _total(self, total: float, placed: Layout) -> Pieces:
        assert self.grid is not None
        text = total_text(total, self.grid.unit).rjust(placed.number)
        if not placed.bar:
            return [(text, None)] if placed.number else []
        length = bar(0.0 if np.isnan(total) else total, self._full[0], placed.bar - 1, plain=self.plain)
        return [(text + " ", None), (length, self.style_of("heatmap--bar"))]

    def draw_header(self, line: int, width: int) -> Strip:
        if self._picture is None or not all(self._shape):
            return Strip.blank(width)
        placed, start, end = self._span(width)
        head = self.style_of("lines--header")
        if line == 0:
            messages = self._picture.responses
            before, here, after = ticks(messages, start, end, self.column, placed)
            return self.strip(
                (middle(self._counted, placed.label - 1).ljust(placed.label), self.style_of("heatmap--quiet")),
                (before, head),
                (here, self.get_component_rich_style("lines--cursor")),
                (after + ("total".rjust(placed.number) if placed.number else ""), head),
            )
        steps = self.look.steps(self._picture.column_totals[start:end], self._full[1], placed.cell)
        shown = "".join(steps)
        at = (self.column - start) * placed.cell if start <= self.column < end else len(shown)
        quiet = self.style_of("heatmap--bar")
        return self.strip(
            (" " * placed.label + shown[:at], quiet),
            (shown[at : at + placed.cell], self._here),
            (shown[at + placed.cell :], quiet),
        )

    @property
    def _counted(self) -> str:
        if self.grid is None or self._whole is None:
            return ""
        (shown, columns), there = self._whole.shape, len(self.grid.keys)
        return f" {shown} of {there}" if shown != there else f" {there} x {columns}"

    # Moving.

    def refresh_cursor(self, row: int) -> None:
        """The line up to the cell; what is right of it stays."""
        self._refresh_up_to(row, self.column)

    def _refresh_up_to(self, row: int, column: int) -> None:
        line = row + _HEADER - self.scroll_offset.y
        if _HEADER <= line < self.size.height:
            placed, start, _ = self._span(self.scrollable_content_region.width)
            cells = max(0, min((column - start + 1) * placed.cell, placed.room))
            self.refresh(Region(0, line, placed.label + cells, 1))

    def watch_column(self, old: int, new: int) -> None:
        if old == new:
            return
        self._show_column(new)
        self._refresh_up_to(self.cursor, max(old, new))
        self.redraw_header()
        self.post_message(self.Moved(self))

    def _show_column(self, column: int) -> None:
        """Scrolls, if need be, half a page further than the column."""
        width = self.scrollable_content_region.width
        if not width:
            return
        placed, start, end = self._span(width)
        if start <= column < end:
            return
        ahead = placed.seen // 2
        first = column - placed.seen + 1 + ahead if column >= end else column - ahead
        first = max(0, min(first, self._shape[1] - placed.seen))
        self.scroll_to(x=first * placed.cell, animate=False, force=True)

    def action_left(self) -> None:
        self.move_across(self.column - 1)

    def action_right(self) -> None:
        self.move_across(self.column + 1)

    def action_first(self) -> None:
        self.move_across(0)

    def action_last(self) -> None:
        self.move_across(self._shape[1] - 1)

    def on_click(self, event: events.Click) -> None:
        """The column under the mouse; the row is the base's."""
        place = event.get_content_offset(self)
        if place is None or self.row_at(event) is None:
            return
        placed, start, end = self._span(self.scrollable_content_region.width)
        column = start + (place.x - placed.label) // placed.cell
        if start <= column < end:
            self.move_across(column)
