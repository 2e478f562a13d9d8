"""From a number to a shade: the levels of the heatmap, and the legend that explains them.

The levels are anchored (10x less likely is ln 10 nats) and do not move as rows arrive: a shade means the same in every
conversation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Unit = Literal["nats", "per token", "share"]


class Step(NamedTuple):
    """A level: the smallest absolute value it stands for, in the unit, and that in words."""

    lower: float
    words: str


_TEN = math.log(10.0)  # nats: ten times as likely

# Levels 1 to LEVELS of each unit; from the second on, each bound is the same multiple of the one before.
SCALE: Mapping[Unit, tuple[Step, ...]] = {
    "nats": (
        Step(0.0, "under 3x"),
        Step(_TEN / 2, "3x"),
        Step(_TEN, "10x"),
        Step(2 * _TEN, "100x"),
        Step(4 * _TEN, "10,000x"),
    ),
    "per token": (
        Step(0.0, "less"),
        Step(_TEN / 64, "10x every 64 tokens"),
        Step(_TEN / 16, "every 16"),
        Step(_TEN / 4, "every 4"),
        Step(_TEN, "every token"),
    ),
    "share": (
        Step(0.0, "under 1/16"),
        Step(1 / 16, "1/16"),
        Step(1 / 8, "1/8"),
        Step(1 / 4, "a quarter"),
        Step(1 / 2, "half"),
    ),
}
LEVELS = 5  # on each side of 0
MOVED = math.log(2.0)
"""Nats by which a word must have become more or less likely, twice or half as likely, to be shaded at all."""


def level(values: NDArray[np.float64], unit: Unit) -> NDArray[np.int8]:
    """The level of each value, -LEVELS to LEVELS, with its sign; 0 for exactly 0 and for NaN. Of its shape."""
    size = np.abs(values)
    levels = (size > 0).astype(np.int8)
    for step in SCALE[unit][1:]:
        levels += size >= step.lower
    np.negative(levels, out=levels, where=values < 0)
    return levels


def word_level(effects: NDArray[np.float64]) -> NDArray[np.int8]:
    """The level of the effect on each word, in nats; 0 where the word did not move."""
    return np.where(np.abs(effects) >= MOVED, level(effects, "nats"), np.int8(0))
