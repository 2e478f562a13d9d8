"""Files that may be transcripts, found in folders as people leave them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memscope.actions.walk import AGAIN, Found, Passed, walk
from memscope.base.errors import Cancelled
from memscope.base.job import Job


def made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def told(found: Found, folder: Path) -> tuple[str, str]:
    return found.path.removeprefix(f"{folder}/"), found.error


def test_files_by_name_a_folder_where_it_stands(tmp_path: Path) -> None:
    made(tmp_path, "c.json", "a.JSONL", "b/x.traj", "b/a.af", "b.ndjson", "notes.txt", "state.db", ".git/a.json")
    made(tmp_path, "node_modules/a.json", "venv/a.json", ".hidden.json", "mem/a.json", "dump_1.json")
    passed = Passed(frozenset({"mem"}), ("dump_",))
    found = [Path(one.path).relative_to(tmp_path).as_posix() for one in walk(tmp_path, passed=passed)]
    assert found == ["a.JSONL", "b/a.af", "b/x.traj", "b.ndjson", "c.json"]
    databases = [one.path for one in walk(tmp_path, (".db",))]
    assert databases == [str(tmp_path / "state.db")]
    (alone,) = walk(tmp_path / "notes.txt")  # named, so wanted
    assert alone.status is not None
    assert alone.status.st_size == 2


def test_links_are_followed_and_loops_told(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    made(folder, "b/x.json")
    made(tmp_path, "outside.txt")
    (folder / "b" / "up").symlink_to(folder)
    (folder / "a.json").symlink_to(tmp_path / "outside.txt")
    (folder / "c.json").symlink_to(folder / "c.json")
    (folder / "d.json").symlink_to(folder / "nowhere.json")
    (folder / "self").symlink_to(folder / "self")
    found = list(walk(folder))
    assert [told(one, folder) for one in found] == [
        *(("a.json", ""), ("b/up", AGAIN), ("b/x.json", "")),
        ("c.json", os.strerror(40) if os.name == "posix" and os.uname().sysname == "Linux" else found[3].error),
        ("d.json", "there is no such file"),
    ]
    assert found[0].real == os.path.realpath(tmp_path / "outside.txt")
    assert [one.status is None for one in found] == [False, True, False, True, True]


def test_a_folder_by_a_link_tells_where_its_files_are(tmp_path: Path) -> None:
    made(tmp_path, "real/sub/x.json")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (found,) = walk(tmp_path / "link")
    assert found.path == str(tmp_path / "link/sub/x.json")
    assert found.real == os.path.realpath(tmp_path / "real/sub/x.json")


@pytest.mark.parametrize("name", ["gone", "a\0b", "x" * 5000, "~nobody-has-this-name/a", "a.json/b"])
def test_what_cannot_be_there_is_told(tmp_path: Path, name: str) -> None:
    made(tmp_path, "a.json")
    (found,) = walk(Path(name) if name.startswith("~") else tmp_path / name)
    assert found.status is None
    assert found.error


def test_names_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe/\x80.json"
    os.mkdir(os.path.dirname(name))  # noqa: PTH102, PTH120
    with open(name, "wb"):  # noqa: PTH123
        pass
    (found,) = walk(tmp_path)
    assert os.fsencode(found.path) == os.fsencode(found.real) == name


def test_it_can_be_stopped_where_there_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        list(walk(tmp_path, check=job.check))
