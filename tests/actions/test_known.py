"""What is kept of memories beside their effects, in the rows that show it."""

from __future__ import annotations

from memscope.actions.engine import Scorer
from memscope.actions.incremental import look_what_is_due, score_due
from memscope.actions.known import known_of, with_known
from memscope.actions.memory_decisions import decide
from memscope.actions.runs import kept_run
from memscope.actions.score import score_matrix
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.engines.embedded.engine import Embedded
from memscope.reports.matrix import MEMORIES, CostPart, MatrixDocument, matrix_document, memories_document
from memscope.reports.memories import Known
from memscope.store.database import Database
from tests.fakes import FormulaEngine, assistant, memory, office, talk, user


def document_of(conversation: Conversation, scorer: Scorer) -> MatrixDocument:
    run, cost = score_matrix(conversation, scorer, Job())
    kept_run(cost, run, scorer, Job(), threshold=0.01)
    part = CostPart(scorings=0, from_store=0, seconds=0.0)
    return matrix_document(conversation, run.snapshot(), scorer.engine.identity, 0.01, part)


def titles(document: MatrixDocument) -> list[str]:
    return [column.title for column in MEMORIES.columns(memories_document(document))]


def test_what_is_known_of_no_memory_has_no_column(database: Database) -> None:
    scorer = Scorer(FormulaEngine(), database)
    document = document_of(office(), scorer)
    assert with_known(document, office(), scorer) == document
    assert not {"decision", "weight", "tokens", "verdict", "last scored", "note"} & set(titles(document))


def test_weights_decisions_and_notes_are_in_the_rows(database: Database) -> None:
    scorer = Scorer(FormulaEngine(), database)
    decide(database, office(), ["tabs"], "pin", note="dear")
    settings = Settings(cutoff=1.0)
    due = look_what_is_due(office(), scorer, settings, Job(), at=1.7e9)
    scored = {one.key: one.weight for one in score_due(due, scorer, settings, Job()).scored}
    document = with_known(document_of(office(), scorer), office(), scorer)
    rows = {row.key: row for row in document.memories}
    assert {key: row.weight for key, row in rows.items()} == scored
    assert {row.last_scored for row in rows.values()} == {"2023-11-14T22:13:20Z"}
    assert (rows["tabs"].decision, rows["tabs"].note) == ("pin", "dear")
    assert (rows["late"].decision, rows["late"].note) == (None, None)
    assert {"decision", "weight", "last scored", "note"} <= set(titles(document))


def test_tokens_are_those_of_the_engine_that_counted_them_and_of_the_text_as_it_is(database: Database) -> None:
    scorer = Scorer(Embedded(), database)
    document_of(office(), scorer)
    known = known_of(office(), scorer)
    assert set(known.tokens) == {"tabs", "pnpm", "late"} and min(known.tokens.values()) > 0
    assert known_of(office(), Scorer(FormulaEngine(), database)).tokens == {}
    changed = talk(memory("tabs", "Indent with spaces."), user("Hi."), assistant("Hi."))
    assert "tabs" not in known_of(changed, scorer).tokens


def test_without_a_store_nothing_is_known() -> None:
    assert known_of(office(), Scorer(FormulaEngine())) == Known()
