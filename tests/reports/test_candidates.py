"""Candidates for training: which responses they are, what is said of each, and why there are none."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.engine import Scorer
from memscope.actions.score import score_matrix
from memscope.attribution.matrix import Matrix, MatrixRun
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall, ToolResult
from memscope.reports.candidates import (
    Candidate,
    CandidateReader,
    bucket_counts,
    candidate_columns,
    chosen_candidates,
    steps,
    told_before,
)
from memscope.triage.decisions import Decided
from tests.fakes import (
    FormulaEngine,
    assistant,
    conversations,
    cut_otherwise_without,
    fails_baseline,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
)


def matrix_of(conversation: Conversation, engine: FormulaEngine | None = None) -> Matrix:
    run, _ = score_matrix(conversation, Scorer(engine or FormulaEngine()), Job())
    return run.snapshot()


def reader_of(
    conversation: Conversation, matrix: Matrix | None = None, decided: Mapping[int, Decided] | None = None
) -> CandidateReader:
    reader = CandidateReader(conversation)
    reader.look(matrix or matrix_of(conversation), 0.01, decided or {})
    return reader


def together(conversation: Conversation) -> dict[int, float]:
    """What all memories gave each response: the engine adds them up."""
    return dict(zip(conversation.responses, true_effects(conversation).sum(axis=0).tolist(), strict=True))


@given(conversations, st.floats(0, 5))
def test_candidates_are_the_responses_above_the_threshold_the_most_dependent_first(
    conversation: Conversation, threshold: float
) -> None:
    matrix = matrix_of(conversation)
    rows = reader_of(conversation, matrix).rows(threshold)
    if matrix.reason is None:
        effects = together(conversation)
        assert {row.message for row in rows} == {m for m, effect in effects.items() if max(0.0, effect) > threshold}
        assert all(row.divergence == max(0.0, effects[row.message]) for row in rows)
        order = [(-(row.divergence or 0.0), row.message) for row in rows]
        assert order == sorted(order)
    else:
        assert rows == []


def test_a_row_says_how_long_a_response_is_and_what_it_leaned_on() -> None:
    reader, effects = reader_of(office()), together(office())
    (row,) = [row for row in reader.rows(0.0) if row.message == 8]
    assert (row.tokens, row.preview) == (6, "Installed with pnpm; deploy on Monday.")
    assert row.per_token == (row.divergence or 0.0) / 6
    column = true_effects(office())[:, 2]
    assert row.top == ["tabs", "pnpm", "late"][column.argmax()]
    assert reader.effect(8) == effects[8]
    assert {column.title for column in candidate_columns()} >= {"divergence", "per token", "decision", "response"}


def test_what_was_decided_is_listed_whatever_its_divergence() -> None:
    decided = {5: Decided("accepted", target="Use it.", note="good"), 2: Decided("undecided", note="hm")}
    reader = reader_of(office(), decided=decided)
    assert [row.message for row in reader.rows(1e6)] == [5]
    row = reader.row(5)
    assert (row.decision, row.target, row.note) == ("accepted", "Use it.", "good")
    assert bucket_counts(reader.rows(1e6)) == {"undecided": 0, "accepted": 1, "rejected": 0, "skipped": 0}
    empty = CandidateReader(office())
    empty.look(MatrixRun(office()).snapshot(), 0.01, decided)  # nothing has landed
    assert [(row.message, row.divergence) for row in empty.rows(1.0)] == [(5, None)]


def test_only_what_has_landed_counts() -> None:
    run = MatrixRun(office())
    reader = reader_of(office(), run.snapshot())
    assert reader.rows(0.0) == []
    assert (reader.seen.responses, reader.seen.known, reader.seen.largest) == (3, 0, None)


def test_why_there_are_none() -> None:
    seen = reader_of(office()).seen
    effects = together(office())
    best = max(effects, key=lambda message: effects[message])
    words = seen.words(1000.0)
    assert words.startswith("No response owes its memories more than 1000 nats: 3 responses seen")
    assert f"the largest divergence {effects[best]:.2f} nats, of #{best}" in words


def test_why_there_are_none_where_not_all_could_be_scored() -> None:
    # Only the scoring without any memory lacks all three.
    broken = FormulaEngine(before=fails_without("Deploy on Mondays"))
    seen = reader_of(office(), matrix_of(office(), broken)).seen
    assert seen.known == 0
    assert seen.error == "the server refuses to go without 'Deploy on Mondays'"
    assert seen.words(1.0) == seen.error
    partly = matrix_of(office(), FormulaEngine(after=cut_otherwise_without("Indent with tabs.", 1)))
    seen = reader_of(office(), partly).seen
    assert (seen.responses, seen.known) == (3, 2)
    assert "1 not measured: retokenised" in seen.words(1000.0)


@pytest.mark.parametrize(
    ("conversation", "words"),
    [
        (talk(user("Hello?"), assistant("Hello.")), "no memory was found in the conversation"),
        (talk(memory("a", "A."), user("Hello?")), "the conversation has no response"),
    ],
)
def test_why_there_is_nothing_to_score(conversation: Conversation, words: str) -> None:
    assert reader_of(conversation).seen.words(1.0) == words


def test_a_failed_baseline_is_why_there_are_none() -> None:
    engine = FormulaEngine(before=fails_baseline("Indent with tabs.", "Install packages", "Deploy on"))
    assert "the server is out of memory" in reader_of(office(), matrix_of(office(), engine)).seen.words(1.0)


def test_the_document_is_the_commands_with_these_candidates() -> None:
    matrix = matrix_of(office())
    reader = reader_of(office(), matrix, {2: Decided("skipped")})
    rows = reader.rows(0.0)
    document = chosen_candidates(office(), matrix, rows, 0.0)
    (found,) = document.conversations
    assert [(one.message, one.divergence, one.decision) for one in found.candidates] == [
        (row.message, row.divergence, row.decision) for row in rows if row.divergence is not None
    ]
    assert (found.responses_seen, found.left_out, found.error, found.reason) == (3, 0, None, None)
    nothing = talk(user("Hello?"), assistant("Hello."))
    assert chosen_candidates(nothing, matrix_of(nothing), [], 1.0).conversations[0].reason is not None


def test_the_prompt_is_told_from_the_last_word_of_a_person_on_without_memories() -> None:
    told, more = told_before(office(), 5)
    assert [(one.who, one.text) for one in told] == [("user", "And now?")]
    assert more == 4
    told, more = told_before(office(), 8)
    assert more == 4
    assert [(one.who, one.text) for one in told] == [
        ("user", "And now?"),
        ("assistant", 'Use pnpm to install packages.\ncall run {"command": "pnpm install"}'),
        ("tool", "done"),
    ]
    assert told_before(talk(assistant("Hello.")), 0) == ([], 0)
    failed = talk(
        Message("user", (Text("Do."), Memory("m", "M."))),
        Message("tool", (ToolResult("1", "no", True),)),
        assistant("!"),
    )
    assert [one.text for one in told_before(failed, 2)[0]] == ["Do.", "(error) no"]


def test_of_a_long_way_only_the_end_is_told() -> None:
    work = [assistant(f"step {n}", ToolCall(str(n), "run", "{}")) for n in range(30)]
    told, more = told_before(talk(user("Go."), *work), 30)
    assert more + len(told) == 30
    assert told[-1].text.startswith("step 28")
    assert len(told) < 30


@given(st.floats(0, 1e5))
def test_a_step_up_is_higher_a_step_down_lower_and_there_and_back_is_a_round_number(threshold: float) -> None:
    up, down = steps(threshold, 1), steps(threshold, -1)
    assert down < up
    assert up > threshold or threshold >= 1e5
    assert down < threshold or threshold == 0
    assert steps(steps(up, -1), 1) == up


def test_steps_lead_from_the_default_to_nothing_and_on() -> None:
    found = [1.0]
    while found[-1]:
        found.append(steps(found[-1], -1))
    assert found == [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.0]
    assert [steps(1.0, 1), steps(2.0, 1), steps(5.0, 1), steps(0.0, 1)] == [2.0, 5.0, 10.0, 0.01]


def test_failures_of_the_scoring_without_any_memory_are_found_where_memories_come_late() -> None:
    conversation = talk(memory("a", "A."), user("?"), assistant("Yes."), memory("z", "Z."))
    run = MatrixRun(conversation)
    assert run.everything == Ablation.of("a")
    seen = reader_of(conversation, matrix_of(conversation, FormulaEngine(before=fails_without("A.")))).seen
    assert seen.error == "the server refuses to go without 'A.'"


def test_rows_are_documents() -> None:
    assert Candidate.model_validate(reader_of(office()).row(2).model_dump()).message == 2
