"""The Matrix pane: the heatmap, its legend, and the cell under the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar, get_args

from textual import events
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from memscope.actions.score import cost_part
from memscope.base.text import clean
from memscope.conversation.render import response_text
from memscope.reports.heatmap import Cell, HeatmapReader
from memscope.reports.matrix import MATRIX, matrix_document
from memscope.reports.order import ColumnOrder, RowOrder, column_order, matching, row_order
from memscope.reports.scale import Unit
from memscope.reports.view import nats
from memscope.tui.dialogs.cell import CellDialog
from memscope.tui.keys import key
from memscope.tui.pane import SCORING, THRESHOLD, WINDOWS, Exported
from memscope.tui.panes.matrix.cell_words import CellWords
from memscope.tui.panes.matrix.nothing import Nothing
from memscope.tui.panes.matrix.sources import ask_sources
from memscope.tui.widgets.cell_view import LINES, CellView, effect_words
from memscope.tui.widgets.heatmap import Heatmap
from memscope.tui.widgets.legend import Legend
from memscope.tui.widgets.no_memories import NoMemories
from memscope.tui.workspace import Change

_ROWS: tuple[RowOrder, ...] = get_args(RowOrder)
_COLUMNS: tuple[ColumnOrder, ...] = get_args(ColumnOrder)
_PAUSE = 0.12  # seconds a cursor stays before the words of its cell are looked up
_EXCERPT = 300  # characters, more than a line has
_LEAST_HEATMAP = 13  # lines: head, ten rows, scroll bar
_LEAST_CELL = 2
_OF_CELLS = {"strongest", "sort", "sort_columns", "overview", "units", "signed", "why", "inspect", "deeper", "copy"}
_OF_A_MATRIX = {"threshold", "export", "find", "sources"}  # what has an answer also where a filter leaves no row


class MatrixScreen(Nothing):
    """See the module."""

    NAME = "Matrix"
    CSS_PATH = "screen.tcss"
    HELP = (
        "Every memory against every response: how much less likely the wording of the response becomes when the memory "
        "is left out of the conversation. Below the heatmap the cell under the cursor in words. The row's number and "
        "bar, and the steps above the columns, add up positive effects.\n\n"
        "Shades are anchored: 10x is ten times as likely, ln 10 or 2.3 nats. An effect within three times the noise "
        "floor, or at most the threshold, is drawn as noise. A minus sign, or blue, is against. Verdicts (V) take for "
        "nothing, too, what any text may move under the engine: half a nat under the embedded one.\n\n"
        "Rows and columns stay where they are while numbers land; they are sorted again when the run ends, and by s "
        "and S. Enter leads to the response with the memory's words marked in it."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        key("matrix.strongest", "f", "strongest(1)", "Strongest", "To the next strongest cell"),
        key("matrix.stronger", "F", "strongest(-1)", "Stronger", "Back to the one before", show=False),
        key("matrix.columns", "S", "sort_columns", "Sort columns", "Sort the responses by the next order", show=False),
        key("matrix.overview", "v", "overview", "Overview", "All of it on one screen, each cell standing for several"),
        key("matrix.units", "U", "units", "Units", "Nats, nats per token, or share of what all memories gave"),
        key("matrix.signed", "c", "signed", "Signed", "Show or clamp effects below 0"),
        THRESHOLD,
        key("matrix.why", "w", "why", "Why", "Why this response: from a scoring up to it only"),
        key("matrix.inspect", "i", "inspect", "Inspect", "The whole memory and the whole response"),
        key("matrix.sources", "o", "sources", "Sources", "What to leave out: memories, tool results or user turns"),
        *SCORING,
        *WINDOWS,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reader: HeatmapReader | None = None
        self._cell_words: CellWords | None = None
        self._wait: Timer | None = None
        self._words = ""
        self._unpointed: Cell | None = None  # where the cursor stood before anybody pointed at anything
        self._jumped = -1  # the place among the strongest cells that the last jump led to
        self._jumped_to: Cell | None = None
        self._was_running = False
        self._stood = ("", False)  # what stands in the place of the heatmap

    def body(self) -> Iterable[Widget]:
        heatmap = Heatmap(id="heatmap")
        yield Container(heatmap, Legend(heatmap, id="legend"), CellView(id="cell"), id="matrix")
        yield NoMemories(id="no-memories")
        yield Static(id="matrix-said")

    @property
    def heatmap(self) -> Heatmap:
        return self.query_one(Heatmap)

    @property
    def view(self) -> CellView:
        return self.query_one(CellView)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        without = self._reader is None or self.has_class("-no-memories")
        if action in _OF_CELLS and (without or self.has_class("-said")):
            return False
        if action in _OF_A_MATRIX and (without or (self.has_class("-said") and not self._words)):
            return False
        return super().check_action(action, parameters)

    def on_resize(self, event: events.Resize) -> None:
        """Ten rows of the heatmap stay; then the legend gives way, then what is told of the cell beyond two lines."""
        spare = event.size.height - 3 - _LEAST_HEATMAP  # the bar, the status and the keys
        legend = spare > _LEAST_CELL
        self.query_one(Legend).display = legend
        self.view.styles.height = max(_LEAST_CELL, min(LINES, spare - legend))

    # What changes.

    def changed(self, change: Change) -> None:
        super().changed(change)
        if not self.query(Heatmap):
            return  # not composed yet: everything is told once it is
        space = self.workspace
        if change.loaded:
            self._load()
        elif space.matrix is not None and self._reader is not None:
            if change.view:
                self._read(None)
            elif space.matrix is not self._reader.matrix:
                self._read(change.rows or None)  # no rows are told of when it is another run's
        elif space.matrix is not None:
            self._load()
        if change.phase:
            self._phase()
        if change.selection:
            self._point()

    def _load(self) -> None:
        """Another conversation or run, or coming here."""
        space, heatmap = self.workspace, self.heatmap
        if self._reader is None or self._reader.conversation is not space.conversation:
            self._words, self._jumped, self._jumped_to = "", -1, None
            heatmap.overview = False
        if space.conversation is None or space.matrix is None:
            self._reader = None
            self.words.forget()
            heatmap.show(None)
        else:
            self._read(None)
            self._point()
            if space.memory is None and space.response is None:
                self._unpointed = heatmap.cell
        self._phase()

    def _read(self, rows: frozenset[int] | None) -> None:
        """Takes the matrix as it is now, where only these `rows` are new; None: all, and in their order."""
        space = self.workspace
        assert space.conversation is not None
        assert space.matrix is not None
        self.words.forget(rows)
        before, self._reader = self._reader, HeatmapReader(space.conversation, space.matrix, space.view.threshold)
        if before is None or rows is None or self.heatmap.grid is None:
            self._arrange()
        else:
            grid = self._reader.grid(self.unit, signed=space.view.signed)
            if grid.unit != self.heatmap.grid.unit:  # it could not be told until now
                self._arrange()
            else:
                self.heatmap.rows_landed(grid, rows)
                self.query_one(Legend).look_again(rows)

    def _arrange(self) -> None:
        """Rows and columns where they belong, without those that are filtered out."""
        space, reader = self.workspace, self._reader
        if reader is None or space.conversation is None:
            return
        grid = reader.grid(self.unit, signed=space.view.signed)
        rows = row_order(grid, self.rows_by)
        if self._words:
            rows = rows[matching(space.conversation, self._words)[rows]]
        self.heatmap.show(grid, rows, column_order(grid, self.columns_by))
        self.query_one(Legend).look_again()

    def _point(self) -> None:
        """The cursor to what all panes are pointed at, as far as it is shown."""
        matrix, space = self.workspace.matrix, self.workspace
        if matrix is None:
            return
        row = matrix.keys.index(space.memory) if space.memory in matrix.keys else None
        column = matrix.responses.index(space.response) if space.response in matrix.responses else None
        self.heatmap.go(row, column)

    def _phase(self) -> None:
        running = self.workspace.phase == "running"
        if self._was_running and not running:
            self.query_one(Legend).look_again()
            if "strength" in (self.rows_by, self.columns_by):
                self._arrange()
        self._was_running = running
        self._say()

    @property
    def unit(self) -> Unit:
        """The unit that was chosen, where the matrix has it."""
        assert self._reader is not None
        return next((unit for unit in self._reader.units if unit == self.workspace.view.unit), "nats")

    @property
    def rows_by(self) -> RowOrder:
        kept = self.workspace.view.sorts.get("matrix_rows")
        return next((order for order in _ROWS if order == kept), _ROWS[0])

    @property
    def columns_by(self) -> ColumnOrder:
        kept = self.workspace.view.sorts.get("matrix_columns")
        return next((order for order in _COLUMNS if order == kept), _COLUMNS[0])

    def _say(self) -> None:
        """The heatmap, or why there is none and which key helps."""
        said = self.why_nothing(self._words if self._words and not self.heatmap.row_count else "")
        offers = not said and self.lacks_memories
        if (said, offers) != self._stood:
            self._stood = said, offers
            self.query_one("#matrix-said", Static).update(Content(clean(said)))
            self.set_class(bool(said), "-said")
            self.set_class(offers, "-no-memories")
            self.refresh_bindings()
        if offers:
            self.offer()
        if not said:
            self.call_after_refresh(self._take_focus)  # what is to be shown can have it only then

    def _take_focus(self) -> None:
        """To what is shown, from nothing or from what is shown no more."""
        offers: Widget = self.query_one(NoMemories)
        shown, hidden = (offers, self.heatmap) if self.has_class("-no-memories") else (self.heatmap, offers)
        if self.focused in (None, hidden):
            shown.focus()

    # The cell under the cursor.

    def on_heatmap_moved(self, event: Heatmap.Moved) -> None:
        cell, space = self.heatmap.cell, self.workspace
        self._show_cell()
        if cell is None or space.matrix is None:
            return
        if cell != self._unpointed or space.memory is not None or space.response is not None:
            self._unpointed = None
            space.select(memory=space.matrix.keys[cell[0]], response=space.matrix.responses[cell[1]])
        if self._wait is not None:
            self._wait.stop()
        self._wait = self.set_timer(_PAUSE, partial(self._look_up, cell))

    def on_heatmap_chosen(self) -> None:
        self.action_deeper()

    @property
    def words(self) -> CellWords:
        if self._cell_words is None:
            self._cell_words = CellWords(self.workspace, self._show_cell)
        return self._cell_words

    def _show_cell(self) -> None:
        cell, reader, verdicts = self.heatmap.cell, self._reader, self.console.screened.reader
        if cell is None or reader is None:
            self.view.detail = None
        else:
            self.view.detail = reader.cell(*cell, self.words.of(cell), _EXCERPT, verdicts=verdicts)

    def _look_up(self, cell: Cell) -> None:
        """The words of the cell the cursor rests on."""
        if self.heatmap.cell == cell and self._reader is not None and self.view.detail is not None:
            self.words.ask(cell, self.view.detail, self._reader)

    # Keys.

    def action_deeper(self) -> None:
        self._go_to_response("heat")

    def action_why(self) -> None:
        self._go_to_response("why")

    def _go_to_response(self, hint: str) -> None:
        detail = self.view.detail
        if detail is not None:
            self.console.go("responses", memory=detail.key, response=detail.message, hint=hint)

    def action_inspect(self) -> None:
        detail, conversation = self.view.detail, self.workspace.conversation
        if detail is not None and conversation is not None:
            memory, response = self._texts()
            self.console.push_screen(CellDialog(detail, memory, response, plain=self.plain))

    def _texts(self) -> tuple[str, str]:
        """The memory as the response could see it, and the response, as they are in the source."""
        detail, conversation = self.view.detail, self.workspace.conversation
        assert detail is not None
        assert conversation is not None
        return (
            conversation.memory_text(detail.key, before=detail.message),
            response_text(conversation, detail.message),
        )

    def action_sort(self) -> None:
        order = _ROWS[(_ROWS.index(self.rows_by) + 1) % len(_ROWS)]
        self.workspace.look(sorts={"matrix_rows": order})
        self._said_order("memories", order)

    def action_sort_columns(self) -> None:
        order = _COLUMNS[(_COLUMNS.index(self.columns_by) + 1) % len(_COLUMNS)]
        self.workspace.look(sorts={"matrix_columns": order})
        self._said_order("responses", order)

    def _said_order(self, what: str, order: str) -> None:
        later = "; what lands from now on stays where it is until the run ends"
        running = order == "strength" and self.workspace.phase == "running"
        self.console.say(f"{what} by {order}{later if running else ''}")

    def action_strongest(self, by: int) -> None:
        """The next or previous of the strongest cells. From somewhere else, and after the last, forward is to the first
        again; backward is to where the last jump led."""
        reader, heatmap = self._reader, self.heatmap
        here = heatmap.cell
        if reader is None or here is None:
            return
        anew = here != self._jumped_to
        order, at = reader.strongest, self._jumped + by
        if anew:
            at = 0 if by > 0 else self._jumped
        while 0 <= at < len(order):
            if heatmap.go(*order[at]) and (anew or heatmap.cell != here):
                self._jumped, self._jumped_to = at, heatmap.cell
                self.console.say(f"strongest {at + 1} of {len(order)}")
                return
            at += by
        self._jumped, self._jumped_to = -1, None
        self.console.say("no further cell is beyond its cutoff" if order else "no effect is beyond its cutoff")

    def action_overview(self) -> None:
        heatmap = self.heatmap
        if not (heatmap.overview or heatmap.max_scroll_x or heatmap.max_scroll_y):
            self.console.say("all of it fits")
            return
        heatmap.overview = not heatmap.overview
        if heatmap.overview:
            self.console.say("overview: each cell shows the strongest of those it stands for; v or Esc ends it")

    def inner_back(self) -> bool:
        was, self.heatmap.overview = self.heatmap.overview, False
        return was

    def action_sources(self) -> None:
        ask_sources(self.console)

    def action_units(self) -> None:
        if self._reader is None:
            return
        there = self._reader.units
        unit = there[(there.index(self.unit) + 1) % len(there)]
        self.workspace.look(unit=unit)
        said = {"nats": "nats", "per token": "nats per token", "share": "share of what all memories gave"}[unit]
        missing = "" if "per token" in there else "; this engine counts no tokens"
        self.console.say(said + missing)

    def action_signed(self) -> None:
        signed = not self.workspace.view.signed
        self.workspace.look(signed=signed)
        self.console.say("effects with their sign" if signed else "effects below 0 are drawn as - alone")

    def find_words(self, words: str) -> None:
        self._words = words
        self._arrange()
        self._say()

    def copied(self) -> str | None:
        detail = self.view.detail
        if detail is None:
            return None
        memory, response = self._texts()
        cutoff = f", cutoff {nats(detail.cutoff)} nats"
        return f"{detail.key} on #{detail.message}: {effect_words(detail)}{cutoff}\n\n{memory}\n\n{response}"

    def exports(self) -> list[Exported]:
        space = self.workspace
        conversation, matrix, scorer, threshold = space.conversation, space.matrix, space.scorer, space.view.threshold
        if conversation is None or matrix is None or scorer is None:
            return []
        identity, cost = scorer.engine.identity, cost_part(space.cost)
        build = partial(matrix_document, conversation, matrix, identity, threshold, cost, settings=space.settings)
        return [Exported("matrix", MATRIX, build)]
