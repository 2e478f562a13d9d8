from __future__ import annotations

from pathlib import Path

import pytest

from memscope.conversation.formats import format_named
from memscope.conversation.homes import Home


@pytest.mark.parametrize(
    ("name", "variable", "folder", "sessions"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", ".claude", ["projects"]),
        ("codex", "CODEX_HOME", ".codex", ["sessions", "archived_sessions"]),
        ("hermes", "HERMES_HOME", ".hermes", ["sessions"]),
    ],
)
def test_an_agents_folder_and_where_its_variable_moves_it(
    name: str, variable: str, folder: str, sessions: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = format_named(name).home
    assert home is not None
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(variable, raising=False)
    assert home.session_folders == tuple(tmp_path / folder / name for name in sessions)
    monkeypatch.setenv(variable, str(tmp_path / "moved"))
    assert home.path == tmp_path / "moved"
    assert home.memory_paths == tuple(tmp_path / "moved" / name for name in home.memories)


def test_nobodys_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_HOME", "~nobody-of-this-name/x")
    home = Home("~/.some", "SOME_HOME", ("sessions",), ("memories",))
    assert (home.path, home.session_folders, home.memory_paths) == (None, (), ())
