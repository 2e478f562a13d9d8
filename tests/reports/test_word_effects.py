"""The words of a response: what moved them, and what is asked about some of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memscope.attribution.tokens import Heat
from memscope.reports.response import HeatSpan, effect_on, touching

UNIT = 1 / 64


@st.composite
def heats(draw: st.DrawFn) -> Heat:
    """Tokens side by side; some, as those of one character in several bytes, share their place, some are empty."""
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for gap, length, copies in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(1, 3)))):
        at += gap
        starts += [at] * copies
        ends += [at + length] * copies
        at += length
    effects = [draw(st.integers(-200, 200)) * UNIT for _ in starts]
    return Heat(np.array(starts, np.int32), np.array(ends, np.int32), np.array(effects, np.float64))


def tokens_of(heat: Heat) -> list[HeatSpan]:
    cells = zip(heat.starts.tolist(), heat.ends.tolist(), heat.effects.tolist(), strict=True)
    return [HeatSpan(start=start, end=end, effect=effect) for start, end, effect in cells]


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda two: (two[0], two[0] + two[1])))


@given(heats(), spans)
def test_the_effect_on_words_is_that_of_the_heat_the_document_was_made_of(
    heat: Heat, asked: list[tuple[int, int]]
) -> None:
    tokens = tokens_of(heat)

    assert effect_on(tokens, asked) == (heat.within(asked) if tokens else None)
    for span in asked:
        assert list(touching(tokens, span)) == np.flatnonzero(heat.at([span])).tolist()


def test_a_character_in_several_tokens_has_the_effect_of_all() -> None:
    tokens = [HeatSpan(start=4, end=5, effect=effect) for effect in (1.0, 2.0, 4.0)]

    assert effect_on(tokens, [(4, 5)]) == 7.0
    assert effect_on([], [(4, 5)]) is None
