"""One file read for a scan, whatever it is."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memscope.base.errors import SettingsError, UsageError
from memscope.sessions.kept import Reading, decoded
from memscope.sessions.reading import read_file, reader
from memscope.sessions.repositories import Patterns

PATTERNS = Patterns.of([])
TALK = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def read(path: Path, input_format: str = "") -> tuple[Reading, bool]:
    return read_file(str(path), PATTERNS, input_format)


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_conversations_of_a_file_by_their_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", "\n".join([json.dumps(TALK), "{broken", json.dumps(TALK), "7"]))
    found, is_lasting = read(path)
    assert (found.format, found.error, found.is_other, is_lasting) == ("openai", "", False, True)
    assert [(one.item, one.messages) for one in found.sessions] == [(0, 2), (1, 2)]
    assert [(one.malformed, one.skipped) for one in found.sessions] == [(2, 2), (0, 0)]


def test_a_reader_tells_it_as_a_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", json.dumps(TALK))
    text, is_lasting = reader((), "")(os.fsencode(path))
    assert decoded(text) == read(path)[0]
    assert is_lasting
    with pytest.raises(SettingsError):
        reader(("(",), "")
    with pytest.raises(UsageError):
        reader((), "no such format")


@pytest.mark.parametrize(
    ("content", "told", "is_other"),
    [
        (b"", "the file is empty", False),
        (b"\x1f\x8b\x08\x00", "compressed", False),
        (b"plain words\nand more\n", "", False),
        (b'{"a": 1}', "", True),
        (b"[" * 100_000, "", False),
        (b"\xff\xfe{\x00", "UTF-16", False),
        (b"SQLite format 3\x00" + b"\0" * 100, "damaged", False),
    ],
)
def test_what_is_no_transcript_says_why(tmp_path: Path, content: bytes, told: str, is_other: bool) -> None:
    found, _ = read(written(tmp_path / "a.jsonl", content))
    assert (found.format, found.sessions, found.is_other) == ("", (), is_other)
    assert found.error
    assert told in found.error
    assert str(tmp_path) not in found.error


def test_a_database_of_something_else_is_other(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE tracks (title TEXT)")
    found, _ = read(path)
    assert found.error == "this is an SQLite database that memscope cannot read"
    assert found.is_other


def test_a_database_that_is_locked_or_damaged_is_none_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("CREATE TABLE sessions (title TEXT)")
        database.execute("BEGIN EXCLUSIVE")
        locked, is_lasting = read(path)
    assert (locked.is_other, is_lasting) == (False, False)
    assert "locked" in locked.error
    cut, _ = read(written(tmp_path / "cut.db", path.read_bytes()[:3_000]))
    assert not cut.is_other
    assert "damaged" in cut.error


def test_the_reason_of_a_file_is_a_sentence(tmp_path: Path) -> None:
    found, _ = read(written(tmp_path / "a.jsonl", '{"a": 1}'))
    assert found.error == "this is no transcript that memscope reads"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(tmp_path / "s.jsonl"))
        told = [read(tmp_path / f"{name}.jsonl")[0].error for name in ("pipe", "folder", "s")]
    assert told == ["this is a pipe, not a file", "this is a folder, not a transcript", "this is a socket, not a file"]


def test_what_the_system_will_not_give_is_asked_for_again(tmp_path: Path) -> None:
    assert read(tmp_path / "gone.jsonl") == (Reading("", (), "there is no such file"), False)
    memory = Path("/proc/self/mem")  # a regular file, that even its owner cannot read from its start
    if memory.exists():
        found, is_lasting = read(memory)
        assert found.error
        assert not is_lasting


def test_a_format_that_is_named_is_not_guessed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", json.dumps(TALK))
    assert read(path, "openai")[0] == read(path)[0]
    other, _ = read(path, "hermes-database")
    assert other.format == "hermes-database"
    assert other.error
    assert not other.sessions


def test_a_file_that_holds_no_conversation_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", json.dumps({"a": 1}))
    found, is_lasting = read(path, "hermes")
    assert (found.format, found.error, is_lasting) == ("hermes", "it holds no conversation", True)
