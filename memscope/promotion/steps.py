"""What several runs of the same work have in common: the tools they call, in the order that most of them share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LOOKED_AT = 400  # calls of a run
_LONGEST = 40  # of those, without repeats, that are compared
_CYCLE = 3  # calls that may repeat as one
_MOST_COMPARED = 40  # distinct runs of which the most typical one is chosen
_MOST = 400  # distinct runs that are counted

Run = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A tool, and how many of the runs call it at this place of the order."""

    tool: str
    runs: int


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps that more than half of `runs` share, and two at least, in their order; `whole`: how many have all of
    them in it. What is done again and again is told once."""

    steps: tuple[Step, ...]
    runs: int
    whole: int


def common_steps(runs: Iterable[Sequence[str]]) -> Steps:
    """What `runs` share; those that call nothing are not counted.

    The run that has most in common with the others (by the longest common subsequence) gives the order; each of its
    calls is counted in every run that is laid along it. Of very many runs the most frequent count, of long ones the
    beginning. The first of equals is taken, so that the same runs give the same steps.
    """
    counted = Counter(_once(run[:_LOOKED_AT])[:_LONGEST] for run in runs if run)
    kinds = counted.most_common(_MOST)  # of equals, the one that came first
    total = sum(count for _, count in kinds)
    if not total:
        return Steps((), 0, 0)
    compared = kinds[:_MOST_COMPARED]
    typical = max(
        (run for run, _ in compared),
        key=lambda run: sum(count * len(_shared(run, other)) for other, count in compared),
    )
    steps = [Step(tool, 0) for tool in typical]
    while True:
        votes = _votes(tuple(step.tool for step in steps), kinds)
        kept = [
            Step(step.tool, count) for step, count in zip(steps, votes, strict=True) if count > 1 and 2 * count > total
        ]
        kept = [kept[place] for place in _places_once([step.tool for step in kept])]
        if len(kept) == len(steps):  # otherwise those that are left are counted anew: they may be laid along others
            break
        steps = kept
    whole = tuple(step.tool for step in kept)
    return Steps(tuple(kept), total, sum(count for run, count in kinds if len(_shared(whole, run)) == len(whole)))


def _votes(order: Run, kinds: Sequence[tuple[Run, int]]) -> list[int]:
    """How many runs make each call of `order` where they are laid along it."""
    votes: Counter[int] = Counter()
    for run, count in kinds:
        for place in _shared(order, run):
            votes[place] += count
    return [votes[place] for place in range(len(order))]


def _once(run: Sequence[str]) -> Run:
    return tuple(run[place] for place in _places_once(run))


def _places_once(run: Sequence[str]) -> list[int]:
    """The places of a run without those that repeat what was just done: of a, b, a, b, c those of a, b, c."""
    places: list[int] = []
    for place in range(len(run)):
        places.append(place)
        for length in range(1, _CYCLE + 1):
            last, before = places[-length:], places[-2 * length : -length]
            if len(before) == length and all(run[i] == run[j] for i, j in zip(last, before, strict=True)):
                del places[-length:]
                break
    return places


def _shared(run: Run, other: Run) -> list[int]:
    """The places in `run` of a longest common subsequence with `other`."""
    if run == other:
        return list(range(len(run)))
    width = len(other)
    lengths = [[0] * (width + 1) for _ in range(len(run) + 1)]  # of what follows the two places
    for i in range(len(run) - 1, -1, -1):
        row, below = lengths[i], lengths[i + 1]
        for j in range(width - 1, -1, -1):
            row[j] = below[j + 1] + 1 if run[i] == other[j] else max(below[j], row[j + 1])
    places, i, j = [], 0, 0
    while i < len(run) and j < width:
        if run[i] == other[j]:
            places.append(i)
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return places
