"""One response: what mattered to it, where in its words, and for which of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.actions.engine import Scorer
from memscope.actions.respond import explain_response, why
from memscope.actions.score import score_matrix
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, response_text
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import Engine, ResponseScore
from memscope.engines.stored import stored
from memscope.reports.response import ResponseDocument
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.fakes import (
    PNPM,
    TABS,
    FormulaEngine,
    Remote,
    assistant,
    conversations,
    fails_baseline,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
    weights,
)

KEYS = ("tabs", "pnpm", "late")


def explained(
    engine: Engine,
    message: int,
    *,
    conversation: Conversation | None = None,
    memory: str | None = None,
    selection: tuple[int, int] | None = None,
    threshold: float = 0.01,
) -> ResponseDocument:
    return explain_response(
        conversation or office(),
        message,
        Scorer(engine),
        Job(),
        threshold=threshold,
        memory=memory,
        selection=selection,
    )


def reasons(
    engine: Engine,
    message: int,
    *,
    conversation: Conversation | None = None,
    span: tuple[int, int] | None = None,
    text: str | None = None,
) -> ResponseDocument:
    return why(conversation or office(), message, Scorer(engine), Job(), threshold=0.01, span=span, text=text)


def important(document: ResponseDocument) -> dict[str, float]:
    return {row.key: row.effect for row in document.important}


def strongest_first(effects: dict[str, float], cutoff: float = 0.01) -> list[tuple[str, float]]:
    above = [(key, effect) for key, effect in effects.items() if effect > cutoff]
    return sorted(above, key=lambda pair: -pair[1])


# What mattered


@pytest.mark.parametrize(("message", "column"), [(2, 0), (5, 1), (8, 2)])
def test_the_important_memories_are_those_above_the_cutoff_strongest_first(message: int, column: int) -> None:
    truth = dict(zip(KEYS, true_effects(office())[:, column].tolist(), strict=True))

    document = explained(FormulaEngine(), message)

    assert list(important(document).items()) == strongest_first(truth)
    assert document.message == message
    assert document.text == response_text(office(), message)
    assert document.stripped == sum(truth.values())
    assert (document.cutoff, document.noise, document.left_out) == (0.01, 0.0, 0)


def test_a_threshold_above_every_effect_leaves_nothing() -> None:
    assert explained(FormulaEngine(), 5, threshold=1000.0).important == []


@pytest.mark.parametrize("message", [0, 1, 3, 99, -1])
def test_a_message_that_is_no_response_has_an_empty_list_and_costs_nothing(message: int) -> None:
    engine = FormulaEngine()

    document = explained(engine, message)

    assert (document.important, document.heat, document.text) == ([], [], "")
    assert document.reason == f"message #{message} is no response"
    assert engine.calls == 0


def test_a_failed_baseline_is_the_reason() -> None:
    document = explained(FormulaEngine(before=fails_baseline(TABS, PNPM)), 5)

    assert "the server is out of memory" in str(document.reason)
    assert document.important == []


def test_a_failed_memory_is_left_out_and_counted() -> None:
    document = explained(FormulaEngine(before=fails_without(TABS)), 5)

    assert "tabs" not in important(document)
    assert document.left_out == 1


# Heat


def test_heat_is_against_the_conversation_without_any_memory() -> None:
    response = response_text(office(), 5)

    document = explained(FormulaEngine(), 5)

    assert [span.effect for span in document.heat] == (weights(TABS, response) + weights(PNPM, response)).tolist()


def test_heat_of_one_memory_is_its_own() -> None:
    document = explained(FormulaEngine(), 5, memory="tabs")

    assert document.memory == "tabs"
    assert [span.effect for span in document.heat] == weights(TABS, response_text(office(), 5)).tolist()


def test_heat_lies_on_the_words_of_the_response() -> None:
    document = explained(FormulaEngine(), 5)

    assert "".join(document.text[span.start : span.end] for span in document.heat) == document.text


def test_the_words_of_the_embedded_engine_are_whole() -> None:
    conversation = talk(memory("code", "The code is Zorvix."), user("Well?"), assistant("It is Zorvix, I believe."))

    document = explained(Embedded(), 2, conversation=conversation)

    assert [document.text[span.start : span.end] for span in document.heat][:3] == ["It", "is", "Zorvix"]
    assert max(document.heat, key=lambda span: span.effect).start == document.text.index("Zorvix")


@pytest.mark.parametrize("engine", [Embedded(), Remote(Embedded())], ids=["one pass", "remote"])
@settings(max_examples=25, deadline=None)
@given(conversation=conversations, one=st.booleans())
def test_heat_sums_to_the_effect(engine: Engine, conversation: Conversation, one: bool) -> None:
    run, _ = score_matrix(conversation, Scorer(engine), Job())
    matrix = run.snapshot()
    if matrix.reason:
        return
    key = matrix.keys[0] if one else None
    effects = matrix.effects[0] if one else matrix.baseline - matrix.stripped

    for message, effect in zip(matrix.responses, effects, strict=True):
        document = explained(engine, message, conversation=conversation, memory=key)
        assert sum(span.effect for span in document.heat) == pytest.approx(effect, rel=0, abs=1e-9)


def test_an_engine_without_tokens_has_whole_effects_and_no_heat() -> None:
    plain, cut = explained(FormulaEngine(tokens=False), 5), explained(FormulaEngine(), 5)

    assert plain.heat == []
    assert important(plain) == important(cut)


@pytest.mark.parametrize("selection", [None, (0, 3)])
def test_what_landed_is_not_scored_again_for_the_heat(selection: tuple[int, int] | None) -> None:
    engine = FormulaEngine()

    explained(engine, 8, selection=selection)

    assert engine.calls == 6


def test_heat_comes_from_the_store(tmp_path: Path) -> None:
    documents = []
    for engine in (FormulaEngine(), FormulaEngine()):
        database = Database(tmp_path)
        scorer = Scorer(stored(engine, ScoreStore(database)), database)
        documents.append(explain_response(office(), 8, scorer, Job(), threshold=0.01, selection=(0, 3)))
        scorer.close()

    assert documents[0].heat
    assert documents[0] == documents[1]
    assert engine.calls == 0


# Words


@pytest.mark.parametrize("words", ["Use", "pnpm to install", "packages.", '"command": "pnpm install"'])
def test_a_selection_ranks_the_memories_for_its_words(words: str) -> None:
    response = response_text(office(), 5)
    start = response.index(words)
    end = start + len(words)
    whole = explained(FormulaEngine(), 5)
    touched = [n for n, span in enumerate(whole.heat) if span.start < end and span.end > start]
    truth = {
        "tabs": float(weights(TABS, response)[touched].sum()),
        "pnpm": float(weights(PNPM, response)[touched].sum()),
    }

    document = reasons(FormulaEngine(), 5, text=words)

    assert list(important(document).items()) == strongest_first(truth)
    assert document.selection is not None
    assert (document.selection.start, document.selection.end, document.selection.text) == (start, end, words)
    assert document == reasons(FormulaEngine(), 5, span=(start, end))


def test_without_tokens_a_selection_gives_whole_effects() -> None:
    document = reasons(FormulaEngine(tokens=False), 5, text="pnpm")

    assert important(document) == important(explained(FormulaEngine(), 5))
    assert document.selection is not None


@pytest.mark.parametrize(
    ("text", "found"),
    [("PNPM", "pnpm"), ("pnpm\nnow", "pnpm\nnow"), ("Straße", "Straße"), ("straße", "Straße"), ("(.*)", "(.*)")],
)
def test_words_are_found_as_they_stand_or_in_another_case(text: str, found: str) -> None:
    conversation = talk(memory("m", TABS), assistant("ẞ! İn der Straße: pnpm\nnow (.*)"))

    document = reasons(FormulaEngine(), 1, conversation=conversation, text=text)

    assert document.selection is not None
    assert document.selection.text == found


def test_words_as_they_stand_come_before_words_in_another_case() -> None:
    conversation = talk(memory("m", TABS), assistant("PNPM, then pnpm."))

    document = reasons(FormulaEngine(), 1, conversation=conversation, text="pnpm")

    assert document.selection is not None
    assert document.selection.start == 11


# Why: the context up to the response alone


@pytest.mark.parametrize(
    "engine", [FormulaEngine(), Embedded(), Remote(Embedded())], ids=["formula", "one pass", "remote"]
)
@pytest.mark.parametrize("message", [2, 5, 8])
def test_why_is_the_column_of_the_matrix(engine: Engine, message: int) -> None:
    """Nothing after a response changes it, so its own context is enough."""
    alone, whole = reasons(engine, message), explained(engine, message)

    assert important(alone) == pytest.approx(important(whole), rel=0, abs=1e-9)
    assert [span.effect for span in alone.heat] == pytest.approx([s.effect for s in whole.heat], rel=0, abs=1e-9)
    assert alone.stripped == pytest.approx(whole.stripped, rel=0, abs=1e-9)


def test_why_scores_only_what_could_be_seen() -> None:
    engine = FormulaEngine()

    reasons(engine, 2)

    assert engine.calls == 3  # one memory so far: baseline, without it, baseline again


def test_why_of_a_message_that_is_no_response_is_an_empty_list() -> None:
    engine = FormulaEngine()

    for text in (None, "nowhere to be found"):
        document = reasons(engine, 1, text=text)
        assert (document.important, document.reason) == ([], "message #1 is no response")
    assert engine.calls == 0


def test_what_was_already_said_is_named() -> None:
    said = "Then install the packages: pnpm install --frozen-lockfile."
    conversation = talk(
        memory("pnpm", "Install the packages with pnpm install --frozen-lockfile."),
        user("How do I install the packages?"),
        assistant(said),
        user("And once more?"),
        assistant(said),
        assistant(said),
        assistant(said),
    )

    document = explained(Embedded(), 6, conversation=conversation)

    assert [(note.key, note.message) for note in document.already_said] == [("pnpm", 2)]


# What is not there


def test_an_unknown_memory_is_refused_with_near_matches() -> None:
    with pytest.raises(UsageError, match=r"no memory 'pnmp' in the conversation\. Did you mean pnpm\?"):
        explained(FormulaEngine(), 5, memory="pnmp")


def test_part_of_a_key_is_a_near_match() -> None:
    conversation = talk(memory("project/web/uses-pnpm-for-every-package", PNPM), assistant("Yes."))

    with pytest.raises(UsageError, match="Did you mean project/web/uses-pnpm-for-every-package"):
        explained(FormulaEngine(), 1, conversation=conversation, memory="PNPM")


def test_nothing_near_points_to_the_list() -> None:
    with pytest.raises(UsageError, match="memscope memories FILE"):
        explained(FormulaEngine(), 5, memory="zzz")


@pytest.mark.parametrize("message", [-1, 9, 1000])
def test_an_unknown_message_is_refused_with_those_there_are(message: int) -> None:
    with pytest.raises(UsageError, match=rf"no message #{message}\. The conversation has #0 to #8"):
        reasons(FormulaEngine(), message)


@pytest.mark.parametrize("text", ["", "nowhere"])
def test_unknown_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the response does not contain"):
        reasons(FormulaEngine(), 5, text=text)


@pytest.mark.parametrize("span", [(0, 0), (5, 3), (0, 10_000), (-1, 3)])
def test_a_span_outside_the_response_is_refused_with_its_length(span: tuple[int, int]) -> None:
    size = len(response_text(office(), 5))

    with pytest.raises(UsageError, match=rf"is not in the response\. It has the characters 0:{size}"):
        reasons(FormulaEngine(), 5, span=span)


def test_a_whole_response_can_be_selected() -> None:
    size = len(response_text(office(), 5))

    assert important(reasons(FormulaEngine(), 5, span=(0, size))) == important(explained(FormulaEngine(), 5))


def test_noise_raises_the_cutoff() -> None:
    def off(_call: int, prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
        return [replace(score, total=score.total - 1000.0) for score in scores] if prompt.repeat else scores

    document = explained(FormulaEngine(after=off), 5)

    assert (document.noise, document.cutoff) == (1000.0, 3000.0)
    assert document.important == []
