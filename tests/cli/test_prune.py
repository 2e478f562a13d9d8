"""Deciding and pruning from the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.__main__ import run

LONG = "says enough to stand quite alone in a unit"
Printed = tuple[int, str, str]


@pytest.fixture
def memscope(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Printed]:
    """Runs a command line; its exit code, standard output and standard error."""

    def call(*args: str | Path) -> Printed:
        code = run([str(arg) for arg in args])
        out, err = capsysbinary.readouterr()
        return code, out.decode("utf-8", "surrogateescape"), err.decode()

    return call


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CLAUDE.md").write_text(f"# Style\n- one {LONG}\n- two {LONG}\n")
    said = [
        {"role": "system", "memory_key": "tea", "content": "She likes tea."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hi."},
    ]
    (tmp_path / "talk.json").write_text(json.dumps({"messages": said}))
    return tmp_path / "talk.json"


WITH = ("--memories", "CLAUDE.md")


def test_a_decision_is_made_and_printed(memscope: Callable[..., Printed], talk: Path) -> None:
    deciding = ("decide", "tea", "CLAUDE.md#style/1", talk, *WITH, "--as", "prune", "--note", "old")
    code, out, err = memscope(*deciding, "--json")
    rows = {row["key"]: row for row in json.loads(out)["memories"]}
    assert (code, err, {row["note"] for row in rows.values()}) == (0, "", {"old"})
    assert rows["CLAUDE.md#style/1"]["files"] == [{"path": "CLAUDE.md", "lines": [[1, 2]]}]
    assert rows["tea"]["reason"] == "no file is known to hold it"
    assert "CLAUDE.md#style/1" in memscope(*deciding)[1]
    code, out, err = memscope("decide", "tea", talk, "--as", "clear", "--note", "")
    assert (code, out) == (0, "") and "nothing is decided now" in err
    _, out, _ = memscope("prune", talk, *WITH, "--json")
    assert [row["key"] for row in json.loads(out)["memories"]] == ["CLAUDE.md#style/1"]


def test_a_note_alone_is_printed_and_decides_nothing(memscope: Callable[..., Printed], talk: Path) -> None:
    code, out, _ = memscope("decide", "tea", talk, "--note", "is it so?", "--json")
    (row,) = json.loads(out)["memories"]
    assert (code, row["decision"], row["note"], row["in_diff"], row["reason"]) == (0, None, "is it so?", False, None)
    assert "is it so?" in memscope("decide", "tea", talk, "--note", "is it so?", "--format", "csv")[1]
    assert memscope("prune", talk)[0] == 1


def test_the_diff_is_printed_to_be_applied_and_what_stands_in_no_file_behind_it(
    memscope: Callable[..., Printed], talk: Path
) -> None:
    memscope("decide", "tea", "CLAUDE.md#style/1", talk, *WITH, "--as", "prune")
    code, out, err = memscope("prune", talk, *WITH)
    assert code == 0
    assert f"patch -p1 or git apply, in {talk.parent}" in err
    assert "# tea: She likes tea." in out
    tool = ["patch", "-p1"] if shutil.which("patch") else ["git", "apply"]
    subprocess.run(tool, cwd=talk.parent, input=out.encode(), check=True, capture_output=True)
    assert (talk.parent / "CLAUDE.md").read_text() == f"# Style\n- two {LONG}\n"


def test_it_is_written_to_a_file_and_over_one_only_when_that_is_asked_for(
    memscope: Callable[..., Printed], talk: Path
) -> None:
    memscope("decide", "CLAUDE.md#style/2", talk, *WITH, "--as", "prune")
    code, out, err = memscope("prune", talk, *WITH, "--output", "my.patch")
    assert (code, out) == (0, "") and "written: my.patch" in err
    assert (talk.parent / "my.patch").read_text().startswith("--- a/CLAUDE.md\n")
    assert memscope("prune", talk, *WITH, "--output", "my.patch")[0] == 2
    assert memscope("prune", talk, *WITH, "--output", "my.patch", "--force")[0] == 0
    code, _, err = memscope("prune", talk, *WITH, "--output", "CLAUDE.md", "--force")
    assert code == 2 and "what the diff is about" in err


def test_nothing_to_prune_is_told_with_what_to_do(memscope: Callable[..., Printed], talk: Path) -> None:
    memscope("decide", "tea", talk, "--as", "pin")
    code, out, err = memscope("prune", talk)
    assert (code, out) == (1, "")
    assert "memscope decide KEY FILE --as prune" in err
    assert "tea,pin" in memscope("prune", talk, "--format", "csv")[1]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["decide", "tea", "talk.json"], "--as"),
        (["decide", "tee", "talk.json", "--as", "pin"], "Did you mean tea?"),
        (["decide", "tea", "gone.json", "--as", "pin"], "gone.json"),
    ],
)
def test_wrong_use_says_what_to_do(memscope: Callable[..., Printed], talk: Path, args: list[str], said: str) -> None:
    code, out, err = memscope(*args)
    assert (code, out) == (2, "") and said in err and "Traceback" not in err


def test_a_store_that_is_off_is_told(
    memscope: Callable[..., Printed], talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_STORE", "false")
    for args in (["decide", "tea", talk, "--as", "pin"], ["prune", talk]):
        code, _, err = memscope(*args)
        assert code == 2 and "kept in the store, which is off" in err
