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
        ("hermes", "HERMES_HOME", ".hermes", ["sessions", "profiles/*/sessions"]),
        ("hermes-database", "HERMES_HOME", ".hermes", ["state.db", "profiles/*/state.db"]),
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


def test_a_folder_for_each_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = format_named("gemini").home
    assert home is not None
    monkeypatch.setenv("GEMINI_CLI_HOME", str(tmp_path))
    folders = [tmp_path / ".gemini" / "tmp" / name / "chats" for name in ("app", "lib")]
    for folder in folders:
        folder.mkdir(parents=True)
    assert home.session_folders == tuple(folders)


def test_homes_of_agents_that_write_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = format_named("pi").home
    assert home is not None
    monkeypatch.setenv("PI_CODING_AGENT_DIR", str(tmp_path / "pi"))
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(tmp_path / "openclaw"))
    (tmp_path / "openclaw" / "agents" / "main" / "sessions").mkdir(parents=True)
    assert home.session_folders == (tmp_path / "pi/sessions", tmp_path / "openclaw/agents/main/sessions")
    assert home.memory_paths[:2] == (tmp_path / "pi/AGENTS.md", tmp_path / "openclaw/workspace/MEMORY.md")
