"""`memscope score` as a person meets it: what it prints, its exit codes, and its numbers beside those of `matrix`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.__main__ import run
from memscope.reports.batch import BatchDocument
from tests.actions.test_batch_runs import SCORINGS, messages, talk
from tests.engines.server import KEY, ScoreServer

Call = Callable[..., tuple[int, str, str]]


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
    """A conversation, a file with two, one without memories, and a file that is none."""
    folder = tmp_path / "talks"
    folder.mkdir()
    talk(folder / "a.json")
    (folder / "b.jsonl").write_text("".join(json.dumps({"messages": messages(name)}) + "\n" for name in ("x", "y")))
    talk(folder / "c.json", 0)
    (folder / "d.json").write_text("{}")
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
