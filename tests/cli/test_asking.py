"""Before a run that costs much a person is asked; without one it is not begun, unless with --yes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.__main__ import run
from memscope.base.settings import resolve
from memscope.cli.opening import Consent
from memscope.conversation.native import native
from tests.engines.token_server import TokenServer
from tests.fakes import office

Serve = Callable[..., TokenServer]
Call = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def transcript(tmp_path: Path) -> str:
    path = tmp_path / "office.json"
    path.write_text(json.dumps(native(office())))
    return str(path)


@pytest.fixture
def memscope(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, token_server: Serve) -> Call:
    """Runs a command with a server at hand and a limit of so many tokens; what is `typed` is typed on a terminal."""
    server = token_server("vllm")
    monkeypatch.setenv("MEMSCOPE_BASE_URL", server.url)
    monkeypatch.setenv("MEMSCOPE_ENGINE", "vllm")

    def call(*args: str, limit: int = 100, typed: str | None = None) -> tuple[int, str, str]:
        monkeypatch.setenv("MEMSCOPE_ASK_ABOVE", str(limit))
        screen = Terminal()
        if typed is not None:
            monkeypatch.setattr(sys, "stdin", Terminal(typed))
            monkeypatch.setattr(sys, "stderr", screen)
        code = run(list(args))
        monkeypatch.undo() if typed is not None else None
        printed = capsys.readouterr()
        return code, printed.out, screen.getvalue() or printed.err

    call.server = server  # type: ignore[attr-defined]
    return call


def asked(call: Call) -> int:
    server: TokenServer = call.server  # type: ignore[attr-defined]
    return len(server.log("/completions"))


@pytest.mark.parametrize(
    "command",
    [("matrix",), ("memories",), ("responses",), ("responses", "--message", "5"), ("why", "--message", "5"), ("open",)],
)
def test_without_a_terminal_a_long_run_is_not_begun(memscope: Call, transcript: str, command: tuple[str, ...]) -> None:
    name, *options = command
    assert memscope("doctor")[0] == 0
    checked = asked(memscope)

    code, out, err = memscope(name, transcript, *options)

    assert (code, out) == (2, "")
    assert "more than 100 tokens, the setting ask_above" in err
    assert "--yes" in err
    assert "tokens, about" in err
    assert asked(memscope) == checked

    code, out, err = memscope(name, transcript, *options, "--yes")

    assert code == 0
    assert out
    assert asked(memscope) > checked


def test_the_engine_is_checked_before_a_person_is_asked_so_that_the_time_is_told(
    memscope: Call, transcript: str
) -> None:
    code, _, err = memscope("matrix", transcript)

    assert code == 2
    assert asked(memscope) > 0
    assert "to send, about 0:0" in err


def test_nobody_is_asked_about_an_engine_that_does_not_pass_its_check(memscope: Call, transcript: str) -> None:
    server: TokenServer = memscope.server  # type: ignore[attr-defined]
    server.fault("shifted")
    code, _, err = memscope("matrix", transcript)

    assert code == 3
    assert "its check failed" in err


@pytest.mark.parametrize("limit", [0, 100_000])
def test_a_run_below_the_limit_and_no_limit_ask_nothing(memscope: Call, transcript: str, limit: int) -> None:
    assert memscope("matrix", transcript, limit=limit)[0] == 0


def test_what_is_on_disk_costs_nothing(memscope: Call, transcript: str) -> None:
    assert memscope("matrix", transcript, "--yes")[0] == 0
    assert memscope("matrix", transcript)[0] == 0


def test_the_embedded_engine_is_not_asked_about(memscope: Call, transcript: str) -> None:
    assert memscope("matrix", transcript, "--engine", "embedded", limit=1)[0] == 0
    assert memscope("demo", "--engine", "embedded", limit=1)[0] == 0


def test_the_demo_asks_too(memscope: Call) -> None:
    assert memscope("demo")[0] == 2


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_a_person_who_agrees_gets_the_run(memscope: Call, transcript: str, answer: str) -> None:
    code, out, err = memscope("matrix", transcript, typed=answer)

    assert code == 0
    assert "pnpm" in out
    assert "6 scorings, about " in err
    assert "Go on? [y/N] " in err


@pytest.mark.parametrize(
    "command",
    [
        "matrix",
        "why --message 5",
        "redundancy",
        "redundancy --message 5",
        "whatif --without tabs",
        "incremental",
        "finetune",
        "memories --score",
    ],
)
def test_nothing_is_drawn_over_the_question(memscope: Call, transcript: str, command: str) -> None:
    name, *options = command.split()
    code, out, err = memscope(name, transcript, *options, limit=1, typed="n\n")

    assert (code, out) == (130, "")
    assert err.endswith("the setting ask_above. Go on? [y/N] memscope: not begun\n")


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_a_person_who_does_not_agree_gets_none(memscope: Call, transcript: str, answer: str) -> None:
    assert memscope("doctor")[0] == 0
    checked = asked(memscope)
    code, out, err = memscope("matrix", transcript, typed=answer)

    assert (code, out) == (130, "")
    assert err.endswith("memscope: not begun\n")
    assert asked(memscope) == checked


def test_a_console_asks_nothing_of_somebody_who_has_said_yes() -> None:
    said = Consent(yes=True).agreed(resolve({"ask_above": 7}))

    assert said.settings.ask_above == 0
    assert Consent().agreed(resolve({"ask_above": 7})).settings.ask_above == 7
