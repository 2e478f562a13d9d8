"""The lines around a pane: which panes there are, what runs, which keys act here, and what is searched for."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Label

from memscope.tui.keys import GLOBAL


class PaneBar(Widget):
    """The panes by number, the one that is shown by name, and what is open. When narrow, the others are digits."""

    DEFAULT_CSS = "PaneBar { height: 1; background: $panel; color: $text-muted; }"

    panes: reactive[tuple[tuple[int, str], ...]] = reactive(())
    active: reactive[int] = reactive(0)
    what: reactive[str] = reactive("")

    class Picked(Message):
        """A click on a pane."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    _PLACES: tuple[tuple[int, int, int], ...] = ()  # start, end, pane number

    def render(self) -> Text:
        narrow = self.size.width < 100
        text, places = Text(no_wrap=True), []
        for number, name in self.panes:
            here = number == self.active
            words = f" {number} {name} " if here or not narrow else f" {number} "
            places.append((cell_len(text.plain), cell_len(text.plain) + len(words), number))
            text.append(words, Style(bold=True, reverse=True) if here else None)
        self._PLACES = tuple(places)
        room = self.size.width - cell_len(text.plain) - 2
        if room > 8:
            what = self.what if cell_len(self.what) <= room else set_cell_size(self.what, room - 1).rstrip() + "…"
            text.append(" " * (room - cell_len(what)) + " " + what)
        return text

    def on_click(self, event: events.Click) -> None:
        for start, end, number in self._PLACES:
            if start <= event.x < end:
                self.post_message(self.Picked(number))


class StatusLine(Widget):
    """What is going on, on the left; how far it is, on the right."""

    DEFAULT_CSS = """
    StatusLine { height: 1; background: $surface; color: $text-muted; padding: 0 1; }
    StatusLine.-warning { color: $text-warning; }
    StatusLine.-error { color: $text-error; }
    """

    said: reactive[str] = reactive("")
    progress: reactive[str] = reactive("")

    def render(self) -> Text:
        width = self.content_size.width
        right = self.progress if cell_len(self.progress) <= width else set_cell_size(self.progress, width)
        room = width - cell_len(right) - (2 if right else 0)
        left = self.said if cell_len(self.said) <= room else set_cell_size(self.said, max(0, room - 1)).rstrip() + "…"
        gap = " " * max(0, width - cell_len(left) - cell_len(right))
        return Text(no_wrap=True).append(left if room > 3 else "").append(gap).append(right, Style(bold=True))


class KeyLine(Widget):
    """The keys that act here, the pane's own first, as many as fit. A click on one is the key."""

    DEFAULT_CSS = "KeyLine { height: 1; background: $panel; color: $text-muted; }"

    _PLACES: tuple[tuple[int, int, str], ...] = ()  # start, end, action

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Text:
        width, text, places = self.size.width, Text(no_wrap=True), []
        help_binding = next((b for b in self._acting() if b.id == "help"), None)
        kept = [b for b in self._acting() if b.id != "help"]
        reserved = self._cells(help_binding) if help_binding else 0
        for binding in [*kept, *([help_binding] if help_binding else [])]:
            room = width - cell_len(text.plain) - (0 if binding is help_binding else reserved)
            if self._cells(binding) > room:
                continue
            start = cell_len(text.plain)
            text.append(f" {self._shown(binding)} ", Style(bold=True)).append(f"{binding.description} ")
            places.append((start, cell_len(text.plain), binding.action))
        self._PLACES = tuple(places)
        return text

    def _acting(self) -> list[Binding]:
        """One binding an action: the pane's and the focused widget's own, then those of all panes."""
        own: dict[str, Binding] = {}
        common: dict[str, Binding] = {}
        shared = {binding.id for binding in GLOBAL}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled:
                (common if binding.id in shared else own).setdefault(binding.action, binding)
        return [*own.values(), *common.values()]

    def _shown(self, binding: Binding) -> str:
        return self.app.get_key_display(binding)

    def _cells(self, binding: Binding) -> int:
        return cell_len(self._shown(binding)) + cell_len(binding.description) + 3

    async def on_click(self, event: events.Click) -> None:
        for start, end, action in self._PLACES:
            if start <= event.x < end:
                await self.screen.run_action(action)


class FindLine(Horizontal):
    """One line to type what is searched for; hidden until `/`. Enter keeps the search, Esc ends it."""

    DEFAULT_CSS = """
    FindLine { height: 1; display: none; background: $surface; }
    FindLine Label { width: auto; color: $text-accent; padding: 0 1; }
    FindLine Input { height: 1; border: none; padding: 0; background: $surface; }
    """

    class Changed(Message):
        """The words that are searched for; none when the search has ended."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    _back_to: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Label(Content("/"))
        yield Input(placeholder="words; Enter keeps, Esc ends", id="find")

    def open(self) -> None:
        """Asks for words; what had the focus gets it back."""
        self._back_to = self.screen.focused
        self.display = True
        self.query_one(Input).focus()

    def close(self) -> bool:
        """Ends the search; False where there was none."""
        if not self.display:
            return False
        self.query_one(Input).value = ""
        self.display = False
        self._give_back()
        self.post_message(self.Changed(""))
        return True

    def _give_back(self) -> None:
        if self._back_to is not None and self._back_to.is_attached:
            self._back_to.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Changed(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            self.close()
        self._give_back()
