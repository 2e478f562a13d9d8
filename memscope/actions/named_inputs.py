"""The files and folders that a person named: whether they are there, and which of them hold no session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from memscope.actions.scan import inside
from memscope.base.errors import SourceError, UsageError
from memscope.sessions.ranked import RankedSession


def there(path: Path) -> Path:
    """`path` with its ~ resolved, if there is something. Raises `UsageError` otherwise."""
    try:
        path = path.expanduser()
        is_there = path.exists()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: the ~ of somebody who does not exist
        raise UsageError(f"this cannot be read ({error})", where=path) from error
    if not is_there:
        raise UsageError("there is no such file or folder", where=path)
    return path


def without_session(
    ranked: Sequence[RankedSession],
    named: Sequence[Path],
    *,
    do: str = "",
    why: Callable[[RankedSession], str] = lambda row: row.error,
) -> Iterator[tuple[Path, str]]:
    """The files without a session, each with `why`, and the folders without a file. Raises `SourceError` for a file
    that was named, with what to `do` about it."""
    files = {str(path.absolute()) for path in named if not path.is_dir()}  # as a scan has them
    for row in ranked:
        if row.facts is None:
            if row.path in files:
                raise SourceError(row.error, where=row.path, do=do)
            yield Path(row.path), why(row)
    for folder in named:
        if folder.is_dir() and not any(row.path.startswith(inside(folder)) for row in ranked):
            yield folder, "no transcript is below this folder"
