"""What is decided about insights, kept in the journal: which are kept, which went for others, which nobody wants.

An insight is known by its name, that is by its kind and its words. Its state is what was decided of it last, so that an
undo brings back whatever was there before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from memscope.base.clock import now
from memscope.base.errors import UsageError
from memscope.base.text import counted
from memscope.insights.curation import LEAST, MOST, Curated, Kept, Winner, curate
from memscope.insights.model import Insight
from memscope.insights.written import decoded, encoded
from memscope.reports.insights import State
from memscope.store.database import Database
from memscope.store.journal import Decision, Entry, Journal

KIND = "insight"

_FEWEST = 6  # signs of a name

KEEP, LEAVE, DROP = "keep", "leave", "drop"


@dataclass(frozen=True)
class Standing:
    """What is decided: the insights `kept`, in the order they were kept, and the names of those `dropped`, which are
    not to be offered again."""

    kept: tuple[Kept, ...] = ()
    dropped: frozenset[str] = frozenset()

    def state_of(self, name: str) -> State:
        """What was decided of the insight of this name."""
        return "dropped" if name in self.dropped else "kept" if name in self._kept_names else "new"

    @cached_property
    def _kept_names(self) -> frozenset[str]:
        return frozenset(one.insight.name for one in self.kept)


NOTHING = Standing()


class Undone(NamedTuple):
    """A step that was taken back: of which insights, by their names, and `what` it was in words."""

    names: tuple[str, ...]
    what: str


def standing(database: Database) -> Standing:
    """What is decided about all insights; what cannot be read, or another version wrote, is passed over. Raises
    `StoreError`."""
    kept: list[tuple[int, Kept]] = []
    dropped: set[str] = set()
    for name, entries in Journal(database).all_entries(KIND).items():
        last = next((entry for entry in reversed(entries) if entry.verdict in (KEEP, LEAVE, DROP)), None)
        if last is None or last.verdict == LEAVE:
            continue
        if last.verdict == DROP:
            dropped.add(name)
            continue
        insight = decoded(last.payload)
        if insight is not None and insight.name == name:  # or else it could not be dropped
            kept.append((last.id, Kept(insight, last.at)))
    kept.sort(key=lambda one: one[0])
    return Standing(tuple(one for _, one in kept), frozenset(dropped))


def keep(database: Database, insights: Sequence[Insight], *, winner: Winner, most: int = MOST) -> Curated:
    """Keeps insights beside those that are kept, as `curate` has it, and returns what became of them; what they stand
    for, and what is too much, leaves with the same step. One that was dropped before is kept. Where they say nothing
    new, nothing is written. Raises `StoreError`; nothing is kept then.

    Of two processes that keep at the same moment neither sees what the other adds; the next one to keep does.
    """
    before = standing(database).kept
    done = curate(insights, before, now(), winner=winner, most=most)
    stay = {one.insight.name for one in done.kept}
    stands_for = {old.insight.name: by.insight.name for old, by in done.replaced}
    decisions: list[Decision] = [(one.insight.name, KEEP, encoded(one.insight)) for one in done.added]
    for name in (one.insight.name for one in before):
        if name not in stay:
            decisions.append((name, LEAVE, {"for": stands_for.get(name)}))
    if decisions:
        Journal(database).add_all(KIND, decisions)
    return done


def kept_words(done: Curated) -> str:
    """What became of insights that were to be kept, in words."""
    told = [f"{counted(len(done.added), 'insight')} kept"]
    told += [f"{len(done.replaced):,} replaced"] if done.replaced else []
    told += [f"{len(done.repeated):,} said already"] if done.repeated else []
    told += [f"{len(done.weak):,} below a confidence of {LEAST:g}"] if done.weak else []
    told += [f"{len(done.left):,} left, for there is room for {MOST}"] if done.left else []
    return ", ".join(told)


def named(database: Database, beginning: str) -> Insight:
    """The insight that is kept under a name which begins so. Raises `UsageError` where there is none, or several."""
    found = [one.insight for one in standing(database).kept if one.insight.name.startswith(beginning)]
    if len(beginning) < _FEWEST or len(found) != 1:
        what = "several insights are" if len(found) > 1 else "no insight is"
        do = f"Name at least {_FEWEST} signs of it, as --kept --json has it."
        raise UsageError(f"{what} kept under a name that begins with {beginning!r}", do=do)
    return found[0]


def drop(database: Database, insights: Iterable[Insight]) -> int:
    """Decides that nobody wants these insights: they are kept no more, and not to be offered again. Returns of how many
    that is new. Raises `StoreError`; nothing is decided then."""
    dropped = standing(database).dropped
    chosen = {one.name: one for one in insights if one.name not in dropped}
    if chosen:
        Journal(database).add_all(KIND, [(name, DROP, encoded(one)) for name, one in chosen.items()])
    return len(chosen)


def undo(database: Database, names: Iterable[str] | None = None) -> Undone | None:
    """Takes back the latest step on any of the insights of these names (None: of any at all), with whatever else was
    decided in it. None: there is nothing to undo. Raises `StoreError`."""
    entries = Journal(database).undo_step(KIND, None if names is None else list(names))
    if not entries:
        return None
    return Undone(tuple(dict.fromkeys(entry.subject for entry in entries)), _words(entries))


def latest(database: Database) -> int:
    """A number that grows with every decision and undo, of any process. Raises `StoreError`."""
    return Journal(database).latest(KIND)


def _words(entries: Sequence[Entry]) -> str:
    counts = Counter(entry.verdict for entry in entries)
    if counts[DROP]:
        return f"dropping {counted(counts[DROP], 'insight')}"
    if counts[KEEP]:
        gone = f", for which {counts[LEAVE]:,} left" if counts[LEAVE] else ""
        return f"keeping {counted(counts[KEEP], 'insight')}{gone}"
    return f"letting {counted(counts[LEAVE], 'insight')} go" if counts[LEAVE] else "a decision"
