"""Files that are written whole or not at all, and never over another by accident."""

from __future__ import annotations

import csv
import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memscope.actions import export
from memscope.actions.engine import Scorer
from memscope.actions.export import free_name, write_document, write_text
from memscope.actions.score import score_matrix
from memscope.base.errors import MemscopeError, UsageError
from memscope.base.job import Job
from memscope.reports.matrix import MATRIX, CostPart, MatrixDocument, matrix_document
from tests.fakes import FormulaEngine, office


def document() -> MatrixDocument:
    scorer = Scorer(FormulaEngine())
    run, _ = score_matrix(office(), scorer, Job())
    cost = CostPart(scorings=0, from_store=0, seconds=0)
    return matrix_document(office(), run.snapshot(), scorer.engine.identity, 0.01, cost)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_reads_back_as_the_document_and_csv_as_its_rows(tmp_path: Path) -> None:
    written = document()

    as_json = write_document(MATRIX, written, tmp_path / "m.json", "json")
    as_csv = write_document(MATRIX, written, tmp_path / "m.csv", "csv")

    assert MatrixDocument.model_validate(json.loads(as_json.read_text(encoding="utf-8"))) == written
    rows = list(csv.reader(as_csv.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["memory", "#2", "#5", "#8"]
    assert [row[0] for row in rows[1:]] == ["tabs", "pnpm", "late"]
    assert names(tmp_path) == ["m.csv", "m.json"]


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt", "ä\r\n你\n\ud800")

    assert path.read_bytes() == "ä\r\n你\n\\ud800".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_what_exists_is_not_overwritten_unless_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    path.chmod(0o640)

    with pytest.raises(UsageError, match=r"a\.txt: the file exists"):
        write_text(path, "after")
    assert path.read_text() == "before"

    write_text(path, "after", overwrite=True)
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path) == ["a.txt"]


def test_a_link_stays_one_and_what_it_points_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").touch(mode=0o640)
    for name in ("there", "nowhere"):
        (tmp_path / f"to-{name}").symlink_to(name)
        write_text(tmp_path / f"to-{name}", "text", overwrite=True)

        assert (tmp_path / f"to-{name}").is_symlink()
        assert (tmp_path / name).read_text() == "text"
    assert stat.S_IMODE((tmp_path / "nowhere").stat().st_mode) == 0o666 & ~_umask()


def test_a_name_that_somebody_takes_meanwhile_stays_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("theirs")
    monkeypatch.setattr(os.path, "lexists", lambda _: False)

    with pytest.raises(UsageError, match="the file exists"):
        write_text(path, "ours")
    assert path.read_text() == "theirs"


def test_a_link_to_nowhere_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    with pytest.raises(UsageError, match="the file exists"):
        write_text(tmp_path / "link", "text")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (lambda folder: folder / "missing" / "a.txt", "missing: there is no such folder. Make it"),
        (lambda folder: folder, "this is a folder. Add a file name"),
        (lambda folder: folder / ("x" * 300), "the name is too long"),
        (lambda folder: folder / "a\0b", "this is no path"),
        (lambda folder: Path("~nobody-of-this-name/a.txt"), "this is no path"),
        (lambda folder: Path("/dev/null"), "this is a device or the like"),
        (lambda folder: folder / "file" / "a.txt", "file: there is no such folder"),
    ],
)
def test_a_place_that_is_none_says_so(tmp_path: Path, place: Callable[[Path], Path], words: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=words):
        write_text(place(tmp_path), "text", overwrite=True)
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EACCES, "this may not be written to"),
        (errno.EROFS, "this may not be written to"),
        (errno.EIO, "it cannot be written"),
    ],
)
def test_a_disk_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool, code: int, words: str
) -> None:
    path = tmp_path / "a.txt"
    if exists:
        path.write_text("before")

    def fail(_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(export, "replace_files", fail)
    with pytest.raises(MemscopeError, match=words):
        write_text(path, "after", overwrite=True)

    assert names(tmp_path) == (["a.txt"] if exists else [])
    assert not exists or path.read_text() == "before"


def test_the_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert write_text(Path("~/a.txt"), "text") == tmp_path / "a.txt"


def test_a_free_name_counts_on(tmp_path: Path) -> None:
    for expected in ("my-talk.csv", "my-talk-2.csv", "my-talk-3.csv"):
        path = free_name(tmp_path, "My talk!", ".csv")
        assert path == tmp_path / expected
        path.touch()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.sampled_from(["../../etc/passwd", "/", "..", "a\\b", "C:\\x", "\x1b[2J", "你" * 200, ""]))
def test_a_title_never_leaves_the_folder(tmp_path: Path, title: str) -> None:
    path = free_name(tmp_path, title, ".json")

    assert path.parent == tmp_path
    assert not path.name.startswith((".", "-"))
    assert len(os.fsencode(path.name)) <= 255
    assert not set(path.name) & set('/\\:\0<>|?*"\n\x1b ')
