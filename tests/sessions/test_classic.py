"""Classic mode: the first sampler's numbers, part by part, on folders of all kinds of files."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.sessions.classic import ClassicSession, classic_date, classic_sessions
from memscope.sessions.ranked import Breakdown
from tests.sessions import _sampler

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)

WORDS = st.sampled_from(
    ["", " ", "ok", "Errors were seen", "it FAILED", "fine " * 60, "İ", "\U0001f600 denied", "x\ry"]
)
CONTENTS = st.one_of(
    WORDS,
    st.none(),
    st.integers(),
    st.lists(st.one_of(WORDS, st.builds(lambda text: {"type": "text", "text": text}, WORDS)), max_size=3),
)
ARGUMENTS = st.sampled_from(
    ["{}", "cd the-nexus", "clone Rockachopa/x the-door", "Rockachopa", "edit timmy-home/a", {"path": "the-beacon"}]
)
CALLS = st.lists(st.builds(lambda words: {"function": {"arguments": words}}, ARGUMENTS) | st.just({}), max_size=4)
MESSAGES: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {}, optional={"role": st.just("tool"), "content": CONTENTS, "tool_calls": CALLS, "timestamp": st.just("now")}
)
LINES = st.one_of(
    MESSAGES.map(json.dumps),
    MESSAGES.map(lambda message: json.dumps(message, ensure_ascii=False)),
    st.sampled_from(["", "  ", "{broken", "\ufeff{}", '{"content": "unable"}', "\udcff\udcfe"]),
)
NAMES = st.sampled_from(
    """a session_20260430_101112_ab 20260401_x s_20260401_abcdef s_20260425 s_20261301_1 s_٢٠٢٦٠٤٢٩
    s_99999999_20260428_250000 b_20260510_000000 .hidden the-nexus_1""".split()
)


def written(folder: Path, files: dict[str, tuple[list[str], str, int]]) -> None:
    for name, (lines, end, days) in files.items():
        path = folder / f"{name}.jsonl"
        path.write_bytes((end.join(lines)).encode("utf-8", "surrogateescape"))
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))


FILES = st.dictionaries(
    NAMES,
    st.tuples(
        st.lists(LINES, max_size=12) | st.builds(lambda few, times: few * times, st.lists(LINES), st.integers(1, 80)),
        st.sampled_from(["\n", "\r\n", "\n\n"]),
        st.sampled_from([-3, 0, 7, 8, 30, 31, 400]),
    ),
    max_size=5,
)


@given(FILES, st.none() | st.integers(0, 40), st.sampled_from(["", "the-nexus", "TIMMY-HOME", "session", "nobody"]))
@settings(max_examples=150)
def test_every_part_is_that_of_the_first_sampler(
    files: dict[str, tuple[list[str], str, int]], days: int | None, repo: str
) -> None:
    since = None if days is None else NOW - timedelta(days=days)
    with tempfile.TemporaryDirectory() as name:
        written(Path(name), files)
        expected = _sampler.sample(name, NOW, since, repo)
        found = classic_sessions(Path(name), NOW.timestamp(), since=since.timestamp() if since else None, repo=repo)
    assert [(row.filename, row.message_count, set(row.repos), row.is_failure) for row in found] == [
        (row["name"], row["count"], row["repos"], row["failed"]) for row in expected
    ]
    assert [row.parts._asdict() for row in found] == [row["parts"] for row in expected]
    assert all(row.score == sum(row.parts) for row in found)


@given(st.text("0123456789_abc²٢", max_size=24))
def test_dates_in_names_are_found_alike(stem: str) -> None:
    assert classic_date(f"x{stem}.jsonl") == _sampler.dated(f"x{stem}.jsonl")


def alone(folder: Path, *lines: str, name: str = "a.jsonl") -> ClassicSession:
    (folder / name).write_text("\n".join(lines))
    return next(row for row in classic_sessions(folder, NOW.timestamp()) if row.filename == name)


def test_the_first_line_is_never_looked_at(tmp_path: Path) -> None:
    assert alone(tmp_path, '{"content": "it failed"}').parts.outcome == 1
    assert alone(tmp_path, "{}", '{"content": "it failed"}').parts.outcome == 3


def test_ten_thousand_short_lines_are_taken_for_133(tmp_path: Path) -> None:
    row = alone(tmp_path, *['{"a":1}'] * 10_000)
    assert row.message_count == _sampler.scan(row.path)["count"]
    assert alone(tmp_path, *["x" * 700] * 95).message_count == 133


@pytest.mark.parametrize(
    "line",
    [
        *("[]", "17", "null", '"text"', "9" * 5000, "[" * 5000),
        *('{"tool_calls": 5}', '{"tool_calls": "ab"}', '{"tool_calls": [1]}', '{"tool_calls": {"a": {}}}'),
        *('{"tool_calls": [{"function": null}]}', '{"content": [{"type": "text", "text": null}]}'),
    ],
)
def test_a_line_that_the_sampler_stops_at_counts_for_nothing(tmp_path: Path, line: str) -> None:
    row = alone(tmp_path, "{}", '{"content": "fine"}', line)
    with pytest.raises(_sampler.STOPS):
        _sampler.sample(str(tmp_path), NOW)
    assert (row.message_count, row.parts.outcome) == (3, 2)
    assert alone(tmp_path, line, '{"content": "fine"}').parts.outcome == 2


def test_what_is_no_file_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.jsonl")
    rows = {row.filename: row for row in classic_sessions(tmp_path, NOW.timestamp())}
    assert [row.message_count for row in rows.values()] == [0, 0, 0]
    assert rows["gone.jsonl"].parts == Breakdown(1, 1, 0, 1, 0)  # a file without a time is a year old


def test_there_is_nothing_in_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert classic_sessions(tmp_path / "gone", NOW.timestamp()) == []
