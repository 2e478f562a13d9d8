"""The noise of a run: how large, measured by what, and what is lost in it."""

from __future__ import annotations

from memscope.attribution.aggregates import NoiseSource, cutoffs, noise_of
from memscope.attribution.matrix import Matrix
from memscope.base.text import counted
from memscope.reports.view import Document, nats

_SHOWN = 0.005  # nats: what is less rounds to 0 wherever it is shown
_MEASURED_BY: dict[NoiseSource, str] = {"repeat": "repeated baseline", "before": "memories that come later"}


class NoisePart(Document):
    """The noise of the run: the largest floor of its responses and the median of them, in nats; what the largest was
    measured by (the repeated baseline, or memories that come after the response); null where none was measured.
    `cells`: how many measured effects are not beyond a cutoff that noise has raised above the threshold."""

    floor: float | None
    median: float | None
    source: NoiseSource | None
    cells: int


def noise_part(matrix: Matrix, threshold: float) -> NoisePart:
    """The noise of a matrix; `threshold` in nats."""
    found = noise_of(matrix, cutoffs(matrix, threshold), threshold)
    return NoisePart(floor=found.largest, median=found.median, source=found.source, cells=found.cells)


def noise_words(noise: NoisePart) -> str:
    """The noise in a few words: noise floor 0.02 nats (repeated baseline), 12 effects are noise."""
    if noise.floor is None:
        return "noise floor not measured"
    said = f"noise floor {nats(noise.floor)} nats"
    if noise.floor >= _SHOWN and noise.source is not None:
        said += f" ({_MEASURED_BY[noise.source]})"
    return said + (f", {counted(noise.cells, 'effect is', 'effects are')} noise" if noise.cells else "")


def noise_remark(noise: NoisePart) -> str:
    """The same, shorter, where it is worth a remark: the floor does not round to 0, or effects are lost in it."""
    if noise.floor is None or (noise.floor < _SHOWN and not noise.cells):
        return ""
    return f"noise {nats(noise.floor)} nats" + (f", {counted(noise.cells, 'effect')}" if noise.cells else "")
