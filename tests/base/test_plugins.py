"""Members of a folder: found without being imported, imported one at a time."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from memscope.base.plugins import member, member_names, members


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package of two members (one of them a folder), and a private module that must not be imported."""
    folder = tmp_path / "made_up_shelf"
    (folder / "beech").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "beech" / "__init__.py").write_text("TREE = 'beech'")
    (folder / "alder.py").write_text("TREE = 'alder'")
    (folder / "_private.py").write_text("raise AssertionError('imported')")
    (folder / "notes.txt").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("made_up_shelf")
    for name in [name for name in sys.modules if name.startswith("made_up_shelf")]:
        del sys.modules[name]


def test_names_are_sorted_and_import_nothing(shelf: ModuleType) -> None:
    assert member_names(shelf) == ["alder", "beech"]
    assert not [name for name in sys.modules if name.startswith("made_up_shelf.")]


def test_one_member_imports_itself_alone(shelf: ModuleType) -> None:
    assert member(shelf, "beech", "TREE") == "beech"
    assert "made_up_shelf.alder" not in sys.modules


def test_all_members_by_name(shelf: ModuleType) -> None:
    assert members(shelf, "TREE") == {"alder": "alder", "beech": "beech"}


def test_a_new_file_is_a_new_member(shelf: ModuleType) -> None:
    (Path(shelf.__path__[0]) / "cedar.py").write_text("TREE = 'cedar'")
    importlib.invalidate_caches()
    assert list(members(shelf, "TREE")) == ["alder", "beech", "cedar"]


def test_a_member_that_exports_nothing_is_a_bug_that_shows(shelf: ModuleType) -> None:
    with pytest.raises(AttributeError, match="FRUIT"):
        member(shelf, "alder", "FRUIT")
