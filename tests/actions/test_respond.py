"""One response: what mattered to it, where in its words, and for which of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.actions.engine import Scorer
from memscope.actions.respond import Question, explain, explain_response, why
from memscope.actions.score import score_matrix
from memscope.attribution.matrix import MatrixRun
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Message, Text, Thinking
from memscope.conversation.render import Prompt, response_text
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import Engine, Failure, ResponseScore
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
    without,
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
    question = Question(message, threshold, memory, (selection,) if selection else ())
    return explain_response(conversation or office(), question, Scorer(engine), Job())


def reasons(
    engine: Engine,
    message: int,
    *,
    conversation: Conversation | None = None,
    span: tuple[int, int] | None = None,
    text: str | None = None,
) -> ResponseDocument:
    return why(conversation or office(), Question(message, 0.01), Scorer(engine), Job(), span=span, text=text)


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

    assert (document.important, document.against, document.heat, document.text) == ([], [], [], "")
    there = "message #{} is no response" if 0 <= message <= 8 else "there is no message #{}, only #0 to #8"
    assert document.reason == there.format(message)
    assert engine.calls == 0


def test_a_failed_baseline_is_the_reason() -> None:
    document = explained(FormulaEngine(before=fails_baseline(TABS, PNPM)), 5)

    assert "the server is out of memory" in str(document.reason)
    assert document.important == []


def test_a_failed_memory_is_left_out_and_counted() -> None:
    document = explained(FormulaEngine(before=fails_without(TABS)), 5)

    assert "tabs" not in important(document)
    assert document.left_out == 1
    assert [(row.key, row.error) for row in document.failed] == [("tabs", f"the server refuses to go without {TABS!r}")]


def test_nothing_failed_is_an_empty_list() -> None:
    assert explained(FormulaEngine(), 5).failed == []


@pytest.mark.parametrize(("message", "column"), [(2, 0), (5, 1), (8, 2)])
@pytest.mark.parametrize("threshold", [0.01, 0.5, 1.0])
def test_what_spoke_against_is_below_minus_the_cutoff_strongest_first(
    message: int, column: int, threshold: float
) -> None:
    truth = dict(zip(KEYS, true_effects(office())[:, column].tolist(), strict=True))

    document = explained(FormulaEngine(), message, threshold=threshold)

    expected = strongest_first({key: -effect for key, effect in truth.items()}, threshold)
    assert [(row.key, -row.effect) for row in document.against] == expected
    assert [row.share for row in document.against] == [None] * len(expected)
    assert not important(document).keys() & {row.key for row in document.against}


def test_several_that_spoke_against_come_strongest_first() -> None:
    conversation = talk(*(memory(f"m{n}", f"Fact {n}.") for n in range(8)), assistant("So it is, I believe."))

    document = explained(FormulaEngine(), 8, conversation=conversation)

    effects = [row.effect for row in document.against]
    assert effects == sorted(effects)
    assert len(effects) > 1


@pytest.mark.parametrize(("message", "text"), [(1, TABS), (3, "Indent with spaces."), (6, "Indent as you like.")])
def test_the_text_of_a_memory_is_the_one_that_the_response_could_see(message: int, text: str) -> None:
    conversation = talk(
        memory("tabs", TABS),
        assistant("I indent."),
        memory("tabs", "Indent with spaces."),
        assistant("I indent otherwise."),
        memory("tabs", "Forget it."),
        memory("tabs", "Indent as you like."),
        assistant("I do not indent."),
        memory("tabs", "Never mind."),
    )

    document = explained(FormulaEngine(), message, conversation=conversation)

    (row,) = document.important + document.against
    assert (row.key, row.text) == ("tabs", text)


# A run that is there


@pytest.mark.parametrize("spans", [(), ((0, 3),), ((0, 3), (10, 14))])
@pytest.mark.parametrize("key", [None, "tabs"])
def test_a_run_that_is_there_is_explained_without_another_scoring(
    spans: tuple[tuple[int, int], ...], key: str | None
) -> None:
    engine = FormulaEngine()
    scorer = Scorer(engine)
    run, _ = score_matrix(office(), scorer, Job())

    question = Question(8, 0.01, key, spans)
    document = explain(run, question, scorer, Job())

    assert engine.calls == 6
    afresh = explain_response(office(), question, Scorer(FormulaEngine()), Job())
    assert document == afresh


def test_a_run_under_way_is_explained_as_far_as_it_has_come() -> None:
    run, scorer = MatrixRun(office()), Scorer(FormulaEngine(tokens=False))
    whole, _ = score_matrix(office(), scorer, Job())
    landed = [BASELINE, without("late")]
    for ablation, result in whole.landed(landed).items():
        run.land(ablation, result)

    document = explain(run, Question(8, 0.01), scorer, Job())

    assert list(important(document)) == ["late"]
    assert (document.stripped, document.left_out, document.failed) == (None, 2, [])


def test_a_run_with_a_reason_gives_it_and_asks_for_nothing() -> None:
    run, engine = MatrixRun(office()), FormulaEngine()
    run.land(BASELINE, Failure("the server was away"))

    document = explain(run, Question(5, 0.01, spans=((0, 3),)), Scorer(engine), Job())

    assert document.reason == run.reason
    assert (document.important, document.heat, document.text) == ([], [], response_text(office(), 5))
    assert document.selection is not None
    assert document.selection.text == "Use"
    assert engine.calls == 0


def landed_run(*ablations: Ablation) -> MatrixRun:
    """A run in which nothing but these has landed."""
    run = MatrixRun(office())
    whole, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())
    for ablation, result in whole.landed(ablations).items():
        run.land(ablation, result)
    return run


@pytest.mark.parametrize("spans", [(), ((0, 9),)])
@pytest.mark.parametrize("key", [None, "late"])
def test_only_what_landed_is_explained_where_nothing_may_be_scored(
    key: str | None, spans: tuple[tuple[int, int], ...]
) -> None:
    engine = FormulaEngine()
    question = Question(8, 0.01, key, spans)
    everything = MatrixRun(office()).everything

    nothing = explain(landed_run(BASELINE), question, Scorer(engine), Job(), only_landed=True)
    some = explain(landed_run(BASELINE, everything, without("tabs")), question, Scorer(engine), Job(), only_landed=True)

    assert engine.calls == 0
    assert (nothing.heat, nothing.important, nothing.selection) == ([], [], None)
    assert bool(some.heat) == (key is None)
    assert (some.selection is not None) == bool(spans)
    assert {row.key for row in (*some.important, *some.against)} <= {"tabs"}


def test_without_an_engine_there_are_the_numbers_and_no_words() -> None:
    run, _ = score_matrix(office(), Scorer(FormulaEngine()), Job())

    document = explain(run, Question(8, 0.01, spans=((0, 3),)), None, Job())

    whole = explain(run, Question(8, 0.01), Scorer(FormulaEngine()), Job())
    assert (document.heat, document.selection) == ([], None)
    assert document == whole.model_copy(update={"heat": []})


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
@settings(max_examples=25)
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
        documents.append(explain_response(office(), Question(8, 0.01, spans=((0, 3),)), scorer, Job()))
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


@pytest.mark.parametrize("key", [None, "pnpm"])
def test_with_a_selection_all_numbers_are_those_of_its_words(key: str | None) -> None:
    response = response_text(office(), 5)
    spans = ((0, 3), (response.index("packages"), response.index("packages") + 8))
    whole = explained(FormulaEngine(), 5, memory=key)
    all_of_them = explained(FormulaEngine(), 5)
    touched = [n for n, span in enumerate(whole.heat) if any(span.start < e and span.end > s for s, e in spans)]
    stripped = sum(all_of_them.heat[n].effect for n in touched)

    document = explain_response(office(), Question(5, 0.01, key, spans), Scorer(FormulaEngine()), Job())

    assert len(touched) == 2
    assert document.heat == [whole.heat[n] for n in touched]
    assert document.important + document.against
    for row in document.important:
        assert row.per_token == row.effect / 2
        assert row.share == (row.effect / stripped if stripped > 0.01 else None)
    assert all(row.per_token == row.effect / 2 for row in document.against)
    assert document.selection is not None
    assert (document.selection.text, document.selection.spans) == ("Use", list(spans))
    assert (document.stripped, document.tokens) == (whole.stripped, whole.tokens)  # the response's own, as before


def test_a_share_of_words_is_of_what_all_memories_did_for_them() -> None:
    conversation = talk(memory("code", "The code is Zorvix."), user("Well?"), assistant("It is Zorvix, I believe."))

    document = reasons(Embedded(), 2, conversation=conversation, text="Zorvix")

    assert [row.share for row in document.important] == [pytest.approx(1.0)]


def test_every_place_where_the_words_stand_is_selected() -> None:
    conversation = talk(memory("m", TABS), assistant("Tabs here, tabs there, and TABS or tabs."))

    document = reasons(FormulaEngine(), 1, conversation=conversation, text="tabs")

    assert document.selection is not None
    assert document.selection.spans == [(11, 15), (35, 39)]
    assert (document.selection.start, document.selection.end) == (11, 15)
    words = [document.text[span.start : span.end].strip() for span in document.heat]
    assert words == ["tabs", "tabs."]
    (row,) = document.important + document.against
    assert row.effect == sum(span.effect for span in document.heat)


def test_words_in_another_case_are_selected_everywhere_too() -> None:
    conversation = talk(memory("m", TABS), assistant("Tabs here, tAbs there."))

    document = reasons(FormulaEngine(), 1, conversation=conversation, text="TABS")

    assert document.selection is not None
    assert document.selection.spans == [(0, 4), (11, 15)]


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

    for text in (None, "nowhere to be found", ""):
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


# Thinking


def test_thinking_is_said_only_where_it_counts_as_said() -> None:
    conversation = talk(memory("tabs", TABS), Message("assistant", (Thinking("Tabs it is."), Text("I will indent."))))

    silent = explained(FormulaEngine(), 1, conversation=conversation)
    aloud = explained(FormulaEngine(), 1, conversation=replace(conversation, thinking=True))

    assert silent.text == "I will indent."
    assert aloud.text == "<think>\nTabs it is.\n</think>\nI will indent."
    assert "".join(aloud.text[span.start : span.end] for span in aloud.heat) == aloud.text
    assert (silent.tokens, aloud.tokens) == (3, 8)


def test_thinking_that_counts_as_said_can_be_selected() -> None:
    conversation = talk(memory("tabs", TABS), Message("assistant", (Thinking("Tabs it is."), Text("I will indent."))))

    document = reasons(FormulaEngine(), 1, conversation=replace(conversation, thinking=True), text="Tabs it is")

    assert document.selection is not None
    with pytest.raises(UsageError, match="the response does not contain"):
        reasons(FormulaEngine(), 1, conversation=conversation, text="Tabs it is")
