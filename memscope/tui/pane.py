"""The base of every pane: its frame (bar, status, keys), the keys that mean the same everywhere, and what changes.

A pane reads the workspace and asks it for things; it computes nothing. What it can do it says by overriding:
`find_words` makes `/` work, `copied` makes `y` work, `exports` makes `e` work, an `action_sort` makes `s` work, and so
on. A key that has no answer here is not shown and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from memscope.base.job import Job
from memscope.reports.view import View as ReportView
from memscope.tui import asking
from memscope.tui.bindings import keys_of
from memscope.tui.clipboard import copy_text
from memscope.tui.colours import Signs, signs_for
from memscope.tui.commands import step_item
from memscope.tui.keys import GLOBAL, key
from memscope.tui.screens import ELSEWHERE
from memscope.tui.widgets.chrome import FindLine, KeyLine, PaneBar, StatusLine
from memscope.tui.workspace import EVERYTHING, Change, Workspace

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

THRESHOLD: Binding = key(
    "threshold", "t", "threshold", "Threshold", "The smallest effect that counts, in nats, for this conversation"
)
WINDOWS: list[Binding] = [
    key("window.previous", "left_square_bracket", "window(-1)", "Window before", "The window before", show=False),
    key("window.next", "right_square_bracket", "window(1)", "Next window", "The next context window", show=False),
    key("item.previous", "left_curly_bracket", "item(-1)", "Item", "The conversation before, in this file", show=False),
    key("item.next", "right_curly_bracket", "item(1)", "Item", "The next conversation of this file", show=False),
]
VERDICTS: Binding = key(
    "verdicts", "V", "verdicts", "Verdicts", "What each memory is to each response: needed, redundant, unused, ..."
)
RETRY: Binding = key("retry", "R", "retry", "Retry", "Score what failed, or was not reached")
SCORING: list[Binding] = [RETRY, VERDICTS]


@dataclass(frozen=True, slots=True)
class Pane:
    """A pane as it is announced: its number key, its name in the bar, and the screen."""

    number: int
    name: str
    screen: Callable[[], PaneScreen]


@dataclass(frozen=True, slots=True)
class Exported:
    """Something a pane can write as JSON and CSV: what it is called, its view, and how it is built (in a thread)."""

    name: str
    view: ReportView[Any, Any]
    build: Callable[[], BaseModel]


@dataclass(frozen=True, slots=True)
class Written:
    """Something a pane can write in forms of its own. `write` is told the form, the file, and whether one that is there
    is replaced, in a thread; it returns what is to be said of it."""

    name: str
    forms: tuple[str, ...]
    write: Callable[[str, Path, bool, Job], str]


@runtime_checkable
class Signed(Protocol):
    """A widget that draws signs; `plain`: none but ASCII."""

    plain: bool


class PaneScreen(Screen[None]):
    """A pane. `HELP` is its help, plain text; widgets may have a `HELP` too."""

    BINDINGS = [*GLOBAL]

    HELP: ClassVar[str] = ""
    NAME: ClassVar[str] = ""
    OF_THE_OPEN: ClassVar[bool] = True
    """Whether it is about the conversation that is open, so that the lines around it tell of that."""

    def compose(self) -> ComposeResult:
        yield PaneBar()
        yield from self.body()
        yield self.find_line()
        yield StatusLine()
        yield KeyLine()

    # What a pane gives.

    def body(self) -> Iterable[Widget]:
        """Its widgets, between the bar and the status line."""
        raise NotImplementedError

    def find_line(self) -> FindLine:
        """The line that `/` opens."""
        return FindLine()

    def changed(self, change: Change) -> None:
        """Something in the workspace changed while the pane is shown; `EVERYTHING` when it comes to be shown. An
        override calls this one first, which sees to the signs."""
        if change.loaded:
            self._dress()

    def arrive(self, hint: str) -> None:
        """Somebody jumped here, with a hint of what for (see `MemscopeApp.go`)."""

    def find_words(self, words: str) -> None:
        """Find, or filter by, words; called with every keystroke, and with nothing when the search is closed."""
        raise NotImplementedError

    def copied(self) -> str | None:
        """What `y` copies now: as it is in the source, not cleaned. None: nothing."""
        raise NotImplementedError

    def exports(self) -> Sequence[Exported | Written]:
        """What `e` offers to write beside a picture of the screen."""
        return []

    @property
    def subject(self) -> str:
        """The title of what it is about, for the name of a file; "" where it is about many."""
        conversation = self.workspace.conversation
        return conversation.title if conversation is not None and self.console.current_mode not in ELSEWHERE else ""

    def inner_back(self) -> bool:
        """Closes something open in the pane (a selection, an overview); False where nothing is."""
        return False

    @property
    def running(self) -> Task | None:
        """What runs, as the status line tells it and `x` stops it."""
        return self.workspace.running

    # What it stands on.

    @property
    def console(self) -> MemscopeApp:
        """The app, by its own type."""
        from memscope.tui.app import MemscopeApp

        assert isinstance(self.app, MemscopeApp)
        return self.app

    @property
    def workspace(self) -> Workspace:
        return self.console.workspace

    @property
    def plain(self) -> bool:
        """Whether signs are to be ASCII alone."""
        return self.workspace.settings.glyphs == "ascii"

    @property
    def signs(self) -> Signs:
        """What to draw with."""
        return signs_for(plain=self.plain)

    def _dress(self) -> None:
        """Gives the widgets signs as the settings have them."""
        for widget in self.query("*"):
            if isinstance(widget, Signed):
                widget.plain = self.plain

    def on_screen_resume(self) -> None:
        self.console.arrived(self)
        self.changed(EVERYTHING)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _OVERRIDDEN:
            return getattr(type(self), _OVERRIDDEN[action]) is not getattr(PaneScreen, _OVERRIDDEN[action], None)
        if action in _OWN:
            return hasattr(self, f"action_{action}")
        if action == "pane":
            return parameters[0] in self.console.pane_numbers
        if action == "cancel":
            return self.running is not None
        if action in ("threshold", "export"):
            return self.workspace.matrix is not None
        if action == "verdicts":
            return self.workspace.run is not None and self.workspace.run.reason is None
        if action == "retry":
            return self.workspace.can_resume
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """A key that means something elsewhere says that it has no answer here."""
        if event.key in self.active_bindings:
            return  # it has one: a key comes by here before what is bound to it is done
        moved = self.workspace.settings.keys
        for binding in (*GLOBAL, RETRY, *WINDOWS):
            if event.key in keys_of(binding, moved):
                self.console.say(self.no_answer(binding.action.partition("(")[0]))

    def no_answer(self, action: str) -> str:
        """What is said where the key of an action that means something elsewhere has no answer here, or none now."""
        bound = any(binding.action.partition("(")[0] == action for _, binding in self._bindings)
        return _NO_ANSWER.get(action, _NO_KEY) if bound else _NO_KEY

    # Keys that mean the same everywhere.

    def action_pane(self, number: int) -> None:
        self.console.go(self.console.pane_numbers[number])

    def action_back(self) -> None:
        if self.query_one(FindLine).close() or self.inner_back():
            return
        self.console.back()

    def action_find(self) -> None:
        self.query_one(FindLine).open()

    def on_find_line_changed(self, event: FindLine.Changed) -> None:
        event.stop()
        self.find_words(event.words)

    def action_copy(self) -> None:
        text = self.copied()
        if text:
            copy_text(self.console, text)
        else:
            self.console.say("there is nothing to copy here")

    def action_export(self) -> None:
        asking.export(self.console, self.exports(), self.NAME, self.subject)

    def action_cancel(self) -> None:
        self.console.cancel()

    def action_engine(self) -> None:
        asking.choose_engine(self.console)

    def action_settings(self) -> None:
        asking.show_settings(self.console)

    def action_help(self) -> None:
        asking.show_help(self.console, self)

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_quit(self) -> None:
        self.console.leave()

    # Keys that several panes have.

    def action_threshold(self) -> None:
        asking.ask_threshold(self.console)

    def action_window(self, by: int) -> None:
        if not self.workspace.step_window(by):
            self.console.say(_NO_ANSWER["window"])

    def action_item(self, by: int) -> None:
        step_item(self.console, by)

    def action_verdicts(self) -> None:
        self.console.screened.start()

    def action_retry(self) -> None:
        if not self.workspace.resume():
            self.console.say(_NO_ANSWER["retry"])


_NO_KEY = "nothing here answers this key"
_NO_ANSWER = {
    "cancel": "nothing runs",
    "retry": "nothing is missing",
    "window": "there is no other context window on that side",
    "item": "there is no other conversation on that side",
    "undo": "there is nothing to undo here",
    "mark": "there is nothing to mark here",
    "sort": "there is nothing to sort here",
    "copy": "there is nothing to copy here",
    "export": "there is nothing to export yet",
    "pane": "there is no such pane",
}
_OVERRIDDEN = {"find": "find_words", "copy": "copied"}  # actions that a pane has by overriding something
_OWN = frozenset({"deeper", "find_next", "find_previous", "sort", "mark", "undo"})  # that it has by defining them
