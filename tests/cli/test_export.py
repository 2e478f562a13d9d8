"""`memscope export` as a person meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.__main__ import run
from memscope.actions.open import Opening, opened
from memscope.actions.triage import Decision, decide, known_of, subjects_of
from memscope.base.settings import Settings, data_dir
from memscope.conversation.native import native
from memscope.store.database import MIGRATIONS, Database
from tests.fakes import office, talk, user

Call = Callable[..., tuple[int, str, str]]
KEY = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"


@pytest.fixture
def memscope(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*args: str | Path) -> tuple[int, str, str]:
        code = run(["export", *(str(arg) for arg in args)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    """A conversation with three accepted responses."""
    path = tmp_path / "office.json"
    path.write_text(json.dumps(native(office())))
    database = Database(data_dir())
    found = opened(Opening(path), Settings(), database)
    known = known_of(found, None, 2, 1.0, 1.0)
    decide(database, [Decision(subject, "accept", known) for subject in subjects_of(found.conversation).values()])
    database.close()
    return path


def test_it_writes_the_file_and_says_so(memscope: Call, accepted: Path, tmp_path: Path) -> None:
    code, out, err = memscope("--format", "sft", "--output", tmp_path / "t.jsonl")

    assert (code, err) == (0, "")
    assert out == "t.jsonl: 3 lines for training, checked as sft.\n"
    assert len((tmp_path / "t.jsonl").read_text().splitlines()) == 3


def test_json_prints_the_manifest(memscope: Call, accepted: Path, tmp_path: Path) -> None:
    code, out, _ = memscope(accepted, "--format", "sft", "--output", tmp_path / "t.jsonl", "--json")

    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "t.jsonl.manifest.json").read_text())
    assert json.loads(out)["schema"] == "memscope/training@1"


def test_an_existing_file_needs_force(memscope: Call, accepted: Path, tmp_path: Path) -> None:
    args = ("--format", "sft", "--output", tmp_path / "t.jsonl")
    assert memscope(*args)[0] == 0
    before = (tmp_path / "t.jsonl").read_bytes()

    code, out, err = memscope(*args)
    assert (code, out) == (2, "")
    assert "the file exists" in err
    assert "--force" in err
    assert memscope(*args, "--force")[0] == 0
    assert (tmp_path / "t.jsonl").read_bytes() == before


def test_without_an_accepted_response_it_is_one_and_nothing_is_written(memscope: Call, tmp_path: Path) -> None:
    code, out, _ = memscope("--format", "sft", "--output", tmp_path / "t.jsonl")

    assert code == 1
    assert "No response is accepted" in out
    assert not (tmp_path / "t.jsonl").exists()


def test_what_could_not_be_exported_is_told_and_ends_with_one(memscope: Call, accepted: Path, tmp_path: Path) -> None:
    told = office().messages
    changed = talk(*told[:4], user(f"Now with {KEY}?"), *told[5:])
    path = tmp_path / "leak.json"
    path.write_text(json.dumps(native(changed)))
    database = Database(data_dir())
    found = opened(Opening(path), Settings(), database)
    decide(database, [Decision(subjects_of(found.conversation)[5], "accept", known_of(found, None, 5, 1.0, 1.0))])
    database.close()

    code, out, err = memscope("--format", "sft", "--output", tmp_path / "t.jsonl")

    assert code == 1
    assert "3 lines" in out
    assert "1 accepted response could not be exported" in out
    assert f"{path}, #5: a credential (GitHub token) in message #4" in err
    assert KEY not in out + err + (tmp_path / "t.jsonl").read_text()


def test_a_file_that_is_gone_is_one_line_for_all_its_responses(memscope: Call, accepted: Path, tmp_path: Path) -> None:
    database = Database(data_dir())
    found = opened(Opening(accepted), Settings(), database)
    known = known_of(found, None, 9, 1.0, 1.0)
    decide(database, [Decision("f" * 64, "accept", known)])
    database.close()
    accepted.unlink()

    code, out, err = memscope("--format", "sft", "--output", tmp_path / "t.jsonl")

    assert code == 1
    assert err == (
        f"memscope: {accepted}, 4 responses: there is no such file; if it was moved, name its file or folder\n"
    )
    assert "4 accepted responses could not be exported." in out


def test_a_preference_without_a_chat_server_says_what_is_lacking(
    memscope: Call, accepted: Path, tmp_path: Path
) -> None:
    code, out, _ = memscope("--format", "dpo", "--output", tmp_path / "t.jsonl")

    assert code == 1
    assert "Left out: 3 responses: there is no alternate answer, for no chat server is set (chat_url)." in out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--output", "t.jsonl"), "--format"),
        (("--format", "sft"), "--output"),
        (("--format", "json", "--output", "t.jsonl"), "'sft', 'dpo', 'trl'"),
        (("--format", "sft", "--output", "t.jsonl", "--validation", "1"), "--validation"),
        (("--format", "sft", "--output", "t.jsonl", "--validation", "-0.1"), "--validation"),
        (("--format", "sft", "--output", "t.jsonl", "--validation", "nan"), "--validation"),
        (("missing.json", "--format", "sft", "--output", "t.jsonl"), "there is no such file"),
        (("--format", "sft", "--output", "missing/t.jsonl"), "there is no such folder"),
    ],
)
def test_wrong_use_is_two(
    memscope: Call, accepted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = memscope(*args)

    assert (code, out) == (2, "")
    assert words in err
    assert not (tmp_path / "t.jsonl").exists()


def test_help_tells_of_formats_and_not_how_to_print(memscope: Call) -> None:
    code, out, _ = memscope("--help")

    assert code == 0
    assert "--format [sft|dpo|trl]" in out
    assert "table" not in out
    assert "--json" in out


def test_the_store_is_needed(memscope: Call, accepted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_STORE", "false")
    code, _, err = memscope("--format", "sft", "--output", tmp_path / "t.jsonl")
    assert code == 2
    assert "the store, which is off" in err


def test_a_store_from_a_newer_version_is_told_and_left_alone(memscope: Call, accepted: Path, tmp_path: Path) -> None:
    database = Database(data_dir())
    database.write(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()

    code, _, err = memscope("--format", "sft", "--output", tmp_path / "t.jsonl")

    assert code == 2
    assert "newer memscope" in err
    assert "--no-store" not in err  # which it does not have
    assert not (tmp_path / "t.jsonl").exists()
