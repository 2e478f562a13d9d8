"""The doctor: every check as it comes, what each says to do, and that a pass counts for the next run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memscope.actions.doctor import doctor, examine, with_auto
from memscope.actions.engine import open_scorer
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings, resolve
from memscope.engines.checked import passed
from memscope.engines.checks import Check
from memscope.reports.doctor import DoctorDocument
from tests.engines.conftest import Hasty
from tests.engines.server import ScoreServer
from tests.engines.token_server import TokenServer

Serve = Callable[..., TokenServer]


def visit(server: TokenServer, engine: str = "auto", **settings: str) -> DoctorDocument:
    return doctor(Settings(engine=engine, base_url=server.url, **settings), Hasty())  # type: ignore[arg-type]


def failing(document: DoctorDocument) -> list[str]:
    assert document.ok is not any(check.verdict == "fail" for check in document.checks)
    for check in document.checks:
        assert check.do or check.verdict in ("pass", "skip")
    return [check.name for check in document.checks if check.verdict == "fail"]


@pytest.mark.parametrize(
    ("dialect", "engine", "name"),
    [
        ("vllm", "vllm", "vLLM 0.32.0"),
        ("sglang", "sglang", "SGLang"),
        ("echo", "openai-echo", "a completions server with echo"),
    ],
)
def test_a_sound_server_passes(token_server: Serve, dialect: str, engine: str, name: str) -> None:
    document = visit(token_server(dialect))

    assert (document.engine, document.server, document.reached, document.ok) == (engine, name, True, True)
    assert document.checks[0].name == "server"
    assert "serving tiny" in document.checks[0].said
    assert {check.verdict for check in document.checks} == {"pass"}


def test_checks_are_told_as_they_come(token_server: Serve) -> None:
    settings, told = Settings(engine="vllm", base_url=token_server("vllm").url), []

    document = doctor(settings, Job(), told.append)

    assert [check.name for check in told] == [check.name for check in document.checks]
    assert [check.name for check in examine(settings, Job())] == [check.name for check in told]


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        ("shifted", "agrees", "shifted"),
        ("stale", "cache", "stale prefix cache"),
        ("stale_ids", "context", "the score is of token"),
        ("raw_logits", "scores", "positive"),
        ("loading", "server", "HTTP 503: Loading model"),
        ("unauthorized", "server", "HTTP 401"),
        ("html", "server", "a web page"),
        ("gateway", "server", "502 Bad Gateway"),
        ("redirect", "server", "redirects to http://elsewhere.invalid/"),
        ("error_inside", "server", "CUDA out of memory"),
    ],
)
def test_a_server_that_misbehaves_is_caught(token_server: Serve, fault: str, name: str, words: str) -> None:
    server = token_server("vllm")
    server.fault(fault)

    document = visit(server)

    assert failing(document) == [name]
    (found,) = (check for check in document.checks if check.verdict == "fail")
    assert words in found.said
    assert document.reached


@pytest.mark.parametrize(("key", "given", "do"), [("new", "expired", "expired"), ("new", "", "Set MEMSCOPE_API_KEY")])
def test_a_key_that_is_not_taken(
    token_server: Serve, monkeypatch: pytest.MonkeyPatch, key: str, given: str, do: str
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", given)

    document = visit(token_server("vllm", key=key))

    assert failing(document) == ["server"]
    assert do in document.checks[0].do


def test_a_wrong_model_name_and_those_that_are_served(token_server: Serve) -> None:
    document = visit(token_server("vllm", models=("one", "two")), model="nope")

    assert failing(document) == ["model"]
    assert "serving one, two" in document.checks[0].said
    assert "`nope` does not exist" in document.checks[1].said


def test_several_models_and_none_named(token_server: Serve) -> None:
    document = visit(token_server("vllm", models=("one", "two")))

    assert failing(document) == ["model"]
    assert "Choose with --model: one, two." in document.checks[1].do


def test_another_engine_than_what_answers_is_a_warning(token_server: Serve) -> None:
    document = visit(token_server("sglang"), "vllm")

    assert document.checks[0].verdict == "warn"
    assert "SGLang" in document.checks[0].said
    assert document.checks[0].do == "Use --engine sglang."
    assert failing(document) == ["scores"]  # it is tried all the same


def test_a_server_that_is_not_known_is_tried_with_the_engine_that_is_named(token_server: Serve) -> None:
    named, unnamed = visit(token_server("deaf"), "openai-echo"), visit(token_server("deaf"))

    assert [check.verdict for check in named.checks][:2] == ["warn", "pass"]
    assert failing(named) == ["scores"]
    assert "ignores echo" in next(check.said for check in named.checks if check.verdict == "fail")
    assert failing(unnamed) == ["server"]
    assert "vllm" in unnamed.checks[0].do
    assert "transformers" not in unnamed.checks[0].do  # which speaks to no server
    assert (unnamed.engine, unnamed.server) == ("", "")


def test_a_server_that_cannot_score_is_named_and_not_tried() -> None:
    document = doctor(Settings(engine="vllm", base_url="https://api.openai.com/v1"), Job())

    assert [check.name for check in document.checks] == ["server"]
    assert failing(document) == ["server"]
    assert "OpenAI's API" in document.checks[0].said
    assert "vLLM" in document.checks[0].do


def test_nobody_there_is_told_apart_from_a_check_that_failed(token_server: Serve) -> None:
    server = token_server("vllm")
    server.die()

    document = visit(server)

    assert (document.reached, document.ok) == (False, False)
    assert "no answer" in document.checks[0].said


def test_an_engine_of_its_own_needs_no_check() -> None:
    document = doctor(Settings(), Job())

    assert (document.engine, document.ok) == ("embedded", True)
    assert document.checks[0].verdict == "pass"


def test_a_server_that_scores_conversations(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", server.key)

    document = doctor(Settings(engine="auto", base_url=server.url), Job())

    assert (document.engine, document.ok) == ("score-api", True)
    assert [check.name for check in document.checks] == ["server", "scores", "repeats"]


@pytest.mark.parametrize(
    "settings", [Settings(engine="vllm"), Settings(engine="nope"), Settings(engine="auto", base_url="ftp://host")]
)
def test_settings_that_cannot_be_are_wrong_use(settings: Settings) -> None:
    with pytest.raises(UsageError):
        doctor(settings, Job())


def test_a_pass_counts_for_the_next_run_and_a_fail_takes_it_back(token_server: Serve) -> None:
    server = token_server("vllm")
    settings = Settings(engine="vllm", base_url=server.url)

    def proven() -> bool:
        scorer = open_scorer(settings)
        try:
            return passed(scorer.engine) is not None
        finally:
            scorer.close()

    assert not proven()
    doctor(settings, Job())
    assert proven()
    server.fault("shifted")
    doctor(settings, Job())
    assert not proven()


def test_an_address_alone_is_enough_to_find_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_auto(resolve({})).engine == "embedded"
    assert with_auto(resolve({"base_url": "http://h"})).engine == "auto"
    assert with_auto(resolve({"base_url": "http://h", "engine": "vllm"})).engine == "vllm"
    monkeypatch.setenv("MEMSCOPE_ENGINE", "score-api")
    assert with_auto(resolve({"base_url": "http://h"})).engine == "score-api"


def test_checks_can_be_made_by_whoever_shows_them(token_server: Serve) -> None:
    checks = list(examine(Settings(engine="vllm", base_url=token_server("vllm").url), Job()))

    assert all(isinstance(check, Check) for check in checks)
