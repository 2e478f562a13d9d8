"""`memscope doctor`: what it prints, check by check, and what it ends with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from memscope.__main__ import run
from tests.engines.token_server import TokenServer

Serve = Callable[..., TokenServer]
Printed = tuple[int, str, str]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., Printed]:
    def call(*args: str) -> Printed:
        code = run(["doctor", *args])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_each_check_is_a_line_with_a_sign(token_server: Serve, doctor: Callable[..., Printed]) -> None:
    code, out, err = doctor("--base-url", token_server("vllm").url)

    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].startswith("✓ server: vLLM 0.32.0 answers at http://127.0.0.1:")
    assert [line.split(":")[0] for line in lines[1:8]] == [
        f"✓ {name}" for name in ("model", "template", "scores", "context", "agrees", "cache", "repeats")
    ]
    assert lines[-1] == "vllm can be used."


def test_a_check_that_fails_ends_it_with_1_and_says_what_to_do(
    token_server: Serve, doctor: Callable[..., Printed]
) -> None:
    server = token_server("vllm", longest=1_000)
    server.fault("stale")

    code, out, _ = doctor("--engine", "vllm", "--base-url", server.url)

    assert code == 1
    assert (
        "\n✗ cache: tokens that it has just seen come back 1.50 nats apart, at most 1.50: values from a stale prefix"
        in out
    )
    assert "\n! context: it takes 1,000" in out
    assert "can be used" not in out


def test_as_json_it_is_one_document(token_server: Serve, doctor: Callable[..., Printed]) -> None:
    code, out, _ = doctor("--base-url", token_server("vllm").url, "--json", "--model", "nope")

    document = json.loads(out)
    assert code == 1
    assert (document["schema"], document["engine"], document["server"]) == ("memscope/doctor@1", "vllm", "vLLM 0.32.0")
    assert (document["ok"], document["reached"]) == (False, True)
    assert set(document["checks"][0]) == {"name", "verdict", "said", "do"}
    assert [check["verdict"] for check in document["checks"]] == ["pass", "fail", *["skip"] * 6]


def test_as_csv_it_is_a_row_a_check(token_server: Serve, doctor: Callable[..., Printed]) -> None:
    rows = list(csv.reader(io.StringIO(doctor("--base-url", token_server("vllm").url, "--format", "csv")[1])))

    assert rows[0] == ["check", "verdict", "found", "do"]
    assert len(rows) == 9


def test_nobody_there_ends_it_with_3(token_server: Serve, doctor: Callable[..., Printed]) -> None:
    server = token_server("vllm")
    server.die()

    code, out, _ = doctor("--engine", "vllm", "--base-url", server.url)

    assert code == 3
    assert out.startswith("✗ server: ")
    assert "Is the server running" in out


def test_without_an_address_the_engine_in_this_process_is_fine(doctor: Callable[..., Printed]) -> None:
    code, out, _ = doctor()

    assert code == 0
    assert "embedded can be used." in out


@pytest.mark.parametrize("args", [("--engine", "vllm"), ("--engine", "nope"), ("--base-url", "ftp://host")])
def test_wrong_use_ends_it_with_2(doctor: Callable[..., Printed], args: tuple[str, ...]) -> None:
    code, out, err = doctor(*args)

    assert (code, out) == (2, "")
    assert err.startswith("memscope: ")


def test_what_a_server_says_is_cleaned_for_the_screen(token_server: Serve, doctor: Callable[..., Printed]) -> None:
    _, out, _ = doctor("--base-url", token_server("vllm", models=("\x1b[31mred\u202e",)).url)

    assert "\x1b" not in out
    assert "\u202e" not in out
