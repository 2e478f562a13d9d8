"""Accepted responses, and the conversations they are in opened again: found by what they say, not by their place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.batch import Transcript, each, transcripts
from memscope.actions.open import Opened, Opening, Sources, opened
from memscope.actions.triage import opening_of, subjects_of
from memscope.base.errors import Cancelled, MemscopeError, SourceError
from memscope.store.journal import Journal
from memscope.triage.decisions import KIND, Decided, Provenance, Whence, folded, provenance_of

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.conversation.model import Conversation
    from memscope.store.database import Database

_NO_FILE = "the conversation comes from no file, so it cannot be opened again"
_CHANGED = "the conversation has changed: the response, or something said before it, is not in it any more"
_UNIT = "conversations"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A response by its subject, what was decided of it, and what was known then."""

    subject: str
    decided: Decided
    known: Provenance


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation, the accepted responses in it by message, ascending, and the subject of its `first` response."""

    conversation: Conversation
    responses: Mapping[int, Accepted]
    first: str


@dataclass(frozen=True, slots=True)
class Lost:
    """An accepted response whose conversation cannot be opened, or does not hold it any more, and why."""

    accepted: Accepted
    error: str


def accepted_responses(database: Database) -> list[Accepted]:
    """All accepted responses, in the order of their subjects. Raises `StoreError`."""
    found = []
    for subject, entries in sorted(Journal(database).all_entries(KIND).items()):
        decided = folded(entries)
        if decided.bucket == "accepted":
            found.append(Accepted(subject, decided, provenance_of(decided.about)))
    return found


def found_again(
    accepted: Sequence[Accepted], settings: Settings, database: Database, job: Job
) -> Iterator[Found | Lost]:
    """Every conversation that some of these are in, opened as it was when they were decided, ordered by file, item and
    window; and what is not found. Memory files that are gone do not matter: no memory is exported. Raises
    `Cancelled`."""
    groups: dict[Whence, list[Accepted]] = {}
    for one in accepted:
        if one.known.source is None:
            yield Lost(one, _NO_FILE)
        else:
            groups.setdefault(replace(one.known.source, message=0), []).append(one)
    for number, source in enumerate(sorted(groups, key=_order)):
        job.check()
        job.progress(number, len(groups), _UNIT, Path(source.path).name)
        yield from _in_conversation(opening_of(source), groups[source], settings, database, job)
    job.progress(len(groups), len(groups), _UNIT)


def found_in(
    files: Sequence[Transcript], accepted: Sequence[Accepted], settings: Settings, database: Database, job: Job
) -> Iterator[Found]:
    """The conversations of these files that hold any of these responses, wherever those were decided: a file that was
    moved still holds them. Raises `Cancelled`."""
    wanted = {one.subject: one for one in accepted}

    def work(opened: Opened, job: Job) -> list[Found]:
        reopen = partial(_opened, settings=settings, database=database)
        return list(_in_windows(opened.conversation, opened.opening, wanted, reopen, job))

    # What else counted as a memory is no part of a prompt, so each way in which these were opened is tried.
    known = [one.known.source for one in accepted if one.known.source is not None]
    ways: dict[Sources, None] = dict.fromkeys(["memories", *(opening_of(source).sources for source in known)])
    for sources in ways:
        if not files or not wanted:
            return
        its = Opening(files[0].path, sources=sources)
        for done in each(files, its, work, job, settings=settings, database=database):
            yield from done.result or ()


def parted(
    accepted: Iterable[Accepted], paths: Sequence[Path], job: Job
) -> tuple[list[Accepted], list[Accepted], list[Transcript]]:
    """Those that were decided in conversations at `paths` or below; the others; and the transcripts there in which none
    were. Raises `SourceError` for a path at which there is nothing, `Cancelled`."""
    files = [os.path.realpath(path.expanduser()) for path in paths]
    folders = tuple(os.path.join(file, "") for file in files)  # noqa: PTH118 - with a separator behind it
    inside: list[Accepted] = []
    others: list[Accepted] = []
    decided: set[str] = set()
    for one in accepted:
        real = os.path.realpath(one.known.source.path) if one.known.source is not None else ""
        is_inside = real in files or real.startswith(folders)
        (inside if is_inside else others).append(one)
        if is_inside:
            decided.add(real)
    there = transcripts(paths, job)
    for path, real, folder in zip(paths, files, folders, strict=True):
        is_known = real in decided or any(one.startswith(folder) for one in decided)
        if not is_known and not os.path.lexists(real):
            raise SourceError("there is no such file", where=path, do="Check the path.")
    rest = [file for file in there if not file.error and os.path.realpath(file.path) not in decided]
    return inside, others, rest


def _in_conversation(
    opening: Opening, accepted: Sequence[Accepted], settings: Settings, database: Database, job: Job
) -> Iterator[Found | Lost]:
    wanted = {one.subject: one for one in accepted}
    reopen = partial(_opened, settings=settings, database=database)
    try:
        yield from _in_windows(reopen(opening), opening, wanted, reopen, job)
    except Cancelled:
        raise
    except MemscopeError as error:
        yield from (Lost(one, f"{error.what}; if it was moved, name its file or folder") for one in wanted.values())
        return
    yield from (Lost(one, _CHANGED) for one in wanted.values())


def _in_windows(
    conversation: Conversation,
    opening: Opening,
    wanted: dict[str, Accepted],
    reopen: Callable[[Opening], Conversation],
    job: Job,
) -> Iterator[Found]:
    """Where in the windows of a conversation those that are `wanted` are; they are not wanted any more then. It is
    there as `opening` has it, and the window of that is looked at first; the others are `reopen`ed."""
    others = (other for other in range(conversation.windows) if other != opening.window)
    for window in (opening.window, *others):
        if not wanted:
            return
        job.check()
        is_there = window == opening.window
        there = conversation if is_there else reopen(replace(opening, window=window))
        if (found := _found(there, wanted)) is not None:
            for one in found.responses.values():
                wanted.pop(one.subject)
            yield found


def _opened(opening: Opening, settings: Settings, database: Database) -> Conversation:
    try:
        return opened(opening, settings, database).conversation
    except SourceError:
        if not opening.memories:
            raise
        return opened(replace(opening, memories=()), settings, database).conversation


def _found(conversation: Conversation, wanted: Mapping[str, Accepted]) -> Found | None:
    subjects = subjects_of(conversation)
    there = {message: wanted[subject] for message, subject in subjects.items() if subject in wanted}
    return Found(conversation, there, next(iter(subjects.values()))) if there else None


def _order(source: Whence) -> tuple[str, int, int]:
    return source.path, source.item, source.window
