"""Leave-one-out with a shared beginning gives what scoring each conversation from its beginning gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from memscope.attribution.columns import columns
from memscope.attribution.matrix import MatrixRun
from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation, Message, Text
from memscope.conversation.render import Renderer, render
from memscope.engines.protocol import Engine, Failure, OnePassEngine, RecomputingEngine, ResponseScore
from memscope.engines.transformers.engine import TransformersEngine
from tests.engines.transformers.models import (
    CONVERSATIONS,
    CUTTABLE,
    KINDS,
    REFUSED,
    SLIDING,
    WINDOW,
    front,
    interleaved,
    make,
    several,
)
from tests.engines.transformers.servers import Plain
from tests.fakes import Remote, assistant, conversations, memory, office, talk, user, without

pytestmark = pytest.mark.hf
TOLERANCE = 1e-4  # nats a response
RECURRENT = 1e-3  # the same for a state that is passed on from token to token, and adds its rounding up

Engines = Callable[..., TransformersEngine]
Folders = Callable[..., Path]


def landed(
    engine: Engine, conversation: Conversation, ablations: Sequence[Ablation] | None = None
) -> dict[Ablation, list[ResponseScore]]:
    asked = MatrixRun(conversation).plan if ablations is None else ablations
    found: dict[Ablation, list[ResponseScore]] = {}
    for ablation, result in columns(engine, conversation, asked, Job()):
        assert not isinstance(result, Failure), result.reason
        found[ablation] = result
    assert found.keys() == set(asked)
    return found


def same(one: Iterable[ResponseScore], other: Iterable[ResponseScore], within: float = TOLERANCE) -> None:
    for mine, its in zip(one, other, strict=True):
        assert mine.total == pytest.approx(its.total, abs=within, nan_ok=True)
        assert (mine.count, mine.marks, mine.failure) == (its.count, its.marks, its.failure)
        assert (mine.tokens is None) == (its.tokens is None)
        if mine.tokens is not None and its.tokens is not None:
            assert mine.tokens.starts.tolist() == its.tokens.starts.tolist()
            assert mine.tokens.ends.tolist() == its.tokens.ends.tolist()
            assert mine.tokens.logprobs == pytest.approx(its.tokens.logprobs, abs=within)


@pytest.mark.parametrize("layout", CONVERSATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_columns_equal_scoring_each_ablation_from_its_beginning(kind: str, layout: str, engine: Engines) -> None:
    model, conversation = engine(kind), CONVERSATIONS[layout]()
    renderer = Renderer(conversation)

    found = landed(model, conversation)

    for ablation, scores in found.items():
        within = RECURRENT if kind == "qwen3-next" else TOLERANCE
        same(scores, model.score(renderer.prompt(ablation), Job()), within)
    effects = [a.total - b.total for of in found.values() for a, b in zip(found[BASELINE], of, strict=True)]
    assert max(map(abs, effects)) > 0.1  # or there would be nothing to get wrong


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_one_pass_of_the_library_over_the_whole(
    kind: str, engine: Engines, folder: Folders
) -> None:
    model, plain = engine(kind), Plain(folder(kind))
    for conversation in (interleaved(), several()):
        laid = model.layout(render(conversation), Job())
        values = np.array(plain.logprobs(laid.whole))
        scores = model.score(render(conversation), Job())
        assert len(scores) == len(laid.spans)
        for (start, end), score in zip(laid.spans, scores, strict=True):
            assert plain.text(laid.whole[start:end]) == laid.texts[scores.index(score)]
            assert score.total == pytest.approx(values[start:end].sum(), abs=TOLERANCE)
            assert score.tokens is not None
            assert score.tokens.logprobs == pytest.approx(values[start:end], abs=TOLERANCE)


@pytest.mark.parametrize("kind", SLIDING)
def test_the_windows_slide_within_the_conversations(kind: str, engine: Engines) -> None:
    model = engine(kind)
    assert all(model.count(render(make()), Job()) > 3 * WINDOW for make in CONVERSATIONS.values())


def test_a_long_conversation_is_read_in_pieces_and_scores_the_same(engine: Engines, folder: Folders) -> None:
    for kind in ("qwen3", "gemma3"):
        model, conversation = engine(kind), front(memories=2, exchanges=40)
        laid = model.layout(render(conversation), Job())
        assert len(laid.whole) > 1_500
        values = np.array(Plain(folder(kind)).logprobs(laid.whole))

        scores = landed(model, conversation, [BASELINE])[BASELINE]

        truth = [values[start:end].sum() for start, end in laid.spans]
        assert [score.total for score in scores] == pytest.approx(truth, abs=TOLERANCE)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversation=conversations)
def test_a_wrapper_that_hides_the_way_of_its_own_sees_the_same(engine: Engines, conversation: Conversation) -> None:
    model = _shared(engine)
    plan = MatrixRun(conversation).plan

    mine = dict(columns(model, conversation, plan, Job()))
    remote = dict(columns(Remote(model), conversation, plan, Job()))

    assert mine.keys() == remote.keys() == set(plan)
    for ablation, scores in mine.items():
        its = remote[ablation]
        if isinstance(scores, Failure) or isinstance(its, Failure):
            assert scores == its
        else:
            same(scores, its)


_engines: list[TransformersEngine] = []


def _shared(engine: Engines) -> TransformersEngine:
    """One engine for all examples of a property."""
    if not _engines:
        _engines.append(engine("mistral"))
    return _engines[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_conversation_as_it_was_lands_first_where_beginnings_can_be_had_from_the_whole(
    kind: str, engine: Engines
) -> None:
    conversation = interleaved(3)
    plan = MatrixRun(conversation).plan
    order = [ablation for ablation, _ in columns(engine(kind), conversation, plan[::-1], Job())]

    assert order.index(BASELINE) == (0 if kind in CUTTABLE else 4)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_model_that_does_not_go_on_rightly_is_refused(kind: str, engine: Engines) -> None:
    with pytest.raises(EngineError, match="does not go on rightly") as refused:
        engine(kind).score(render(office()), Job())

    assert refused.value.lasting
    assert "vLLM" in refused.value.do


def test_a_model_with_longrope_takes_no_more_than_it_computes_alike(
    library: Any, engine: Engines, tmp_path: Path
) -> None:
    rope = {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "short_factor": [1.0] * 6,
        "long_factor": [1.0, 1.5, 2.0, 3.0, 4.0, 5.0],
        "original_max_position_embeddings": 200,
        "factor": 20.0,
    }
    model = engine(make(tmp_path, "phi3", rope_parameters=rope, original_max_position_embeddings=200))

    assert model.model.longest(Job()) == 200


def test_its_columns_carry_tokens(engine: Engines) -> None:
    model = engine()
    assert isinstance(model, OnePassEngine)
    assert not isinstance(model, RecomputingEngine)
    assert all(score.tokens is not None for scores in landed(model, office()).values() for score in scores)


def test_a_part_of_the_ablations_is_scored_without_the_rest(engine: Engines) -> None:
    model, conversation = engine("qwen3"), interleaved(5)
    whole = landed(model, conversation)
    for asked in ([without("m3")], [without("m1"), without("m4")], [without("m4"), AGAIN], [Ablation.of("m2", "m3")]):
        renderer = Renderer(conversation)
        for ablation, scores in landed(model, conversation, asked).items():
            same(scores, whole.get(ablation) or model.score(renderer.prompt(ablation), Job()))


def test_a_memory_behind_all_responses_changes_nothing(engine: Engines) -> None:
    model, conversation = engine(), interleaved(2)
    late = Conversation((*conversation.messages, *front(5).messages[5:6]))
    assert [memory.key for memory in late.memories] == ["m0", "m1", "m4"]
    found = landed(model, late, [BASELINE, without("m4")])
    same(found[BASELINE], found[without("m4")])


def test_responses_that_are_cut_into_other_tokens_score_the_same_too(engine: Engines, tmp_path: Path) -> None:
    """A template without anything between messages: what is left out decides where tokens begin and end."""
    template = tmp_path / "glued.jinja"
    template.write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    model = engine("qwen3", template=str(template))
    conversation = talk(
        user("What to in"), memory("m0", "sta"), assistant("ll: pack"), memory("m1", "age"), user("s wi"),
        memory("m2", "th gr"), assistant("een te"), memory("m3", "a"), user(" and short ans"), assistant("wers."),
    )  # fmt: skip
    renderer = Renderer(conversation)
    found = landed(model, conversation)
    for ablation, scores in found.items():
        same(scores, model.score(renderer.prompt(ablation), Job()))
    whole = found[BASELINE]
    odd = [
        a
        for a, its in found.items()
        for one, other in zip(whole, its, strict=True)
        if other.marks and one.marks and one.marks.response != other.marks.response
    ]
    assert odd  # some are


def test_a_response_at_the_same_place_behind_other_tokens_is_read_anew(engine: Engines, tmp_path: Path) -> None:
    """A template that shows a message by its number alone: leaving it out moves nothing."""
    template = tmp_path / "counts.jinja"
    template.write_text(
        "{{ messages | length }}{% for m in messages if m.role != 'system' %} {{ m.content }}{% endfor %}"
    )
    model = engine("llama", template=str(template))
    conversation = talk(user("Which?"), memory("m0", "pnpm"), assistant("Use pnpm."), user("Why?"), assistant("So."))
    found = landed(model, conversation)
    same(found[without("m0")], model.score(Renderer(conversation).prompt(without("m0")), Job()))
    assert all(
        abs(one.total - other.total) > 1e-3 for one, other in zip(found[BASELINE], found[without("m0")], strict=True)
    )


def test_a_response_that_nothing_stands_before_fails_alone(engine: Engines, tmp_path: Path) -> None:
    template = tmp_path / "bare.jinja"
    template.write_text("{% for m in messages %}{{ m.content }}{% if not loop.last %}{{ '\n' }}{% endif %}{% endfor %}")
    model = engine("llama", template=str(template))
    conversation = Conversation(
        (Message("assistant", (Text("Hello."),)), *interleaved(1).messages, Message("assistant", (Text("Bye."),)))
    )

    for scores in landed(model, conversation).values():
        assert scores[0].failure
        assert all(not score.failure for score in scores[1:])
