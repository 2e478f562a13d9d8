"""Where in a JSON text something stands, for the error that tells of it."""

from __future__ import annotations

import json
import re
import sys

from memscope.base.text import preview
from memscope.conversation.raw import DEEPEST

_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"(?P<key>\s*+:)?)?|[{}\[\]]|-?\d++(?![.eE])', re.DOTALL)


def line_of(text: str, names: tuple[str, ...]) -> int:
    """The line, from 1, of the value to which these names lead, in a whole document."""
    at = 0
    for name in names:
        at = text.index("{", at) + 1
        found = ""
        while found != name:
            found, at = _DECODER.raw_decode(text, _behind_blanks(text, at))
            at = _behind_blanks(text, _behind_blanks(text, at) + 1)  # behind the colon
            if found != name:
                _, at = _DECODER.raw_decode(text, at)
                at = _behind_blanks(text, at) + 1  # behind the comma
    return text.count("\n", 0, at) + 1


def _behind_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return at if match is None else match.end()


def refused(text: str) -> str:
    """What JSON allows and no memory has, with its line: the first name that an object has twice, of whose two values
    one would be lost, nesting too deep, or number too long. "" where there is none."""
    names: list[set[str]] = []  # of the objects, and lists without any, that are open
    digits = sys.get_int_max_str_digits() or len(text)
    for match in _TOKEN.finditer(text):
        token, what = match.group(), ""
        if token in "{[":
            names.append(set())
            what = "the JSON is nested too deeply" if len(names) > DEEPEST else ""
        elif token in "}]":
            del names[-1:]
        elif match["key"] is not None and names:
            name = _DECODER.raw_decode(token)[0]
            what = f"an object in it has {preview(name, 40)} twice" if name in names[-1] else ""
            names[-1].add(name)
        elif token[0] != '"' and len(token.lstrip("-")) > digits:
            what = "it holds a number too long to read"
        if what:
            return f"line {text.count(chr(10), 0, match.start()) + 1}: {what}"
    return ""
