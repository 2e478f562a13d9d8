"""`memscope whatif`: what a person reads, and what a program is given."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from memscope.__main__ import run
from memscope.base.errors import Exit
from tests.cli.test_commands import DEMO, LEAN

CENTS, UNITS, PNPM = "project/money-in-cents", "project/amounts-are-minor-units", "project/web-uses-pnpm"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: Exit = Exit.DONE) -> tuple[str, str]:
    assert run(["whatif", *arguments]) == code
    said = capsys.readouterr()
    return said.out, said.err


def test_of_two_memories_that_say_the_same_the_other_takes_over(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(printed(capsys, DEMO, "--without", CENTS, "--json")[0])
    assert document["schema"] == "memscope/whatif@1"
    assert document["removed"] == [CENTS] and document["tokens"] > 10
    memories = {row["key"]: row for row in document["memories"]}
    assert CENTS not in memories and len(memories) == 11
    assert max(memories.values(), key=lambda row: row["total"])["key"] == UNITS
    money = next(row for row in document["responses"] if row["message"] == 4)
    assert money["takes_over"] == UNITS and money["taken"] > 30
    assert money["before"] + money["change"] == pytest.approx(money["after"])
    assert len(document["differences"]) == 11 and len(document["differences"][0]) == 21


def test_both_together_cost_more_than_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    def change(*keys: str) -> float:
        document = json.loads(printed(capsys, DEMO, "--without", *keys, "--json")[0])
        return float(next(row["change"] for row in document["responses"] if row["message"] == 4))

    assert change(CENTS, UNITS) < change(CENTS) + change(UNITS) - 30


def test_what_is_on_disk_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (json.loads(printed(capsys, DEMO, "--without", CENTS, UNITS, "--json")[0]) for _ in range(2))
    assert first["cost"]["scorings"] > 0 and second["cost"]["scorings"] == 0
    del first["cost"], second["cost"]
    assert first == second


def test_a_person_reads_what_changes_and_who_takes_over(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, DEMO, "--without", CENTS, "--threshold", "1")
    assert f"without {CENTS}: saves " in out
    assert f"memories take over, most {UNITS} (+" in out or f"{UNITS} (+" in out
    assert "#4" in out and "takes over" in out
    assert err == ""


def test_a_list_of_keys_may_stand_before_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, "--without", CENTS, PNPM, DEMO, "--json")
    assert json.loads(out)["removed"] == [PNPM, CENTS]  # as they come in the conversation


def test_csv_is_the_responses(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, DEMO, "--without", CENTS, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 21
    assert next(row for row in rows if row["message"] == "4")["takes over"] == UNITS


def test_an_unknown_key_names_near_ones(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, DEMO, "--without", CENTS, "project/money-in-cent", code=Exit.USAGE)
    assert out == ""
    assert f"there is no memory 'project/money-in-cent' in the conversation. Did you mean {CENTS}" in err


def test_all_memories_may_go(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "lean.json"
    path.write_text(json.dumps(LEAN))
    document = json.loads(printed(capsys, str(path), "--without", "port", "late", "--json")[0])
    assert document["memories"] == [] and document["responses"][0]["change"] < -1


def test_without_keys_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = printed(capsys, DEMO, code=Exit.USAGE)
    assert "--without" in err
