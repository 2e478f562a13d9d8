"""Many conversations, one after another: which there are below some paths, and the same work on each of them.

Nothing that is wrong with one of them stops the others: it is told in its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from memscope.actions.open import Opened, Opening, opened_each
from memscope.base.errors import Cancelled, MemscopeError, SourceError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings
from memscope.conversation.load import count_items
from memscope.conversation.unreadable import why

if TYPE_CHECKING:
    from memscope.store.database import Database

SUFFIXES = (".json", ".jsonl", ".ndjson", ".af", ".traj")  # of what may be a transcript, in a folder
_PASSED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv"})
_UNIT = "conversations"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Transcript:
    """A file that holds so many conversations (`items`); or why it holds none, or cannot be read (`error`)."""

    path: Path
    items: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What came of one conversation: of which it is (`opened`: None where it could not be opened), and the `result`; or
    else why there is none (`error`)."""

    path: Path
    item: int
    opened: Opened | None = None
    result: Result | None = None
    error: str = ""


def transcripts(paths: Sequence[Path], job: Job, *, input_format: str = "") -> list[Transcript]:
    """The transcripts at `paths` (files) and below (folders), in the order of the paths, a folder's sorted.

    In folders, names that begin with a dot are passed over, and files whose ending no transcript has (`SUFFIXES`). What
    cannot be read, or is no transcript, is told in its place. A file that is reached on two ways is there once. Raises
    `Cancelled`.
    """
    found: list[Transcript] = []
    seen: set[str] = set()
    for named in paths:
        files = list(_files(named, set()))
        if not files:
            found.append(Transcript(named, error="no transcript is below this folder"))
        for file in files:
            job.check()
            job.progress(len(found), doing="looking for conversations", unit="files")
            real = os.path.realpath(file.path)
            if file.error:
                found.append(file)
            elif real not in seen:
                seen.add(real)
                found.append(_counted(file.path, input_format))
    return found


def each(
    found: Sequence[Transcript],
    opening: Opening,
    work: Callable[[Opened, Job], Result],
    job: Job,
    *,
    settings: Settings,
    database: Database | None = None,
) -> Iterator[Done[Result]]:
    """Opens every conversation of what `transcripts` found, each as `opening` says but for its place, and does `work`
    on it, one after another; the job says how many are done. Raises `Cancelled`, and what is no `MemscopeError`."""
    total, before = sum(file.items or 1 for file in found), 0
    for file in found:
        job.check()
        job.progress(before, total, _UNIT, file.path.name)
        if file.error:
            yield Done(file.path, 0, error=file.error)
        item = 0
        try:
            its = replace(opening, path=file.path)
            for opened in opened_each(its, file.items, settings, database) if not file.error else ():
                job.check()
                if isinstance(opened, SourceError):
                    yield Done(file.path, item, error=opened.what)
                else:
                    name = opened.conversation.title or file.path.name
                    yield _done(opened, work, job.child(_Told(job, before + item, total, name)))
                item += 1
        except Cancelled:
            raise
        except MemscopeError as error:  # the file is gone, or no transcript any more
            yield Done(file.path, item, error=_words(error, file.path))
        before += file.items or 1
    job.progress(total, total, _UNIT)


def _done(opened: Opened, work: Callable[[Opened, Job], Result], job: Job) -> Done[Result]:
    path, item = opened.opening.path, opened.opening.item
    try:
        return Done(path, item, opened, work(opened, job))
    except Cancelled:
        raise
    except MemscopeError as error:
        return Done(path, item, opened, error=_words(error, path))


@dataclass(frozen=True, slots=True)
class _Told:
    """Says how far the work on one conversation is as a part of how far all of it is."""

    job: Job
    before: int
    total: int
    name: str

    def __call__(self, progress: Progress) -> None:
        of = "" if progress.total is None else f" {progress.done}/{progress.total}"
        said = " ".join(filter(None, (self.name, f"({progress.unit or progress.doing}{of})")))
        self.job.progress(self.before, self.total, _UNIT, said)


def _counted(path: Path, input_format: str) -> Transcript:
    try:
        return Transcript(path, count_items(path, input_format=input_format))
    except (MemscopeError, OSError) as error:
        return Transcript(path, error=_words(error, path))


def _files(path: Path, entered: set[str]) -> Iterator[Transcript]:
    """The files at `path` or below, not yet looked into, and what cannot be looked for."""
    try:
        path = path.expanduser()
        if not path.is_dir():
            yield Transcript(path)
            return
        real = os.path.realpath(path)
        if real in entered:
            yield Transcript(path, error="a link to a folder that is read already")
            return
        entered.add(real)
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except (OSError, RuntimeError) as error:  # RuntimeError: the ~ of somebody who does not exist
        yield Transcript(path, error=_words(error, path))
        return
    for name in names:
        below = path / name
        is_folder = os.path.isdir(below)  # noqa: PTH112 - it never raises
        if is_folder and name not in _PASSED_FOLDERS:
            yield from _files(below, entered)
        elif not is_folder and name.endswith(SUFFIXES):
            yield Transcript(below)


def _words(error: Exception, path: Path) -> str:
    """What is wrong, without the path that stands beside it."""
    if isinstance(error, OSError):
        return why(error)
    if not isinstance(error, MemscopeError):
        return str(error)
    return error.what if error.where in (None, str(path)) else f"{error.where}: {error.what}"
