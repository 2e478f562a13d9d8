"""What is done with the file: episodes recorded, rules derived and kept, and the latest of that taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import BindingType

from memscope.actions import lessons_steps
from memscope.actions.lessons import read_episode_file, read_episodes
from memscope.base.errors import Cancelled, MemscopeError, StoreError, UsageError
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
    from memscope.base.job import Job
    from memscope.tui.background import Task
    from memscope.tui.panes.lessons.rows import TaskRow

Result = TypeVar("Result")
Wait = Callable[[], object]
"""Called again and again while another program changes the file."""

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
        self._changes: list[Task] = []  # of the file, that are not done yet

    @property
    def row(self) -> TaskRow | None:
        """The row under the cursor."""
        raise NotImplementedError

    def told(self) -> None:
        """Tells what is to be done with the file, once that is something else."""
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

    def _change(
        self, name: str, work: Callable[[Path, Wait], Changed], lost: Callable[[], object] = lambda: None
    ) -> None:
        """Changes the file, behind what was asked for before; `lost` is called where that failed."""

        def done(changed: Changed) -> None:
            document, trouble = changed
            back = "u takes it back" if trouble is None else f"it cannot be taken back: {trouble.what}"
            words = f"{change_words(document)}; {back}" if document.written else "nothing was written: it is as it was"
            self.console.say(words, "warning" if trouble is not None and document.written else "")

        self.console.say(f"{name} …")
        self._enqueue(name, work, done, lost)

    def _enqueue(
        self,
        name: str,
        work: Callable[[Path, Wait], Result],
        done: Callable[[Result], object],
        lost: Callable[[], object] = lambda: None,
    ) -> None:
        """Works on the file that is shown. While it waits for another program to be done with that, it says so, and can
        be cancelled; a change that is under way cannot."""
        watching = self.watching
        assert watching is not None
        path = watching.path

        def begin(job: Job) -> Result:
            def wait() -> None:
                job.progress(0, doing=f"{name}: waiting for another program")
                job.check()

            job.check()  # it may have been cancelled before its turn came
            return work(path, wait)

        def ended() -> None:
            self._changes.remove(task)
            self.refresh_bindings()
            watching.look()

        def succeeded(result: Result) -> None:
            ended()
            done(result)

        def failed(error: MemscopeError) -> None:
            ended()
            lost()
            if isinstance(error, Cancelled):
                self.console.say(f"{name} was stopped; nothing was written")
            else:
                self.console.tell_error(error)

        task = self.workspace.background.enqueue(name, begin, succeeded, failed)
        self._changes.append(task)
        self.refresh_bindings()

    # Recording.

    def action_record(self) -> None:
        if self._ready() is not None:
            ask_episodes(self.console, self.row.name if self.row is not None else None, self._typed, self._record)

    def _record(self, text: str) -> None:
        settings, database = self.workspace.settings, self.workspace.kept.database
        source = file_in(text)
        self._typed = ""

        def work(path: Path, wait: Wait) -> Changed:
            episodes = read_episodes(text) if source is None else read_episode_file(source)
            if not episodes:
                raise UsageError("there is no episode in it", where=source)
            return lessons_steps.record(path, episodes, settings, database, wait)

        def lost() -> None:
            self._typed = text

        self._change("recording", work, lost)

    # Deriving rules.

    def action_consolidate(self) -> None:
        read, consolidating = self._ready(), self.consolidating
        if read is None or consolidating is None:
            return
        if self._waits is not None and self.has_waiting:
            waits, self._waits = self._waits, None
            self.derived(waits)
            self.told()
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
            since = "no episode since the last consolidation scored high and has a summary"
            words = f"no rules were derived, nothing was written: {since}{why}"
            self.console.say(words, "warning")
        elif self.console.screen is not self:
            self._waits = proposal
            self.told()
            self.console.say("rules were derived; c in Lessons shows them")
        else:
            due = "" if read.document.due else due_words(read.document)
            ask_kept(
                *(self.console, proposal, read.lessons, due),
                keep=lambda: self._keep(proposal),
                turn_down=lambda: consolidating.refused(proposal),
            )

    def _keep(self, proposal: Proposal) -> None:
        database = self.workspace.kept.database
        self._change("keeping the rules", lambda _, wait: lessons_steps.keep(proposal, database, wait))

    @property
    def has_waiting(self) -> bool:
        """Whether there are rules for this file that a person has not seen."""
        return self._waits is not None and self.watching is not None and self._waits.path == self.watching.path

    @property
    def running(self) -> Task | None:
        asked = self.consolidating.task if self.consolidating is not None else None
        return asked or next(iter(self._changes), None) or super().running

    def action_cancel(self) -> None:
        running = self.running
        if running is None or not self.workspace.background.cancel(running.group):
            super().action_cancel()

    # Taking back.

    def action_undo(self) -> None:
        watching, database = self.watching, self.workspace.kept.database
        if watching is None:
            return
        if database is None:
            self.console.say("nothing can be taken back: nothing is kept on disk (the setting store)")
            return

        def done(undone: Undone | None) -> None:
            if undone is None:
                self.console.say("there is nothing to undo here")
                return
            if undone.gone:
                self.console.say(f"{undone.what} are not in the file any more: others took them out", "warning")
                return
            partly = "; others have written since: that stays" if undone.partly else ""
            self.console.say(f"undone: {undone.what}{partly}")

        self._enqueue("taking back", lambda path, wait: lessons_steps.undo(path, database, wait), done)
