"""The embedder of the settings: which it is, what it refuses, and what it sends to whom."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import pytest

from memscope.actions.embedder import open_embedder, what_is_sent
from memscope.base.errors import Cancelled, EngineError, SettingsError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings, embed_key, resolve, save
from memscope.store.database import Database
from tests.clients.embedding_server import MODEL, EmbeddingServer, vector_of

Serve = Callable[..., EmbeddingServer]


def test_by_default_words_are_compared_and_nothing_leaves_the_machine(database: Database) -> None:
    with open_embedder(Settings(), database) as embedder:
        vectors = embedder.embed(["fix the lint", "fix the lint", "bake a cake", ""], Job())
    assert (embedder.name, embedder.lexical, embedder.trouble) == ("lexical-1", True, None)
    assert embedder.threshold < 0.85
    assert (vectors[0] == vectors[1]).all()
    assert vectors[0] @ vectors[2] < 0.3
    assert what_is_sent(Settings()) == ""
    assert not database.read("SELECT * FROM embeddings")


def test_a_server_is_asked_by_name_and_what_it_said_is_kept(embedding_server: Serve, database: Database) -> None:
    server = embedding_server()
    settings = Settings(embedder="api", embed_url=server.url)
    for _ in range(2):
        with open_embedder(settings, database) as embedder:
            assert embedder.embed(["one"], Job()).tolist() == [vector_of("one")]
            assert (embedder.name, embedder.lexical, embedder.threshold) == (MODEL, False, 0.85)
    assert server.texts() == ["one"]


@pytest.mark.parametrize("kept", [True, False])
def test_placeholders_are_neither_sent_nor_compared(kept: bool, embedding_server: Serve, database: Database) -> None:
    server = embedding_server()
    settings = Settings(embedder="api", embed_url=server.url, embed_model="named")
    texts = ["mail [REDACTED] now", "mail {{name}} now", "<REDACTED>", "***", "mail now"]
    with open_embedder(settings, database if kept else None) as embedder:
        vectors = embedder.embed(texts, Job())
    assert vectors.tolist() == [vector_of("mail now")] * 2 + [[0.0] * 4] * 2 + [vector_of("mail now")]
    assert server.texts() == ["mail now"]
    with open_embedder(Settings(), None) as lexical:
        vectors = lexical.embed(texts, Job())
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0, 0, 1], abs=1e-6)


@pytest.mark.parametrize("kept", [True, False])
def test_a_credential_is_not_sent_and_says_nothing(kept: bool, embedding_server: Serve, database: Database) -> None:
    server = embedding_server()
    settings = Settings(embedder="api", embed_url=server.url, embed_model="named")
    secret = "ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
    with open_embedder(settings, database if kept else None) as embedder:
        vectors = embedder.embed([f"log in with {secret} now", "the password: hunter2-x9"], Job())
    assert vectors.tolist() == [vector_of("log in with now"), vector_of("the password:")]
    assert sorted(server.texts()) == ["log in with now", "the password:"]


def test_what_is_not_set_is_asked_for() -> None:
    for settings, where in (
        (Settings(embedder="api"), "embed_url"),
        (Settings(embedder="local"), "embed_model"),
    ):
        with pytest.raises(UsageError) as refused, open_embedder(settings, None):
            pass
        assert refused.value.where == where
        assert f"Set {where} to " in refused.value.do
        assert "embedded" in refused.value.do


def test_an_address_that_is_none_is_named_as_the_setting() -> None:
    with (
        pytest.raises(UsageError, match=r"^embed_url '.*' is no http or https address"),
        open_embedder(Settings(embedder="api", embed_url="ftp://host"), None),
    ):
        pass


def test_without_the_library_a_local_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with (
        pytest.raises(UsageError, match=r"pip install 'memscope\[embeddings\]'"),
        open_embedder(Settings(embedder="local", embed_model="some/model"), None),
    ):
        pass


def test_a_server_that_does_not_answer_is_said_when_it_is_opened(embedding_server: Serve) -> None:
    server = embedding_server()
    server.close()
    job = Job()
    job.wait = lambda _: None  # type: ignore[method-assign]
    job.child = lambda *_: job  # type: ignore[method-assign]
    with (
        pytest.raises(EngineError) as refused,
        open_embedder(Settings(embedder="api", embed_url=server.url), None, job),
    ):
        pass
    assert "embed_url" in refused.value.do


def test_what_was_opened_is_closed(embedding_server: Serve) -> None:
    with open_embedder(
        Settings(embedder="api", embed_url=embedding_server().url, embed_model="named"), None
    ) as embedder:
        assert embedder.embed(["one"], Job()).any()
    with pytest.raises(Cancelled):
        embedder.embed(["one"], Job())


def test_workers_and_timeout_are_those_of_the_settings(embedding_server: Serve) -> None:
    server = embedding_server("never")
    settings = Settings(embedder="api", embed_url=server.url, embed_model="named", timeout=0.2, workers=2)
    with open_embedder(settings, None) as embedder, pytest.raises(EngineError, match=r"no answer within 0\.2 s"):
        embedder.embed([f"text {number}" for number in range(200)], Job())
    assert server.peak <= 2


def test_trouble_with_the_store_is_told(embedding_server: Serve, database: Database) -> None:
    with open_embedder(Settings(embedder="api", embed_url=embedding_server().url), database) as embedder:
        database.close()
        assert embedder.embed(["one"], Job()).tolist() == [vector_of("one")]
        assert embedder.trouble


def test_what_is_sent_and_to_whom_is_said_in_words() -> None:
    url = "http://host:8000/v1"
    assert what_is_sent(Settings(embedder="api", embed_url=url)) == (
        "the text of the messages, with the descriptions of skills and without what looks like a credential,"
        f" is sent to {url}, for the model it serves"
    )
    assert "of all messages in ~/talks," in what_is_sent(
        Settings(embedder="api", embed_url=url), "all messages in ~/talks"
    )
    assert what_is_sent(Settings(embedder="api", embed_url=url, embed_model="bge-m3")).endswith("the model bge-m3")
    assert what_is_sent(Settings(embedder="local", embed_url=url, embed_model="bge-m3")) == ""
    assert what_is_sent(Settings(embed_url=url)) == ""


# --- settings --------------------------------------------------------------------------------------------------------


def test_one_server_for_both_takes_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "for-both")
    same = Settings(base_url="http://host:8000/v1", embed_url="http://HOST:8000")
    assert embed_key(same) == "for-both"
    assert embed_key(same.model_copy(update={"embed_url": "http://host:8001/v1"})) == ""
    assert embed_key(Settings(base_url="http://host:8000/v1")) == ""
    monkeypatch.setenv("MEMSCOPE_EMBED_API_KEY", " its-own ")
    assert embed_key(same) == "its-own"


def test_a_server_of_its_own_is_not_sent_the_scoring_servers_key(
    embedding_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "for-scoring")
    monkeypatch.setenv("MEMSCOPE_CHAT_API_KEY", "for-chats")
    server = embedding_server()
    with open_embedder(Settings(embedder="api", embed_url=server.url), None) as embedder:
        embedder.embed(["one"], Job())
    assert all("authorization" not in asked.headers for asked in server.log)
    monkeypatch.setenv("MEMSCOPE_EMBED_API_KEY", "its-own")
    with open_embedder(Settings(embedder="api", embed_url=server.url), None) as embedder:
        embedder.embed(["one"], Job())
    assert server.log[-1].headers["authorization"] == "Bearer its-own"


def test_no_credential_is_taken_into_the_address_or_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_EMBED_URL", "http://me:s3cret@host/v1")
    with pytest.raises(SettingsError) as refused:
        resolve()
    assert "MEMSCOPE_EMBED_API_KEY" in str(refused.value)
    assert "s3cret" not in str(refused.value)
    monkeypatch.delenv("MEMSCOPE_EMBED_URL")
    monkeypatch.setenv("MEMSCOPE_EMBED_API_KEY", "a-long-secret")
    with pytest.raises(SettingsError, match="holds the API key"):
        save("embed_model", "a-long-secret")


def test_an_embedder_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match="embedder cannot be 'remote'"):
        resolve({"embedder": "remote"})
