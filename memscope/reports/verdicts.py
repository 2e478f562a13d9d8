"""Verdicts with the numbers behind them: what a memory is to a response, and what it is to a whole conversation."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from memscope.attribution.redundancy import VERDICTS, Pair, Screen, Verdict, pairs, verdicts
from memscope.reports.view import Document, number, signed

MEANINGS: dict[Verdict, str] = {
    "needed": "Needed: no other memory tells it",
    "redundant": "Redundant: alone it would do, and without it others do",
    "together": "Together: it works only with others",
    "suppressor": "Suppressor: the wording is likelier without it",
    "unused": "Unused: with or without it the wording is as likely",
}
_NAMED = 2  # memories that are named in a line


class GroupPart(Document):
    """Memories near each other by their words, this one among them, and the `effect` of all of them at once; `instead`:
    that of this one when the others are gone. In nats, null where it is not known."""

    keys: list[str]
    effect: float | None
    instead: float | None


class VerdictRow(Document):
    """What a memory is to the response `message`. `effect`: of leaving it out; `alone`: of putting it back alone, where
    no other memory is; both in nats. `verdict` is null where one of them is not known. `cutoff`: what an effect had to
    exceed for it, in nats: at least what any text may move under the engine, also where less makes one important."""

    key: str
    message: int
    verdict: Verdict | None
    effect: float | None
    alone: float | None
    group: GroupPart | None
    cutoff: float


class MemorySummary(Document):
    """How often a memory is what, over the responses that come after it; `stand_ins`: memories that stand in for it
    where it is redundant."""

    key: str
    needed: int
    redundant: int
    together: int
    suppressor: int
    unused: int
    stand_ins: list[str]

    @property
    def counts(self) -> dict[Verdict, int]:
        """The verdicts that occur, and how often."""
        return {verdict: count for verdict in VERDICTS if (count := int(getattr(self, verdict)))}

    def words(self) -> str:
        """The same in a line: unused; needed 3, redundant 1 (with KEY); nothing where nothing is known."""
        said = [f"{verdict} {count}" for verdict, count in self.counts.items() if verdict != "unused"]
        if not said:
            return "unused" if self.unused else ""
        if self.stand_ins and self.redundant:
            place = next(place for place, words in enumerate(said) if words.startswith("redundant"))
            said[place] += f" (with {_named(self.stand_ins)})"
        return ", ".join(said)


class VerdictReader:
    """Reads verdicts off a screen, with effects counted from `threshold` nats on, or from what any text may move under
    the engine. Another screen takes another reader. Safe to use from any thread."""

    def __init__(self, screen: Screen, threshold: float) -> None:
        self.screen, self.threshold = screen, threshold
        self._cutoff = screen.cutoff(threshold)
        self._row = {key: row for row, key in enumerate(screen.matrix.keys)}
        self._column = {message: column for column, message in enumerate(screen.matrix.responses)}
        self._group = {row: place for place, rows in enumerate(screen.groups) for row in rows}

    def prepared(self) -> VerdictReader:
        """The same with all found that takes a moment for a large matrix: the verdicts, the pairs, the sums."""
        self.summaries()
        return self

    @cached_property
    def _names(self) -> NDArray[np.str_]:
        return verdicts(self.screen, self.threshold)

    @cached_property
    def pairs(self) -> list[Pair]:
        """The memories that stand in for each other, as far as that was tried."""
        return pairs(self.screen, self.threshold)

    @cached_property
    def _stand_ins(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        keys = self.screen.matrix.keys
        for pair in self.pairs:
            for row in pair.rows:
                found.setdefault(keys[row], []).extend(keys[other] for other in pair.rows if other != row)
        return {key: list(dict.fromkeys(others)) for key, others in found.items()}

    def of(self, key: str, message: int) -> VerdictRow | None:
        """The verdict on a memory for a response; None where the memory comes after it, or they are not here."""
        row, column = self._row.get(key), self._column.get(message)
        if row is None or column is None or not self.screen.reached[row, column]:
            return None
        screen, group = self.screen, None
        place = self._group.get(row)
        if place is not None:
            group = GroupPart(
                keys=[screen.matrix.keys[other] for other in screen.groups[place]],
                effect=number(screen.joint[place, column]),
                instead=number(screen.instead[row, column]),
            )
        return VerdictRow(
            key=key,
            message=message,
            verdict=next((verdict for verdict in VERDICTS if verdict == self._names[row, column]), None),
            effect=number(screen.matrix.effects[row, column]),
            alone=number(screen.alone[row, column]),
            group=group,
            cutoff=float(self._cutoff[column]),
        )

    def rows(self, messages: Iterable[int] | None = None) -> list[VerdictRow]:
        """The verdicts on all memories, for all responses or some, response by response."""
        wanted = self.screen.matrix.responses if messages is None else messages
        found = (self.of(key, message) for message in wanted for key in self.screen.matrix.keys)
        return [row for row in found if row is not None]

    def needed(self, key: str) -> list[int]:
        """The responses that need a memory for itself: no other stands in for it."""
        needed = np.isin(self._names[self._row[key]], ("needed", "together"))
        return [self.screen.matrix.responses[column] for column in np.flatnonzero(needed)]

    def summaries(self, messages: Iterable[int] | None = None) -> list[MemorySummary]:
        """Every memory, in the conversation's order, over all responses or some."""
        if messages is None:
            return self._summaries
        return self._summed(self._names[:, [self._column[message] for message in messages]])

    @cached_property
    def _summaries(self) -> list[MemorySummary]:
        return self._summed(self._names)

    def _summed(self, names: NDArray[np.str_]) -> list[MemorySummary]:
        counts = {verdict: (names == verdict).sum(axis=1).tolist() for verdict in VERDICTS}
        return [
            MemorySummary(
                key=key,
                stand_ins=self._stand_ins.get(key, []),
                **{verdict: of_each[row] for verdict, of_each in counts.items()},
            )
            for row, key in enumerate(self.screen.matrix.keys)
        ]


def memory_verdicts(reader: VerdictReader) -> dict[str, MemorySummary]:
    """What each memory is to the conversation as a whole, by its key."""
    return {summary.key: summary for summary in reader.summaries()}


def verdict_words(row: VerdictRow) -> str:
    """A verdict and the numbers it comes from, in a sentence."""
    if row.verdict is None or row.effect is None or row.alone is None:
        return ""
    alone = f"{signed(row.alone)} nats alone"
    group = row.group
    others = [key for key in group.keys if key != row.key] if group is not None else []
    if row.verdict == "needed":
        return f"needed: {alone}, and no other tells it"
    if row.verdict == "together":
        return f"together: {alone}, so it works only with others"
    if row.verdict == "suppressor":
        return "suppressor: the wording is likelier without it"
    if row.verdict == "unused":
        return f"unused: {alone}"
    if group is not None and group.instead is not None and group.instead >= row.alone:
        return f"redundant: {signed(group.instead)} nats once {_named(others)} is gone"
    return f"redundant: {alone}, but without it others do{f', as {_named(others)} may' if others else ''}"


def _named(keys: list[str]) -> str:
    more = len(keys) - _NAMED
    return ", ".join(keys[:_NAMED]) + (f" and {more} more" if more > 0 else "")
