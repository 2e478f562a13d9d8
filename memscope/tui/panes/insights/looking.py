"""The part of the pane that reads: which files and folders, anew, and what was read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType

from memscope.actions.open import is_demo
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.files import shown_path
from memscope.tui.inputs import first_inputs
from memscope.tui.keys import key
from memscope.tui.panes.insights.acting import Acting
from memscope.tui.panes.insights.asking import ask_inputs
from memscope.tui.panes.insights.reading import Looked, Reading, Where
from memscope.tui.panes.insights.told import HELPS, READING, what_was_read

if TYPE_CHECKING:
    from memscope.tui.background import Task


class Looking(Acting):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("insights.inputs", "o", "inputs", "Folder", "Read another folder, or a file"),
        key("insights.own", "c", "own", "This one", "Read the open conversation alone, or the others", show=False),
        key("insights.again", "R", "read_again", "Read again", "Read all of it again", show=False),
        key("insights.left", "i", "left_out", "Left out", "What was read, left out, or could not be", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.reading: Reading | None = None
        self.where = Where()
        self._others: tuple[Path, ...] = ()  # what was read before a conversation alone
        self._inputs_kept: object = None  # what was read the time before

    @property
    def is_reading(self) -> bool:
        coming = self.deciding is not None and self.deciding.is_coming
        return coming or (self.reading is not None and self.reading.task is not None)

    def tell_head(self) -> None:
        """What is read may be another."""
        raise NotImplementedError

    def keep(self) -> None:
        """Keeps how the pane is looked at."""
        raise NotImplementedError

    # What is kept.

    def begin(self, kept: Mapping[str, Any]) -> None:
        """What was read the time before, here or by the pane of the sessions."""
        self._inputs_kept = kept.get("inputs")
        self.where = Where(first_inputs(self.console, self._inputs_kept))

    def kept(self) -> dict[str, Any]:
        """The same, to be kept. A folder that the console was opened for is read this once, and so is the conversation
        that is open."""
        inputs = [os.fspath(one) for one in (self.where.inputs if self.where.item is None else self._others)]
        return {"inputs": inputs if self.console.folder is None else self._inputs_kept}

    # Reading.

    def read(self) -> None:
        """Reads what sessions teach."""
        if self.reading is not None:
            self.table.empty = READING
            self.reading.start(self.where)
            self._told()

    def found(self, looked: Looked) -> None:
        """All of it was read."""
        if looked.observed.trouble:
            self.console.say(f"not all of it was kept: {looked.observed.trouble}", "warning")
        if self.deciding is not None:
            self.deciding.show(looked)
        self._told()

    def not_found(self, error: MemscopeError) -> None:
        """It ended before."""
        stopped = isinstance(error, Cancelled)
        if not self.table.rows:
            self.table.empty = "It was not read to the end.\nR reads again." if stopped else f"{error}\n{HELPS}"
        if stopped:
            self.console.say("the reading was stopped; R begins it again")
        else:
            self.console.tell_error(error)
        self._told()

    def _told(self) -> None:
        self.tell_head()
        self.detail.due()
        self.refresh_bindings()

    def action_read_again(self) -> None:
        self.read()

    @property
    def running(self) -> Task | None:
        tasks = (part.task for part in (self.synthesizing, self.reading) if part is not None)
        return next(filter(None, tasks), None) or super().running

    def action_cancel(self) -> None:
        if not any(part.cancel() for part in (self.synthesizing, self.reading) if part is not None):
            super().action_cancel()

    # What is read.

    def action_inputs(self) -> None:
        ask_inputs(self.console, self.where.inputs, self._read_in)

    def _read_in(self, inputs: tuple[Path, ...], item: int | None = None) -> None:
        self.where = Where(inputs, item)
        self.keep()
        self.read()

    @property
    def own(self) -> Where | None:
        """Where the conversation that is open stands; None where there is none of a file, as of the demo."""
        opened = self.workspace.opened
        source = opened.conversation.source if opened is not None else None
        if opened is None or source is None or is_demo(opened.opening):
            return None
        return Where((source.path.absolute(),), source.item)

    def action_own(self) -> None:
        if (own := self.own) is None:
            self.console.say("no conversation of a file is open")
        elif self.where == own:
            self._read_in(self._others)
        else:
            if self.where.item is None:
                self._others = self.where.inputs
            number = f", conversation {own.item + 1}," if own.item else ""
            self.console.say(f"reading {shown_path(own.inputs[0])}{number} alone; c reads the others again")
            self._read_in(own.inputs, own.item)

    def folders(self) -> list[Path]:
        """Where was read what is shown."""
        from memscope.actions.scan import session_folders

        looked = self.deciding.found.looked if self.deciding is not None else None
        inputs = looked.where.inputs if looked is not None else ()
        return list(inputs) if inputs else session_folders(self.workspace.settings)

    def action_left_out(self) -> None:
        observed = self.deciding.found.observed if self.deciding is not None else None
        if observed is None:
            self.console.say("nothing was read yet")
            return
        from memscope.tui.dialogs.whole import Whole

        self.console.push_screen(Whole("What was looked at", [*what_was_read(observed, self.folders())]))
