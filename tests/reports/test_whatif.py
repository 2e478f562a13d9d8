"""What is told of a what-if: which responses change, which memories take over, and what could not be scored."""

from __future__ import annotations

import numpy as np

from memscope.actions.engine import Scorer
from memscope.actions.score import score_matrix
from memscope.actions.whatif import fill_what_if, new_what_if, what_if
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.protocol import Engine, EngineIdentity
from memscope.reports.csv import csv_text
from memscope.reports.matrix import CostPart
from memscope.reports.whatif import WHATIF, WHOLE, WhatIfDocument, WhatIfReader, listed, memory_columns
from tests.actions.test_whatif import OnceEngine, copies
from tests.fakes import LATE, PNPM, TABS, FormulaEngine, fails_without, lacks, office, true_effects, weights

COST = CostPart(scorings=0, from_store=0, seconds=0.0)


def read(engine: Engine, conversation: Conversation, *keys: str, threshold: float = 0.01) -> WhatIfReader:
    run, _ = what_if(conversation, keys, Scorer(engine), Job())
    return WhatIfReader(conversation, run.snapshot(), threshold)


def document(reader: WhatIfReader) -> WhatIfDocument:
    return reader.document(EngineIdentity("formula"), Settings(), COST)


def fails_without_both(first: str, second: str):  # type: ignore[no-untyped-def]
    """The scoring that lacks both texts fails, and none else but that without any memory."""

    def before(call: int, prompt: Prompt) -> None:
        if lacks(prompt, first):
            fails_without(second)(call, prompt)

    return before


def test_the_copy_that_stays_takes_over_and_nothing_changes() -> None:
    reader = read(OnceEngine(), copies(), "one")
    effect = float(weights(PNPM, "Use pnpm to install packages.").sum())
    assert effect > 0
    (response,), (two, tabs) = reader.responses, reader.memories
    assert (response.change, response.counts) == (0.0, False)
    assert (response.takes_over, response.taken) == ("two", effect)
    assert (two.before, two.after, two.total, two.net, two.takes_over) == (0.0, effect, effect, effect, 1)
    assert (tabs.total, tabs.takes_over) == (0.0, 0)
    assert reader.takers == [two] and reader.changed == []
    assert reader.result_words.startswith("no response changes beyond its cutoff; two (+")
    assert reader.result_words.endswith("takes over")


def test_what_is_gone_is_named_with_what_it_takes() -> None:
    reader = read(FormulaEngine(), office(), "tabs", "pnpm")
    assert reader.chars == len(TABS) + 2 * len(PNPM)  # pnpm stands there twice
    assert reader.without_words == f"without tabs and pnpm ({reader.chars} characters)"
    run, _ = what_if(office(), ["late"], Scorer(FormulaEngine()), Job())
    assert WhatIfReader(office(), run.snapshot(), 0.01, tokens=1).without_words == "without late (1 token)"
    assert listed(()) == "nothing"
    assert listed(list("abcdefg")) == "a, b, c and 4 more"


def test_responses_go_by_their_index_in_the_whole_conversation() -> None:
    reader = read(FormulaEngine(), office(), "late", "pnpm")  # whole messages disappear
    assert [row.message for row in reader.responses] == [2, 5, 8]
    assert [row.preview[:8] for row in reader.responses] == ["I do not", "Use pnpm", "Installe"]
    assert reader.grid.responses == (2, 5, 8)
    assert reader.cell(0, 1).message == 5


def test_the_numbers_of_the_document_are_those_of_the_what_if() -> None:
    reader = read(FormulaEngine(), office(), "pnpm")
    told, effects = document(reader), true_effects(office())
    assert told.removed == ["pnpm"] and told.schema_ == "memscope/whatif@1"
    assert [row.change for row in told.responses] == (-effects[1]).tolist()
    assert [row.after - row.before for row in told.responses if row.after and row.before] == (-effects[1]).tolist()
    assert [row.state for row in told.responses] == ["before", "ok", "ok"]
    assert [row.key for row in told.memories] == ["tabs", "late"]
    assert told.differences == [[0.0] * 3] * 2
    assert told.states[1] == ["before", "before", "ok"]
    assert told.failed == [] and told.reason is None
    biggest = max(told.responses, key=lambda row: abs(row.change or 0.0))
    assert f"2 of 3 responses change, most #{biggest.message} (" in reader.result_words
    assert reader.result_words.endswith("no memory takes over")


def test_what_does_not_exceed_the_threshold_counts_for_nothing() -> None:
    reader = read(FormulaEngine(), office(), "pnpm", threshold=1e6)
    assert reader.changed == [] and reader.takers == []
    assert reader.grid.noise[0, 1:].all()
    assert reader.cell(0, 1).counts is False
    assert reader.result_words == "no response changes beyond its cutoff; no memory takes over"


def test_what_failed_is_told_with_its_reason_and_summed_nowhere() -> None:
    reader = read(FormulaEngine(before=fails_without_both(TABS, PNPM)), office(), "tabs")
    told = document(reader)
    pnpm, late = told.memories
    assert pnpm.key == "pnpm" and pnpm.total is None and pnpm.net is None and pnpm.left_out == 2
    assert pnpm.error is not None and "refuses to go without" in pnpm.error
    assert late.total == 0.0 and late.error is None
    assert told.differences[0][1:] == [None, None] and told.states[0][1:] == ["failed", "failed"]
    assert [(row.key, row.message) for row in told.failed] == [("pnpm", None)]
    assert np.isnan(reader.grid.row_totals[1])
    cell = reader.cell(1, 2)
    assert (cell.difference, cell.state, cell.counts) == (None, "failed", False)
    assert cell.told.startswith("could not be scored: without them: ")
    assert [column.title for column in memory_columns(told.memories)][-1] == "error"


def test_a_side_that_failed_as_a_whole_is_the_reason() -> None:
    def before(call: int, prompt: Prompt) -> None:
        fails_without(TABS)(call, prompt)

    told = document(read(FormulaEngine(before=before), office(), "tabs"))
    assert told.reason is not None and "without them could not be scored" in told.reason
    assert {row.change for row in told.responses} == {None}
    assert {(row.key, row.message) for row in told.failed} == {(None, 2), (None, 5), (None, 8)}


def test_the_grid_says_the_change_first_and_adds_up_what_is_taken_over() -> None:
    reader = read(OnceEngine(), copies(), "one")
    effect = float(weights(PNPM, "Use pnpm to install packages.").sum())
    assert reader.grid.keys == (WHOLE, "two", "tabs")
    assert reader.grid.values[:, 0].tolist() == [0.0, effect, 0.0]
    assert np.isnan(reader.grid.row_totals[0])
    assert reader.grid.row_totals[1:].tolist() == [max(effect, 0.0), 0.0]
    whole, two = reader.cell(0, 0), reader.cell(1, 0)
    assert (whole.key, whole.difference, whole.memory) == (None, 0.0, "")
    assert (two.key, two.before, two.after, two.difference) == ("two", 0.0, effect, effect)
    assert two.memory.startswith("Install packages")


def test_while_it_fills_what_is_to_come_is_pending() -> None:
    scorer = Scorer(FormulaEngine())
    whole, _ = score_matrix(office(), scorer, Job())
    run = new_what_if(whole, ["tabs"])
    reader = WhatIfReader(office(), run.snapshot(), 0.01)
    assert {row.state for row in reader.responses} == {"pending"}
    assert reader.cell(0, 0).told == "not scored yet"
    fill_what_if(run, scorer, Job())
    assert {row.state for row in WhatIfReader(office(), run.snapshot(), 0.01).responses} == {"ok"}


def test_without_any_memory_left_there_is_the_first_row_alone() -> None:
    reader = read(FormulaEngine(), office(), "tabs", "pnpm", "late")
    assert reader.grid.keys == (WHOLE,)
    assert document(reader).differences == [] and len(reader.changed) == 3


def test_csv_has_a_line_a_response() -> None:
    lines = csv_text(WHATIF, document(read(FormulaEngine(before=fails_without(LATE)), office(), "pnpm"))).splitlines()
    assert lines[0].startswith("message,change,before,after,takes over,by,cutoff,response")
    assert len(lines) == 4 and lines[1].startswith("2,0.0,")
