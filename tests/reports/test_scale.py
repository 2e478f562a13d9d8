"""The levels of the heatmap: anchored, signed, and explained by the table they are made from."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.reports.scale import LEVELS, SCALE, Unit, level, word_level

every_unit = pytest.mark.parametrize("unit", list(SCALE))


@every_unit
def test_the_steps_grow_by_one_factor(unit: Unit) -> None:
    bounds = [step.lower for step in SCALE[unit]]

    assert len(bounds) == LEVELS
    assert bounds[0] == 0
    factors = [b / a for a, b in pairwise(bounds[1:])]
    assert factors == pytest.approx([factors[0]] * len(factors))
    assert factors[0] >= 2


def test_nats_are_anchored_at_ten_times_less_likely() -> None:
    assert level(np.array([math.log(10), -math.log(10)]), "nats").tolist() == [3, -3]
    assert SCALE["nats"][2].words == "10x"
    assert level(np.array([4 * math.log(10), 1e9]), "nats").tolist() == [LEVELS, LEVELS]


@every_unit
def test_a_bound_is_the_first_value_of_its_level(unit: Unit) -> None:
    for number, step in enumerate(SCALE[unit][1:], 2):
        below = math.nextafter(step.lower, 0)
        assert level(np.array([step.lower, below, -step.lower, -below]), unit).tolist() == [
            number,
            number - 1,
            -number,
            1 - number,
        ]


@given(st.sampled_from(list(SCALE)), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_levels_keep_order_and_sign(unit: Unit, one: float, other: float) -> None:
    low, high = level(np.array(sorted([one, other])), unit).tolist()

    assert -LEVELS <= low <= high <= LEVELS
    for value in (one, other):
        assert np.sign(level(np.array([value]), unit)) == np.sign(value)


def test_nothing_has_no_level_and_the_shape_stays() -> None:
    found = level(np.array([[math.nan, 0.0], [-0.0, 1e-300]]), "nats")

    assert found.tolist() == [[0, 0], [0, 1]]
    assert found.dtype == np.int8


def test_a_word_is_shaded_from_twice_as_likely_on() -> None:
    just, below = math.log(2), math.nextafter(math.log(2), 0)

    assert word_level(np.array([just, -just, below, -below, math.nan, 0.0])).tolist() == [1, -1, 0, 0, 0, 0]
    assert word_level(np.array([math.log(10)])).tolist() == [3]
