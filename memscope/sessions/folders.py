"""The repository that a folder belongs to, told by its path alone: the machine it is on may be another one."""

from __future__ import annotations

import re
from functools import lru_cache

Folder = tuple[str, ...]
"""A folder's path by its names, outermost first, without the drive."""

_DRIVE = re.compile(r"(?:[\\/]{2}[?.][\\/])?[A-Za-z]:(?=[\\/]|$)")
_SHARE = re.compile(r"[\\/]{2}[^\\/]+[\\/][^\\/]+")  # \\server\share, \\wsl$\Ubuntu
_HOMES = (("home",), ("users",), ("var", "home"), ("export", "home"), ("usr", "home"), ("documents and settings",))
_TEMPORARY = (
    ("tmp",),
    ("temp",),
    ("var", "tmp"),
    ("var", "folders"),
    ("private",),
    ("dev", "shm"),
    ("run",),
    ("proc",),
)
_SITES = frozenset({"github.com", "gitlab.com", "bitbucket.org", "codeberg.org"})
_COLLECTIONS = frozenset(  # what people and containers name the folder above their repositories
    """.config app apps build builds code content data desktop dev development documents downloads git github gitlab go
    home media mnt my-projects opt onedrive private project projects public repo repos repositories root sandbox sites
    source sources src srv testbed users usr var volumes work worktrees workspace workspaces www""".split()
)
_INNER = frozenset({"build", "crates", "dist", "lib", "packages", "src", "test", "tests"})  # folders of a repository
_WORKTREES = re.compile(r"(.+?)[._-]{1,2}worktrees")  # mise.worktrees/fix-1, beside mise
_RANDOM = re.compile(r"(?=[a-z]*[0-9])[0-9a-f]{4,40}|[a-f]{4}")  # the name of a folder that an agent made up


@lru_cache(maxsize=256)  # the sessions of one repository run in a few folders
def repository_folder(path: str) -> Folder | None:
    """The repository that the folder at `path` is, or most likely lies in, by its last name; None where it tells none.

    Worktrees, agents' own too, are their repository. Home folders, temporary ones, and folders that hold repositories
    (`/`, `~/src`, `/workspace`) are none.
    """
    names = _names(path)
    if names is None or any(names[: len(t)] == t for t in _TEMPORARY) or _has(names, ("appdata", "local", "temp")):
        return None
    start, in_home = _start(names)
    held = _within(names, start, in_home)
    if held is None:
        return None
    end = held
    while end - start > 1 and names[end - 1].lower() in _INNER and names[end - 2].lower() not in _COLLECTIONS:
        end -= 1
    return names[:end] if any(name.lower() not in _COLLECTIONS for name in names[start:end]) else None


def repository_name(folder: Folder) -> str:
    """The name of the repository in `folder`."""
    worktrees = _WORKTREES.fullmatch(folder[-1])
    return (worktrees[1] if worktrees else folder[-1]).removesuffix(".git")


def is_below(folder: Folder, other: Folder) -> bool:
    """Whether `folder` lies somewhere in `other`; in whatever case they are written, as some systems ignore it."""
    return len(other) < len(folder) and all(a.lower() == b.lower() for a, b in zip(folder, other, strict=False))


def _names(path: str) -> Folder | None:
    """The names of an absolute path, POSIX or Windows; None for any other text."""
    drive = _DRIVE.match(path) or _SHARE.match(path)
    if drive:
        path = path[drive.end() :].replace("\\", "/") or "/"
    elif path.startswith("~"):
        path = "/home/" + path
    if not path.startswith("/"):
        return None
    names = tuple(name for name in path.split("/") if name and name != ".")
    if names[:1] == ("mnt",) and len(names) > 1 and len(names[1]) == 1:  # a Windows drive, seen from its Linux
        return names[2:]
    return names[1:] if names and len(names[0]) == 1 and names[1:2] in (("Users",), ("users",)) else names


def _start(names: Folder) -> tuple[int, bool]:
    """How many names lead to where a person keeps things, and whether that is a home folder."""
    for home in _HOMES:
        if tuple(name.lower() for name in names[: len(home)]) == home and len(names) > len(home):
            return len(home) + 1, True
    if names[:1] == ("root",):
        return 1, True
    return (2 if names[:1] in (("Volumes",), ("media",)) else 0), False


def _within(names: Folder, start: int, in_home: bool) -> int | None:
    """Where the path of the repository ends in `names`; None where there is none."""
    for place in range(start, len(names)):
        name, behind = names[place].lower(), names[place + 1 : place + 3]
        first = place == start and in_home
        if name in _SITES:  # ~/src/github.com/owner/name
            return place + 3 if len(behind) == 2 else None
        if name == ".config":
            continue
        if name.startswith("."):
            if not first:  # .git, .claude/worktrees, .venv: within a repository
                return place if place > start else None
            return _made_by_agent(names, place + 2) if behind[:1] == ("worktrees",) else None
        if name == "conductor" and behind[:1] == ("workspaces",):
            return place + 3 if len(names) > place + 2 else None
        if name == "worktrees" and place > start and names[place - 1].lower() not in _COLLECTIONS:
            return place
        if name == "worktrees" and behind:
            return place + 2
        if _WORKTREES.fullmatch(name):
            return place + 1
    return len(names) if len(names) > start else None


def _made_by_agent(names: Folder, place: int) -> int | None:
    """The repository among the worktrees of an agent: ~/.codex/worktrees/5afe/mise, ~/.cursor/worktrees/mise/5afe."""
    if place >= len(names):
        return None
    return place + 2 if _RANDOM.fullmatch(names[place]) and place + 1 < len(names) else place + 1


def _has(names: Folder, run: Folder) -> bool:
    lower = tuple(name.lower() for name in names)
    return any(lower[i : i + len(run)] == run for i in range(len(names)))
