"""Every document: what its JSON holds, that its schema describes it, and that each column of its table has a title."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from memscope.actions.engine import Scorer
from memscope.actions.explain import explain_strongest
from memscope.actions.respond import explain_response
from memscope.actions.score import score_matrix
from memscope.attribution.matrix import Matrix, MatrixRun
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.settings import Resolved, Settings
from memscope.cli.output import csv_text
from memscope.conversation.model import Conversation
from memscope.conversation.native import native, sha256
from memscope.engines.embedded.engine import Embedded
from memscope.reports.config import config_document
from memscope.reports.matrix import (
    MATRIX,
    CostPart,
    MatrixDocument,
    glyph,
    matrix_document,
    memories_document,
    responses_document,
)
from memscope.reports.native import native_document
from memscope.reports.registry import VIEWS, json_schema
from memscope.reports.response import response_document
from memscope.reports.view import Document, View, nats, number, show
from tests.fakes import (
    LATE,
    TABS,
    FormulaEngine,
    assistant,
    fails_baseline,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
)


def matrix_of(conversation: Conversation, engine: FormulaEngine | None = None) -> tuple[Matrix, MatrixDocument]:
    scorer = Scorer(engine or FormulaEngine())
    run, cost = score_matrix(conversation, scorer, Job())
    part = CostPart(scorings=cost.scorings, from_store=cost.from_store, seconds=cost.seconds)
    return run.snapshot(), matrix_document(conversation, run.snapshot(), scorer.engine.identity, 0.01, part)


@cache
def documents() -> dict[str, Document]:
    """One of each kind, with a failed row where there can be one."""
    conversation = office()
    _, matrix = matrix_of(conversation, FormulaEngine(before=fails_without(LATE)))
    return {
        "config": config_document(Resolved(Settings(), dict.fromkeys(Settings.model_fields, "default"))),
        "matrix": matrix,
        "memories": memories_document(matrix),
        "native": native_document(conversation),
        "response": explain_response(conversation, 5, Scorer(FormulaEngine()), Job(), threshold=0.01),
        "responses": responses_document(matrix),
    }


every_document = pytest.mark.parametrize("name", sorted(VIEWS))


def dumped(document: Document) -> Any:
    return json.loads(json.dumps(document.model_dump(mode="json", by_alias=True), allow_nan=False))


def test_every_registered_document_is_tried_here() -> None:
    assert set(documents()) == set(VIEWS)


@every_document
def test_a_document_names_its_schema_and_reads_back(name: str) -> None:
    document = documents()[name]

    form = dumped(document)

    assert form["schema"] == f"memscope/{name}@1"
    assert VIEWS[name].document.model_validate(form) == document


@every_document
def test_the_json_schema_names_every_field_of_the_document(name: str) -> None:
    schema = json_schema(name)

    assert schema == json_schema(f"memscope/{name}@1")
    assert set(schema["properties"]) == set(dumped(documents()[name]))
    assert schema["additionalProperties"] is False
    assert schema["properties"]["schema"]["const"] == f"memscope/{name}@1"


def test_an_unknown_schema_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match=r"no document 'matrices'.*matrix"):
        json_schema("matrices")


@every_document
def test_a_table_has_one_title_a_column_and_csv_has_the_same(name: str) -> None:
    view: View[Any, Any] = VIEWS[name]
    document = documents()[name]
    titles = [column.title for column in view.columns(document)]

    rows = list(csv.reader(csv_text(view, document).splitlines()))

    assert all(titles)
    assert len(set(titles)) == len(titles) > 0
    assert rows[0] == titles
    assert len(view.rows(document)) > 0
    for row in view.rows(document):
        assert all(isinstance(column.text(row), str) for column in view.columns(document))


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize(
    "before",
    [None, fails_without(LATE), fails_without(TABS), fails_baseline(LATE)],
    ids=["whole", "late", "tabs", "no"],
)
def test_numbers_are_finite_or_null(before: Callable[..., None] | None) -> None:
    _, document = matrix_of(office(), FormulaEngine(before=before))

    form = dumped(document)

    assert all(map(math.isfinite, numbers(form)))
    for effects, states in zip(form["effects"], form["states"], strict=True):
        for effect, state in zip(effects, states, strict=True):
            assert (effect is None) == (state in ("failed", "pending"))
            assert state != "before" or effect == 0


# matrix@1

MATRIX_KEYS = "schema conversation engine settings memories responses effects states reason cost"
MEMORY_KEYS = "key occurrences chars total net max mean responses against left_out state error"
RESPONSE_KEYS = "message preview baseline tokens total stripped gap noise top left_out"


def test_the_matrix_has_the_keys_it_promises() -> None:
    _, document = matrix_of(office())
    form = dumped(document)

    assert {*MATRIX_KEYS.split()} <= form.keys()
    assert {"source", "title", "messages", "sha256"} <= form["conversation"].keys()
    assert form["engine"].keys() == {"name", "model", "url"}
    assert form["settings"].keys() == {"threshold", "context", "compat"}
    assert form["cost"].keys() == {"scorings", "from_store", "seconds"}
    for row in form["memories"]:
        assert {*MEMORY_KEYS.split()} <= row.keys()
    for row in form["responses"]:
        assert {*RESPONSE_KEYS.split()} <= row.keys()


def test_the_matrix_tells_the_truth() -> None:
    conversation = office()
    matrix, document = matrix_of(conversation)
    truth = true_effects(conversation)

    assert document.effects == truth.tolist()
    assert document.states == [["ok", "ok", "ok"], ["before", "ok", "ok"], ["before", "before", "ok"]]
    assert [row.key for row in document.memories] == ["tabs", "pnpm", "late"]
    assert [row.occurrences for row in document.memories] == [[0], [3, 6], [7]]
    assert [row.net for row in document.memories] == truth.sum(axis=1).tolist()
    assert [row.message for row in document.responses] == [2, 5, 8]
    assert [row.baseline for row in document.responses] == matrix.baseline.tolist()
    assert [row.stripped for row in document.responses] == truth.sum(axis=0).tolist()
    assert [row.gap for row in document.responses] == [0, 0, 0]
    assert (document.cost.scorings, document.cost.from_store) == (6, 0)
    assert document.conversation.messages == 9
    assert document.conversation.sha256 == sha256(conversation)


def test_chars_count_every_occurrence() -> None:
    conversation = talk(memory("m", "four"), memory("m", "six..."), memory("m", "four"), assistant("Yes."))

    _, document = matrix_of(conversation)

    assert document.memories[0].chars == 4 + 6 + 4


def test_a_failed_memory_has_no_sums_and_says_why() -> None:
    _, document = matrix_of(office(), FormulaEngine(before=fails_without(TABS)))
    row = document.memories[0]

    assert (row.state, row.left_out, row.error) == ("failed", 3, f"the server refuses to go without {TABS!r}")
    assert (row.total, row.net, row.max, row.mean, row.against, row.responses) == (None,) * 6
    assert [response.left_out for response in document.responses] == [1, 1, 1]
    assert [response.gap for response in document.responses] == [None] * 3
    assert document.reason is None


def test_a_pending_memory_is_partial_and_has_no_error() -> None:
    conversation = office()
    matrix = MatrixRun(conversation).snapshot()
    cost = CostPart(scorings=0, from_store=0, seconds=0.0)

    document = matrix_document(conversation, matrix, FormulaEngine().identity, 0.01, cost)

    assert [(row.state, row.left_out, row.error) for row in document.memories] == [
        ("partial", 3, None),
        ("partial", 2, None),
        ("partial", 1, None),
    ]


def test_a_memory_called_like_a_part_of_the_run_does_not_take_over_its_error() -> None:
    conversation = talk(memory("all memories", TABS), memory("late", LATE), assistant("Hello."))

    def before(call: int, prompt: Any) -> None:
        if len(prompt.turns) == 1:  # nothing but the response
            fails_without(TABS)(call, prompt)

    _, document = matrix_of(conversation, FormulaEngine(before=before))

    assert [(row.state, row.error) for row in document.memories] == [("ok", None), ("ok", None)]
    assert document.responses[0].stripped is None


def test_a_failed_baseline_is_a_document_with_a_reason() -> None:
    _, document = matrix_of(office(), FormulaEngine(before=fails_baseline(TABS, LATE)))

    assert document.reason is not None
    assert "out of memory" in document.reason
    assert [row.baseline for row in document.responses] == [None] * 3


@pytest.mark.parametrize(
    ("conversation", "reason"),
    [
        (talk(user("Hi."), assistant("Hello.")), "no memory was found in the conversation"),
        (talk(memory("tabs", TABS)), "the conversation has no response"),
        (talk(), "the conversation has no response"),
    ],
)
def test_without_memories_or_responses_there_is_a_document_with_a_reason(
    conversation: Conversation, reason: str
) -> None:
    _, document = matrix_of(conversation)

    assert document.reason == reason
    assert document.cost.scorings == 0
    assert MatrixDocument.model_validate(dumped(document)) == document
    assert len(MATRIX.rows(document)) == len(conversation.memories)


def test_the_two_lists_are_parts_of_the_matrix() -> None:
    _, matrix = matrix_of(office())

    assert dumped(memories_document(matrix))["memories"] == dumped(matrix)["memories"]
    assert dumped(responses_document(matrix))["responses"] == dumped(matrix)["responses"]


# response@1


def test_the_response_has_the_keys_it_promises() -> None:
    form = dumped(documents()["response"])

    assert {"schema", "message", "text", "important", "heat"} <= form.keys()
    assert form["important"]
    assert form["heat"]
    for row in form["important"]:
        assert {"key", "effect", "per_token", "share", "verdict"} <= row.keys()
    for span in form["heat"]:
        assert span.keys() == {"start", "end", "effect"}


def test_units_are_nats_nats_a_token_and_share_of_stripped() -> None:
    conversation = office()
    matrix, _ = matrix_of(conversation)
    document = response_document(conversation, matrix, 5, 0.01)
    truth = true_effects(conversation)[:, 1]

    for row in document.important:
        effect = truth[matrix.keys.index(row.key)]
        assert row.effect == effect
        assert row.per_token == effect / matrix.tokens[1]
        assert row.share == (effect / truth.sum() if truth.sum() > 0 else None)
    assert document.stripped == truth.sum()


def test_effects_on_words_are_ranked_and_cut_like_whole_ones() -> None:
    conversation = office()
    matrix, _ = matrix_of(conversation)

    document = response_document(
        conversation, matrix, 8, 0.01, selection=(0, 9), word_effects={"tabs": 0.5, "pnpm": 0.5, "late": 2.0}
    )
    faint = response_document(conversation, matrix, 8, 0.5, word_effects={"tabs": 0.5, "pnpm": -2.0, "late": 0.75})

    assert [(row.key, row.effect) for row in document.important] == [("late", 2.0), ("tabs", 0.5), ("pnpm", 0.5)]
    assert document.selection is not None
    assert document.selection.text == "Installed"
    assert [row.key for row in faint.important] == ["late"]


def test_no_response_has_an_empty_list() -> None:
    conversation = office()
    matrix, _ = matrix_of(conversation)

    for message in (0, 1, 99, -1):
        document = response_document(conversation, matrix, message, 0.01)
        assert (document.important, document.heat, document.text) == ([], [], "")
        assert document.reason == f"message #{message} is no response"


# The native document


def test_the_native_document_is_the_native_form() -> None:
    form = dumped(documents()["native"])

    for name, value in native(office()).items():
        assert form[name] == value


# The strongest cells


def test_the_strongest_cells_point_at_their_strongest_word() -> None:
    conversation = talk(
        memory("code", "The door code is Zorvix."), user("What is the code?"), assistant("The door code is Zorvix.")
    )
    scorer = Scorer(Embedded())
    run, _ = score_matrix(conversation, scorer, Job())

    (note,) = explain_strongest(run, scorer, Job(), threshold=0.01)

    assert (note.key, note.message) == ("code", 2)
    assert note.effect == run.snapshot().effects[0, 0] > 0
    assert note.share == pytest.approx(1.0)
    assert note.word == "Zorvix"
    assert 0 < note.word_effect <= note.effect + 1


# How numbers are written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.004, "0"), (-0.004, "0"), (0.05, "0.05"), (-1.25, "-1.25"), (9.994, "9.99"), (9.996, "10.0"),
        (99.94, "99.9"), (99.96, "100"), (-1234.5, "-1234"),
    ],
)  # fmt: skip
def test_nats_in_few_characters(value: float, text: str) -> None:
    assert nats(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (True, "yes"), (False, "no"), (3, "3"), ("words", "words"), (0.5, "0.50")]
)
def test_a_cell_for_a_person(value: Any, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_null(value: float) -> None:
    assert number(value) is None
    assert number(0.25) == 0.25


@pytest.mark.parametrize(
    ("effect", "state", "sign"),
    [
        (0.0, "before", " "), (None, "failed", "×"), (None, "pending", "…"), (0.01, "ok", "·"), (-0.01, "ok", "·"),
        (0.011, "ok", "+"), (-0.4, "ok", "-"), (0.5, "ok", "0.5"), (-2.0, "ok", "-2.0"), (9.95, "ok", "10"),
        (-123.4, "ok", "-123"),
    ],
)  # fmt: skip
def test_a_cell_has_a_sign_for_each_state(effect: float | None, state: Any, sign: str) -> None:
    assert glyph(effect, state, 0.01) == sign
