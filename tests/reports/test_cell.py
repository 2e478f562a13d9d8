"""The cell under the cursor: its numbers, its state in words, and the words of the response around the strongest."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.engine import Scorer
from memscope.actions.heat import token_heat
from memscope.actions.respond import Question, explain_response
from memscope.actions.score import score_matrix
from memscope.attribution.aggregates import Cutoffs, cutoffs
from memscope.attribution.matrix import RETOKENISED, Matrix, MatrixRun
from memscope.attribution.tokens import Heat
from memscope.base.job import Job
from memscope.base.text import clean_line
from memscope.conversation.ablation import BASELINE
from memscope.conversation.render import Prompt, render
from memscope.engines.protocol import Failure
from memscope.reports.cell import CellDetail, cell_detail
from tests.fakes import (
    TABS,
    FormulaEngine,
    assistant,
    cut_otherwise_without,
    memory,
    office,
    talk,
    true_effects,
    user,
    without,
)


@cache
def office_run() -> MatrixRun:
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())
    return run


def cut_of(matrix: Matrix, threshold: float = 0.01) -> Cutoffs:
    return cutoffs(matrix, threshold)


def in_office(row: int, column: int, threshold: float = 0.01) -> CellDetail:
    matrix = office_run().snapshot()
    return cell_detail(office(), matrix, cut_of(matrix, threshold), row, column)


def test_its_numbers_are_those_of_the_response() -> None:
    document = explain_response(office(), Question(8, 0.01), Scorer(FormulaEngine()), Job())
    told = {memory.key: memory for memory in (*document.important, *document.against)}

    for row, key in enumerate(("tabs", "pnpm", "late")):
        cell = in_office(row, 2)
        assert (cell.key, cell.message, cell.effect) == (key, 8, true_effects(office())[row, 2])
        assert (cell.per_token, cell.share) == (told[key].per_token, told[key].share)
        assert (cell.noise, cell.cutoff) == (document.noise, document.cutoff)
        assert (cell.state, cell.counts, cell.told) == ("ok", True, "measured")


def test_an_effect_that_does_not_exceed_the_cutoff_says_so() -> None:
    effect = in_office(0, 2).effect
    assert effect is not None

    cell = in_office(0, 2, threshold=abs(effect))

    assert (cell.counts, cell.told) == (False, "measured, and not beyond the cutoff")


def test_a_cell_before_is_zero_and_says_why() -> None:
    cell = in_office(2, 0)

    assert (cell.effect, cell.state, cell.share, cell.counts) == (0.0, "before", None, False)
    assert cell.told == "the memory comes after this response, so its effect is 0"


def test_what_has_no_number_says_why() -> None:
    run = MatrixRun(office())
    pending = run.snapshot()
    run.land(BASELINE, FormulaEngine().score(office_prompt(), Job()))
    run.land(without("tabs"), Failure("the server\nis \x1b[31mred"))
    failed = run.snapshot()

    waiting = cell_detail(office(), pending, cut_of(pending), 0, 0)
    broken = cell_detail(office(), failed, cut_of(failed), 0, 0)

    assert (waiting.effect, waiting.per_token, waiting.share, waiting.state) == (None, None, None, "pending")
    assert waiting.told == "not scored yet"
    assert (broken.effect, broken.state, broken.counts) == (None, "failed", False)
    assert broken.told == "could not be scored: the server⏎is ␛[31mred"


def test_a_cell_that_failed_alone_says_why() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine(after=cut_otherwise_without(TABS, 1))), Job())
    matrix = run.snapshot()

    whole, broken = (cell_detail(office(), matrix, cut_of(matrix), 0, column) for column in (0, 1))

    assert (whole.state, whole.told) == ("ok", "measured")
    assert (broken.effect, broken.state, broken.counts) == (None, "failed", False)
    assert broken.told == f"could not be scored: {RETOKENISED}"


def office_prompt() -> Prompt:

    return render(office())


def test_the_word_stands_where_it_is_said_to_stand() -> None:
    run, scorer = office_run(), Scorer(FormulaEngine())
    matrix = run.snapshot()
    for row, key in enumerate(matrix.keys):
        heat = token_heat(run, 2, [without(key)], scorer, Job())[without(key)]
        cell = cell_detail(office(), matrix, cut_of(matrix), row, 2, heat=heat)
        assert cell.word_at is not None
        assert cell.response[slice(*cell.word_at)] == cell.word != ""


texts = st.text(st.sampled_from("ab \n\t\u200b\x1b…é你"), max_size=60)


@given(texts, texts, texts, st.integers(2, 80))
def test_an_excerpt_is_one_clean_line_of_the_width_with_the_word_in_it(
    opening: str, word: str, rest: str, width: int
) -> None:
    said = f"x{opening}{word}{rest}"
    conversation = talk(memory("m", "text"), user("?"), assistant(said))
    run, _ = score_matrix(conversation, Scorer(FormulaEngine()), Job())
    matrix = run.snapshot()
    effect = matrix.effects[0, 0]
    start, end = 1 + len(opening), 1 + len(opening) + len(word)
    heat = Heat(np.array([start], np.int32), np.array([end], np.int32), np.array([math.copysign(1.0, effect)]))

    cell = cell_detail(conversation, matrix, cut_of(matrix), 0, 0, heat=heat, width=width)

    assert len(cell.response) <= width
    assert cell.response == clean_line(cell.response) == cell.response.strip()
    assert "  " not in cell.response
    if cell.word_at is not None:
        first, last = cell.word_at
        assert 0 <= first <= last <= len(cell.response)
        shown = cell.response[first:last]
        whole = clean_line(" ".join(word.split()))
        assert whole.startswith(shown.removesuffix("…").rstrip())
        if not cell.response.endswith("…"):
            assert shown == whole


@pytest.mark.parametrize(("row", "column"), [(1, 1), (2, 2)])
def test_without_heat_the_response_is_shown_from_its_beginning(row: int, column: int) -> None:
    cell = in_office(row, column)

    assert (cell.word, cell.word_at, cell.spread) == ("", None, False)
    assert cell.response.startswith(("Use pnpm", "Installed"))
