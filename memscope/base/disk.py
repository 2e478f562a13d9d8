"""What goes wrong with a disk, as a person is told of it."""

from __future__ import annotations

import errno
from pathlib import Path

from memscope.base.errors import MemscopeError, UsageError


def disk_error(error: OSError, path: Path) -> MemscopeError:
    """What went wrong in writing to `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MemscopeError("the disk is full", where=path, do="Free some space; nothing was written.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UsageError("this may not be written to", where=path, do="Choose another folder.")
    if error.errno == errno.ENAMETOOLONG:
        return UsageError("the name is too long", where=path, do="Choose a shorter one.")
    return MemscopeError(f"it cannot be written ({error.strerror or error})", where=path)
