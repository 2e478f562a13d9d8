"""The Lessons pane: what an agent keeps across episodes, and what it tells the next one of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget

from memscope.actions.lessons import lessons_path
from memscope.base.errors import MemscopeError
from memscope.tui.keys import key
from memscope.tui.pane import Exported, Written
from memscope.tui.panes.lessons.acting import Acting
from memscope.tui.panes.lessons.asking import ask_budget, ask_file, show_entry
from memscope.tui.panes.lessons.choice import Choice
from memscope.tui.panes.lessons.consolidating import Consolidating
from memscope.tui.panes.lessons.detail import VIEWS, TaskDetail
from memscope.tui.panes.lessons.entries import View
from memscope.tui.panes.lessons.help import HELP
from memscope.tui.panes.lessons.offered import offered
from memscope.tui.panes.lessons.rows import TaskRow, columns_of, has_words, rows_of
from memscope.tui.panes.lessons.told import head_words, note_words, why_empty
from memscope.tui.panes.lessons.watching import LOOKS, Watching
from memscope.tui.widgets.table import Table
from memscope.tui.widgets.words import Words
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.reports.lessons import LessonsDocument

_KEPT = "lessons"  # the name under which it is kept how the pane was looked at
_OF_A_ROW = frozenset({"deeper", "view", "budget"})  # actions
_PADDING = 4  # cells beside the lines at the top


class LessonsScreen(Acting):
    """See the module."""

    NAME = "Lessons"
    OF_THE_OPEN = False
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        key("lessons.view", "v", "view", "View", "Rules, mistakes, episodes, or the context block"),
        key("lessons.budget", "t", "budget", "Budget", "How many tokens the context block may have"),
        key("lessons.file", "o", "file", "File", "Show the lessons in another file"),
        key("lessons.again", "R", "read_again", "Read again", "Read the file again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._own: Choice[Path] = Choice("lessons_file")
        self._budget: Choice[int] = Choice("lessons_budget")
        self._looks: Timer | None = None

    def body(self) -> Iterable[Widget]:
        yield Words(id="lessons-words")
        yield Words(id="lessons-note")
        yield Container(
            Table[TaskRow](identity=lambda row: row.key, id="lessons-table"),
            TaskDetail(self, id="lesson"),
            id="lessons",
        )

    @property
    def table(self) -> Table[TaskRow]:
        return self.query_one("#lessons-table", Table)

    @property
    def detail(self) -> TaskDetail:
        return self.query_one(TaskDetail)

    @property
    def row(self) -> TaskRow | None:
        return self.table.selected

    @property
    def budget(self) -> int | None:
        """How many tokens a block may have, where that was asked for; None: as many as the settings say."""
        return self._budget.value

    # Coming here.

    def on_mount(self) -> None:
        kept, resolved = self.workspace.kept.state(_KEPT), self.console.resolved
        own, budget = kept.get("file"), kept.get("budget")
        self._own.begin(Path(own) if isinstance(own, str) and own else None, resolved)
        self._budget.begin(budget if isinstance(budget, int) and budget > 0 else None, resolved)
        if isinstance(sort := kept.get("sort"), str):
            self.table.sort_as(sort)
        if (view := kept.get("view")) in VIEWS:
            self.detail.to(view)
        self._looks = self.set_interval(LOOKS, self._look)

    def on_screen_resume(self) -> None:
        if self._looks is not None:
            self._looks.resume()

    def on_screen_suspend(self) -> None:
        if self._looks is not None:
            self._looks.pause()

    def changed(self, change: Change) -> None:
        super().changed(change)
        if not self.query(TaskDetail) or not change.loaded:
            return  # not composed yet: everything is told once it is; or about the conversation that is open
        if self.watching is None:
            self.watching = Watching(self.console, self._seen)
            self.consolidating = Consolidating(self.console, self.derived, self.refresh_bindings)
            self._open()
        else:
            self._as_set()
            self._look()
            self._show()
        if self.focused is None:
            self.table.focus()

    # What is shown.

    def _as_set(self) -> None:
        """The settings may be others, and say more than what was asked for before."""
        settings = self.workspace.settings
        if self._own.as_set(settings) | self._budget.as_set(settings):
            self.keep()

    def _open(self) -> None:
        """Shows the file that was asked for, or that of the settings."""
        watching = self.watching
        assert watching is not None
        try:
            path = lessons_path(self.workspace.settings, self._own.value).absolute()
        except MemscopeError as error:  # of a home folder that is nobody's
            self.console.tell_error(error)
            path = Path(self.workspace.settings.lessons_file).absolute()
        watching.open(path)
        self._show()

    def _look(self) -> None:
        if self.watching is None:
            return
        if self._own.value is None and self._of_settings() not in (None, self.watching.path):
            self._open()  # the settings name another now
        self.watching.look()

    def _of_settings(self) -> Path | None:
        try:
            return lessons_path(self.workspace.settings).absolute()
        except MemscopeError:
            return None

    def _seen(self) -> None:
        """Something else was read, or could not be."""
        if self.console.pane is self:
            self._show()  # else it is shown when one comes back

    def _show(self) -> None:
        watching, table = self.watching, self.table
        assert watching is not None
        document = watching.read.document if watching.read is not None else None
        table.empty = why_empty(watching.path, document, watching.trouble, gone=watching.gone)
        table.show(columns_of(plain=self.plain), rows_of(document) if document is not None else [])
        self.told()
        self.detail.due()
        self.refresh_bindings()

    def told(self) -> None:
        watching = self.watching
        if watching is None:
            return
        document = watching.read.document if watching.read is not None else None
        chosen, width = self._own.value is not None, self.size.width - _PADDING
        words = head_words(watching.path, document, width, chosen=chosen, gone=watching.gone)
        self.query_one("#lessons-words", Words).tell(words)
        note = self.query_one("#lessons-note", Words)
        note.tell(note_words(document, watching.trouble, waiting=self.has_waiting))
        note.set_class(watching.trouble is not None, "-warning")
        note.set_class(document is not None and (document.due or self.has_waiting), "-due")

    def on_resize(self, _: events.Resize) -> None:
        self.told()  # as much as there is room for

    def keep(self) -> None:
        """Keeps how the pane is looked at."""
        own = "" if self._own.kept is None else str(self._own.kept)
        state = {"file": own, "budget": self._budget.kept, "sort": self.table.order, "view": self.detail.view}
        self.workspace.kept.keep(_KEPT, state)

    def action_read_again(self) -> None:
        watching = self.watching
        if watching is None:
            return

        def done() -> None:
            if watching.trouble is not None:
                self.console.tell_error(watching.trouble)
            else:
                self.console.say("read again")

        watching.look_again(done)

    def action_file(self) -> None:
        def chosen(path: Path | None) -> None:
            self._own.choose(path)
            self.keep()
            self._open()

        ask_file(self.console, self._own.value, chosen)

    # Which rows.

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        self.keep()
        sort = self.table.sort
        self.console.say("in the order in which the tasks came up" if sort is None else sort.words)

    def find_words(self, words: str) -> None:
        def document() -> LessonsDocument | None:
            return self.read.document if self.read is not None else None

        self.table.filter(has_words(words, document) if words.strip() else "", words)
        self.refresh_bindings()

    def on_table_marked(self) -> None:
        self.table.unmark()  # by a click: nothing is done with several

    # What is pointed at.

    def on_line_scroll_moved(self, event: Table.Moved) -> None:
        if event.lines is self.table:
            self.detail.due()

    def on_line_scroll_chosen(self, event: Table.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    def action_deeper(self) -> None:
        """From the table to what is beside it, and from an entry to all of it."""
        entry = self.detail.entries.entry
        if self.table.has_focus or self.focused is None:
            self.detail.enter()
        elif self.detail.entries.has_focus and entry is not None:
            show_entry(self.console, entry)
        else:
            self.console.say("nothing here leads anywhere; Esc goes back to the table")

    def inner_back(self) -> bool:
        if self.table.has_focus or self.focused is None:
            return False
        self.table.focus()
        return True

    def action_view(self) -> None:
        self.detail.turn()
        self.keep()

    def to_view(self, view: View) -> None:
        """Shows a view that was clicked on."""
        self.detail.to(view)
        self.keep()

    def action_budget(self) -> None:
        def chosen(budget: int | None) -> None:
            self._budget.choose(budget)
            self.keep()
            self.detail.due()

        ask_budget(self.console, self.budget, chosen)

    # Taking along.

    def copied(self) -> str | None:
        entry = self.detail.entries.entry
        if self.detail.entries.has_focus and entry is not None:
            return entry.text or None
        context = self.detail.context
        return context.text or None if context is not None else None

    def exports(self) -> Sequence[Exported | Written]:
        return offered(self.read.document, self.detail.context) if self.read is not None else []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "export":
            return self.read is not None
        if action == "consolidate":
            return self.read is not None and self.read.document.reason is None
        if action == "budget" and self.workspace.settings.compat:
            return False  # a classic block has none
        if action in _OF_A_ROW:
            return self.is_mounted and self.row is not None
        return super().check_action(action, parameters)
