"""Memories across conversations: what each did in all that was scored, and where it was seen. No pane: it has no
number; the Memories pane and the palette lead here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, get_args

from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.actions.across import Wanted, across, sightings
from memscope.actions.open import Opening
from memscope.base.errors import Cancelled
from memscope.base.files import shown_path
from memscope.base.text import clean, counted
from memscope.conversation.units import Split
from memscope.reports.across import (
    ACROSS,
    SIGHTING_COLUMNS,
    SIGHTINGS,
    AcrossDocument,
    AcrossRow,
    SightingRow,
    SightingsDocument,
    across_columns,
)
from memscope.tui import asking
from memscope.tui.pane import THRESHOLD, Exported, PaneScreen
from memscope.tui.widgets.table import Table
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.base.errors import MemscopeError

_READ, _SEEN = "across", "sightings"  # groups of work in the background
_ORDER = "down in a row"
_LOOK = 0.25  # seconds between looks at how far the reading is


class AcrossScreen(PaneScreen):
    """See the module."""

    NAME = "Memories across conversations"
    CSS_PATH = "_across.tcss"
    HELP = (
        "Every memory in all conversations that were scored, each conversation once, by its newest run; the demo is "
        "not counted. A memory is its key and its text: another text under the key is another row.\n\n"
        "seen, needed, unused and against count conversations: needed, where an effect was beyond the cutoff; "
        "against, where one was so the other way; unused, where neither was. In a row: how many of the latest were "
        "unused, which is what to prune on. Conversations where something could not be measured, or no response came "
        "after the memory, say nothing of it. t sets from how many nats on an effect counts: at the default nearly "
        "everything does. tokens: what the memory took in all of them. "
        "decision: what you said of it, in whichever conversation.\n\n"
        "Enter lists the conversations a memory was seen in, and Enter there opens one. Numbers of different engines "
        "do not compare: memscope memories --all --engine NAME takes those of one."
    )

    BINDINGS: ClassVar[list[BindingType]] = [THRESHOLD]

    def __init__(self) -> None:
        super().__init__()
        self._document: AcrossDocument | None = None
        self._sightings: SightingsDocument | None = None
        self._wanted = Wanted()

    def body(self) -> Iterable[Widget]:
        yield Static(id="across-words")
        yield Table[AcrossRow](identity=lambda row: (row.key, row.text), id="across-table")
        seen = Container(
            Static(id="across-memory"),
            Table[SightingRow](identity=lambda row: (row.source, row.item, row.window), id="across-sightings"),
            id="across-seen",
        )
        seen.display = False
        yield seen

    @property
    def table(self) -> Table[AcrossRow]:
        return self.query_one("#across-table", Table)

    @property
    def seen(self) -> Table[SightingRow]:
        return self.query_one("#across-sightings", Table)

    def on_mount(self) -> None:
        state = self.workspace.kept.state("across")
        threshold = state.get("threshold")
        if not isinstance(threshold, int | float) or not 0 <= threshold < math.inf:
            threshold = self.workspace.settings.threshold
        self._wanted = Wanted(threshold=float(threshold))
        sort = state.get("sort")
        self.table.show(across_columns(()), ())
        self.table.sort_as(sort if isinstance(sort, str) else _ORDER)
        self.set_interval(_LOOK, self._tell_progress)

    # What there is.

    def changed(self, change: Change) -> None:
        super().changed(change)
        if change.loaded or (change.phase and self.workspace.phase == "done"):
            self._read()

    def _read(self) -> None:
        """Adds up anew, beside the screen; what is shown stays until that is done."""
        database, wanted = self.workspace.kept.database, self._wanted
        if database is None or not self.workspace.settings.store:
            self.table.empty = "Nothing is kept, so nothing can be added up.\nStart without --no-store."
            self._say("")
            return
        if self._document is None:
            self.table.empty = "The runs are being read.\nx cancels."
        self.workspace.background.start(
            _READ, "adding up", lambda job: across(database, wanted, job), self._found, self._not_found
        )
        self.refresh_bindings()

    def _found(self, document: AcrossDocument) -> None:
        self._document = document
        self.table.empty = _why_empty(document)
        self.table.show(across_columns(document.memories), document.memories)
        if self.focused is None:
            self.table.focus()
        self._say(_words(document))
        self.refresh_bindings()

    def _not_found(self, error: MemscopeError) -> None:
        if isinstance(error, Cancelled):
            self.table.empty = "The runs were not read to the end.\nGo away and come back to read them."
            self._say("stopped" if self._document is None else _words(self._document))
        else:
            self.table.empty = "The runs cannot be read."
            self._say(str(error))
        self.refresh_bindings()

    def _say(self, words: str) -> None:
        self.query_one("#across-words", Static).update(Content(clean(words)))

    def _tell_progress(self) -> None:
        task = self.workspace.background.task(_READ) or self.workspace.background.task(_SEEN)
        if task is not None and task.progress is not None:
            done = task.progress
            self._say(f"{done.doing}: {done.done:,} of {done.total or 0:,} {done.unit} · x cancels")

    # Where a memory was seen.

    def _show_seen(self, row: AcrossRow) -> None:
        database, wanted = self.workspace.kept.database, self._wanted
        if database is None:
            return

        def found(document: SightingsDocument) -> None:
            self._sightings = document
            if self._document is not None:
                self._say(_words(self._document))
            self.query_one("#across-seen").display = True
            self.query_one("#across-memory", Static).update(Content(clean(f"{row.key}: {row.preview}")))
            self.seen.show(SIGHTING_COLUMNS, document.sightings)
            self.seen.move_to(0)
            self.seen.focus()
            self.refresh_bindings()

        self.workspace.background.start(
            _SEEN,
            f"looking for {row.key}",
            lambda job: sightings(database, wanted, row.key, job, row.text),
            found,
            self._not_found,
        )

    def _open(self, row: SightingRow) -> None:
        """The conversation as it was scored, with the memory files that are still there."""
        path = Path(row.source)
        if not row.source or not os.path.exists(path):  # noqa: PTH110 - it never raises
            self.console.say(f"its file is gone: {shown_path(path)}" if row.source else "it came from no file", "error")
            return
        memories = tuple(Path(file) for file in row.memories if os.path.exists(file))  # noqa: PTH110
        split = next((one for one in get_args(Split) if one == row.split), None)
        self.console.open(Opening(path, row.format, row.item, row.window, memories, split), "memories")
        gone = len(row.memories) - len(memories)
        if gone:
            self.console.say(f"{counted(gone, 'memory file')} gone and left out", "warning")

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "threshold":
            return self.workspace.kept.database is not None
        if action == "export":
            return bool(self.exports())
        if action == "cancel" and self._reading:
            return True
        return super().check_action(action, parameters)

    @property
    def _reading(self) -> bool:
        return any(self.workspace.background.task(group) is not None for group in (_READ, _SEEN))

    def action_cancel(self) -> None:
        asked = [self.workspace.background.cancel(group) for group in (_READ, _SEEN)]
        if not any(asked):
            super().action_cancel()

    def action_threshold(self) -> None:
        def take(nats: float) -> None:
            self._wanted = Wanted(threshold=nats)
            self._keep()
            self._read()

        hint = "nats: from how many on an effect counts. What its run did not count never does"
        asking.ask_nats(self.console, self._wanted.threshold, hint, take)

    def action_deeper(self) -> None:
        if self.seen.has_focus:
            if (sighting := self.seen.selected) is not None:
                self._open(sighting)
        elif (row := self.table.selected) is not None:
            self._show_seen(row)

    def on_line_scroll_chosen(self, event: Table.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    def inner_back(self) -> bool:
        seen = self.query_one("#across-seen")
        if seen.display:
            seen.display = False
            self._sightings = None
            self.table.focus()
            return True
        return self.table.unmark()

    def action_sort(self) -> None:
        (self.seen if self.seen.has_focus else self.table).sort_next()

    def on_table_sorted(self, event: Table.Sorted) -> None:
        sort = event.lines.sort if isinstance(event.lines, Table) else None
        self.console.say("in the order given" if sort is None else sort.words)
        if event.lines is self.table:
            self._keep()

    def _keep(self) -> None:
        self.workspace.kept.keep("across", {"threshold": self._wanted.threshold, "sort": self.table.order})

    def action_mark(self) -> None:
        if self.table.has_focus:
            self.table.toggle_mark()

    def on_table_marked(self) -> None:
        count = len(self.table.marked)
        self.console.say(f"{count} marked: y and e take those; Esc unmarks" if count else "none marked")

    def find_words(self, words: str) -> None:
        self.table.filter(words, words)

    def copied(self) -> str | None:
        if self.seen.has_focus:
            return self.seen.selected.source if self.seen.selected is not None else None
        rows = self.table.marked or [row for row in (self.table.selected,) if row is not None]
        return "\n".join(row.key for row in rows) or None

    def exports(self) -> list[Exported]:
        document, seen = self._document, self._sightings
        if document is None or not document.memories:
            return []
        rows = self.table.marked or self.table.shown
        name = "memories" if len(rows) == len(document.memories) else f"{len(rows)} memories"
        offered = [Exported(name, ACROSS, lambda: document.model_copy(update={"memories": rows}))]
        if seen is not None:
            offered.append(Exported("conversations", SIGHTINGS, lambda: seen))
        return offered


def _words(document: AcrossDocument) -> str:
    """What is added up, in a line or two."""
    said = f"{counted(document.conversations, 'conversation')}, effects above {document.threshold:g} nats"
    names = [f"{one.name} {one.model if one.url else ''}".strip() for one in document.engines]
    if len(names) > 1:
        return f"{said}. Scored by {', '.join(names)}: nats of different engines do not compare."
    return " · ".join((said, *names))


def _why_empty(document: AcrossDocument) -> str:
    if document.conversations:
        return "No memory was found in the conversations that were scored.\nEsc leads back."
    return (
        "No conversation was scored yet, and the demo is not counted.\n"
        "Each one that is opened and scored is counted from then on; Esc leads back.\n"
        "memscope memories FOLDER --score scores all that are in a folder."
    )
