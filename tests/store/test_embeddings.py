"""Vectors of texts, kept by model and text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from memscope.base.errors import StoreError
from memscope.store.database import Database
from memscope.store.embeddings import Embeddings, embedding_key

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


def kept(database: Database, *keys: bytes) -> dict[int, list[float]]:
    return {place: vector.tolist() for place, vector in Embeddings(database).get(keys)}


def test_vectors_are_there_the_next_time_at_the_places_of_their_keys(tmp_path: Path) -> None:
    database = Database(tmp_path)
    Embeddings(database).put([(b"a", np.float32([9, 9])), (b"b", np.float32([0.5, -1])), (b"a", np.float32([1, 2]))])
    database.close()
    database = Database(tmp_path)
    assert kept(database, b"b", b"none", b"a") == {0: [0.5, -1], 2: [1, 2]}
    assert kept(database) == {}
    database.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(arrays(np.float32, st.integers(1, 40), elements=FINITE))
def test_a_vector_comes_back_bit_by_bit(database: Database, vector: np.ndarray) -> None:
    Embeddings(database).put([(b"key", vector)])
    ((_, found),) = Embeddings(database).get([b"key"])
    assert (found.dtype, found.tobytes()) == (np.float32, vector.tobytes())


def test_more_keys_than_sqlite_takes_at_once(database: Database) -> None:
    keys = [number.to_bytes(4, "big") for number in range(1201)]
    Embeddings(database).put((key, np.float32([place])) for place, key in enumerate(keys))
    assert kept(database, *keys) == {place: [place] for place in range(1201)}


@pytest.mark.parametrize("value", [b"", b"abc", "text", 5, np.float32([1, np.nan]).tobytes()])
def test_a_row_that_holds_no_vector_is_none(database: Database, value: object) -> None:
    database.write("INSERT INTO embeddings (key, vector, at) VALUES (?, ?, ?)", b"key", value, 1.0)
    assert kept(database, b"key") == {}


def test_model_and_text_are_the_key() -> None:
    texts = ["", "a", "b", "a ", "\ud800", '"', "é", "e\u0301"]
    keys = {embedding_key(name, text) for name in ("", "one", "other") for text in texts}
    assert len(keys) == 3 * len(texts)
    assert embedding_key("one", "a") == embedding_key("one", "a")


def test_a_store_that_fails_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path)
    database.close()
    for ask in (
        lambda: list(Embeddings(database).get([b"a"])),
        lambda: Embeddings(database).put([(b"a", np.float32([1]))]),
    ):
        with pytest.raises(StoreError):
            ask()
