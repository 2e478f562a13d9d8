"""A transcript file as a stream of JSON values, whatever state its writer left it in.

Real files hold two objects on one line, a last line cut in the middle, one pretty-printed document under a `.jsonl`
name, JSON inside a JSON string, or a record that was started twice. All of that is read here, so that a format sees
values and their line numbers only. Lines are streamed: memory stays flat unless the file is one document. What was read
to recognise a file is not read again, nor is a file of moderate size of which a format needs several passes.

Reading transcripts is mostly parsing. A line goes to the fastest parser at hand first, which gives the same values as
the standard library's for well-formed JSON; what it refuses is read slowly, with all the care there is.
"""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterator
from copy import copy
from functools import cached_property
from itertools import islice, takewhile, tee
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pydantic_core import from_json

from memscope.base.errors import SourceError
from memscope.conversation.model import Skipped
from memscope.conversation.unreadable import unreadable

LONGEST_LINE = 64 * 2**20  # bytes; the longest seen in a thousand real transcripts is 1.5 MB
LARGEST_DOCUMENT = 512 * 2**20
HEAD_VALUES = 64
DEEPEST = 200  # lists and objects within each other; what writes JSON again gives up not far above
_MOST_KEPT = 16 * 2**20  # bytes of a file whose values are kept from pass to pass
_START = 4096  # bytes that show whether a file is text
_OPENING = 128 * 2**10  # bytes read when a file is opened: most transcripts end there, and are not opened again
_BUFFER = 256 * 2**10
_LONGEST_KEY = 64  # characters, of how records start
_MOST_RESTARTS = 16  # on a line
_TOO_DEEP = "the JSON is nested too deeply"
_TOO_LONG = "a number too long to read"
_NOT_WHOLE = "the line holds no whole JSON value"
_REPLACED = "bytes that are not UTF-8 were replaced"
_DECODER = json.JSONDecoder(strict=False)  # raw control characters do occur inside strings
_SPACE = " \t\r\n\ufeff\x00"
_CONTROLS = bytes(byte for byte in range(32) if byte < 9 or byte > 13)


class Value(NamedTuple):
    """A JSON value of the file and the line it starts on, counted from 1."""

    line: int
    json: Any


class Raw:
    """A file that may be a transcript. Opening it checks that it can be one; reading never changes it.

    `lines`: only so many are read, as if there were no more.
    """

    def __init__(self, path: Path, lines: int | None = None) -> None:
        self.path = path
        self._lines = lines
        try:
            found = path.stat()
        except OSError as error:
            raise unreadable(error, path) from error
        mode = found.st_mode
        if stat.S_ISDIR(mode):
            raise SourceError("this is a folder, not a transcript", where=path, do="Name a file in it.")
        if not stat.S_ISREG(mode):
            kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))
            kind = next((word for test, word in kinds if test(mode)), "no regular file")
            raise SourceError(f"this is {kind}, not a file", where=path, do="Write the transcript to a file first.")
        try:
            with path.open("rb", buffering=0) as file:
                opening = file.read(min(_OPENING, found.st_size) or _START)
        except OSError as error:
            raise unreadable(error, path) from error
        if not opening:
            raise SourceError("the file is empty", where=path, do="Check that its writer has saved it.")
        self._start = opening[:_START]
        self._bytes = opening if len(opening) == found.st_size else None  # all of a short file
        self.is_kept = found.st_size <= _MOST_KEPT
        self._begun: Iterator[Value | Skipped] | None = None  # at the first value, those read so far kept behind it
        self._failed: list[SourceError] = []  # why what is kept is not all
        self._refuse_binary()

    def values(self) -> Iterator[Value | Skipped]:
        """Every JSON value in file order, and what had to be passed over. A database has none: `SourceError`."""
        values, self._begun = self._beginning(), None
        return values

    def kept(self) -> Iterator[Value | Skipped]:
        """As `values`, for formats that need several passes.

        A file that `is_kept` is parsed once, and each pass gives the same objects, which are for reading only.
        """
        return copy(self._beginning()) if self.is_kept else self.values()

    @cached_property
    def head(self) -> tuple[Any, ...]:
        """The first JSON values (at most 64), for recognising the format."""
        values = (value.json for value in copy(self._beginning()) if isinstance(value, Value))
        return tuple(islice(values, HEAD_VALUES))

    def _beginning(self) -> Iterator[Value | Skipped]:
        """The values from the first, those among them that were read already."""
        if self.is_database:
            do = "Leave --input-format out."
            raise SourceError("this is an SQLite database, not JSON", where=self.path, do=do)
        if self._begun is None or self._failed:
            self._failed.clear()
            (self._begun,) = tee(self._reading(), 1)
        return self._begun

    def _reading(self) -> Iterator[Value | Skipped]:
        """A new pass over the file."""
        lines = self._lines
        if lines is None:
            return _read(self.path, self._bytes, self._failed, may_be_document=True)
        read = _read(self.path, self._bytes, self._failed, may_be_document=False)
        return takewhile(lambda value: value.line <= lines, read)

    @property
    def is_database(self) -> bool:
        """Whether the file is an SQLite database: it is for formats that read databases, and has no values."""
        return self._start.startswith(b"SQLite format 3\x00")

    @property
    def looks_binary(self) -> bool:
        """Whether the file starts with bytes that no text has."""
        return b"\0" in self._start or _control_bytes(self._start) > len(self._start) // 16

    def _refuse_binary(self) -> None:
        start = self._start
        if self.is_database:
            return
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise SourceError("the text is UTF-16", where=self.path, do="Save it as UTF-8.")
        if start[:2] == b"\x1f\x8b" or start[:4] in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd"):
            raise SourceError("the file is compressed", where=self.path, do="Unpack it first.")
        if _control_bytes(start) > len(start) // 16 and b"{" not in start[:64]:
            do = "A transcript is JSON or JSON lines."
            raise SourceError("this is a binary file, not a transcript", where=self.path, do=do)


def _control_bytes(data: bytes) -> int:
    return len(data) - len(data.translate(None, _CONTROLS))


def _read(
    path: Path, held: bytes | None, failed: list[SourceError], *, may_be_document: bool
) -> Iterator[Value | Skipped]:
    """The values of the file at `path`, of which `held` is all there is, if given. An error is noted in `failed` too.

    No method of `Raw`, which keeps this generator: a `Raw` goes as soon as nobody needs it, and its values with it.
    """
    first_key, told, number = "", False, 0
    try:
        with path.open("rb", buffering=_BUFFER) if held is None else io.BytesIO(held) as file:
            while data := file.readline(LONGEST_LINE):
                number += 1
                if len(data) == LONGEST_LINE and not data.endswith(b"\n"):
                    _pass_over(file)
                    may_be_document = False
                    yield Skipped(number, f"the line is longer than {LONGEST_LINE >> 20} MiB")
                    continue
                try:
                    value = from_json(data, cache_strings="keys")
                except ValueError:
                    value = ""
                if type(value) is not str:  # which may hold JSON
                    may_be_document = False
                    first_key = first_key or _first_key(data[: 4 * _LONGEST_KEY].decode(errors="ignore"))
                    yield Value(number, value)
                    continue
                line, replaced = _decode(data)
                if not line.strip(_SPACE):
                    continue
                if may_be_document:
                    may_be_document, behind = False, file.tell()
                    document = _document(file, line)
                    if document is not None:
                        yield from document
                        return
                    file.seek(behind)
                if replaced is not None and not told:
                    told = True
                    yield Skipped(number, _REPLACED)
                last = "" if line.endswith("\n") else "the last line breaks off"
                yield from _parse_line(line, number, first_key, last)
                first_key = first_key or _first_key(line)
    except OSError as error:
        failed.append(unreadable(error, path))
        raise failed[-1] from error


def _document(file: BinaryIO, first: str) -> tuple[Value | Skipped, ...] | None:
    """The only value of a file of one line, or of one whose `first` line is no JSON while the whole of it is."""
    opening = list(_parse_line(first, 1, ""))
    one_line = not file.read(1)
    if any(isinstance(v, Value) for v in opening) and not one_line:
        return None
    if file.seek(0, os.SEEK_END) > LARGEST_DOCUMENT:
        return None
    file.seek(0)
    data = file.read()
    try:
        value = from_json(data, cache_strings="keys")
        if type(value) is not str:
            return (Value(data.count(b"\n", 0, len(data) - len(data.lstrip())) + 1, value),)
    except ValueError:
        pass
    text, replaced = _decode(data)
    start = len(text) - len(text.lstrip(_SPACE))
    number = text.count("\n", 0, start) + 1
    try:
        found, end = _value(text, start, number)
    except (ValueError, RecursionError) as error:
        in_a_line = any(isinstance(v, Skipped) and v.reason == _TOO_LONG for v in opening)
        return (Skipped(number, _TOO_LONG),) if _is_too_long(error) and not in_a_line else None
    if text[end:].strip(_SPACE):
        return None
    return (found,) if replaced is None else (Skipped(replaced, _REPLACED), found)


def _pass_over(file: BinaryIO) -> None:
    """Reads on to the end of a line too long to hold."""
    while (data := file.readline(LONGEST_LINE)) and not data.endswith(b"\n"):
        pass


def _decode(data: bytes) -> tuple[str, int | None]:
    """The text of `data`, and the first line of it, from 1, where bytes that are not UTF-8 were replaced."""
    replaced = None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        replaced = data.count(b"\n", 0, error.start) + 1
        text = data.decode(errors="replace")
    return text.removeprefix("\ufeff"), replaced


def _unwrap(value: Any) -> Any:
    """A JSON string that contains JSON is that JSON (Letta writes files so)."""
    for _ in range(3):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[", '"'):
            break
        try:
            value = _DECODER.decode(value)
        except (ValueError, RecursionError):
            break
    return value


def _first_key(line: str) -> str:
    """`{"timestamp":` of a line that begins so: how the records of this file start."""
    colon = line.find(":")
    return line[: colon + 1] if line.startswith("{") and 0 < colon < _LONGEST_KEY else ""


def _parse_line(line: str, number: int, first_key: str, last: str = "") -> Iterator[Value | Skipped]:
    """All values on one line, and one word of what is broken: `last`, if given, where nothing whole follows it.

    After a broken value, reading goes on where a record of this file's kind starts anew. That is not within what was
    read of the broken one, else each of its inner objects would be a start, and not where something but a record
    follows. And there is an end to it: a line costs a fixed number of readings, whatever it holds.
    """
    at, broken = 0, -1
    passed: list[Skipped] = []  # the first of it is told
    behind: list[Value | Skipped] = []
    for _ in range(_MOST_RESTARTS):
        try:
            for value in _values_from(line, at, number, bool(passed)):
                if passed:
                    behind.append(value)
                else:
                    yield value
            break
        except _Broken as error:
            passed.append(Skipped(number, error.reason))
            at, broken = error.start, error.at
        at = line.find(first_key, max(at + 1, broken - len(first_key))) if first_key and broken >= 0 else -1
        if at < 0:
            break
    if passed:
        yield Skipped(number, last) if last and not behind and passed[0].reason == _NOT_WHOLE else passed[0]
    yield from behind


class _Broken(Exception):  # noqa: N818 - no error of a person's
    """The value at `start` is broken, seen `at` a place behind; -1 for one that nothing can be read behind."""

    def __init__(self, reason: str, start: int, at: int) -> None:
        super().__init__(reason)
        self.reason, self.start, self.at = reason, start, at


def _values_from(line: str, at: int, number: int, again: bool) -> Iterator[Value | Skipped]:
    """The values from `at` on. After a restart (`again`) the first must stand between records."""
    length = len(line)
    while True:
        while at < length and line[at] in _SPACE:
            at += 1
        if at == length:
            return
        try:
            value, end = _value(line, at, number)
        except RecursionError:
            raise _Broken(_TOO_DEEP, at, -1) from None
        except json.JSONDecodeError as error:
            raise _Broken(_NOT_WHOLE, at, error.pos) from None
        except ValueError:
            raise _Broken(_TOO_LONG, at, -1) from None
        if again and line[end : end + 64].lstrip(_SPACE)[:1] not in ("", "{"):
            raise _Broken(_NOT_WHOLE, at, end)
        again = False
        yield value
        at = end


def _is_too_long(error: Exception) -> bool:
    """Whether Python refused a number for its length, the one error of its that is no error of JSON."""
    return isinstance(error, ValueError) and not isinstance(error, json.JSONDecodeError)


def _value(text: str, start: int, number: int) -> tuple[Value | Skipped, int]:
    """The JSON value of line `number` that begins at `start`, and where it ends.

    Raises ValueError for a broken one, RecursionError for one nested so deeply that its end is not found either.
    """
    value, end = _DECODER.raw_decode(text, start)
    inner = _unwrap(value)
    suspect = inner is not value or text.count("[", start, end) + text.count("{", start, end) > DEEPEST
    return Skipped(number, _TOO_DEEP) if suspect and is_too_deep(inner) else Value(number, inner), end


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than `DEEPEST`."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        held = (v.values() if isinstance(v, dict) else v for v in level)
        level = [v for values in held for v in values if isinstance(v, dict | list)]
    return bool(level)
