"""Scoring one memory: which responses it is about, what it costs, and what it says when something is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memscope.actions.engine import Scorer
from memscope.actions.memory import one_memory, score_memory
from memscope.actions.score import score_matrix
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.engines.stored import stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.fakes import (
    LATE,
    PNPM,
    FormulaEngine,
    assistant,
    cut_otherwise_without,
    end_of_workers,
    fails_baseline,
    fails_without,
    lacks,
    memory,
    office,
    talk,
    true_effects,
    user,
)

PNPM_ROW = 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    end_of_workers()
    opened.close()


def test_effects_are_those_of_the_matrix_in_its_window() -> None:
    effects, cost = score_memory(office(), "pnpm", Scorer(FormulaEngine()), Job())
    expected = true_effects(office())[PNPM_ROW, 1:]
    assert effects.stretch.responses == (5, 8)
    np.testing.assert_array_equal(effects.effects, expected)
    assert (effects.sum, effects.max) == (expected.sum(), expected.max())
    assert effects.divergence == np.maximum(expected, 0).sum()
    assert cost.scorings == 2


def test_the_window_ends_with_the_last_response_that_counts() -> None:
    effects, _ = score_memory(office(), "pnpm", Scorer(FormulaEngine()), Job(), responses=1)
    assert (effects.stretch.start, effects.stretch.end, effects.stretch.responses) == (3, 6, (5,))
    assert effects.effects.tolist() == [true_effects(office())[PNPM_ROW, 1]]


def test_all_that_was_said_before_is_in_front_unless_the_window_is_the_context() -> None:
    asked: list[bool] = []
    engine = FormulaEngine(before=lambda _, prompt: asked.append(lacks(prompt, "Which package manager is it?")))
    for context, cut in (("full", False), ("window", True)):
        asked.clear()
        effects, _ = score_memory(office(), "pnpm", Scorer(engine), Job(), context=context)  # type: ignore[arg-type]
        assert asked == [cut, cut]
        np.testing.assert_array_equal(effects.effects, true_effects(office())[PNPM_ROW, 1:])  # the formula is additive


def test_what_a_matrix_has_scored_is_not_scored_again(store: Database) -> None:
    scorer = Scorer(stored(FormulaEngine(), ScoreStore(store)), store)
    score_matrix(office(), scorer, Job())
    _, cost = score_memory(office(), "pnpm", scorer, Job())
    assert (cost.scorings, cost.from_store) == (0, 2)
    _, cost = score_memory(office(), "pnpm", scorer, Job(), context="window")
    assert cost.scorings == 2


def test_without_a_response_in_its_window_nothing_is_scored() -> None:
    engine = FormulaEngine()
    found = talk(user("Hello."), assistant("Hi."), memory("last", LATE))
    document = one_memory(found, "last", Scorer(engine), Settings(), Job())
    assert (document.sum, document.divergence, document.max) == (0.0, 0.0, 0.0)
    assert (document.effects, document.window) == ([], (2, 2))
    assert document.reason == "no response comes after the memory"
    assert document.failure is None
    assert engine.calls == 0


def test_a_key_that_is_not_there_names_those_like_it() -> None:
    with pytest.raises(UsageError, match="Did you mean pnpm"):
        score_memory(office(), "pnm", Scorer(FormulaEngine()), Job())


def test_a_failed_scoring_leaves_no_numbers_and_says_which_it_was() -> None:
    for engine, failure in (
        (FormulaEngine(before=fails_without(PNPM)), "without"),
        (FormulaEngine(before=fails_baseline(PNPM)), "baseline"),
    ):
        document = one_memory(office(), "pnpm", Scorer(engine), Settings(), Job())
        assert (document.sum, document.divergence, document.max) == (None, None, None)
        assert (document.failure, document.left_out) == (failure, 2)
        assert document.reason
        assert [effect.effect for effect in document.effects] == [None, None]


def test_a_response_that_cannot_be_compared_is_left_out_alone() -> None:
    engine = FormulaEngine(after=cut_otherwise_without(PNPM, 2))
    document = one_memory(office(), "pnpm", Scorer(engine), Settings(), Job())
    measured, missing = document.effects
    assert measured.effect == document.sum == true_effects(office())[PNPM_ROW, 1]
    assert missing.effect is None
    assert "retokenised" in (missing.error or "")
    assert (document.left_out, document.reason, document.failure) == (1, None, None)


def test_where_no_response_can_be_compared_that_is_the_reason() -> None:
    engine = FormulaEngine(after=cut_otherwise_without(PNPM, 1, 2))
    document = one_memory(office(), "pnpm", Scorer(engine), Settings(), Job())
    assert (document.sum, document.divergence, document.max) == (None, None, None)
    assert "retokenised" in (document.reason or "")
    assert (document.left_out, document.failure) == (2, "without")
