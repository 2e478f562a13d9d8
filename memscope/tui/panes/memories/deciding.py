"""The decisions on the memories of one conversation: read, made and undone beside the screen, in the order of the keys.

What is shown is what is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from memscope.actions import memory_decisions as actions
from memscope.actions.memory_decisions import KnownThen, Said, Undone
from memscope.base.errors import MemscopeError, UsageError
from memscope.base.job import Job
from memscope.conversation.model import Conversation

if TYPE_CHECKING:
    from memscope.store.database import Database
    from memscope.tui.workspace import Workspace

GROUP = "memory decisions"

Asked = Literal["prune", "keep", "pin", "harmful", "clear"]


class _Read(NamedTuple):
    """What the journal told: the number of its latest entry, and what was said of which memory."""

    latest: int
    said: dict[str, Said]


class Deciding:
    """`said`: of each memory, by key, as it is on disk. `changed` is called when it was read anew, `failed` with what
    could not be kept."""

    def __init__(
        self,
        space: Workspace,
        conversation: Conversation,
        changed: Callable[[], object],
        failed: Callable[[MemscopeError], None],
    ) -> None:
        self.conversation = conversation
        self.said: dict[str, Said] = {}
        self._space = space
        self._changed, self._failed = changed, failed
        self._latest = -1
        self._troubled = False

    def of(self, key: str) -> Said:
        """What was said of a memory."""
        return self.said.get(key, actions.SAID_NOTHING)

    def read(self) -> None:
        """Reads what was decided, here or by somebody else, unless nothing has come to it since."""
        database, known = self._space.kept.database, self._latest
        if database is None or self._space.background.task(GROUP) is not None:
            return

        def work(_job: Job) -> _Read | None:
            return _read(database, self.conversation) if actions.latest_decision(database) != known else None

        def done(read: _Read | None) -> None:
            self._troubled = False
            if read is not None:
                self._take(read)

        def failed(error: MemscopeError) -> None:
            if not self._troubled:  # once, not at every look
                self._troubled = True
                self._failed(error)

        self._space.background.start(GROUP, "reading decisions", work, done, failed)

    def decide(
        self,
        keys: Sequence[str],
        verdict: Asked | None,
        done: Callable[[], object],
        *,
        note: str | None = None,
        known: KnownThen | None = None,
    ) -> None:
        """Keeps a verdict or a note on memories, all at once; `done` is called when it is on disk."""
        database = self._database()
        if database is None:
            return

        def work(_job: Job) -> _Read:
            actions.decide(database, self.conversation, keys, verdict, note=note, known=known)
            return _read(database, self.conversation)

        def kept(read: _Read) -> None:
            self._take(read)
            done()

        self._space.background.enqueue("keeping a decision", work, kept, self._failed)

    def undo(self, done: Callable[[list[Undone]], object]) -> None:
        """Takes back the latest step on memories of the conversation; `done` is told what it was."""
        database = self._database()
        if database is None:
            return

        def work(_job: Job) -> tuple[list[Undone], _Read]:
            return actions.undo_decision(database, self.conversation), _read(database, self.conversation)

        def undone(outcome: tuple[list[Undone], _Read]) -> None:
            self._take(outcome[1])
            done(outcome[0])

        self._space.background.enqueue("undoing a decision", work, undone, self._failed)

    def _take(self, read: _Read) -> None:
        """What was read may come after what was read later."""
        if read.latest >= self._latest:
            self._latest, self.said = read
            self._changed()

    def _database(self) -> Database | None:
        """The store; None, and it is said, where there is none."""
        kept = self._space.kept
        if kept.database is None:
            why = f"cannot be used: {kept.trouble}" if kept.trouble else "is off (--no-store)"
            do = "Nothing was decided. Start memscope with a store that can be written."
            self._failed(UsageError(f"decisions are kept in the store, which {why}", do=do))
        return kept.database


def _read(database: Database, conversation: Conversation) -> _Read:
    latest = actions.latest_decision(database)  # first: what comes meanwhile is read again
    return _Read(latest, actions.said_of(database, conversation))
