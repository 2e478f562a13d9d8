"""SGLang: it is asked from the first response that changed on, and where its answer begins is proved by ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memscope.base.errors import EngineError, UsageError
from memscope.conversation.ablation import Ablation
from memscope.conversation.render import render
from memscope.engines.chat import chat
from memscope.engines.protocol import Capabilities, EngineIdentity
from memscope.engines.registry import EngineOptions
from memscope.engines.sglang import ENGINE
from memscope.engines.templates import template_of
from memscope.engines.token_engine import TokenEngine
from tests.engines.conftest import Hasty
from tests.engines.token_server import NAME, Formula, RefusedError, SglangDialect, TokenServer, chatml
from tests.fakes import assistant, memory, office, talk, user

Serve = Callable[..., TokenServer]
Build = Callable[..., TokenEngine]
MODEL = Formula()
TALK = talk(
    memory("tea", "She likes tea."),
    user("Tea?"),
    assistant("Green tea."),
    memory("hot", "At 70 degrees."),
    user("How hot?"),
    assistant("70 degrees."),
)


@pytest.fixture
def build() -> Iterator[Build]:
    made: list[TokenEngine] = []

    def engine(server: TokenServer, **options: Any) -> TokenEngine:
        built = ENGINE.build(EngineOptions(**{"base_url": server.url, "model": NAME} | options))
        assert isinstance(built, TokenEngine)
        made.append(built)
        return built

    yield engine
    for one in made:
        one.close()


def test_what_it_is(token_server: Serve, build: Build) -> None:
    server = token_server("sglang")
    engine = build(server)
    assert engine.identity == EngineIdentity("sglang", NAME, server.root)
    assert engine.capabilities == Capabilities("sglang", tokens=True, concurrency=4, reuses=True)


def test_one_request_asks_from_one_before_the_first_response(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("sglang")
    engine = build(server)
    laid = engine.layout(render(TALK), job)

    engine.score(render(TALK), job)

    (scoring,) = server.log("/generate")
    assert scoring.body == {
        "input_ids": laid.whole,
        "return_logprob": True,
        "logprob_start_len": laid.spans[0][0] - 1,
        "return_text_in_logprobs": True,
        "sampling_params": {"max_new_tokens": 1, "temperature": 0},
    }


def test_an_ablation_asks_from_the_first_response_behind_the_change(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server("sglang")
    engine = build(server)
    whole = engine.score(render(TALK), job)
    server.forget()
    ablated = render(TALK, Ablation.of("hot"))

    scores = engine.score(ablated, job)

    laid = engine.layout(ablated, job)
    assert server.log("/generate")[0].body["logprob_start_len"] == laid.spans[1][0] - 1
    assert scores[0].total == whole[0].total
    values = MODEL.logprobs(laid.whole)
    assert scores[1].total == sum(values[laid.spans[1][0] : laid.spans[1][1]])


def test_a_repeat_is_measured_and_not_remembered(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("sglang", noise=0.25)
    engine = build(server)
    first = engine.score(render(TALK), job)
    again = engine.score(replace(render(TALK), repeat=1), job)
    assert [a.total < b.total for a, b in zip(again, first, strict=True)] == [True, True]
    assert len(server.log("/generate")) == 2


def test_what_it_generates_has_the_log_probabilities_that_it_scores(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    engine = build(token_server("sglang"))
    ids = engine.layout(render(office()), job).whole

    made = engine.model.generate(ids, 5, job)

    (scored,) = engine.model.logprobs(ids + [token for token, _ in made], [(len(ids), len(ids) + 5)], job)
    assert [value for _, value in made] == scored.logprobs.tolist()


# --- where an answer begins ------------------------------------------------------------------------------------------


def cutting(change: Callable[[list[Any], int], list[Any]]) -> type[SglangDialect]:
    """A release that returns other entries than those from `logprob_start_len` on."""

    class Cutting(SglangDialect):
        def generate(self, body: Any) -> Any:
            answer: Any = super().generate(body)
            meta = answer["meta_info"]
            if "input_token_logprobs" in meta:
                meta["input_token_logprobs"] = change(meta["input_token_logprobs"], body["logprob_start_len"])
            return answer

    return Cutting


def test_a_release_that_gives_all_positions_is_read_from_the_right_one(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    class FromZero(SglangDialect):
        start_from_zero = True

    engine, right = build(token_server(FromZero)), build(token_server("sglang"))
    for one, other in zip(engine.score(render(TALK), job), right.score(render(TALK), job), strict=True):
        assert one.total == other.total


def test_a_release_that_begins_one_later_with_a_value_is_right(token_server: Serve, build: Build, job: Hasty) -> None:
    engine, right = build(token_server(cutting(lambda entries, _: entries[1:]))), build(token_server("sglang"))
    for one, other in zip(engine.score(render(TALK), job), right.score(render(TALK), job), strict=True):
        assert one.total == other.total


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda entries, _: [[None, *entries[1][1:]], *entries[2:]], r"position \d+ has no log-probability"),
        (lambda entries, _: entries[2:], r"\d+ of \d+ tokens were to be scored, and \d+ came back"),
        (lambda entries, _: [], r"\d+ of \d+ tokens were to be scored, and 0 came back"),
        (lambda entries, _: entries + [[-1.0, 5, "x"]] * 10_000, "were to be scored"),
        (lambda entries, _: [*entries[1:], [-1.0, 5, "x"]], "the score is of token"),
        (lambda entries, _: [*entries[:-1], [-1.0, entries[-1][1] + 1, "x"]], "the score is of token.*radix-cache"),
        (lambda entries, _: [*entries[:-1], [-1.0]], "an entry without a token id"),
        (lambda entries, _: [*entries[:-1], None], "an entry without a token id"),
        (lambda entries, _: [*entries[:-1], ["-1", entries[-1][1], "x"]], "has no log-probability"),
        (lambda entries, _: [*entries[:-1], [True, entries[-1][1], "x"]], "has no log-probability"),
        (lambda entries, _: None, "the answer has no input_token_logprobs"),
    ],
)
def test_an_answer_that_is_not_of_the_tokens_sent_is_refused(
    change: Any, reason: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    with pytest.raises(EngineError, match=reason):
        build(token_server(cutting(change))).score(render(TALK), job)


def test_a_release_without_texts_scores_whole_responses(token_server: Serve, build: Build, job: Hasty) -> None:
    class Mute(SglangDialect):
        texts = False

    engine, right = build(token_server(Mute)), build(token_server("sglang"))
    for one, other in zip(engine.score(render(TALK), job), right.score(render(TALK), job), strict=True):
        assert (one.total, one.count, one.tokens) == (other.total, other.count, None)


def test_a_shorter_entry_is_one_without_a_text(token_server: Serve, build: Build, job: Hasty) -> None:
    shorter = cutting(lambda entries, _: [entry[:2] for entry in entries])
    scores = build(token_server(shorter)).score(render(TALK), job)
    assert all(score.tokens is None and score.total < 0 for score in scores)


# --- releases that tokenise texts alone ------------------------------------------------------------------------------


class Older(SglangDialect):
    tokenizes_messages = False


class OlderWithBody(SglangDialect):
    """One that says so with HTTP 200."""

    def tokenize(self, body: Any) -> Any:
        if "prompt" not in body:
            return {"error": {"message": "prompt is missing", "code": 400}}
        return super().tokenize(body)


class OlderStill(SglangDialect):
    def tokenize(self, body: Any) -> Any:
        if "prompt" not in body:
            raise RefusedError(400, {"object": "error", "message": "prompt: field required", "code": 400})
        return super().tokenize(body)


@pytest.mark.parametrize("dialect", [Older, OlderWithBody, OlderStill])
def test_a_release_that_tokenises_texts_alone_is_told_what_to_do(
    dialect: type[SglangDialect], token_server: Serve, build: Build, job: Hasty
) -> None:
    with pytest.raises(EngineError, match=r"tokenises texts alone.*upgrade it, or give --template") as refused:
        build(token_server(dialect)).score(render(TALK), job)
    assert "prompt" in str(refused.value)


@pytest.mark.parametrize("dialect", [Older, OlderWithBody, OlderStill])
def test_with_a_template_the_chat_is_laid_out_here(
    dialect: type[SglangDialect], token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(dialect)
    engine = build(server, template="chatml")

    scores = engine.score(render(TALK), job)

    text = template_of("chatml").render(chat(render(TALK)))
    assert text == chatml(chat(render(TALK)).messages, [])
    assert server.log("/tokenize")[0].body == {"model": NAME, "prompt": text, "add_special_tokens": False}
    assert engine.identity.options == (("template", template_of("chatml").digest),)
    right = build(token_server("sglang")).score(render(TALK), job)
    assert [score.total for score in scores] == [score.total for score in right]


def test_a_template_that_is_none_is_refused_before_anything_is_asked(
    token_server: Serve, build: Build, tmp_path: Path
) -> None:
    server = token_server("sglang")
    with pytest.raises(UsageError, match="there is no chat template"):
        build(server, template=str(tmp_path / "none"))
    assert not server.log()


def test_what_it_was_made_to_forget_is_scored_anew(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("sglang")
    engine = build(server)
    engine.score(render(TALK), job)
    engine.score(render(TALK), job)
    asked = len(server.log("/generate"))
    engine.forget()
    engine.score(render(TALK), job)

    assert (asked, len(server.log("/generate"))) == (1, 2)
