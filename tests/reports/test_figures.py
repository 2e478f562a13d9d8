from memscope.actions.engine import Scorer
from memscope.actions.score import score_matrix
from memscope.base.job import Job
from memscope.conversation.model import Conversation
from memscope.reports.figures import response_figures
from memscope.reports.matrix import response_rows
from tests.fakes import FormulaEngine, assistant, fails_without, office, talk, user


def figures_and_rows(conversation: Conversation, engine: FormulaEngine) -> None:
    matrix = score_matrix(conversation, Scorer(engine), Job())[0].snapshot()
    figures = response_figures(matrix, 0.01)
    rows = response_rows(conversation, matrix, 0.01)
    assert list(figures) == [row.message for row in rows]
    for row in rows:
        found = figures[row.message]
        assert (found.total, found.top, found.gap, found.left_out) == (row.total, row.top, row.gap, row.left_out)


def test_figures_are_those_of_the_document() -> None:
    figures_and_rows(office(), FormulaEngine())


def test_so_where_a_memory_failed() -> None:
    figures_and_rows(office(), FormulaEngine(before=fails_without("pnpm.")))


def test_so_without_memories_or_responses() -> None:
    figures_and_rows(talk(user("Hello?"), assistant("Yes.")), FormulaEngine())
    figures_and_rows(talk(user("Hello?")), FormulaEngine())
