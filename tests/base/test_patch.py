from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.patch import unified_diff

APPLY = {"patch": ["patch", "-p1", "--no-backup-if-mismatch", "-s"], "git": ["git", "apply", "--whitespace=nowarn"]}

_LINES = st.lists(st.sampled_from(["one", "two", "", " ", "two\r", "-- a", "+++ b", "@@ -1 +1 @@", "\x0cform"]))


@pytest.fixture(params=[pytest.param(n, marks=pytest.mark.skipif(not shutil.which(n), reason=n)) for n in APPLY])
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def applied(program: str, folder: Path, name: str, before: str, after: str) -> str:
    """What `program` makes of a file by the diff."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(before.encode("utf-8", "surrogateescape"))
    diff = unified_diff(name, before, after).encode("utf-8", "surrogateescape")
    subprocess.run(APPLY[program], cwd=folder, input=diff, check=True, capture_output=True)
    return file.read_bytes().decode("utf-8", "surrogateescape") if file.exists() else ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("one\ntwo\nthree\n", "one\nthree\n"),
        ("one\ntwo", "one\n"),
        ("one\ntwo", "two"),
        ("one\r\ntwo\r\n", "two\r\n"),
        ("one\ntwo\r\nthree", "one\nthree"),
        ("caf\udce9\nd\u00e9j\u00e0\ntwo\n", "d\u00e9j\u00e0\n"),
        ("\ufeffone\ntwo\n", "\ufefftwo\n"),
        ("one\n\x0ctwo\u2028\nthree\n", "three\n"),
        ("one\n" * 40, "one\n" * 38),
        ("one\ntwo\n", ""),
        ("-- a/x\n++ b/x\n", "-- a/x\n"),
    ],
)
def test_both_programs_make_of_it_what_was_meant(tmp_path: Path, program: str, before: str, after: str) -> None:
    assert applied(program, tmp_path, "memory.md", before, after) == after


@pytest.mark.parametrize("name", ["a b/c d.md", "caf\u00e9.md", 'quo"ted.md', "tab\there.md", "back\\slash.md"])
def test_odd_names_are_found(tmp_path: Path, program: str, name: str) -> None:
    assert applied(program, tmp_path, name, "one\ntwo\n", "two\n") == "two\n"


@given(before=_LINES, gone=st.sets(st.integers(0, 8)), end=st.sampled_from(["", "\n"]))
@settings(max_examples=25)
@pytest.mark.skipif(not shutil.which("git"), reason="git")
def test_any_lines_can_be_taken_out(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], gone: set[int], end: str
) -> None:
    text = "\n".join(before) + end
    lines = [f"{line}\n" for line in text.split("\n")[:-1]] + ([text.split("\n")[-1]] if text.split("\n")[-1] else [])
    after = "".join(line for place, line in enumerate(lines) if place not in gone)
    if after == text:
        assert unified_diff("a.md", text, after) == ""
    else:
        assert applied("git", tmp_path_factory.mktemp("patch"), "a.md", text, after) == after
