"""Sorting, finding and jumping: what stands where, and why."""

from __future__ import annotations

import numpy as np
import pytest

from memscope.actions.engine import Scorer
from memscope.actions.score import score_matrix
from memscope.attribution.aggregates import cutoffs, memory_totals
from memscope.base.job import Job
from memscope.conversation.model import Memory, Message, Text
from memscope.reports.grid import grid
from memscope.reports.order import column_order, matching, row_order, strongest_order
from tests.fakes import PNPM, FormulaEngine, assistant, fails_without, memory, office, talk, user


def test_rows_and_columns_by_when_they_were_seen_by_strength_and_by_key() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine(before=fails_without(PNPM))), Job())
    matrix = run.snapshot()
    drawn = grid(matrix, cutoffs(matrix, 0.01))
    totals = drawn.row_totals

    assert row_order(drawn, "first seen").tolist() == [0, 1, 2]
    assert row_order(drawn, "key").tolist() == [2, 1, 0]  # late, pnpm, tabs
    assert row_order(drawn, "strength").tolist() == ([0, 2, 1] if totals[0] >= totals[2] else [2, 0, 1])
    assert np.isnan(totals[1])  # and therefore last
    assert column_order(drawn, "first seen").tolist() == [0, 1, 2]
    by_strength = drawn.column_totals[column_order(drawn, "strength")]
    assert (np.diff(by_strength) <= 0).all()
    assert len(set(by_strength.tolist())) > 1


def test_keys_are_sorted_without_regard_to_case() -> None:
    conversation = talk(memory("b", "x"), memory("A", "x"), memory("a", "x"), assistant("One."))
    run, _ = score_matrix(conversation, Scorer(FormulaEngine()), Job())
    drawn = grid(run.snapshot(), cutoffs(run.snapshot(), 0.01))

    assert [drawn.keys[row] for row in row_order(drawn, "key")] == ["A", "a", "b"]
    equal = memory_totals(run.snapshot(), cutoffs(run.snapshot(), 0.01)).total
    assert len(set(equal.tolist())) == 1
    assert row_order(drawn, "strength").tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [True, True, True]),
        ("  ", [True, True, True]),
        ("tabs", [True, False, False]),
        ("TABS indent", [True, False, False]),
        ("with", [True, True, False]),
        ("with packages", [False, True, False]),
        ("late", [False, False, True]),
        ("tabs late", [False, False, False]),
        ("indent with", [True, False, False]),
    ],
)
def test_a_search_wants_every_word_in_key_or_text(query: str, found: list[bool]) -> None:
    assert matching(office(), query).tolist() == found


def test_a_search_looks_at_every_text_of_a_memory() -> None:
    changed = Message("system", (Text("."), Memory("m", "Straße")))
    conversation = talk(memory("m", "old words"), user("?"), changed, assistant("Well."))

    assert matching(conversation, "STRASSE old").tolist() == [True]


def test_the_next_strongest_cell_is_less_strong_and_beyond_its_cutoff() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())
    matrix = run.snapshot()
    cut = cutoffs(matrix, 0.5)

    order = strongest_order(matrix, cut)

    sizes = [abs(matrix.effects[cell]) for cell in order]
    assert sizes == sorted(sizes, reverse=True)
    assert set(order) == {(int(r), int(c)) for r, c in np.argwhere(np.abs(matrix.effects) > 0.5)}
    assert order
