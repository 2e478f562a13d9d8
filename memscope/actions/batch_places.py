"""Which conversations a batch is for: all of a file, of a folder the sessions that count, of a list those in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.batch import transcripts
from memscope.actions.batch_runs import places_of
from memscope.actions.list_sessions import ReadList
from memscope.actions.scan import inside, scan
from memscope.base.clock import now
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.sessions.ranked import Place
from memscope.sessions.ranking import rank

if TYPE_CHECKING:
    from memscope.store.database import Database

Unread = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class ToScore:
    """The `places` of what is to be scored, in its order; the files that hold nothing to score, each with the reason
    (`unread`); and how many sessions of folders are left out, for they count with others (`copies`)."""

    places: Sequence[Place]
    unread: Sequence[Unread] = ()
    copies: int = 0


def to_score(
    asked: Sequence[Path | ReadList],
    settings: Settings,
    database: Database | None,
    job: Job,
    *,
    copies: bool = False,
    input_format: str = "",
) -> ToScore:
    """What is to be scored of files, folders and lists, in their order; of folders that stand together, all of them as
    `memscope sessions` ranks them. `copies`: of folders also what counts with another session. A conversation that is
    reached twice is there once. Raises `Cancelled`."""
    parts: list[ToScore] = []
    for are_folders, some in groupby(asked, lambda one: not isinstance(one, ReadList) and _is_folder(one)):
        if are_folders:
            folders = [one for one in some if not isinstance(one, ReadList)]
            parts.append(_of_folders(folders, settings, database, job, copies=copies, input_format=input_format))
        else:
            parts += [_listed(one) if isinstance(one, ReadList) else _of_file(one, job, input_format) for one in some]
    return ToScore(
        [*_each_once(place for part in parts for place in part.places)],
        [*dict.fromkeys(unread for part in parts for unread in part.unread)],
        sum(part.copies for part in parts),
    )


def _listed(found: ReadList) -> ToScore:
    return ToScore(found.places, [(Path(path), error) for path, error in found.errors])


def _of_file(path: Path, job: Job, input_format: str) -> ToScore:
    found = transcripts([path], job, input_format=input_format)
    return ToScore([*places_of(found)], [(file.path, file.error) for file in found if file.error])


def _of_folders(
    folders: Sequence[Path], settings: Settings, database: Database | None, job: Job, *, copies: bool, input_format: str
) -> ToScore:
    rows = rank(scan(folders, settings, database, job, input_format=input_format).files, now())
    counting = [row for row in rows if row.facts is not None and (copies or row.copy_of is None)]
    unread = [(Path(row.path), row.error) for row in rows if row.facts is None]
    left_out = len(rows) - len(counting) - len(unread)
    empty = [folder for folder in folders if not any(row.path.startswith(inside(folder)) for row in rows)]
    unread += [(folder, "no transcript is below this folder") for folder in empty]
    return ToScore([row.place for row in counting], unread, left_out)


def _is_folder(path: Path) -> bool:
    try:
        return path.expanduser().is_dir()
    except RuntimeError:  # the ~ of somebody who does not exist
        return False


def _each_once(places: Iterator[Place]) -> Iterator[Place]:
    seen: set[Place] = set()
    for place in places:
        real = Place(os.path.realpath(place.path), place.item)
        if real not in seen:
            seen.add(real)
            yield place
