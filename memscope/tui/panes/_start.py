"""What `memscope` alone shows: conversations to open, those opened before first. No pane: it has no number."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.actions.open import Opening, demo_opening
from memscope.base.text import clean_line
from memscope.tui.keys import key
from memscope.tui.offered import COLUMNS, Offer, open_again
from memscope.tui.pane import PaneScreen
from memscope.tui.widgets.line_input import FileNames, expanded
from memscope.tui.widgets.table import Table
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.actions.recent import Glimpse, RecentConversation
    from memscope.base.errors import MemscopeError
    from memscope.base.job import Job

_OFFERED = 200
_WIDE = 100  # cells below which the words are worth more than the folder
_DEMO = "a bundled conversation: memscope at work, with nothing to set up"


class StartScreen(PaneScreen):
    """See the module."""

    NAME = "Conversations"
    CSS_PATH = "_start.tcss"
    HELP = (
        "Conversations to open: those that were opened here before, latest first, and then the newest that agents on "
        "this machine have left. Enter opens the one under the cursor and scores it with the engine of the settings; "
        "nothing leaves this machine unless that engine is a server elsewhere. o opens any transcript by its path; 5 "
        "ranks all sessions there are by what they are worth."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        key("start.open", "o", "open_path", "Open a path", "Open a transcript by its path"),
        key("start.again", "R", "look_again", "Look again", "Look for conversations again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Offer] = []
        self._peeked: set[Path] = set()

    def body(self) -> Iterable[Widget]:
        yield Static(Content("looking for conversations …"), id="start-words")
        yield Table[Offer](identity=lambda row: row.identity, id="start-table")

    @property
    def table(self) -> Table[Offer]:
        return self.query_one("#start-table", Table)

    def on_mount(self) -> None:
        self._show([])
        self.watch(self.table, "scroll_y", self._peek, init=False)

    def changed(self, change: Change) -> None:
        super().changed(change)
        if change.loaded:
            self.action_look_again()

    # What there is.

    def action_look_again(self) -> None:
        """Looks for conversations, beside the screen."""
        from memscope.actions.recent import recent_conversations

        database = self.workspace.kept.database
        self.workspace.background.start(
            "recent",
            "looking for conversations",
            lambda _: recent_conversations(database, _OFFERED),
            self._found,
            self._not_found,
        )

    def _found(self, recent: list[RecentConversation]) -> None:
        seen = {row.identity: (row.title, row.format) for row in self._rows}  # what was looked for need not be again
        rows = (Offer(one.title, one) for one in recent)
        self._show([row.told(*seen.get(row.identity, ("", ""))) for row in rows])
        before = sum(one.known for one in recent)
        if recent:
            found = len(recent) - before
            words = f"{before} opened before, {found} found where agents keep their sessions; 5 ranks all there are"
        else:
            words = (
                "No conversations were found: nothing was opened here before, and no agent has left sessions in its "
                "usual folder. o opens a transcript by its path; Enter opens the demo."
            )
        self._say(words)

    def _not_found(self, error: MemscopeError) -> None:
        self._found([])
        self._say(str(error))

    def _say(self, words: str) -> None:
        self.query_one("#start-words", Static).update(Content(clean_line(words)))

    def on_resize(self) -> None:
        self._show(self._rows)

    def _show(self, rows: list[Offer]) -> None:
        self._rows = rows
        columns = [column for column in COLUMNS if column.title != "folder" or self.size.width >= _WIDE]
        self.table.show(columns, [*rows, Offer(_DEMO)])
        self.call_after_refresh(self._peek)

    # Titles of transcripts that nobody has opened: read for the rows on the screen alone.

    def _peek(self) -> None:
        from memscope.actions.recent import glimpse

        table = self.table
        shown = table.shown
        rows = [shown[place] for place in table.visible_rows if place < len(shown)]
        paths = [
            row.recent.path
            for row in rows
            if row.recent is not None and not row.is_told and row.recent.path not in self._peeked
        ]
        if not paths or self.workspace.background.task("titles") is not None:
            return  # when what is being read is read, it is looked again

        def look(job: Job) -> None:
            for path in paths:
                job.check()
                self.console.call_soon(self._told, path, glimpse(path))

        self.workspace.background.start("titles", "reading titles", look, lambda _: self._peek(), lambda _: None)

    def _told(self, path: Path, seen: Glimpse) -> None:
        self._peeked.add(path)
        if not self.is_attached:
            return
        told = {
            row.identity: row.told(seen.title, seen.format)
            for row in self._rows
            if row.recent is not None and row.recent.path == path and not row.is_told
        }
        self._rows = [told.get(row.identity, row) for row in self._rows]
        self.table.update_rows(told.values())

    # Keys.

    def find_words(self, words: str) -> None:
        asked = words.casefold().split()
        self.table.filter((lambda row: all(word in row.words for word in asked)) if asked else "", words)
        self._peek()

    def copied(self) -> str | None:
        row = self.table.selected
        return str(row.recent.path) if row is not None and row.recent is not None else None

    def action_sort(self) -> None:
        self.table.sort_next()
        self._peek()

    def action_deeper(self) -> None:
        row = self.table.selected
        if row is None:
            return
        if row.recent is None:
            self.console.open(demo_opening())
        else:
            open_again(self.console, row.recent)

    def on_line_scroll_chosen(self, _: Table.Chosen) -> None:
        self.action_deeper()

    def action_open_path(self) -> None:
        from memscope.tui.dialogs.prompt import Prompt

        def chosen(text: str | None) -> None:
            if text is not None:
                self.console.open(Opening(expanded(text.strip()).absolute()))

        hint = "the path of a transcript, of any format; → completes a name"
        self.app.push_screen(Prompt("Open", "", hint, no_file, suggester=FileNames()), chosen)


def no_file(text: str) -> str | None:
    """Why a path that was typed cannot be opened; None when it may."""
    try:
        path = expanded(text.strip())
        if path.is_file():
            return None
        return "this is a folder: go on to a file in it" if text.strip() and path.is_dir() else "there is no such file"
    except (OSError, ValueError):
        return "no file can have this name"
