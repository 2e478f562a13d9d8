"""Stored scorings come back as they were, or not at all."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base import clock
from memscope.store.database import MIGRATIONS, Database
from memscope.store.scores import DIGEST, ScoreStore, StoredScores, TokenArrays

KEY = b"k" * 32


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "data")
    yield made
    made.close()


def tokens(*logprobs: float) -> TokenArrays:
    starts = np.arange(len(logprobs), dtype=np.int32)
    return starts, starts + np.int32(1), np.array(logprobs, np.float64)


@pytest.fixture(scope="module")
def shared() -> Iterator[ScoreStore]:
    """One store for all the examples of a property."""
    with TemporaryDirectory() as folder:
        made = Database(Path(folder))
        yield ScoreStore(made)
        made.close()


@given(st.lists(st.floats(allow_nan=False), max_size=8))
def test_totals_come_back_to_the_last_bit(shared: ScoreStore, totals: list[float]) -> None:
    shared.put(KEY, StoredScores(totals))
    assert shared.get(KEY) == StoredScores(totals)


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.lists(st.floats(-1e6, 0), max_size=6)), max_size=6))
def test_counts_are_exact_and_tokens_as_good_as_float32(
    shared: ScoreStore, responses: list[tuple[int, list[float]]]
) -> None:
    counts = [count for count, _ in responses]
    scored = [tokens(*logprobs) for _, logprobs in responses]
    shared.put(KEY, StoredScores([-1.0] * len(counts), counts, scored))
    found = shared.get(KEY)
    assert found is not None
    assert found.counts == counts
    assert found.tokens is not None
    assert len(found.tokens) == len(scored)
    for (starts, ends, logprobs), (real_starts, real_ends, real_logprobs) in zip(found.tokens, scored, strict=True):
        assert (starts == real_starts).all()
        assert (ends == real_ends).all()
        assert logprobs.dtype == np.float64
        assert (logprobs == real_logprobs.astype(np.float32)).all()


@given(st.lists(st.tuples(*[st.binary(min_size=DIGEST, max_size=DIGEST)] * 2), max_size=6))
def test_marks_come_back_as_they_were(shared: ScoreStore, marks: list[tuple[bytes, bytes]]) -> None:
    scored = StoredScores([-1.0] * len(marks), marks=marks)
    shared.put(KEY, scored)
    assert shared.get(KEY) == scored


def test_nothing_is_stored_under_another_key(database: Database) -> None:
    store = ScoreStore(database)
    store.put(KEY, StoredScores([-1.0]))
    assert store.get(KEY[:-1]) is None
    assert store.get(b"") is None


def test_a_later_scoring_replaces_the_earlier_one(database: Database) -> None:
    store = ScoreStore(database)
    store.put(KEY, StoredScores([-1.0], [3], [tokens(-1.0)]))
    store.put(KEY, StoredScores([-2.0]))
    assert store.get(KEY) == StoredScores([-2.0])


def test_the_time_of_a_scoring_is_kept(database: Database) -> None:
    clock.set_clock(lambda: 1234.5)
    try:
        ScoreStore(database).put(KEY, StoredScores([-1.0]))
    finally:
        clock.set_clock(None)
    assert database.read("SELECT at FROM scores") == [(1234.5,)]


DAMAGE: dict[str, tuple[str, Callable[[bytes], object]]] = {
    "totals cut": ("totals", lambda blob: blob[:-1]),
    "totals of another type": ("totals", lambda blob: "text"),
    "a total too few": ("totals", lambda blob: blob[:-8]),
    "counts cut": ("counts", lambda blob: blob[:-1]),
    "a count too few": ("counts", lambda blob: blob[:-4]),
    "a count too many": ("counts", lambda blob: blob + b"\0\0\0\0"),
    "tokens not compressed": ("tokens", lambda blob: b"garbage"),
    "tokens cut": ("tokens", lambda blob: blob[:-5]),
    "tokens empty": ("tokens", lambda blob: b""),
    "tokens short inside": ("tokens", lambda blob: zlib.compress(zlib.decompress(blob)[:-4])),
    "tokens long inside": ("tokens", lambda blob: zlib.compress(zlib.decompress(blob) + b"\0\0\0\0")),
    "tokens without sizes": ("tokens", lambda blob: zlib.compress(b"\1")),
    "marks cut": ("marks", lambda blob: blob[:-1]),
    "a mark too few": ("marks", lambda blob: blob[:-DIGEST]),
    "marks of another response": ("marks", lambda blob: blob + blob),
    "tokens by the billion": ("tokens", lambda blob: zlib.compress(b"\xff" * 16)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_cannot_be_read_is_as_good_as_absent(name: str, database: Database) -> None:
    column, damage = DAMAGE[name]
    store = ScoreStore(database)
    marks = [(b"r" * DIGEST, b"c" * DIGEST)] * 2
    store.put(KEY, StoredScores([-1.0, -2.0], [1, 2], [tokens(-1.0), tokens(-1.5, -0.5)], marks))
    assert store.get(KEY) is not None
    ((blob,),) = database.read(f"SELECT {column} FROM scores")
    assert isinstance(blob, bytes)
    database.write(f"UPDATE scores SET {column} = ?", damage(blob))
    assert store.get(KEY) is None


def test_the_keys_that_are_there_are_known_however_many_are_asked_for(database: Database) -> None:
    store = ScoreStore(database)
    keys = [number.to_bytes(32, "big") for number in range(1201)]
    there = {keys[0], keys[500], keys[1200]}
    for key in there:
        store.put(key, StoredScores([-1.0]))

    assert store.known(keys) == there
    assert store.known(key for key in keys[1:500]) == frozenset()
    assert store.known([]) == frozenset()


def test_scores_of_a_store_without_marks_are_kept_and_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("memscope.store.database.MIGRATIONS", MIGRATIONS[:2])
        old = Database(tmp_path)
        old.write(
            "INSERT INTO scores (key, totals, counts, at) VALUES (?, ?, ?, 0)",
            KEY,
            np.array([-1.0, -2.0]).tobytes(),
            np.array([3, 4], np.int32).tobytes(),
        )
        assert old.read("PRAGMA user_version") == [(2,)]
        old.close()

    upgraded = Database(tmp_path)

    assert ScoreStore(upgraded).get(KEY) == StoredScores([-1.0, -2.0], [3, 4])
    ScoreStore(upgraded).put(KEY, StoredScores([-1.0], marks=[(b"r" * DIGEST, b"c" * DIGEST)]))
    assert ScoreStore(upgraded).get(KEY) == StoredScores([-1.0], marks=[(b"r" * DIGEST, b"c" * DIGEST)])
    upgraded.close()


def test_why_responses_have_no_score_is_kept_with_the_others(database: Database) -> None:
    scores = StoredScores([float("nan"), -2.0], failures={0: "nothing of it is shown"})
    ScoreStore(database).put(KEY, scores)
    kept = ScoreStore(database).get(KEY)

    assert kept is not None
    assert kept.failures == {0: "nothing of it is shown"}
    assert kept.totals[1] == -2.0


@pytest.mark.parametrize("damaged", ["{", "[1]", '{"2": "no such response"}', '{"x": "no place"}', '{"0": 1}'])
def test_reasons_that_cannot_be_read_are_as_good_as_no_scoring(damaged: str, database: Database) -> None:
    store = ScoreStore(database)
    store.put(KEY, StoredScores([float("nan"), -2.0], failures={0: "nothing of it is shown"}))
    database.write("UPDATE scores SET failures = ?", damaged)

    assert store.get(KEY) is None
