"""When a small effect means that the response before already said it."""

from __future__ import annotations

import numpy as np
import pytest

from memscope.attribution.aggregates import cutoffs
from memscope.attribution.explained import AlreadySaid, already_said
from memscope.attribution.matrix import Matrix, State

PNPM = "Install packages with pnpm --frozen-lockfile."
SAID = "Then install the packages: pnpm install --frozen-lockfile."
OTHER = "The invoice total was rounded twice."


def matrix(*effects: list[float], state: State = State.OK) -> Matrix:
    n, m = len(effects), len(effects[0])
    zeros = np.zeros(m)
    return Matrix(
        keys=tuple(f"k{row}" for row in range(n)),
        responses=tuple(range(m)),
        baseline=zeros,
        again=zeros,
        stripped=zeros,
        effects=np.array(effects),
        stray=np.full((n, m), np.nan),
        state=np.full((n, m), state, np.uint8),
        tokens=np.zeros(m, np.int64),
        errors={},
        cell_errors={},
    )


def explained(found: Matrix, column: int, memories: list[str], responses: list[str]) -> list[AlreadySaid]:
    return already_said(found, cutoffs(found, 0.01), column, memories, responses)


def test_an_earlier_response_that_leaned_on_the_memory_explains_a_small_effect() -> None:
    assert explained(matrix([8.0, 0.5]), 1, [PNPM], [SAID, SAID]) == [AlreadySaid(row=0, column=1, earlier=0)]


@pytest.mark.parametrize(
    ("effect", "explains"), [(2.0, True), (2.01, False), (0.0, True), (-2.0, True), (-2.01, False)]
)
def test_small_is_a_quarter_of_the_earlier_effect_either_way(effect: float, explains: bool) -> None:
    assert bool(explained(matrix([8.0, effect]), 1, [PNPM], [SAID, SAID])) == explains


def test_the_response_must_use_the_memory() -> None:
    assert explained(matrix([8.0, 0.0]), 1, [PNPM], [SAID, OTHER]) == []


def test_the_earlier_response_must_have_said_it() -> None:
    assert explained(matrix([8.0, 0.0]), 1, [PNPM], [OTHER, SAID]) == []


def test_a_later_response_explains_nothing() -> None:
    assert explained(matrix([0.0, 8.0]), 0, [PNPM], [SAID, SAID]) == []


def test_an_earlier_effect_that_is_noise_explains_nothing() -> None:
    assert explained(matrix([0.01, 0.0]), 1, [PNPM], [SAID, SAID]) == []


def test_the_strongest_earlier_response_is_named() -> None:
    assert [said.earlier for said in explained(matrix([4.0, 8.0, 8.0, 0.0]), 3, [PNPM], [SAID] * 4)] == [1]


def test_memories_come_by_the_strength_of_what_was_said_then_in_key_order() -> None:
    found = explained(matrix([4.0, 0.0], [8.0, 0.0], [4.0, 0.0]), 1, [PNPM] * 3, [SAID] * 2)

    assert [said.row for said in found] == [1, 0, 2]


def test_a_short_memory_needs_two_fifths_of_its_words() -> None:
    assert explained(matrix([8.0, 0.0]), 1, ["Prefer pnpm."], [SAID] * 2) != []
    assert explained(matrix([8.0, 0.0]), 1, ["Prefer pnpm, never yarn, nor bower, nor cnpm."], [SAID] * 2) == []


def test_a_memory_without_telling_words_is_never_explained_away() -> None:
    assert explained(matrix([8.0, 0.0]), 1, ["it is so"], ["it is so"] * 2) == []


def test_missing_cells_explain_nothing() -> None:
    assert explained(matrix([8.0, 0.0], state=State.FAILED), 1, [PNPM], [SAID] * 2) == []
