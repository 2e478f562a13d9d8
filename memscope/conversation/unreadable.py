"""What to tell a person of a file that the system would not give us."""

from __future__ import annotations

import errno
from pathlib import Path

from memscope.base.errors import SourceError

_LONGEST_NAME = 200  # characters
_WRONG_PATH = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


def why(error: OSError) -> str:
    """What the system said, in a few words."""
    known = {FileNotFoundError: "there is no such file", PermissionError: "no permission to read it"}
    return known.get(type(error), error.strerror or str(error))


def unreadable(error: OSError, path: Path) -> SourceError:
    """The error to raise for `path`."""
    do = "Check the path." if error.errno in _WRONG_PATH else "Check that it may be read."
    return SourceError(why(error), where=shown(path), do=do)


def shown(path: Path) -> str:
    """`path` as a message names it: a name that no file can have is cut in its middle."""
    name = str(path)
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}"
