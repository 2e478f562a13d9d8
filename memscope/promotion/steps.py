"""What several runs of the same work have in common: the tools they call, in the order that most of them share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LONGEST = 40  # calls of a run that are looked at
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
    """The steps that at least half of `runs` share, in their order; `whole`: how many have all of them in it."""

    steps: tuple[Step, ...]
    runs: int
    whole: int


def common_steps(runs: Iterable[Sequence[str]]) -> Steps:
    """What `runs` share; those that call nothing are not counted.

    The run that has most in common with the others (by the longest common subsequence) gives the order; each of its
    calls is counted in every run that is laid along it. Of very many runs the most frequent count, of long ones the
    beginning. The first of equals is taken, so that the same runs give the same steps.
    """
    counted = Counter(tuple(run[:_LONGEST]) for run in runs if run)
    kinds = counted.most_common(_MOST)  # of equals, the one that came first
    total = sum(count for _, count in kinds)
    if not total:
        return Steps((), 0, 0)
    compared = kinds[:_MOST_COMPARED]
    typical = max(
        (run for run, _ in compared),
        key=lambda run: sum(count * len(_shared(run, other)) for other, count in compared),
    )
    votes: Counter[int] = Counter()
    for other, count in kinds:
        for place in _shared(typical, other):
            votes[place] += count
    steps = tuple(Step(tool, votes[place]) for place, tool in enumerate(typical) if 2 * votes[place] >= total)
    whole = tuple(step.tool for step in steps)
    return Steps(steps, total, sum(count for run, count in kinds if len(_shared(whole, run)) == len(whole)))


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
