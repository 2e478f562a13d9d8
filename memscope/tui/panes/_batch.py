"""A batch of sessions that are scored one after another: how far each is, and what came of it. No pane: it has no
number; the sessions that are marked for it lead here, and the palette.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.actions.open import Opening
from memscope.base.text import clean, preview
from memscope.reports.batch import BATCH, BatchRow, batch_columns, batch_words
from memscope.tui.background import Task
from memscope.tui.batches import Batches
from memscope.tui.pane import RETRY, Exported, PaneScreen
from memscope.tui.widgets.table import Table
from memscope.tui.widgets.words import Words
from memscope.tui.workspace import Change

_LOOK = 0.2  # seconds between looks at what has landed
_TITLE = 60  # characters of a session's title
_KINDS = {"matrix": "The whole matrix of each", "finetune": "Each with all memories and without any"}


class BatchScreen(PaneScreen):
    """See the module."""

    NAME = "Batch"
    OF_THE_OPEN = False
    CSS_PATH = "_batch.tcss"
    HELP = (
        "Sessions that are scored one after another with the engine of the settings, those of one file together, of "
        "each the last context window. The batch goes on while other things are looked at, opened or scored, with the "
        "engine it began with; what is opened meanwhile is scored at the same time. All that lands is kept as it "
        "lands.\n\n"
        "x stops it, R goes on: what failed or was not reached is tried. After quitting, R begins the same batch again "
        "and takes all that was scored from disk. When three in a row fail alike, the others are not tried.\n\n"
        "Enter opens a session as the conversation; what was scored of it comes from disk. strongest: the memory whose "
        "effects add up to most, total in nats; candidates: responses that owe all memories together more than a nat, "
        "and the largest divergence. missing: scorings that failed."
    )

    BINDINGS: ClassVar[list[BindingType]] = [RETRY]

    def __init__(self) -> None:
        super().__init__()
        self._seen: tuple[object, int, bool] | None = None
        self._rows: list[BatchRow] = []
        self._texts: list[str] = []

    def body(self) -> Iterable[Widget]:
        yield Static(id="batch-words")
        yield Table[BatchRow](identity=lambda row: (row.source, row.item), id="batch-table")
        yield Words(id="batch-why")

    @property
    def table(self) -> Table[BatchRow]:
        return self.query_one("#batch-table", Table)

    @property
    def batches(self) -> Batches:
        return self.console.batches

    @property
    def running(self) -> Task | None:
        return self.batches.task or super().running

    def on_mount(self) -> None:
        self.table.empty = (
            "No sessions were sent here.\nIn the Sessions pane, space marks sessions, and a key sends them here."
        )
        self.set_interval(_LOOK, self._look)

    # What there is.

    def changed(self, change: Change) -> None:
        super().changed(change)
        if change.loaded or change.phase:
            self._look()
        if self.focused is None:
            self.table.focus()

    def _look(self) -> None:
        """Takes in what has landed since it was looked last."""
        batch = self.batches.batch
        if batch is None or not self.is_current:
            return
        before, now = self._seen, (batch, batch.version, self.batches.task is not None)
        if now == before:
            return
        self._seen, old, rows = now, self._rows, batch.rows
        columns = batch_columns(batch.kind, rows)
        texts = [*(column.title for column in columns), *(row.title for row in rows)]  # what the columns are as wide as
        if before is None or (before[0], before[2]) != (batch, now[2]) or texts != self._texts:
            self.table.show(columns, rows)
        else:
            self.table.update_rows(row for row, was in zip(rows, old, strict=True) if row is not was)
        self._rows, self._texts = rows, texts
        self._follow()
        self._say()
        self.refresh_bindings()

    def _follow(self) -> None:
        """Shows the row that is at it, unless a person has gone to another one."""
        running = next((row for row in self._rows if row.state == "running"), None)
        if running is not None and not self.table.cursor:
            self.table.reveal(running)

    def _say(self) -> None:
        """What the batch is, what there is of it, and how to go on."""
        batches, batch = self.batches, self.batches.batch
        if batch is None:
            return
        said = [_KINDS[batch.kind]]
        if batch.engine is not None:
            said[0] += f" · {batch.engine.name} {batch.engine.model if batch.engine.url else ''}".rstrip()
        said.append(batch_words(batch.kind, batch.rows, batches.limit))
        if batches.trouble is not None:
            said.append(f"{batches.trouble} R tries again.")
        elif batches.asked is not None:
            said.append(f"not begun: {batches.asked.words()}. R asks again.")
        elif batches.task is None and batch.left:
            said.append(f"{batch.ended + '. ' if batch.ended else ''}R tries those that are left.")
        self.query_one("#batch-words", Static).update(Content(clean("\n".join(said))))
        self._say_why()

    def _say_why(self) -> None:
        """What is to be said of the row under the cursor; its lines are kept free as soon as there is such a row."""
        row, line = self.table.selected, self.query_one("#batch-why", Words)
        line.display = any(row.why for row in self._rows)
        line.tell(f"{preview(row.title or Path(row.source).name, _TITLE)}: {row.why}" if row and row.why else "")

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "retry":
            return self.batches.can_resume
        if action == "export":
            return bool(self.exports())
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        if not self.batches.cancel():
            super().action_cancel()

    def action_retry(self) -> None:
        self.batches.resume()

    def no_answer(self, action: str) -> str:
        if action != "retry" or self.batches.batch is None:
            return super().no_answer(action)
        return "the batch is under way" if self.batches.task is not None else "nothing is left to try"

    def action_deeper(self) -> None:
        row, batch = self.table.selected, self.batches.batch
        if row is None or batch is None:
            return
        if row.window is None:
            self.console.say(row.why or "it has not been opened yet")
        else:
            pane = "fine-tune" if batch.kind == "finetune" else "matrix"
            self.console.open(Opening(Path(row.source), item=row.item, window=row.window), pane)

    def on_line_scroll_moved(self, _: Table.Moved) -> None:
        self._say_why()

    def on_line_scroll_chosen(self, _: Table.Chosen) -> None:
        self.action_deeper()

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        sort = self.table.sort
        self.console.say("in the order given" if sort is None else sort.words)

    def find_words(self, words: str) -> None:
        self.table.filter(words, words)

    def copied(self) -> str | None:
        return self.table.selected.source if self.table.selected is not None else None

    def exports(self) -> list[Exported]:
        batches, batch = self.batches, self.batches.batch
        if batch is None:
            return []
        return [Exported("batch", BATCH, lambda: batch.document(batches.settings))]
