"""The engines to choose from: each with what it can do, or the reason why it cannot be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from memscope.actions import engines
from memscope.actions.engines import EngineChoice, engine_choices
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.engines import served
from memscope.engines.registry import EngineOptions, EngineSpec, engine_names, engine_spec
from tests.engines.server import ScoreServer
from tests.engines.token_server import NAME, TokenServer


def choices(settings: Settings) -> dict[str, EngineChoice]:
    return {choice.name: choice for choice in engine_choices(settings, Job())}


def test_every_engine_is_there_the_one_of_the_settings_first() -> None:
    named = [choice.name for choice in engine_choices(Settings(engine="score-api"), Job())]

    assert named[0] == "score-api"
    assert sorted(named) == engine_names()


def test_the_embedded_engine_always_answers_and_says_what_it_can_do() -> None:
    embedded = choices(Settings())["embedded"]

    assert (embedded.answers, embedded.reason, embedded.models, embedded.url) == (True, "", (), "")
    assert embedded.capabilities is not None
    assert embedded.capabilities.tokens
    assert embedded.capabilities.limits
    assert embedded.summary


@pytest.mark.parametrize("models", ["scorer", "one,two", ""])
def test_a_server_that_answers_tells_its_models(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch, models: str
) -> None:
    server = score_server(MODELS=models)
    monkeypatch.setenv("MEMSCOPE_API_KEY", server.key)

    choice = choices(Settings(base_url=server.url))["score-api"]

    assert (choice.answers, choice.reason, choice.url) == (True, "", server.url)
    assert choice.models == tuple(filter(None, models.split(",")))
    assert choice.capabilities is not None
    assert not choice.capabilities.tokens
    assert len(server.log("/v1/models")) == 2  # once to see what answers, and once by the engine that fits


def test_engines_that_do_not_fit_the_server_say_what_it_looks_like(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", server.key)

    found = choices(Settings(base_url=server.url))

    assert [name for name, choice in found.items() if choice.answers and choice.served] == ["score-api"]
    reason = "it looks like a server that scores whole conversations: --engine score-api"
    assert {found[name].reason for name in ("vllm", "sglang", "openai-echo", "llama-server")} == {reason}


def test_a_server_that_cannot_score_is_named_with_what_to_run_instead() -> None:
    found = choices(Settings(base_url="https://api.openai.com/v1"))

    for choice in found.values():
        if choice.served:
            assert "OpenAI's API" in choice.reason
            assert "vLLM" in choice.reason


def test_any_engine_may_try_a_server_that_is_not_known(token_server: Callable[..., TokenServer]) -> None:
    found = choices(Settings(base_url=token_server("deaf").url))

    assert all(found[name].answers and found[name].models == (NAME,) for name in ("vllm", "openai-echo"))


def test_an_engine_in_this_process_says_that_it_needs_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "missing_packages", lambda _: "")

    lacking, named = choices(Settings())["llamacpp"], choices(Settings(model="a.gguf"))["llamacpp"]

    assert (lacking.answers, lacking.lacks, lacking.opens) == (False, "model", True)
    assert (named.answers, named.lacks, named.served) == (True, "", False)


def test_without_an_address_the_reason_says_what_is_missing() -> None:
    choice = choices(Settings())["score-api"]

    assert (choice.answers, choice.capabilities) == (False, None)
    assert "--base-url" in choice.reason
    assert choice.lacks == "address"
    assert choice.summary


def test_a_server_that_is_not_there_is_a_reason_and_quickly_so() -> None:
    began = time.monotonic()
    choice = choices(Settings(base_url="http://127.0.0.1:9"))["score-api"]

    assert not choice.answers
    assert "no answer" in choice.reason
    assert time.monotonic() - began < served.QUICK  # it is not tried again and again


def test_a_wrong_key_is_a_reason_that_does_not_hold_it(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", "my-secret-key")

    choice = choices(Settings(base_url=server.url))["score-api"]

    assert not choice.answers
    assert "401" in choice.reason
    assert "my-secret-key" not in repr(choice)


def test_a_server_that_calls_its_models_by_the_key_does_not_show_it(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server(KEY="my-secret-key", MODELS="a,b-my-secret-key")
    monkeypatch.setenv("MEMSCOPE_API_KEY", server.key)

    assert choices(Settings(base_url=server.url))["score-api"].models == ("a", "b-[key]")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("a bug with my-secret-key in it"), "a bug with [key] in it"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_an_engine_that_fails_does_not_hide_the_others(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "my-secret-key")

    def broken(_: EngineOptions, _job: Job) -> list[str]:
        raise error

    def spec(name: str) -> EngineSpec:
        found = engine_spec(name)
        return found if name == "embedded" else replace(found, models=broken)

    monkeypatch.setattr(engines, "engine_spec", spec)
    found = choices(Settings(engine="score-api"))

    assert reason in found["score-api"].reason
    assert found["embedded"].answers


def test_an_engine_whose_packages_are_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        engines, "engine_spec", lambda name: replace(engine_spec(name), packages=("memscope_nowhere",), extra="hf")
    )
    choice = choices(Settings())["embedded"]

    assert not choice.answers
    assert "memscope_nowhere" in choice.reason
    assert "pip install 'memscope[hf]'" in choice.reason
    assert choice.lacks == "package"


def test_asking_can_be_stopped() -> None:
    job = Job()
    asked = engine_choices(Settings(), job)
    next(asked)
    job.cancel()

    with pytest.raises(Cancelled):
        next(asked)
