"""Embeddings from a server: what is sent, which answers are answers, and what is kept of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled, EngineError, MemscopeError, UsageError
from memscope.base.job import Job, Progress
from memscope.clients.embeddings import EMBEDDING, EmbeddingClient, address
from memscope.clients.http import RETRIES, Server
from memscope.clients.kept_embeddings import LONGEST, KeptEmbedder
from memscope.store.database import Database
from memscope.store.embeddings import Embeddings
from tests.clients.chat_server import ERROR, KEY
from tests.clients.embedding_server import DIMENSION, MODEL, EmbeddingServer, vector_of
from tests.engines.conftest import Hasty
from tests.fakes import PATIENCE

Serve, Speak = Callable[..., EmbeddingServer], Callable[..., KeptEmbedder]
TEXTS = [f"text {number}" for number in range(100)]
LONG = "word " * 400


class Quick(Hasty):
    """A hasty job whose parts are as hasty."""

    def child(self, on_progress: Callable[[Progress], None] | None = None) -> Job:
        part = super().child(on_progress)
        part.wait = self.wait  # type: ignore[method-assign]
        return part


@pytest.fixture
def job() -> Quick:
    return Quick()


@pytest.fixture
def speak() -> Iterator[Speak]:
    """`speak(server, database)` embeds with it, and is closed in the end."""
    made: list[Server] = []

    def embedder(
        server: EmbeddingServer | str,
        database: Database | None = None,
        *,
        model: str = "named",
        key: str = "",
        timeout: float = 30.0,
        workers: int = 4,
    ) -> KeptEmbedder:
        url = server if isinstance(server, str) else server.url
        made.append(Server(address(url), api_key=key, timeout=timeout, named=EMBEDDING))
        client = EmbeddingClient(made[-1], model, Hasty(), workers=workers)
        return KeptEmbedder(client, None if database is None else Embeddings(database))

    yield embedder
    for server in made:
        server.close()


def expected(*texts: str, dimension: int = DIMENSION) -> list[list[float]]:
    return [vector_of(text, dimension) for text in texts]


def refusal(embedder: KeptEmbedder, job: Job, texts: list[str] | None = None) -> EngineError:
    with pytest.raises(EngineError) as refused:
        embedder.embed(texts or TEXTS[:3], job)
    return refused.value


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_texts_and_their_vectors(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server(key=KEY)
    vectors = speak(server, key=KEY).embed(["one", "other", "one"], job)
    assert vectors.dtype == np.float32
    assert vectors.tolist() == expected("one", "other", "one")
    (asked,) = server.log
    assert (asked.path, asked.headers["authorization"]) == ("/v1/embeddings", f"Bearer {KEY}")
    assert asked.body == {"model": "named", "input": ["other", "one"]}


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_many_texts_go_in_batches_several_at_a_time(
    workers: int, embedding_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = embedding_server("slow" if workers > 1 else "well")
    assert speak(server, workers=workers).embed(TEXTS, job).tolist() == expected(*TEXTS)
    assert sorted(map(len, server.batches())) == [4, 32, 32, 32]
    assert server.texts() == sorted(TEXTS)
    assert min(workers, 2) <= server.peak <= min(workers, 4)
    assert job.tally("asked") == len(TEXTS)


def test_a_batch_of_long_texts_is_smaller(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server()
    speak(server).embed([f"{number} {LONG * 3}"[:LONGEST] for number in range(20)], job)
    assert [len(batch) for batch in server.batches()][:1] == [1]  # the longest alone: see below
    assert sorted(map(len, server.batches())) == [1, 3, 8, 8]


def test_empty_texts_are_not_sent_and_have_vectors_of_zeros(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server()
    embedder = speak(server)
    assert embedder.embed(["", "one", " \n\t"], job).tolist() == [[0] * 4, vector_of("one"), [0] * 4]
    assert not embedder.embed(["", " "], job).any()
    assert embedder.embed([], job).shape[0] == 0
    assert server.texts() == ["one"]


def test_lone_surrogates_and_what_is_beyond_the_longest_are_not_sent(
    embedding_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = embedding_server()
    speak(server).embed(["a\ud800", "字" * LONGEST + "more"], job)
    assert server.texts() == ["a?", "字" * LONGEST]


@pytest.mark.parametrize(
    ("given_url", "wanted"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/", "http://host:8000/v1"),
        ("http://host:8000/v1/", "http://host:8000/v1"),
        ("https://host/v1beta/openai", "https://host/v1beta/openai"),
    ],
)
def test_an_address_without_a_path_is_that_of_the_server(given_url: str, wanted: str) -> None:
    assert address(given_url) == wanted


# --- the model -------------------------------------------------------------------------------------------------------


def test_one_model_alone_is_chosen(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server()
    embedder = speak(server, model="")
    embedder.embed(["one"], job)
    assert (embedder.name, server.log[-1].body["model"]) == (MODEL, MODEL)
    assert [asked.path for asked in server.log] == ["/v1/models", "/v1/embeddings"]


@pytest.mark.parametrize("models", [(), ("one", "other"), None])
def test_none_or_a_choice_of_models_has_to_be_named(
    models: tuple[str, ...] | None, embedding_server: Serve, speak: Speak
) -> None:
    server = embedding_server(models=models)
    with pytest.raises(UsageError) as refused:
        speak(server, model="")
    assert "embed_model" in refused.value.do
    assert all(model in str(refused.value) for model in models or ())
    assert not server.batches()


def test_asking_for_the_model_can_be_stopped(embedding_server: Serve) -> None:
    job = Job()
    job.cancel()
    server = Server(embedding_server().url, timeout=5.0, named=EMBEDDING)
    with pytest.raises(Cancelled):
        EmbeddingClient(server, "", job)
    server.close()


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["turned", "unnumbered", "base64", "slow"])
def test_vectors_in_any_form_and_order(behaviour: str, embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    assert speak(embedding_server(behaviour)).embed(TEXTS[:40], job).tolist() == expected(*TEXTS[:40])


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("misnumbered", "the embeddings are not numbered from 0 to 2"),
        ("fewer", "3 texts were sent and 2 embeddings came back"),
        ("none", "3 texts were sent and 0 embeddings came back"),
        ("words", "an embedding is no list of numbers"),
        ("nested", "the server needs a pooling"),
        ("empty", "an embedding is empty"),
        ("ragged", "vectors of 3 and of 4 dimensions came back"),
        ("bad64", "an embedding is no base64 of numbers"),
        ("shape", 'the answer has no list "data" of embeddings: {"embeddings": [[1, 2]]}'),
        ("bare", 'the answer has no list "data" of embeddings'),
        ("html", 'the answer is no JSON: a web page ("Welcome")'),
        ("error", f"the server reports an error: {ERROR}"),
        ("400", f"HTTP 400: {ERROR}"),
        ("404", f"HTTP 404: {ERROR}"),
    ],
)
def test_what_is_no_answer_says_so(
    behaviour: str, said: str, embedding_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = embedding_server(behaviour)
    error = refusal(speak(server), job)
    assert said in str(error)
    assert server.url in str(error)
    assert len(server.batches()) == 1


@pytest.mark.parametrize("behaviour", ["nan", "null", "huge"])
def test_a_vector_that_is_not_finite_is_handed_on_and_not_kept(
    behaviour: str, embedding_server: Serve, speak: Speak, job: Hasty, database: Database
) -> None:
    server = embedding_server(behaviour)
    vectors = speak(server, database).embed(TEXTS[:3], job)
    assert [bool(np.isfinite(vector).all()) for vector in vectors].count(False) == 1
    server.behave("well")
    again = speak(server, database).embed(TEXTS[:3], job)
    assert again.tolist() == expected(*TEXTS[:3])
    assert job.tally("asked") == 4


def test_one_that_is_not_finite_alone_in_its_batch_costs_the_others_nothing(
    embedding_server: Serve, speak: Speak, database: Database
) -> None:
    server = embedding_server()
    speak(server, database).embed(TEXTS, Job())
    server.behave("nan")
    vectors = speak(server, database).embed([*TEXTS, "new"], Job())
    assert vectors[:-1].tolist() == expected(*TEXTS)
    assert not np.isfinite(vectors[-1]).all()
    alone = [*TEXTS[:32], "x" * 1001]  # which goes first, by itself
    assert np.isfinite(speak(server).embed(alone, Job())).all(axis=1).any()


@pytest.mark.parametrize("behaviour", ["nan", "null", "huge"])
def test_where_no_vector_is_finite_that_is_said(
    behaviour: str, embedding_server: Serve, speak: Speak, job: Hasty
) -> None:
    error = refusal(speak(embedding_server(behaviour)), job, TEXTS[:1])
    assert 'the vector of "text 0" has values that are no finite numbers' in str(error)


def test_a_server_out_of_order_is_asked_again(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server("500")
    assert f"HTTP 500: {ERROR}" in str(refusal(speak(server), job))
    assert len(server.batches()) == RETRIES + 1


def test_a_busy_server_is_given_the_time_it_asks_for(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server("limited")
    embedder = speak(server)
    assert embedder.embed(["one"], job).tolist() == expected("one")
    assert job.waits == [7.0]


def test_a_server_that_is_not_there_and_one_that_is_too_slow(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server("never")
    assert "no answer within 0.2 s" in str(refusal(speak(server, timeout=0.2), job))
    server.close()
    error = refusal(speak(server), job)
    assert "embed_url" in error.do


def test_the_key_is_never_shown(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    error = refusal(speak(embedding_server("echo"), key=KEY), job)
    assert KEY not in str(error)
    assert "what is '[key]'?" in str(error)
    refused = refusal(speak(embedding_server(key="another"), key=KEY), job)
    assert KEY not in str(refused)
    assert "MEMSCOPE_EMBED_API_KEY" in refused.do


# --- too much --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["batches", "large"])
def test_a_batch_that_is_too_large_is_sent_in_parts(
    behaviour: str, embedding_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = embedding_server(behaviour, most=10)
    assert speak(server).embed(TEXTS, job).tolist() == expected(*TEXTS)


@pytest.mark.parametrize("behaviour", ["tokens", "context"])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_text_that_is_too_long_is_halved_until_it_is_taken(
    behaviour: str, workers: int, embedding_server: Serve, speak: Speak, job: Hasty
) -> None:
    server = embedding_server(behaviour, most=600)
    texts = [LONG, LONG[:1300], LONG[:1200], LONG[:590], *TEXTS[:40]]
    vectors = speak(server, workers=workers).embed(texts, job)
    assert vectors.tolist() == expected(LONG[:500], LONG[:325], LONG[:600], LONG[:590], *TEXTS[:40])
    refused = [batch for batch in server.batches() if max(map(len, batch)) > server.most]
    asked = [
        [LONG[:cut]] for cut in (2000, 1000, 1300, 650, 1200) for _ in range(1 + RETRIES * (behaviour == "tokens"))
    ]
    assert sorted(refused) == sorted(asked)  # none of them in a batch with others


def test_what_is_cut_from_a_text_depends_on_no_other_text(
    embedding_server: Serve, speak: Speak, database: Database
) -> None:
    server = embedding_server("context", most=1200)
    dense, plain = "字" * 1200, LONG[:1100]
    assert speak(server, database).embed([dense, plain, "字" * 700], Quick()).tolist() == expected(
        dense[:300], plain, "字" * 350
    )
    for text in (dense, plain):
        assert (
            speak(server, None).embed([text], Quick()).tolist() == speak(server, database).embed([text], Job()).tolist()
        )


def test_a_text_that_no_cut_makes_short_enough_ends_it(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    error = refusal(speak(embedding_server("context", most=50)), job, [LONG, "one"])
    assert "maximum context length is 50 tokens" in str(error)


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_nothing_is_asked_for_twice(embedding_server: Serve, speak: Speak, database: Database) -> None:
    server, first, second = embedding_server(), Job(), Job()
    speak(server, database).embed(TEXTS[:50], first)
    assert speak(server, database).embed(TEXTS, second).tolist() == expected(*TEXTS)
    assert server.texts() == sorted(TEXTS)
    assert (first.tally("asked"), second.tally("asked")) == (50, 50)


def test_another_model_is_another_space(embedding_server: Serve, speak: Speak, database: Database, job: Hasty) -> None:
    server = embedding_server()
    for model in ("one", "other", "one"):
        speak(server, database, model=model).embed(["text"], job)
    assert [asked.body["model"] for asked in server.log] == ["one", "other"]


def test_a_server_may_move_and_even_be_gone(
    embedding_server: Serve, speak: Speak, database: Database, job: Hasty
) -> None:
    server, moved = embedding_server(), embedding_server()
    speak(server, database).embed(["text"], job)
    assert speak(moved, database).embed(["text"], job).tolist() == expected("text")
    assert not moved.batches()


def test_without_a_store_it_is_asked_every_time(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server()
    embedder = speak(server)
    embedder.embed(["text"], job)
    embedder.embed(["text"], job)
    assert server.texts() == ["text", "text"]


def test_a_model_that_changed_its_dimension_is_asked_for_all(
    embedding_server: Serve, speak: Speak, database: Database
) -> None:
    server = embedding_server()
    speak(server, database).embed(TEXTS[:40], Job())
    server.behave("well", dimension=6)
    assert speak(server, database).embed(TEXTS, Job()).tolist() == expected(*TEXTS, dimension=6)
    asked = len(server.texts())
    assert speak(server, database).embed(TEXTS, Job()).tolist() == expected(*TEXTS, dimension=6)
    assert len(server.texts()) == asked


def test_a_model_that_changes_it_all_the_time_is_refused(
    embedding_server: Serve, speak: Speak, database: Database
) -> None:
    server = embedding_server("growing")
    assert "dimensions came" in str(refusal(speak(server, database, workers=1), Job(), TEXTS))
    assert "dimensions came" in str(refusal(speak(server, database, workers=1), Job(), [*TEXTS, "more"] * 2))


def test_what_landed_before_a_failure_is_kept(embedding_server: Serve, speak: Speak, database: Database) -> None:
    server = embedding_server("stuck", times=2)
    with pytest.raises(EngineError, match="no answer within"):
        speak(server, database, timeout=0.3, workers=1).embed(TEXTS, Job())
    assert len(database.read("SELECT key FROM embeddings")) == 64
    server.behave("well")
    before = len(server.texts())
    assert speak(server, database).embed(TEXTS, Job()).tolist() == expected(*TEXTS)
    assert len(server.texts()) - before == 36


def test_it_stops_at_once_when_asked_to_and_what_landed_is_kept(
    embedding_server: Serve, speak: Speak, database: Database
) -> None:
    server = embedding_server("stuck", times=2)
    job = Job(lambda progress: stopping.start() if progress.done == 64 else None)
    stopping = threading.Timer(0.0, job.cancel)
    with pytest.raises(Cancelled):
        speak(server, database, timeout=PATIENCE, workers=1).embed(TEXTS, job)
    assert len(database.read("SELECT key FROM embeddings")) == 64


def test_a_store_that_fails_costs_no_vector(
    embedding_server: Serve, speak: Speak, database: Database, job: Hasty
) -> None:
    embedder = speak(embedding_server(), database)
    database.close()
    assert embedder.embed(["text"], job).tolist() == expected("text")
    assert embedder.trouble is not None


def test_it_says_how_far_it_is(embedding_server: Serve, speak: Speak, database: Database) -> None:
    server = embedding_server()
    speak(server, database).embed(TEXTS[:10], Job())
    said: list[Progress] = []
    speak(server, database, workers=1).embed(["", *TEXTS, *TEXTS[:5]], Job(said.append))
    assert [(one.done, one.total, one.unit) for one in said] == [(done, 106, "messages") for done in (16, 48, 80, 106)]


def test_the_order_of_texts_is_none_of_the_batches(embedding_server: Serve, speak: Speak, job: Hasty) -> None:
    server = embedding_server()
    speak(server, workers=1).embed(TEXTS, job)
    speak(server, workers=1).embed(TEXTS[::-1], job)
    assert server.batches()[:4] == server.batches()[4:]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "index", "embedding"]), inner),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    st.builds(lambda data: {"data": data}, st.lists(st.fixed_dictionaries({"embedding": _JSON, "index": _JSON})))
    | _JSON
)
def test_any_answer_is_vectors_or_an_error(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    server = Server("http://127.0.0.1:9/v1", timeout=1.0, named=EMBEDDING)
    monkeypatch.setattr(server, "post", lambda *_: answer)
    try:
        vectors = KeptEmbedder(EmbeddingClient(server, "named", Job()), None).embed(["one", "other"], Job())
        assert np.isfinite(vectors).all()
    except MemscopeError as error:
        assert error.what
    finally:
        server.close()
