"""Choosing an engine by what answers or by what the model is, and the check before its first use."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.actions.engine import engine_name, missing_packages, open_scorer
from memscope.actions.score import score_matrix
from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.engines.registry import AUTO, engine_names, engine_spec, engine_values
from tests.engines.conftest import Hasty
from tests.engines.server import ScoreServer
from tests.engines.token_server import DeafDialect, Dialect, TokenServer
from tests.fakes import office

Serve = Callable[..., TokenServer]


def auto(**settings: str) -> str:
    return engine_name(Settings(engine=AUTO, **settings), Job())  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", [("vllm", "vllm"), ("sglang", "sglang"), ("echo", "openai-echo")])
def test_a_server_gets_the_engine_that_fits_it(token_server: Serve, dialect: tuple[str, str]) -> None:
    speaks, engine = dialect
    assert auto(base_url=token_server(speaks).url, model="tiny") == engine


def test_a_server_that_scores_conversations_gets_its_engine(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", server.key)
    assert auto(base_url=server.url) == "score-api"


def test_without_an_address_the_model_decides(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    assert auto() == "embedded"
    assert auto(model="/models/tiny.GGUF") == "llamacpp"
    assert auto(model=str(tmp_path)) == "transformers"
    assert auto(model="Qwen/Qwen3-0.6B") == "transformers"


@pytest.mark.parametrize("model", ["gpt-4o", "no/such/folder", "a folder/of spaces"])
def test_a_model_that_is_nowhere_is_wrong_use(model: str) -> None:
    with pytest.raises(UsageError, match="--base-url") as refused:
        auto(model=model)
    assert repr(model) in refused.value.what


def test_a_folder_without_a_model_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no engine for the model 'org/name'"):
        auto(model="org/name")


def test_a_server_that_is_not_known_is_wrong_use_that_says_what_was_tried(token_server: Serve) -> None:
    with pytest.raises(UsageError) as refused:
        auto(base_url=token_server("deaf").url)
    assert all(route in refused.value.what for route in ("/v1/models", "/props", "/score", "echo"))
    assert "--engine" in refused.value.do


def test_a_server_that_cannot_score_is_wrong_use_that_says_what_to_run() -> None:
    with pytest.raises(UsageError, match="OpenAI's API") as refused:
        auto(base_url="https://api.openai.com/v1")
    assert "vLLM" in str(refused.value)


def test_a_server_that_does_not_answer_is_an_engine_that_fails(token_server: Serve) -> None:
    server = token_server("vllm")
    server.die()
    with pytest.raises(EngineError, match="no answer"):
        engine_name(Settings(engine=AUTO, base_url=server.url), Hasty())


def test_a_named_engine_is_taken_at_its_word(token_server: Serve) -> None:
    server = token_server("sglang")
    assert engine_name(Settings(engine="vllm", base_url=server.url), Job()) == "vllm"
    assert server.requests == []


def test_auto_is_a_value_and_no_engine() -> None:
    assert engine_values() == [AUTO, *engine_names()]
    assert AUTO not in engine_names()


def test_what_an_engine_lacks_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    assert missing_packages(engine_spec("embedded")) == ""
    assert "pip install 'memscope[hf]'" in missing_packages(engine_spec("transformers"))
    with pytest.raises(UsageError, match="torch and transformers, not installed"):
        open_scorer(Settings(engine="transformers", model="a/b"))
    with pytest.raises(UsageError, match=r"llama_cpp, not installed: pip install 'memscope\[llamacpp\]'"):
        open_scorer(Settings(engine="llamacpp", model="a.gguf"))


# --- the check before the first use ----------------------------------------------------------------------------------


def run(server: TokenServer, *, store: bool = True) -> str | None:
    scorer = open_scorer(Settings(engine=AUTO, base_url=server.url, store=store))
    try:
        matrix, _ = score_matrix(office(), scorer, Job())
        return matrix.reason
    finally:
        scorer.close()


def generated(server: TokenServer) -> int:
    """How often the server was made to generate, which a check does once, and a scoring never."""
    return sum(request.body["max_tokens"] > 1 for request in server.log("/completions"))


def test_an_engine_is_checked_before_its_first_run_and_not_before_the_next(token_server: Serve) -> None:
    server = token_server("vllm")

    assert run(server) is None
    assert generated(server) == 1
    server.forget()
    assert run(server) is None
    assert generated(server) == 0


def test_a_run_that_is_wholly_on_disk_makes_no_request(token_server: Serve) -> None:
    server = token_server("vllm")
    settings = Settings(engine="vllm", base_url=server.url, model="tiny")
    for _ in range(2):
        server.forget()
        scorer = open_scorer(settings)
        scored, cost = score_matrix(office(), scorer, Job())
        scorer.close()

    assert (scored.reason, cost.scorings) == (None, 0)
    assert server.requests == []


def test_an_engine_that_fails_is_refused_before_anything_is_scored(token_server: Serve) -> None:
    server = token_server("vllm")
    server.fault("shifted")

    reason = run(server)

    assert reason is not None
    assert "shifted by one token" in reason
    assert "memscope doctor" in reason

    server.well()
    assert run(server) is None  # it is mended, and nothing wrong was kept


def test_without_a_store_an_engine_is_checked_in_every_process(token_server: Serve) -> None:
    server = token_server("vllm")
    for number in (1, 2):
        assert run(server, store=False) is None
        assert generated(server) == number


class OllamaDialect(DeafDialect):
    """Completes, gives nothing of its prompt back, and says what it is."""

    owner = "library"

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.routes["GET /api/version"] = lambda _: {"version": "0.12.11"}


@pytest.mark.parametrize(
    ("speaks", "engine", "words"),
    [
        ("sglang", "vllm", "It looks like SGLang: --engine sglang."),
        (
            OllamaDialect,
            "openai-echo",
            "It looks like Ollama 0.12.11, and it gives log-probabilities of generated tokens",
        ),
    ],
)
def test_a_server_of_another_kind_is_named_with_what_to_run_instead(
    token_server: Serve, speaks: str | type[Dialect], engine: str, words: str
) -> None:
    scorer = open_scorer(Settings(engine=engine, base_url=token_server(speaks).url, model="tiny"))
    try:
        run, _ = score_matrix(office(), scorer, Job())
    finally:
        scorer.close()

    assert run.reason is not None
    assert words in run.reason
