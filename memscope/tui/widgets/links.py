"""Texts to read of which some lead somewhere: a cursor goes from one of these to the next."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.strip import Strip

from memscope.base.cells import beginning
from memscope.base.text import clean_line
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.paragraphs import LONGEST, Look, Paragraph, Paragraphs
from memscope.tui.widgets.wrapping import wrapped

_GAP = 2
_SIGN, _PLAIN_SIGN = "→ ", "> "


@dataclass(frozen=True, slots=True)
class Linked(Paragraph):
    """A text as found. `label` stands before it, in a column as wide as the longest. `goal`: where it leads; None:
    nowhere. One with a label or a goal is indented where others have labels."""

    label: str = ""
    goal: Hashable = None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the screen: what stands in front, its text, how it looks, and the number of its paragraph."""

    front: str
    text: str
    look: Look
    number: int


class Links(Paragraphs):
    """What leads somewhere begins with an arrow. The cursor is seen while it has the focus; a click is Enter there."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"links--goal", "links--label"}

    DEFAULT_CSS = """
    Links {
        & > .links--goal { color: $text-accent; }
        & > .links--label { color: $text-muted; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._linked: tuple[Linked, ...] = ()
        self._drawn: list[_Line] = []
        self._firsts: list[int] = []  # the row at which each paragraph begins, and behind the last
        self._at = -1  # the number of the paragraph under the cursor; -1: none leads anywhere

    # What is in it.

    def show_linked(self, paragraphs: Sequence[Linked]) -> None:
        """Shows these. The cursor stays on what leads to the same, or goes to the first that leads anywhere."""
        if tuple(paragraphs) == self._linked:
            return
        goal, same = self.goal, [one.text for one in paragraphs[:1]] == [one.text for one in self._linked[:1]]
        self._linked = tuple(paragraphs)
        goals = self._goals
        self._at = next((n for n in goals if same and self._linked[n].goal == goal), goals[0] if goals else -1)
        self._wrap()
        if not same:
            self.scroll_to(y=0, animate=False, force=True)

    @property
    def linked(self) -> tuple[Linked, ...]:
        return self._linked

    @property
    def goal(self) -> Hashable:
        """Where the paragraph under the cursor leads; None where none leads anywhere."""
        return self._linked[self._at].goal if self._at >= 0 else None

    @property
    def label(self) -> str:
        """What stands before the paragraph under the cursor; "" where none leads anywhere."""
        return self._linked[self._at].label if self._at >= 0 else ""

    @property
    def _goals(self) -> list[int]:
        return [number for number, one in enumerate(self._linked) if one.goal is not None]

    # Drawing.

    def _wrap(self) -> None:
        width = self._wrapped_to = self.scrollable_content_region.width
        labels = max((cell_len(clean_line(one.label)) for one in self._linked), default=0)
        indent = min(labels + _GAP, 2 * width // 5) if labels else 0
        self._drawn, self._firsts = [], [0]
        for number, one in enumerate(self._linked):
            front = _padded(one.label, indent) if one.label or (one.goal is not None and indent) else ""
            sign = "" if one.goal is None else _PLAIN_SIGN if self.plain else _SIGN
            room = width - cell_len(front) - cell_len(sign)
            rows = [row.shown for row in wrapped(one.text[:LONGEST], room)] or [""]
            blank = " " * cell_len(front + sign)
            self._drawn.append(_Line(front, sign + rows[0], one.look, number))
            self._drawn += [_Line(blank, row, one.look, number) for row in rows[1:]]
            self._firsts.append(len(self._drawn))
        self.rows_changed()

    @property
    def row_count(self) -> int:
        return len(self._drawn)

    def draw_row(self, row: int, width: int) -> Strip:
        line = self._drawn[row]
        goal = self._linked[line.number].goal is not None
        if line.look != "text":
            style: Style | None = self.style_of(f"paragraphs--{line.look}")
        else:
            style = self.style_of("links--goal") if goal else None
        strip = self.strip((line.front, self.style_of("links--label")), (line.text, style)).adjust_cell_length(width)
        if goal and line.number == self._at and self.has_focus:
            strip = strip.apply_style(self.get_component_rich_style("lines--cursor"))
        return strip

    def row_key(self, row: int) -> object:
        return self.has_focus and self._drawn[row].number == self._at

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._linked and self._wrapped_to:
            self._wrap()  # the signs may be others

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # Moving.

    def _go(self, number: int) -> None:
        self._at = number
        first, behind = self._firsts[number], self._firsts[number + 1]
        top, page = self.scroll_offset.y, self._page
        if first < top or behind > top + page:
            self.scroll_to(y=max(0, first - page // 2), animate=False, force=True)
        self.refresh()

    def action_up(self) -> None:
        before = [number for number in self._goals if number < self._at]
        if before and self._at >= 0:
            self._go(before[-1])
        else:
            super().action_up()

    def action_down(self) -> None:
        after = [number for number in self._goals if number > self._at >= 0]
        if after:
            self._go(after[0])
        else:
            super().action_down()

    def action_top(self) -> None:
        if goals := self._goals:
            self._go(goals[0])
        super().action_top()

    def action_bottom(self) -> None:
        if goals := self._goals:
            self._go(goals[-1])
        super().action_bottom()

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()
        row = self.row_at(event)
        number = self._drawn[row].number if row is not None else -1
        if number >= 0 and self._linked[number].goal is not None:
            self._at = number
            self.refresh()
            self.post_message(LineScroll.Chosen(self))


def _padded(label: str, cells: int) -> str:
    text = beginning(clean_line(label), max(1, cells - _GAP))
    return text + " " * (cells - cell_len(text))
