"""The text of a response, its words shaded by what moved them, and words of it to select."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

import numpy as np
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from memscope.base.text import Span, character_count
from memscope.reports.response import HeatSpan, touching
from memscope.reports.scale import word_level
from memscope.tui.colours import Palette, palette_for
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.word_map import WordMap
from memscope.tui.widgets.wrapping import Row, row_of, wrapped

SHOWN = 50_000  # characters of a response that are shown and can be selected


class TokenText(LineScroll):
    """See the module. Give it a text by `show` and what moved it by `heat`."""

    HELP = (
        "The response as it was scored, tool calls included. A shaded word became at least twice as likely (the colour "
        "of positive effects) or half as likely (that of negative ones) by the memory the heat is of, or by all of "
        "them; where there are no colours, moved words are underlined, and less likely ones struck through too. space "
        "begins a selection of words, moving extends it, space ends it and another begins another; Esc lets go of all."
    )

    COMPONENT_CLASSES: ClassVar[set[str]] = {"token-text--word", "token-text--selected"}

    DEFAULT_CSS = """
    TokenText {
        scrollbar-gutter: stable;
        & > .token-text--word { text-style: underline; }
        &:focus > .token-text--word { text-style: reverse; }
        & > .token-text--selected { background: $success; color: $text; text-style: bold; }
    }
    """

    ALLOW_SELECT = False  # a drag selects words here

    word: reactive[int] = reactive(0, repaint=False)

    class Pointed(Message):
        """The cursor stands on another word: `word_here` and `span_here`."""

    class Selected(Message):
        """Other words are selected: [start, end) of the text, ascending; none: the selection was given up."""

        def __init__(self, spans: tuple[Span, ...]) -> None:
            super().__init__()
            self.spans = spans

    def __init__(self, *, plain: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        """`plain`: with no sign but ASCII."""
        super().__init__(id=id, classes=classes)
        self.plain = plain
        self.text = ""
        self._rows: list[Row] = []
        self._words = WordMap("", 0)
        self._width = 80
        self._heat: list[HeatSpan] = []
        self._levels: list[int] = []
        self._palette: Palette | None = None
        self._kept: list[Span] = []  # selections that were ended, as word numbers
        self._anchor: int | None = None
        self._column: int | None = None  # where the cursor was when it went up or down
        self._dragged = False

    # What it shows.

    def show(self, text: str) -> None:
        """Shows another text; nothing of it is heated or selected."""
        if text == self.text:
            return
        self.text = text
        self._words = WordMap(text, min(len(text), SHOWN))
        self._kept, self._anchor = [], None
        self.heat(())
        self._wrap()
        self.set_reactive(TokenText.word, 0)
        self._to_word(0)
        self.scroll_to(y=0, animate=False, force=True)
        self.post_message(self.Pointed())

    def heat(self, tokens: Iterable[HeatSpan]) -> None:
        """Shades the text by these effects, which do not overlap."""
        shaded = self._shaded_rows()
        self._heat = sorted(tokens, key=lambda token: token.start)
        self._levels = word_level(np.array([token.effect for token in self._heat], np.float64)).tolist()
        self.redraw(shaded | self._shaded_rows())
        self.post_message(self.Pointed())

    def _shaded_rows(self) -> set[int]:
        rows: set[int] = set()
        for token, shade in zip(self._heat, self._levels, strict=True):
            if shade:
                last = row_of(self._rows, max(token.start, token.end - 1))
                rows.update(range(row_of(self._rows, token.start), last + 1))
        return rows

    @property
    def heated(self) -> list[HeatSpan]:
        """The effects it is shaded by, in the order of the text; none where they are not known."""
        return self._heat

    @property
    def word_here(self) -> str:
        """The word at the cursor, as it stands in the text; "" where there is none."""
        return self.text[slice(*self.span_here)] if self.span_here is not None else ""

    @property
    def span_here(self) -> Span | None:
        """Where that word stands in the text."""
        return self._words.words[self.word] if self.word < len(self._words) else None

    # Selecting.

    @property
    def spans(self) -> tuple[Span, ...]:
        """What is selected, ascending and not overlapping."""
        open_ = [self._ordered(self._anchor, self.word)] if self._anchor is not None and len(self._words) else []
        merged: list[Span] = []
        for first, last in sorted([*self._kept, *open_]):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(merged[-1][1], last)
            else:
                merged.append((first, last))
        words = self._words.words
        return tuple((words[first][0], words[last][1]) for first, last in merged)

    def mark(self) -> bool:
        """Begins a selection at the word at the cursor, or ends the one that is open; False where there is no word."""
        if not len(self._words):
            return False
        if self._anchor is None:
            self._anchor = self.word
        else:
            self._kept.append(self._ordered(self._anchor, self.word))
            self._anchor = None
        self._selection_changed()
        return True

    def clear_selection(self) -> bool:
        """False where nothing was selected."""
        if self._anchor is None and not self._kept:
            return False
        self._kept, self._anchor = [], None
        self._selection_changed()
        return True

    def _selection_changed(self) -> None:
        self.redraw()
        self.post_message(self.Selected(self.spans))

    @staticmethod
    def _ordered(one: int, other: int) -> Span:
        return min(one, other), max(one, other)

    # Moving.

    def _to_word(self, word: int, *, column: int | None = None) -> None:
        """The cursor to a word, or the nearest there is. `column`: the cell that going up and down tries to keep."""
        if not len(self._words):
            self.cursor = 0
            return
        self.word = max(0, min(word, len(self._words) - 1))
        self._column = column
        self.move_to(self._words.row(self._rows, self.word))

    def watch_word(self, old: int, new: int) -> None:
        if old == new:
            return
        for word in (old, new):
            if word < len(self._words):
                self._repaint(*self._words.words[word])
        if self._anchor is not None:
            self._selection_changed()
        self.post_message(self.Pointed())

    def _repaint(self, start: int, end: int) -> None:
        first = bisect_right(self._rows, start, key=lambda row: row.start) - 1
        last = bisect_left(self._rows, end, key=lambda row: row.start)
        for row in range(max(0, first), last):
            self.refresh_row(row)

    def _to_row(self, row: int, by: int) -> None:
        """To the nearest word of a row, or of the next in that direction that has one."""
        if not self._rows:
            return
        column = self._column
        if column is None:
            column = self._rows[self.cursor].cell_of(self._words.words[self.word][0]) if len(self._words) else 0
        row = max(0, min(row, len(self._rows) - 1))
        while 0 <= row < len(self._rows):
            word = self._words.nearest(self._rows[row], column)
            if word is not None:
                self._to_word(word, column=column)
                return
            row += by

    def action_up(self) -> None:
        self._to_row(self.cursor - 1, -1)

    def action_down(self) -> None:
        self._to_row(self.cursor + 1, 1)

    def action_page_up(self) -> None:
        self._to_row(self.cursor - self._page, -1)

    def action_page_down(self) -> None:
        self._to_row(self.cursor + self._page, 1)

    def action_left(self) -> None:
        self._to_word(self.word - 1)

    def action_right(self) -> None:
        self._to_word(self.word + 1)

    def action_top(self) -> None:
        self._to_word(0)

    def action_bottom(self) -> None:
        self._to_word(len(self._words) - 1)

    def action_first(self) -> None:
        if there := self._of_this_row():
            self._to_word(there[0])

    def action_last(self) -> None:
        if there := self._of_this_row():
            self._to_word(there[-1])

    def _of_this_row(self) -> range:
        row = self._rows[self.cursor] if self._rows else Row(0, 0, "")
        return self._words.within(row.start, row.end)

    # The mouse: a click goes to a word, a drag selects words.

    def _word_under(self, event: events.MouseEvent) -> int | None:
        row, place = self.row_at(event), event.get_content_offset(self)
        if row is None or place is None or row >= len(self._rows):
            return None
        return self._words.at(self._rows[row].offset_at(place.x))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        word = self._word_under(event)
        if word is None or event.button != 1:
            return
        self.clear_selection()
        self._to_word(word)
        self.capture_mouse()
        self._dragged = False

    def on_mouse_move(self, event: events.MouseMove) -> None:
        word = self._word_under(event) if self.app.mouse_captured is self else None
        if word is None or (word == self.word and not self._dragged):
            return
        if not self._dragged:
            self._anchor, self._dragged = self.word, True
        self._to_word(word)

    def on_mouse_up(self) -> None:
        if self.app.mouse_captured is not self:
            return
        self.release_mouse()
        if self._dragged:
            self.mark()

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # the press has moved the cursor already
        if event.chain == 2 and not self._dragged:
            self.mark()
            self.mark()

    # Drawing.

    @property
    def row_count(self) -> int:
        return len(self._rows) + (len(self.text) > SHOWN)

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def notify_style_update(self) -> None:
        self._palette = None
        super().notify_style_update()

    def _fit(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        if width != self._width:
            self._width = width
            self._wrap()
            self._to_word(self.word)
            self.show_row(self.cursor)

    def _wrap(self) -> None:
        self._rows = wrapped(self.text, self._width, 0, min(len(self.text), SHOWN))
        self.rows_changed()

    def dress(self, strip: Strip, here: bool) -> Strip:
        """The cursor is a word: its row looks like any other, whatever the theme, so that heat stays to be seen."""
        return super().dress(strip, here=False)

    def row_key(self, row: int) -> object:
        if row >= len(self._rows) or self.word >= len(self._words):
            return None
        start, end = self._words.words[self.word]
        here = self._rows[row]
        return (start, end, self.has_focus) if start < here.end and end > here.start else None

    def draw_row(self, row: int, width: int) -> Strip:
        if row >= len(self._rows):
            return self.strip((f"… {character_count(len(self.text) - SHOWN)} more", self.style_of("lines--dim")))
        here = self._rows[row]
        painted = self._painted(here)
        edges = sorted({0, len(here.shown), *(place for start, end, _ in painted for place in (start, end))})
        pieces = []
        for start, end in pairwise(edges):
            styles = [style for at, stop, style in painted if at <= start and end <= stop]
            pieces.append((here.shown[start:end], Style.combine(styles) if styles else None))
        return self.strip(*pieces)

    def _painted(self, row: Row) -> list[tuple[int, int, Style]]:
        """What of a row has which style; what comes later lies over what came before."""
        painted = []
        for index in touching(self._heat, (row.start, row.end)):
            if shade := self._levels[index]:
                token = self._heat[index]
                painted.append((*row.places(token.start, token.end), self._shade(shade)))
        selected = self.style_of("token-text--selected")
        painted += [
            (*row.places(start, end), selected) for start, end in self.spans if start < row.end and end > row.start
        ]
        if self.word < len(self._words) and (self.has_focus or self._colours.painted):  # else it would look moved
            painted.append((*row.places(*self._words.words[self.word]), self.style_of("token-text--word")))
        return [(start, end, style) for start, end, style in painted if start < end]

    @property
    def _colours(self) -> Palette:
        if self._palette is None:
            self._palette = palette_for(self.app, plain=self.plain)
        return self._palette

    def _shade(self, shade: int) -> Style:
        style = self._colours.style(shade)
        return style if self._colours.painted else style + Style(underline=True, strike=True if shade < 0 else None)
