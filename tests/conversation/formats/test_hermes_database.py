"""Hermes' database in the shapes that its versions have, and what a database may do to a reader."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import SourceError
from memscope.conversation.formats import format_named, recognise
from memscope.conversation.load import count_items, fold, load
from memscope.conversation.model import Skipped, Thinking, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Item
from memscope.conversation.sqlite_file import SqliteFile
from tests.conversation.formats._lines import facts, items, shape

NOW = """
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE system_prompts (hash TEXT PRIMARY KEY, prompt TEXT NOT NULL);
CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, session_key TEXT, display_name TEXT, model TEXT,
    model_config TEXT, system_prompt TEXT, system_prompt_hash TEXT, parent_session_id TEXT, started_at REAL NOT NULL,
    ended_at REAL, end_reason TEXT, cwd TEXT, git_branch TEXT, git_repo_root TEXT, title TEXT, last_activity_at REAL);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT,
    tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, effect_disposition TEXT, timestamp REAL NOT NULL,
    reasoning TEXT, reasoning_content TEXT, _compressed_summary INTEGER NOT NULL DEFAULT 0,
    active INTEGER NOT NULL DEFAULT 1, compacted INTEGER NOT NULL DEFAULT 0, api_content TEXT, display_kind TEXT,
    display_identity BLOB);
CREATE INDEX by_session ON messages (session_id, id);
"""
FIRST = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, system_prompt TEXT,
    parent_session_id TEXT, started_at REAL NOT NULL);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT,
    tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL);
"""
CALLS = json.dumps([{"id": "c1", "type": "function", "function": {"name": "terminal", "arguments": '{"c": "ls"}'}}])
SUMMARY = "[CONTEXT COMPACTION — REFERENCE ONLY] Earlier turns were compacted."


def put(database: sqlite3.Connection, table: str, **fields: Any) -> None:
    marks = ", ".join("?" * len(fields))
    database.execute(f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})", list(fields.values()))


def session(database: sqlite3.Connection, name: str, *rows: dict[str, Any], **more: Any) -> None:
    """A session and its messages, which begin a second apart unless they say when."""
    put(database, "sessions", **{"id": name, "source": "cli", "started_at": 1.7e9, **more})
    for second, row in enumerate(rows):
        put(database, "messages", **{"session_id": name, "timestamp": 1.7e9 + second, **row})


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def database_at(path: Path, schema: str = NOW) -> closing[sqlite3.Connection]:
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(schema)
    return closing(database)


def test_a_session_of_today(path: Path) -> None:
    about = {"title": "Files", "model": "m", "cwd": "/a", "git_repo_root": "/a/b", "git_branch": "main"}
    image = "\0json:" + json.dumps([{"type": "text", "text": "Look:"}, {"type": "image_url"}])
    with database_at(path) as database:
        put(database, "system_prompts", hash="h", prompt="You are Hermes.")
        session(
            database,
            "s1",
            said("session_meta", None),
            said(
                "user",
                "List.",
                api_content="List.\n<memory-context>\ntabs\n</memory-context>",
                display_identity=b"\xff",
            ),
            said("assistant", "", tool_calls=CALLS, reasoning="I look."),
            said("tool", '{"output": "no", "exit_code": 2}', tool_call_id="c1", tool_name="terminal"),
            said("user", image),
            said("user", "[skill]", display_kind="hidden"),
            said("assistant", "Done."),
            system_prompt_hash="h",
            **about,
        )
    conversation = load(path)
    assert conversation.source is not None
    assert (conversation.source.format, conversation.title, conversation.items) == ("hermes-database", "Files", 1)
    assert [(m.role, m.kind) for m in conversation.messages] == [
        *(("system", "said"), ("user", "said"), ("assistant", "said"), ("tool", "said")),
        *(("user", "said"), ("user", "synthetic"), ("assistant", "said")),
    ]
    system, asked, call, answer, shown, _, _ = conversation.messages
    assert (system.text, shown.text) == ("You are Hermes.", "Look:")
    assert asked.text == "List.\n<memory-context>\ntabs\n</memory-context>"  # what the model saw
    assert call.parts[0] == Thinking("I look.")
    assert answer.parts == (ToolResult("c1", '{"output": "no", "exit_code": 2}', False, 2),)
    assert (asked.time, asked.id, asked.line) == (1.7e9 + 1, "2", 0)
    assert facts(path, "hermes-database") == [
        *(("title", "Files"), ("session", "s1"), ("model", "m"), ("cwd", "/a")),
        *(("repository", "/a/b"), ("branch", "main"), ("exit_code", "2")),
    ]


def test_a_database_of_the_first_version(path: Path) -> None:
    with database_at(path, FIRST) as database:
        session(database, "s1", said("user", "Hi"), said("assistant", "Hello"), system_prompt="S")
    assert shape(load(path)) == [("system", "S"), ("user", "Hi"), ("assistant", "Hello")]


def test_numbers_stay_when_sessions_come(path: Path) -> None:
    with database_at(path) as database:
        session(database, "z", said("user", "First"), started_at=9.0)
        session(database, "a", said("user", "Second"), started_at=1.0)
        assert [load(path, item=n).title for n in range(2)] == ["First", "Second"]
        session(database, "m", said("user", "Third"))
        assert [load(path, item=n).title for n in range(3)] == ["First", "Second", "Third"]
        assert count_items(path) == 3


def test_a_session_without_messages_is_one(path: Path) -> None:
    with database_at(path) as database:
        session(database, "empty")
        session(database, "s", said("user", "Hi"))
    with pytest.raises(SourceError, match=r"no message at all.*--item"):
        load(path)
    assert load(path, item=1).title == "Hi"


def test_sub_agents_are_told_from_what_goes_on(path: Path) -> None:
    def child(name: str, parent: str, **more: Any) -> None:
        session(database, name, said("user", name), parent_session_id=parent, **more)

    with database_at(path) as database:
        session(database, "main", said("user", "x"), session_key="k")
        child("delegated", "main")
        child("delegate of it", "delegated")
        child("marked branch", "main", model_config=json.dumps({"_branched_from": "main"}))
        child("orphan", "deleted")
        session(database, "full", said("user", "x"), end_reason="compression")
        child("goes on", "full", model_config=json.dumps({"_branched_from": "elsewhere"}))
        child("delegate of full", "full", model_config=json.dumps({"_delegate_from": "full"}))
        child("sub, full", "main", end_reason="compression")
        child("sub goes on", "sub, full")
        session(database, "left", said("user", "x"), end_reason="branched", ended_at=5.0)
        child("branch", "left", started_at=6.0)
        child("begun before", "left", started_at=4.0)
        session(database, "reset", said("user", "x"), end_reason="idle", session_key="k")
        child("next", "reset", session_key="k")
        child("other", "reset", session_key="")
        child("itself", "itself", end_reason="compression")
    spawned = {}
    for number, item in enumerate(items(path, "hermes-database")):
        told = dict(facts(path, "hermes-database", number))
        assert item.is_subagent == ("parent" in told)
        if item.is_subagent:
            spawned[told["session"]] = told["parent"]
    assert spawned == {
        "delegated": "main",
        "delegate of it": "delegated",
        "orphan": "deleted",
        "delegate of full": "full",
        "sub, full": "main",
        "sub goes on": "main",
        "begun before": "left",
        "other": "reset",
    }


def test_a_compaction_in_place_begins_a_window(path: Path) -> None:
    """The rows it took are marked, the tail's old rows are taken back, and a copy of the tail follows the summary."""
    gone = {"active": 0, "compacted": 1}
    with database_at(path) as database:
        session(
            database,
            "s",
            said("user", "One", timestamp=1, **gone),
            said("assistant", "1", timestamp=2, **gone),
            said("user", "Two", timestamp=3, active=0),
            said("assistant", "2", timestamp=4, active=0),
            said("assistant", SUMMARY, timestamp=5, **gone),
            said("user", "Two", timestamp=3, **gone),
            said("assistant", "2", timestamp=4, **gone),
            said("user", "Three", timestamp=6, **gone),
            said("user", "What?", timestamp=7, active=0),
            said("user", "merged", timestamp=8, _compressed_summary=1),
            said("user", "Three", timestamp=6),
            said("assistant", "3", timestamp=9),
            system_prompt="S",
        )
    windows = [shape(load(path, window=n)) for n in range(load(path).windows)]
    system = ("system", "S")
    assert windows == [
        [system, ("user", "One"), ("assistant", "1"), ("user", "Two"), ("assistant", "2")],
        [system, ("user", SUMMARY), ("user", "Two"), ("assistant", "2"), ("user", "Three")],
        [system, ("user", "merged"), ("user", "Three"), ("assistant", "3")],
    ]
    assert load(path).skipped == (Skipped(0, "the turn was taken back"),)
    assert [m.kind for m in load(path).messages] == ["said", "summary", "said", "said"]


def test_turns_that_were_rewound_and_said_again(path: Path) -> None:
    with database_at(path) as database:
        back = {"active": 0}
        rows = [said("user", "Hi", timestamp=1, **back), said("user", "No", timestamp=2, **back)]
        session(database, "s", *rows, said("user", "Hi", timestamp=1), said("user", "Yes", timestamp=3))
    assert shape(load(path)) == [("user", "Hi"), ("user", "Yes")]
    assert len(load(path).skipped) == 2


def test_tools_that_were_refused_or_cancelled(path: Path) -> None:
    with database_at(path) as database:
        words = "[Tool execution cancelled — terminal was skipped due to user interrupt]"
        denied = said("tool", "no", tool_call_id="c", effect_disposition="denied")
        session(database, "s", said("user", "Hi"), denied, said("tool", words, tool_call_id="d"))
    assert facts(path, "hermes-database") == [("session", "s"), ("error", "no"), ("interrupted", words)]


def test_records_can_be_read_at_any_time(path: Path) -> None:
    with database_at(path) as database:
        session(database, "s", said("user", "Hi"))
    (found,) = format_named("hermes-database").conversations(Raw(path))
    assert isinstance(found, Item)
    assert [m.text for m in fold(found.records).windows[0]] == ["Hi"]


def test_one_session_is_in_memory_at_a_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with database_at(path) as database:
        for name in "abc":
            session(database, name, said("user", name))
    asked: list[Any] = []
    rows = SqliteFile.rows
    monkeypatch.setattr(SqliteFile, "rows", lambda self, *args: asked.append(args) or rows(self, *args))
    assert load(path, item=1).title == "b"
    assert [args[1] for args in asked if "messages" in args[0]] == [("b",)]


def test_the_latest_are_listed(path: Path) -> None:
    with database_at(path) as database:
        session(database, "a", said("user", "Old"), started_at=1.0)
        session(database, "b", said("user", "[SYSTEM: x]"), said("user", "Gone on with"), last_activity_at=9e9)
        session(database, "c", said("user", "Titled"), started_at=2e9, title="T")
        session(database, "d", said("user", "Sub"), started_at=3e9, parent_session_id="a")
        session(database, "e", started_at=4e9)
    latest = format_named("hermes-database").latest
    assert latest is not None
    assert [(one.item, one.title) for one in latest(Raw(path), 9)] == [(1, "Gone on with"), (2, "T"), (0, "Old")]
    assert [one.time for one in latest(Raw(path), 1)] == [1.7e9 + 1]
    assert latest(Raw(path), 0) == []


def test_every_profile_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERMES_HOME", str(tmp_path))
    (tmp_path / "profiles" / "work").mkdir(parents=True)
    (tmp_path / "profiles" / "work" / "state.db").touch()
    home = format_named("hermes-database").home
    assert home is not None
    assert home.session_folders == (tmp_path / "state.db", tmp_path / "profiles" / "work" / "state.db")


@pytest.mark.parametrize(
    ("schema", "lacking"),
    [
        ("CREATE TABLE other (x)", "sessions"),
        (NOW.replace("source TEXT NOT NULL", "name TEXT"), "sessions"),
        (NOW.replace("CREATE TABLE messages", "CREATE TABLE message").replace("ON messages", "ON message"), "messages"),
        (NOW.replace("tool_calls TEXT", "content_json TEXT"), "messages"),
        ("CREATE VIEW sessions AS SELECT 1 AS id, 2 AS source, 3 AS started_at", "sessions"),
    ],
)
def test_a_database_of_another_program_is_refused(path: Path, schema: str, lacking: str) -> None:
    with database_at(path, schema):
        pass
    with pytest.raises(SourceError, match=f"SQLite database that memscope cannot read.*without the table {lacking}"):
        recognise(Raw(path))
    with pytest.raises(SourceError, match="this is an SQLite database, not JSON"):
        load(path, input_format="openai")


def test_a_damaged_database_is_refused(path: Path) -> None:
    with database_at(path) as database:
        session(database, "s", *(said("user", "x" * 5000) for _ in range(50)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="damaged"):
        load(path)


def test_an_empty_database_holds_no_conversation(path: Path) -> None:
    with database_at(path):
        pass
    with pytest.raises(SourceError, match="holds no conversation"):
        load(path)


ODD = (
    st.none()
    | st.integers(-5, 10**12)
    | st.floats()
    | st.binary(max_size=9)
    | st.sampled_from(
        [
            "",
            "x",
            "user",
            "tool",
            "assistant",
            "{",
            "[]",
            '[{"a": 1}]',
            '{"_delegate_from": "s"}',
            "\0json:[",
            SUMMARY,
            "s",
        ]
    )
)
COLUMNS = (
    "role",
    "content",
    "tool_calls",
    "tool_call_id",
    "timestamp",
    "active",
    "compacted",
    "api_content",
    "tool_name",
)
ABOUT = ("title", "model_config", "system_prompt", "parent_session_id", "started_at", "end_reason", "cwd", "ended_at")


@given(
    st.lists(st.dictionaries(st.sampled_from(COLUMNS), ODD), max_size=4),
    st.dictionaries(st.sampled_from(ABOUT), ODD),
)
def test_nothing_in_a_row_makes_it_fail(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], about: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("odd") / "state.db"
    schema = "".join(
        f"CREATE TABLE {table} ({', '.join(columns)});"
        for table, columns in (
            ("sessions", ("id", "source", *ABOUT)),
            ("messages", ("id INTEGER PRIMARY KEY", "session_id", *COLUMNS)),
        )
    )
    with database_at(path, schema) as database:
        put(database, "sessions", id="s", **about)
        for row in rows:
            put(database, "messages", session_id="s", **row)
    for found in format_named("hermes-database").conversations(Raw(path)):
        assert isinstance(found, Item)
        fold(found.records)
    latest = format_named("hermes-database").latest
    assert latest is not None
    assert len(latest(Raw(path), 5)) <= 1
