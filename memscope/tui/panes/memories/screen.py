"""The Memories pane: every memory with what it did in all, and the text and effects of the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from memscope.reports.matrix import MEMORIES, MemoryRow
from memscope.reports.memories import MemoryReader, chosen_memories
from memscope.reports.order import matching
from memscope.reports.view import Column
from memscope.tui.keys import key
from memscope.tui.pane import SCORING, THRESHOLD, WINDOWS, Exported
from memscope.tui.panes.memories.acting import Acting
from memscope.tui.panes.memories.panel import MemoryPanel
from memscope.tui.panes.memories.told import HELP
from memscope.tui.widgets.bars import Bars
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.table import Table
from memscope.tui.workspace import Change


class MemoriesScreen(Acting):
    """See the module."""

    NAME = "Memories"
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        THRESHOLD,
        *SCORING,
        *WINDOWS,
        key("memories.rescore", "r", "rescore", "Rescore", "Score without this memory again, past what is on disk"),
        key("memories.strongest", "v", "strongest", "Strongest", "Effects strongest first, or along the conversation"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reader: MemoryReader | None = None
        self._titles: list[str] = []
        self._at_the_top: str | None = None
        self._due = False

    def body(self) -> Iterable[Widget]:
        yield Container(
            Table[MemoryRow](identity=lambda row: row.key, id="memories-table"),
            MemoryPanel(),
            id="memories",
        )

    @property
    def table(self) -> Table[MemoryRow]:
        return self.query_one("#memories-table", Table)

    @property
    def panel(self) -> MemoryPanel:
        return self.query_one(MemoryPanel)

    @property
    def bars(self) -> Bars:
        return self.panel.bars

    @property
    def near(self) -> Bars:
        return self.panel.near

    @property
    def _is_composed(self) -> bool:
        return bool(self.query("#memory-near"))

    # What changes.

    def changed(self, change: Change) -> None:
        super().changed(change)
        space = self.workspace
        if not self._is_composed:
            return  # not composed yet: everything is told once it is
        if change.loaded:
            self._load()
        elif self._reader is not None and space.matrix is not None:
            whole = change.view or change.what_if
            if whole:
                self._reader.known = self.known
            if whole or space.matrix is not self._reader.matrix:
                self._reader.look(space.matrix, space.view.threshold)
                self._take(change.rows if change.rows and not whole else None)
        if change.phase:
            self.table.empty = self._why_empty()
            if space.phase not in ("running", "loading"):
                self._sort_again()
                self.look_again()
        if change.selection and space.memory is not None:
            self.table.select(space.memory)

    def _load(self) -> None:
        """Another conversation, or coming here: everything is read anew."""
        space, table = self.workspace, self.table
        self.table.empty = self._why_empty()
        matrix = space.matrix
        if space.conversation is None or matrix is None:
            self._reader = None
            self.know(None)
            table.show((), ())
        else:
            if self._reader is None or self._reader.conversation is not space.conversation:
                self._reader = MemoryReader(space.conversation, matrix, space.view.threshold)
                self.know(space.conversation)
                self._reader.known = self.known
                self._show(self._reader.rows())
                table.sort_as(space.view.sorts.get("memories", "down total"))
            else:
                self._reader.look(matrix, space.view.threshold)
                self._reader.known = self.known
                self._show(self._reader.rows())
            self._sort_again()
            self.look_again()
        if self.focused is None:
            table.focus()
        self._detail_due()

    def learnt(self) -> None:
        reader = self._reader
        if reader is not None and self._is_composed:
            before, reader.known = reader.known, self.known
            self._take(frozenset(reader.place[key] for key in reader.known.unlike(before) if key in reader.place))
            self._detail_due()  # which tells more than the table

    def _show(self, rows: list[MemoryRow]) -> None:
        assert self._reader is not None
        columns = self._columns(rows)
        self._titles = [column.title for column in columns]
        self.table.show(columns, rows)

    def _columns(self, rows: list[MemoryRow]) -> list[Column[MemoryRow]]:
        """Those of the report; while some are toggled off for a what-if, which."""
        assert self._reader is not None
        first, *others = self._reader.columns(rows)
        toggled = frozenset(self.console.what_ifs.toggled)
        off: Column[MemoryRow] = Column("what-if", lambda row: "off" if row.key in toggled else "")
        return [first, off, *others] if toggled else [first, *others]

    def _take(self, places: frozenset[int] | None) -> None:
        """New numbers in some rows, or in all: None."""
        assert self._reader is not None
        self.table.update_rows(self._reader.rows(places))
        rows = self.table.rows
        if [column.title for column in self._columns(rows)] != self._titles:
            self._show(rows)
            self._sort_again()  # perhaps by a column that has come
        selected = self.table.selected
        if selected is not None and (places is None or self._reader.place[selected.key] in places):
            self._detail_due()

    def _sort_again(self) -> None:
        """Rows go where they belong. As long as nobody has pointed at a memory, the cursor stays at the top."""
        self.table.sort_again()
        if self.workspace.memory is None:
            self.table.move_to(0)
            self._at_the_top = self._key

    def _why_empty(self) -> str:
        space = self.workspace
        if space.phase == "loading":
            return "The conversation is being read.\nx cancels."
        if space.conversation is None:
            return "No conversation is open.\nEsc leads to those there are; : finds every command."
        return "No memory was found in this conversation.\n1 shows where was searched, and what can be used instead."

    # The memory under the cursor.

    @property
    def _key(self) -> str | None:
        selected = self.table.selected
        return None if selected is None else selected.key

    def _detail_due(self) -> None:
        """Once, after the table is painted: a held key goes through many memories."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._show_detail)

    def _show_detail(self) -> None:
        self._due = False
        key, reader = self._key, self._reader
        self.panel.display = key is not None
        if key is None or reader is None:
            return
        self.panel.show(reader, reader.detail(key), self.beside(key), self.signs, plain=self.plain)

    def on_line_scroll_moved(self, event: LineScroll.Moved) -> None:
        if event.lines is not self.table:
            return
        key = self._key
        if self.workspace.memory is not None or key != self._at_the_top:
            self.workspace.select(memory=key)
        self._detail_due()

    def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    # Keys.

    def action_deeper(self) -> None:
        key, response = self._key, None
        if key is None or self._reader is None:
            return
        if self.near.has_focus and self.near.selected is not None:
            self._go_to_duplicate(str(self.near.selected.key))
            return
        if self.bars.has_focus and self.bars.selected is not None:
            response = self.bars.selected.key
        elif strongest := self._reader.detail(key).strongest:
            response = strongest[0].message
        if isinstance(response, int):
            self.console.go("responses", memory=key, response=response)
        else:
            self.console.say("it mattered to no response; Tab leads to its effects, and Enter there to a response")

    def _go_to_duplicate(self, key: str) -> None:
        if self.table.select(key):
            self.table.focus()
        else:
            self.console.say(f"{key} is not among the rows shown: Esc ends the filter")

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        sort = self.table.sort
        said = "in the order of the conversation" if sort is None else sort.words
        later = "; rows that land from now on stay where they are" if self.workspace.phase == "running" else ""
        self.workspace.look(sorts={"memories": self.table.order})
        self.console.say(said + later)

    def action_mark(self) -> None:
        self.table.toggle_mark()

    def on_table_marked(self) -> None:
        count = len(self.table.marked)
        self.console.say(f"{count} marked: d K P H w o y e take those; Esc unmarks" if count else "none marked")

    def inner_back(self) -> bool:
        return self.table.unmark()

    def action_strongest(self) -> None:
        self.panel.strongest_first = not self.panel.strongest_first
        self._show_detail()
        self.bars.move_to(0)

    def action_rescore(self) -> None:
        key = self._key
        if key is not None and not self.workspace.rescore(key):
            running = self.workspace.phase == "running"
            self.console.say("a run is under way; x cancels it" if running else "there is no run yet; R starts it")

    def find_words(self, words: str) -> None:
        conversation = self.workspace.conversation
        if not words or conversation is None or self._reader is None:
            self.table.filter("")
            return
        found = matching(conversation, words)
        place = self._reader.place
        self.table.filter(lambda row: bool(found[place[row.key]]), words)

    def copied(self) -> str | None:
        conversation, selected = self.workspace.conversation, self.table.selected
        if conversation is None or self._reader is None or selected is None:
            return None
        places = [self._reader.place[row.key] for row in self.table.marked or [selected]]
        return "\n\n".join(conversation.memories[place].texts[-1] for place in places)

    def exports(self) -> list[Exported]:
        space = self.workspace
        conversation, matrix, scorer = space.conversation, space.matrix, space.scorer
        if conversation is None or matrix is None or scorer is None:
            return []
        keys = [row.key for row in self.table.marked or self.table.shown]
        all_of_them = len(keys) == len(conversation.memories)
        name = "memories" if all_of_them else f"{len(keys)} memories"
        identity, threshold = scorer.engine.identity, space.view.threshold
        known = self.known
        return [
            Exported(
                name, MEMORIES, lambda: chosen_memories(conversation, matrix, identity, threshold, keys, known=known)
            )
        ]
