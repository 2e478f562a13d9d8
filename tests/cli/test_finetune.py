"""`memscope finetune` as a person meets it: what it prints, its exit codes, and its numbers beside a plain reading."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memscope.__main__ import run
from memscope.actions.open import Opening, opened
from memscope.actions.triage import Decision, decide, known_of, subjects_of
from memscope.base.settings import Settings, data_dir
from memscope.reports.finetune import FinetuneDocument
from memscope.store.database import Database
from tests import classic_oracle as oracle
from tests.engines.server import KEY, ScoreServer, score

Serve = Callable[..., ScoreServer]
Call = Callable[..., tuple[int, str, str]]


def messages(name: str, turns: int = 12) -> list[dict[str, str]]:
    """A memory before every third turn, one of them inside the last few."""
    found = [{"role": "system", "content": "You help."}]
    for n in range(turns):
        if n % 3 == 0:
            found.append({"role": "user", "memory_key": f"m{n}", "content": f"Fact {n} of {name}."})
        found += [{"role": "user", "content": f"Question {n}?"}, {"role": "assistant", "content": f"{name} {n}."}]
    return found


@pytest.fixture
def memscope(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*args: str | Path) -> tuple[int, str, str]:
        code = run(["finetune", *(str(arg) for arg in args)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def served(score_server: Serve, monkeypatch: pytest.MonkeyPatch) -> ScoreServer:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    monkeypatch.setenv("MEMSCOPE_BASE_URL", server.url)
    monkeypatch.setenv("MEMSCOPE_ENGINE", "score-api")
    monkeypatch.setenv("MEMSCOPE_MODEL", "scorer")
    return server


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """Two conversations and a file that is none."""
    folder = tmp_path / "talks"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.json").write_text(json.dumps({"title": f"Talk {name}", "messages": messages(name)}))
    (folder / "c.json").write_text("{}")
    return folder


def owed(name: str) -> dict[int, float]:
    """What all memories together gave each response, by the server's formula, where it is above nothing."""
    told = messages(name)
    bare = score([m for m in told if "memory_key" not in m])
    places = [n for n, m in enumerate(told) if m["role"] == "assistant"]
    pairs = zip(places, score(told), bare, strict=True)
    return {place: whole - without for place, whole, without in pairs if whole > without}


def candidates(document: dict[str, Any], row: int = 0) -> dict[int, float]:
    return {one["message"]: one["divergence"] for one in document["conversations"][row]["candidates"]}


def test_json_is_the_document_with_every_conversation(memscope: Call, talks: Path, served: ScoreServer) -> None:
    code, out, err = memscope(talks, "--threshold", "0", "--json")

    document = json.loads(out)
    FinetuneDocument.model_validate(document)
    assert (code, document["schema"], document["threshold"]) == (0, "memscope/finetune@1", 0.0)
    assert [Path(row["source"]).name for row in document["conversations"]] == ["a.json", "b.json", "c.json"]
    assert [candidates(document, row) for row in (0, 1)] == [owed("a"), owed("b")]
    assert "no transcript" in document["conversations"][2]["error"]
    assert "c.json: this is no transcript" in err


def test_the_default_threshold_is_one_nat_whatever_the_setting_of_the_matrix(
    memscope: Call, talks: Path, served: ScoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_THRESHOLD", "0.2")

    document = json.loads(memscope(talks / "a.json", "--json")[1])

    assert document["threshold"] == 1.0
    assert candidates(document) == {message: effect for message, effect in owed("a").items() if effect > 1.0}
    assert candidates(document)


@pytest.mark.parametrize("classic", [True, False])
@pytest.mark.parametrize("count", [1, 5, 9, 1000])
def test_the_numbers_of_a_window_are_the_classic_ones(
    memscope: Call, talks: Path, served: ScoreServer, count: int, classic: bool
) -> None:
    options = ("--compat", "classic") if classic else ("--context", "window")

    document = json.loads(memscope(talks / "a.json", "--count", str(count), "--threshold", "0", *options, "--json")[1])

    expected = oracle.score_finetune(messages("a"), score, count)
    assert [(one["message"], one["divergence"]) for one in document["conversations"][0]["candidates"]] == [
        (message, pytest.approx(value, abs=1e-9)) for message, value in expected if value > 0
    ]
    assert document["conversations"][0]["responses_seen"] == len(expected)


def test_a_table_and_a_csv_have_a_row_a_candidate(memscope: Call, talks: Path, served: ScoreServer) -> None:
    found = [(f"Talk {name}", message) for name in "ab" for message in owed(name)]

    _, table, _ = memscope(talks, "--threshold", "0")
    _, text, _ = memscope(talks, "--threshold", "0", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted((row["conversation"], int(row["message"])) for row in rows) == sorted(found)
    owes = [float(row["divergence"]) for row in rows]
    assert owes == sorted(owes, reverse=True), "the most dependent first, whatever the conversation"
    assert {row["decision"] for row in rows} == {"undecided"}
    assert sum(line.lstrip().startswith("#") for line in table.splitlines()) == len(found)
    assert "conversation" in table.splitlines()[0] and "item" not in table.splitlines()[0]
    one = memscope(talks / "a.json", "--threshold", "0")[1].splitlines()[0]
    assert one.split() == ["message", "divergence", "per", "token", "decision", "response"]
    assert f"{len(found)} responses owe the memories more than 0 nats: 24 responses seen in 2 conversations" in table


def test_decided_responses_are_shown_with_their_decision(memscope: Call, talks: Path, served: ScoreServer) -> None:
    database = Database(data_dir())
    found = opened(Opening(talks / "a.json"), Settings(), database)
    message = next(iter(owed("a")))
    decide(
        database, [Decision(subjects_of(found.conversation)[message], "reject", known_of(found, None, message, 1, 1))]
    )
    database.close()

    document = json.loads(memscope(talks / "a.json", "--threshold", "0", "--json")[1])

    said = {one["message"]: one["decision"] for one in document["conversations"][0]["candidates"]}
    assert said.pop(message) == "rejected"
    assert set(said.values()) == {"undecided"}


def test_nothing_found_is_one_with_the_reason(memscope: Call, talks: Path, served: ScoreServer) -> None:
    code, out, err = memscope(talks / "a.json", "--threshold", "500")
    assert (code, err) == (1, "")
    assert out.strip().startswith(
        "No response owes the memories more than 500 nats: 12 responses seen in 1 conversation;"
    )

    code, out, err = memscope(talks / "a.json", "--threshold", "500", "--json")
    assert code == 1
    assert json.loads(out)["conversations"][0]["candidates"] == []
    assert "No response owes" in err


def test_a_failed_baseline_of_all_is_three_and_of_some_is_told(
    memscope: Call, talks: Path, served: ScoreServer
) -> None:
    served.configure(FAULT="400", FAULT_UNLESS="a 0.")
    code, _, err = memscope(talks / "a.json", talks / "b.json", "--threshold", "0")
    assert code == 0
    assert "b.json: " in err

    assert ": 12 responses seen in 1 conversation; 12 of them not measured; " in memscope(talks / "b.json")[1]
    code, out, err = memscope(talks / "b.json", talks / "c.json", "--json")
    assert code == 3
    assert json.loads(out)["conversations"][0]["max_divergence"] is None
    assert "b.json: " in err


def test_two_only_when_nothing_could_be_read(memscope: Call, talks: Path, served: ScoreServer) -> None:
    code, out, err = memscope(talks / "c.json", talks / "missing.json", "--json")
    assert code == 2
    assert [row["window"] for row in json.loads(out)["conversations"]] == [None, None]
    assert "missing.json: there is no such file" in err
    assert memscope(talks / "a.json", talks / "missing.json", "--threshold", "0")[0] == 0
    assert memscope()[0] == 2
    assert memscope(talks, "--threshold", "-1")[0] == 2
    assert memscope(talks, "--count", "0")[0] == 2


def test_memory_files_that_cannot_be_read_are_told_before_anything(
    memscope: Call, talks: Path, served: ScoreServer
) -> None:
    code, out, err = memscope(talks, "--memories", talks / "missing.md")
    assert (code, out) == (2, "")
    assert "missing.md" in err
    assert not served.log("/score")


def test_many_errors_are_told_in_a_few_lines(memscope: Call, tmp_path: Path) -> None:
    for n in range(30):
        (tmp_path / f"{n}.json").write_text("{}")

    code, _, err = memscope(tmp_path)

    assert code == 2
    assert len(err.splitlines()) == 6
    assert max(map(len, err.splitlines())) < 500
    assert err.splitlines()[-1] == "memscope: and 25 more that could not be read or scored"


def test_a_long_run_is_not_begun_unasked(
    memscope: Call, talks: Path, served: ScoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_ASK_ABOVE", "10")

    code, out, err = memscope(talks)

    assert (code, out) == (2, "")
    assert "4 scorings" in err
    assert "--yes" in err
    assert not served.log("/score")
    assert memscope(talks, "--threshold", "0", "--yes")[0] == 0


def test_a_stopped_run_goes_on_with_only_what_is_missing(memscope: Call, tmp_path: Path, served: ScoreServer) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(8):
        (folder / f"{n}.json").write_text(json.dumps({"messages": messages(str(n))}))
    served.configure(ANSWERS=5)
    stopped = subprocess.Popen(
        [sys.executable, "-m", "memscope", "finetune", str(folder), "--threshold", "0", "--json", "--workers", "1"],
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 30
    while len(served.log("/score")) <= 5 and time.monotonic() < until:
        time.sleep(0.02)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=20)
    assert (stopped.returncode, out) == (130, b"")
    assert b"is kept: run the same again to go on" in err
    served.configure()

    code, text, _ = memscope(folder, "--threshold", "0", "--json")

    assert code == 0
    assert [candidates(json.loads(text), n) for n in range(8)] == [owed(str(n)) for n in range(8)]
    assert len(served.log("/score")) <= 12
