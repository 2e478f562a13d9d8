"""Every document: what its JSON holds, that its schema describes it, and that each column of its table has a title."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from memscope.actions.engine import Scorer
from memscope.actions.explain import explain_strongest
from memscope.actions.incremental import look_what_is_due, score_due
from memscope.actions.memory import one_memory
from memscope.actions.redundancy import screen_run, try_pairs
from memscope.actions.respond import Question, explain_response
from memscope.actions.score import score_matrix
from memscope.actions.whatif import what_if
from memscope.attribution.aggregates import cutoffs
from memscope.attribution.finetune import dependences
from memscope.attribution.matrix import NOT_VISIBLE, RETOKENISED, Matrix, MatrixRun
from memscope.attribution.tokens import Heat
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.settings import Resolved, Settings
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.native import native, sha256
from memscope.conversation.render import render
from memscope.engines.checks import Check
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import EngineIdentity, Failure, Marks, Tokens
from memscope.reports.across import AcrossDocument, AcrossRow, EngineRuns, SightingRow, SightingsDocument, UnscoredPart
from memscope.reports.batch import BatchDocument, waiting_row
from memscope.reports.cell import cell_detail
from memscope.reports.config import config_document
from memscope.reports.csv import csv_text
from memscope.reports.doctor import doctor_document
from memscope.reports.failures import advice, failed_cells, failures
from memscope.reports.finetune import (
    Dependents,
    FinetuneDocument,
    finetune_conversation,
    finetune_words,
    unread_conversation,
    with_decisions,
)
from memscope.reports.incremental import IncrementalDocument, incremental_lines
from memscope.reports.matrix import (
    MATRIX,
    MEMORIES,
    CostPart,
    EnginePart,
    MatrixDocument,
    glyph,
    matrix_document,
    memories_document,
    responses_document,
)
from memscope.reports.native import native_document
from memscope.reports.noise import NoisePart, noise_remark, noise_words
from memscope.reports.one_memory import MemoryDocument, memory_lines
from memscope.reports.prune import DecidedMemory, PruneDocument, Standing
from memscope.reports.redundancy import pairs_document, redundancy_document
from memscope.reports.registry import VIEWS, json_schema
from memscope.reports.remarks import remarks
from memscope.reports.response import Words, no_response, percent, response_document
from memscope.reports.sessions import SessionsDocument, sessions_document
from memscope.reports.training import (
    LeftOut,
    TrainingDocument,
    TrainingEngine,
    TrainingError,
    TrainingFile,
    TrainingSource,
    error_lines,
    training_words,
)
from memscope.reports.verdicts import VerdictReader
from memscope.reports.view import View, nats, number, show, signed
from memscope.reports.whatif import WhatIfReader
from tests.fakes import (
    LATE,
    PNPM,
    TABS,
    FormulaEngine,
    assistant,
    fails_baseline,
    fails_without,
    memory,
    noisy,
    office,
    talk,
    true_effects,
    user,
    weights,
    without,
)
from tests.insights.documents import insights_found, prompt_to_send
from tests.lessons.documents import context_cut, lessons_changed, lessons_kept
from tests.planted import Planted, alike, any_of, apart, planted
from tests.promotion.documents import one_pattern, patterns_found
from tests.sessions.rows import FAILED, NOW, session, unreadable


def matrix_of(conversation: Conversation, engine: FormulaEngine | None = None) -> tuple[Matrix, MatrixDocument]:
    scorer = Scorer(engine or FormulaEngine())
    run, cost = score_matrix(conversation, scorer, Job())
    part = CostPart(scorings=cost.scorings, from_store=cost.from_store, seconds=cost.seconds)
    return run.snapshot(), matrix_document(conversation, run.snapshot(), scorer.engine.identity, 0.01, part)


def _screened() -> tuple[Conversation, VerdictReader, EngineIdentity]:
    """Two copies, a memory that goes by itself, and one put back alone in vain."""
    conversation = planted(alike("copy", "twin") | apart("one", "two"))
    scorer = Scorer(Planted([any_of(0, 4.0, "copy", "twin"), any_of(0, 2.0, "one")]))
    run, _ = score_matrix(conversation, scorer, Job())
    screening = try_pairs(screen_run(run, scorer, Job()), 0.01, scorer, Job())
    screening.land(without("copy", "twin", "one"), Failure("refused"))
    return conversation, VerdictReader(screening.snapshot(), 0.01), scorer.engine.identity


def _what_if() -> WhatIfReader:
    """The office without its tabs, where going without LATE too fails."""
    run, _ = what_if(office(), ["tabs"], Scorer(FormulaEngine(before=fails_without(LATE))), Job())
    return WhatIfReader(office(), run.snapshot(), 0.01)


def _dependent() -> FinetuneDocument:
    """The office, of which one response is accepted, and a file that cannot be read."""
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())
    seen = Dependents(3, dependences(run.snapshot()))
    rows = [finetune_conversation(office(), seen, 0.0), unread_conversation(Path("b.json"), 0, "gone")]
    return FinetuneDocument(threshold=0.0, conversations=[with_decisions(rows[0], {5: "accepted"}), rows[1]])


def _exported() -> TrainingDocument:
    lost = TrainingError(source="b.json", item=1, message=3, error="there is no such file")
    return TrainingDocument(
        format="sft",
        memscope="0.1.0",
        when="2026-01-02T03:04:05+00:00",
        accepted=4,
        written=1,
        left_out=[LeftOut(reason="an answer is empty", count=2)],
        errors=[lost],
        conversations=1,
        validation=0.1,
        engines=[TrainingEngine(engine="formula", model="", threshold=1.0, lines=1)],
        sources=[
            TrainingSource(path="a.json", item=0, window=0, title="A", sha256="0", lines=1, validation=False),
        ],
        files=[TrainingFile(name="t.jsonl", part="training", lines=1, sha256="0")],
    )


def _round() -> IncrementalDocument:
    """A round over the office in which one memory is scored, one skipped, and one fails."""
    settings, scorer = Settings(cutoff=0.6), Scorer(FormulaEngine(before=fails_without(PNPM)))
    return score_due(look_what_is_due(office(), scorer, settings, Job(), at=1.8e9), scorer, settings, Job())


def _decided() -> PruneDocument:
    """A memory that a diff takes out of a file, and one that stands in none."""
    rows = [("tabs", "prune", [Standing(path="/r/CLAUDE.md", lines=[(1, 2), (4, 4)])]), ("pnpm", "pin", [])]
    memories = [
        DecidedMemory(
            key=key,
            decision=decision,  # type: ignore[arg-type]
            note="old",
            total=1.5,
            text=TABS,
            found="file in #0",
            files=files,
            in_diff=bool(files),
            reason=None,
        )
        for key, decision, files in rows
    ]
    return PruneDocument(source="a.json", folder="/r", diff="--- a/CLAUDE.md\n", memories=memories)


def _across() -> AcrossDocument:
    """A memory that was needed in one of two conversations, and another text of it that nobody has measured."""
    row = AcrossRow(
        key="tabs",
        text="00",
        preview=TABS,
        decision="prune",
        version=1,
        versions=2,
        seen=2,
        needed=1,
        against_in=0,
        unused=1,
        unknown=0,
        unused_last=1,
        last_seen=1.8e9,
        last_needed=1.7e9,
        total=2.5,
        net=2.0,
        against=-0.5,
        max=2.25,
        tokens=8,
        chars=34,
        occurrences=2,
    )
    nothing = dict.fromkeys(("last_needed", "total", "net", "against", "max", "tokens"))
    other = row.model_copy(update={"text": "01", "version": 2, "decision": None, **nothing})
    return AcrossDocument(
        paths=["talks"],
        threshold=0.01,
        conversations=2,
        engines=[EngineRuns(name="formula", model="", url="", conversations=2)],
        unscored=[UnscoredPart(source="b.json", item=0, why="never scored")],
        memories=[row, other],
        reason=None,
    )


def _sightings() -> SightingsDocument:
    """Where it was needed."""
    row = SightingRow(
        source="a.json",
        format="openai",
        item=0,
        window=0,
        memories=[],
        split="",
        title="",
        time=1.8e9,
        engine="formula",
        model="",
        key="tabs",
        text="00",
        was="needed",
        above=1,
        below=0,
        measured=3,
        left_out=0,
        total=2.5,
        net=2.0,
        max=2.25,
        against=-0.5,
        tokens=4,
        chars=17,
    )
    return SightingsDocument(key="tabs", threshold=0.01, sightings=[row], reason=None)


def _sessions() -> SessionsDocument:
    """A session that failed, and a file that holds none."""
    return sessions_document([session(title="Mend it", repos=("mise",), failure=FAILED), unreadable()], NOW)


def _batch() -> BatchDocument:
    """A conversation that was scored, and one that could not be."""
    counts = {"memories": 2, "responses": 3, "scorings": 4, "from_store": 1, "missing": 1, "seconds": 0.5}
    found = {"state": "done", "window": 0, "title": "A talk", "strongest": "tabs", "total": 1.5, "why": "pnpm: refused"}
    row = waiting_row("a.json", 0).model_copy(update=counts | found)
    failed = waiting_row("b.json", 0).model_copy(update={"state": "failed", "why": "gone"})
    engine = EnginePart(name="vllm", model="m", url="http://localhost:8000")
    return BatchDocument(kind="matrix", threshold=0.01, engine=engine, ended=None, conversations=[row, failed])


@cache
def documents() -> dict[str, BaseModel]:
    """One of each kind, with a failed row where there can be one."""
    conversation = office()
    _, matrix = matrix_of(conversation, FormulaEngine(before=fails_without(LATE)))
    return {
        "batch": _batch(),
        "config": config_document(Resolved(Settings(), dict.fromkeys(Settings.model_fields, "default"))),
        "doctor": doctor_document("vllm", "vLLM 0.32.0", [Check("scores", "fail", "none", "Upgrade it.")]),
        "finetune": _dependent(),
        "incremental": _round(),
        "insights": insights_found(),
        "insights-prompt": prompt_to_send(),
        "lessons": lessons_kept(),
        "lessons-change": lessons_changed(),
        "lessons-context": context_cut(),
        "matrix": matrix,
        "memory": one_memory(conversation, "pnpm", Scorer(FormulaEngine()), Settings(), Job()),
        "memories": memories_document(matrix),
        "memories-across": _across(),
        "native": native_document(conversation),
        "pairs": pairs_document(*_screened()),
        "promotion": one_pattern(),
        "promotions": patterns_found(),
        "prune": _decided(),
        "redundancy": redundancy_document(*_screened(), Settings()),
        "response": explain_response(conversation, Question(5, 0.01), Scorer(FormulaEngine()), Job()),
        "responses": responses_document(matrix),
        "sessions": _sessions(),
        "sightings": _sightings(),
        "training": _exported(),
        "whatif": _what_if().document(
            EngineIdentity("formula"), Settings(), CostPart(scorings=1, from_store=0, seconds=0.0)
        ),
    }


every_document = pytest.mark.parametrize("name", sorted(VIEWS))
every_object = pytest.mark.parametrize("name", sorted(VIEWS.keys() - {"sessions"}))  # which is a bare list


def dumped(document: BaseModel) -> Any:
    return json.loads(json.dumps(document.model_dump(mode="json", by_alias=True), allow_nan=False))


def test_every_registered_document_is_tried_here() -> None:
    assert set(documents()) == set(VIEWS)


@every_object
def test_a_document_names_its_schema_and_reads_back(name: str) -> None:
    document = documents()[name]

    form = dumped(document)

    assert form["schema"] == f"memscope/{name}@1"
    assert VIEWS[name].document.model_validate(form) == document


def test_sessions_are_a_bare_list_that_reads_back() -> None:
    document, schema = documents()["sessions"], json_schema("sessions")

    form = dumped(document)

    assert isinstance(form, list)
    assert VIEWS["sessions"].document.model_validate(form) == document
    assert schema["type"] == "array"
    assert set(schema["$defs"]["SessionRow"]["properties"]) == set(form[0])


@every_object
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

MATRIX_KEYS = "schema conversation engine settings memories responses effects states reason cost noise"
MEMORY_KEYS = "key preview occurrences chars total net max mean responses against left_out state error"
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


def test_a_memory_is_previewed_as_it_stands_last() -> None:
    conversation = talk(memory("m", "four"), memory("m", "six\n" + "x" * 300), assistant("Yes."), memory("n", TABS))

    _, document = matrix_of(conversation)

    assert [row.preview for row in document.memories] == ["six " + "x" * 195 + "…", TABS]


@pytest.mark.parametrize("before", [None, fails_without(LATE), fails_baseline(TABS, LATE)], ids=["whole", "late", "no"])
def test_the_memories_table_says_why_something_is_missing_where_something_is(
    before: Callable[..., None] | None,
) -> None:
    _, matrix = matrix_of(office(), FormulaEngine(before=before))
    document = memories_document(matrix)

    titles = {column.title for column in MEMORIES.columns(document)}

    assert {"memory", "text", "total"} <= titles
    partly = matrix.reason is None and any(row.left_out for row in document.memories)
    assert {"left out", "state", "error"} & titles == ({"left out", "state", "error"} if partly else set())


def test_failures_are_named_in_words_in_the_order_of_the_plan() -> None:
    run = MatrixRun(office())
    for ablation in reversed(run.plan):
        run.land(ablation, Failure(f"no {len(ablation.removed)}"))

    lines = failures(run.snapshot())

    assert lines[1:] == [
        "tabs: no 1", "pnpm: no 1", "late: no 1", "all memories at once: no 3", "the repeated baseline: no 0",
    ]  # fmt: skip
    assert run.snapshot().errors.keys() == set(run.plan)


def test_nothing_failed_is_nothing_to_name() -> None:
    matrix, _ = matrix_of(office())

    assert failures(matrix) == []


def test_the_failure_of_the_only_memory_goes_by_its_key() -> None:
    matrix, _ = matrix_of(talk(memory("tabs", TABS), assistant("Hi.")), FormulaEngine(before=fails_without(TABS)))

    assert failures(matrix) == [f"tabs: the server refuses to go without {TABS!r}"]


# Cells that fail alone


def partly_failed() -> Matrix:
    """The office, where tabs is cut otherwise for the second response, and nothing of late is ever shown."""
    run = MatrixRun(office())
    for ablation in run.plan:
        result = FormulaEngine().score(render(office(), ablation), Job())
        marks = [Marks(b"usual", repr((column, ablation)).encode()) for column in range(3)]
        if ablation == without("tabs"):
            marks[1] = Marks(b"other", marks[1].context)
        elif ablation == without("late"):
            marks[2] = Marks(b"usual", repr((2, BASELINE)).encode())
        run.land(ablation, [replace(score, marks=mark) for score, mark in zip(result, marks, strict=True)])
    return run.snapshot()


def document_of(matrix: Matrix) -> MatrixDocument:
    cost = CostPart(scorings=6, from_store=0, seconds=0.0)
    return matrix_document(office(), matrix, FormulaEngine().identity, 0.01, cost)


def test_a_memory_with_a_cell_that_failed_is_partial_and_says_why() -> None:
    truth = true_effects(office())
    document = document_of(partly_failed())
    tabs, pnpm, _ = document.memories

    assert document.states == [["ok", "failed", "ok"], ["before", "ok", "ok"], ["before", "before", "failed"]]
    assert (tabs.state, tabs.left_out, tabs.error) == ("partial", 1, RETOKENISED)
    assert tabs.net == truth[0, 0] + truth[0, 2]
    assert (pnpm.state, pnpm.left_out, pnpm.error) == ("ok", 0, None)
    assert [response.left_out for response in document.responses] == [0, 1, 1]
    assert document.responses[1].gap is None


def test_a_memory_of_which_no_effect_could_be_measured_has_failed_and_no_sums() -> None:
    late = document_of(partly_failed()).memories[2]

    assert (late.state, late.left_out, late.error) == ("failed", 1, NOT_VISIBLE)
    assert (late.total, late.net, late.max, late.mean, late.against, late.responses) == (None,) * 6


def test_cells_that_failed_are_named_by_memory_and_counted() -> None:
    assert failures(partly_failed()) == [f"tabs: 1 response: {RETOKENISED}", f"late: 1 response: {NOT_VISIBLE}"]
    assert failed_cells(partly_failed()) == "2 cells failed: retokenised"
    assert failed_cells(matrix_of(office())[0]) == ""


def test_what_to_do_is_said_of_a_memory_that_is_not_visible() -> None:
    assert "fold" in advice(NOT_VISIBLE)
    assert advice(RETOKENISED) == advice("the server is busy") == ""


def test_a_response_says_which_of_its_memories_will_fail_again() -> None:
    document = response_document(office(), partly_failed(), 5, 0.01)

    assert [(failed.key, failed.error, failed.again) for failed in document.failed] == [("tabs", RETOKENISED, False)]
    assert [row.key for row in (*document.important, *document.against)] == ["pnpm"]


def test_only_a_memory_whose_every_effect_is_known_is_called_idle() -> None:
    document = document_of(partly_failed())
    small = [row.model_copy(update={"max": 0.25}) for row in document.memories]

    assert remarks(document.model_copy(update={"memories": small})).idle == ["pnpm"]


# Noise


def test_the_document_tells_the_noise_of_the_run() -> None:
    _, quiet = matrix_of(office())
    _, loud = matrix_of(office(), FormulaEngine(concurrency=1, after=noisy))

    assert quiet.noise == NoisePart(floor=0.0, median=0.0, source="repeat", cells=0)
    assert loud.noise.floor == max(row.noise or 0.0 for row in loud.responses)
    assert loud.noise.median == np.median([row.noise for row in loud.responses])
    cells = zip(loud.effects, loud.states, strict=True)
    assert loud.noise.cells == sum(
        state == "ok" and abs(effect or 0.0) <= response.cutoff
        for effects, states in cells
        for effect, state, response in zip(effects, states, loud.responses, strict=True)
    )


@pytest.mark.parametrize(
    ("floor", "source", "cells", "words", "remark"),
    [
        (None, None, 0, "noise floor not measured", ""),
        (0.0, "repeat", 0, "noise floor 0 nats", ""),
        (1e-9, "repeat", 0, "noise floor ~0 nats", ""),
        (0.02, "repeat", 0, "noise floor 0.02 nats (repeated baseline)", "noise 0.02 nats"),
        (
            0.5,
            "before",
            1,
            "noise floor 0.50 nats (memories that come later), 1 effect is noise",
            "noise 0.50 nats, 1 effect",
        ),
        (0.004, "repeat", 2, "noise floor ~0 nats, 2 effects are noise", "noise ~0 nats, 2 effects"),
    ],
)
def test_noise_is_told_in_a_few_words(floor: Any, source: Any, cells: int, words: str, remark: str) -> None:
    noise = NoisePart(floor=floor, median=floor, source=source, cells=cells)

    assert noise_words(noise) == words
    assert noise_remark(noise) == remark


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

    words = Words(((0, 9),), {"tabs": 0.5, "pnpm": 0.5, "late": 2.0}, stripped=4.0, tokens=2)
    document = response_document(conversation, matrix, 8, 0.01, words=words)
    words = Words(((0, 9),), {"tabs": 0.5, "pnpm": -2.0, "late": 0.75}, stripped=0.5, tokens=0)
    faint = response_document(conversation, matrix, 8, 0.5, words=words)

    assert [(row.key, row.effect) for row in document.important] == [("late", 2.0), ("tabs", 0.5), ("pnpm", 0.5)]
    assert [(row.per_token, row.share) for row in document.important] == [(1.0, 0.5), (0.25, 0.125), (0.25, 0.125)]
    assert document.selection is not None
    assert document.selection.text == "Installed"
    assert document.selection.spans == [(0, 9)]
    assert [(row.key, row.per_token, row.share) for row in faint.important] == [("late", None, None)]
    assert [(row.key, row.effect) for row in faint.against] == [("pnpm", -2.0)]


def test_words_without_tokens_take_the_whole_effects() -> None:
    conversation = office()
    matrix, _ = matrix_of(conversation)

    document = response_document(conversation, matrix, 8, 0.01, words=Words(((0, 9),)))
    whole = response_document(conversation, matrix, 8, 0.01)

    assert document.selection is not None
    assert document.model_copy(update={"selection": None}) == whole


def test_what_spoke_against_and_what_failed_are_lists_of_their_own() -> None:
    conversation = office()
    matrix, _ = matrix_of(conversation, FormulaEngine(before=fails_without(LATE)))

    form = dumped(response_document(conversation, matrix, 8, 0.01))

    assert [row["key"] for row in form["important"]] == ["tabs"]
    assert [(row["key"], row["share"]) for row in form["against"]] == [("pnpm", None)]
    refused = f"the server refuses to go without {LATE!r}"
    assert form["failed"] == [{"key": "late", "error": refused, "again": True}]


def test_no_response_has_an_empty_list() -> None:
    for message in (0, 1, 99, -1):
        document = no_response(office(), message)
        assert (document.important, document.against, document.failed) == ([], [], [])
        assert (document.heat, document.text) == ([], "")
        there = "message #{} is no response" if message in (0, 1) else "there is no message #{}, only #0 to #8"
        assert document.reason == there.format(message)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "–"), (0.0, "<1%"), (0.004, "<1%"), (0.006, "1%"), (0.01, "1%"), (0.5, "50%"), (1.0, "100%"),
        (1.005, "100%"), (1.01, ">100%"), (7.0, ">100%"),
    ],
)  # fmt: skip
def test_a_share_for_a_person(share: float | None, text: str) -> None:
    assert percent(share) == text


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


class Asked(Embedded):
    """Writes down what it was asked for token by token."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, set[Ablation]]] = []

    def tokens(
        self, conversation: Conversation, response: int, ablations: Sequence[Ablation], job: Job
    ) -> dict[Ablation, Tokens]:
        self.asked.append((response, set(ablations)))
        return super().tokens(conversation, response, ablations, job)


def test_the_strongest_cells_ask_once_a_column() -> None:
    said = "Use pnpm to install packages; indent with tabs."
    conversation = talk(memory("tabs", TABS), memory("pnpm", PNPM), user("Well?"), assistant(said), assistant(said))
    engine = Asked()
    run, _ = score_matrix(conversation, Scorer(engine), Job())

    notes = explain_strongest(run, Scorer(engine), Job(), threshold=0.0)

    cells = {(note.key, note.message) for note in notes}
    assert cells >= {("tabs", 3), ("pnpm", 3)}
    asked = [
        (column, {BASELINE, *(without(k) for k, m in cells if m == message)}) for column, message in enumerate((3, 4))
    ]
    assert sorted(engine.asked, key=lambda pair: pair[0]) == [pair for pair in asked if len(pair[1]) > 1]


def test_the_strongest_cells_need_no_scoring_of_their_own() -> None:
    engine = FormulaEngine()
    run, _ = score_matrix(office(), Scorer(engine), Job())

    explain_strongest(run, Scorer(engine), Job(), threshold=0.01)

    assert engine.calls == 6


def test_a_cell_names_the_word_that_did_most_in_its_own_direction() -> None:
    conversation = office()
    scorer = Scorer(FormulaEngine())
    run, _ = score_matrix(conversation, scorer, Job())

    notes = {(note.key, note.message): note for note in explain_strongest(run, scorer, Job(), threshold=0.01)}

    against, spoke_for = notes["pnpm", 8], notes["tabs", 8]
    twice = 2 * weights(PNPM, "Installed with pnpm; deploy on Monday.")  # it stands there two times
    assert (against.word, against.word_effect) == ("with", twice.min())
    assert against.effect < 0
    assert against.share is None
    assert (spoke_for.word, spoke_for.word_effect > 0) == ("deploy", True)
    assert spoke_for.share == spoke_for.effect / true_effects(conversation)[:, 2].sum()


@pytest.mark.parametrize("sign", [1, -1])
def test_an_effect_that_no_few_words_carry_is_spread(sign: int) -> None:
    conversation = office()
    matrix, _ = matrix_of(conversation)
    row, column = (1, 1) if sign > 0 else (1, 2)
    starts = np.arange(20, dtype=np.int32)

    def noted(effects: list[float]) -> bool:
        heat = Heat(starts, starts + 1, sign * np.array(effects))
        return cell_detail(conversation, matrix, cutoffs(matrix, 0.01), row, column, heat=heat).spread

    assert noted([0.1] * 20)
    assert not noted([0.1] * 19 + [2.0])


def test_a_cell_without_heat_has_no_word_and_is_not_called_spread() -> None:
    conversation = office()
    matrix, _ = matrix_of(conversation)

    note = cell_detail(conversation, matrix, cutoffs(matrix, 0.01), 1, 1)

    assert (note.word, note.word_effect, note.spread) == ("", 0.0, False)
    assert note.response.startswith("Use pnpm")


def test_a_cell_shows_the_memory_as_the_response_could_see_it() -> None:
    conversation = talk(memory("m", "Old."), assistant("One two."), memory("m", "New."), assistant("Three four."))
    matrix, _ = matrix_of(conversation)

    cells = [cell_detail(conversation, matrix, cutoffs(matrix, 0.01), 0, column) for column in (0, 1)]

    assert [cell.memory for cell in cells] == ["Old.", "New."]


# How numbers are written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (0.004, "~0"), (-0.004, "~0"), (0.005, "0.01"), (1e-300, "~0"),
        (0.05, "0.05"), (-1.25, "-1.25"), (9.994, "9.99"), (9.996, "10.0"),
        (99.94, "99.9"), (99.96, "100"), (-1234.5, "-1234"),
    ],
)  # fmt: skip
def test_nats_in_few_characters(value: float, text: str) -> None:
    assert nats(value) == text


def test_nats_with_their_sign_say_it_once() -> None:
    values = (0.0, 0.001, 0.006, 0.5, -0.5, -0.001)
    assert [signed(value) for value in values] == ["0", "~0", "+0.01", "+0.50", "-0.50", "~0"]


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


def test_what_was_found_to_train_on_is_told_in_a_sentence() -> None:
    document = _dependent()
    rows = document.conversations[0].candidates
    assert {one.message: one.decision for one in rows} == {
        one.message: "accepted" if one.message == 5 else "undecided" for one in rows
    }
    words = finetune_words(document)
    assert words.startswith(f"{len(rows)} response")
    assert words.endswith("1 conversation with an error.")


def test_an_export_tells_what_was_written_and_what_was_not() -> None:
    document = _exported()

    assert training_words(document) == [
        "t.jsonl: 1 line for training, checked as sft.",
        "All lines are of one conversation, so none are set aside for validation.",
        "Left out: 2 responses: an answer is empty.",
        "1 accepted response could not be exported.",
    ]
    assert error_lines(document) == ["b.json (item 1), #3: there is no such file"]


def test_a_round_of_incremental_scoring_is_told_memory_by_memory_and_in_numbers() -> None:
    document = _round()
    assert [(row.key, row.became) for row in VIEWS["incremental"].rows(document)] == [
        ("tabs", "scored"),
        ("pnpm", "failed"),
        ("late", "skipped"),
    ]
    assert incremental_lines(document) == ["", "1 scored, 1 failed, 1 skipped"]


def test_the_numbers_of_one_memory_stand_below_its_effects() -> None:
    document = documents()["memory"]
    assert isinstance(document, MemoryDocument)
    effects = true_effects(office())[1, 1:]
    assert memory_lines(document) == [
        "",
        f"#3 to #8, 2 responses: sum {signed(effects.sum())} nats, divergence {nats(effects[effects > 0].sum())},"
        f" largest {nats(effects.max())}",
    ]
    lost = document.model_copy(update={"sum": None, "reason": "the server is gone"})
    assert memory_lines(lost) == ["", "#3 to #8, 2 responses: the server is gone"]
