"""The skills below a folder, whatever is wrong with them and wherever they were moved."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from memscope.base.errors import UsageError
from memscope.promotion import skills_found
from memscope.promotion.skills_found import existing
from tests.promotion.skills import OTHER, SIGNED, planted


def test_skills_are_found_at_any_depth_with_what_they_are(tmp_path: Path) -> None:
    paths = [
        planted(tmp_path, name) for name in ("alpha", "team/beta", "team/more/gamma", "team/more/too/very/much/deeper")
    ]
    draft = planted(tmp_path, "_drafts/delta", SIGNED)

    found = existing(tmp_path)

    assert [skill.path for skill in found.skills] == [draft, *paths]
    assert [skill.is_draft for skill in found.skills] == [True, False, False, False, False]
    first = found.skills[0]
    assert (first.name, first.description, first.signature, first.problem) == ("delta", "Does things.", SIGNED, "")
    assert first.digest == sha256(draft.read_bytes()).hexdigest()
    assert not found.broken


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for folder in (tmp_path / "none", tmp_path / "file" / "none"):
        assert existing(folder) == skills_found.Skills()
        assert not folder.exists()


@pytest.mark.parametrize("name", ["file", "a\0b", "x" * 300, "~nobody-of-this-name/x"])
def test_what_is_no_folder_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="Choose another skills folder"):
        existing(Path(name) if name.startswith("~") else tmp_path / name)


def test_the_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    planted(tmp_path / "skills", "alpha")

    assert len(existing(Path("~/skills")).skills) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no frontmatter", "it does not begin with frontmatter"),
        ("---\nname: a: b\n---\n", "line 2: a value that holds"),
        ("---\nname: alpha\n---\nWords.", "description: is missing"),
        ("", "it is empty, or may not be read"),
        ("x" * 400_000, "it has more than 300 kB"),
    ],
)
def test_a_broken_file_is_told_and_stops_nothing(tmp_path: Path, text: str, problem: str) -> None:
    path = planted(tmp_path, "alpha", text=text)
    planted(tmp_path, "beta")

    found = existing(tmp_path)

    assert [skill.name for skill in found.skills] == ["beta"]
    assert [(skill.path, skill.name) for skill in found.broken] == [(path, "alpha")]
    assert problem in found.broken[0].problem


def test_a_skill_that_is_readable_but_invalid_counts_with_its_problem(tmp_path: Path) -> None:
    planted(tmp_path, "alpha", text="---\nname: other\ndescription: Does.\nmodel: x\n---\nWords.")

    (skill,) = existing(tmp_path).skills

    assert "name: other is not the name of its folder, alpha" in skill.problem
    assert "model: is no field" in skill.problem


def test_a_pattern_is_known_wherever_its_skill_is_and_even_if_that_was_broken_by_hand(tmp_path: Path) -> None:
    accepted = planted(tmp_path, "team/renamed", SIGNED)
    draft = planted(tmp_path, "_drafts/alpha", SIGNED)
    broken = planted(tmp_path, "beta", OTHER)
    broken.write_text(broken.read_text().replace("description: Does", "description: Does: this"))

    found = existing(tmp_path)

    assert [skill.path for skill in found.of(SIGNED)] == [accepted, draft]
    assert [skill.path for skill in found.of(OTHER)] == [broken]
    assert not found.of("")
    assert not found.of("ef56" * 16)


def test_links_are_followed_once_each(tmp_path: Path) -> None:
    planted(tmp_path / "elsewhere", "alpha")
    root = tmp_path / "skills"
    root.mkdir()
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(tmp_path / "elsewhere")
    (root / "round").symlink_to(root)
    (root / "itself").symlink_to("itself")
    (root / "nowhere").symlink_to("none")

    assert [skill.path for skill in existing(root).skills] == [root / "again" / "alpha" / "SKILL.md"]


def test_what_is_no_skill_of_anybody_is_passed_over(tmp_path: Path) -> None:
    for name in (".git/alpha", "node_modules/beta", "_drafts/.memscope-1234"):
        planted(tmp_path, name)
    (tmp_path / "SKILL.md").write_text("the folder itself is none")
    (tmp_path / "gamma" / "SKILL.md").mkdir(parents=True)
    (tmp_path / "delta").mkdir()
    os.mkfifo(tmp_path / "delta" / "SKILL.md")

    found = existing(tmp_path)

    assert not found.skills
    assert not found.broken


def test_the_lower_case_name_of_the_file_is_read_too(tmp_path: Path) -> None:
    path = planted(tmp_path, "alpha")
    path.rename(path.with_name("skill.md"))

    assert [skill.name for skill in existing(tmp_path).skills] == ["alpha"]


def test_a_folder_that_may_not_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(tmp_path, "alpha")
    planted(tmp_path, "beta")
    scan = os.scandir

    def guarded(place: Path) -> object:
        if place.name == "alpha":
            raise PermissionError(13, "Permission denied")
        return scan(place)

    monkeypatch.setattr(os, "scandir", guarded)
    found = existing(tmp_path)

    assert [skill.name for skill in found.skills] == ["beta"]
    assert found.unread == (tmp_path / "alpha",)


def test_a_file_that_may_not_be_read_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(tmp_path, "alpha")
    opened = os.open

    def guarded(path: Path, *rest: int) -> int:
        if Path(path).name == "SKILL.md":
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", guarded)

    assert [skill.problem for skill in existing(tmp_path).broken] == ["it is empty, or may not be read"]


def test_a_folder_of_everything_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skills_found, "_MOST_FOLDERS", 3)
    for number in range(5):
        (tmp_path / str(number)).mkdir()

    with pytest.raises(UsageError, match="too many folders"):
        existing(tmp_path)
