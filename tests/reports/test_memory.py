"""One memory for reading: its numbers are those of the tables, its effects those of the matrix."""

from __future__ import annotations

import numpy as np
import pytest

from memscope.actions.engine import Scorer
from memscope.actions.score import score_matrix
from memscope.attribution.aggregates import cutoffs, memory_totals
from memscope.attribution.matrix import Matrix, MatrixRun
from memscope.base.job import Job
from memscope.conversation.model import Conversation
from memscope.reports.cell import cell_detail
from memscope.reports.matrix import memory_rows
from memscope.reports.memory import MemoryDetail, duplicates_of, memory_detail
from tests.fakes import LATE, PNPM, FormulaEngine, assistant, fails_without, memory, office, talk, true_effects

THRESHOLD = 1.0


def detail(conversation: Conversation, matrix: Matrix, row: int) -> MemoryDetail:
    cut = cutoffs(matrix, THRESHOLD)
    totals = memory_totals(matrix, cut)
    return memory_detail(conversation, matrix, cut, totals, row, duplicates=duplicates_of(conversation))


def scored(conversation: Conversation, engine: FormulaEngine | None = None) -> Matrix:
    run, _ = score_matrix(conversation, Scorer(engine or FormulaEngine()), Job())
    return run.snapshot()


@pytest.mark.parametrize("row", [0, 1, 2])
def test_its_numbers_are_those_of_the_table(row: int) -> None:
    matrix = scored(office(), FormulaEngine(before=fails_without(LATE)))

    assert detail(office(), matrix, row).row == memory_rows(office(), matrix, THRESHOLD)[row]


def test_it_worked_against_a_response_only_by_more_than_any_text_moves() -> None:
    found = [detail(office(), scored(office()), row) for row in range(3)]
    lowest = [min((at.effect for at in one.effects if at.effect is not None), default=0.0) for one in found]
    hurt = [one.against(0.0) for one in found]

    assert [at is not None and at.effect for at in hurt] == [low < -THRESHOLD and low for low in lowest]
    assert any(hurt)
    assert not any(one.against(-low) for one, low in zip(found, lowest, strict=True))


def test_its_effects_go_along_the_conversation() -> None:
    conversation = office()
    matrix = scored(conversation, FormulaEngine(before=fails_without(LATE)))
    truth = true_effects(conversation)

    effects = detail(conversation, matrix, 1).effects
    assert [one.message for one in effects] == [2, 5, 8]
    assert [one.effect for one in effects] == truth[1].tolist()
    assert [one.state for one in effects] == ["before", "ok", "ok"]
    assert [one.counts for one in effects] == (np.abs(truth[1]) > THRESHOLD).tolist()
    assert {one.counts for row in (0, 1) for one in detail(conversation, matrix, row).effects} == {True, False}

    failed = detail(conversation, matrix, 2).effects
    assert [(one.effect, one.state, one.counts) for one in failed] == [(None, "failed", False)] * 3


def test_its_strongest_cells_count_and_are_cells_like_any() -> None:
    conversation = office()
    matrix = scored(conversation)
    cut = cutoffs(matrix, THRESHOLD)

    for row in range(3):
        strongest = detail(conversation, matrix, row).strongest
        columns = [matrix.responses.index(cell.message) for cell in strongest]
        sizes = [abs(matrix.effects[row, column]) for column in columns]
        assert sizes == sorted(sizes, reverse=True)
        assert set(columns) == set(np.flatnonzero(np.abs(matrix.effects[row]) > cut.cutoff))
        assert list(strongest) == [cell_detail(conversation, matrix, cut, row, column) for column in columns]
    assert any(detail(conversation, matrix, row).strongest for row in range(3))


def test_it_has_every_text_and_knows_its_near_duplicates() -> None:
    conversation = talk(
        memory("old", PNPM),
        memory("tabs", "Indent with tabs."),
        memory("new", "Packages: install them by pnpm."),
        memory("old", "Install all packages with pnpm!"),
        assistant("Use pnpm."),
    )
    matrix = scored(conversation)

    found = detail(conversation, matrix, 0)

    assert found.texts == (PNPM, "Install all packages with pnpm!")
    assert (found.row.occurrences, found.row.rules) == ([0, 3], ["explicit"])
    (near,) = found.near
    assert (near.key, near.part, near.shared) == ("new", 1.0, ("install", "packages", "pnpm"))
    assert near.total == memory_rows(conversation, matrix, THRESHOLD)[2].total
    assert detail(conversation, matrix, 1).near == ()


def test_before_anything_is_scored_it_can_be_read_too() -> None:
    matrix = MatrixRun(office()).snapshot()

    found = detail(office(), matrix, 0)

    assert (found.key, found.row.state, found.strongest) == ("tabs", "partial", ())
    assert [one.effect for one in found.effects] == [None, None, None]


def test_what_came_before_a_memory_is_told_also_where_its_scoring_failed() -> None:
    for engine in (FormulaEngine(), FormulaEngine(before=fails_without(LATE))):
        found = detail(office(), scored(office(), engine), 2)

        assert [(effect.message, effect.before) for effect in found.effects] == [(2, True), (5, True), (8, False)]
