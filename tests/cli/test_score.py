"""`memscope score` as a person meets it: what it prints, its exit codes, and its numbers beside those of `matrix`."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from memscope.__main__ import run
from memscope.base.text import json_text
from memscope.reports.batch import BatchDocument
from tests.actions.test_batch_runs import SCORINGS, messages, talk
from tests.engines.server import KEY, ScoreServer
from tests.sessions.rows import NOW

Call = Callable[..., tuple[int, str, str]]
WRONG_PLACES = [('"/a"', "-1"), ('"/a"', "true"), (r'"/a\u0000"', "0"), (r'"/\ud800"', "0"), ("7", "0")]


@pytest.fixture
def memscope(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*args: str | Path) -> tuple[int, str, str]:
        code = run([str(arg) for arg in args])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def served(score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch) -> ScoreServer:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    monkeypatch.setenv("MEMSCOPE_BASE_URL", server.url)
    monkeypatch.setenv("MEMSCOPE_ENGINE", "score-api")
    monkeypatch.setenv("MEMSCOPE_MODEL", "scorer")
    return server


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """A conversation, an older file with two, one without memories, and a file that is none."""
    folder = tmp_path / "talks"
    folder.mkdir()
    talk(folder / "a.json")
    (folder / "b.jsonl").write_text("".join(json.dumps({"messages": messages(name)}) + "\n" for name in ("x", "y")))
    talk(folder / "c.json", 0)
    (folder / "d.json").write_text("{}")
    for age, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (NOW - age, NOW - age))
    return folder


def test_json_is_the_document_with_a_row_for_each(memscope: Call, talks: Path, served: ScoreServer) -> None:
    code, out, err = memscope("score", talks, "--json")

    document = BatchDocument.model_validate_json(out)
    assert code == 0
    assert json.loads(out)["schema"] == "memscope/batch@1"
    rows = document.conversations
    assert [(Path(row.source).name, row.item, row.state) for row in rows] == [
        ("a.json", 0, "done"),
        ("b.jsonl", 0, "done"),
        ("b.jsonl", 1, "done"),
        ("c.json", 0, "nothing"),
        ("d.json", 0, "failed"),
    ]
    assert "d.json: this is no transcript" in err
    assert document.engine is not None and document.engine.name == "score-api"
    assert sum(row.scorings or 0 for row in rows) == 3 * SCORINGS == len(served.log("/score"))


def test_its_numbers_are_those_of_the_matrix_which_then_asks_for_nothing(
    memscope: Call, talks: Path, served: ScoreServer
) -> None:
    rows = json.loads(memscope("score", talks, "--json")[1])["conversations"]
    served.configure()
    for row in rows[:3]:
        matrix = json.loads(memscope("matrix", row["source"], "--item", str(row["item"]), "--json")[1])
        best = max(matrix["memories"], key=lambda memory: memory["total"])
        assert (row["strongest"], row["total"]) == (best["key"] if best["total"] else None, best["total"] or None)
    assert served.log("/score") == []
    code, out, _ = memscope("score", talks / "a.json", "--json")
    assert (code, json.loads(out)["conversations"][0]["from_store"]) == (0, SCORINGS)
    assert memscope("memories", "--all", "--json")[0] == 0


def test_table_and_csv_have_a_line_for_each(memscope: Call, talks: Path, served: ScoreServer) -> None:
    code, out, _ = memscope("score", talks)
    assert code == 0
    assert "3 of 5 conversations scored · 1 with nothing to score · 1 failed · 15 scorings" in out
    rows = list(csv.DictReader(io.StringIO(memscope("score", talks, "--format", "csv")[1])))
    assert [row["state"] for row in rows] == ["done"] * 3 + ["nothing", "failed"]
    assert [row["on disk"] for row in rows] == [str(SCORINGS)] * 3 + ["0", ""]


@pytest.mark.parametrize(
    ("names", "fault", "code"),
    [(["c.json"], {}, 1), (["d.json"], {}, 2), (["gone.json"], {}, 2), (["a.json"], {"FAULT": 400}, 3)],
)
def test_exit_codes(
    memscope: Call, talks: Path, served: ScoreServer, names: list[str], fault: dict[str, object], code: int
) -> None:
    served.configure(**fault)
    assert memscope("score", *(talks / name for name in names), "--json")[0] == code


def test_when_three_fail_alike_the_others_are_not_tried(memscope: Call, talks: Path, served: ScoreServer) -> None:
    served.configure(FAULT=400, MESSAGE="out of order")
    code, out, err = memscope("score", talks, "--json")
    document = BatchDocument.model_validate_json(out)
    assert code == 3
    assert [row.state for row in document.conversations] == ["failed"] * 3 + ["waiting", "failed"]
    assert document.ended is not None and "out of order" in document.ended
    assert document.ended in err


def test_a_long_one_is_not_begun_unasked(
    memscope: Call, talks: Path, served: ScoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_ASK_ABOVE", "10")
    code, out, err = memscope("score", talks)
    assert (code, out, served.log("/score")) == (2, "", [])
    assert f"{3 * SCORINGS} scorings" in err and "--yes" in err
    assert memscope("score", talks, "--yes")[0] == 0


# Which of all there are


def states(out: str) -> list[tuple[str, int, str]]:
    rows = BatchDocument.model_validate(json.loads(out)).conversations
    return [(Path(row.source).name, row.item, row.state) for row in rows]


def test_of_folders_that_are_named_together_a_session_is_scored_once(
    memscope: Call, tmp_path: Path, served: ScoreServer
) -> None:
    said = [dict(message, id=f"m{n}", timestamp=n) for n, message in enumerate(messages("x"), 1)]
    folders = [tmp_path / "a", tmp_path / "b", tmp_path / "none"]
    for folder in folders:
        folder.mkdir()
    for folder in folders[:2]:
        (folder / "s.json").write_text(json.dumps({"session_id": "0199", "messages": said}))

    _, out, err = memscope("score", *folders, "--json")
    assert len([row for row in states(out) if row[2] == "done"]) == 1
    assert f"{folders[2]}: no transcript is below this folder" in err
    assert str(folders[0]) not in err

    _, _, err = memscope("memories", *folders[:2], "--score", "--json")
    assert "a copy or sub-agent counts with its session and is left out" in err


def test_of_a_folder_a_session_is_scored_once_unless_copies_are_asked_for(
    memscope: Call, tmp_path: Path, served: ScoreServer
) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    said = [dict(message, id=f"m{n}", timestamp=n) for n, message in enumerate(messages("x"), 1)]
    for name, these in (("whole.json", said), ("checkpoint.json", said[:-1])):
        (folder / name).write_text(json.dumps({"session_id": "0199", "messages": these}))

    code, out, err = memscope("score", folder, "--json")
    assert (code, states(out)) == (0, [("whole.json", 0, "done")])
    assert "a copy or sub-agent counts with its session and is left out: --copies" in err
    assert [row[0] for row in states(memscope("score", folder, "--copies", "--json")[1])] == [
        "whole.json",
        "checkpoint.json",
    ]
    assert [row[0] for row in states(memscope("score", folder / "checkpoint.json", folder, "--json")[1])] == [
        "checkpoint.json",
        "whole.json",
    ]


def test_a_folder_may_hold_a_database(memscope: Call, tmp_path: Path, served: ScoreServer) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "state.db")) as database, database:
        database.execute("CREATE TABLE sessions (id, source, started_at)")
        database.execute("CREATE TABLE messages (id, session_id, role, content, tool_calls, timestamp)")
        database.execute("INSERT INTO sessions VALUES ('s1', 'cli', 1.0)")
        database.execute("INSERT INTO messages VALUES (1, 's1', 'user', 'Hi', NULL, 1.0)")

    assert states(memscope("score", folder, "--json")[1]) == [("state.db", 0, "nothing")]


def piped(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_list_of_sessions_is_read_from_standard_input(
    memscope: Call, talks: Path, served: ScoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (talks / "b.jsonl").rename(talks / os.fsdecode(b"\xff.jsonl"))
    rows = json.loads(memscope("sessions", talks, "--json")[1])
    second = [row for row in rows if row["item"] == 1 or row["filename"] == "d.json"]
    assert len(second) == 2
    piped(json_text(second), monkeypatch)

    code, out, err = memscope("score", "-", "--json")

    assert code == 0
    assert states(out) == [(os.fsdecode(b"\xff.jsonl"), 1, "done"), ("d.json", 0, "failed")]
    assert "no transcript" in err


def test_an_empty_list_scores_nothing_and_says_so(
    memscope: Call, served: ScoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped("[]\n", monkeypatch)
    code, out, err = memscope("score", "-", "--json")
    assert (code, states(out)) == (1, [])
    assert "the list is empty: nothing is scored" in err


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "{}", "[1]", '[{"path": "/a"}]', '[{"path": "", "score": 3, "breakdown": null}]', "[" * 100_000]
    + [f'[{{"path": {path}, "item": {item}, "score": 3, "breakdown": null}}]' for path, item in WRONG_PLACES],
)
def test_what_is_no_such_list_is_an_error(
    memscope: Call, served: ScoreServer, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    piped(text, monkeypatch)
    code, out, err = memscope("score", "-")
    assert (code, out) == (2, "")
    assert "standard input: this is no list of sessions" in err


@pytest.mark.parametrize("command", ["score", "sessions"])
def test_an_empty_path_is_not_the_current_folder(memscope: Call, command: str) -> None:
    code, out, err = memscope(command, "")
    assert (code, out) == (2, "")
    assert "the path is empty" in err
