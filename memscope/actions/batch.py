"""Many conversations, one after another: which there are below some paths, and the same work on each of them.

Nothing that is wrong with one of them stops the others: it is told in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from memscope.actions.open import Opened, Opening, opened, opened_each
from memscope.actions.walk import walk
from memscope.base.errors import Cancelled, MemscopeError, SourceError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings
from memscope.conversation.load import count_items
from memscope.conversation.unreadable import why

if TYPE_CHECKING:
    from memscope.store.database import Database

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

    In folders, names that begin with a dot are passed over, and files whose ending no transcript has (`walk`). What
    cannot be read, or is no transcript, is told in its place. A file that is reached on two ways is there once. Raises
    `Cancelled`.
    """
    found: list[Transcript] = []
    seen: set[str] = set()
    for named in paths:
        files = list(walk(named))
        if not files:
            found.append(Transcript(named, error="no transcript is below this folder"))
        for file in files:
            job.check()
            job.progress(len(found), doing="looking for conversations", unit="files")
            if file.error:
                found.append(Transcript(Path(file.path), error=file.error))
            elif file.real not in seen:
                seen.add(file.real)
                found.append(_counted(Path(file.path), input_format))
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
        else:
            its = opened_each(replace(opening, path=file.path), file.items, settings, database)
            yield from _of_file(file.path, range(file.items), its, work, _Part(job, before, total))
        before += file.items or 1
    job.progress(total, total, _UNIT)


def each_of(
    wanted: Mapping[Path, Collection[int]],
    opening: Opening,
    work: Callable[[Opened, Job], Result],
    job: Job,
    *,
    settings: Settings,
    database: Database | None = None,
) -> Iterator[Done[Result]]:
    """Opens the conversations `wanted` of files, by their numbers, and does `work` on each, as `each` does; a file is
    passed over once, however many are wanted of it."""
    total, before = sum(map(len, wanted.values())), 0
    for path, items in wanted.items():
        job.check()
        job.progress(before, total, _UNIT, path.name)
        numbers = sorted(items)
        its = _opened_of(replace(opening, path=path), numbers, settings, database)
        yield from _of_file(path, numbers, its, work, _Part(job, before, total))
        before += len(numbers)
    job.progress(total, total, _UNIT)


class _Part(NamedTuple):
    """The work on a file as a part of the whole `job`: behind so many conversations (`before`) of so many (`total`)."""

    job: Job
    before: int
    total: int


def _of_file(
    path: Path,
    numbers: Sequence[int],
    found: Iterator[Opened | SourceError],
    work: Callable[[Opened, Job], Result],
    part: _Part,
) -> Iterator[Done[Result]]:
    """What comes of the conversations with these `numbers`, which are `found` in the file one after another."""
    at = 0
    try:
        for one in found:
            part.job.check()
            if isinstance(one, SourceError):
                yield Done(path, numbers[at], error=one.what)
            else:
                name = one.conversation.title or path.name
                yield _done(one, work, part.job.child(_Told(part.job, part.before + at, part.total, name)))
            at += 1
    except Cancelled:
        raise
    except MemscopeError as error:  # the file is gone, or is no transcript any more
        yield from (Done(path, number, error=_words(error, path)) for number in numbers[at:])


def _opened_of(
    opening: Opening, numbers: Sequence[int], settings: Settings, database: Database | None
) -> Iterator[Opened | SourceError]:
    """The conversations of a file with these numbers, ascending."""
    if len(numbers) == 1:
        yield opened(replace(opening, item=numbers[0]), settings, database)
        return
    items = count_items(opening.path, input_format=opening.input_format)
    yield from opened_each(opening, items, settings, database, frozenset(numbers))
    gone = SourceError("the file does not hold this conversation any more", where=opening.path)
    yield from (gone for number in numbers if number >= items)


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


def _words(error: Exception, path: Path) -> str:
    """What is wrong, without the path that stands beside it."""
    if isinstance(error, OSError):
        return why(error)
    if not isinstance(error, MemscopeError):
        return str(error)
    return error.what if error.where in (None, str(path)) else f"{error.where}: {error.what}"
