"""What would be without the memories toggled off: how the responses change, and which memories take over. No pane: it
has no number; the Memories pane and the palette lead here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import ClassVar, get_args

import numpy as np
from textual import events
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from memscope.actions.score import cost_part
from memscope.base.text import clean, clean_line
from memscope.conversation.render import response_text
from memscope.reports.order import RowOrder, matching, row_order
from memscope.reports.whatif import WHATIF, DifferenceCell, WhatIfReader, WhatIfResponse, response_columns
from memscope.tui.pane import RETRY, THRESHOLD, Exported, PaneScreen
from memscope.tui.whatif import RUN, TOGGLE, WhatIfs, show_what_if, toggle_memory
from memscope.tui.widgets.difference_view import LINES, DifferenceView, difference_words
from memscope.tui.widgets.heatmap import Heatmap
from memscope.tui.widgets.legend import Legend
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.table import Table
from memscope.tui.workspace import Change

_ROWS: tuple[RowOrder, ...] = get_args(RowOrder)
_USUAL: RowOrder = "strength"
_LOOK = 0.2  # seconds between looks at what has landed
_REST = 4  # it is looked again after this many times what it took, so that a huge matrix leaves time for keys
_AROUND = 3  # lines: the bar, the status and the keys
_LEAST_TABLE = 4  # lines: its head and three responses
_HEAD = 3  # lines of a heatmap beside its rows: its head and the scroll bar


class WhatIfScreen(PaneScreen):
    """See the module."""

    NAME = "What-if"
    CSS_PATH = "_whatif.tcss"
    HELP = (
        "What would be without the memories that are toggled off: all others are scored again without them. The first "
        "row is the change of each response: its score without them minus its score as it was, in nats; below 0, "
        "or blue, its wording becomes less likely. The rows below are the memories that stay: the effect without them "
        "minus the effect as it was; above 0, the memory takes over what they did. The row's number adds up what it "
        "takes over.\n\n"
        "The table lists the responses, with the change and the memory that takes over most. Where a response does not "
        "change, it could do without them; where a memory takes over, it says the same.\n\n"
        "o toggles another memory off, u the last one on again, and O scores anew; what is on disk costs nothing. Rows "
        "stay where they are while numbers land. Nothing here changes the conversation or its memories."
    )

    BINDINGS: ClassVar[list[BindingType]] = [TOGGLE, RUN, THRESHOLD, RETRY]

    def __init__(self) -> None:
        super().__init__()
        self._reader: WhatIfReader | None = None
        self._clock: Timer
        self._words = ""
        self._was_running = False
        self._rests_until = 0.0

    def body(self) -> Iterable[Widget]:
        heatmap = Heatmap(id="whatif-map")
        yield Static(id="whatif-words")
        yield Container(
            heatmap,
            Legend(heatmap, sides=("more without them", "less"), id="whatif-legend"),
            DifferenceView(id="whatif-cell"),
            Table[WhatIfResponse](identity=lambda row: row.message, id="whatif-responses"),
            id="whatif",
        )
        yield Static(id="whatif-said")

    @property
    def heatmap(self) -> Heatmap:
        return self.query_one(Heatmap)

    @property
    def view(self) -> DifferenceView:
        return self.query_one(DifferenceView)

    @property
    def table(self) -> Table[WhatIfResponse]:
        return self.query_one("#whatif-responses", Table)

    @property
    def what_ifs(self) -> WhatIfs:
        return self.console.what_ifs

    def on_mount(self) -> None:
        self._clock = self.set_interval(_LOOK, self._look, pause=True)
        self.table.empty = "There is no response."

    def on_resize(self, event: events.Resize) -> None:
        self._divide(event.size.height)

    def _divide(self, height: int) -> None:
        """The heatmap takes what its rows need, but leaves the responses some lines; the detail is short on a small
        screen."""
        detail = LINES if height >= 30 else 2
        self.view.styles.height = detail
        rows = self.heatmap.row_count + _HEAD
        self.heatmap.styles.height = max(_HEAD + 1, min(rows, height - _AROUND - 3 - detail - _LEAST_TABLE))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "retry":
            return self.what_ifs.can_resume
        if action == "undo":
            return bool(self.what_ifs.toggled)
        if action in ("deeper", "copy", "export", "find", "sort", "threshold"):
            return self._reader is not None
        return super().check_action(action, parameters)

    # What changes.

    def changed(self, change: Change) -> None:
        super().changed(change)
        if not self.query(DifferenceView):
            return  # not composed yet: everything is told once it is
        if change.loaded or change.what_if or change.view or change.rows or change.phase:
            self._read()
            self.refresh_bindings()

    def _look(self) -> None:
        """Takes in what has landed."""
        began = time.monotonic()
        if began >= self._rests_until and self.what_ifs.read_again():
            self._read()
            now = time.monotonic()
            self._rests_until = now + _REST * (now - began)

    def _read(self) -> None:
        """Shows it as it is now. Rows are put where they belong when it is another, and when it has ended."""
        running, reader = self.what_ifs.running, self.what_ifs.reader()
        (self._clock.resume if running else self._clock.pause)()
        ended, self._was_running = self._was_running and not running, running
        before, self._reader = self._reader, reader
        self._say()
        if reader is None:
            return
        anew = (
            before is None
            or before.found.removed != reader.found.removed
            or before.found.whole.keys != (reader.found.whole.keys)
        )
        if anew or ended or not running:
            self._arrange()
            self.table.show(response_columns(reader.responses), reader.responses)
            if anew and self.table.sort is None:
                self.table.sort_by("change")
            self.table.sort_again()
            self._divide(self.size.height)
        else:
            self.heatmap.rows_landed(reader.grid, range(len(reader.grid.keys)))
            self.query_one(Legend).look_again()
            self.table.update_rows(reader.responses)
        if anew or ended:
            self._point(reader)
        self._show_cell()

    def _point(self, reader: WhatIfReader) -> None:
        """The cursors to the response that changes most."""
        changed = reader.changed
        if changed:
            self.heatmap.go(0, reader.found.responses.index(changed[0].message))
            self.table.select(changed[0].message)

    def _arrange(self) -> None:
        """The change of the responses first, then the memories in their order, without those that are filtered out."""
        reader, conversation = self._reader, self.workspace.conversation
        if reader is None or conversation is None:
            return
        grid = reader.grid
        rows = row_order(grid, self.rows_by)
        rows = rows[rows > 0]
        if self._words:
            place = {memory.key: at for at, memory in enumerate(conversation.memories)}
            found = matching(conversation, self._words)
            rows = np.array([row for row in rows.tolist() if found[place[grid.keys[row]]]], np.intp)
        self.heatmap.show(grid, np.concatenate([[0], rows]).astype(np.intp), None)
        self.query_one(Legend).look_again()

    @property
    def rows_by(self) -> RowOrder:
        kept = self.workspace.view.sorts.get("whatif_rows")
        return next((order for order in _ROWS if order == kept), _USUAL)

    def _say(self) -> None:
        """What is gone and what comes of it; or why there is nothing, and which key helps."""
        what_ifs, reader = self.what_ifs, self._reader
        nothing = self._why_nothing() if reader is None else ""
        self.set_class(bool(nothing), "-said")
        self.query_one("#whatif-said", Static).update(Content(clean(nothing)))
        lines = []
        if reader is not None:
            lines = [reader.without_words, self._state(reader)]
            if what_ifs.stale:
                lines[0] = f"toggled since: O scores it anew. Shown: {lines[0]}"
        self.query_one("#whatif-words", Static).update(Content(clean("\n".join(map(clean_line, lines)))))
        if not nothing and self.focused is None:
            self.call_after_refresh(self.heatmap.focus)

    def _state(self, reader: WhatIfReader) -> str:
        what_ifs = self.what_ifs
        if what_ifs.trouble is not None:
            return f"{what_ifs.trouble} R tries again."
        if what_ifs.running:
            return f"so far: {reader.result_words}"
        return f"{'not all is scored; R goes on. ' if what_ifs.can_resume else ''}{reader.result_words}"

    def _why_nothing(self) -> str:
        if self.workspace.conversation is None:
            return "No conversation is open.\n\nEsc leads back; : finds every command."
        off = len(self.what_ifs.toggled)
        if off:
            return f"{off} toggled off, and not scored yet.\n\nO scores the others without them. Esc leads back."
        return "No memory is toggled off.\n\nEsc leads to the memories: o toggles one off, O shows what would be then."

    # The cell under the cursor.

    def on_heatmap_moved(self, event: Heatmap.Moved) -> None:
        self._show_cell()
        detail = self.view.detail
        if detail is not None and self.heatmap.has_focus:
            self.table.select(detail.message)
            self.workspace.select(memory=detail.key, response=detail.message)

    def on_line_scroll_moved(self, event: LineScroll.Moved) -> None:
        if event.lines is self.table and self.table.has_focus and self._reader is not None:
            selected = self.table.selected
            if selected is not None:
                self.heatmap.go(None, self._reader.found.responses.index(selected.message))
                self.workspace.select(response=selected.message)

    def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    def on_heatmap_chosen(self) -> None:
        self.action_deeper()

    def _show_cell(self) -> None:
        cell, reader = self.heatmap.cell, self._reader
        self.view.detail = None if cell is None or reader is None else reader.cell(*cell)

    # Keys.

    def action_deeper(self) -> None:
        detail = self.view.detail
        if detail is not None:
            self.console.go("responses", memory=detail.key, response=detail.message, hint="heat")

    def action_toggle_off(self) -> None:
        detail = self.view.detail
        if detail is None or detail.key is None:
            self.console.say("this row is the response as a whole; o toggles the memory of a row below it")
        else:
            toggle_memory(self.console, detail.key)

    def action_what_if(self) -> None:
        show_what_if(self.console, None)

    def action_undo(self) -> None:
        toggled = self.what_ifs.toggled
        if toggled:
            toggle_memory(self.console, toggled[-1])

    def action_retry(self) -> None:
        if not self.what_ifs.resume():
            self.console.say("nothing is missing")

    def action_sort(self) -> None:
        if self.table.has_focus:
            self.table.sort_next()
            return
        order = _ROWS[(_ROWS.index(self.rows_by) + 1) % len(_ROWS)]
        self.workspace.look(sorts={"whatif_rows": order})
        self.console.say(f"memories by {'what they take over' if order == 'strength' else order}")

    def on_table_sorted(self) -> None:
        sort = self.table.sort
        self.console.say(f"responses {sort.words if sort is not None else 'as they came'}")

    def find_words(self, words: str) -> None:
        self._words = words
        self._arrange()

    def copied(self) -> str | None:
        detail, conversation = self.view.detail, self.workspace.conversation
        if detail is None or conversation is None or self._reader is None:
            return None
        texts = [] if detail.key is None else [conversation.memory_text(detail.key, before=detail.message)]
        texts.append(response_text(conversation, detail.message))
        return "\n\n".join([_copied(detail, self._reader), *texts])

    def exports(self) -> list[Exported]:
        reader, scorer, cost = self._reader, self.workspace.scorer, self.what_ifs.cost
        if reader is None or scorer is None:
            return []
        build = partial(reader.document, scorer.engine.identity, self.workspace.settings, cost_part(cost))
        return [Exported("what-if", WHATIF, build)]


def _copied(detail: DifferenceCell, reader: WhatIfReader) -> str:
    name = detail.key if detail.key is not None else "response"
    return f"{reader.without_words}\n{name} on #{detail.message}: {difference_words(detail, '->')}"
