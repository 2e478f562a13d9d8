"""Writing below a skills folder: a draft, its acceptance, and the undoing of both.

Nothing is ever written over, nothing is written outside the folder or through a link within it, and a skill is there as
a whole or not at all. One process at a time changes a skills folder; what others do to it meanwhile is met as it is
found.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from memscope.base.disk import disk_error
from memscope.base.errors import MemscopeError, UsageError
from memscope.base.text import clean_line
from memscope.promotion.skill_checks import name_problem
from memscope.promotion.skill_file import SIGNATURE, SKILL_FILE, SkillFile, written
from memscope.promotion.skill_reading import read
from memscope.promotion.skills_found import DRAFTS, TEMPORARY, Skill, existing, read_skill, skills_root

_SIGNATURE = re.compile(r"[0-9a-f]{16,64}")
_TRIES, _WAIT = 200, 0.05  # to take the lock; seconds between two
_ELSEWHERE = "Give the skill another name."
_ON_ITS_WAY = re.compile(rf"{re.escape(TEMPORARY)}[0-9a-f]{{16}}")


class TouchedError(UsageError):
    """Somebody has moved or changed since what is to be taken back: it is theirs, and is left alone."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A skill where it is now: its SKILL.md, and that file's sha256. `is_new`: it was put there just now; otherwise the
    pattern had this skill already, and nothing was done."""

    path: Path
    digest: str
    is_new: bool


def write_draft(folder: Path, skill: SkillFile, signature: str) -> Placed:
    """Writes a skill that was made of a pattern to `folder`/_drafts/<name>/SKILL.md; folders are made.

    Where the pattern has a skill already, wherever that is and whatever its name, that one is returned. Raises
    `UsageError` where the name cannot be one or is taken, the skill has errors, or the folder may not be written to;
    `MemscopeError` where the disk fails.
    """
    if _SIGNATURE.fullmatch(signature) is None:
        raise UsageError("the signature of a pattern is 16 to 64 of 0-9 and a-f")
    _named(skill.name)
    text = written(replace(skill, metadata={**skill.metadata, SIGNATURE: signature}))
    if errors := read(text, skill.name).errors:
        raise UsageError(f"the skill is not valid: {'; '.join(map(str, errors))}", do="Correct it first.")
    data = text.encode("utf-8", "backslashreplace")
    with _changing(folder, make=True) as root:
        if there := existing(root).of(signature):
            return Placed(there[0].path, there[0].digest, False)
        _free(root / skill.name)
        target = _drafts(root, make=True) / skill.name
        _free(target)
        _put(target, data)
    return Placed(target / SKILL_FILE, sha256(data).hexdigest(), True)


def check_place(folder: Path, name: str) -> None:
    """Raises `UsageError` where no draft of this name can be written: it cannot be one, or is taken."""
    _named(name)
    root = skills_root(folder)
    for place in (root / name, root / DRAFTS / name):
        _free(place)


def accept(folder: Path, signature: str) -> Placed:
    """Moves the draft of a pattern, as a person may have edited it, to `folder`/<name>/ with all that is in its folder.

    A pattern whose skill is accepted already has that one returned. Raises `UsageError` where there is no draft or
    several, it has errors, or its place is taken; `MemscopeError` where the disk fails.
    """
    with _changing(folder) as root:
        there = existing(root).of(signature)
        if there and not there[0].is_draft:
            return Placed(there[0].path, there[0].digest, False)
        draft = _only(root, there)
        if draft.problem:
            raise UsageError(f"the draft is not valid: {draft.problem}", where=draft.path, do="Correct it first.")
        source = _own(root, draft.path, in_drafts=True)
        _named(source.name)
        target = root / source.name
        _move(source, target)
        _tidy(root)
    return Placed(target / SKILL_FILE, draft.digest, True)


def retract(folder: Path, path: Path, digest: str) -> None:
    """Takes back the draft that was written to `path`: removes it where it is as it was written (`digest`) and alone in
    its folder. Raises `TouchedError` where it is not, or is gone; nothing is removed then."""
    with _changing(folder) as root:
        place = _own(root, path, in_drafts=True)
        if read_skill(root, place / SKILL_FILE).digest != digest:
            raise TouchedError("it was edited since it was written", where=path)
        others = sorted(clean_line(one.name) for one in place.iterdir() if one.name != SKILL_FILE)
        if others:
            raise TouchedError(f"there are other files beside it, such as {others[0]}", where=path)
        (place / SKILL_FILE).unlink()
        place.rmdir()
        _tidy(root)


def unaccept(folder: Path, path: Path) -> Path:
    """Moves the accepted skill at `path` back to the drafts, with all that is in its folder, and returns where its
    SKILL.md is now. Raises `TouchedError` where it is gone, `UsageError` where its place among the drafts is taken."""
    with _changing(folder) as root:
        source = _own(root, path, in_drafts=False)
        target = _drafts(root, make=True) / source.name
        try:
            _move(source, target)
        finally:
            _tidy(root)
    return target / SKILL_FILE


def _named(name: str) -> None:
    """Raises `UsageError` for a name that a folder of a skill cannot have."""
    problem = name_problem(name)
    if problem:
        raise UsageError(f"the name of the skill {problem}", do=_ELSEWHERE)


def _free(place: Path) -> None:
    """Raises `UsageError` for a place that is taken. An empty folder among the drafts is what taking one back has left
    that was killed halfway."""
    is_left = place.parent.name == DRAFTS and place.is_dir() and not place.is_symlink() and not any(place.iterdir())
    if os.path.lexists(place) and not is_left:
        raise UsageError("there is something else of this name", where=place, do=_ELSEWHERE)


def _drafts(root: Path, *, make: bool = False) -> Path:
    """The folder of the drafts. Raises `UsageError` where that is a link or a file."""
    drafts = root / DRAFTS
    if make:
        with suppress(FileExistsError):
            drafts.mkdir()
    if drafts.is_symlink() or not drafts.is_dir():
        raise UsageError(
            "the drafts have to be in a folder that is no link", where=drafts, do="Move it out of the way."
        )
    return drafts


def _own(root: Path, path: Path, *, in_drafts: bool) -> Path:
    """The folder of a skill that is where this module puts skills. Raises `TouchedError` where it is not there."""
    parent, name = root / DRAFTS if in_drafts else root, path.parent.name
    place = parent / name
    if path.name != SKILL_FILE or name_problem(name) or Path(os.path.realpath(path.parent.parent)) != parent:
        kept = parent / "<name>" / SKILL_FILE
        raise TouchedError("this is not where such skills are kept", where=path, do=f"They are kept at {kept}.")
    if place.is_symlink() or (place / SKILL_FILE).is_symlink():
        raise TouchedError("this is a link", where=path, do="What it leads to is left alone.")
    if not (place / SKILL_FILE).is_file():
        raise TouchedError("it is no longer where it was put", where=path)
    return place


def _only(root: Path, drafts: tuple[Skill, ...]) -> Skill:
    if not drafts:
        raise UsageError("there is no draft of this pattern", where=root, do="Write it first.")
    if len(drafts) > 1:
        names = ", ".join(clean_line(str(draft.path.parent.relative_to(root))) for draft in drafts)
        raise UsageError(f"there are several drafts of this pattern: {names}", where=root, do="Keep one of them.")
    return drafts[0]


def _put(target: Path, data: bytes) -> None:
    """Makes the folder `target` with a SKILL.md in it, at once."""
    new = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    new.mkdir()
    try:
        with (new / SKILL_FILE).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _move(new, target)
    except BaseException:
        (new / SKILL_FILE).unlink(missing_ok=True)
        new.rmdir()
        raise


def _move(source: Path, target: Path) -> None:
    """Moves a folder to a free place. Somebody who takes it at the last moment keeps it: a folder that holds something
    is never replaced by another, nor is a file."""
    _free(target)
    if target.parent.name == DRAFTS:
        with suppress(OSError):
            target.rmdir()  # see `_free`; not every system moves a folder over an empty one
    try:
        source.rename(target)
    except OSError as error:
        if os.path.lexists(target):
            raise UsageError("there is something else of this name", where=target, do=_ELSEWHERE) from error
        raise


def _swept(root: Path) -> None:
    """Removes what a write has left among the drafts that was killed halfway."""
    drafts = root / DRAFTS
    if drafts.is_symlink() or not drafts.is_dir():
        return
    for place in drafts.iterdir():
        if _ON_ITS_WAY.fullmatch(place.name) and not place.is_symlink():
            with suppress(OSError):
                (place / SKILL_FILE).unlink(missing_ok=True)
                place.rmdir()


def _tidy(root: Path) -> None:
    """Removes the folder of the drafts where it is empty."""
    with suppress(OSError):
        (root / DRAFTS).rmdir()


@contextmanager
def _changing(folder: Path, *, make: bool = False) -> Iterator[Path]:
    """The real path of a skills folder that nobody else of us changes meanwhile; what the disk does as an error for a
    person."""
    root = skills_root(folder)
    try:
        if make:
            root.mkdir(parents=True, exist_ok=True)
        elif not root.is_dir():
            raise UsageError("there is no such folder", where=folder, do="Choose another skills folder.")
        with _locked(root) as is_alone:
            try:
                if is_alone:
                    _swept(root)
                yield root
            except BaseException:
                _tidy(root)
                raise
    except MemscopeError:
        raise
    except OSError as error:
        raise disk_error(error, Path(error.filename or folder)) from error


@contextmanager
def _locked(root: Path) -> Iterator[bool]:
    """Whether nobody else of us changes it meanwhile: where the system knows such locks. Elsewhere the last step of a
    write still fails for the second of two."""
    try:
        import fcntl
    except ImportError:
        yield False
        return
    handle, is_alone = os.open(root, os.O_RDONLY), False
    try:
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_alone = True
                break
            except BlockingIOError as error:
                if not left:
                    raise UsageError("another process is changing it", where=root, do="Try again.") from error
                time.sleep(_WAIT)
            except OSError:  # the file system has none
                break
        yield is_alone
    finally:
        os.close(handle)
