"""A table of any length, drawn line by line from a report's columns: only the rows on the screen are ever formatted.

Columns that do not fit give way by their rank, as in the commands' tables; the one that is sorted by stays, and is
scrolled to.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.strip import Strip

from memscope.base.cells import beginning, ending, middle
from memscope.base.text import clean_line
from memscope.reports.fit import Wish, widths
from memscope.reports.view import Column
from memscope.tui.keys import key
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.rows import OrderedRows, Sort, Wanted

Row = TypeVar("Row")

_GUTTER = 2  # cells before the first column, for the mark
_GAP = 2
_MEASURED = 400  # rows that a column's width is found from; a number that takes more makes it wider when it is seen
_HIGHEST_FIRST, _LOWEST_FIRST = "down", "up"  # as an order is kept
_LONGEST = 2000  # characters of a cell that are looked at


class Table(LineScroll, Generic[Row]):
    """Rows of a `reports.view.View`. `s` and a click on a title sort, `/` and `space` are the pane's, by `filter` and
    `toggle_mark`. The cursor, the marks, order and filter stay with the rows when these are shown anew."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("table.reverse", "S", "reverse", "Reverse", "Sort the other way round", show=False)
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--sorted"}

    DEFAULT_CSS = """
    Table { & > .table--sorted { color: $text; text-style: bold; } }
    """

    INDENT = _GUTTER

    class Sorted(LineScroll.Moved):
        """A person chose another order."""

    class Marked(LineScroll.Moved):
        """A person marked a row, or took a mark back."""

    def __init__(
        self,
        *,
        identity: Callable[[Row], Hashable] | None = None,
        empty: str = "",
        plain: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """`identity` tells a row from all others, whatever its numbers are; without one it is its place among the rows
        given. `empty`: what is said where there are no rows. `plain`: no signs but ASCII."""
        super().__init__(id=id, classes=classes)
        self.plain = plain
        self._identity = identity
        self.empty = empty
        self._rows: OrderedRows[Row] = OrderedRows((), (), identity)
        self._natural: dict[str, int] = {}
        self._fits: tuple[int, list[tuple[Column[Row], int]]] | None = None
        self._asked = ""
        self._told: Hashable = None  # the identity of the row under the cursor, as it was last told
        self._wanted: Hashable = None  # and of the row it is to be on, once that is shown

    # What is in it.

    def show(self, columns: Sequence[Column[Row]], rows: Sequence[Row]) -> None:
        """Shows these rows, with the cursor on the row it was on, in the order and with the marks there were."""
        before, self._rows = self._rows, OrderedRows(columns, rows, self._identity)
        self._rows.like(before)
        self._natural = {}
        self._rearranged()

    def update_rows(self, changed: Iterable[Row]) -> None:
        """Rows with new numbers: they are painted again where they stand. Nothing moves until it is sorted again."""
        places = self._rows.update(changed)
        self.redraw(places)
        if self.cursor in places:
            self.post_message(self.Moved(self))

    @property
    def rows(self) -> list[Row]:
        """Every row, shown or not, in the order given."""
        return self._rows.rows

    @property
    def shown(self) -> list[Row]:
        """The rows that are shown, from the top down."""
        return [self._rows[place] for place in range(len(self._rows))]

    @property
    def selected(self) -> Row | None:
        """The row under the cursor; None when no row is shown."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def select(self, identity: Hashable) -> bool:
        """The cursor to a row; False when it is not shown."""
        place = self._rows.place(identity)
        if place is None:
            return False
        self.move_to(place)
        return True

    def reveal(self, row: Row) -> None:
        """Scrolls to where a row is shown; the cursor stays."""
        place = self._rows.place(self._identity(row)) if self._identity is not None else None
        if place is not None:
            self.show_row(place)

    # Order, filter, marks.

    @property
    def sort(self) -> Sort | None:
        """By what the rows are sorted; None: in the order they were given."""
        sort = self._rows.sort
        return sort if sort is not None and self._rows.column(sort.title) is not None else None

    def sort_by(self, title: str, descending: bool | None = None) -> None:
        """Sorts by a column; without a direction: numbers from the highest down, texts from the beginning. Equal rows
        keep their order, and those without a value are last both ways. An unknown title: the order they were given."""
        column = self._rows.column(title)
        self._rows.sort = None if column is None else Sort.of(column) if descending is None else Sort(title, descending)
        self.sort_again()
        self._show_sorted()

    @property
    def order(self) -> str:
        """The order as it is kept from one time to the next; `sort_as` takes it."""
        sort = self._rows.sort
        return "given" if sort is None else f"{_HIGHEST_FIRST if sort.descending else _LOWEST_FIRST} {sort.title}"

    def sort_as(self, order: str) -> None:
        """Sorts in an `order` that was kept, once there is a column of that title."""
        direction, _, title = order.partition(" ")
        self._rows.sort = Sort(title, direction == _HIGHEST_FIRST) if title else None
        self.sort_again()

    def sort_next(self) -> None:
        """Sorts by the next column, for a person; after the last, as they were given."""
        titles = ["", *(column.title for column in self._rows.columns)]
        at = titles.index(self.sort.title) if self.sort is not None else 0
        self.sort_by(titles[(at + 1) % len(titles)])
        self.post_message(self.Sorted(self))

    def action_reverse(self) -> None:
        if self.sort is not None:
            self._rows.sort = self.sort.reverse
            self.sort_again()
            self.post_message(self.Sorted(self))

    def sort_again(self) -> None:
        """Puts rows that were updated where they belong."""
        self._rows.arrange()
        self._rearranged()

    def _show_sorted(self) -> None:
        """Scrolls sideways, where there is more than the screen has, to the column that is sorted by."""
        width, at, left = self.scrollable_content_region.width, _GUTTER, int(self.scroll_offset.x)
        for column, cells in self._fitted(width) if self.sort is not None else ():
            if self.sort is not None and column.title == self.sort.title and not left <= at <= left + width - cells:
                self.scroll_to(x=max(0, min(at, at + cells - width)), animate=False, force=True)
            at += cells + _GAP

    def filter(self, wanted: str | Wanted[Row], said: str = "") -> None:
        """Shows the rows that have all these words in a column of text, or of which `wanted` is true. "": all. `said`:
        what was asked for, for when there is none."""
        self._rows.wanted = wanted
        self._asked = wanted if isinstance(wanted, str) else said
        self.sort_again()

    @property
    def marked(self) -> list[Row]:
        """The marked rows, shown or not, in the order they were given."""
        return self._rows.marked_rows

    def toggle_mark(self, place: int | None = None) -> None:
        """Marks a shown row (the one under the cursor, which moves on), or takes its mark back."""
        at = self.cursor if place is None else place
        if at >= len(self._rows):
            return
        self._rows.marked ^= {self._rows.identity(at)}
        self.redraw([at])
        self.post_message(self.Marked(self))
        if place is None:
            self.action_down()

    def mark(self, identities: Iterable[Hashable]) -> None:
        """Marks rows, shown or not: those whose marks were taken back for something that was not done."""
        self._rows.marked.update(identities)
        self.redraw()

    def unmark(self) -> bool:
        """Takes all marks back; False where there were none."""
        had = bool(self._rows.marked)
        self._rows.marked.clear()
        if had:
            self.redraw()
            self.post_message(self.Marked(self))
        return had

    def _rearranged(self) -> None:
        """The cursor goes where its row went. A row that is filtered out is remembered until the cursor moves."""
        self._fits = None
        wanted, told, cursor = self._wanted, self._told, self.cursor
        place = None if wanted is None else self._rows.place(wanted)
        self.rows_changed()
        if place is not None:
            self.move_to(place)
        self._told = self._identity_here()
        self._wanted = self._told if place is not None or wanted is None else wanted
        if self._told != told and self.cursor == cursor:  # a cursor that moves tells so itself
            self.post_message(self.Moved(self))

    def _identity_here(self) -> Hashable:
        return self._rows.identity(self.cursor) if self.cursor < len(self._rows) else None

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._wanted = self._told = self._identity_here()

    # Drawing.

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def header_height(self) -> int:
        return 1

    @property
    def content_width(self) -> int:
        width = self.scrollable_content_region.width
        needed = _GUTTER + sum(cells + _GAP for _, cells in self._fitted(width)) - _GAP
        return needed if needed > width else 0

    def draw_header(self, line: int, width: int) -> Strip:
        pieces: list[tuple[str, Style | None]] = [(" " * _GUTTER, None)]
        plain, chosen = self.style_of("lines--header"), self.style_of("table--sorted")
        for column, cells in self._fitted(width):
            here = self.sort is not None and self.sort.title == column.title
            title = beginning(clean_line(column.title), cells - 1 if here else cells) + (self._sign if here else "")
            pieces += [(_padded(title, cells, column.numeric), chosen if here else plain), (" " * _GAP, None)]
        return self._scrolled(self.strip(*pieces), width)

    @property
    def _sign(self) -> str:
        return ("v" if self.plain else "▼") if self.sort and self.sort.descending else "^" if self.plain else "▲"

    def draw_row(self, row: int, width: int) -> Strip:
        item = self._rows[row]
        marked = self._rows.identity(row) in self._rows.marked
        style = self.style_of("lines--marked") if marked else None
        dim = self.style_of("lines--dim")
        pieces: list[tuple[str, Style | None]] = [("* " if marked else "  ", style)]
        for column, cells in self._fitted(width):
            text = _one_line(column.text(item))
            if column.numeric:
                self._needs(column, cell_len(text))
            cut = _cut(text, cells, column)
            nothing = column.numeric and column.value(item) is None
            pieces += [(_padded(cut, cells, column.numeric), dim if nothing else style), (" " * _GAP, None)]
        return self._scrolled(self.strip(*pieces), width)

    def _scrolled(self, strip: Strip, width: int) -> Strip:
        left = self.scroll_offset.x
        return strip.crop(left, left + width) if left else strip

    def nothing_said(self) -> str:
        if not self._rows.rows:
            return self.empty
        return f"Nothing here has {clean_line(self._asked)!r}." if self._asked else "Nothing here fits the filter."

    # Widths.

    def _fitted(self, width: int) -> list[tuple[Column[Row], int]]:
        """The columns shown, each with its cells."""
        if self._fits is None or self._fits[0] != width:
            room = width - _GUTTER + _GAP  # behind the last column there need be no gap
            wishes, columns = self._wishes(room), self._rows.columns
            given = widths([*wishes.values()], room, _GAP)
            self._fits = width, [(columns[[*wishes][i]], cells) for i, cells in given.items()]
        return self._fits[1]

    def _wishes(self, room: int) -> dict[int, Wish]:
        """What the columns wish for, by their places. Of those for which nothing is left none is measured."""
        columns, found, left = self._rows.columns, dict[int, Wish](), room
        sort = self.sort.title if self.sort is not None else None
        for place in sorted(range(len(columns)), key=lambda at: columns[at].rank * (columns[at].title != sort)):
            if left < 0 and columns[place].rank > 0:
                break
            found[place] = wish = self._wish(columns[place])
            left -= wish.least + _GAP
        return dict(sorted(found.items()))

    def _wish(self, column: Column[Row]) -> Wish:
        if column.title not in self._natural:
            self._natural[column.title] = self._measured(column)
        wish = Wish.of(column, self._natural[column.title])
        if self.sort is None or self.sort.title != column.title:
            return wish
        title = cell_len(column.title) + 1
        return Wish(max(wish.natural, title), max(wish.least, title), 0)

    def _measured(self, column: Column[Row]) -> int:
        """The cells a column would like, from some rows all over the table and those with the extreme numbers."""
        rows = self._rows.rows
        some = rows[:: max(1, len(rows) // _MEASURED)]
        if column.numeric and len(some) < len(rows):
            some += self._rows.extremes(column)
        return max([cell_len(column.title), *(cell_len(_one_line(column.text(row))) for row in some)])

    def _needs(self, column: Column[Row], cells: int) -> None:
        """A number is never cut: one that is longer than all that were measured makes its column wider."""
        if cells > self._natural[column.title]:
            self._natural[column.title] = cells
            self.call_later(self._widen)

    def _widen(self) -> None:
        self._fits = None
        self.rows_changed()

    def on_resize(self) -> None:
        self._fits = None
        self.rows_changed()

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        """A click on a title sorts by it, a second one the other way round; one before a row marks it."""
        place = event.get_content_offset(self)
        if place is None:
            return
        x = place.x + self.scroll_offset.x
        row = self.row_at(event)
        if row is not None and x < _GUTTER:
            self.toggle_mark(row)
        elif place.y < self.header_height and (column := self._column_at(x)) is not None:
            if self.sort is not None and self.sort.title == column.title:
                self.action_reverse()
            else:
                self.sort_by(column.title)
                self.post_message(self.Sorted(self))

    def _column_at(self, x: int) -> Column[Row] | None:
        at = _GUTTER
        for column, cells in self._fitted(self.scrollable_content_region.width):
            if at <= x < at + cells:
                return column
            at += cells + _GAP
        return None


def _one_line(text: str) -> str:
    """A cell on one clean line; of a very long one, its two ends."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST // 2] + "…" + text[-_LONGEST // 2 :]
    return clean_line(text)


def _cut(text: str, cells: int, column: Column[Row]) -> str:
    if column.latest:
        return ending(text, cells)
    return beginning(text, cells) if column.wide or column.numeric else middle(text, cells)


def _padded(text: str, cells: int, right: bool) -> str:
    room = " " * (cells - cell_len(text))
    return room + text if right else text + room
