"""Traces for a prompt: read as far as somebody takes them, and under names that tell them apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from memscope.actions import newest_traces
from memscope.actions.insights import Session
from memscope.actions.newest_traces import NewestTraces
from memscope.base.job import Job
from memscope.conversation.model import Source
from tests.promotion.recurring import write_talk


def session(path: Path, item: int = 0) -> Session:
    return Session(f"{path}#{item}", Source(path, "openai", item), 0.0, path.stat().st_size, is_subagent=False)


def silent(path: Path) -> Path:
    path.write_text(json.dumps({"messages": [{"role": "system", "content": "You are."}]}))
    return path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files were read at a time."""
    counts: list[int] = []
    read_files = newest_traces.read_files

    def counting(fold: Any, arguments: tuple[object, ...], files: Sequence[Any], *more: Any) -> Any:
        counts.append(len(files))
        return read_files(fold, arguments, files, *more)

    monkeypatch.setattr(newest_traces, "read_files", counting)
    return counts


def test_no_more_is_read_than_is_taken(tmp_path: Path, read: list[int]) -> None:
    sessions = [session(write_talk(tmp_path / f"{number}.json", "Go.")) for number in range(20)]
    traces = NewestTraces(sessions, 1600, Job())
    assert read == []
    assert [trace.name for trace in islice(traces, 5)] == ["0", "1", "2", "3", "4"]
    assert (read, traces.taken, traces.silent) == ([5], sessions[:5], 0)


def test_reading_goes_on_behind_what_says_nothing_in_larger_steps(tmp_path: Path, read: list[int]) -> None:
    sessions = [session(silent(tmp_path / f"{number}.json")) for number in range(250)]
    sessions.append(session(write_talk(tmp_path / "talk.json", "Go.")))
    traces = NewestTraces(sessions, 8000, Job())
    assert [trace.name for trace in traces] == ["talk"]
    assert (traces.taken, traces.silent) == (sessions[-1:], 250)
    assert read == [21, 42, 84, 104]


def test_what_cannot_be_read_any_more_says_nothing(tmp_path: Path) -> None:
    sessions = [session(write_talk(tmp_path / name, "Go.")) for name in ("a.json", "b.json")]
    (tmp_path / "a.json").unlink()
    traces = NewestTraces(sessions, 1000, Job())
    assert [trace.name for trace in traces] == ["b"]
    assert traces.silent == 1


def test_sessions_of_one_file_and_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    said = {"messages": [{"role": "user", "content": "Go."}]}
    for folder in ("one", "two", "three"):
        path = tmp_path / folder / "output.jsonl"
        path.parent.mkdir()
        path.write_text(f"{json.dumps(said)}\n" * 2)
    one, two, three = (tmp_path / folder / "output.jsonl" for folder in ("one", "two", "three"))
    long = write_talk(tmp_path / f"{'x' * 120}.json", "Go.")
    places = [(one, 0), (two, 1), (three, 0), (one, 1), (two, 0), (long, 0)]
    traces = NewestTraces([session(path, item) for path, item in places], 1000, Job())
    names = ["output", "output (2)#1", "output (3)", "output#1", "output (2)", "x" * 80]
    assert [trace.name for trace in traces] == names
