"""The Sessions pane: every session below some folders in the order of what it is worth, and why it is there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from memscope.actions.open import Opening
from memscope.actions.sessions import Ranking, begun_filter, complete_filter, parse_filter
from memscope.base.clock import now
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.text import counted
from memscope.reports.sessions import SESSIONS, sessions_document
from memscope.tui.keys import key
from memscope.tui.pane import Exported, PaneScreen
from memscope.tui.panes.sessions.detail import SessionDetail, ToRow, ToText
from memscope.tui.panes.sessions.filter_line import FilterLine
from memscope.tui.panes.sessions.help import HELP
from memscope.tui.panes.sessions.scanning import Scanning
from memscope.tui.panes.sessions.table import SessionTable, columns_of, order_words
from memscope.tui.panes.sessions.told import (
    Hop,
    Shown,
    can_be_scored,
    head_words,
    no_place,
    scanned_words,
    why_empty,
    why_none,
    why_unscored,
)
from memscope.tui.widgets.chrome import FindLine
from memscope.tui.widgets.line_input import FileNames, expanded
from memscope.tui.widgets.table import Table
from memscope.tui.widgets.words import Words
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.sessions.ranked import Place, RankedSession
    from memscope.tui.background import Task

_KEPT = "sessions"  # the name under which it is kept how the pane was looked at


class SessionsScreen(PaneScreen):
    """See the module."""

    NAME = "Sessions"
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        key("sessions.read", "v", "read", "Read", "Read the session's transcript, without opening it to score"),
        key("sessions.matrix", "b", "batch('matrix')", "Score", "Score the marked sessions one after another, or this"),
        key("sessions.finetune", "f", "batch('finetune')", "Fine-tune", "The same, for what is worth training on"),
        key("sessions.memories", "m", "memories", "Memories", "Only sessions that can be scored, or all"),
        key("sessions.copies", "c", "copies", "Copies", "Show copies and sub-agents too, or not", show=False),
        key("sessions.mark_all", "a", "mark_all", "Mark all", "Mark all that are shown, or none", show=False),
        key("sessions.folder", "o", "folder", "Folder", "Scan another folder"),
        key("sessions.rescan", "R", "rescan", "Rescan", "Scan again: what changed is read", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._scanning: Scanning | None = None
        self._ranking: Ranking | None = None
        self._shown = Shown()
        self._folders: tuple[Path, ...] = ()  # those a person chose; none: those of the settings
        self._coming: Ranking | None = None  # to be shown once the pane is
        self._at_the_top: Place | None = None
        self._pointed = False
        self._hop: Hop | None = None  # the latest jump from row to row
        self._due = False

    def body(self) -> Iterable[Widget]:
        yield Words(id="sessions-words")
        yield Container(
            SessionTable(identity=lambda row: row.place, id="sessions-table"),
            SessionDetail(id="session"),
            id="sessions",
        )

    def find_line(self) -> FindLine:
        return FilterLine(parse_filter, begun_filter, lambda text, at: complete_filter(text, at, self.table.rows))

    @property
    def table(self) -> SessionTable:
        return self.query_one(SessionTable)

    @property
    def detail(self) -> SessionDetail:
        return self.query_one(SessionDetail)

    @property
    def _row(self) -> RankedSession | None:
        return self.table.selected

    # Coming here.

    def on_mount(self) -> None:
        kept = self.workspace.kept.state(_KEPT)
        folder, sort, earlier = kept.get("folder"), kept.get("sort"), kept.get("filters")
        if self.console.folder is not None:
            self._folders = (self.console.folder,)
        elif isinstance(folder, str) and folder:
            self._folders = (Path(folder),)
        self._shown = Shown(copies=kept.get("copies") is True, memories=kept.get("memories") == self._folder)
        if isinstance(sort, str):
            self.table.sort_as(sort)
        if isinstance(earlier, list):
            self.query_one(FilterLine).line.earlier = [words for words in earlier if isinstance(words, str)]
        self._filter()

    def changed(self, change: Change) -> None:
        super().changed(change)
        if not self.query(SessionDetail):
            return
        if change.loaded:
            if self._scanning is None:
                self._scanning = Scanning(self.console, self._found, self._not_found)
                self.action_rescan()
            elif self._coming is not None:
                self._found(self._coming)
            if self.focused is None:
                self.table.focus()
        if change.phase and self._scanning is not None and self._ranking is not None:
            self._scanning.look_again(self._ranking)

    # What is scanned.

    def action_rescan(self) -> None:
        """Scans the folders: of what has not changed nothing is read."""
        if self._scanning is not None:
            self.table.empty = "The folders are being scanned.\nx cancels; what was found by then stays."
            self._scanning.start(self._folders)
            self._head()
            self.refresh_bindings()

    def _found(self, ranking: Ranking) -> None:
        if not self.is_current:
            self._coming = ranking
            return
        self._coming, self._ranking = None, ranking
        table = self.table
        table.empty = why_empty(ranking, bool(self._folders))
        table.show(columns_of(ranking), ranking.rows)
        if not self._pointed:
            table.move_to(0)
            self._at_the_top = self._row.place if self._row is not None else None
        table.hidden = why_none(self._shown, ranking)
        self._head()
        self._detail_due()
        if ranking.scan is not None:
            self.console.say(scanned_words(ranking.scan))
            if self._scanning is not None:
                self._scanning.look_again(ranking)  # a batch may have scored some meanwhile
            self.refresh_bindings()

    def _not_found(self, error: MemscopeError) -> None:
        stopped = isinstance(error, Cancelled)
        if not self.table.rows:
            self.table.empty = "The folders were not scanned to the end.\nR scans again." if stopped else str(error)
        if stopped:
            self.console.say("the scan was stopped; R goes on, and reads nothing twice")
        else:
            self.console.tell_error(error)
        self._head()
        self.refresh_bindings()

    @property
    def running(self) -> Task | None:
        return (self._scanning.task if self._scanning is not None else None) or super().running

    @property
    def _folder(self) -> str:
        """The folder that is scanned, as it is kept; "" where those of the settings are."""
        return os.fspath(self._folders[0]) if self._folders else ""

    def _head(self) -> None:
        looking = self._scanning is None or self._scanning.task is not None
        said = head_words(self._ranking, self._folders, self._shown, self.table.row_count, looking=looking)
        self.query_one("#sessions-words", Words).tell(said)

    # Which rows.

    def _filter(self) -> None:
        """Shows the rows that are asked for."""
        table = self.table
        table.hidden = why_none(self._shown, self._ranking)
        table.filter(self._shown.wanted, self._shown.words)
        self._head()

    def find_words(self, words: str) -> None:
        self._look(replace(self._shown, words=words))

    def action_memories(self) -> None:
        self._look(replace(self._shown, memories=not self._shown.memories))
        self.console.say("only what can be scored" if self._shown.memories else "what cannot be scored too")

    def action_copies(self) -> None:
        self._look(replace(self._shown, copies=not self._shown.copies))
        self.console.say("copies and sub-agents too" if self._shown.copies else "each session once")

    def _look(self, shown: Shown) -> None:
        self._shown = shown
        self._filter()
        self._keep()

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        self._keep()
        self.console.say(order_words(self.table.sort))

    def _keep(self) -> None:
        state = {
            "folder": self._folder if self.console.folder is None else "",
            "sort": self.table.order,
            "copies": self._shown.copies,
            "memories": self._folder if self._shown.memories else None,  # of another folder others are looked at
            "filters": self.query_one(FilterLine).line.earlier,
        }
        self.workspace.kept.keep(_KEPT, state)

    # The session under the cursor.

    def _detail_due(self) -> None:
        """Once, after the table is painted: a held key goes by many sessions."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._show_detail)

    def _show_detail(self) -> None:
        self._due = False
        self.detail.show_session(self._row, now(), place=bool(self.table.rows))

    def on_line_scroll_moved(self, event: Table.Moved) -> None:
        if event.lines is not self.table:
            return
        row = self._row
        if row is not None and row.place != self._at_the_top:
            self._pointed = True
        self._detail_due()

    def on_line_scroll_chosen(self, event: Table.Chosen) -> None:
        event.lines.focus()
        self._follow() if event.lines is self.detail else self.action_deeper()

    # Going on from here.

    def action_deeper(self) -> None:
        """Loads the session as the conversation."""
        row = self._row
        if row is None:
            return
        if row.facts is None:
            self.console.say(f"there is nothing to open: {row.error}", "warning")
            return
        self.console.open(Opening(Path(row.path), item=row.item))

    def _follow(self) -> None:
        """To where the line of the detail leads."""
        row, goal = self._row, self.detail.goal
        if row is not None and isinstance(goal, ToText):
            self.console.read_session(row.place, goal.evidence, self.detail.label)
        elif row is not None and isinstance(goal, ToRow):
            self._go_to(goal.place, row.place)
        else:
            self.console.say("nothing here leads anywhere; Esc goes back to the table")

    def _go_to(self, place: Place, origin: Place) -> None:
        """The cursor to another row; where it is hidden, everything is shown until a person comes back."""
        before, table = self._shown, self.table
        if not table.select(place):
            if not any(row.place == place for row in table.rows):
                self.console.say("it is not in these folders any more; R scans again")
                return
            self._look_again(Shown(copies=True))
            table.select(place)
            self.console.say("all rows are shown, that one is hidden otherwise; Esc leads back")
        self._hop = Hop(place, origin, before)
        table.focus()

    def _hop_back(self) -> bool:
        """Back from the row that one jumped to; False where one did not, or has gone on since."""
        hop, self._hop = self._hop, None
        if hop is None or self._row is None or self._row.place != hop.place:
            return False
        if self._shown != hop.shown:
            self._look_again(hop.shown)
        return self.table.select(hop.origin)

    def _look_again(self, shown: Shown) -> None:
        """Shows what is asked for, in the line too."""
        self._look(shown)
        self.query_one(FilterLine).put(shown.words)

    def action_read(self) -> None:
        row = self._row
        if row is None or row.facts is None:
            self.console.say("there is nothing to read here")
        else:
            self.console.read_session(row.place, None)

    def action_back(self) -> None:
        """From the detail to the table, and from a row to where one jumped from, before the filter ends."""
        if self.detail.has_focus:
            self.table.focus()
        elif not (self.table.has_focus and self._hop_back()):
            super().action_back()

    def inner_back(self) -> bool:
        return self.table.unmark()

    # Several at once.

    @property
    def _taken(self) -> list[RankedSession]:
        """The marked rows, or the one under the cursor."""
        return self.table.marked or [row for row in (self._row,) if row is not None]

    def action_mark(self) -> None:
        self.table.toggle_mark()

    def action_mark_all(self) -> None:
        table = self.table
        shown = {row.place for row in table.shown}
        if shown <= {row.place for row in table.marked}:
            table.unmark()
        else:
            table.mark(shown)
            self.on_table_marked()

    def on_table_marked(self) -> None:
        count = len(self.table.marked)
        self.console.say(f"{count:,} marked: b f y e take those; Esc unmarks" if count else "none marked")

    def action_batch(self, kind: Literal["matrix", "finetune"]) -> None:
        rows = self._taken
        places = [row.place for row in rows if can_be_scored(row)]
        if not places:
            self.console.say(why_unscored(rows))
            return
        titles = {row.place: row.facts.title for row in rows if row.facts is not None}

        def begun() -> None:
            if left := sum(row.facts is not None for row in rows) - len(places):
                self.console.say(f"{counted(left, 'session')} without memories or a response left out")

        self.console.batches.begin(kind, places, titles, begun)

    def copied(self) -> str | None:
        return "\n".join(dict.fromkeys(row.path for row in self._taken)) or None

    def exports(self) -> list[Exported]:
        rows = self.table.marked or self.table.shown
        if not rows:
            return []
        name = "sessions" if len(rows) == len(self.table.rows) else counted(len(rows), "session")
        return [Exported(name, SESSIONS, lambda: sessions_document(rows, now()))]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "export":
            return bool(self.table.rows)
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        if self._scanning is None or not self._scanning.cancel():
            super().action_cancel()

    def action_folder(self) -> None:
        """Asks for a folder to scan in place of those that are shown."""
        from memscope.tui.dialogs.prompt import Prompt

        def chosen(text: str | None) -> None:
            if text is not None:
                before, self._folders = self._folder, (expanded(text.strip()).absolute(),) if text.strip() else ()
                self._pointed = False
                self._look(replace(self._shown, memories=self._shown.memories and self._folder == before))
                self.action_rescan()

        hint = "a folder, or a file that holds many sessions; nothing: the folders of the agents. → completes a name"
        self.app.push_screen(Prompt("Scan", self._folder, hint, no_place, suggester=FileNames()), chosen)
