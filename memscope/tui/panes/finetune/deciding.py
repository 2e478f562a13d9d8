"""The decisions on the responses of one conversation: read, made, undone, in the order of the keys.

What is shown is what is on disk: a decision on its way there is only known not to be offered again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions import triage
from memscope.actions.open import Opened
from memscope.actions.triage import Decision, Undone
from memscope.base.errors import MemscopeError, UsageError
from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.store.database import Database
    from memscope.triage.decisions import Decided, Provenance
    from memscope.tui.background import Task
    from memscope.tui.workspace import Workspace

_READ = "decisions"


class _Read(NamedTuple):
    """What the journal told: which entry was its latest, and what is decided, by subject."""

    latest: int
    decided: Mapping[str, Decided]


class Deciding:
    """`decided`: by message, as it is on disk. `changed` is called when it has been read anew, `failed` with what could
    not be kept. `ready`: it was read once."""

    def __init__(
        self,
        space: Workspace,
        opened: Opened,
        changed: Callable[[], object],
        failed: Callable[[MemscopeError], object],
    ) -> None:
        self.opened = opened
        self.decided: dict[int, Decided] = {}
        self.ready = False
        self.trouble: MemscopeError | None = None
        self._space = space
        self._changed, self._failed = changed, failed
        self._subjects: dict[int, str] = {}
        self._messages: dict[str, int] = {}
        self._latest = -1
        self._task: Task | None = None
        self._on_the_way: list[int] = []
        self._undoing = 0
        self._held: list[Callable[[], object]] = []

    def read(self) -> None:
        """Reads what was decided, unless nothing has changed on disk since; beside the screen."""
        database, conversation, known = self._space.kept.database, self.opened.conversation, self._latest
        under_way = self._task is not None and self._space.background.task(_READ) is self._task
        if under_way or (database is None and self.ready):
            return
        subjects = self._subjects

        def work(_job: Job) -> tuple[dict[int, str], _Read | None]:
            found = subjects or triage.subjects_of(conversation)
            if database is None:
                return found, _Read(0, {})
            latest = triage.latest(database)
            return found, _read(database, found) if latest != known else None

        def done(outcome: tuple[dict[int, str], _Read | None]) -> None:
            self._subjects, read = outcome
            self._messages = {subject: message for message, subject in self._subjects.items()}
            self.trouble = None
            if read is not None:
                self._take(read)

        def failed(error: MemscopeError) -> None:
            if self.trouble is None:  # once, not at every look
                self.trouble = error
                self._failed(error)
                self._changed()

        self._task = self._space.background.start(_READ, "reading decisions", work, done, failed)

    def waits(self, message: int) -> bool:
        """Whether a decision on it is on its way to the disk."""
        return message in self._on_the_way

    def then(self, action: Callable[[], object]) -> None:
        """Does it once every undo that was asked for has been done: until then nobody knows where it leads."""
        if self._undoing:
            self._held.append(action)
        else:
            action()

    def decide(
        self,
        messages: Sequence[int],
        known: Callable[[int], Provenance],
        verdict: triage.Verdict | None = None,
        *,
        edit: bool = False,
        text: str | None = None,
        done: Callable[[], object] = lambda: None,
    ) -> bool:
        """Keeps a verdict on responses, all at once; without one a note, or a changed target, of `text`. False where
        that cannot be."""
        database = self._database()
        if database is None or not self.ready:
            return False
        what = verdict or ("edit" if edit else "note")
        decisions = [Decision(self._subjects[message], what, known(message), text) for message in messages]
        subjects = self._subjects
        self._on_the_way += messages if verdict else []

        def work(_job: Job) -> _Read:
            triage.decide(database, decisions)
            return _read(database, subjects)

        def landed() -> None:
            for message in messages if verdict else ():
                self._on_the_way.remove(message)

        def kept(read: _Read) -> None:
            landed()
            self._take(read)
            done()

        def failed(error: MemscopeError) -> None:
            landed()
            self._failed(error)
            self._changed()

        self._space.background.enqueue("keeping a decision", work, kept, failed)
        return True

    def undo(self, done: Callable[[dict[int, str]], object]) -> None:
        """Takes back the latest step of this conversation; `done` is told what it was, by message."""
        database = self._database()
        if database is None or not self.ready:
            return
        subjects = self._subjects
        self._undoing += 1

        def work(_job: Job) -> tuple[list[Undone], _Read]:
            undone = triage.undo(database, list(subjects.values()))
            return undone, _read(database, subjects)

        def undone(outcome: tuple[list[Undone], _Read]) -> None:
            found, read = outcome
            self._take(read)
            done({self._messages[one.subject]: one.what for one in found if one.subject in self._messages})
            self._go_on()

        def failed(error: MemscopeError) -> None:
            self._failed(error)
            self._go_on()

        self._space.background.enqueue("undoing a decision", work, undone, failed)

    def _go_on(self) -> None:
        self._undoing -= 1
        while self._held and not self._undoing:
            self._held.pop(0)()

    def _take(self, read: _Read) -> None:
        """What was read may come after what was read later."""
        if read.latest < self._latest:
            return
        self._latest = read.latest
        self.decided = {self._messages[subject]: found for subject, found in read.decided.items()}
        self.ready = True
        self._changed()

    def _database(self) -> Database | None:
        """The store; None, and it is said, where there is none."""
        kept = self._space.kept
        if kept.database is None:
            why = f"cannot be used: {kept.trouble}" if kept.trouble else "is off (--no-store)"
            do = "Nothing was decided. Start memscope with a store that can be written."
            self._failed(UsageError(f"decisions are kept in the store, which {why}", do=do))
        return kept.database


def _read(database: Database, subjects: Mapping[int, str]) -> _Read:
    latest = triage.latest(database)
    return _Read(latest, triage.decided(database, list(subjects.values())))
