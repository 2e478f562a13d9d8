"""What explains a small effect away: an earlier response that already said what the memory says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memscope.attribution.aggregates import Cutoffs
from memscope.attribution.matrix import Matrix
from memscope.base.similar import content_words

SMALL = 0.25  # of the earlier effect: above this the memory still does its own work
SHARED_WORDS = 3
SHARED_PART = 0.4


@dataclass(frozen=True, slots=True)
class AlreadySaid:
    """Response `column` says what response `earlier` had taken from memory `row` before (column indices)."""

    row: int
    column: int
    earlier: int


def already_said(
    matrix: Matrix, cut: Cutoffs, column: int, memories: Sequence[str], responses: Sequence[str]
) -> list[AlreadySaid]:
    """The memories whose small effect on a response an earlier response explains, strongest earlier effect first.

    `memories` and `responses` are their texts. Small: at most a quarter of the earlier effect either way, which was
    above its cutoff. That the response uses the memory at all is judged by words: it shares with both the memory and
    the earlier response at least three telling words, or two fifths of the memory's.
    """
    effects = np.where(matrix.missing, 0.0, matrix.effects)
    said: list[tuple[float, AlreadySaid]] = []
    words = content_words(responses[column])
    for row, text in enumerate(memories):
        earlier = np.where(effects[row, :column] > cut.cutoff[:column], effects[row, :column], 0.0)
        if not earlier.any():
            continue
        source = int(earlier.argmax())
        if abs(effects[row, column]) > SMALL * earlier[source]:
            continue
        telling = content_words(text)
        shared = telling & words & content_words(responses[source])
        if len(shared) >= SHARED_WORDS or len(shared) >= max(1, SHARED_PART * len(telling)):
            said.append((-float(earlier[source]), AlreadySaid(row, column, source)))
    return [found for _, found in sorted(said, key=lambda pair: (pair[0], pair[1].row))]
