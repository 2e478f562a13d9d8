"""How the scores of a task went: their mean, and a line of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN = "_.:-=+*#%@"  # no blank: that is where no score is


def mean(scores: Sequence[float]) -> float:
    """The mean of finite scores, of which there is at least one; finite, whatever they are: a file may hold any."""
    total = sum(scores)
    if math.isfinite(total):
        return total / len(scores)
    shares = sum(score / len(scores) for score in scores)
    return min(max(shares, min(scores)), max(scores))


def line(scores: Sequence[float], width: int, *, plain: bool = False) -> str:
    """The last `width` scores as a line, a cell each: an eighth of 0 to 1 for every step of height, whatever the others
    are, so that lines of several tasks can be compared. `plain`: in signs of ASCII, a tenth each.

    A cell is an episode that was: a mean of several would show scores that nobody had, and hide one bad among good.
    """
    signs = _PLAIN if plain else _BLOCKS
    shown = (min(max(score, 0.0), 1.0) for score in (scores[-width:] if width > 0 else ()))
    return "".join(signs[min(int(score * len(signs)), len(signs) - 1)] for score in shown)
