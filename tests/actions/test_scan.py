"""Folders of sessions scanned, and again: each file once, whatever it is, and nothing stops it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from memscope.actions import scan as scanning
from memscope.actions.scan import Scan, scan, session_folders
from memscope.actions.walk import AGAIN
from memscope.base.errors import Cancelled, SettingsError, UsageError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings
from memscope.sessions.facts import ScannedFile
from memscope.store.database import Database
from tests.actions.scan_work import mortal

TABLES = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, system_prompt TEXT,
    parent_session_id TEXT, started_at REAL NOT NULL);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT,
    tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL);
INSERT INTO sessions (id, source, started_at) VALUES ('s1', 'cli', 1.7e9);
"""
SAY = "INSERT INTO messages (session_id, role, content, timestamp) VALUES ('s1', 'user', 'Hi', 1.7e9)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "t"
    path.mkdir()
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folder, in which no agent was ever run."""
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "HERMES_HOME", "PI_CODING_AGENT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OPENCLAW_STATE_DIR", raising=False)
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    return path


def native(path: Path, *said: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    roles = ("user", "assistant")
    path.write_text(json.dumps({"messages": [{"role": roles[n % 2], "content": t} for n, t in enumerate(said)]}))
    return path


def claude(path: Path, *said: str, cwd: str = "/home/a/mise") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(said):
            record = {
                "type": "user",
                "uuid": f"u{number}",
                "parentUuid": f"u{number - 1}" if number else None,
                "sessionId": path.stem,
                "timestamp": f"2026-05-01T10:00:0{number}Z",
                "cwd": cwd,
                "version": "2",
                "message": {"role": "user", "content": text},
            }
            print(json.dumps(record), file=file)
    return path


def scanned(
    *folders: Path,
    database: Database | None = None,
    settings: Settings | None = None,
    job: Job | None = None,
    landed: Callable[[Sequence[ScannedFile]], object] = lambda files: None,
) -> Scan:
    return scan(folders, settings or Settings(), database, job or Job(), landed)


def stored(*folders: Path, database: Database, settings: Settings | None = None) -> list[ScannedFile]:
    """What a scan of these folders would go on from: what lands before it looks at any file."""
    found: list[ScannedFile] = []
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        scanned(*folders, database=database, settings=settings, job=job, landed=found.extend)
    return found


def told(found: Scan, folder: Path) -> dict[str, str]:
    """Of every file its error, else its format."""
    return {os.path.relpath(file.path, folder): file.error or file.format for file in found.files}


def come_to(found: Scan) -> tuple[int, int, int]:
    return found.read, found.kept, found.gone


class At(Job):
    """A job in which something happens once, when so many files are read."""

    def __init__(self, read: int, happens: Callable[[], object]) -> None:
        super().__init__(self._told)
        self.at: int | None = read
        self.happens = happens

    def _told(self, progress: Progress) -> None:
        if self.at is not None and progress.doing.startswith("reading") and progress.done >= self.at:
            self.at = None
            self.happens()


def test_files_of_several_formats_are_read_once(folder: Path, database: Database) -> None:
    native(folder / "b.json", "Hi", "Hello", "Bye")
    claude(folder / "sub" / "c.jsonl", "Hi")
    (folder / "a_20260501_100000_ab12cd34.jsonl").write_text(
        json.dumps({"role": "user", "content": "Hi", "timestamp": "2026-05-01T10:00:00.5"})
    )
    landed: list[ScannedFile] = []
    first = scanned(folder, database=database, landed=landed.extend)
    assert list(told(first, folder).items()) == [
        *(("a_20260501_100000_ab12cd34.jsonl", "hermes"), ("b.json", "openai"), ("sub/c.jsonl", "claude-code"))
    ]
    assert [file.sessions[0].messages for file in first.files] == [1, 3, 1]
    assert [repo.name for repo in first.files[2].sessions[0].repositories] == ["mise"]
    assert come_to(first) == (3, 0, 0)
    assert first.bytes_read == sum(file.stamp.size for file in first.files)
    assert sorted(landed) == sorted(first.files)
    again = scanned(folder, database=database)
    assert (again.files, come_to(again), again.bytes_read, again.trouble) == (first.files, (0, 3, 0), 0, "")
    assert stored(folder, database=database) == list(first.files)
    assert scanned(folder).files == first.files


def test_a_rescan_reads_what_changed_and_lets_go_of_what_is_gone(folder: Path, database: Database) -> None:
    a, b, c = (native(folder / "sub" / f"{name}.json", "Hi") for name in "abc")
    scanned(folder, database=database)
    native(a, "Hi", "Hello")
    os.utime(b, ns=(1, 1))
    c.unlink()
    found = scanned(folder, database=database)
    assert come_to(found) == (2, 0, 1)
    assert [file.sessions[0].messages for file in found.files] == [2, 1]
    assert stored(folder, database=database) == list(found.files)
    shutil.rmtree(folder)
    found = scanned(folder, database=database)
    assert told(found, folder) == {".": "there is no such file"}
    assert (come_to(found), stored(folder, database=database)) == ((0, 0, 2), [])


def test_another_folder_is_not_forgotten(folder: Path, tmp_path: Path, database: Database) -> None:
    native(folder / "a.json", "Hi")
    native(tmp_path / "t2" / "b.json", "Hi")
    scanned(tmp_path / "t2", database=database)
    assert come_to(scanned(folder, database=database)) == (1, 0, 0)
    assert come_to(scanned(folder, tmp_path / "t2", folder, database=database)) == (0, 2, 0)


def test_other_repositories_are_looked_for_anew(folder: Path, database: Database) -> None:
    native(folder / "a.json", "Hi")
    other = Settings(repositories=("mise",))
    scanned(folder, database=database)
    assert stored(folder, database=database, settings=other) == []
    assert come_to(scanned(folder, database=database, settings=other)) == (1, 0, 0)
    assert come_to(scanned(folder, database=database, settings=other)) == (0, 1, 0)
    with pytest.raises(SettingsError):
        scanned(folder, settings=Settings(repositories=("(",)))
    with pytest.raises(UsageError):
        scan([folder], Settings(), None, Job(), input_format="no such format")


def test_whatever_is_there_is_told_and_stops_nothing(folder: Path, database: Database) -> None:
    claude(folder / "long.jsonl", "Hi", "x" * 1_400_000)
    (folder / "empty.jsonl").touch()
    (folder / "cut.jsonl").write_bytes((folder / "long.jsonl").read_bytes()[:-9])
    (folder / "words.jsonl").write_text("no JSON\n")
    (folder / "binary.json").write_bytes(bytes(range(256)))
    (folder / "loop").symlink_to(folder)
    (folder / "self.json").symlink_to(folder / "self.json")
    (folder / "twice.json").symlink_to(folder / "long.jsonl")
    os.mkfifo(folder / "pipe.jsonl")
    os.utime(native(folder / "future.json", "Hi"), (2**33, 2**33))
    shutil.copy(folder / "future.json", os.fsencode(folder) + b"/\xff.json")
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(folder / "socket.json"))
        found = scanned(folder, database=database)
    errors = told(found, folder)
    assert errors.pop("self.json")
    assert errors.pop("words.jsonl")
    assert errors == {
        "long.jsonl": "claude-code",
        "cut.jsonl": "claude-code",
        "future.json": "openai",
        "\udcff.json": "openai",
        "empty.jsonl": "the file is empty",
        "binary.json": "this is a binary file, not a transcript",
        "loop": AGAIN,
        "pipe.jsonl": "this is a pipe, not a file",
        "socket.json": "this is a socket, not a file",
    }
    by_name = {Path(file.path).name: file for file in found.files}
    assert [by_name[name].sessions[0].messages for name in ("long.jsonl", "cut.jsonl")] == [2, 1]
    assert by_name["cut.jsonl"].sessions[0].malformed == 1
    assert by_name["future.json"].stamp.modified == 2**33 * 10**9
    again = scanned(folder, database=database)
    assert (again.files, again.read) == (found.files, 0)


def test_what_the_system_will_not_give_is_asked_for_each_time(folder: Path, database: Database) -> None:
    memory = Path("/proc/self/mem")
    if not memory.exists():
        pytest.skip("no file here that cannot be read by everybody")
    (folder / "a.json").symlink_to(memory)
    native(folder / "b.json", "Hi")
    first = scanned(folder, database=database)
    assert [bool(file.error) for file in first.files] == [True, False]
    assert come_to(scanned(folder, database=database)) == (0, 1, 0)


def test_files_that_vanish_before_they_are_read(folder: Path, database: Database) -> None:
    for modified, name in enumerate("cba"):  # the newest is read first
        os.utime(native(folder / name / "x.json", "Hi"), (modified, modified))
    job = At(1, lambda: shutil.rmtree(folder / "c"))
    found = scanned(folder, database=database, job=job)
    gone = "there is no such file"
    assert told(found, folder) == {"a/x.json": "openai", "b/x.json": "openai", "c/x.json": gone}
    assert [Path(file.path).parent.name for file in stored(folder, database=database)] == ["a", "b"]


def test_a_folder_that_vanishes_while_it_is_looked_through(folder: Path, database: Database) -> None:
    native(folder / "a.json", "Hi")
    native(folder / "z" / "x.json", "Hi")
    scanned(folder, database=database)
    job = Job(lambda progress: shutil.rmtree(folder / "z", ignore_errors=True))
    found = scanned(folder, database=database, job=job)
    assert told(found, folder) == {"a.json": "openai", "z": "there is no such file"}
    assert come_to(found) == (0, 1, 1)


def test_a_cancelled_scan_goes_on_where_it_was(folder: Path, database: Database) -> None:
    for number in range(9):
        native(folder / f"{number}.json", "Hi")
    landed: list[ScannedFile] = []
    job = At(3, list)
    job.happens = job.cancel
    with pytest.raises(Cancelled):
        scanned(folder, database=database, job=job, landed=landed.extend)
    assert len(landed) == 3
    assert sorted(stored(folder, database=database)) == sorted(landed)
    assert come_to(scanned(folder, database=database)) == (6, 3, 0)


def test_one_cancelled_while_it_looks_forgets_nothing(folder: Path, database: Database) -> None:
    native(folder / "a.json", "Hi")
    scanned(folder, database=database)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        scanned(folder, database=database, job=job)
    assert len(stored(folder, database=database)) == 1


def test_a_file_that_kills_its_process_costs_itself(
    folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(scanning, "processors", lambda: 2)
    monkeypatch.setattr(scanning, "reader", mortal)
    for name in ("a", "deadly", "x", "y", "z"):
        native(folder / f"{name}.json", "Hi")
    first = scanned(folder, database=database)
    deadly = "reading it ended the process that read it"
    assert list(told(first, folder).values()) == ["openai", deadly, "openai", "openai", "openai"]
    assert come_to(scanned(folder, database=database)) == (1, 4, 0)  # what killed may not the next time


@pytest.mark.parametrize("at", [0, 2])
def test_a_store_that_fails_costs_only_what_it_would_keep(folder: Path, tmp_path: Path, at: int) -> None:
    for number in range(5):
        native(folder / f"{number}.json", "Hi")
    database = Database(tmp_path / "failing")
    if not at:
        database.close()
    found = scanned(folder, database=database, job=At(at, database.close))
    assert set(told(found, folder).values()) == {"openai"}
    assert len(found.files) == found.read == 5
    assert "store" in found.trouble


def test_a_damaged_row_is_read_again(folder: Path, database: Database) -> None:
    native(folder / "a.json", "Hi")
    native(folder / "b.json", "Hi")
    scanned(folder, database=database)
    database.write("UPDATE sessions SET found = '[1' WHERE path = ?", os.fsencode(folder / "a.json"))
    assert len(stored(folder, database=database)) == 1
    assert come_to(scanned(folder, database=database)) == (1, 1, 0)


def test_a_database_is_fresh_only_with_its_log(folder: Path, database: Database) -> None:
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as agent:
        agent.execute("PRAGMA journal_mode = wal")
        agent.executescript(TABLES)
        agent.execute(SAY)
        first = scanned(folder, database=database)
        before = (folder / "state.db").stat()
        agent.execute(SAY)
        after = (folder / "state.db").stat()
        assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        found = scanned(folder, database=database)
        assert come_to(scanned(folder, database=database)) == (0, 1, 0)
    assert told(first, folder) == {"state.db": "hermes-database"}
    assert (first.files[0].sessions[0].messages, found.files[0].sessions[0].messages) == (1, 2)
    assert come_to(found) == (1, 0, 0)


def other_files(folder: Path) -> None:
    """What is no session."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.json").write_text('{"a": 1}')
    with closing(sqlite3.connect(folder / "music.db")) as tracks:
        tracks.execute("CREATE TABLE tracks (title TEXT)")


def test_an_agents_own_folder_leaves_out_what_is_beside(home: Path, database: Database) -> None:
    projects = home / ".claude" / "projects"
    claude(projects / "-a" / "s.jsonl", "Hi")
    native(projects / "-a" / "tool-results" / "x.json", "Hi")
    other_files(projects / "-a")
    (projects / "-a" / "empty.jsonl").touch()
    settings = Settings(session_folders=(str(home / "mine"),))
    folders = session_folders(settings)
    assert folders == [projects, home / "mine"]
    for read, kept in ((3, 0), (0, 3)):
        found = scanned(*folders, database=database, settings=settings)
        assert told(found, projects) == {
            "-a/empty.jsonl": "the file is empty",
            "-a/s.jsonl": "claude-code",
            "../../mine": "there is no such file",
        }
        assert (found.read, found.kept, found.left_out) == (read, kept, 2)
    assert [Path(file.path).name for file in stored(*folders, database=database, settings=settings)] == ["s.jsonl"]


def test_a_folder_that_is_named_tells_what_is_no_session(home: Path, database: Database) -> None:
    """Also one in a person's own folder, in which all agents have theirs."""
    folder = home / "mine"
    native(folder / "memory" / "a.json", "Hi")
    other_files(folder)
    found = scanned(folder, database=database)
    errors = told(found, folder)
    assert errors.pop("index.json")
    assert errors == {"memory/a.json": "openai"}
    assert found.left_out == 1
    (named,) = scanned(folder / "music.db", database=database).files
    assert named.error
