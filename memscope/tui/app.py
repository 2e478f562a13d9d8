"""The app: panes by number, what is common to them, and the clock that brings results to the screen."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.notifications import Notification, Notify, SeverityLevel
from textual.timer import Timer

from memscope.actions.kept import Kept
from memscope.actions.open import Opened, Opening
from memscope.base.errors import MemscopeError
from memscope.base.plugins import members
from memscope.base.settings import Resolved, Settings, adopted
from memscope.base.text import clean_line, counted
from memscope.conversation.unreadable import unreadable
from memscope.tui import asking, panes
from memscope.tui.background import Task
from memscope.tui.batches import Batches
from memscope.tui.dialogs.dialog import Dialog
from memscope.tui.keys import key
from memscope.tui.look import look, plain_key
from memscope.tui.palette import MemscopeCommands
from memscope.tui.pane import Pane, PaneScreen
from memscope.tui.progress import progress_words
from memscope.tui.screening import Screened
from memscope.tui.screens import BATCH, ELSEWHERE, SCREENS, SESSION, SESSIONS, START, ToRead
from memscope.tui.type_ahead import Answered, TypeAhead
from memscope.tui.whatif import WhatIfs
from memscope.tui.widgets.chrome import PaneBar, StatusLine
from memscope.tui.workspace import BATCH_GROUP, Change, Workspace

if TYPE_CHECKING:
    from memscope.actions.cost import Estimate
    from memscope.sessions.facts import Evidence
    from memscope.sessions.ranked import Place

RATE = 20  # times a second that results are brought to the screen
_SHOWN = 6.0  # seconds a message stands in the status line
_TRAIL = 50


class MemscopeApp(App[None]):
    """The console. `first`: what to show: an `Opening` that is still to be loaded (by `load`, where somebody has begun
    with it), or what is `Opened`; None: offer recent conversations, or the sessions of a `folder`."""

    TITLE = "memscope"
    CSS_PATH = "app.tcss"
    COMMANDS = {MemscopeCommands}
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    BINDINGS = [key("suspend", "ctrl+z", "suspend_process", "Suspend", "Back to the shell; fg returns", show=False)]

    def __init__(
        self,
        resolved: Resolved,
        kept: Kept,
        first: Opening | Opened | None = None,
        load: Callable[[], Opened] | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.resolved, settings = resolved, resolved.settings
        self.workspace = Workspace(settings, kept, self._tell)
        self.screened = Screened(self.workspace, self.say, self.tell_error)
        self.what_ifs = WhatIfs(self.workspace)
        show = partial(self.go, BATCH)
        self.batches = Batches(self.workspace, self.say, show, self._ask_batch, partial(asking.ask_sure, self))
        self.to_read: ToRead | None = None
        self.type_ahead = TypeAhead(self, super().on_event)
        self.panes: dict[str, Pane] = {
            pane.name.lower(): pane for pane in sorted(members(panes, "PANE").values(), key=lambda pane: pane.number)
        }
        self.pane_numbers = {pane.number: name for name, pane in self.panes.items()}
        self._first, self._load, self.folder = first, load, folder
        self._trail: list[tuple[str, str | None, int | None]] = []
        self._hint: str | None = None
        self._shown: PaneScreen | None = None
        self._clock: Timer
        self._said_at = 0.0
        self._said = ("", "")
        self._places = {name: pane.screen for name, pane in self.panes.items()} | SCREENS
        for name, screen in self._places.items():
            self.add_mode(name, screen)
        self.set_keymap(settings.keys)
        state = kept.state("console")
        self.theme = self._known_theme(settings.theme) or self._known_theme(state.get("theme")) or self.theme
        self._first_pane = next(iter(self.panes))

    def _known_theme(self, name: object) -> str | None:
        return name if isinstance(name, str) and name in self.available_themes else None

    def on_mount(self) -> None:
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread, or not on this system
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.leave)  # the terminal is left clean
        look(self, self.resolved.settings)
        self.theme_changed_signal.subscribe(self, lambda _: look(self, self.resolved.settings))
        self._clock = self.set_interval(1 / RATE, self._tick, pause=True)
        self.workspace.background.ring, self.workspace.background.begun = self._ring, self._clock.resume
        if (trouble := self.workspace.kept.trouble) is not None:
            self.notify(clean_line(f"nothing is kept: {trouble}"), severity="warning", markup=False, timeout=10)
        if isinstance(self._first, Opened):
            self.workspace.show(self._first, start=False)  # scored once it is on the screen
        elif self._first is not None:
            self.workspace.open(self._first, self._load)
        without = START if self.folder is None else SESSIONS
        self.switch_mode(self._pane_left if self._first is not None else without)

    @property
    def _pane_left(self) -> str:
        """The pane in which the conversation was looked at last; the first where it never was."""
        left = self.workspace.view.pane
        return left if left in self.panes else self._first_pane

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste):
            if not self.is_running:
                return  # the screens are being taken down, and a key would look for the one it is for
            if not event.is_forwarded:
                await self.type_ahead.take(event)
                return
        await super().on_event(event)

    async def on_answered(self, message: Answered) -> None:
        if self.is_running:
            await self.type_ahead.answered(message)

    # What changes.

    @property
    def pane(self) -> PaneScreen | None:
        """The pane on the screen, also when a dialog stands over it."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, PaneScreen)), None)

    def _tell(self, change: Change) -> None:
        if not self.is_running:
            return
        self.screened.keep_up()
        if change.loaded and self._first_pane == self.current_mode != self._pane_left and not self._trail:
            self.switch_mode(self._pane_left)  # nobody has gone anywhere while it was being loaded
        if change.error is not None:
            self.tell_error(change.error)
        if change.ask is not None and not isinstance(self.screen, Dialog):  # else it is told in the status line
            asking.ask_cost(self, change.ask, change.go_on)
        if self.pane is None or self.pane is not self._shown:
            return  # a pane that comes to be shown looks at everything
        self.pane.changed(change)
        self._dress(self.pane)
        if change.phase:
            self.pane.refresh_bindings()

    def arrived(self, pane: PaneScreen) -> None:
        """A pane has come to be shown."""
        if self._shown is None:
            pane.call_after_refresh(self._on_first_paint)
        self._shown = pane
        self._dress(pane)
        if self._hint is not None:
            hint, self._hint = self._hint, None
            pane.call_after_refresh(pane.arrive, hint)

    def _on_first_paint(self) -> None:
        gc.freeze()
        gc.enable()
        if self.workspace.phase == "idle":
            self.workspace.start()
        if left := self.batches.unfinished:
            self.say(f"a batch of {counted(left, 'session')} was stopped; : Resume the batch goes on")

    def call_soon(self, callback: Callable[..., Any], *arguments: Any) -> None:
        """For working threads: calls back in the screen's thread. The screen may be gone, which is no matter."""
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(partial(self._if_running, callback, *arguments))

    def _if_running(self, callback: Callable[..., Any], *arguments: Any) -> None:
        if not self.is_running:
            return
        with self._context():
            try:
                callback(*arguments)
            except Exception as bug:  # the loop would only log it; here it ends the console, and is shown
                self._handle_exception(bug)

    def _ring(self, ended: Task) -> None:
        self.call_soon(self._tick, ended)  # behind all that the thread has told before it ended

    def _tick(self, ended: Task | None = None) -> None:
        if not self.is_running:
            return  # the panes are being taken down, and what has ended has nowhere to be shown
        self.workspace.tick(ended) if ended is not None else self.workspace.take_in()
        if self._said[0] and time.monotonic() - self._said_at > _SHOWN:
            self._said = ("", "")
        if self.pane is not None:
            self._dress(self.pane)
        if not self.workspace.background.busy and not self._said[0]:
            self._clock.pause()

    def refresh_chrome(self) -> None:
        """Brings the lines around the pane up to date."""
        if self.pane is not None:
            self._dress(self.pane)

    def _dress(self, pane: PaneScreen) -> None:
        """The lines around a pane."""
        bars = pane.query(PaneBar)
        if not bars:
            return
        bar, status = bars.first(), pane.query_one(StatusLine)
        bar.panes = tuple((p.number, p.name) for p in self.panes.values())
        bar.active = next((p.number for name, p in self.panes.items() if name == self.current_mode), 0)
        bar.elsewhere = "" if bar.active else pane.NAME
        conversation = self.workspace.conversation if pane.OF_THE_OPEN else None
        bar.what = clean_line(conversation.title or "untitled") if conversation is not None else ""
        bar.where = self.place_words() if pane.OF_THE_OPEN else ""
        bar.badge = self.workspace.settings.compat
        status.progress = self._progress_words()
        words, severity = self._said
        status.said = words or (self.state_words() if pane.OF_THE_OPEN or self.workspace.trouble is not None else "")
        trouble = severity or ("error" if self.workspace.trouble and not words else "")
        status.set_class(trouble == "error", "-error")
        status.set_class(trouble == "warning", "-warning")

    def _progress_words(self) -> str:
        space, running = self.workspace, self.pane.running if self.pane is not None else None
        if running is None:
            return ""
        seconds, job = time.monotonic() - running.began, running.job
        found, in_flight = job.tally("known" if running.group == BATCH_GROUP else "found"), job.tally("in flight")
        words = progress_words(running.name, running.progress, seconds, found=found, in_flight=in_flight)
        failed = len(space.run.failed()) if space.run is not None and space.phase == "running" else 0
        return f"{words} · {failed} failed" if failed else words

    def place_words(self) -> str:
        """Which item and window where there is a choice, and the engine."""
        conversation = self.workspace.conversation
        if conversation is None:
            return ""
        said, source = [""], conversation.source
        if source is not None and conversation.items > 1:
            said.append(f"conversation {source.item + 1} of {conversation.items}")
        if source is not None and conversation.windows > 1:
            said.append(f"window {source.window + 1} of {conversation.windows}")
        if self.workspace.scorer is not None:
            said.append(self.workspace.scorer.engine.capabilities.label)
        return clean_line(" · ".join(filter(None, said)))

    def state_words(self) -> str:
        """What the state of the run is, in a line; what went wrong, and what to do."""
        space = self.workspace
        if space.trouble is not None:
            return clean_line(str(space.trouble))
        if space.scorer is not None and space.scorer.trouble:
            return clean_line(f"scores are not being kept: {space.scorer.trouble}")
        words = clean_line(space.state_words())  # a server's words may be among them
        return f"{words} · nothing is kept" if space.kept.database is None and space.kept.trouble else words

    def get_key_display(self, binding: Binding) -> str:
        shown = super().get_key_display(binding)
        return plain_key(shown) if self.resolved.settings.glyphs == "ascii" else shown

    # Saying.

    def say(self, words: str, severity: str = "") -> None:
        """A message in the status line, for some seconds. `severity`: "", "warning" or "error"."""
        words = clean_line(words)
        self._said, self._said_at = (words, severity), time.monotonic()
        if cell_len(words) > self.size.width - 2:
            self._pop_up(words, "information", _SHOWN)
        if self.is_running and self.pane is not None:
            self._dress(self.pane)
            self._clock.resume()

    def tell_error(self, error: MemscopeError) -> None:
        """What went wrong, to what, and what to do."""
        self._pop_up(clean_line(str(error)), "error", 10)

    def _pop_up(self, words: str, severity: SeverityLevel, seconds: float) -> None:
        """A message over the screen; the same words are not there twice at a time."""
        name = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
        self.post_message(Notify(Notification(words, "", severity, seconds, markup=False, identity=name)))

    # Going.

    def go(
        self,
        name: str,
        *,
        memory: str | None = None,
        response: int | None = None,
        hint: str | None = None,
        remember: bool = True,
    ) -> None:
        """Shows a pane, pointed at a memory or a response; `back` returns. `hint` is for its `arrive`."""
        space = self.workspace
        if remember and (name != self.current_mode or (memory, response) != (None, None)):
            here = (None, None) if self.current_mode in ELSEWHERE else (space.memory, space.response)
            self._trail = [*self._trail[-_TRAIL:], (self.current_mode, *here)]
        if memory is not None or response is not None:
            space.select(memory=memory, response=response)
        self._hint = hint
        if name in self.panes and name not in ELSEWHERE:
            self.workspace.at(name)
        if name == self.current_mode:
            if self.pane is not None:
                self.arrived(self.pane)
        else:
            self._said = ("", "")
            self.switch_mode(name)

    def back(self) -> None:
        """To the pane, memory and response one was at before; at the end of the way, to the conversations there are."""
        if not self._trail:
            if self.current_mode != START:
                self.switch_mode(START)
            elif self.workspace.conversation is not None:
                self.go(self._pane_left, remember=False)
            return
        name, memory, response = self._trail.pop()
        if memory is not None or response is not None:
            self.workspace.select(memory=memory, response=response)
        if name != self.current_mode and name in self._places:
            if name in self.panes and name not in ELSEWHERE:
                self.workspace.at(name)
            self.switch_mode(name)

    def on_pane_bar_picked(self, event: PaneBar.Picked) -> None:
        self.go(self.pane_numbers[event.number])

    def open(self, opening: Opening, pane: str | None = None, response: int | None = None) -> None:
        """Loads another conversation, and shows it in a `pane` (None: the one there is, the first where it is about
        others); `response`: at the response nearest to this message. The way through the one before is forgotten. Where
        the file is gone all stays as it is."""
        try:
            opening.path.stat()
        except OSError as error:
            self.tell_error(unreadable(error, opening.path))
            return
        self._trail = [step for step in self._trail if step[0] in ELSEWHERE]
        self.workspace.open(opening, response=response)
        if pane is not None or self.current_mode in ELSEWHERE:
            self.go(pane or self._first_pane)

    def read_session(self, place: Place, evidence: Evidence | None = None, title: str = "") -> None:
        """Shows a session's transcript, at the evidence; `title`: what leads there. `back` returns."""
        self.to_read = ToRead(place, evidence, title)
        self.go(SESSION, hint="read")

    def _ask_batch(self, estimate: Estimate, go_on: Callable[[], object]) -> None:
        if not isinstance(self.screen, Dialog):  # else it is told where the batch is
            asking.ask_cost(self, estimate, go_on, "Score these sessions?")

    def use(self, settings: Settings) -> None:
        """Goes on with other settings."""
        self.resolved = adopted(self.resolved, settings)
        if theme := self._known_theme(settings.theme):
            self.theme = theme
        self.set_keymap(settings.keys)
        look(self, settings)
        self.workspace.use(settings)

    def cancel(self) -> None:
        if not self.workspace.cancel():
            self.say("nothing runs")

    async def action_quit(self) -> None:
        """ctrl+q, which the toolkit binds before all else: in a dialog it quits too."""
        self.leave()

    def leave(self) -> None:
        """Quits at once: threads are daemons, what landed is on disk; decisions on their way there are waited for."""
        self.workspace.kept.keep("console", {"theme": self.theme})
        lost = self.workspace.background.stop()
        self.workspace.kept.close()
        self.exit(message=Text(clean_line(f"memscope: not kept: {lost[0]}")) if lost else None)
