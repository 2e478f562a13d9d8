"""The line in which sessions are filtered: an expression, what is wrong with it, and what could stand there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Label

from memscope.actions.sessions import BadFilter
from memscope.base.text import Span, clean_line
from memscope.tui.keys import key
from memscope.tui.widgets.chrome import FindLine
from memscope.tui.widgets.line_input import CleanInput
from memscope.tui.widgets.words import Words

if TYPE_CHECKING:
    from memscope.sessions.query import Completion

_KEPT = 20  # expressions that are remembered
_OFFERED = 40  # ways to go on that are looked at
_APART = "   "

Begun = Callable[[str, int | None], str]
Complete = Callable[[str, int], Sequence["Completion"]]


class _Wrong(Highlighter):
    """Marks a part of what is typed."""

    span: Span | None = None
    style = Style(underline=True)

    def highlight(self, text: Text) -> None:
        if self.span is not None:
            text.stylize(self.style, *self.span)


class _GoOn(Suggester):
    """What is typed with its first way to go on, shown behind the cursor."""

    def __init__(self, ways: Callable[[str, int], Sequence[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._ways = ways

    async def get_suggestion(self, value: str) -> str | None:
        return next((way for way in self._ways(value, len(value)) if way.startswith(value) and way != value), None)


class FilterInput(CleanInput):
    """An expression. Tab takes what is offered, up and down go through those there were."""

    BINDINGS: ClassVar[list[BindingType]] = [key("filter.take", "tab", "take", "Complete", "Take what is offered")]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"filter--wrong"}

    DEFAULT_CSS = """
    FilterInput { & > .filter--wrong { color: $text-error; text-style: underline; } }
    """

    def __init__(self, placeholder: str, complete: Complete) -> None:
        super().__init__(placeholder=placeholder, suggester=_GoOn(self.ways), id="find")
        self.highlighter = self._wrong = _Wrong()
        self.select_on_focus = False  # an expression is added to
        self._complete = complete
        self._found: tuple[str, int, Sequence[Completion]] | None = None  # what was completed last
        self.earlier: list[str] = []
        self._back = 0  # how far in those one has gone

    def completions(self, value: str, cursor: int) -> Sequence[Completion]:
        """What could stand at the cursor; looked for once, however often it is asked."""
        if self._found is None or self._found[:2] != (value, cursor):
            self._found = value, cursor, self._complete(value, cursor)[:_OFFERED]
        return self._found[2]

    def ways(self, value: str, cursor: int) -> list[str]:
        """What is typed, with each way to go on at the cursor written out."""
        return [value[: one.start] + one.text + value[one.end :] for one in self.completions(value, cursor)]

    def point_at(self, span: Span | None) -> None:
        """Marks where it is wrong; None: nowhere."""
        self._wrong.span = span
        self._wrong.style = self.get_component_rich_style("filter--wrong", partial=True)
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "take":
            return bool(self._way)
        return super().check_action(action, parameters)

    @property
    def _way(self) -> str:
        """What Tab makes of it; "" where it makes nothing."""
        return next((way for way in self.ways(self.value, self.cursor_position) if way != self.value), "")

    def action_take(self) -> None:
        way = self._way
        behind = len(self.value) - self.cursor_position
        self.value = way
        self.cursor_position = max(0, len(way) - behind)

    def remember(self) -> None:
        """Keeps what stands there among those there were, the latest first."""
        self._back = 0
        if words := self.value.strip():
            self.earlier = [words, *(one for one in self.earlier if one != words)][:_KEPT]

    def on_key(self, event: events.Key) -> None:
        """An expression that was used before, or one that was used after it."""
        step = {"up": 1, "down": -1}.get(event.key)
        if step is None:
            return
        event.stop()
        event.prevent_default()
        self._back = max(0, min(self._back + step, len(self.earlier)))
        self.value = self.earlier[self._back - 1] if self._back else ""
        self.cursor_position = len(self.value)


class FilterLine(FindLine):
    """`/` of the pane. `parse` raises `BadFilter` for what is no expression. What is told is what `begun` makes
    of what is typed: with the cursor or, once nothing is typed any more, without."""

    DEFAULT_CSS = """
    FilterLine {
        height: auto; layout: vertical;
        & #filter-typed { height: 1; }
        & #filter-words {
            height: 1; padding: 0 1 0 3; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
        }
        & #filter-words.-wrong { color: $text-error; }
    }
    """

    def __init__(self, parse: Callable[[str], object], begun: Begun, complete: Complete) -> None:
        super().__init__()
        self._parse = parse
        self._begun = begun
        self._complete = complete
        self._told = ""  # the expression that is filtered by

    def compose(self) -> ComposeResult:
        with Horizontal(id="filter-typed"):
            yield Label(Content("/"))
            yield FilterInput("score>=12 outcome=failure repo=NAME memories>0 words", self._complete)
        yield Words(id="filter-words")

    @property
    def line(self) -> FilterInput:
        return self.query_one(FilterInput)

    @property
    def words(self) -> Words:
        return self.query_one(Words)

    def on_descendant_focus(self) -> None:
        self.words.display = True

    def on_descendant_blur(self) -> None:
        self.words.display = self.words.has_class("-wrong")
        self._tell(typing=False)

    def open(self) -> None:
        super().open()
        self._look()

    def put(self, words: str) -> None:
        """Shows an expression that is filtered by already; none: no line."""
        if words != self.line.value:
            with self.line.prevent(Input.Changed):
                self.line.value = words
        self._told = words
        self.display = bool(words)
        self._say("", wrong=False)
        self.words.display = False

    def close(self) -> bool:
        self.line.remember()
        closed = super().close()
        self._told = ""
        self._say("", wrong=False)
        return closed

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        event.prevent_default()  # not told as it is
        if self.display:
            self._look()
            self._tell(typing=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()
        if not event.value.strip():
            self.close()
        elif self._look(done=True):
            self.line.remember()
            self._give_back()
        self._tell(typing=False)

    def _tell(self, *, typing: bool) -> None:
        line = self.line
        words = self._begun(line.value, line.cursor_position if typing else None)
        if words != self._told:
            self._told = words
            self.post_message(self.Changed(words))

    def _look(self, *, done: bool = False) -> bool:
        """Says how what is typed may go on, or what is wrong with it: of the term that is being typed only where it
        cannot go on, or once a person is `done`. False: it is no expression."""
        line, offers = self.line, self._offers()
        wrong: BadFilter | None = None
        try:
            self._parse(line.value)
        except BadFilter as error:
            wrong = error
        here = wrong is not None and bool(offers) and wrong.start <= line.cursor_position <= wrong.end
        typing = here and not done
        if wrong is None or typing:
            line.point_at(None)
            self._say(offers or "Enter keeps the filter, Esc ends it", wrong=False)
        else:
            line.point_at((wrong.start, wrong.end))
            self._say(f"{wrong.what}{_APART}{offers}" if here else str(wrong), wrong=True)
        self.screen.refresh_bindings()  # there may be nothing to complete any more
        return wrong is None

    def _offers(self) -> str:
        """The ways to go on that there is room for."""
        room, said = self.size.width - 4 or 76, ""
        for one in self.line.completions(self.line.value, self.line.cursor_position):
            more = f"{said}{_APART if said else ''}{clean_line(one.text)}"
            if cell_len(more) > room:
                break
            said = more
        return said

    def _say(self, words: str, *, wrong: bool) -> None:
        self.words.set_class(wrong, "-wrong")
        self.words.tell(words)
