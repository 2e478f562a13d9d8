"""Unified diffs that `patch -p1` and `git apply` take, byte for byte."""

from __future__ import annotations

import difflib
import os
import re

_ODD = re.compile(r'["\\\x00-\x1f\x7f\ud800-\udfff]')
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_NO_NEWLINE = "\n\\ No newline at end of file\n"


def unified_diff(name: str, before: str, after: str) -> str:
    """What turns the file `name` (a relative path) from `before` into `after`; empty where nothing does.

    Lines end with a newline alone, so that a carriage return is part of its line.
    """
    lines = difflib.unified_diff(_lines(before), _lines(after), _header(f"a/{name}"), _header(f"b/{name}"))
    return "".join(line if line.endswith("\n") else line + _NO_NEWLINE for line in lines)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + parts[-1:] if parts[-1] else [part + "\n" for part in parts[:-1]]


def _header(name: str) -> str:
    """A name as both programs read it: a tab behind one with spaces, quotes around one with odd characters."""
    if _ODD.search(name):
        return '"' + "".join(map(_escaped, name)) + '"'
    return name + "\t" if " " in name else name


def _escaped(char: str) -> str:
    if not _ODD.match(char):
        return char
    return _ESCAPES.get(char) or "".join(f"\\{byte:03o}" for byte in os.fsencode(char))
