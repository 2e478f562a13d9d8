"""The lines around a pane: which panes there are, what runs, which keys act here, and what is searched for."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.dom import DOMNode
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Label

from memscope.base.cells import beginning
from memscope.tui.keys import GLOBAL
from memscope.tui.widgets.line_input import CleanInput

_NEXT_PART = "app.focus_next"  # the toolkit's own, on Tab
_PLAIN = str.maketrans({"…": "~", "·": "-"})


def _signs(text: str, *, plain: bool) -> str:
    """A line as it is drawn; `plain`: its own signs in ASCII, each as wide as it was."""
    return text.translate(_PLAIN) if plain else text


class PaneBar(Widget):
    """The panes by number, the one that is shown by name, and what is open. When narrow, the others are digits."""

    DEFAULT_CSS = "PaneBar { height: 1; background: $panel; color: $text-muted; }"

    panes: reactive[tuple[tuple[int, str], ...]] = reactive(())
    active: reactive[int] = reactive(0)
    elsewhere: reactive[str] = reactive("")  # what is shown where it is no pane of these
    what: reactive[str] = reactive("")
    where: reactive[str] = reactive("")
    badge: reactive[str] = reactive("")  # what holds for every number that is shown
    plain: reactive[bool] = reactive(False)

    class Picked(Message):
        """A click on a pane."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    _PLACES: tuple[tuple[int, int, int], ...] = ()  # start, end, pane number

    def on_resize(self) -> None:
        self.refresh()

    def render(self) -> Text:
        narrow = self.size.width < 100
        text, places = Text(no_wrap=True), []
        if self.elsewhere:
            text.append(f" {self.elsewhere} ", Style(bold=True, reverse=True))
        for number, name in self.panes:
            here = number == self.active
            words = f" {number} {name} " if here or not narrow else f" {number} "
            places.append((cell_len(text.plain), cell_len(text.plain) + len(words), number))
            text.append(words, Style(bold=True, reverse=True) if here else None)
        self._PLACES = tuple(places)
        badge = f" {self.badge} " if self.badge else ""
        room = self.size.width - cell_len(text.plain + badge) - 2
        if room > 8:  # the title gives way first: where in it one is, and the engine, are known from nowhere else
            where = f" · {self.where}" if self.what and self.where else self.where
            what = beginning(self.what, max(0, room - cell_len(where)))
            shown = beginning(what + where, room)
            text.append(" " * (1 + room - cell_len(shown)) + _signs(shown, plain=self.plain))
        if badge and (gap := self.size.width - cell_len(text.plain + badge)) >= 0:
            text.append(" " * gap).append(badge, Style(bold=True, reverse=True))
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
    plain: reactive[bool] = reactive(False)

    def on_resize(self) -> None:
        self.refresh()

    def render(self) -> Text:
        width = self.content_size.width
        right = self.progress if cell_len(self.progress) <= width else set_cell_size(self.progress, width)
        room = width - cell_len(right) - (2 if right else 0)
        left = self.said if cell_len(self.said) <= room else set_cell_size(self.said, max(0, room - 1)).rstrip() + "…"
        left = left if room > 3 else ""
        gap = " " * max(0, width - cell_len(left) - cell_len(right))
        left, right = _signs(left, plain=self.plain), _signs(right, plain=self.plain)
        return Text(no_wrap=True).append(left).append(gap).append(right, Style(bold=True))


class KeyLine(Widget):
    """The keys that act here, as many as fit: what stops something that runs, the pane's own, what leads to its next
    part, then those of all panes. A click on one is the key."""

    DEFAULT_CSS = "KeyLine { height: 1; background: $panel; color: $text-muted; }"

    _PLACES: tuple[tuple[int, int, str, DOMNode], ...] = ()  # start, end, action, whose
    _parts = 0  # of the pane, that Tab leads to

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())
        self.screen.screen_layout_refresh_signal.subscribe(self, lambda _: self._laid_out())

    def _laid_out(self) -> None:
        """A part may have been shown or hidden, of which nobody else tells."""
        if self._parts != len(self.screen.focus_chain):
            self.refresh()

    def on_resize(self) -> None:
        self.refresh()

    def render(self) -> Text:
        width, text, places = self.size.width, Text(no_wrap=True), []
        acting = self._acting()
        last = [active for active in acting if active.binding.id == "help"]
        reserved = sum(self._cells(active.binding) for active in last)
        for active in [*(active for active in acting if active not in last), *last]:
            binding = active.binding
            room = width - cell_len(text.plain) - (0 if active in last else reserved)
            if self._cells(binding) > room:
                continue
            start = cell_len(text.plain)
            text.append(f" {self._shown(binding)} ", Style(bold=True)).append(f"{binding.description} ")
            places.append((start, cell_len(text.plain), binding.action, active.node))
        self._PLACES = tuple(places)
        return text

    def _acting(self) -> list[ActiveBinding]:
        """One binding an action, in the order in which they are shown."""
        own: dict[str, ActiveBinding] = {}
        common: dict[str, ActiveBinding] = {}
        shared = {binding.id for binding in GLOBAL}
        acting = self.screen.active_bindings
        for active in acting.values():
            binding = active.binding
            if binding.show and active.enabled:
                (common if binding.id in shared else own).setdefault(binding.action, active)
        stop, tab = common.pop("cancel", None), acting.get("tab")
        part: list[ActiveBinding] = []
        self._parts = len(self.screen.focus_chain)
        if self._parts > 1 and not self.screen.is_modal and tab is not None and tab.binding.action == _NEXT_PART:
            part = [tab._replace(binding=replace(tab.binding, description="Next part"))]
        return [*([stop] if stop is not None else []), *own.values(), *part, *common.values()]

    def _shown(self, binding: Binding) -> str:
        return self.app.get_key_display(binding)

    def _cells(self, binding: Binding) -> int:
        return cell_len(self._shown(binding)) + cell_len(binding.description) + 3

    async def on_click(self, event: events.Click) -> None:
        for start, end, action, node in self._PLACES:
            if start <= event.x < end:
                await self.app.run_action(action, node)
                return


class FindLine(Horizontal):
    """One line to type what is searched for; hidden until `/`. Enter keeps the search, Esc ends it."""

    DEFAULT_CSS = """
    FindLine { height: 1; display: none; background: $surface; }
    FindLine Label { width: auto; color: $text-accent; padding: 0 1; }
    FindLine CleanInput, FindLine CleanInput:focus { padding: 0; background: $surface; }
    """

    class Changed(Message):
        """The words that are searched for; none when the search has ended."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    _back_to: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Label(Content("/"))
        yield CleanInput(placeholder="words; Enter keeps, Esc ends", id="find")

    def open(self) -> None:
        """Asks for words; what had the focus gets it back."""
        line = self.query_one(CleanInput)
        if self.screen.focused is not line:
            self._back_to = self.screen.focused
        self.display = True
        line.focus()

    def close(self) -> bool:
        """Ends the search; False where there was none."""
        if not self.display:
            return False
        self.query_one(CleanInput).value = ""
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
