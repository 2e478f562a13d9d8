"""vLLM: what it is asked, and its recorded answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Message, Text
from memscope.conversation.render import render
from memscope.engines.chat import chat
from memscope.engines.protocol import Capabilities, EngineIdentity
from memscope.engines.registry import EngineOptions
from memscope.engines.token_engine import TokenEngine
from memscope.engines.vllm import ENGINE, Vllm
from tests.engines.conftest import Hasty
from tests.engines.replay import recorded, replaying
from tests.engines.token_server import NAME, Formula, TokenServer, VllmDialect
from tests.fakes import assistant, memory, office, talk, user

Serve = Callable[..., TokenServer]
Build = Callable[..., TokenEngine]


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


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_the_chat_is_tokenised_and_the_ids_are_scored(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("vllm")
    tool = '{"name": "run", "parameters": {"type": "object"}}'
    conversation = Conversation(office().messages, tools=(tool,))

    build(server).score(render(conversation), job)

    first = server.log("/tokenize")[0].body
    said = chat(render(conversation))
    assert first == {
        "model": NAME,
        "messages": list(said.messages),
        "add_generation_prompt": False,
        "tools": list(said.tools),
    }
    (scoring,) = server.log("/completions")
    assert scoring.body == {
        "model": NAME,
        "prompt": scoring.body["prompt"],
        "prompt_logprobs": 0,
        "max_tokens": 1,
        "temperature": 0,
    }
    text = Formula().text(scoring.body["prompt"])
    assert text.endswith(chat(render(conversation)).texts[-1])  # nothing behind the last response
    assert len(server.log("/tokenize")) == 1 + 2 * 3


def test_what_it_is(token_server: Serve, build: Build) -> None:
    server = token_server("vllm")
    engine = build(server)
    assert engine.identity == EngineIdentity("vllm", NAME, server.root)
    assert engine.capabilities == Capabilities("vllm", tokens=True, concurrency=4)
    assert ENGINE.served


def test_what_it_generates_has_the_log_probabilities_that_it_scores(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    engine = build(token_server("vllm"))
    ids = engine.layout(render(office()), job).whole

    made = engine.model.generate(ids, 5, job)

    (scored,) = engine.model.logprobs(ids + [token for token, _ in made], [(len(ids), len(ids) + 5)], job)
    assert [value for _, value in made] == scored.logprobs.tolist()


def test_a_release_that_generates_without_ids_says_what_to_do(token_server: Serve, build: Build, job: Hasty) -> None:
    class Older(VllmDialect):
        def completions(self, body: Any) -> Any:
            return super().completions({**body, "return_token_ids": False})

    with pytest.raises(EngineError, match=r"generates without token ids.*openai-echo"):
        build(token_server(Older)).model.generate([1, 2], 3, job)


@pytest.mark.parametrize("tokens", [None, {}, ["1"], [1.5], [True], "1 2"])
def test_an_answer_of_the_tokeniser_without_ids_is_refused(
    tokens: object, token_server: Serve, build: Build, job: Hasty
) -> None:
    class Odd(VllmDialect):
        def tokenize(self, body: Any) -> object:
            return {"tokens": tokens}

    with pytest.raises(EngineError, match="the answer to /tokenize has no token ids"):
        build(token_server(Odd)).score(render(office()), job)


def test_models_are_listed(token_server: Serve) -> None:
    assert ENGINE.models is not None
    server = token_server("vllm", models=("a", "b"))
    assert ENGINE.models(EngineOptions(base_url=server.url), Job()) == ["a", "b"]


# --- recorded --------------------------------------------------------------------------------------------------------

TOKENS, SCORED = recorded("vllm-tokenize-messages"), recorded("vllm-completions-prompt_logprobs")
IDS = TOKENS["response"]["tokens"]
ASKED = Conversation(tuple(Message(m["role"], (Text(m["content"]),)) for m in TOKENS["request"]["json"]["messages"]))


def test_the_recorded_model_is_found_with_its_length(token_server: Serve, build: Build, job: Hasty) -> None:
    engine = build(token_server(replaying("vllm-models")), model="")
    assert engine.identity.model == "tiny"
    assert engine.model.longest(job) == 4096


def test_recorded_ids_and_log_probabilities_are_read(token_server: Serve, build: Build, job: Hasty) -> None:
    model = build(token_server(replaying("vllm-tokenize-messages", "vllm-completions-prompt_logprobs"))).model
    assert isinstance(model, Vllm)
    assert model.lay(chat(render(ASKED)), job) == IDS

    first, last = model.logprobs(IDS, [(39, 45), (64, 72)], job)

    entries = SCORED["response"]["choices"][0]["prompt_logprobs"]
    assert first.logprobs.tolist() == [entries[at][str(IDS[at])]["logprob"] for at in range(39, 45)]
    assert first.pieces == ("You", " are", " R", "o", "bin", ".")
    assert "".join(last.pieces or ()) == "Yes, it is free software."
    assert len(last.logprobs) == 8


def test_a_recorded_answer_to_other_ids_is_refused(token_server: Serve, build: Build, job: Hasty) -> None:
    model = build(token_server(replaying("vllm-completions-prompt_logprobs"))).model
    with pytest.raises(EngineError, match=f"at position 40 token 9 was sent, and the score is of token {IDS[40]}"):
        model.logprobs([*IDS[:40], 9, *IDS[41:]], [(39, 45)], job)
    with pytest.raises(EngineError, match="75 tokens were sent and 74 came back scored"):
        model.logprobs([*IDS, 9], [(39, 45)], job)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vllm-too-long", "HTTP 400: This model's maximum context length is 4096 tokens.*14800 input tokens"),
        ("vllm-bad-model", "HTTP 404: The model `nope` does not exist.*--model"),
    ],
)
def test_recorded_errors_are_told(name: str, reason: str, token_server: Serve, build: Build, job: Hasty) -> None:
    with pytest.raises(EngineError, match=reason):
        build(token_server(replaying(name))).model.logprobs(IDS, [(39, 45)], job)


def test_a_conversation_of_memories_alone_costs_nothing(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("vllm")
    scores = build(server).score(render(talk(memory("m", "x"), user("y"), assistant(""))), job)
    assert [score.total for score in scores] == [0.0]
    assert not server.log("/completions")


def test_a_template_that_refuses_the_conversation_offers_to_fold(token_server: Serve, build: Build, job: Hasty) -> None:
    def strict(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> str:
        raise ValueError("Conversation roles must alternate")

    with pytest.raises(EngineError) as refused:
        build(token_server("vllm", render=strict)).score(render(office()), job)

    assert "must alternate" in str(refused.value)
    assert "--fold memories" in refused.value.do


@pytest.mark.parametrize("value", [None, True, "x", 10**400])
def test_what_is_no_log_probability_while_it_generates_is_an_error_and_no_bug(
    value: object, token_server: Serve, build: Build, job: Hasty
) -> None:
    class Odd(VllmDialect):
        def completions(self, body: Any) -> object:
            return {"choices": [{"token_ids": [5], "logprobs": {"token_logprobs": [value]}}]}

    with pytest.raises(EngineError, match="no log-probability"):
        build(token_server(Odd)).model.generate([1, 2], 1, job)
