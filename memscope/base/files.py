"""Writing a file so that it is there as a whole or not at all, and paths as a person reads them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def replace_file(path: Path, text: str | bytes) -> None:
    """Writes `text`, UTF-8 with its newlines as they are, in place of what `path` holds; its folders are made.

    A link stays one, and what it points to is replaced: many keep their settings in a folder elsewhere. The rights of
    the file stay; a new one is its owner's alone. Raises `OSError`.
    """
    replace_files({path: (text,)})


def replace_files(files: Mapping[Path, Iterable[str | bytes]]) -> None:
    """The same for several, each in pieces that are put one after another; none is replaced before all are written."""
    written: list[tuple[Path, Path]] = []
    try:
        for path, pieces in files.items():
            real = Path(os.path.realpath(path))
            real.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
            written.append((Path(name), real))
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece if isinstance(piece, bytes) else piece.encode())
                file.flush()
                os.fsync(file.fileno())
        for new, real in written:
            if real.exists():
                shutil.copymode(real, new)
            new.replace(real)
    except BaseException:
        for new, _ in written:
            new.unlink(missing_ok=True)
        raise


def shown_path(path: Path) -> str:
    """A path with the home folder written as ~; not yet cleaned for a screen."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # it is elsewhere, or there is no home
        return str(path)
