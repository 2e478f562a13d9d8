"""A transcript file as a stream of JSON values, whatever state its writer left it in.

Real files hold two objects on one line, a last line cut in the middle, one pretty-printed document under a `.jsonl`
name, JSON inside a JSON string, or a record that was started twice. All of that is read here, so that a format sees
values and their line numbers only. Lines are streamed: memory stays flat unless the file is one document.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from memscope.base.errors import SourceError
from memscope.conversation.model import Skipped
from memscope.conversation.unreadable import unreadable

LONGEST_LINE = 64 * 2**20  # bytes; the longest seen in a thousand real transcripts is 1.5 MB
LARGEST_DOCUMENT = 512 * 2**20
HEAD_VALUES = 64
DEEPEST = 200  # lists and objects within each other; what writes JSON again gives up not far above
_MOST_RESTARTS = 16  # on a line
_TOO_DEEP = "the JSON is nested too deeply"
_DECODER = json.JSONDecoder(strict=False)  # raw control characters do occur inside strings
_SPACE = " \t\r\n\ufeff\x00"


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value of the file and the line it starts on, counted from 1."""

    line: int
    json: Any


class Raw:
    """A file that may be a transcript. Opening it checks that it can be one; reading never changes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise unreadable(error, path) from error
        if stat.S_ISDIR(mode):
            raise SourceError("this is a folder, not a transcript", where=path, do="Name a file in it.")
        if not stat.S_ISREG(mode):
            kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))
            kind = next((word for test, word in kinds if test(mode)), "no regular file")
            raise SourceError(f"this is {kind}, not a file", where=path, do="Write the transcript to a file first.")
        try:
            with path.open("rb") as file:
                self._start = file.read(4096)
        except OSError as error:
            raise unreadable(error, path) from error
        if not self._start:
            raise SourceError("the file is empty", where=path, do="Check that its writer has saved it.")
        self._refuse_binary()

    def values(self) -> Iterator[Value | Skipped]:
        """Every JSON value in file order, and what had to be passed over."""
        if self._document is not None:
            yield self._document
            return
        try:
            yield from self._stream()
        except OSError as error:
            raise unreadable(error, self.path) from error

    @cached_property
    def head(self) -> tuple[Any, ...]:
        """The first JSON values (at most 64), for recognising the format."""
        return tuple(v.json for v in islice((v for v in self.values() if isinstance(v, Value)), HEAD_VALUES))

    @cached_property
    def _document(self) -> Value | Skipped | None:
        """The file's only value, when it has one line or when its first line is no JSON but the whole of it is."""
        try:
            with self.path.open("rb") as file:
                first = _next_line(file)
                while first and not first.strip(_SPACE):
                    first = _next_line(file)
                one_line = not file.read(1)
                value_a_line = first and any(isinstance(v, Value) for v in _parse_line(first, 1, ""))
                if first is None or (value_a_line and not one_line):
                    return None
                if self.path.stat().st_size > LARGEST_DOCUMENT:
                    return None
                file.seek(0)
                text = _decode(file.read())
        except OSError as error:
            raise unreadable(error, self.path) from error
        start = len(text) - len(text.lstrip(_SPACE))
        number = text.count("\n", 0, start) + 1
        try:
            value, end = _value(text, start, number)
        except (ValueError, RecursionError):
            return None
        return value if not text[end:].strip(_SPACE) else None

    def _stream(self) -> Iterator[Value | Skipped]:
        first_key = ""
        with self.path.open("rb") as file:
            number = 0
            while True:
                line = _next_line(file)
                number += 1
                if line is None:
                    yield Skipped(number, f"the line is longer than {LONGEST_LINE >> 20} MiB")
                elif not line:
                    return
                elif line.strip(_SPACE):
                    last = "" if line.endswith("\n") else "the last line breaks off"
                    yield from _parse_line(line, number, first_key, last)
                    first_key = first_key or _first_key(line)

    def _refuse_binary(self) -> None:
        start = self._start
        if start.startswith(b"SQLite format 3\x00"):
            raise SourceError(
                "this is an SQLite database; databases are not read yet",
                where=self.path,
                do="Export the sessions as JSON (`hermes sessions export`) and open that.",
            )
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise SourceError("the text is UTF-16", where=self.path, do="Save it as UTF-8.")
        if start[:2] == b"\x1f\x8b" or start[:4] in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd"):
            raise SourceError("the file is compressed", where=self.path, do="Unpack it first.")
        odd = sum(byte < 9 or 13 < byte < 32 for byte in start)
        if odd > len(start) // 16 and b"{" not in start[:64]:
            do = "A transcript is JSON or JSON lines."
            raise SourceError("this is a binary file, not a transcript", where=self.path, do=do)


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="replace").removeprefix("\ufeff")


def _next_line(file: BinaryIO) -> str | None:
    """The next line with its newline, "" at the end of the file, None for a line too long to hold (passed over)."""
    line = file.readline(LONGEST_LINE)
    if len(line) < LONGEST_LINE or line.endswith(b"\n"):
        return _decode(line)
    while line and not line.endswith(b"\n"):
        line = file.readline(LONGEST_LINE)
    return None


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
    return line[: colon + 1] if line.startswith("{") and 0 < colon < 64 else ""


def _parse_line(line: str, number: int, first_key: str, last: str = "") -> Iterator[Value | Skipped]:
    """All values on one line. After a broken one, reading goes on where a record of this file's kind starts anew.

    That is not within what was read of the broken one, else each of its inner objects would be a start, and there is
    an end to it: a line costs a fixed number of readings, whatever it holds.
    """
    at, length = 0, len(line)
    restarts = 0
    while True:
        while at < length and line[at] in _SPACE:
            at += 1
        if at == length:
            return
        try:
            value, at = _value(line, at, number)
            yield value
        except RecursionError:
            yield Skipped(number, _TOO_DEEP)
            return
        except ValueError as error:
            again = _restart(line, at, first_key, error) if restarts < _MOST_RESTARTS else -1
            restarts += 1
            yield Skipped(number, (last if again < 0 else "") or "the line holds no whole JSON value")
            if again < 0:
                return
            at = again


def _restart(line: str, at: int, first_key: str, error: ValueError) -> int:
    """Where a record starts behind the one at `at` that is broken; -1 for nowhere.

    A record that breaks off within a string takes the brace of the next one with it, and its first key is the error.
    """
    broken = error.pos if isinstance(error, json.JSONDecodeError) else at
    return line.find(first_key, max(at + 1, broken - len(first_key))) if first_key else -1


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
