"""What a matrix adds up to: for each memory, for each response, and where the noise ends.

Sums leave out cells that failed or are pending, and say how many. Where nothing is left to sum, the value is NaN: also
of a memory whose every effect has failed but for those on responses before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memscope.attribution.matrix import Floats, Matrix, State

NOISE_FACTOR = 3.0

NoiseSource = Literal["repeat", "before"]
"""What a noise floor was measured by: the baseline's repeat, or the cells of memories that come after the response."""


@dataclass(frozen=True)
class Cutoffs:
    """For each response [M], in nats: its noise floor (NaN: not measured) and what an effect must exceed to count."""

    noise: Floats
    cutoff: Floats


def cutoffs(matrix: Matrix, threshold: float) -> Cutoffs:
    """The noise floor is the largest difference where the truth is 0: between the two baselines, and in the cells of
    memories that come after the response. The cutoff is max(threshold, 3 x floor)."""
    noise = np.fmax(*_differences_from_nothing(matrix))
    return Cutoffs(noise, np.fmax(threshold, NOISE_FACTOR * noise))


def _differences_from_nothing(matrix: Matrix) -> tuple[Floats, Floats]:
    """[M] each, NaN where not measured: of the baseline's repeat, and the largest of the cells before."""
    return np.abs(matrix.baseline - matrix.again), np.fmax.reduce(np.abs(matrix.stray), axis=0, initial=np.nan)


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of a whole run. `largest` and `median` of its responses' floors, in nats, and what the largest was
    measured by; None where none was measured. `cells`: measured effects that do not exceed their response's cutoff
    where the noise has raised it above the threshold."""

    largest: float | None
    median: float | None
    source: NoiseSource | None
    cells: int


def noise_of(matrix: Matrix, cut: Cutoffs, threshold: float) -> Noise:
    """`cut` is the matrix's, at this threshold."""
    measured = np.isfinite(cut.noise)
    below = (np.abs(matrix.effects) <= cut.cutoff) & (matrix.state == State.OK) & (cut.cutoff > threshold)
    cells = int(np.count_nonzero(below))
    if not measured.any():
        return Noise(None, None, None, cells)
    worst = int(np.nanargmax(cut.noise))
    repeat, _ = _differences_from_nothing(matrix)
    source: NoiseSource = "repeat" if repeat[worst] == cut.noise[worst] else "before"
    return Noise(float(cut.noise[worst]), float(np.median(cut.noise[measured])), source, cells)


def unmeasured(matrix: Matrix) -> NDArray[np.bool_]:
    """[N]: the memories of which nothing is known: every cell is missing, or some have failed and none was measured."""
    failed, measured = ((matrix.state == state).any(axis=1) for state in (State.FAILED, State.OK))
    return np.asarray(matrix.missing.all(axis=1) | (failed & ~measured))


@dataclass(frozen=True)
class MemoryTotals:
    """Per memory [N], in nats. `total`: positive effects summed; `net`: all of them, signed; `against`: the negative
    ones (<= 0); `max`: the largest; `mean`: over cells whose effect was measured; `responses`: how many effects exceed
    the response's cutoff; `left_out`: cells that failed or are pending."""

    total: Floats
    net: Floats
    max: Floats
    mean: Floats
    responses: NDArray[np.int64]
    against: Floats
    left_out: NDArray[np.int64]


def memory_totals(matrix: Matrix, cut: Cutoffs) -> MemoryTotals:
    missing = matrix.missing
    nothing = unmeasured(matrix)
    effects = np.where(missing, 0.0, matrix.effects)
    measured = (matrix.state == State.OK).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(matrix.state == State.OK, effects, 0.0).sum(axis=1) / measured
    return MemoryTotals(
        total=_unless(nothing, np.maximum(effects, 0.0).sum(axis=1)),
        net=_unless(nothing, effects.sum(axis=1)),
        max=_unless(nothing, np.where(missing, -np.inf, effects).max(axis=1, initial=-np.inf)),
        mean=mean,
        responses=(effects > cut.cutoff).sum(axis=1),
        against=_unless(nothing, np.minimum(effects, 0.0).sum(axis=1)),
        left_out=missing.sum(axis=1),
    )


@dataclass(frozen=True)
class ResponseTotals:
    """Per response [M], in nats. `total`: positive effects summed; `stripped`: what all memories together gave it;
    `gap`: `stripped` minus the sum of the single effects, NaN when a cell is missing (clearly positive: support that
    memories share; clearly negative: memories that only work together); `top`: row of the strongest effect above the
    cutoff, -1 for none; `left_out`: cells that failed or are pending."""

    total: Floats
    stripped: Floats
    gap: Floats
    top: NDArray[np.int64]
    left_out: NDArray[np.int64]


def response_totals(matrix: Matrix, cut: Cutoffs) -> ResponseTotals:
    missing = matrix.missing
    effects = np.where(missing, 0.0, matrix.effects)
    stripped = matrix.baseline - matrix.stripped
    top = np.full(len(matrix.responses), -1, np.int64)
    if len(matrix.keys):
        strongest = effects.argmax(axis=0)  # the first of equals: key order
        above = effects.max(axis=0) > cut.cutoff
        top = np.where(above, strongest, -1)
    return ResponseTotals(
        total=_unless(missing.all(axis=0), np.maximum(effects, 0.0).sum(axis=0)),
        stripped=stripped,
        gap=_unless(missing.any(axis=0), stripped - effects.sum(axis=0)),
        top=top,
        left_out=missing.sum(axis=0),
    )


def important(matrix: Matrix, cut: Cutoffs, column: int) -> list[int]:
    """Rows of the memories that mattered to one response: effect strictly above its cutoff, strongest first, ties in
    key order."""
    return above(matrix.effects[:, column], float(cut.cutoff[column]))


def above(effects: Floats, cutoff: float) -> list[int]:
    """Indices of the effects strictly above the cutoff, strongest first, ties in order; NaN is not above."""
    order = np.argsort(-effects, kind="stable")
    return [int(index) for index in order if effects[index] > cutoff]


def strongest_cells(matrix: Matrix, cut: Cutoffs, count: int) -> list[tuple[int, int]]:
    """(row, column) of the cells furthest beyond their cutoff either way, strongest first, ties in reading order."""
    size = np.abs(matrix.effects)  # NaN, where there is none, is above nothing
    found = np.flatnonzero(size > cut.cutoff)
    sizes = size.ravel()[found]
    if count < len(found):  # those that are surely not among them need no sorting
        contenders = sizes >= np.partition(sizes, -count)[-count] if count else np.zeros(len(found), np.bool_)
        found, sizes = found[contenders], sizes[contenders]
    order = found[np.argsort(-sizes, kind="stable")[:count]]
    rows, columns = np.divmod(order, max(1, len(matrix.responses)))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def share(effect: float, stripped: float, cutoff: float) -> float | None:
    """What part of a response's `stripped` effect one effect is; None where there is not enough to divide."""
    return effect / stripped if stripped > cutoff else None


def _unless(nothing: NDArray[np.bool_] | np.bool_, values: Floats) -> Floats:
    return np.where(nothing, np.nan, values)
