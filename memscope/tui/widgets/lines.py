"""The one scrolling base under heatmap, table, transcript and text: rows drawn line by line, with a cursor.

Stock widgets lay out every cell they hold; here only what is on the screen is drawn, each row once: its strip is kept
until it changes. The cursor repaints two rows, not the screen, so that a key costs little on a slow link. Half a page
is scrolled when the cursor leaves the screen, not a row, because a scroll repaints everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from memscope.tui.keys import MOVES
from memscope.tui.widgets.wrapping import wrapped

_KEPT = 2000  # strips


class LineScroll(ScrollView, can_focus=True):
    """Rows under a header that stays. A subclass says how many rows there are and draws one.

    It calls `rows_changed` when their number or width changed and `redraw` when only what they show did.
    """

    BINDINGS = [*MOVES]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--header",
        "lines--cursor",
        "lines--dim",
        "lines--marked",
        "lines--nothing",
    }

    DEFAULT_CSS = """
    LineScroll {
        background: $background; color: $foreground;
        scrollbar-size: 1 1;
        & > .lines--header { color: $text-muted; text-style: bold; }
        & > .lines--cursor { background: $surface-lighten-1; }
        & > .lines--dim { color: $text-disabled; }
        & > .lines--marked { color: $text-accent; }
        & > .lines--nothing { color: $text-muted; }
        &:focus > .lines--cursor { background: $block-cursor-blurred-background; text-style: bold; }
        &:focus > .lines--header { color: $text-accent; }
    }
    """

    INDENT: ClassVar[int] = 0
    """Cells before what is said where there are no rows."""

    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor stands somewhere else."""

        def __init__(self, lines: LineScroll) -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> LineScroll:
            return self.lines

    class Chosen(Moved):
        """A person wants to go deeper at the cursor: a click on it (the Enter key is the pane's)."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._strips: LRUCache[object, Strip] = LRUCache(_KEPT)
        self._styles_of: dict[str, Style] = {}
        self._empty = ""
        self._plain = False

    # What it is given.

    @property
    def empty(self) -> str:
        """What is said where there are no rows: why, and which key helps."""
        return self._empty

    @empty.setter
    def empty(self, words: str) -> None:
        if words != self._empty:
            self._empty = words
            self.redraw()

    @property
    def plain(self) -> bool:
        """Whether it draws with no sign but ASCII."""
        return self._plain

    @plain.setter
    def plain(self, plain: bool) -> None:
        if plain != self._plain:
            self._plain = plain
            self.notify_style_update()
            self.refresh()

    # What a subclass gives.

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    @property
    def header_height(self) -> int:
        """Lines above the rows that stay when they scroll."""
        return 0

    @property
    def content_width(self) -> int:
        """Cells a row needs; more than the screen has makes it scroll sideways. 0: whatever there is."""
        return 0

    def draw_header(self, line: int, width: int) -> Strip:
        """A line of the header, `width` cells from `scroll_offset.x` on."""
        raise NotImplementedError

    def draw_row(self, row: int, width: int) -> Strip:
        """A row, `width` cells of it from `scroll_offset.x` on. Looks at `cursor` to tell whether it is there."""
        raise NotImplementedError

    def dress(self, strip: Strip, here: bool) -> Strip:
        """A row as it was drawn, with what it stands on: the cursor's style where it is `here`, and the widget's."""
        if here:
            strip = strip.apply_style(self.get_component_rich_style("lines--cursor"))
        return strip.apply_style(self.base)

    def nothing_said(self) -> str:
        """What is said where there are no rows."""
        return self._empty

    def row_key(self, row: int) -> object:
        """What a row's drawing depends on, beside its contents, width, side scroll, cursor and focus."""
        return None

    # What it calls.

    def rows_changed(self) -> None:
        """The number of rows, the header's height or the width changed."""
        self.virtual_size = Size(self.content_width, self.row_count + self.header_height)
        if self.cursor >= self.row_count:
            self.cursor = max(0, self.row_count - 1)
        self.redraw()

    def redraw(self, rows: Iterable[int] | None = None) -> None:
        """What these rows show (all: None) changed; those on the screen are painted again."""
        if rows is None:
            self._strips.clear()
            self.refresh()
            return
        changed = set(rows)
        for kept in [key for key in self._strips.keys() if key[0] in changed]:  # type: ignore[index]  # noqa: SIM118
            self._strips.discard(kept)
        for row in changed & set(self.visible_rows):
            self.refresh_row(row)

    def redraw_header(self) -> None:
        """What the header shows changed."""
        if self.header_height:
            self.refresh(Region(0, 0, self.size.width, self.header_height))

    def refresh_row(self, row: int) -> None:
        """Paint one row again."""
        line = row + self.header_height - self.scroll_offset.y
        if self.header_height <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    @property
    def visible_rows(self) -> range:
        """The rows on the screen."""
        first = self.scroll_offset.y
        return range(first, min(self.row_count, first + self._page))

    @property
    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - self.header_height)

    # Drawing.

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y < self.header_height:
            return self.draw_header(y, width).apply_style(self.base).adjust_cell_length(width, self.base)
        if not self.row_count:
            return self._say_nothing(y - self.header_height, width)
        row = y - self.header_height + self.scroll_offset.y
        if row >= self.row_count:
            return Strip.blank(width, self.base)
        here = row == self.cursor
        key = (row, width, self.scroll_offset.x, here, here and self.has_focus, self.row_key(row))
        strip = self._strips.get(key)
        if strip is None:
            strip = self.dress(self.draw_row(row, width).adjust_cell_length(width), here)
            self._strips[key] = strip
        return strip

    def _say_nothing(self, line: int, width: int) -> Strip:
        """A line of what is said where there are no rows."""
        said = wrapped(self.nothing_said(), width - self.INDENT)
        text = said[line].shown if line < len(said) else ""
        strip = self.strip((" " * self.INDENT, None), (text, self.style_of("lines--nothing")))
        return strip.apply_style(self.base).adjust_cell_length(width, self.base)

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._styles_of.clear()
        super().notify_style_update()

    @property
    def base(self) -> Style:
        """The style of the widget itself, which is costly to find for every line."""
        if "" not in self._styles_of:
            self._styles_of[""] = self.rich_style
        return self._styles_of[""]

    def style_of(self, name: str) -> Style:
        """The style of a component class, without the widget's own background."""
        if name not in self._styles_of:
            # A partial style knows nothing of what it stands on, which colours like $text-muted are made from.
            style, own = self.get_component_rich_style(name), self.get_component_rich_style(name, partial=True)
            self._styles_of[name] = style.without_color + Style(color=style.color, bgcolor=own.bgcolor)
        return self._styles_of[name]

    @staticmethod
    def strip(*pieces: tuple[str, Style | None]) -> Strip:
        """A strip of texts, which must be clean, and their styles."""
        return Strip([Segment(text, style) for text, style in pieces if text])

    # Moving.

    def refresh_cursor(self, row: int) -> None:
        """Paint again what the cursor changes of a row that it came to, or left."""
        self.refresh_row(row)

    def watch_cursor(self, old: int, new: int) -> None:
        if old != new:
            self.refresh_cursor(old)
            self.show_row(new)
            self.refresh_cursor(new)
            self.post_message(self.Moved(self))

    def show_row(self, row: int) -> None:
        """Scrolls, if need be, half a page further than the row."""
        seen = self.visible_rows
        if row in seen or not self._page:
            return
        ahead = self._page // 2 if self.row_count > self._page else 0
        top = row - self._page + 1 + ahead if row >= seen.stop else row - ahead
        self.scroll_to(y=max(0, min(top, self.row_count - self._page)), animate=False, force=True)

    def move_to(self, row: int) -> None:
        """The cursor to a row, or the nearest there is."""
        self.cursor = max(0, min(row, self.row_count - 1))

    def action_up(self) -> None:
        self.move_to(self.cursor - 1)

    def action_down(self) -> None:
        self.move_to(self.cursor + 1)

    def action_left(self) -> None:
        self.scroll_to(x=self.scroll_offset.x - 8, animate=False, force=True)

    def action_right(self) -> None:
        self.scroll_to(x=self.scroll_offset.x + 8, animate=False, force=True)

    def action_top(self) -> None:
        self.move_to(0)

    def action_bottom(self) -> None:
        self.move_to(self.row_count - 1)

    def action_first(self) -> None:
        self.action_top()

    def action_last(self) -> None:
        self.action_bottom()

    def action_page_up(self) -> None:
        self.move_to(self.cursor - self._page)

    def action_page_down(self) -> None:
        self.move_to(self.cursor + self._page)

    def on_focus(self) -> None:
        self.redraw_header()
        self.refresh_row(self.cursor)

    def on_blur(self) -> None:
        self.redraw_header()
        self.refresh_row(self.cursor)

    def on_resize(self) -> None:
        self.show_row(self.cursor)

    def row_at(self, event: events.MouseEvent) -> int | None:
        """The row under the mouse."""
        place = event.get_content_offset(self)
        if place is None or place.y < self.header_height:
            return None
        row = place.y - self.header_height + self.scroll_offset.y
        return row if row < self.row_count else None

    def on_click(self, event: events.Click) -> None:
        row = self.row_at(event)
        if row is None:
            return
        if row == self.cursor and event.chain > 1:
            self.post_message(self.Chosen(self))
        self.move_to(row)
