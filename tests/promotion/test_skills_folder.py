"""Writing below a skills folder: nothing over anything, nothing outside, nothing by halves, one of two wins."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memscope.base.errors import MemscopeError, UsageError
from memscope.promotion import skills_folder
from memscope.promotion.skill_file import SIGNATURE
from memscope.promotion.skill_reading import read
from memscope.promotion.skills_folder import (
    Placed,
    TouchedError,
    accept,
    check_place,
    retract,
    unaccept,
    write_draft,
)
from memscope.promotion.skills_found import existing
from tests.promotion.skills import OTHER, SIGNED, planted, skill


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: the bytes of files, where links lead, "" for folders."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = f"-> {path.readlink()}" if path.is_symlink() else "" if path.is_dir() else path.read_bytes()
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "skills"
    folder.mkdir()
    return folder


def test_a_draft_is_written_among_the_drafts_with_its_folders(tmp_path: Path) -> None:
    root = tmp_path / "agent" / "skills"

    placed = write_draft(root, skill(), SIGNED)

    assert placed == Placed(
        root / "_drafts/deploy-staging/SKILL.md", sha256(placed.path.read_bytes()).hexdigest(), True
    )
    assert list(tree(root)) == ["_drafts", "_drafts/deploy-staging", "_drafts/deploy-staging/SKILL.md"]
    reading = read(placed.path.read_bytes(), "deploy-staging")
    assert reading.skill == replace(skill(), metadata={SIGNATURE: SIGNED})
    assert not reading.findings
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(placed.path.stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE(placed.path.parent.stat().st_mode) == 0o777 & ~mask


def test_the_same_again_is_reported_and_nothing_is_written(root: Path) -> None:
    first = write_draft(root, skill(), SIGNED)
    before = tree(root)

    again = write_draft(root, skill(body="Other words."), SIGNED)

    assert again == replace(first, is_new=False)
    assert tree(root) == before


@pytest.mark.parametrize("name", ["renamed", "team/renamed", "_drafts/renamed"])
def test_a_pattern_is_known_by_its_signature_whatever_became_of_its_skill(root: Path, name: str) -> None:
    path = planted(root, name, SIGNED)
    path.write_text(path.read_text() + "\nedited by hand\n")
    before = tree(root)

    placed = write_draft(root, skill(), SIGNED)

    assert (placed.path, placed.is_new) == (path, False)
    assert tree(root) == before


@pytest.mark.parametrize("place", ["deploy-staging", "_drafts/deploy-staging"])
@pytest.mark.parametrize("kind", ["skill", "folder", "file", "link"])
def test_a_name_that_is_taken_stays_with_who_has_it(root: Path, place: str, kind: str) -> None:
    path = root / place
    path.parent.mkdir(exist_ok=True)
    if kind == "skill":
        planted(root, place, OTHER)
    elif kind == "folder":
        path.mkdir()
        (path / "notes.txt").touch()
    elif kind == "file":
        path.write_text("theirs")
    else:
        path.symlink_to(root.parent / "nowhere")
    before = tree(root)

    with pytest.raises(UsageError, match="something else of this name"):
        write_draft(root, skill(), SIGNED)
    assert {name: held for name, held in tree(root).items() if name != "_drafts"} == {
        name: held for name, held in before.items() if name != "_drafts"
    }


@pytest.mark.parametrize(
    "name", ["", "../../x", "..", "/srv/x", "_drafts", "CON", "con", "com1", "x" * 300, "a\0b", "a/b", "a\nb", "~", "é"]
)
def test_a_name_that_can_be_none_makes_nothing(tmp_path: Path, name: str) -> None:
    root = tmp_path / "skills"

    with pytest.raises(UsageError, match="Give the skill another name"):
        write_draft(root, skill(name), SIGNED)
    assert not tree(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(alphabet="./\\~ab-_\0:%", max_size=12))
def test_no_name_leaves_the_drafts(tmp_path: Path, name: str) -> None:
    root = tmp_path / "skills"
    try:
        placed = write_draft(root, skill(name), SIGNED)
    except UsageError:
        pass
    else:
        assert placed.path == root / "_drafts" / name / "SKILL.md"
        retract(root, placed.path, placed.digest)
    assert set(tree(tmp_path)) <= {"skills"}


@pytest.mark.parametrize("signature", ["", "xyz", "../..", "AB12" * 16, "ab12" * 17])
def test_what_is_no_signature_is_refused(root: Path, signature: str) -> None:
    with pytest.raises(UsageError, match="signature"):
        write_draft(root, skill(), signature)
    assert not tree(root)


def test_a_skill_with_errors_is_not_written(root: Path) -> None:
    with pytest.raises(UsageError, match=r"description: has 2,000 characters.*Correct it first"):
        write_draft(root, skill(description="d" * 2000), SIGNED)
    assert not tree(root)


def test_half_of_a_character_pair_does_not_stop_a_draft(root: Path) -> None:
    placed = write_draft(root, skill(body="a \ud800 b"), SIGNED)

    assert "a \\ud800 b" in placed.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("inside", [True, False])
def test_drafts_are_never_written_through_a_link(root: Path, inside: bool) -> None:
    target = (root if inside else root.parent) / "elsewhere"
    target.mkdir()
    (root / "_drafts").symlink_to(target)

    with pytest.raises(UsageError, match="a folder that is no link"):
        write_draft(root, skill(), SIGNED)
    assert not list(target.iterdir())


def test_drafts_that_are_a_file_are_left_alone(root: Path) -> None:
    (root / "_drafts").write_text("theirs")

    with pytest.raises(UsageError, match="a folder that is no link"):
        write_draft(root, skill(), SIGNED)
    assert tree(root) == {"_drafts": b"theirs"}


def test_a_skills_folder_that_is_a_link_itself_is_written_to(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)

    placed = write_draft(link, skill(), SIGNED)

    assert placed.path == root / "_drafts/deploy-staging/SKILL.md"
    retract(link, link / "_drafts/deploy-staging/SKILL.md", placed.digest)
    assert not tree(root)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("file", "this is no folder"),
        ("file/skills", "it cannot be written"),
        ("a\0b", "this is no path"),
        ("x" * 300, "it cannot be looked at"),
    ],
)
def test_a_skills_folder_that_can_be_none_says_so(tmp_path: Path, place: str, words: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(MemscopeError, match=words):
        write_draft(tmp_path / place, skill(), SIGNED)
    assert tree(tmp_path) == {"file": b""}


FAILURES = [
    (errno.ENOSPC, "the disk is full. Free some space; nothing was written"),
    (errno.EROFS, "this may not be written to"),
    (errno.EACCES, "this may not be written to"),
    (errno.EIO, "it cannot be written"),
]


@pytest.mark.parametrize("step", ["fsync", "rename", "mkdir"])
@pytest.mark.parametrize(("code", "words"), FAILURES)
def test_a_disk_that_fails_leaves_everything_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str, step: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises(MemscopeError, match=words):
        write_draft(root, skill(), SIGNED)
    assert not tree(root)


@pytest.mark.parametrize(("code", "words"), FAILURES)
@pytest.mark.parametrize("undo", [True, False])
def test_a_move_that_fails_leaves_the_skill_where_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str, undo: bool
) -> None:
    placed = write_draft(root, skill(), SIGNED)
    if undo:
        placed = accept(root, SIGNED)
    before = tree(root)

    def fail(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(MemscopeError, match=words):
        unaccept(root, placed.path) if undo else accept(root, SIGNED)
    assert tree(root) == before


def test_a_read_only_folder_says_so(root: Path) -> None:
    root.chmod(0o500)
    if os.access(root, os.W_OK):
        pytest.skip("nothing is forbidden to who runs this")

    with pytest.raises(UsageError, match="this may not be written to"):
        write_draft(root, skill(), SIGNED)
    root.chmod(0o700)
    assert not tree(root)


def test_who_takes_the_name_at_the_last_moment_keeps_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skills_folder, "_free", lambda _: None)  # as if it came after the look
    planted(root, "_drafts/deploy-staging", OTHER)
    before = tree(root)

    with pytest.raises(UsageError, match="something else of this name"):
        write_draft(root, skill(), SIGNED)
    assert tree(root) == before


def test_of_two_threads_one_writes_and_the_others_are_told(root: Path) -> None:
    def write(number: int) -> Placed:
        return write_draft(root, skill(f"name-{number}", body=f"Words {number}."), SIGNED)

    with ThreadPoolExecutor(8) as pool:
        placed = list(pool.map(write, range(8)))

    assert [one.is_new for one in placed].count(True) == 1
    assert len({(one.path, one.digest) for one in placed}) == 1
    assert [one.path for one in existing(root).skills] == [placed[0].path]


def test_of_two_skills_that_want_one_name_one_has_it(root: Path) -> None:
    def write(signature: str) -> bool:
        try:
            return write_draft(root, skill(), signature).is_new
        except UsageError as error:
            assert "something else of this name" in str(error)
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, [f"{n}" * 16 for n in range(8)])) == [False] * 7 + [True]
    assert len(existing(root).skills) == 1


_WRITE = """
import sys
from pathlib import Path
from memscope.promotion.skill_file import SkillFile
from memscope.promotion.skills_folder import write_draft
sys.stdin.readline()
placed = write_draft(Path(sys.argv[1]), SkillFile("deploy", "Deploys.", sys.argv[2]), "ab12" * 16)
print(placed.is_new, placed.digest)
"""


def test_of_two_processes_one_writes_and_the_other_is_told(root: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITE, str(root), words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for words in ("One.", "Two.")
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = sorted(process.communicate(timeout=60)[0].split() for process in started)

    assert [is_new for is_new, _ in told] == ["False", "True"]
    assert told[0][1] == told[1][1] == sha256((root / "_drafts/deploy/SKILL.md").read_bytes()).hexdigest()
    assert list(tree(root)) == ["_drafts", "_drafts/deploy", "_drafts/deploy/SKILL.md"]


def test_a_folder_that_somebody_else_changes_for_long_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(skills_folder, "_TRIES", 1)
    handle = os.open(root, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(UsageError, match="another process is changing it"):
            write_draft(root, skill(), SIGNED)
    finally:
        os.close(handle)
    assert not tree(root)


def test_an_accepted_draft_moves_with_all_that_is_in_its_folder(root: Path) -> None:
    draft = write_draft(root, skill(), SIGNED)
    (draft.path.parent / "scripts").mkdir()
    (draft.path.parent / "scripts" / "run.sh").write_text("true")
    draft.path.write_text(draft.path.read_text() + "\nOne more line.\n")

    placed = accept(root, SIGNED)

    assert placed.path == root / "deploy-staging/SKILL.md"
    assert placed.is_new
    assert placed.digest == sha256(placed.path.read_bytes()).hexdigest() != draft.digest
    assert "One more line." in placed.path.read_text()
    assert list(tree(root)) == [
        "deploy-staging",
        "deploy-staging/SKILL.md",
        "deploy-staging/scripts",
        "deploy-staging/scripts/run.sh",
    ]


def test_what_was_accepted_before_is_reported(root: Path) -> None:
    write_draft(root, skill(), SIGNED)
    placed = accept(root, SIGNED)

    assert accept(root, SIGNED) == replace(placed, is_new=False)


def test_other_drafts_stay(root: Path) -> None:
    write_draft(root, skill(), SIGNED)
    other = write_draft(root, skill("other"), OTHER)

    accept(root, SIGNED)

    assert other.path.is_file()


def test_a_draft_that_was_renamed_by_hand_is_accepted_under_its_new_name(root: Path) -> None:
    draft = write_draft(root, skill(), SIGNED)
    draft.path.write_text(draft.path.read_text().replace("name: deploy-staging", "name: ship-it"))

    with pytest.raises(UsageError, match="ship-it is not the name of its folder, deploy-staging"):
        accept(root, SIGNED)
    draft.path.parent.rename(root / "_drafts" / "ship-it")

    assert accept(root, SIGNED).path == root / "ship-it/SKILL.md"


def edited(draft: Path) -> None:
    draft.write_text(draft.read_text().replace("description: Deploys", "description: a: b"))


def taken(draft: Path) -> None:
    (draft.parents[2] / "deploy-staging").mkdir()


def linked(draft: Path) -> None:
    elsewhere = draft.parents[3] / "elsewhere"
    draft.parent.rename(elsewhere)
    draft.parent.symlink_to(elsewhere)


def linked_file(draft: Path) -> None:
    draft.rename(draft.parents[3] / "file")
    draft.symlink_to(draft.parents[3] / "file")


def deeper(draft: Path) -> None:
    (draft.parents[1] / "more").mkdir()
    draft.parent.rename(draft.parents[1] / "more" / "deploy-staging")


def doubled(draft: Path) -> None:
    copy = draft.parents[1] / "copy"
    copy.mkdir()
    (copy / "SKILL.md").write_text(draft.read_text().replace("name: deploy-staging", "name: copy"))


def removed(draft: Path) -> None:
    draft.unlink()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edited, "the draft is not valid: line 3"),
        (taken, "something else of this name"),
        (linked, "this is a link"),
        (linked_file, "this is a link"),
        (deeper, "this is not where such skills are kept"),
        (doubled, "several drafts of this pattern: _drafts/copy, _drafts/deploy-staging"),
        (removed, "there is no draft of this pattern"),
    ],
)
def test_a_draft_that_cannot_be_accepted_stays_and_says_why(
    root: Path, change: Callable[[Path], None], words: str
) -> None:
    change(write_draft(root, skill(), SIGNED).path)
    before = tree(root.parent)

    with pytest.raises(UsageError, match=words):
        accept(root, SIGNED)
    assert tree(root.parent) == before


def test_in_a_folder_that_is_not_there_nothing_is_accepted_or_made(tmp_path: Path) -> None:
    for act in (
        lambda: accept(tmp_path / "none", SIGNED),
        lambda: retract(tmp_path / "none", tmp_path / "none/_drafts/a/SKILL.md", ""),
        lambda: unaccept(tmp_path / "none", tmp_path / "none/a/SKILL.md"),
    ):
        with pytest.raises(UsageError, match="there is no such folder"):
            act()
    assert not tree(tmp_path)


def test_a_draft_is_taken_back_without_a_trace(root: Path) -> None:
    placed = write_draft(root, skill(), SIGNED)

    retract(root, placed.path, placed.digest)

    assert not tree(root)


def beside(draft: Path) -> None:
    (draft.parent / "notes.txt").write_text("mine")


def other_words(draft: Path) -> None:
    draft.write_text(draft.read_text() + "mine")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (beside, "there are other files beside it, such as notes.txt"),
        (other_words, "it was edited since it was written"),
        (linked, "this is a link"),
        (removed, "it is no longer where it was put"),
    ],
)
def test_a_draft_that_somebody_touched_is_not_taken_back(
    root: Path, change: Callable[[Path], None], words: str
) -> None:
    placed = write_draft(root, skill(), SIGNED)
    change(placed.path)
    before = tree(root.parent)

    with pytest.raises(TouchedError, match=words):
        retract(root, placed.path, placed.digest)
    assert tree(root.parent) == before


@pytest.mark.parametrize(
    "place", ["mine/SKILL.md", "_drafts/mine/other.md", "_drafts/../mine/SKILL.md", "SKILL.md", ""]
)
def test_nothing_but_a_draft_is_taken_back(root: Path, place: str) -> None:
    placed = write_draft(root, skill(), SIGNED)
    path = planted(root, "mine")
    before = tree(root)

    with pytest.raises(UsageError):
        retract(root, root / place, sha256(path.read_bytes()).hexdigest())
    with pytest.raises(UsageError):
        retract(root, root.parent / "_drafts/deploy-staging/SKILL.md", placed.digest)
    assert tree(root) == before


def test_an_acceptance_is_undone_and_can_be_done_again(root: Path) -> None:
    draft = write_draft(root, skill(), SIGNED)
    before = tree(root)
    placed = accept(root, SIGNED)

    assert unaccept(root, placed.path) == draft.path
    assert tree(root) == before
    assert accept(root, SIGNED).path == placed.path


def test_an_acceptance_is_not_undone_over_another_draft(root: Path) -> None:
    write_draft(root, skill(), SIGNED)
    placed = accept(root, SIGNED)
    planted(root, "_drafts/deploy-staging", OTHER)
    before = tree(root)

    with pytest.raises(UsageError, match="something else of this name"):
        unaccept(root, placed.path)
    with pytest.raises(UsageError, match="not where such skills are kept"):
        unaccept(root, root / "_drafts/deploy-staging/SKILL.md")
    with pytest.raises(TouchedError, match="no longer where it was put"):
        unaccept(root, root / "gone/SKILL.md")
    assert tree(root) == before


def test_drafts_that_are_gone_are_told_as_that(root: Path) -> None:
    placed = write_draft(root, skill(), SIGNED)
    placed.path.parent.rename(root / "mine")
    (root / "_drafts").rmdir()

    with pytest.raises(TouchedError, match="no longer where it was put"):
        retract(root, placed.path, placed.digest)
    assert list(tree(root)) == ["mine", "mine/SKILL.md"]


# What was killed halfway.


def test_what_a_write_left_that_was_killed_is_removed_by_the_next(root: Path) -> None:
    for name in ("a" * 16, "b" * 16):
        (root / "_drafts" / f".memscope-{name}").mkdir(parents=True)
    (root / "_drafts" / f".memscope-{'a' * 16}" / "SKILL.md").write_text("half of")
    theirs = [f"_drafts/.memscope-{name}" for name in ("mine", "c" * 16, "d" * 16)]
    for name in theirs[:2]:
        (root / name).mkdir()
        (root / name / "notes.txt").touch()
    (root.parent / "elsewhere").mkdir()
    (root / theirs[2]).symlink_to(root.parent / "elsewhere")

    placed = write_draft(root, skill(), SIGNED)

    assert sorted(path.name for path in (root / "_drafts").iterdir()) == [
        *(f".memscope-{'c' * 16}", f".memscope-{'d' * 16}", ".memscope-mine", placed.path.parent.name)
    ]
    assert all((root / name / "notes.txt").exists() for name in theirs[:2])


def test_what_another_process_may_be_writing_is_not_removed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    coming = root / "_drafts" / f".memscope-{'a' * 16}"
    coming.mkdir(parents=True)
    monkeypatch.setattr(fcntl, "flock", none)

    write_draft(root, skill(), SIGNED)

    assert coming.is_dir()


def test_an_empty_folder_that_taking_a_draft_back_left_is_free(root: Path) -> None:
    placed = write_draft(root, skill(), SIGNED)
    placed.path.unlink()  # and killed before the folder was

    check_place(root, "deploy-staging")
    assert write_draft(root, skill(), SIGNED) == placed
    accepted = accept(root, SIGNED)
    placed.path.parent.mkdir(parents=True)
    assert unaccept(root, accepted.path) == placed.path


@pytest.mark.parametrize("place", ["deploy-staging", "_drafts/deploy-staging"])
def test_a_place_is_checked_without_anything_being_made(tmp_path: Path, place: str) -> None:
    check_place(tmp_path / "none", "deploy-staging")
    planted(tmp_path, place, OTHER)
    before = tree(tmp_path)

    with pytest.raises(UsageError, match="something else of this name"):
        check_place(tmp_path, "deploy-staging")
    with pytest.raises(UsageError, match="Give the skill another name"):
        check_place(tmp_path, "../x")
    assert tree(tmp_path) == before
