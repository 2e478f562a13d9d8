"""What is done with the file: episodes recorded, rules derived and kept, and the latest of that taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from memscope.actions import lessons_steps
from memscope.actions.lessons import read_episode_file, read_episodes
from memscope.base.errors import MemscopeError, StoreError, UsageError
from memscope.base.files import shown_path
from memscope.reports.lessons import due_words
from memscope.reports.lessons_change import LessonsChangeDocument, change_words
from memscope.tui.keys import key
from memscope.tui.pane import PaneScreen
from memscope.tui.panes.lessons.asking import ask_episodes, ask_kept, file_in
from memscope.tui.panes.lessons.consolidating import Consolidating
from memscope.tui.panes.lessons.watching import Watching

if TYPE_CHECKING:
    from memscope.actions.consolidation import Proposal
    from memscope.actions.lessons_steps import Undone
    from memscope.actions.lessons_watch import Read
    from memscope.tui.background import Task
    from memscope.tui.panes.lessons.rows import TaskRow

Changed = tuple[LessonsChangeDocument, StoreError | None]
"""What was changed, and why it cannot be taken back; None where it can."""


class Acting(PaneScreen):
    """The part of the pane that changes the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("lessons.record", "a", "record", "Record", "Record an episode"),
        key("lessons.consolidate", "c", "consolidate", "Consolidate", "Derive general rules from the last episodes"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.watching: Watching | None = None
        self.consolidating: Consolidating | None = None
        self._typed = ""  # what could not be recorded
        self._waits: Proposal | None = None  # derived while a person was elsewhere

    @property
    def row(self) -> TaskRow | None:
        """The row under the cursor."""
        raise NotImplementedError

    @property
    def read(self) -> Read | None:
        """What the file held when it could be read last."""
        return self.watching.read if self.watching is not None else None

    def _ready(self) -> Read | None:
        """What is in the file, to be changed; None, which is said, where that is not known."""
        watching = self.watching
        if watching is not None and watching.trouble is not None:
            words = f"nothing is written to a file that cannot be read: {watching.trouble.what}"
            self.console.say(words, "warning")
            return None
        if self.read is None:
            self.console.say("the file is being read")
        return self.read

    def _change(self, name: str, work: Callable[[Path], Changed], lost: Callable[[], object] = lambda: None) -> None:
        """Changes the file, behind what was asked for before; `lost` is called where that failed."""
        watching = self.watching
        assert watching is not None
        path = watching.path

        def done(changed: Changed) -> None:
            document, trouble = changed
            back = "u takes it back" if trouble is None else f"it cannot be taken back: {trouble.what}"
            words = f"{change_words(document)}; {back}" if document.written else "nothing was written: it is as it was"
            self.console.say(words, "warning" if trouble is not None and document.written else "")
            watching.look()

        def failed(error: MemscopeError) -> None:
            lost()
            self.console.tell_error(error)
            watching.look()

        self.console.say(f"{name} …")
        self.workspace.background.enqueue(name, lambda _: work(path), done, failed)

    # Recording.

    def action_record(self) -> None:
        if self._ready() is not None:
            ask_episodes(self.console, self.row.name if self.row is not None else None, self._typed, self._record)

    def _record(self, text: str) -> None:
        settings, database = self.workspace.settings, self.workspace.kept.database
        source = file_in(text)
        self._typed = ""

        def work(path: Path) -> Changed:
            episodes = read_episodes(text) if source is None else read_episode_file(source)
            if not episodes:
                raise UsageError("there is no episode in it", where=source)
            return lessons_steps.record(path, episodes, settings, database)

        def lost() -> None:
            self._typed = text

        self._change("recording", work, lost)

    # Deriving rules.

    def action_consolidate(self) -> None:
        read, consolidating = self._ready(), self.consolidating
        if read is None or consolidating is None:
            return
        waits, self._waits = self._waits, None
        if waits is not None and waits.path == read.lessons.path and waits.before == read.lessons.memory:
            self.derived(waits)
        elif not read.document.episodes:
            self.console.say("there is no episode in the log to derive rules from; a records one")
        else:
            consolidating.ask(read.lessons)

    def derived(self, proposal: Proposal) -> None:
        """Rules were proposed: a person looks at them, unless that is over another question."""
        read, consolidating = self.read, self.consolidating
        if read is None or consolidating is None or proposal.path != read.lessons.path:
            self.console.say(f"the rules for {shown_path(proposal.path)} were dropped: another file is shown")
            return
        if not proposal.rules:
            why = f"; {proposal.trouble}" if proposal.trouble else ""
            words = f"no rules were derived, nothing was written: no episode with a summary scored high{why}"
            self.console.say(words, "warning")
        elif self.console.screen is not self:
            self._waits = proposal
            self.console.say("rules were derived; c in Lessons shows them")
        else:
            due = "" if read.document.due else due_words(read.document)
            ask_kept(
                *(self.console, proposal, due),
                keep=lambda: self._keep(proposal),
                turn_down=lambda: consolidating.refused(proposal),
            )

    def _keep(self, proposal: Proposal) -> None:
        database = self.workspace.kept.database
        self._change("keeping the rules", lambda _: lessons_steps.keep(proposal, database))

    @property
    def running(self) -> Task | None:
        return (self.consolidating.task if self.consolidating is not None else None) or super().running

    def action_cancel(self) -> None:
        if self.consolidating is None or not self.consolidating.cancel():
            super().action_cancel()

    # Taking back.

    def action_undo(self) -> None:
        watching, database = self.watching, self.workspace.kept.database
        if watching is None:
            return
        if database is None:
            self.console.say("nothing can be taken back: nothing is kept on disk (--no-store)")
            return
        path = watching.path

        def done(undone: Undone | None) -> None:
            if undone is None:
                self.console.say("there is nothing to undo here")
                return
            partly = "; others have written since: that stays" if undone.partly else ""
            self.console.say(f"undone: {undone.what}{partly}")
            watching.look()

        self.workspace.background.enqueue(
            "taking back", lambda _job: lessons_steps.undo(path, database), done, self.console.tell_error
        )
