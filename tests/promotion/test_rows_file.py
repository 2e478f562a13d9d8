"""Rows as JSON lines, good and bad."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import Cancelled, SourceError
from memscope.base.job import Job
from memscope.promotion.model import Row
from memscope.promotion.rows_file import Embeddings, RowsFile, is_rows, read_rows


def row(message: Any = 1, session: Any = "s", text: Any = "Fix it", **more: Any) -> dict[str, Any]:
    return {"message_id": message, "session_id": session, "text": text, **more}


def written(path: Path, *lines: Any) -> Path:
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
    return path


def read(path: Path) -> tuple[RowsFile, Any]:
    embeddings = Embeddings()
    return read_rows(path, embeddings, Job()), embeddings.vectors()


def test_rows_of_one_dimension_are_one_matrix(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", row(1, 7, embedding=[1, 0.5]), row("b", "s", "", embedding=[0, -2]))
    found, vectors = read(path)
    assert found == RowsFile([Row(1, 7, "Fix it"), Row("b", "s", "")], 0, [])
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[1, 0.5], [0, -2]]


def test_others_are_a_list(tmp_path: Path) -> None:
    bare = row()
    lines = (bare, row(embedding=[]), row(embedding=None), row(embedding=[1, 2]), row(embedding=[3]))
    found, vectors = read(written(tmp_path / "r.jsonl", *lines))
    assert len(found.rows) == len(vectors) == 5
    assert [None if one is None else one.tolist() for one in vectors] == [None, None, None, [1, 2], [3]]
    assert all(one is None or one.dtype == np.float32 for one in vectors)
    assert read(written(tmp_path / "r.jsonl", bare, bare))[1] is None


def test_numbers_that_are_none_stay_in_their_vector(tmp_path: Path) -> None:
    line = '{"message_id": 1, "session_id": 2, "embedding": [NaN, Infinity, null, 1e300, 1]}'
    found, vectors = read(written(tmp_path / "r.jsonl", line))
    assert found.rows == [Row(1, 2, "")]
    assert np.isfinite(vectors).tolist() == [[False, False, False, False, True]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"message_id": 1, "session', "no whole JSON value"),
        ("plain words", "no whole JSON value"),
        *(([1], "it is no JSON object"), (7, "it is no JSON object"), ({"session_id": 1}, "it has no message_id")),
        *(
            (row(None), "message_id is neither"),
            (row(True), "message_id is neither"),
            (row(1.5), "message_id is neither"),
        ),
        *((row(1, ["s"]), "session_id is neither"), (row(10**30), "message_id is neither")),
        *((row(text=5), "text is no text"), (row(text=""), "neither text nor embedding"), (row(text=" \n"), "neither")),
        *((row(text=None, embedding=[]), "neither text nor embedding"), (row(embedding=["1"]), "no list of numbers")),
        *((row(embedding=[1, True]), "no list of numbers"), (row(embedding="1 2"), "no list of numbers")),
        *((row(embedding=[[1]]), "no list of numbers"), (row(embedding={}), "no list"), (row(embedding=0), "no list")),
        (row(embedding=[10**400]), "too large"),
    ],
)
def test_a_line_that_is_no_row_is_told_and_costs_itself(tmp_path: Path, line: Any, reason: str) -> None:
    path = written(tmp_path / "r.jsonl", row(1, embedding=[1]), line, "", row(2, embedding=[2]))
    found, vectors = read(path)
    assert [one.message_id for one in found.rows] == [1, 2]
    assert vectors.tolist() == [[1], [2]]
    assert found.bad == 1
    (bad,) = found.told
    assert (bad.path, bad.line) == (path, 2)
    assert reason in bad.reason


def test_thousands_of_bad_rows_are_counted_and_some_told(tmp_path: Path) -> None:
    found, _ = read(written(tmp_path / "r.jsonl", *["{}"] * 500, row()))
    assert (found.bad, len(found.told), found.told[0].line) == (500, 100, 1)


def test_bytes_that_are_no_text_cost_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    first, second = row(1, 2, "a ? b"), row("?", 2, "c")
    lines = f"{json.dumps(first)}\n{json.dumps(second)}\n".encode()
    path.write_bytes(lines.replace(b"a ?", b"a \xff").replace(b'"?"', b'"\\ud800"'))
    found, _ = read(path)
    assert [(one.message_id, one.text) for one in found.rows] == [(1, "a \ufffd b"), ("\ud800", "c")]
    assert found.bad == 0


def test_a_file_without_a_sound_row_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", row(text=None), row(text=None))
    with pytest.raises(SourceError, match=r"none of its 2 lines is a row \(line 1: it has neither") as told:
        read(path)
    assert str(path) in str(told.value)


def test_rows_are_told_by_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "r"
    assert is_rows(written(path, "{broken", row()))
    assert is_rows(written(path, {"message_id": 1, "session_id": 2, "embedding": None}))
    assert not is_rows(written(path, {"message_id": 1, "session_id": 2}))
    assert not is_rows(written(path, {"role": "user", "content": "Hi"}))
    assert not is_rows(written(path, [row()]))
    assert not is_rows(written(path, json.dumps({"messages": []}, indent=2)))
    assert not is_rows(written(path, "words"))
    with pytest.raises(SourceError):
        is_rows(tmp_path / "gone")
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("CREATE TABLE tracks (title TEXT)")
    assert not is_rows(tmp_path / "a.db")


def test_it_stops_when_it_is_told_to(tmp_path: Path) -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        read_rows(written(tmp_path / "r.jsonl", row()), Embeddings(), job)


@given(st.lists(st.none() | st.lists(st.floats(width=32) | st.integers(-9, 9), max_size=4), max_size=9))
def test_vectors_are_what_was_added(rows: list[list[float] | None]) -> None:
    embeddings = Embeddings()
    for numbers in rows:
        embeddings.add(numbers or ())
    vectors = embeddings.vectors()
    if not any(rows):
        assert vectors is None
        return
    assert vectors is not None
    assert len(vectors) == len(rows)
    for numbers, vector in zip(rows, vectors, strict=True):
        assert (vector is None) == (not numbers)
        if vector is not None:
            np.testing.assert_array_equal(vector, np.array(numbers, np.float32))
    assert isinstance(vectors, np.ndarray) == (len({len(numbers or ()) for numbers in rows}) == 1)
