"""What is kept of insights: of those that say the same one, of those that are too many the best.

A text that says the same is the same insight, whatever saw it: a rule's and a synthesized one stand for each other. The
one that stays carries where the others came from.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from memscope.insights.model import Evidence, Insight
from memscope.insights.similar import AlikeIndex

Winner = Literal["newer", "confident"]
"""Which of two that are alike stays. Newer: of a batch the one of the later time (of none: the oldest; of the same: the
one that stands later), and one of the batch before one that is kept. Confident: the more confident, or else the newer.
"""

LEAST = 0.3  # confidence; what is below is not kept
MOST = 500  # insights that are kept
MOST_EVIDENCE = 100  # pieces of evidence that an insight carries
_AT_A_TIME = 100  # insights
_NO_TIME = float("-inf")


class Kept(NamedTuple):
    """An insight that is kept, and since when, in seconds since the epoch."""

    insight: Insight
    at: float


@dataclass(frozen=True, slots=True)
class Curated:
    """What a batch makes of the insights that are kept.

    `kept`: the old ones that stay, as they were and in their order, and then those `added`. `added`: also an old one
    that stands for one of the batch and so got evidence that it had not; it is kept anew. `replaced`: old ones that
    went, each with the one of `added` that stands for it and has its evidence; of one that got evidence, what it was
    before. `repeated`: of the batch, what another of it, or one that is kept, stands for. `weak`: of the batch, too
    little confident. `left`: old ones that went because there were too many, in that order. `outside`: of the batch,
    what found no room, in that order.
    """

    kept: tuple[Kept, ...]
    added: tuple[Kept, ...]
    replaced: tuple[tuple[Kept, Kept], ...]
    repeated: tuple[Insight, ...]
    weak: tuple[Insight, ...]
    left: tuple[Kept, ...]
    outside: tuple[Insight, ...]


def merged(
    insights: Sequence[Insight], winner: Winner = "newer", looked_at: Callable[[int], object] = lambda _: None
) -> list[Insight]:
    """The insights without repeats, in the order of those that stay: no two are alike. `looked_at` is told of how many,
    now and then, for thousands take a while; what it raises ends that."""
    return _without_repeats(insights, winner, looked_at)[0]


def curate(
    new: Sequence[Insight], kept: Sequence[Kept], at: float, *, winner: Winner = "newer", most: int = MOST
) -> Curated:
    """What there is when `new` ones come, at this time, to what is kept.

    In this order: what is too weak goes, so that it takes nothing else away; then repeats within the batch; then what
    says the same as something kept; and then the least confident while there are more than `most`, of those the oldest
    by their own time, and of the same time one of the batch before an old one, so that equals do not take turns.
    An old one goes for another only if that comes in: one whose replacement would be too many stays, or leaves as any.
    Old ones that are alike to each other already stay so until something new is alike to them.
    """
    weak = tuple(one for one in new if not one.confidence >= LEAST)
    batch, repeated = _without_repeats([one for one in new if one.confidence >= LEAST], winner)
    known = {one.insight.name: one.insight for one in kept}
    fresh: list[Insight] = []
    for one in batch:
        (repeated if one.name in known and _adds_nothing(one, known[one.name]) else fresh).append(one)

    contest = _Contest(kept, fresh, at, winner)
    out = contest.shrink(most)
    stands_for = contest.stands_for()
    stay: list[Kept] = []
    added: dict[int, Kept] = {}
    for place in contest.inside():
        entry = contest.all[place]
        carrying = _carrying(entry.insight, stands_for.get(place, ()))
        if place >= len(kept) or (place in stands_for and carrying is not entry.insight):
            added[place] = Kept(carrying, at)
        else:
            stay.append(entry)
    gone = {place: added[by[0]] for place, by in contest.taken.items()}
    gone |= {place: by for place, by in added.items() if place < len(kept)}
    return Curated(
        kept=(*stay, *added.values()),
        added=tuple(added.values()),
        replaced=tuple((kept[place], gone[place]) for place in sorted(gone)),
        repeated=(*repeated, *contest.lost()),
        weak=weak,
        left=tuple(kept[place] for place in out if place < len(kept)),
        outside=tuple(contest.all[place].insight for place in out if place >= len(kept)),
    )


class _Contest:
    """Old ones against those of a batch, which are not alike among themselves; all by their place, the old ones first.

    `taken`: by old place, those of the batch that stand there now, the most confident first. `kept_out`: by old place,
    those of the batch that lost to it.
    """

    def __init__(self, kept: Sequence[Kept], batch: Sequence[Insight], at: float, winner: Winner) -> None:
        self.all = [*kept, *(Kept(one, at) for one in batch)]
        self._old = len(kept)
        self.taken: dict[int, list[int]] = {}
        self.kept_out: dict[int, list[int]] = {}
        self._beaten: dict[int, list[int]] = {}  # by place of the batch: the old ones in `taken`
        old = AlikeIndex()
        for one in kept:
            old.add(one.insight.text)
        # Once all that are more confident had their turn, it is certain which old ones stay against one of the batch.
        for place in sorted(range(len(kept), len(self.all)), key=lambda place: -self.all[place].insight.confidence):
            self._enter(place, old.find(self.all[place].insight.text), winner)
        out = {place for places in self.kept_out.values() for place in places} | self.taken.keys()
        self._inside = [self._worth(place) for place in range(len(self.all)) if place not in out]

    def shrink(self, most: int) -> list[int]:
        """Lets the least confident go, of those the oldest, until there are at most so many; and returns their places.
        Where one of the batch goes, what it alone had taken the place of is back, and may be the next."""
        left: list[int] = []
        heapq.heapify(self._inside)
        while len(self._inside) > max(most, 0):
            *_, place = heapq.heappop(self._inside)
            left.append(place)
            for old in self._beaten.get(place, ()):
                self.taken[old].remove(place)
                if not self.taken[old]:
                    del self.taken[old]
                    heapq.heappush(self._inside, self._worth(old))
        return left

    def inside(self) -> list[int]:
        """The places of those that stay."""
        return sorted(place for *_, place in self._inside)

    def stands_for(self) -> dict[int, list[Insight]]:
        """By the place of one that stays, those that it stands for."""
        found: dict[int, list[Insight]] = {}
        for old, by in self.taken.items():
            found.setdefault(by[0], []).append(self.all[old].insight)
        for old, places in self.kept_out.items():
            found.setdefault(old, []).extend(self.all[place].insight for place in places)
        return found

    def lost(self) -> list[Insight]:
        """Those of the batch that lost to an old one, in their order."""
        return [self.all[place].insight for place in sorted(place for some in self.kept_out.values() for place in some)]

    def _enter(self, place: int, rivals: Sequence[int], winner: Winner) -> None:
        mine = self.all[place].insight.confidence
        beaten = [old for old in rivals if winner == "newer" or mine >= self.all[old].insight.confidence]
        stronger = [old for old in rivals if old not in beaten and old not in self.taken]
        if stronger:
            self.kept_out.setdefault(max(stronger, key=self._worth), []).append(place)
        else:
            self._beaten[place] = beaten
            for old in beaten:
                self.taken.setdefault(old, []).append(place)

    def _worth(self, place: int) -> tuple[float, float, bool, float, int]:
        """Of the same confidence and time an old one is worth more, and what stands for such a one: what just came
        would else take its place again and again."""
        one = self.all[place]
        confidence, time = one.insight.confidence, _time(one.insight)
        for old in (self.all[old].insight for old in self._beaten.get(place, ())):
            if (old.confidence, _time(old)) == (confidence, time):
                return confidence, time, True, one.at, place
        return confidence, time, place < self._old, one.at, place


def _without_repeats(
    insights: Sequence[Insight], winner: Winner, looked_at: Callable[[int], object] = lambda _: None
) -> tuple[list[Insight], list[Insight]]:
    """Those that stay, and those that they stand for, each in their order. The best has its turn first; so what goes is
    always alike to something that stays."""

    def rank(place: int) -> tuple[float, float, int]:
        one = insights[place]
        return one.confidence if winner == "confident" else 0.0, _time(one), place

    index = AlikeIndex()
    groups: list[list[int]] = []
    for number, place in enumerate(sorted(range(len(insights)), key=rank, reverse=True)):
        if number % _AT_A_TIME == 0:
            looked_at(number)
        found = index.find(insights[place].text)
        if found:
            groups[found[0]].append(place)
        else:
            index.add(insights[place].text)
            groups.append([place])
    groups.sort()
    stay = [_carrying(insights[first], [insights[place] for place in rest]) for first, *rest in groups]
    return stay, [insights[place] for place in sorted(place for _, *rest in groups for place in rest)]


def _carrying(insight: Insight, others: Iterable[Insight]) -> Insight:
    """The insight with its evidence and that of those it stands for, each once; the same one where that is nothing
    new. What is too much is left out, but for the first of each session while there is room for these."""
    all_of_them = (insight, *others)
    found: dict[object, Evidence] = {}
    for one in (one for each in all_of_them for one in each.evidence):
        found.setdefault(_place(one), one)
    sessions = max(each.sessions for each in all_of_them)
    if len(found) > MOST_EVIDENCE:
        firsts: dict[str, object] = {}
        for place, one in found.items():
            firsts.setdefault(one.session, place)
        sessions = max(sessions, len(firsts))
        chosen = list(dict.fromkeys([*firsts.values(), *found]))[:MOST_EVIDENCE]
        found = {place: found[place] for place in chosen}
    elif sessions:
        sessions = max(sessions, len({one.session for one in found.values()}))
    evidence = tuple(found.values())
    is_same = evidence == insight.evidence and sessions == insight.sessions
    return insight if is_same else replace(insight, evidence=evidence, sessions=sessions)


def _adds_nothing(one: Insight, known: Insight) -> bool:
    """Whether it says the same of an insight of the same name, from what is known of it already."""
    if (one.confidence, one.model) != (known.confidence, known.model):
        return False
    both = _carrying(one, (known,))
    return both.sessions == known.sessions and set(map(_place, both.evidence)) == set(map(_place, known.evidence))


def _place(spot: Evidence) -> object:
    return spot.session, spot.source, spot.message


def _time(insight: Insight) -> float:
    return _NO_TIME if insight.time is None else insight.time
