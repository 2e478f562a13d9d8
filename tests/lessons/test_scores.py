"""The mean of scores, which any file may hold, and scores as a line."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.lessons.scores import line, mean

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE | st.sampled_from([1e308, -1e308, 1.7976931348623157e308]), min_size=1))
def test_a_mean_of_finite_scores_is_finite_and_among_them(scores: list[float]) -> None:
    found = mean(scores)

    assert math.isfinite(found)
    if math.isfinite(sum(scores)):
        assert found == sum(scores) / len(scores)
    else:
        assert min(scores) <= found <= max(scores)


def test_scores_too_large_to_add_have_a_mean() -> None:
    assert mean([1e308, 1e308]) == 1e308
    assert mean([1e308, 1e308, 1e308, -1e308]) == pytest.approx(5e307)


def test_scores_are_drawn_by_one_scale() -> None:
    assert line([n / 7 for n in range(8)], 80) == "▁▂▃▄▅▆▇█"
    assert line([n / 10 for n in range(11)], 80, plain=True) == "_.:-=+*#%@@"
    assert line([0.5], 80) == line([0.5, 0.1], 80)[0] == "▅"


def test_a_line_shows_the_last_scores_as_they_were() -> None:
    assert line([0, 0, 0, 1, 0.5], 2) == "█▅"
    assert line([0.5], 0) == line([0.5], -3) == line([], 10) == ""


@pytest.mark.parametrize(("score", "block", "plain"), [(-3, "▁", "_"), (92, "█", "@"), (1e308, "█", "@")])
def test_scores_of_another_scale_stay_on_the_line(score: float, block: str, plain: str) -> None:
    assert (line([score], 5), line([score], 5, plain=True)) == (block, plain)


@given(st.lists(FINITE), st.integers(-2, 40), st.booleans())
def test_a_line_has_a_cell_for_each_score_and_is_higher_for_a_higher_one(
    scores: list[float], width: int, plain: bool
) -> None:
    signs = "_.:-=+*#%@" if plain else "▁▂▃▄▅▆▇█"
    drawn = line(scores, width, plain=plain)

    assert len(drawn) == min(len(scores), max(width, 0))
    assert line(sorted(scores), len(scores), plain=plain) == "".join(
        sorted(line(scores, len(scores), plain=plain), key=signs.index)
    )
