"""One memory, rounds of incremental scoring, and classic mode, from the command line."""

from __future__ import annotations

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
from memscope.base.settings import data_dir
from memscope.store.database import Database
from tests import classic_oracle as oracle
from tests.classic_oracle import Entry
from tests.engines.server import KEY, ScoreServer, score

Serve = Callable[..., ScoreServer]
Printed = tuple[int, str, str]
NOW = "2026-05-01T12:00:00Z"
MEMORIES = 8


@pytest.fixture
def memscope(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Runs a command line; its exit code, standard output and standard error."""
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)

    def call(*args: str | Path) -> Printed:
        code = run([str(arg) for arg in args])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def talk() -> list[Entry]:
    """Memories one of which returns, and as many responses between them."""
    messages: list[Entry] = [{"role": "system", "content": "You help."}, {"role": "user", "content": "Hello."}]
    for n in range(MEMORIES):
        messages.append({"role": "user", "content": f"Fact {n}, and more of it.", "memory_key": f"m{n}"})
        messages.append({"role": "assistant", "content": f"Answer {n}."})
    messages.append({"role": "user", "content": "Fact 0, and more of it.", "memory_key": "m0"})
    return [*messages, {"role": "user", "content": "Question?"}, {"role": "assistant", "content": "The last answer."}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "talk.json"
    found.write_text(json.dumps({"messages": talk()}))
    return found


def to(server: ScoreServer) -> list[str]:
    return ["--engine", "score-api", "--base-url", server.url, "--model", "scorer"]


def close(value: object) -> object:
    return pytest.approx(value, abs=1e-9, rel=0)


# --- one memory ------------------------------------------------------------------------------------------------------


def test_one_memory_as_a_document(memscope, path: Path, score_server: Serve) -> None:
    server = score_server()
    line = ["memory", "m3", path, *to(server), "--responses", "2", "--context", "window"]
    code, out, err = memscope(*line, "--json")
    document = json.loads(out)
    assert (code, err, document["schema"], document["key"]) == (0, "", "memscope/memory@1", "m3")
    assert document["window"] == [8, 11]
    assert [effect["message"] for effect in document["effects"]] == [9, 11]
    effects = [effect["effect"] for effect in document["effects"]]
    assert document["sum"] == close(sum(effects))
    assert document["max"] == close(max(effects))
    assert document["divergence"] == close(oracle.score_memory(talk(), score, "m3", 2))
    assert (document["settings"]["context"], document["settings"]["compat"]) == ("window", None)
    assert len(server.log("/score")) == 2
    code, out, _ = memscope(*line)
    assert code == 0
    assert "#8 to #11, 2 responses" in out


def test_an_unknown_key_names_those_like_it(memscope, path: Path) -> None:
    code, out, err = memscope("memory", "m33", path)
    assert (code, out) == (2, "")
    assert "Did you mean m3" in err


@pytest.mark.parametrize(("lacking", "code"), [("Fact 3", 0), ("no such text", 3)])
def test_a_scoring_that_fails_is_told(lacking: str, code: int, memscope, path: Path, score_server: Serve) -> None:
    server = score_server(FAULT="400", FAULT_UNLESS=lacking)
    found, out, err = memscope("memory", "m3", path, *to(server), "--json")
    document = json.loads(out)
    assert (found, document["sum"], document["divergence"]) == (code, None, None)
    assert "400" in document["reason"]
    assert "400" in err


def test_a_key_that_begins_with_a_dash_goes_behind_two(memscope, tmp_path: Path) -> None:
    path = tmp_path / "dashes.json"
    fact = {"role": "user", "content": "Likes tea.", "memory_key": "--json"}
    path.write_text(json.dumps({"messages": [fact, *talk()]}))
    code, out, _ = memscope("memory", "--json", "--", "--json", path)
    assert (code, json.loads(out)["key"]) == (0, "--json")


def test_a_memory_that_nothing_follows_ends_with_one(memscope, tmp_path: Path) -> None:
    last = {"role": "user", "content": "Late.", "memory_key": "late"}
    path = tmp_path / "late.json"
    path.write_text(json.dumps({"messages": [*talk(), last]}))
    code, out, err = memscope("memory", "late", path, "--json")
    document = json.loads(out)
    assert (code, err, document["divergence"], document["effects"]) == (1, "", 0.0, [])
    assert document["cost"]["scorings"] == 0


# --- incremental -----------------------------------------------------------------------------------------------------


def test_a_round_and_the_next(memscope, path: Path, score_server: Serve) -> None:
    server = score_server()
    line = ["incremental", path, *to(server), "--context", "window", "--json"]
    code, out, err = memscope(*line, "--now", NOW)
    document = json.loads(out)
    expected = oracle.incremental(talk(), score, {}, now=4e9, max_age=3600, responses=100, percent=60)
    assert (code, err, document["schema"]) == (0, "", "memscope/incremental@1")
    assert [(row["key"], row["score"]) for row in document["scored"]] == [
        (key, close(value)) for key, value in expected
    ]
    assert {row["last_scored"] for row in document["scored"]} == {NOW}
    assert [row["key"] for row in document["skipped"]] == [f"m{n}" for n in range(len(expected), MEMORIES)]
    assert all("too recent" in row["reason"] and "characters" in row["reason"] for row in document["skipped"])
    server.configure()
    later = json.loads(memscope(*line, "--now", "2026-05-01T12:30:00Z")[1])
    assert (later["scored"], [row["key"] for row in later["fresh"]]) == ([], [key for key, _ in expected])
    old = json.loads(memscope(*line, "--now", "2026-05-01T12:30:00+00:00", "--max-age", "1800")[1])
    assert len(old["scored"]) == len(expected)
    assert server.log("/score") == []  # the conversation has not changed


def test_a_dry_run_asks_nothing(memscope, path: Path, score_server: Serve) -> None:
    server = score_server()
    code, out, _ = memscope("incremental", path, *to(server), "--dry-run", "--cutoff", "1", "--json")
    assert (code, json.loads(out)["due"]) == (0, [f"m{n}" for n in range(MEMORIES)])
    assert server.log("/score") == []


def test_failures_are_told_and_only_a_round_of_failures_ends_with_three(
    memscope, path: Path, score_server: Serve
) -> None:
    server = score_server(FAULT="400", FAULT_UNLESS="Fact 1")
    code, out, err = memscope("incremental", path, *to(server), "--json")
    document = json.loads(out)
    assert (code, [row["key"] for row in document["failed"]]) == (0, ["m1"])
    assert "failed: m1" in err
    server.configure(FAULT="400")
    code, out, _ = memscope("incremental", path, *to(server), "--json", "--max-age", "0", "--no-store")
    assert code == 3
    assert json.loads(out)["scored"] == []


def test_classic_failures_are_passed_over_in_silence(memscope, path: Path, score_server: Serve) -> None:
    server = score_server(FAULT="400", FAULT_UNLESS="Fact 1")
    code, out, err = memscope("incremental", path, *to(server), "--compat", "classic", "--context", "full", "--json")
    document = json.loads(out)
    assert (code, err, document["failed"]) == (0, "", [])
    assert "m1" not in [row["key"] for row in document["scored"]]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--now", "yesterday"], "is no time in ISO 8601"),
        (["--now", "9999-12-31T23:59:59-12:00"], "is no time in ISO 8601"),
        (["--now", "0001-01-01T00:00:00+12:00"], "is no time in ISO 8601"),
        (["--cutoff", "1.5"], "--cutoff cannot be 1.5"),
        (["--max-age", "-1"], "--max-age cannot be -1"),
        (["--responses", "0"], "--responses cannot be 0"),
    ],
)
def test_what_cannot_be_is_refused(flags: list[str], said: str, memscope, path: Path) -> None:
    code, out, err = memscope("incremental", path, *flags)
    assert (code, out) == (2, "")
    assert said in err


def test_a_killed_round_loses_at_most_the_memory_in_flight(memscope, path: Path, score_server: Serve) -> None:
    server = score_server(ANSWERS=7)
    line = ["incremental", str(path), *to(server), "--cutoff", "1", "--context", "window", "--json"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "memscope", *line], env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 30
    while len(server.log("/score")) <= 7 and time.monotonic() < until:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=20)
    kept = weights()
    assert len(kept) == 3  # two requests a memory
    server.configure()
    document = json.loads(memscope(*line)[1])
    assert [row["key"] for row in document["fresh"]] == sorted(kept)
    assert len(document["fresh"]) + len(document["scored"]) == MEMORIES
    expected = dict(oracle.incremental(talk(), score, {}, now=4e9, max_age=3600, responses=100, percent=100))
    assert weights() == {key: close(value) for key, value in expected.items()}


def weights() -> dict[str, Any]:
    store = Database(data_dir())
    try:
        rows = store.read("SELECT memory, weight FROM weights ORDER BY id")
    finally:
        store.close()
    return {key.decode(): weight for key, weight in rows if isinstance(key, bytes)}


# --- classic mode ----------------------------------------------------------------------------------------------------


def test_the_classic_matrix_has_a_row_each_time_a_memory_returns(memscope, path: Path, score_server: Serve) -> None:
    server = score_server()
    code, out, err = memscope("matrix", path, *to(server), "--compat", "classic", "--json", "--no-store")
    document = json.loads(out)
    keys, rows = oracle.score_memories(talk(), score, unique=False)
    assert (code, err, [row["key"] for row in document["memories"]]) == (0, "", keys)
    assert keys[0] == keys[-1] == "m0"
    assert document["effects"] == [close(row) for row in rows]
    assert document["settings"] == {"threshold": 0.01, "context": "window", "compat": "classic"}
    assert len(server.log("/score")) == MEMORIES + 1


def test_a_table_says_that_the_mode_is_classic(memscope, path: Path) -> None:
    assert "classic mode" in memscope("matrix", path, "--compat", "classic")[1]
    assert "classic mode" not in memscope("matrix", path)[1]


def test_a_classic_row_that_failed_is_zeros_and_is_told(memscope, path: Path, score_server: Serve) -> None:
    server = score_server(FAULT="503", FAULT_UNLESS="Fact 2", RETRY_AFTER=0)
    code, out, err = memscope("matrix", path, *to(server), "--compat", "classic", "--json")
    document = json.loads(out)
    assert code == 0
    assert set(document["effects"][2]) == {0.0}
    assert "failed: m2" in err
    assert len(server.log("/score")) == MEMORIES + 1  # nothing is tried twice


def test_a_classic_response_has_the_classic_memories(memscope, path: Path, score_server: Serve) -> None:
    server = score_server()
    last = len(talk()) - 1
    line = ["responses", path, *to(server), "--message", str(last), "--compat", "classic", "--json"]
    document = json.loads(memscope(*line)[1])
    keys, rows = oracle.score_memories(talk(), score, unique=True)
    expected = oracle.important(keys, rows, len(rows[0]) - 1)
    assert [(row["key"], row["effect"]) for row in document["important"]] == expected
    assert document["against"] == []
