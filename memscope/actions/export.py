"""Writing what a pane or a command shows to a file: whole or not at all, and never over another by accident."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel

from memscope.base.disk import disk_error
from memscope.base.errors import UsageError
from memscope.base.files import replace_files
from memscope.base.text import json_text, slug
from memscope.reports.csv import csv_text
from memscope.reports.view import View

Doc = TypeVar("Doc", bound=BaseModel)
Row = TypeVar("Row")


def write_document(
    view: View[Doc, Row], document: Doc, path: Path, form: Literal["json", "csv"], *, overwrite: bool = False
) -> Path:
    """Writes a document as its command would print it, and returns where; see `write_text`."""
    if form == "csv":
        return write_text(path, csv_text(view, document), overwrite=overwrite)
    text = json_text(document.model_dump(mode="json", by_alias=True), indent=None)
    return write_text(path, text + "\n", overwrite=overwrite)


def write_text(path: Path, text: str | bytes, *, overwrite: bool = False) -> Path:
    """Writes `text` as UTF-8 and returns the path with its ~ resolved; half of a character pair is written as \\uXXXX,
    bytes as they are.

    The file is there as a whole or as it was before. Raises `UsageError` when it exists and `overwrite` is off, or when
    the place is none to write to, and `MemscopeError` when the disk fails.
    """
    return write_files({path: (text,)}, overwrite=overwrite)[0]


def write_files(files: Mapping[Path, Iterable[str | bytes]], *, overwrite: bool = False) -> list[Path]:
    """The same for several files, each in pieces that are put one after another: all are written or none."""
    places = [free_place(path, overwrite=overwrite) for path in files]
    taken: list[Path] = []  # names that were free
    try:
        for path in places:
            with _translated(path):
                real = Path(os.path.realpath(path))  # a link stays one, and what it points to is written
                if not os.path.lexists(real):
                    real.touch(exist_ok=False)  # takes the name, so that two writers cannot both think it is free
                    taken.append(real)
        with _translated(places[0]):
            replace_files({path: map(_writable, pieces) for path, pieces in zip(places, files.values(), strict=True)})
    except BaseException:
        for path in taken:
            path.unlink(missing_ok=True)
        raise
    return places


def free_place(path: Path, *, overwrite: bool = False) -> Path:
    """`path` with its ~ resolved, if a file can be written there as far as can be seen. Errors as `write_text`."""
    with _translated(path):
        path = path.expanduser()
        if path.is_dir():
            raise UsageError("this is a folder", where=path, do="Add a file name.")
        if not path.parent.is_dir():
            raise UsageError("there is no such folder", where=path.parent, do="Make it, or choose another.")
        if os.path.lexists(path) and not overwrite:
            raise _exists(path)
        if path.exists() and not path.is_file():
            raise UsageError("this is a device or the like", where=path, do="Choose the name of a file.")
        return path


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """What goes wrong with the file at `path` as an error for a person."""
    try:
        yield
    except FileExistsError as error:
        raise _exists(path) from error
    except (ValueError, RuntimeError) as error:  # a NUL in it, the ~ of somebody who does not exist
        raise UsageError("this is no path", where=path, do="Choose another name.") from error
    except OSError as error:
        raise disk_error(error, path) from error


def _writable(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """A path in `folder` at which nothing is: `stem` as lower-case words joined by hyphens, so that a title cannot
    leave the folder, a number where that is taken, and `suffix` (with its dot)."""
    name = slug(stem, 60) or "memscope"
    path, number = folder / f"{name}{suffix}", 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{name}-{number}{suffix}"
    return path


def _exists(path: Path) -> UsageError:
    return UsageError("the file exists", where=path, do="Choose another name, or have it replaced (--force).")
