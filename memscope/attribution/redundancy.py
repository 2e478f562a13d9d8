"""What leaving one memory out at a time cannot see: memories that stand in for each other, and that only work together.

Two copies of a fact each have an effect of about 0, for the other still tells it. So each memory is also put back alone
into the conversation without any, and memories that say nearly the same are left out together.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from memscope.attribution.aggregates import cutoffs
from memscope.attribution.classic import ClassicRun
from memscope.attribution.duplicates import Duplicates
from memscope.attribution.matrix import Floats, Landed, Matrix, MatrixRun, differences
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Failure, ResponseScore

Verdict = Literal["needed", "redundant", "together", "suppressor", "unused"]
"""What a memory is to a response: see `verdicts`."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

SMALL = 1 / 3
"""The part of what a memory does by itself up to which its effect is small: others do the rest. A second copy still
adds a little to the first, which some engines make as much of as this."""
SAME = 0.8  # of the larger of two effects: memories that do as much alone may be copies of one fact
FEWEST_PAIRS = 16  # that are tried however few memories there are

Rows = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Screen:
    """N memories by M responses, as far as they are scored, in signed nats; NaN where a number is missing or failed.

    `alone` [N, M]: the effect of a memory where it is the only one. `groups`: rows of memories near each other; a row
    is in at most one. `joint` [G, M]: the effect of a whole group. `instead` [N, M]: the effect of a memory once the
    rest of its group is gone; NaN without a group. `reached` [N, M]: the memory is there before the response. `tried`:
    rows that were left out together because they may stand in for each other, and `tried_effects` [P, M] what came of
    it; `untried`: how many more there are of these. `errors`: why further ablations failed. `blur`: what an effect must
    exceed at least, as any text may have as much under this engine.
    """

    matrix: Matrix
    alone: Floats
    groups: tuple[Rows, ...]
    joint: Floats
    instead: Floats
    reached: NDArray[np.bool_]
    tried: tuple[Rows, ...]
    tried_effects: Floats
    untried: int
    errors: Mapping[Ablation, str]
    blur: float = 0.0

    def cutoff(self, threshold: float) -> Floats:
        """[M]: what an effect must exceed to count for a verdict: the response's cutoff, but at least `blur`."""
        return cutoffs(self.matrix, max(threshold, self.blur)).cutoff

    @property
    def own(self) -> Floats:
        """[N, M]: the largest effect a memory has without others: alone, or once the rest of its group is gone."""
        return np.fmax(self.alone, self.instead)

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """[N, M]: the effects that are not known, also where classic mode takes them for 0."""
        unknown = self.matrix.missing
        unknown[[Ablation.of(key) in self.matrix.errors for key in self.matrix.keys]] = True
        for cell in self.matrix.cell_errors:
            unknown[cell] = True
        return unknown


def verdicts(screen: Screen, threshold: float) -> NDArray[np.str_]:
    """[N, M]: the `Verdict` on each memory for each response, "" where a number is missing or failed, or the memory
    comes after the response.

    The cutoff is the screen's, at `threshold` nats, and `own` the screen's:

    - `suppressor`: effect < -cutoff, or no effect but one < -cutoff once the rest of its group is gone
    - `redundant`: own > cutoff, and the effect at most max(cutoff, own / 3): it would do, and without it others do
    - `needed`: effect > cutoff, and alone it has at least a third of it
    - `together`: effect > cutoff, and alone it has less: it needs others to have it
    - `unused`: none of these
    """
    effect, cutoff = screen.matrix.effects, np.broadcast_to(screen.cutoff(threshold), screen.alone.shape)
    own, grouped = screen.own, np.zeros(len(screen.alone), np.bool_)
    grouped[[row for rows in screen.groups for row in rows]] = True
    unknown = screen.unknown | np.isnan(screen.alone) | ~screen.reached
    with np.errstate(invalid="ignore"):
        found = np.select(
            [
                unknown,
                effect < -cutoff,
                (own > cutoff) & (effect <= np.maximum(cutoff, SMALL * own)),
                (effect > cutoff) & (screen.alone >= SMALL * effect),
                effect > cutoff,
                screen.instead < -cutoff,
                np.isnan(screen.instead) & grouped[:, None],  # what it does without its group is not known
            ],
            ["", "suppressor", "redundant", "needed", "together", "suppressor", ""],
            "unused",
        )
    return found.astype(np.str_)


@dataclass(frozen=True, slots=True)
class StandIn:
    """In response `column` leaving out some memories at once costs `joint` nats, and each of them by itself `singles`,
    which add up to less. Others that were left out with them are not in it: what they do by themselves is taken off."""

    column: int
    joint: float
    singles: tuple[float, ...]

    @property
    def excess(self) -> float:
        """What single removals do not see of it, in nats."""
        return self.joint - sum(self.singles)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two memories that stand in for each other in `responses`, or more: copies of one fact. `rows` are ascending."""

    rows: Rows
    responses: tuple[StandIn, ...]

    @property
    def excess(self) -> float:
        """What single removals do not see of it in all responses, in nats."""
        return sum(found.excess for found in self.responses)


def pairs(screen: Screen, threshold: float) -> list[Pair]:
    """The memories that stand in for each other, the strongest first; the cutoff is that of the verdicts.

    They do in a response where leaving them out at once costs more than the cutoff, and more by the cutoff than their
    single effects add up to; and where the effect of at least one is small beside that and what is missing in the sum,
    by the rule of `redundant`. More than two are told where no two of them are, without those that do no more, by the
    cutoff, where others are gone.
    """
    found: list[Pair] = []
    effects, unknown, cutoff = screen.matrix.effects, screen.unknown, screen.cutoff(threshold)
    with np.errstate(invalid="ignore"):
        replaces = screen.own - effects > cutoff
    told = np.zeros(screen.alone.shape, np.bool_)
    for place in sorted(range(len(screen.tried)), key=lambda place: len(screen.tried[place])):
        rows, joint = list(screen.tried[place]), screen.tried_effects[place]
        singles = effects[rows]
        excess = joint - singles.sum(axis=0)
        own = singles + excess
        with np.errstate(invalid="ignore"):
            replaced = (own > cutoff) & (singles <= np.maximum(cutoff, SMALL * own))
            there = (joint > cutoff) & (excess > cutoff) & replaced.any(axis=0)
        there &= (screen.reached[rows] & ~unknown[rows]).all(axis=0)
        if len(rows) > 2:
            there &= ~told[rows].any(axis=0)
            others = [row for row in rows if not replaces[row, there].any()]
            rows = [row for row in rows if row not in others]
            joint = joint - effects[others].sum(axis=0)
        columns = np.flatnonzero(there).tolist()
        if columns and len(rows) > 1:
            told[np.ix_(rows, columns)] = True
            of_each = (StandIn(c, float(joint[c]), tuple(effects[rows, c].tolist())) for c in columns)
            found.append(Pair(tuple(rows), tuple(of_each)))
    return sorted(found, key=lambda pair: -pair.excess)


class Screening:
    """The further scorings of a run: they land here, and anybody takes pictures. Safe to use from any thread.

    What the run itself has scored is not asked for again: with one memory or two, nothing is.
    """

    def __init__(self, run: MatrixRun, *, blur: float = 0.0) -> None:
        """`blur`: that of the engine (`Capabilities`), in nats."""
        self.run, self._blur = run, blur
        seen = [row for row, key in enumerate(run.keys) if key in run.everything.removed]
        self._only = {row: Ablation(run.everything.removed - {run.keys[row]}) for row in seen}
        self._near = _near(run, seen)
        self.groups = _connected(self._near)
        self._group_of = {row: rows for rows in self.groups for row in rows}
        self._lock = threading.Lock()
        self._landed: dict[Ablation, Landed] = {}
        self._tried: tuple[Rows, ...] = ()
        self._untried = 0
        asked = [run.everything, *self._only.values(), *map(self._without, self.groups)]
        asked += [self._without(_rest(rows, row)) for row, rows in self._group_of.items()]
        known = set(run.plan)
        self.plan = tuple(dict.fromkeys(a for a in asked if a not in known)) if run.plan else ()
        """The ablations that the verdicts need beyond those of the run."""

    @property
    def conversation(self) -> Conversation:
        return self.run.conversation

    @property
    def most_pairs(self) -> int:
        """How many pairs are tried at most."""
        return max(FEWEST_PAIRS, len(self._only))

    def at_most(self) -> tuple[Ablation, ...]:
        """What all of it may ask for beyond the run: the plan, and as many pairs as are tried at most. Which ones is
        known only when the plan has landed: others stand for them, for what they cost."""
        likely = dict.fromkeys((*self._near, *islice(combinations(self._only, 2), 2 * self.most_pairs)))
        tried = map(self._without, islice(likely, self.most_pairs))
        known = {*self.run.plan}
        return tuple(dict.fromkeys(a for a in (*self.plan, *tried) if a not in known)) if self.run.plan else ()

    def land(self, ablation: Ablation, result: list[ResponseScore] | Failure) -> None:
        """Takes in one scoring; a later one of the same ablation replaces it."""
        landed = Landed.of(result)
        with self._lock:
            self._landed[ablation] = landed

    def missing(self) -> tuple[Ablation, ...]:
        """What has no numbers yet of the plan and of the pairs that are chosen."""
        asked = [*self.plan, *map(self._without, self._tried)] if self.run.plan else []
        known = self._totals(asked)
        return tuple(dict.fromkeys(a for a in asked if a not in known or known[a].totals is None))

    def choose_pairs(self, threshold: float) -> None:
        """Chooses what is left out together, from what has landed, with effects counted from `threshold` nats on:
        memories near each other by their words, then those of which one is redundant where the other would do, the most
        alike in what they do alone first. Choosing anew forgets no scoring."""
        found = list(dict.fromkeys((*self._near, *self.groups, *_alike(self.snapshot(), threshold))))
        with self._lock:
            self._tried = tuple(found[: self.most_pairs])
            self._untried = len(found) - len(self._tried)

    def snapshot(self) -> Screen:
        """What is known by now; its effects are the run's as they are now."""
        run, matrix = self.run, self.run.snapshot()
        with self._lock:
            tried, untried = self._tried, self._untried
        everything, asked = run.everything, [*self.plan, *map(self._without, tried)]
        landed = self._totals([BASELINE, everything, *map(Ablation.of, run.keys), *asked])
        alone, instead = np.full(matrix.effects.shape, np.nan), np.full(matrix.effects.shape, np.nan)
        for row, only in self._only.items():
            alone[row] = self._difference(landed, only, everything)
        for row, rows in self._group_of.items():
            instead[row] = self._difference(landed, self._without(_rest(rows, row)), self._without(rows))
        if isinstance(run, ClassicRun):  # whose effects are no less than 0; what is not known stays so
            alone, instead = np.maximum(alone, 0.0), np.maximum(instead, 0.0)
        return Screen(
            matrix=matrix,
            alone=np.where(run.before, np.nan, alone),
            groups=self.groups,
            joint=self._effects(landed, self.groups),
            instead=np.where(run.before, np.nan, instead),
            reached=~run.before,
            tried=tried,
            tried_effects=self._effects(landed, tried),
            untried=untried,
            errors={a: why for a in asked if a in landed and (why := landed[a].failure) is not None},
            blur=self._blur,
        )

    def _without(self, rows: Iterable[int]) -> Ablation:
        return Ablation.of(*(self.run.keys[row] for row in rows))

    def _totals(self, ablations: Sequence[Ablation]) -> dict[Ablation, Landed]:
        of_the_run = self.run.totals(ablations)
        with self._lock:
            return of_the_run | {a: self._landed[a] for a in ablations if a in self._landed and a not in of_the_run}

    def _effects(self, landed: Mapping[Ablation, Landed], groups: Sequence[Rows]) -> Floats:
        found = [self._difference(landed, BASELINE, self._without(rows)) for rows in groups]
        return np.array(found, np.float64).reshape(len(groups), len(self.run.responses))

    def _difference(self, landed: Mapping[Ablation, Landed], fuller: Ablation, barer: Ablation) -> Floats:
        """[M]: what the memories that `barer` leaves out, and `fuller` does not, do where all others are as in both."""
        more, less = landed.get(fuller), landed.get(barer)
        if more is None or less is None or more.totals is None or less.totals is None:
            return np.full(len(self.run.responses), np.nan)
        gone = barer.removed - fuller.removed
        seen = [row for row, key in enumerate(self.run.keys) if key in gone and not self.run.blank[row]]
        after = np.logical_and.reduce(self.run.before[seen]) if seen else None
        odd = differences(more, less, after=after)
        effect: Floats = more.totals - less.totals
        effect[list(odd)] = np.nan
        return effect


def _near(run: MatrixRun, seen: Sequence[int]) -> dict[tuple[int, int], None]:
    """The pairs of memories that are near by their words, the nearest first."""
    texts = ["\n".join(run.conversation.memories[row].texts) for row in seen]
    duplicates = Duplicates(texts)
    found = {
        (seen[place], seen[near.row]): near.part
        for place in range(len(seen))
        for near in duplicates.near(place)
        if place < near.row
    }
    return dict.fromkeys(sorted(found, key=lambda rows: (-found[rows], rows)))


def _connected(near: Iterable[tuple[int, int]]) -> tuple[Rows, ...]:
    """The groups that pairs connect, ascending."""
    group_of: dict[int, set[int]] = {}
    for one, other in near:
        if one in group_of.get(other, ()):
            continue
        both = group_of.get(one, {one}) | group_of.get(other, {other})
        group_of |= dict.fromkeys(both, both)
    return tuple(sorted({tuple(sorted(group)) for group in group_of.values()}))


def _rest(rows: Rows, row: int) -> Rows:
    return tuple(other for other in rows if other != row)


def _alike(screen: Screen, threshold: float) -> list[Rows]:
    """Pairs of which one is redundant where the other would do something alone. First those that could do most for
    each other, and do the like: two copies of a fact do the same everywhere. More than two that do the same come before
    their pairs."""
    redundant = verdicts(screen, threshold) == "redundant"
    own = np.fmax(screen.own, 0.0)  # NaN is nothing
    rows = np.flatnonzero((own > 0).any(axis=1)).tolist()
    found: dict[Rows, float] = {}
    sets: list[set[int]] = []
    for place, row in enumerate(rows):
        others = rows[place + 1 :]
        there = redundant[row] | redundant[others]
        least, most = (
            np.where(there, of(own[others], own[row]), 0.0).sum(axis=1).tolist() for of in (np.minimum, np.maximum)
        )
        same = (row, *(other for other, a, b in zip(others, least, most, strict=True) if a >= SAME * b > 0))
        if len(same) > 2 and not any(known.issuperset(same) for known in sets):
            sets.append(set(same))
            found[same] = max(least)
        found |= {(row, o): a * a / b for o, a, b in zip(others, least, most, strict=True) if a > 0}
    return sorted(found, key=lambda rows: (-found[rows], rows))
