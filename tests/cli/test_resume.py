"""Runs against a server that are stopped in the middle, and what the next one makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.__main__ import run
from tests.engines.server import KEY, ScoreServer, score

MEMORIES = 12


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    messages: list[dict[str, str]] = [{"role": "system", "content": "You help."}]
    messages += [{"role": "user", "memory_key": f"m{n}", "content": f"Fact {n}."} for n in range(MEMORIES)]
    for n in range(3):
        messages += [{"role": "user", "content": f"Question {n}?"}, {"role": "assistant", "content": f"Answer {n}."}]
    path = tmp_path / "talk.json"
    path.write_text(json.dumps({"messages": messages}))
    return path


def truth(path: Path) -> list[list[float]]:
    """The true matrix, by the server's formula."""
    messages = json.loads(path.read_text())["messages"]
    whole = score(messages)
    without = (score([m for m in messages if m.get("memory_key") != f"m{n}"]) for n in range(MEMORIES))
    return [[a - b for a, b in zip(whole, row, strict=True)] for row in without]


def line(path: Path, server: ScoreServer, *more: str) -> list[str]:
    return ["matrix", str(path), "--engine", "score-api", "--base-url", server.url, "--json", *more]


@pytest.mark.parametrize("workers", ["1", "2", "8", "32"])
def test_the_matrix_is_the_true_one_for_any_number_of_workers(
    talk: Path,
    workers: str,
    score_server: Callable[..., ScoreServer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    server = score_server()
    assert run(line(talk, server, "--workers", workers)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["effects"] == truth(talk)
    assert document["cost"]["scorings"] == len(server.log("/score")) == MEMORIES + 3
    assert max(request.live for request in server.log("/score")) <= int(workers)


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_run_goes_on_with_only_what_is_missing(
    talk: Path,
    stop: signal.Signals,
    code: int,
    score_server: Callable[..., ScoreServer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    server = score_server(ANSWERS=6)
    args = line(talk, server, "--workers", "2", "--model", "scorer")
    stopped = subprocess.Popen(
        [sys.executable, "-m", "memscope", *args], env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 30
    while len(server.log("/score")) < 8 and time.monotonic() < until:
        time.sleep(0.02)
    stopped.send_signal(stop)
    out, err = stopped.communicate(timeout=20)
    assert (stopped.returncode, out) == (code, b"")
    assert b"Traceback" not in err
    server.configure()
    assert run(args) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["effects"] == truth(talk)
    assert document["cost"]["from_store"] >= 4
    assert document["cost"]["scorings"] == len(server.log("/score")) == MEMORIES + 3 - document["cost"]["from_store"]


def test_a_failed_row_is_told_and_alone_tried_again(
    talk: Path,
    score_server: Callable[..., ScoreServer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    server = score_server(FAULT="null", FAULT_UNLESS="Fact 5.")
    assert run(line(talk, server)) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["effects"][5], document["states"][5]) == ([None] * 3, ["failed"] * 3)
    assert document["memories"][5]["total"] is None
    assert {row["left_out"] for row in document["responses"]} == {1}
    assert "m5" in err
    assert "null" in err
    server.configure()
    assert run(line(talk, server)) == 0
    assert json.loads(capsys.readouterr().out)["effects"] == truth(talk)
    assert len(server.log("/score")) == 2  # without m5, and without any


def test_a_wrong_key_ends_with_three_and_is_shown_nowhere(
    talk: Path,
    tmp_path: Path,
    score_server: Callable[..., ScoreServer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", "swordfish-9137")
    assert run(line(talk, score_server(), "--model", "scorer")) == 3
    out, err = capsys.readouterr()
    assert "401" in json.loads(out)["reason"]
    assert "swordfish" not in out + err
    assert all(b"swordfish" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_run_that_is_wholly_on_disk_makes_no_request(
    talk: Path, score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    server = score_server()
    args = line(talk, server, "--model", "scorer")
    assert run(args) == 0
    server.configure()
    assert run(args) == 0
    assert server.log() == []
