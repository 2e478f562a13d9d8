"""What is decided about insights, kept in the journal: which are kept, which went for others, which nobody wants.

An insight is known by its name, that is by its kind and its words. Its state is what was decided of it last, so that an
undo brings back whatever was there before. What nobody wants is known again by its likeness too, as curation has it:
the words of a rule hold a number that grows as the session goes on.
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
from memscope.insights.model import Insight, Kind
from memscope.insights.similar import AlikeIndex
from memscope.insights.written import decoded, encoded
from memscope.reports.insights import State
from memscope.store.database import Database
from memscope.store.journal import Decision, Entry, Journal

KIND = "insight"

_FEWEST = 6  # signs of a name

KEEP, LEAVE, DROP = "keep", "leave", "drop"


@dataclass(frozen=True)
class Standing:
    """What is decided: the insights `kept`, in the order they were kept; and the names of those `dropped`, which are
    not to be offered again. `unwanted`: these as they were when they were dropped, and since when, but for what of them
    cannot be read."""

    kept: tuple[Kept, ...] = ()
    dropped: frozenset[str] = frozenset()
    unwanted: tuple[Kept, ...] = ()

    def state_of(self, insight: Insight) -> State:
        """What was decided of the insight, or else whether it says the same as one of its kind that is unwanted."""
        name = insight.name
        if name in self.dropped:
            return "dropped"
        if name in self._kept_names:
            return "kept"
        return "dropped" if self._says_what_is_unwanted(insight) else "new"

    def _says_what_is_unwanted(self, insight: Insight) -> bool:
        """Of what says the same and was kept, or dropped, the last decision counts."""
        unwanted = self._unwanted_by_kind.latest(insight)
        return unwanted is not None and (self._kept_by_kind.latest(insight) or -1.0) < unwanted

    @cached_property
    def _kept_names(self) -> frozenset[str]:
        return frozenset(one.insight.name for one in self.kept)

    @cached_property
    def _unwanted_by_kind(self) -> _Alike:
        return _Alike(self.unwanted)

    @cached_property
    def _kept_by_kind(self) -> _Alike:
        return _Alike(self.kept)


class _Alike:
    """What was decided, to be found by what says the same."""

    def __init__(self, decided: Iterable[Kept]) -> None:
        self._of_kind: dict[Kind, tuple[AlikeIndex, list[float]]] = {}
        for one in decided:
            index, times = self._of_kind.setdefault(one.insight.kind, (AlikeIndex(), []))
            index.add(one.insight.text)
            times.append(one.at)

    def latest(self, insight: Insight) -> float | None:
        """When that was decided last of what is of the same kind and says the same; None: never."""
        index, times = self._of_kind.get(insight.kind, _NONE)
        return max((times[number] for number in index.find(insight.text)), default=None)


_NONE: tuple[AlikeIndex, list[float]] = AlikeIndex(), []

NOTHING = Standing()


class Undone(NamedTuple):
    """A step that was taken back: of which insights, by their names, and `what` it was in words."""

    names: tuple[str, ...]
    what: str


def standing(database: Database) -> Standing:
    """What is decided about all insights; what cannot be read, or another version wrote, is passed over. Raises
    `StoreError`."""
    kept: list[tuple[int, Kept]] = []
    unwanted: list[tuple[int, Kept]] = []
    dropped: set[str] = set()
    for name, entries in Journal(database).all_entries(KIND).items():
        last = next((entry for entry in reversed(entries) if entry.verdict in (KEEP, LEAVE, DROP)), None)
        if last is None or last.verdict == LEAVE:
            continue
        if last.verdict == DROP:
            dropped.add(name)
        insight = decoded(last.payload)
        if insight is not None and insight.name == name:  # or else it could not be dropped
            (unwanted if last.verdict == DROP else kept).append((last.id, Kept(insight, last.at)))
    return Standing(_in_order(kept), frozenset(dropped), _in_order(unwanted))


def _in_order(decided: list[tuple[int, Kept]]) -> tuple[Kept, ...]:
    return tuple(one for _, one in sorted(decided, key=lambda one: one[0]))


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
    told += [f"{len(done.left):,} kept before left, for there is room for {MOST}"] if done.left else []
    told += [f"{len(done.outside):,} found no room among {MOST}"] if done.outside else []
    return ", ".join(told)


def named(database: Database, beginnings: Iterable[str], found: Iterable[Insight] | None = None) -> list[Insight]:
    """The insights of which each has a name that begins so, among those that were `found`; None: among what is kept.
    Raises `UsageError` where there is none, or several."""
    how, lists = ("kept", "--kept --json") if found is None else ("found", "--json")
    known = {one.name: one for one in ((one.insight for one in standing(database).kept) if found is None else found)}
    chosen: list[Insight] = []
    for beginning in beginnings:
        names = [name for name in known if name.startswith(beginning)]
        if len(beginning) < _FEWEST or len(names) != 1:
            what = "several insights are" if len(names) > 1 else "no insight is"
            do = f"Name at least {_FEWEST} signs of it, as {lists} has it."
            raise UsageError(f"{what} {how} under a name that begins with {beginning!r}", do=do)
        chosen.append(known[names[0]])
    return chosen


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
        back = f"; {counts[LEAVE]:,} that left for that {_is(counts[LEAVE])} back" if counts[LEAVE] else ""
        return f"keeping {counted(counts[KEEP], 'insight')}{back}"
    return f"letting {counted(counts[LEAVE], 'insight')} go" if counts[LEAVE] else "a decision"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
