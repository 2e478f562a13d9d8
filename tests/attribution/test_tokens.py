"""Where in a response an effect sits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memscope.attribution.tokens import Heat, heat
from memscope.engines.protocol import Tokens


def tokens(logprobs: list[float], starts: list[int] | None = None) -> Tokens:
    """Tokens of four characters each, or such as begin at `starts` and end where the next begins."""
    begins = starts if starts is not None else [4 * n for n in range(len(logprobs))]
    ends = [*begins[1:], begins[-1] + 4] if begins else []
    return Tokens(np.array(begins, np.int32), np.array(ends, np.int32), np.array(logprobs, np.float64))


def hot(*effects: float) -> Heat:
    found = heat(tokens(list(effects)), tokens([0.0] * len(effects)))
    assert found is not None
    return found


def test_heat_is_signed_and_adds_up_to_the_effect() -> None:
    found = heat(tokens([-1.0, -2.0, -3.0]), tokens([-4.0, -1.5, -3.0]))

    assert found is not None
    assert found.effects.tolist() == [3.0, -0.5, 0.0]
    assert found.within([(0, 12)]) == 2.5


@pytest.mark.parametrize(("baseline", "ablated"), [(None, None), (None, tokens([-1.0])), (tokens([-1.0]), None)])
def test_without_tokens_there_is_no_heat(baseline: Tokens | None, ablated: Tokens | None) -> None:
    assert heat(baseline, ablated) is None


@pytest.mark.parametrize(
    "other",
    [
        tokens([-1.0, -1.0]),
        tokens([-1.0] * 3, [0, 5, 8]),
        replace(tokens([-1.0] * 3), ends=np.array([3, 8, 12], np.int32)),
        tokens([]),
    ],
)
def test_a_text_that_was_cut_otherwise_has_no_heat(other: Tokens) -> None:
    assert heat(tokens([-1.0] * 3), other) is None


@pytest.mark.parametrize(
    ("span", "effect"),
    [
        ((0, 4), 1.0),
        ((0, 5), 3.0),  # touches the second
        ((3, 4), 1.0),
        ((4, 8), 2.0),
        ((3, 9), 7.0),
        ((0, 0), 0.0),
        ((4, 4), 0.0),
        ((12, 99), 0.0),
    ],
)
def test_words_take_the_tokens_that_touch_them(span: tuple[int, int], effect: float) -> None:
    assert hot(1.0, 2.0, 4.0).within([span]) == effect


@pytest.mark.parametrize(
    ("spans", "touched"),
    [
        ([], [False, False, False]),
        ([(0, 2), (8, 9)], [True, False, True]),
        ([(8, 12), (0, 4)], [True, False, True]),
        ([(0, 5), (1, 2), (0, 5)], [True, True, False]),
    ],
)
def test_several_places_take_each_token_once(spans: list[tuple[int, int]], touched: list[bool]) -> None:
    effects = [1.0, 2.0, 4.0]

    assert hot(*effects).at(spans).tolist() == touched
    assert hot(*effects).within(spans) == sum(e for e, taken in zip(effects, touched, strict=True) if taken)


@pytest.mark.parametrize(
    ("sign", "strongest"),
    [(1.0, (8, 12, 2.0)), (0.01, (8, 12, 2.0)), (-1.0, (4, 8, -3.0)), (-0.01, (4, 8, -3.0))],
)
def test_the_strongest_token_is_the_first_of_those_that_did_most_that_way(
    sign: float, strongest: tuple[int, int, float]
) -> None:
    assert hot(1.0, -3.0, 2.0, -3.0, 2.0).strongest(sign) == strongest


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_where_no_token_did_anything_that_way_there_is_no_strongest(sign: float) -> None:
    assert hot(-sign, 0.0).strongest(sign) is None
    assert hot(0.0).strongest(sign) is None
    assert hot().strongest(sign) is None


def test_an_empty_response_has_no_effect_anywhere() -> None:
    assert hot().within([(0, 9)]) == 0.0
    assert hot().at([(0, 9)]).tolist() == []


@pytest.mark.parametrize(
    ("effects", "few"),
    [
        ([1.0] * 8, True),
        ([1.0] * 9, False),
        ([4.0] + [0.5] * 20, False),
        ([10.0] + [0.5] * 20, True),
        ([1.0] * 8 + [-9.0] * 90, True),  # what spoke against does not dilute
        ([0.0] * 3, False),
        ([-1.0], False),
        ([], False),
    ],
)
def test_an_effect_is_concentrated_when_half_of_it_sits_on_few_tokens(effects: list[float], few: bool) -> None:
    assert hot(*effects).concentrated(1.0) == few
    assert hot(*(-effect for effect in effects)).concentrated(-1.0) == few


def test_how_many_tokens_are_few_can_be_said() -> None:
    assert not hot(*[1.0] * 3).concentrated(1.0, tokens=1)
    assert hot(*[1.0] * 3).concentrated(1.0, tokens=2)


def test_a_part_of_a_character_belongs_to_the_words_that_begin_with_it() -> None:
    heat = Heat(
        np.array([0, 2, 2, 3]), np.array([2, 2, 3, 5]), np.array([1.0, 8.0, 2.0, 4.0])
    )  # the 2nd and 3rd: an emoji

    assert heat.within([(2, 3)]) == 10.0
    assert heat.within([(0, 2)]) == 1.0
    assert heat.within([(3, 5)]) == 4.0
