"""`memscope redundancy`, and verdicts in `responses` and `why`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.__main__ import run
from memscope.base.errors import Exit
from tests.cli.test_commands import DEMO

FAST = ("--no-store", "--engine", "embedded")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: Exit = Exit.DONE) -> str:
    assert run([*arguments, *FAST]) == code
    return capsys.readouterr().out


def test_the_whole_conversation_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(printed(capsys, "redundancy", DEMO, "--json"))

    assert document["schema"] == "memscope/redundancy@1"
    assert document["settings"]["threshold"] == 0.01
    assert {row["cutoff"] for row in document["verdicts"]} == {0.5}  # what any text may move under this engine
    verdicts = {(row["key"], row["message"]): row["verdict"] for row in document["verdicts"]}
    assert verdicts["project/amounts-are-minor-units", 4] == "redundant"
    assert verdicts["user/british-spelling", 4] == "unused"
    pair = document["pairs"][0]
    assert pair["keys"] == ["project/money-in-cents", "project/amounts-are-minor-units"]
    assert pair["tokens"] > 10
    assert "money" in pair["shared_words"]


def test_a_person_reads_summaries_and_what_to_drop(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "redundancy", DEMO)

    assert "project/dark-theme" not in shown
    assert "user/dark-theme" in shown
    assert "keep project/money-in-cents, drop project/amounts-are-minor-units: saves " in shown


def test_only_the_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(capsys, "redundancy", DEMO, "--pairs", "--format", "csv"))))

    assert rows[0]["drop"] == "project/amounts-are-minor-units"
    shown = printed(capsys, "redundancy", DEMO, "--pairs")
    assert "suppressor" not in shown
    assert "keep project/money-in-cents" in shown


def test_one_response(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(printed(capsys, "redundancy", DEMO, "--message", "4", "--json"))

    assert document["message"] == 4
    assert {row["message"] for row in document["verdicts"]} == {4}
    assert "redundant" in printed(capsys, "redundancy", DEMO, "--message", "4")


@pytest.mark.parametrize("command", ["responses", "why"])
def test_verdicts_beside_what_mattered(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with_them = json.loads(printed(capsys, command, DEMO, "--message", "4", "--verdicts", "--json"))
    without = json.loads(printed(capsys, command, DEMO, "--message", "4", "--json"))

    assert {row["key"]: row["verdict"] for row in with_them["important"]}["project/money-in-cents"] == "needed"
    assert {row["verdict"] for row in without["important"]} == {None}
    assert "verdict" in printed(capsys, command, DEMO, "--message", "4", "--verdicts")


@pytest.mark.parametrize("command", ["responses", "why"])
def test_a_redundant_memory_is_in_the_table_however_small_its_effect(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fact = "The user drinks oolong tea from Taiwan every morning."
    twice = [{"role": "user", "content": fact, "memory_key": key} for key in ("tea", "again")]
    said = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": f"You do: {fact}"}]
    path = tmp_path / "twice.json"
    path.write_text(json.dumps({"messages": [*twice, *said]}), encoding="utf-8")
    asked = (command, str(path), "--message", "3", "--verdicts", "--threshold", "12")
    assert json.loads(printed(capsys, *asked, "--json"))["important"] == []

    shown = printed(capsys, *asked)
    small = (command, DEMO, "--message", "19", "--verdicts")
    important = json.loads(printed(capsys, *small, "--json"))["important"]

    assert shown.count(" redundant ") == 2
    assert "no memory mattered" not in shown
    effects = [row["effect"] for row in important if row["verdict"] == "redundant"]
    assert min(effects) < 0.5
    assert printed(capsys, *small).count(" redundant ") == len(effects)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["redundancy", DEMO, "--message", "3"], "#3 is no response"),
        (["redundancy", DEMO, "--pairs", "--message", "4"], "Leave out --message"),
        (["responses", DEMO, "--verdicts"], "--verdicts needs --message"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments, *FAST]) == Exit.USAGE

    assert words in capsys.readouterr().err


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "chat.json"
    path.write_text('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]', encoding="utf-8")
    yield str(path)


def test_without_memories_there_is_a_reason(nothing: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(printed(capsys, "redundancy", nothing, "--json", code=Exit.NOTHING))

    assert document["reason"] == "no memory was found in the conversation"
    assert document["verdicts"] == document["pairs"] == []


@pytest.mark.parametrize("command", ["redundancy", "why"])
def test_a_response_before_all_memories_is_nothing_found_and_no_failure(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [("user", "Hi"), ("assistant", "Hello"), ("user", "Tea?"), ("assistant", "Yes, tea.")]
    messages = [{"role": role, "content": text} for role, text in said]
    messages.insert(2, {"role": "user", "content": "Likes tea.", "memory_key": "tea"})
    path = tmp_path / "late.json"
    path.write_text(json.dumps({"messages": messages}), encoding="utf-8")

    assert run([command, str(path), "--message", "1", "--json", *FAST]) == Exit.NOTHING
    shown = capsys.readouterr()
    assert json.loads(shown.out)["reason"] == "no memory comes before the response #1"
    assert shown.err == "memscope: no memory comes before the response #1\n"
    assert run([command, str(path), "--message", "4", *FAST]) == Exit.DONE
