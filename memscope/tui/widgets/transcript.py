"""A conversation to read: a line a message, any of them unfolded in place.

The same widget lists responses, serves marking by hand, and is where every jump to a piece of evidence ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message as Event
from textual.strip import Strip

from memscope.base.cells import beginning
from memscope.base.text import Span
from memscope.conversation.model import Conversation
from memscope.reports.figures import ResponseFigures
from memscope.tui.keys import key
from memscope.tui.widgets.finding import Search, place_in
from memscope.tui.widgets.line_selection import LineSelection, whole_lines
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.message_line import fold_sign, lead_of, room_of
from memscope.tui.widgets.outline import Line, Outline, Place
from memscope.tui.widgets.parts import opening_words

_GUTTER = 3  # cells before a row of text: selected, of a memory, and a blank

Pieces = list[tuple[str, Style | None]]


class Transcript(LineScroll):
    """See the module. Give it a conversation by `show`, and what is known of the responses by `figures`."""

    HELP = (
        "The messages of the conversation, by their index #I. U user, A assistant (the responses), S system, T tool; "
        "a small letter: put there by software, not said. ◆ holds a memory. Beside a response: the sum of the positive "
        "effects on it in nats (≥ while some are not known), its strongest memory, and the gap: what all memories "
        "together gave it minus the single effects. A gap clearly above 0: memories share the support; clearly below: "
        "they only work together."
    )

    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        key("transcript.fold", "z", "fold", "Unfold", "Unfold or fold the message or part at the cursor"),
        key("transcript.level", "Z", "level", "All/responses", "Show all messages, or the responses only"),
        key("transcript.mark", "m", "ask_mark", "Memory", "Make the selected lines, or the message, a memory"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "transcript--user",
        "transcript--memory",
        "transcript--found",
        "transcript--selected",
    }

    DEFAULT_CSS = """
    Transcript {
        scrollbar-gutter: stable;
        & > .transcript--user { color: $text-success; }
        & > .transcript--memory { color: $text-warning; }
        & > .transcript--found { background: $warning-muted; color: $text-warning; text-style: underline; }
        & > .transcript--selected { background: $primary-muted; color: $text; }
    }
    """

    class MarkAsked(Event):
        """A person wants [start, end) of a message's text to be a memory: whole lines, or all of it."""

        def __init__(self, message: int, start: int, end: int) -> None:
            super().__init__()
            self.message = message
            self.start = start
            self.end = end

    class LevelChanged(Event):
        """All messages are shown, or only the responses any more."""

    def __init__(
        self,
        *,
        responses_only: bool = False,
        plain: bool = False,
        marks: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """`plain`: with no sign but ASCII; `marks`: whether lines can be made a memory."""
        super().__init__(id=id, classes=classes)
        self.plain = plain
        self._marks = marks
        self._pointed: Place | None = None
        self._outline = Outline(Conversation(()), responses_only=responses_only)
        self._figures: Mapping[int, ResponseFigures] | None = None
        self._search = Search()
        self._selection = LineSelection()

    # What it shows.

    def show(self, conversation: Conversation) -> None:
        """Shows a conversation; where its messages are those shown already, what is unfolded stays."""
        old, message = self._outline, self.message
        self._outline = Outline(conversation, old.width, responses_only=old.responses_only)
        self._search, self._pointed = Search(), None
        if [m.text for m in old.conversation.messages] == [m.text for m in conversation.messages]:
            for index in range(len(conversation.messages)):
                if (folds := old.folds(index)) is not None:
                    self._outline.restore(index, folds)
        else:
            message = None
        self._selection.clear()
        stays = message is not None and message in self._outline.messages
        self._settle(self._outline.row(message) if message is not None and stays else 0, moved=True)

    @property
    def conversation(self) -> Conversation:
        return self._outline.conversation

    def figures(self, figures: Mapping[int, ResponseFigures] | None) -> None:
        """What stands beside the responses, by message index; None: no columns."""
        titles = (self._figures is None) != (figures is None)
        old, self._figures = self._figures or {}, figures
        if titles:
            self.rows_changed()
            return
        for row in self.visible_rows:
            message = self._outline.line(row).message
            if old.get(message) != (figures or {}).get(message):
                self.refresh_row(row)

    @property
    def message(self) -> int | None:
        """Index of the message at the cursor; None where nothing is shown."""
        return self._line.message if self.row_count else None

    @property
    def responses_only(self) -> bool:
        return self._outline.responses_only

    def show_level(self, *, responses_only: bool) -> None:
        """Shows the responses only, or all messages; the cursor stays as near as it can."""
        message = self.message
        if responses_only == self.responses_only:
            return
        self._outline.responses_only = responses_only
        nearest = self._outline.nearest(message or 0)
        self._settle(0 if nearest is None else self._outline.row(nearest), moved=nearest != message)
        self.post_message(self.LevelChanged())

    def jump(self, message: int, *, unfold: bool = False) -> bool:
        """The cursor to a message, all messages shown if need be; False where there is no such message."""
        if not 0 <= message < len(self.conversation.messages):
            return False
        before = self.message
        if message not in self._outline.messages:
            self.show_level(responses_only=False)
        if unfold:
            self._outline.unfold(message)
        self._settle(self._outline.row(message), moved=message != before)
        return True

    def point(self, message: int, part: int = -1, words: str = "") -> bool:
        """The cursor to a message that is unfolded, there to a part of it, or to where `words` stand, which are shown;
        False where there is no such message."""
        if not self.jump(message, unfold=True):
            return False
        found = place_in(self.conversation, message, words)
        self._pointed = found
        if found is None and part >= 0:
            found = Place(message, part, 0, 0)
        if found is not None:
            self._settle(self._outline.reveal(found))
        return True

    @property
    def place(self) -> tuple[int, int]:
        """The message at the cursor and the part of it, -1 on the message's own line; before all for none."""
        return (self._line.message, self._line.part) if self.row_count else (-1, -1)

    @property
    def _line(self) -> Line:
        return self._outline.line(self.cursor)

    def _settle(self, row: int, *, moved: bool = False) -> None:
        """The lines are others now, and the cursor is on `row` of them. `moved`: that is another message."""
        same = row == self.cursor
        self.rows_changed()
        self.move_to(row)
        self.show_row(self.cursor)
        if moved and same:
            self.post_message(self.Moved(self))

    # Folding.

    def action_fold(self) -> None:
        if self.row_count:
            self._settle(self._outline.toggle(self.cursor))

    def action_level(self) -> None:
        self.show_level(responses_only=not self.responses_only)

    def action_right(self) -> None:
        if self.row_count and self._line.folded:
            self.action_fold()

    def action_left(self) -> None:
        """Folds, or goes up to what can be."""
        if not self.row_count:
            return
        line = self._line
        if line.folded is False:
            self.action_fold()
        elif line.kind != "message":
            self.move_to(self._outline.row(line.message))

    def on_click(self, event: events.Click) -> None:
        row, place = self.row_at(event), event.get_content_offset(self)
        if row is None or place is None or place.x > _GUTTER:
            return
        if self._outline.line(row).folded is not None:
            self.move_to(row)
            self.action_fold()

    # Finding.

    def find(self, words: str) -> bool:
        """Goes to the first place of `words` from where the search began, and shows them wherever they stand; False
        where they stand nowhere. No words: the search is over."""
        before = self.message
        row = self._search.type(self._outline, words, self._place_here())
        if not words:
            self.redraw()
            return True
        return self._go_to_found(row, before)

    def find_next(self, *, backwards: bool = False) -> bool:
        """The next place of the words that are searched for, or the one before; False where there is none."""
        here, before = self._place_here(), self.message
        found = self._search.found
        if found is not None and self._outline.row_at(found) == self.cursor:
            here = found
        return self._go_to_found(self._search.step(self._outline, here, backwards=backwards), before)

    @property
    def searching(self) -> bool:
        """Whether words are searched for."""
        return bool(self._search.words)

    def _go_to_found(self, row: int | None, before: int | None) -> bool:
        there = row if row is not None else self._outline.row(before) if before is not None else 0
        self._settle(there, moved=self.row_count > 0 and self._outline.line(there).message != before)
        return row is not None

    def _place_here(self) -> Place:
        if not self.row_count:
            return Place(0, -1, 0, 0)
        line = self._line
        start = line.row.start if line.row is not None else 0
        return Place(line.message, line.part, start - 1, start)

    # Selecting lines, to make them a memory.

    @property
    def selected(self) -> tuple[int, Span] | None:
        """A message and [start, end) of its text that is selected."""
        return self._selection.selected

    def mark(self) -> bool:
        """Begins a selection of lines that the cursor then extends, or ends it where it is; False where there is no
        line of a message's text."""
        if not self.row_count or not self._selection.begin(self.conversation, self._line):
            return False
        self.redraw()
        return True

    def clear_selection(self) -> bool:
        """False where nothing was selected."""
        self.redraw()
        return self._selection.clear()

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self._selection.growing and new < self.row_count and self._selection.follow(self.conversation, self._line):
            self.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._marks if action == "ask_mark" else super().check_action(action, parameters)

    def action_ask_mark(self) -> None:
        """Asks for the selected lines, the line at the cursor, or, on a message's own line, for all of the message."""
        if not self.row_count:
            return
        line = self._line
        span = line.span
        if self.selected is not None:
            message, span = self.selected
        elif span is not None:
            message, span = line.message, whole_lines(self.conversation, line.message, span)
        else:
            message, span = line.message, (0, len(self.conversation.messages[line.message].text))
        self.post_message(self.MarkAsked(message, *span))

    # Drawing.

    @property
    def row_count(self) -> int:
        return self._outline.count

    @property
    def header_height(self) -> int:
        return 0 if self._figures is None else 1

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        width = max(1, self.scrollable_content_region.width - _GUTTER)
        if width == self._outline.width:
            return
        line = self._line if self.row_count else None
        self._outline.width = width
        row = 0
        if line is not None:
            start = line.row.start if line.row is not None else 0
            row = self._outline.row_at(Place(line.message, line.part, start, start))
        self._settle(row)

    def row_key(self, row: int) -> object:
        line = self._outline.line(row)
        return (self._figures or {}).get(line.message) if line.kind == "message" else None

    def draw_header(self, line: int, width: int) -> Strip:
        lead = cell_len("".join(self._lead(Line("message", 0))))
        said = room_of(width, lead, figures=True).header(lead)
        return self.strip((said, self.style_of("lines--header")))

    def draw_row(self, row: int, width: int) -> Strip:
        line = self._outline.line(row)
        if line.kind == "message":
            return self.strip(*self._draw_message(line, width))
        memory = self.style_of("transcript--memory")
        selected = self._selection.holds(line)
        gutter: Pieces = [
            (">" if selected else " ", self.style_of("transcript--selected") if selected else None),
            ((":" if self.plain else "▌") if line.memory is not None else " ", memory),
        ]
        if line.kind == "text" and line.row is not None:
            base = self.style_of("transcript--selected") if selected else None
            return self.strip(*gutter, (" ", None), *self._highlighted(line, base))
        style = memory if line.memory is not None else self.style_of("lines--dim")
        sign = fold_sign(line, plain=self.plain)
        return self.strip(*gutter, (f" {sign} {beginning(line.words, width - _GUTTER - 2)}", style))

    def _lead(self, line: Line) -> tuple[str, str, str]:
        return lead_of(self.conversation, line, plain=self.plain, roles=not self.responses_only)

    def _draw_message(self, line: Line, width: int) -> Pieces:
        message = self.conversation.messages[line.message]
        number, role, holds = self._lead(line)
        figures = (self._figures or {}).get(line.message)
        room = room_of(width, cell_len(number + role + holds), figures=figures is not None)
        opening = beginning(opening_words(message), max(0, room.words - 1))
        said = self.style_of("transcript--user") if message.role == "user" and message.kind == "said" else None
        dim, memory = self.style_of("lines--dim"), self.style_of("transcript--memory")
        pieces: Pieces = [(number, dim), (role, said), (holds, memory)]
        pieces += self._with_found(opening, self._found_in(opening), said)
        pieces.append((" " * (room.words - cell_len(opening)), None))
        if figures is not None:
            total, top, gap = room.figures(figures, plain=self.plain)
            pieces += [(total, None), (top, dim if figures.top is None else memory), (gap, None)]
        return pieces

    def _highlighted(self, line: Line, base: Style | None) -> Pieces:
        """A row of text, with the words that are searched for."""
        assert line.row is not None
        found = self._found_in(line.row.shown)
        for place in (self._search.found, self._pointed):
            if place is not None and (place.message, place.part) == (line.message, line.part):
                found.append(line.row.places(place.start, place.end))  # it may go on in the next row
        return self._with_found(line.row.shown, found, base)

    def _found_in(self, shown: str) -> list[Span]:
        pattern = self._search.pattern
        return [match.span() for match in pattern.finditer(shown)] if pattern is not None else []

    def _with_found(self, shown: str, found: list[Span], base: Style | None) -> Pieces:
        pieces: Pieces = []
        at = 0
        for start, end in sorted(found):
            if at <= start < end:
                pieces += [(shown[at:start], base), (shown[start:end], self.style_of("transcript--found"))]
                at = end
        return [*pieces, (shown[at:], base)]
