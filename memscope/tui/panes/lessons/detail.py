"""What belongs to the row under the cursor: its rules, mistakes, episodes, and the context block of its next episode.

One of them is shown at a time; the block stands beside the others where there is room for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from memscope.reports.lessons_context import context_words
from memscope.tui.keys import key
from memscope.tui.panes.lessons.block import BlockView
from memscope.tui.panes.lessons.entries import Entry, View, counts_of, entries_of
from memscope.tui.widgets.bucket_line import BucketLine
from memscope.tui.widgets.links import Links

if TYPE_CHECKING:
    from memscope.actions.lessons_watch import Read
    from memscope.base.errors import MemscopeError
    from memscope.base.job import Job
    from memscope.reports.lessons_context import LessonsContextDocument
    from memscope.tui.panes.lessons.rows import TaskRow
    from memscope.tui.panes.lessons.screen import LessonsScreen

VIEWS: tuple[View, ...] = ("rules", "mistakes", "episodes", "block")
_BLOCK = "-block"  # the class of the one that shows its block
_GROUP = "lessons block"
_CALLED: dict[View, str] = {"rules": "rule", "mistakes": "mistake", "episodes": "episode", "block": "token"}


class EntryView(Links):
    """Rules, mistakes or episodes; `goal` is an `Entry`, or None."""

    HELP = (
        "Rules, mistakes or episodes, the newest or the most seen first. Enter, or a click, shows all of the one under "
        "the cursor; y copies it. A rule with a ! contradicts another, which is told below it."
    )

    BINDINGS: ClassVar[list[BindingType]] = [key("deeper", "enter", "deeper", "All of it", "All that is known of it")]

    def action_deeper(self) -> None:
        self.post_message(self.Chosen(self))

    @property
    def entry(self) -> Entry | None:
        """The one under the cursor."""
        return self.goal if isinstance(self.goal, Entry) else None


class TaskDetail(Container):
    """Of the row under the cursor of its `pane`."""

    def __init__(self, pane: LessonsScreen, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._pane = pane
        self._view: View = "rules"
        self._due = False
        self._made: tuple[object, ...] = ()  # what the block that is shown, or on its way, was made of
        self._block: LessonsContextDocument | None = None

    def compose(self) -> ComposeResult:
        yield BucketLine(id="lesson-views")
        yield Container(EntryView(id="lesson-entries"), BlockView(id="lesson-block"), id="lesson-parts")

    @property
    def entries(self) -> EntryView:
        return self.query_one(EntryView)

    @property
    def block(self) -> BlockView:
        return self.query_one(BlockView)

    @property
    def context(self) -> LessonsContextDocument | None:
        """The block for the row under the cursor."""
        read, row, space = self._pane.read, self._pane.row, self._pane.workspace
        if read is None or row is None:
            return None
        if self._block is not None and self._made == self._of(read, row):
            return self._block
        return read.lessons.context(row.name, space.settings, self._pane.budget)

    # What is shown.

    def due(self) -> None:
        """Once, after the table is painted: a held key goes by many tasks."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        self.due()  # there may be room for another part now

    def _show(self) -> None:
        self._due = False
        read, row = self._pane.read, self._pane.row
        is_shown = read is not None and read.document.reason is None
        if not is_shown and self.has_focus_within:
            self._pane.table.focus()
        self.display = is_shown
        if read is None or row is None:
            self._pane.workspace.background.drop(_GROUP)
            self._made, self._block = (), None
            self.entries.show_linked([])
            self.block.show_block(None)
            self._tell()
            return
        self.entries.show_linked(entries_of(self._view, row, read.document))
        if self._made != self._of(read, row):
            self._make(read, row)
        self._tell()

    def _of(self, read: Read, row: TaskRow) -> tuple[object, ...]:
        settings = self._pane.workspace.settings
        return read, row.key, self._pane.budget, settings.lessons_budget, settings.compat

    def _make(self, read: Read, row: TaskRow) -> None:
        """Makes the block, beside the screen: a file may hold thousands of mistakes."""
        settings, budget = self._pane.workspace.settings, self._pane.budget
        made = self._made = self._of(read, row)
        self._block = None

        def work(_job: Job) -> LessonsContextDocument:
            return read.lessons.context(row.name, settings, budget)

        def done(document: LessonsContextDocument) -> None:
            if self.is_attached and self._made == made:
                self._block = document
                self.block.show_block(document, row.title, chosen=budget is not None)
                self._tell()

        self._pane.workspace.background.start(_GROUP, "making the context block", work, done, _ignore)

    def _tell(self) -> None:
        """Which views there are, with how much is in each."""
        read, row, line = self._pane.read, self._pane.row, self.query_one("#lesson-views", BucketLine)
        if read is None or row is None:
            line.counts, line.more = (), ""
            return
        counts = counts_of(row, read.document)
        if not self._shows_both:
            counts["block"] = self._block.tokens if self._block is not None else 0
        line.counts = tuple((_called(view, number), number) for view, number in counts.items())
        line.shown = _called(self._shown, counts[self._shown])
        line.more = context_words(self._block) if self._block is not None and not self.block.display else ""

    # Which of them.

    @property
    def view(self) -> View:
        """The one that was asked for."""
        return self._view

    @property
    def _shows_both(self) -> bool:
        return self.entries.display and self.block.display

    @property
    def _views(self) -> tuple[View, ...]:
        return VIEWS[:-1] if self._shows_both else VIEWS

    @property
    def _shown(self) -> View:
        return self._view if self._view in self._views else self._views[0]

    def turn(self) -> None:
        """To the next view."""
        views = self._views
        self.to(views[(views.index(self._shown) + 1) % len(views)])

    def to(self, view: View) -> None:
        """To a view; the focus goes along where it was in another."""
        was_within = self.has_focus_within
        self._view = view
        self.set_class(view == "block", _BLOCK)
        if was_within:
            self.call_after_refresh(self.enter)
        self.due()

    def enter(self) -> None:
        """The focus to what is shown."""
        if self.display:
            (self.block if self._view == "block" and self.block.display else self.entries).focus()

    def on_bucket_line_picked(self, event: BucketLine.Picked) -> None:
        event.stop()
        picked = event.bucket.removesuffix("s")
        self._pane.to_view(next(view for view, called in _CALLED.items() if called == picked))


def _called(view: View, number: int) -> str:
    return _CALLED[view] if number == 1 else f"{_CALLED[view]}s"


def _ignore(_: MemscopeError) -> None:
    """It was stopped; nothing else goes wrong with it."""
