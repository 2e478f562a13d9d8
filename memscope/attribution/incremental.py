"""Keeping the weights of memories fresh in a conversation that goes on: which are due, what a score makes of one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

RESPONSES = 100
"""Responses after a memory that are looked at."""

RISING, FALLING = 0.5, 0.1
"""How much of the way to a new score a weight goes."""

NO_RESPONSE = "no response comes after it"


@dataclass(frozen=True, slots=True)
class Place:
    """Where memories stand in a conversation: the position at which each ends, of `total`, in `unit`s."""

    ends: Mapping[str, int]
    total: int
    unit: str


@dataclass(frozen=True, slots=True)
class Round:
    """What is to be done of a conversation's memories: those to `score`, in this order; those that are due and
    `skipped`, each with the reason; and those that are not due yet."""

    score: tuple[str, ...]
    skipped: Mapping[str, str]
    fresh: tuple[str, ...]


def is_due(last_scored: float, now: float, max_age: float) -> bool:
    """Whether what was scored then is due again."""
    return now - last_scored >= max_age


def due(keys: Iterable[str], last_scored: Mapping[str, float], now: float, max_age: float) -> list[str]:
    """Those of `keys` that were never scored, or not within the last `max_age` seconds: never scored ones first, then
    the one scored longest ago, ties in order. A key that returns counts once, where it comes first. One that was scored
    at a time yet to come, as where a clock was set back, waits for that, too."""
    waits = [key for key in dict.fromkeys(keys) if key not in last_scored or is_due(last_scored[key], now, max_age)]
    return sorted(waits, key=lambda key: last_scored.get(key, -math.inf))


def limit(cutoff: float, total: int) -> int:
    """The last position that is not too recent: floor(cutoff x total), the cutoff taken as it is written."""
    return math.floor(Fraction(str(cutoff)) * total)


def round_of(
    keys: Iterable[str],
    last_scored: Mapping[str, float],
    now: float,
    *,
    max_age: float,
    cutoff: float,
    place: Callable[[], Place],
    responded: Callable[[str], bool],
) -> Round:
    """What is to be done at the time `now`, in seconds since the epoch. `place` is asked only where something is due.
    `responded`: whether there is a response in the stretch that a memory is scored over."""
    keys = tuple(dict.fromkeys(keys))
    waits = dict.fromkeys(due(keys, last_scored, now, max_age))
    skipped: dict[str, str] = {}
    if waits:
        stands = place()
        last = limit(cutoff, stands.total)
        for key in waits:
            if (end := stands.ends[key]) > last:
                skipped[key] = f"too recent: it ends at {end:,} of {stands.total:,} {stands.unit}, past {last:,}"
            elif not responded(key):
                skipped[key] = NO_RESPONSE
    fresh = tuple(key for key in keys if key not in waits)
    return Round(tuple(key for key in waits if key not in skipped), skipped, fresh)


def weight_after(weight: float | None, score: float) -> float:
    """The weight of a memory, in nats, once it was scored; `weight`: the one before, None where there was none.

    Half of the way to a higher score, a tenth of the way to a lower one; the first score sets it.
    """
    if weight is None:
        return score
    return weight + (RISING if score > weight else FALLING) * (score - weight)


def score_of(effects: Iterable[float]) -> float:
    """The score of a memory, in nats: its largest effect, 0 where none is positive."""
    return max(0.0, max(effects, default=0.0))
