"""Writing a file so that it is there as a whole or not at all, and paths as a person reads them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def replace_file(path: Path, text: str) -> None:
    """Writes `text`, UTF-8 with its newlines as they are, in place of what `path` holds; its folders are made.

    A link stays one, and what it points to is replaced: many keep their settings in a folder elsewhere. The rights of
    the file stay; a new one is its owner's alone. Raises `OSError`.
    """
    real = Path(os.path.realpath(path))
    real.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if real.exists():
            shutil.copymode(real, written)
        written.replace(real)
    except BaseException:
        written.unlink()
        raise


def shown_path(path: Path) -> str:
    """A path with the home folder written as ~; not yet cleaned for a screen."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # it is elsewhere, or there is no home
        return str(path)
