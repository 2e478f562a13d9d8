"""Writing a file so that it is there as a whole or not at all, and paths as a person reads them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

_UNDER_WAY = ".tmp"  # behind the name of what is being written
_RANDOM = 4  # bytes in it
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def replace_file(path: Path, text: str | bytes) -> None:
    """Writes `text`, UTF-8 with its newlines as they are, in place of what `path` holds; its folders are made.

    A link stays one, and what it points to is replaced: many keep their settings in a folder elsewhere. The rights of
    the file stay; a new one is its owner's alone. Raises `OSError`.
    """
    replace_files({path: (text,)})


def replace_files(
    files: Mapping[Path, Iterable[str | bytes]], *, shared: bool = False, like: Path | None = None
) -> None:
    """The same for several, each in pieces that are put one after another; none is replaced before all are written.

    `shared`: a new file may be read by whom the umask lets, as one that any program makes. `like`: all have the rights
    of that file, where there is one.
    """
    written: list[tuple[Path, Path, Path | None]] = []
    try:
        for path, pieces in files.items():
            real = Path(os.path.realpath(path))
            real.parent.mkdir(parents=True, exist_ok=True)
            rights = next((one for one in (like, real) if one is not None and one.exists()), None)
            new = real.parent / f".{real.name}.{secrets.token_hex(_RANDOM)}{_UNDER_WAY}"
            handle = os.open(new, _NEW, 0o666 if shared and rights is None else 0o600)
            written.append((new, real, rights))
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece if isinstance(piece, bytes) else piece.encode())
                file.flush()
                os.fsync(file.fileno())
        for new, real, rights in written:
            if rights is not None:
                shutil.copymode(rights, new)
            new.replace(real)
    except BaseException:
        for new, _, _ in written:
            new.unlink(missing_ok=True)
        raise


def remove_leftovers(path: Path) -> None:
    """Removes what a program that was killed had begun to write in place of `path`. Only where nobody else can be
    writing it: theirs would go too."""
    real = Path(os.path.realpath(path))
    ours = re.compile(rf"\.{re.escape(real.name)}\.[0-9a-f]{{{2 * _RANDOM}}}{re.escape(_UNDER_WAY)}")
    with suppress(OSError), os.scandir(real.parent) as found:
        for one in found:
            if ours.fullmatch(one.name) and one.is_file(follow_symlinks=False):
                Path(one.path).unlink()


def shown_path(path: Path) -> str:
    """A path with the home folder written as ~; not yet cleaned for a screen."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # it is elsewhere, or there is no home
        return str(path)
