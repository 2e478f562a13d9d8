"""The insights there are, how they stand, and what a person decides of them; see `memscope.tui.deciding`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions import insight_decisions
from memscope.actions.insight_decisions import NOTHING
from memscope.actions.insight_rows import Listed, beside, listed
from memscope.tui.deciding import Deciding

if TYPE_CHECKING:
    from memscope.actions.insight_decisions import Undone
    from memscope.actions.insights import Observed
    from memscope.base.errors import MemscopeError
    from memscope.insights.curation import Curated
    from memscope.insights.model import Insight
    from memscope.reports.insights import InsightRow
    from memscope.store.database import Database
    from memscope.tui.panes.insights.reading import Looked
    from memscope.tui.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was `looked` at, None before anything was; and what a chat model made of that, or said, since the console
    was opened (`said`)."""

    looked: Looked | None = None
    said: tuple[Insight, ...] = ()

    @property
    def observed(self) -> Observed | None:
        return self.looked.observed if self.looked is not None else None


class Seen(NamedTuple):
    """What was found, and how all of it stood when that was read."""

    found: Found
    listed: Listed


class InsightDeciding(Deciding[str, Seen]):
    """The decisions on insights, by name. `seen`: None until they were read once."""

    def __init__(
        self,
        space: Workspace,
        changed: Callable[[], object],
        failed: Callable[[MemscopeError, Sequence[str]], object],
    ) -> None:
        super().__init__(space, "insight decisions", changed, failed)
        self.seen: Seen | None = None
        self._found = Found()
        self._merged: tuple[Found, str, tuple[Insight, ...]] | None = None  # without repeats, by which winner

    @property
    def found(self) -> Found:
        """The latest, which may not be among the rows yet."""
        return self._found

    @property
    def is_coming(self) -> bool:
        """Whether something was looked at which is not among the rows yet, and will be."""
        return self.seen is not None and self.trouble is None and self.seen.found.looked is not self._found.looked

    def show(self, looked: Looked) -> None:
        """Reads how what was looked at stands; the rows of before stay until that is known."""
        self._look_at(Found(looked, self._found.said))

    def add(self, insights: Sequence[Insight]) -> None:
        """The same for what a chat model said."""
        self._look_at(Found(self._found.looked, (*self._found.said, *insights)))

    def _look_at(self, found: Found) -> None:
        self._found = found
        self.read_anew()

    def read(self) -> None:
        if not self._steps:  # a step reads all of it itself once it is on disk
            super().read()

    def latest(self, database: Database) -> int:
        return insight_decisions.latest(database)

    def look(self, database: Database | None) -> Seen:
        found = self._found
        standing = insight_decisions.standing(database) if database is not None else NOTHING
        return Seen(found, listed(self._without_repeats(found), standing))

    def _without_repeats(self, found: Found) -> tuple[Insight, ...]:
        """Found once for all looks."""
        settings = self._space.settings
        known, winner = self._merged, settings.insight_winner
        if known is None or known[0] is not found or known[1] != winner:
            distinct = found.looked.distinct if found.looked is not None else ()
            self._merged = known = found, winner, beside(distinct, found.said, settings)
        return known[2]

    def take(self, found: Seen) -> None:
        self.seen = found
        if found.found is not self._found:
            self.read_anew()  # it was read for a decision, while others were found

    # What is known.

    @property
    def rows(self) -> Sequence[InsightRow]:
        return self.seen.listed.rows if self.seen is not None else ()

    @property
    def insights(self) -> Mapping[str, Insight]:
        """By name."""
        return self.seen.listed.insights if self.seen is not None else {}

    # What is decided.

    def keep(self, names: Sequence[str], done: Callable[[Curated], object]) -> bool:
        """Keeps insights; `done` is told what became of them. False where that cannot be."""
        insights, winner = [self.insights[name] for name in names], self._space.settings.insight_winner
        curated: list[Curated] = []

        def work(database: Database) -> None:
            curated.append(insight_decisions.keep(database, insights, winner=winner))

        return self._keep(names, "keep", _lost(names, "kept"), work, lambda: done(curated[0]))

    def drop(self, names: Sequence[str], done: Callable[[], object]) -> bool:
        """Drops insights. False where that cannot be."""
        insights = [self.insights[name] for name in names]

        def work(database: Database) -> None:
            insight_decisions.drop(database, insights)

        return self._keep(names, "drop", _lost(names, "dropped"), work, done)

    def undo(self, done: Callable[[Undone | None], object]) -> None:
        """Takes back the latest step on insights, wherever it was made."""
        self._undo(insight_decisions.undo, done)


def _lost(names: Sequence[str], verb: str) -> str:
    return f"the insight was not {verb}" if len(names) == 1 else f"{len(names):,} insights were not {verb}"
