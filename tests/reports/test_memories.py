from __future__ import annotations

import numpy as np
import pytest

from memscope.attribution.matrix import MatrixRun
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.render import Renderer
from memscope.engines.protocol import EngineIdentity, Failure
from memscope.reports.matrix import MEMORIES, memory_rows
from memscope.reports.memories import Known, MemoryReader, Version, chosen_memories
from memscope.reports.memory_columns import memory_columns
from tests.fakes import FormulaEngine, assistant, memory, office, talk, user


def run_of(*landed: Ablation) -> MatrixRun:
    """A run over the office in which these have landed; all, when none are named."""
    run, engine = MatrixRun(office()), FormulaEngine()
    renderer = Renderer(run.conversation)
    for ablation in landed or run.plan:
        run.land(ablation, engine.score(renderer.prompt(ablation), Job()))
    return run


def test_rows_are_those_of_the_report_whole_or_some() -> None:
    run = run_of()
    reader = MemoryReader(run.conversation, run.snapshot(), 0.01)

    assert reader.rows() == memory_rows(run.conversation, run.snapshot(), 0.01)
    assert reader.rows({2, 0}) == [reader.rows()[0], reader.rows()[2]]
    assert reader.detail("pnpm").row == reader.rows()[1]


def test_a_memory_of_which_nothing_is_measured_has_no_numbers_yet() -> None:
    run = run_of(BASELINE, Ablation.of("tabs"))
    reader = MemoryReader(run.conversation, run.snapshot(), 0.01)
    tabs, pnpm, late = reader.rows()

    assert tabs.total is not None and tabs.responses is not None
    for row in (pnpm, late, reader.detail("late").row):
        assert (row.total, row.net, row.max, row.against, row.responses) == (None, None, None, None, None)
    reader.look(run_of().snapshot(), 0.01)
    assert all(row.total is not None for row in reader.rows())


def test_columns_tell_of_failures_but_not_of_rows_that_wait() -> None:
    run = run_of(BASELINE)
    reader = MemoryReader(run.conversation, run.snapshot(), 0.01)
    assert "error" not in [column.title for column in reader.columns(reader.rows())]

    run.land(Ablation.of("pnpm"), Failure("no answer"))
    reader.look(run.snapshot(), 0.01)
    assert [column.title for column in reader.columns(reader.rows())][-3:] == ["left out", "state", "error"]


def test_the_threshold_is_the_one_last_looked_with() -> None:
    run = run_of()
    reader = MemoryReader(run.conversation, run.snapshot(), 0.01)
    reader.look(run.snapshot(), 1e9)

    assert {row.responses for row in reader.rows()} == {0}
    assert not reader.detail("tabs").strongest


def test_each_text_of_a_memory_is_told_with_where_it_begins() -> None:
    conversation = talk(memory("a", "one"), memory("b", "x"), memory("a", "two"), memory("a", "one"), assistant("Yes."))
    reader = MemoryReader(conversation, MatrixRun(conversation).snapshot(), 0.01)

    assert reader.versions("a") == [Version(0, "one"), Version(2, "two")]
    with pytest.raises(KeyError):
        reader.detail("nobody")


def test_opening_words_are_one_clean_line() -> None:
    conversation = talk(user("?"), assistant("Yes,\n\x1b[2Jof course."))
    reader = MemoryReader(conversation, MatrixRun(conversation).snapshot(), 0.01)

    assert reader.opening(1) == "Yes, ␛[2Jof course."


def test_a_choice_of_memories_is_a_document_in_the_order_of_the_conversation() -> None:
    run = run_of()
    matrix, identity = run.snapshot(), EngineIdentity("formula", model="m")
    some = chosen_memories(run.conversation, matrix, identity, 0.01, ["late", "tabs"])
    everything = chosen_memories(run.conversation, matrix, identity, 0.01)

    assert [row.key for row in some.memories] == ["tabs", "late"]
    assert everything.memories == memory_rows(run.conversation, matrix, 0.01)
    assert MEMORIES.rows(everything) == everything.memories
    assert np.isfinite([row.total or 0.0 for row in everything.memories]).all()


def test_a_cell_of_an_error_begins_with_the_reason() -> None:
    row = MemoryReader(office(), run_of().snapshot(), 0.01).rows()[0]
    error = next(column for column in memory_columns([], missing=True) if column.title == "error")
    failed = row.model_copy(update={"error": "http://127.0.0.1:27431: connection refused. Is it running?"})
    assert error.text(failed) == "connection refused. Is it running?"
    assert error.value(failed) == failed.error


def test_what_else_is_known_is_told_by_memory() -> None:
    before = Known(tokens={"a": 1, "b": 2}, decisions={"a": "prune", "c": "pin"})
    after = Known(tokens={"a": 1, "b": 3}, decisions={"a": "prune"}, notes={"d": "old"})
    assert after.unlike(before) == before.unlike(after) == {"b", "c", "d"}
    assert after.unlike(after) == set()
