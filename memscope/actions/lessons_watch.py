"""A file of lessons that is looked at again and again, since a training run may append to it meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.lessons import Lessons, read_lessons
from memscope.base.errors import MemscopeError

if TYPE_CHECKING:
    from memscope.reports.lessons import LessonsDocument

Stamp = tuple[int, ...]
"""What tells that a file may be another: () where nothing is known of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What a file held, and as it is listed."""

    lessons: Lessons
    document: LessonsDocument


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look: what was `read`, or the `trouble` with that."""

    stamp: Stamp
    read: Read | None = None
    trouble: MemscopeError | None = None


def look(path: Path, before: Looked | None = None) -> Looked | None:
    """What is in the file at `path`; None where it looks as it did `before`. What cannot be read is told, not raised:
    it is not read again either, until it changes."""
    stamp = _stamp(path)  # first: what is written while it is read is read the next time
    if before is not None and before.stamp == stamp:
        return None
    try:
        lessons = read_lessons(path)
    except MemscopeError as error:
        return Looked(stamp, trouble=error)
    return Looked(stamp, Read(lessons, lessons.document()))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
