"""A file of lessons that is looked at again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from memscope.actions.lessons import read_episodes, record
from memscope.actions.lessons_watch import look
from memscope.base.settings import resolve


def recorded(path: Path) -> None:
    record(path, read_episodes('{"task_id": "deploy", "score": 0.9}'), resolve({"store": False}).settings)


def test_a_file_is_read_again_only_where_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    recorded(path)
    first = look(path)
    assert first is not None and first.read is not None
    assert look(path, first) is None
    recorded(path)
    second = look(path, first)
    assert second is not None and second.read is not None
    assert second.read.document.total_episodes == 2


def test_a_file_that_goes_is_a_fresh_memory_once(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    recorded(path)
    first = look(path)
    path.unlink()
    gone = look(path, first)
    assert gone is not None and gone.read is not None
    assert not gone.read.lessons.exists
    assert look(path, gone) is None


@pytest.mark.parametrize("name", ["x" * 400, "nul\0", "."])
def test_what_cannot_be_read_is_told_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    found = look(path)
    assert found is not None and found.read is None and found.trouble is not None
    assert look(path, found) is None


def test_a_broken_file_is_told_and_read_again_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    path.write_text('{"version": 1,')
    broken = look(path)
    assert broken is not None and broken.trouble is not None
    assert "line 1" in broken.trouble.what
    path.write_text('{"version": 1}')
    whole = look(path, broken)
    assert whole is not None and whole.read is not None and whole.trouble is None
