"""The decisions on the memories of one conversation; see `memscope.tui.deciding`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from memscope.actions import memory_decisions as actions
from memscope.actions.memory_decisions import KnownThen, Said, Undone
from memscope.base.errors import MemscopeError
from memscope.base.text import counted
from memscope.conversation.model import Conversation
from memscope.tui.deciding import Deciding

if TYPE_CHECKING:
    from memscope.store.database import Database
    from memscope.tui.workspace import Workspace

Asked = Literal["prune", "keep", "pin", "harmful", "clear"]


class MemoryDeciding(Deciding[str, dict[str, Said]]):
    """`said`: of each memory, by key, as it is on disk."""

    def __init__(
        self,
        space: Workspace,
        conversation: Conversation,
        changed: Callable[[], object],
        failed: Callable[[MemscopeError, Sequence[str]], object],
    ) -> None:
        super().__init__(space, "memory decisions", changed, failed)
        self.conversation = conversation
        self.said: dict[str, Said] = {}

    def latest(self, database: Database) -> int:
        return actions.latest_decision(database)

    def look(self, database: Database | None) -> dict[str, Said]:
        return {} if database is None else actions.said_of(database, self.conversation)

    def take(self, found: dict[str, Said]) -> None:
        self.said = found

    def of(self, key: str) -> Said:
        """What was said of a memory."""
        return self.said.get(key, actions.SAID_NOTHING)

    def verdict(self, key: str) -> str:
        """The verdict on a memory once all that is on its way is kept; "" for none."""
        coming = self.coming(key)
        return self.of(key).verdict if not coming else "" if coming == actions.CLEAR else coming

    def decide(self, keys: Sequence[str], verdict: Asked, known: KnownThen, done: Callable[[], object]) -> bool:
        """Keeps a verdict on memories, all at once; `done` is called when it is on disk."""
        were = "was" if len(keys) == 1 else "were"
        return self._keep(
            keys,
            verdict,
            f"{named(keys)} {were} not decided",
            lambda database: actions.decide(database, self.conversation, keys, verdict, known=known),
            done,
        )

    def note(self, keys: Sequence[str], text: str, done: Callable[[], object]) -> bool:
        """The same for a note."""
        return self._keep(
            keys,
            "",
            f"the note on {named(keys)} was not kept",
            lambda database: actions.decide(database, self.conversation, keys, None, note=text),
            done,
        )

    def undo(self, done: Callable[[list[Undone]], object]) -> None:
        """Takes back the latest step on memories of the conversation; `done` is told what it was."""
        self._undo(lambda database: actions.undo_decision(database, self.conversation), done)


def named(keys: Sequence[str]) -> str:
    """Memories in a sentence: the one by its key."""
    return keys[0] if len(keys) == 1 else counted(len(keys), "memory", "memories")
