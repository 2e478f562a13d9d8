"""A session with its score, as every list of sessions has it."""

from __future__ import annotations

from typing import NamedTuple

from memscope.sessions.facts import Facts


class Breakdown(NamedTuple):
    """The five parts of a score, by their names in every document; `sum` of them is the score, 3 to 16."""

    recency: int
    length: int
    repo_unique: int
    outcome: int
    tool_calls: int


class Place(NamedTuple):
    """A conversation: the path of its file, as `os.fsdecode` has it, and its number in there."""

    path: str
    item: int


class RankedSession(NamedTuple):
    """A session, and why it is where it is.

    `facts`: None for a file that could not be read, or holds no conversation (`error`): such rows have no score, and
    stand behind all others. `date`: in seconds since the epoch, and `dated` by what ("name", "message", "file").
    `holder`: who has the bonus of being first for the repositories of this session that it is not the first of: the
    repository's name and the place of the first. `copies`: the same session in other files, and its sub-agents, which
    count once, here. `copy_of`: the place of that row, for a row that is such a copy; None for all that count.
    """

    path: str
    item: int
    format: str
    size: int
    facts: Facts | None
    error: str
    score: int
    parts: Breakdown
    date: float
    dated: str
    holder: tuple[tuple[str, Place], ...] = ()
    copies: tuple[Place, ...] = ()
    copy_of: Place | None = None

    @property
    def place(self) -> Place:
        return Place(self.path, self.item)

    @property
    def is_failure(self) -> bool:
        return self.facts is not None and self.facts.failure is not None
