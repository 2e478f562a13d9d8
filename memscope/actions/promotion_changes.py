"""What is said of a pattern before a skill is made of it: another name, fewer messages, another text. It is checked as
a whole first, and kept then: what cannot be leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memscope.actions import promoting
from memscope.actions.promotion_decisions import left, name_of
from memscope.base.errors import UsageError

if TYPE_CHECKING:
    from memscope.actions.promotion_decisions import Said
    from memscope.promotion.pattern import Member, Pattern
    from memscope.store.database import Database


@dataclass(frozen=True, slots=True)
class Change:
    """Another `name` or `text` ("" for the one it has by default, None for none), and members that are `dropped`."""

    name: str | None = None
    text: str | None = None
    dropped: tuple[Member, ...] = ()


def changed(pattern: Pattern, said: Said, change: Change) -> Said:
    """What was said of the pattern with the change; nothing is kept. Raises `UsageError` for a name that no skill can
    have, and where no message would be left."""
    promoting.check_name(change.name or "")
    dropped = said.dropped | set(map(name_of, change.dropped))
    if change.dropped and not left(pattern, dropped):
        raise UsageError("no message of this pattern would be left", do="Reject it, or drop fewer.")
    name = said.name if change.name is None else change.name
    return replace(said, name=name, text=said.text if change.text is None else change.text, dropped=dropped)


def keep(database: Database, pattern: Pattern, change: Change) -> None:
    """Keeps the change, each part as a step of its own. Raises `StoreError`, and `UsageError` as `changed` does."""
    if change.name is not None:
        promoting.rename(database, pattern, change.name)
    if change.dropped:
        promoting.drop(database, pattern, change.dropped)
    if change.text is not None:
        promoting.rewrite(database, pattern, change.text)
