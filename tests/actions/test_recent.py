"""What is offered to somebody who named no conversation."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memscope.actions import recent
from memscope.actions.recent import Glimpse, glimpse, recent_conversations
from memscope.base.settings import data_dir
from memscope.conversation.load import load
from memscope.store.database import Database
from memscope.store.recents import Recents
from tests.conversation.formats._lines import DATA


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def database() -> Iterator[Database]:
    store = Database(data_dir())
    yield store
    store.close()


def write(path: Path, time: float, text: str = "{}\n") -> Path:
    """A file last written at `time`, and its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time, time))
    os.utime(path.parent, (time, time))
    return path


def names(found: list[recent.RecentConversation]) -> list[str]:
    return [one.path.name for one in found]


def test_the_newest_transcripts_of_every_agent(home: Path) -> None:
    write(home / ".claude/projects/-a/one.jsonl", 30)
    write(home / ".claude/projects/-a/one/subagents/agent-x.jsonl", 99)
    write(home / ".claude/projects/-a/one/tool-results/x.json", 99)
    write(home / ".claude/projects/-a/agent-y.jsonl", 99)
    write(home / ".claude/projects/-a/memory/MEMORY.md", 99)
    write(home / ".claude/projects/-a/empty.jsonl", 99, "")
    write(home / ".codex/sessions/2026/11/21/rollout-1.jsonl", 40)
    write(home / ".codex/archived_sessions/rollout-0.jsonl", 10)
    write(home / ".hermes/sessions/session_1.json", 20, "{}")
    write(home / ".hermes/sessions/sessions.json", 99, "{}")
    found = recent_conversations(None)
    assert names(found) == ["rollout-1.jsonl", "one.jsonl", "session_1.json", "rollout-0.jsonl"]
    assert [one.format for one in found] == ["codex", "claude-code", "hermes", "codex"]
    assert [(one.time, one.size, one.known, one.window) for one in found][:2] == [
        (40.0, 3, False, None),
        (30.0, 3, False, None),
    ]
    assert names(recent_conversations(None, 2)) == ["rollout-1.jsonl", "one.jsonl"]
    assert recent_conversations(None, 0) == recent_conversations(None, -1) == []


def test_the_sessions_of_a_database_are_offered_one_by_one(home: Path, database: Database) -> None:
    path = home / ".hermes" / "state.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as hermes:
        hermes.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, source, started_at, title)")
        hermes.execute(
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, session_id, role, content, tool_calls, timestamp)"
        )
        for name in "abc":
            hermes.execute("INSERT INTO sessions VALUES (?, 'cli', ?, ?)", (name, ord(name), name.upper()))
            row = (name, ord(name) + 0.5)
            hermes.execute("INSERT INTO messages VALUES (NULL, ?, 'user', 'Hi', NULL, ?)", row)
    found = recent_conversations(None, 2)
    assert [(one.title, one.item, one.time, one.format) for one in found] == [
        ("C", 2, 99.5, "hermes-database"),
        ("B", 1, 98.5, "hermes-database"),
    ]
    Recents(database).opened(path, 1, None, "B")
    again = recent_conversations(database)
    assert [(one.title, one.known) for one in again] == [("B", True), ("C", False), ("A", False)]
    path.write_bytes(path.read_bytes()[:100])  # what cannot be read is not offered
    assert recent_conversations(None) == []


def test_folders_that_a_variable_moves(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".claude/projects/-a/old.jsonl", 30)
    write(tmp_path / "moved/projects/-a/new.jsonl", 20)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "moved"))
    assert names(recent_conversations(None)) == ["new.jsonl"]


def test_what_was_opened_comes_first_and_once(home: Path, tmp_path: Path, database: Database) -> None:
    opened = write(home / ".claude/projects/-a/opened.jsonl", 30)
    write(home / ".claude/projects/-a/newer.jsonl", 40)
    (home / ".claude/projects/-a/link.jsonl").symlink_to(opened)
    elsewhere = write(tmp_path / "talk.json", 5, "[]")
    recents = Recents(database)
    recents.opened(tmp_path / "gone.json", 0, None, "gone")
    recents.opened(opened, 0, 2, "Find the port", (tmp_path / "CLAUDE.md",))
    recents.opened(elsewhere, 1, None, "Talk")
    found = recent_conversations(database)
    assert [(one.path.name, one.item, one.window, one.title, one.known, one.format) for one in found] == [
        ("talk.json", 1, None, "Talk", True, ""),
        ("opened.jsonl", 0, 2, "Find the port", True, "claude-code"),
        ("newer.jsonl", 0, None, "", False, "claude-code"),
    ]
    assert found[1].memories == (tmp_path / "CLAUDE.md",)
    assert found[1].time > 1e9
    assert names(recent_conversations(database, 1)) == ["talk.json"]


def test_a_link_to_a_folder_leads_nowhere(home: Path, tmp_path: Path) -> None:
    write(home / ".claude/projects/-a/one.jsonl", 30)
    (home / ".claude/projects/-a/loop").symlink_to(home / ".claude/projects")
    write(tmp_path / "big/other.jsonl", 40)
    (home / ".claude/projects/-b").symlink_to(tmp_path / "big")
    (home / ".claude/projects/-a/broken.jsonl").symlink_to("nowhere")
    os.mkfifo(home / ".claude/projects/-a/pipe.jsonl")
    assert names(recent_conversations(None)) == ["one.jsonl"]


def test_there_is_an_end_to_looking_and_the_newest_are_looked_at_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 10):
        write(home / f".codex/sessions/{day}/rollout-{day}.jsonl", day)
    (home / ".codex/archived_sessions").mkdir()
    monkeypatch.setattr(recent, "MOST_ENTRIES", 24)  # 12 for either folder: nine days and three rollouts
    assert names(recent_conversations(None)) == ["rollout-9.jsonl", "rollout-8.jsonl", "rollout-7.jsonl"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_a_folder_that_cannot_be_read(home: Path) -> None:
    write(home / ".claude/projects/-a/one.jsonl", 30).parent.chmod(0)
    try:
        assert recent_conversations(None) == []
    finally:
        (home / ".claude/projects/-a").chmod(0o700)


TALK = [{"role": "system", "content": "Help."}, {"role": "user", "content": "Find the port."}]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (json.dumps(TALK), "Find the port."),
        (json.dumps({"title": "A title", "messages": TALK}), "A title"),
        (json.dumps(TALK, indent=1), "Find the port."),
        ("".join(json.dumps(message) + "\n" for message in TALK * 9000), "Find the port."),
        (json.dumps(TALK * 9000), "Find the port."),
        (json.dumps(TALK * 30000), ""),  # a document that is not whole within its beginning
        (json.dumps(TALK * 30000, indent=1), ""),
        ("no transcript", ""),
        ("", ""),
    ],
    ids=["list", "titled", "printed", "long lines", "long", "longer", "longer printed", "none", "empty"],
)
def test_the_title_of_a_transcript(text: str, title: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(text)
    assert glimpse(tmp_path / "t.json").title == title


REMINDER = "<system-reminder>\nToday is Monday.\n</system-reminder>"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ([f"{REMINDER}\n{REMINDER} Find the port."], "Find the port."),
        ([REMINDER, "Find the port."], "Find the port."),
        (["<system-reminder> cut off", "Find the port."], "Find the port."),
        (["<environment_context>here</environment_context>\nFind the port."], "Find the port."),
        (["<b>Bold</b> words"], "<b>Bold</b> words"),
        ([f"Find {REMINDER}"], "Find <system-reminder> Today is Monday. </system-reminder>"),
        ([REMINDER], "<system-reminder> Today is Monday. </system-reminder>"),
    ],
)
def test_what_software_put_before_a_request_is_no_title(said: list[str], title: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps([{"role": "user", "content": text} for text in said]))
    assert glimpse(tmp_path / "t.json") == Glimpse(title, "openai")


def test_a_request_behind_a_long_record(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    long = {"role": "system", "content": "x" * 2 * recent._PEEK}
    path.write_text("".join(json.dumps(message) + "\n" for message in [long, *TALK]))
    assert glimpse(path) == Glimpse("Find the port.", "openai")


def test_a_title_that_software_began_is_looked_for_anew(tmp_path: Path, database: Database) -> None:
    for number, title in enumerate([REMINDER, "Mine", "<b>Bold</b> words"]):
        Recents(database).opened(write(tmp_path / f"{number}.json", 1), 0, None, title)
    Recents(database).opened(tmp_path / "0.json", 1, None, REMINDER)  # its beginning tells of the first alone
    assert {(one.path.name, one.item): one.title for one in recent_conversations(database)} == {
        ("0.json", 0): "",
        ("0.json", 1): REMINDER,
        ("1.json", 0): "Mine",
        ("2.json", 0): "<b>Bold</b> words",
    }


def test_no_title_where_there_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert [glimpse(path) for path in (tmp_path, tmp_path / "none", Path("a\0b"), tmp_path / "pipe")] == [Glimpse()] * 4


@pytest.mark.parametrize("path", sorted((DATA / "codex").glob("rollout-*.jsonl")), ids=lambda path: path.stem[-12:])
def test_titles_of_real_transcripts(path: Path) -> None:
    assert path.stat().st_size > recent._PEEK
    assert glimpse(path).title == load(path).title
