"""Which server answers: by what real ones say of themselves, and by what answers where they say nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.engines.recognise import Recognised, recognise
from memscope.engines.registry import EngineOptions, engine_names
from tests.engines.server import ScoreServer
from tests.engines.token_server import NAME, Dialect, RefusedError, TokenServer

Serve = Callable[..., TokenServer]


def saying(answers: Mapping[str, object], owner: str = "somebody", *, lists: bool = True) -> type[Dialect]:
    """A server that answers so on these routes, and to nothing else but what it serves."""

    class Saying(Dialect):
        def __init__(self, server: TokenServer) -> None:
            super().__init__(server)
            self.owner = owner
            self.routes = {"GET /v1/models": self.models} if lists else {}
            self.routes |= {route: lambda _, found=found: found for route, found in answers.items()}  # type: ignore[misc]

    return Saying


def look(server: TokenServer, url: str = "") -> Recognised:
    return recognise(EngineOptions(base_url=url or server.url, api_key=server.key), Job())


SCORES = {"scores": [{"total_logprob": -3.5}]}


@pytest.mark.parametrize(
    ("dialect", "name", "engine"),
    [
        ("vllm", "vLLM 0.32.0", "vllm"),
        ("sglang", "SGLang", "sglang"),
        (saying({"GET /server_info": {"version": "0.5.23"}}, "sglang"), "SGLang 0.5.23", "sglang"),
        (saying({"GET /get_server_info": {"version": "0.5.1"}}, "sglang"), "SGLang 0.5.1", "sglang"),
        (saying({"GET /props": {"build_info": "b1-0c1e570"}}, "llamacpp"), "llama-server b1-0c1e570", "llama-server"),
        (saying({}, "me"), "llama-cpp-python's server", "openai-echo"),
        ("echo", "a completions server with echo", "openai-echo"),
        # those that list no models, or hide whose they are
        (saying({"GET /get_model_info": {"model_path": "m"}}, lists=False), "SGLang", "sglang"),
        (saying({"GET /model_info": {"model_path": "m"}}), "SGLang", "sglang"),
        (saying({"GET /props": {"default_generation_settings": {}}}, lists=False), "llama-server", "llama-server"),
        (saying({"POST /v1/score": SCORES}), "a server that scores whole conversations", "score-api"),
    ],
)
def test_servers_that_score_are_told_with_their_engine(
    token_server: Serve, dialect: str | type[Dialect], name: str, engine: str
) -> None:
    found = look(token_server(dialect))

    assert (found.name, found.engine, found.why) == (name, engine, "")
    assert engine in engine_names()
    assert found.fits(engine)
    assert not found.fits("embedded")
    assert name in found.words()
    assert f"--engine {engine}" in found.words()


@pytest.mark.parametrize(
    ("dialect", "name", "instead"),
    [
        (saying({"GET /api/version": {"version": "0.12.11"}}, "library"), "Ollama 0.12.11", "llama-server"),
        (saying({"GET /api/tags": {"models": []}}, lists=False), "Ollama", "--engine llamacpp"),
        (saying({}, "organization_owner"), "LM Studio", "llama-server"),
        (saying({"GET /api/v0/models": {"data": [{"id": "m", "state": "loaded"}]}}), "LM Studio", "llama-server"),
        (saying({}, "tabbyAPI"), "tabbyAPI", "vLLM"),
        (
            saying({"GET /info": {"model_id": "m", "max_total_tokens": 4096, "version": "3.3"}}),
            "text-generation-inference 3.3",
            "--engine transformers",
        ),
    ],
)
def test_servers_that_cannot_score_are_told_with_what_to_run_instead(
    token_server: Serve, dialect: type[Dialect], name: str, instead: str
) -> None:
    found = look(token_server(dialect))

    assert (found.name, found.engine) == (name, "")
    assert found.why
    assert instead in found.do
    assert not any(found.fits(engine) for engine in engine_names())
    assert instead in found.words()


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://mine.openai.azure.com/openai/v1"])
def test_openai_is_known_by_its_address_and_not_asked(url: str) -> None:
    found = recognise(EngineOptions(base_url=url), Job())

    assert (found.name, found.engine) == ("OpenAI's API", "")
    assert "vLLM" in found.do


def test_a_server_with_two_ways_to_score_gives_the_choice(token_server: Serve) -> None:
    built_on_it = saying({"GET /version": {"version": "0.32.0"}, "POST /v1/score": SCORES}, "vllm")
    assert look(token_server(built_on_it)).engines == ("vllm", "openai-echo", "score-api")
    assert look(token_server("ranges")).engines == ("vllm", "openai-echo", "score-api")  # the later form
    assert look(token_server("vllm")).engines == ("vllm", "openai-echo")


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "list", "data": [{"index": 0, "score": 0.9}]},  # vLLM's, which compares texts
        {"scores": [[0.1, 0.9]]},  # SGLang's, which weighs tokens
        {"scores": [{"total_logprob": -1.0}, {"total_logprob": -1.0}]},
        {"scores": [{"total_logprob": None}]},
        {"scores": [{"total_logprob": True}]},
        {"scores": []},
        [],
    ],
)
def test_another_api_on_the_same_path_is_not_taken_for_ours(token_server: Serve, answer: object) -> None:
    found = look(token_server(saying({"POST /v1/score": answer})))

    assert (found.name, found.engines, found.models) == ("", (), (NAME,))
    assert "none that memscope knows" in found.words()
    assert found.fits("vllm")  # anybody may try


def test_an_address_without_v1_and_one_below_a_path(
    token_server: Serve, score_server: Callable[..., ScoreServer]
) -> None:
    server = token_server("vllm")
    assert look(server, server.root).name == "vLLM 0.32.0"
    assert look(server, server.root + "/").engine == "vllm"

    scorer = score_server()
    found = recognise(EngineOptions(base_url=scorer.url, api_key=scorer.key), Job())
    assert (found.engine, found.models) == ("score-api", ("scorer",))


def test_a_server_that_does_not_list_models_elsewhere_is_asked_below_its_address(token_server: Serve) -> None:
    models = {"data": [{"id": "one"}, {"id": "other"}]}
    server = token_server(saying({"GET /api/models": models, "POST /api/score": SCORES}, lists=False))

    found = look(server, server.root + "/api")

    assert (found.engine, found.models) == ("score-api", ("one", "other"))


@pytest.mark.parametrize("fault", ["unauthorized", "html", "redirect", "loading", "hang_up"])
def test_a_server_that_refuses_or_does_not_answer_is_an_error(token_server: Serve, fault: str) -> None:
    server = token_server("vllm")
    server.fault(fault)

    with pytest.raises(EngineError):
        recognise(EngineOptions(base_url=server.url), Job(), hasty=True)
    assert len(server.requests) == 1


def test_without_an_address_there_is_nothing_to_ask() -> None:
    with pytest.raises(UsageError, match="--base-url"):
        recognise(EngineOptions(), Job())


def test_the_key_is_in_nothing_that_is_found(token_server: Serve) -> None:
    key = "my-secret-key"
    dialect = saying({"GET /version": {"version": f"0.32.0-{key}"}}, "vllm")

    found = look(token_server(dialect, key=key, models=(f"m-{key}",)))

    assert key not in repr(found)
    assert "[key]" in found.name
    assert found.models == ("m-[key]",)


def test_only_the_later_form_is_taken_where_messages_are_refused(token_server: Serve) -> None:
    class Other(Dialect):
        def __init__(self, server: TokenServer) -> None:
            super().__init__(server)
            self.routes = {"GET /v1/models": self.models, "POST /v1/score": self.score}

        def score(self, _: object) -> object:
            raise RefusedError(422, {"detail": [{"loc": ["body", "text_1"], "msg": "Field required"}]})

    assert look(token_server(Other)).engines == ()
