"""The decisions on the responses of one conversation; see `memscope.tui.deciding`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions import triage
from memscope.actions.open import Opened
from memscope.actions.triage import Decision, Undone, Verdict
from memscope.base.errors import MemscopeError
from memscope.base.text import counted
from memscope.tui.deciding import Deciding

if TYPE_CHECKING:
    from memscope.store.database import Database
    from memscope.triage.decisions import Decided, Provenance
    from memscope.tui.workspace import Workspace


class _Found(NamedTuple):
    """What decisions on the responses are kept under, by message, and what is decided, by that."""

    subjects: Mapping[int, str]
    decided: Mapping[str, Decided]


class ResponseDeciding(Deciding[int, _Found]):
    """`decided`: by message, as it is on disk. What is on its way there is only known not to be offered again."""

    def __init__(
        self,
        space: Workspace,
        opened: Opened,
        changed: Callable[[], object],
        failed: Callable[[MemscopeError, Sequence[int]], object],
    ) -> None:
        super().__init__(space, "decisions", changed, failed)
        self.opened = opened
        self.decided: dict[int, Decided] = {}
        self._subjects: Mapping[int, str] = {}
        self._messages: dict[str, int] = {}

    def latest(self, database: Database) -> int:
        return triage.latest(database)

    def look(self, database: Database | None) -> _Found:
        subjects = self._subjects or triage.subjects_of(self.opened.conversation)
        return _Found(subjects, {} if database is None else triage.decided(database, list(subjects.values())))

    def take(self, found: _Found) -> None:
        self._subjects = found.subjects
        self._messages = {subject: message for message, subject in found.subjects.items()}
        self.decided = {self._messages[subject]: one for subject, one in found.decided.items()}

    def waits(self, message: int) -> bool:
        """Whether a verdict on it is on its way to the disk."""
        return bool(self.coming(message))

    def decide(
        self,
        messages: Sequence[int],
        known: Callable[[int], Provenance],
        verdict: Verdict,
        done: Callable[[], object] = lambda: None,
    ) -> bool:
        """Keeps a verdict on responses, all at once. False where that cannot be."""
        were = "was" if len(messages) == 1 else "were"
        decisions = [Decision(self._subjects[message], verdict, known(message)) for message in messages]
        return self._keep(
            messages,
            verdict,
            f"{_named(messages)} {were} not decided",
            lambda database: triage.decide(database, decisions),
            done,
        )

    def write(
        self, message: int, known: Provenance, text: str | None, done: Callable[[], object], *, edit: bool
    ) -> bool:
        """Keeps a note of `text`, or a changed target: None takes that back. False where that cannot be."""
        decision = Decision(self._subjects[message], "edit" if edit else "note", known, text)
        return self._keep(
            [message],
            "",
            f"the {'target' if edit else 'note'} of #{message} was not kept",
            lambda database: triage.decide(database, [decision]),
            done,
        )

    def undo(self, done: Callable[[dict[int, str]], object]) -> None:
        """Takes back the latest step of this conversation; `done` is told what it was, by message."""

        def undone(found: list[Undone]) -> None:
            done({self._messages[one.subject]: one.what for one in found if one.subject in self._messages})

        self._undo(lambda database: triage.undo(database, list(self._subjects.values())), undone)


def _named(messages: Sequence[int]) -> str:
    return f"#{messages[0]}" if len(messages) == 1 else counted(len(messages), "response")
