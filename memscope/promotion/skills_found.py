"""The skills that are below a folder: what each is called, what it is for, and which pattern it was made of.

They are read whatever is wrong with them, and wherever they are: a person may have renamed, moved or edited a skill
that was promoted. Links to folders are followed in reading.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from memscope.base.errors import MemscopeError, UsageError
from memscope.base.text import clean_line
from memscope.promotion.skill_file import LARGEST, SIGNATURE, SKILL_FILE
from memscope.promotion.skill_reading import read

DRAFTS = "_drafts"
TEMPORARY = ".memscope-"
"""How the name of a folder begins that is on its way."""

_MOST_FOLDERS = 20_000  # what has more is no skills folder
_FILES = (SKILL_FILE, "skill.md")
_PASSED_OVER = frozenset({".git", "node_modules", "__pycache__", ".venv"})
_SIGNATURE = re.compile(rf"^\s*{SIGNATURE}\s*:\s*[\"']?([0-9a-f]{{16,64}})\b".encode(), re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill on disk: its SKILL.md at `path`, and that file's sha256. `signature` of the pattern it was made of, "" of
    none; `is_draft`: nobody accepted it yet. `problem`: why it is no valid skill, in words, "" if it is one; one that
    cannot be read at all has no description, and the name of its folder."""

    path: Path
    name: str
    description: str
    signature: str
    is_draft: bool
    digest: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Skills:
    """The skills below a folder, by their paths. `skills` can be read; `broken` are files that cannot. `unread`:
    folders that may not be looked into."""

    skills: tuple[Skill, ...] = ()
    broken: tuple[Skill, ...] = ()
    unread: tuple[Path, ...] = ()

    def of(self, signature: str) -> tuple[Skill, ...]:
        """Those that were made of a pattern, accepted ones first."""
        found = (skill for skill in (*self.skills, *self.broken) if skill.signature == signature)
        return tuple(sorted(found, key=lambda skill: (skill.is_draft, str(skill.path)))) if signature else ()


def existing(folder: Path) -> Skills:
    """What is below `folder`; nothing where there is no such folder. Raises `UsageError` where that is no folder, or
    one that holds too much to be one of skills."""
    root = skills_root(folder)
    found: list[Skill] = []
    broken: list[Skill] = []
    unread: list[Path] = []
    for place in _folders(root, unread):
        for name in _FILES:
            path = place / name
            if (data := _bytes(path)) is None:
                continue
            skill = _skill(root, path, data)
            (found if skill.description else broken).append(skill)
            break
    return Skills(tuple(found), tuple(broken), tuple(unread))


def skills_root(folder: Path) -> Path:
    """The real path of a skills folder, which need not be there. Raises `UsageError` where it is none."""
    try:
        root = Path(os.path.realpath(folder.expanduser()))
        is_there, is_folder = os.path.lexists(root), root.is_dir()
    except (ValueError, RuntimeError) as error:  # a NUL in it, the ~ of somebody who does not exist
        raise UsageError("this is no path", where=folder, do="Choose another skills folder.") from error
    except OSError as error:
        words = f"it cannot be looked at ({error.strerror or error})"
        raise UsageError(words, where=folder, do="Choose another skills folder.") from error
    if is_there and not is_folder:
        raise UsageError("this is no folder", where=folder, do="Choose another skills folder.")
    return root


def read_skill(root: Path, path: Path) -> Skill:
    """The skill in the file at `path`. Raises `MemscopeError` where there is no such file."""
    data = _bytes(path)
    if data is None:
        raise MemscopeError("there is no such file any more", where=path)
    return _skill(root, path, data)


def _folders(root: Path, unread: list[Path]) -> Iterator[Path]:
    """The folders below the root, in the order of their paths, each once however many links lead to it."""
    waiting = [root]
    seen: set[tuple[int, int]] = set()
    while waiting:
        place = waiting.pop()
        try:
            about = place.stat()
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            with os.scandir(place) as listed:
                names = sorted(entry.name for entry in listed if _is_folder(entry))
        except OSError as error:
            if place != root or error.errno not in (errno.ENOENT, errno.ENOTDIR):
                unread.append(place)
            continue
        if len(seen) > _MOST_FOLDERS:
            raise UsageError("this holds too many folders to be one of skills", where=root, do="Choose another.")
        if place != root:
            yield place
        wanted = (name for name in reversed(names) if name not in _PASSED_OVER and not name.startswith(TEMPORARY))
        waiting += [place / name for name in wanted]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _bytes(path: Path) -> bytes | None:
    """What a file holds, as far as it is read at all; None where there is none. A file that may not be read holds
    nothing, which is no skill."""
    try:
        # What is opened may be a pipe that nobody writes to.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    except OSError:
        return b"" if path.is_file() else None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(LARGEST + 1)


def _skill(root: Path, path: Path, data: bytes) -> Skill:
    folder = path.parent.name
    reading = read(data, folder)
    problem = "; ".join(map(str, reading.errors)) if data else "it is empty, or may not be read"
    is_draft = path.relative_to(root).parts[0] == DRAFTS
    digest = sha256(data).hexdigest()
    if reading.skill is None:
        match = _SIGNATURE.search(data)
        signature = match[1].decode() if match is not None else ""
        return Skill(path, clean_line(folder), "", signature, is_draft, digest, problem)
    skill = reading.skill
    return Skill(path, skill.name or folder, skill.description, skill.signature, is_draft, digest, problem)
