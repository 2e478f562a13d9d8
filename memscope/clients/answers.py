"""What is read out of a chat model's answer: its words without thinking, and the JSON in them, whatever stands around.

Models put prose before what was asked for, fences around it, and thinking in front of all of it. Every function here
takes a time that grows with the answer alone, be it ever so hostile.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Literal

_THOUGHTS = re.compile(r"(?:\s*<(think|thinking)>.*?(?:</\1>|\Z))++", re.DOTALL)
_ENDED_THOUGHT = re.compile(  # its beginning was in the template
    r".*?</think(?:ing)?>[ \t]*(?:\n|\Z|(?=[\[{]|---|```))", re.DOTALL
)


def without_thinking(text: str) -> str:
    """What a model says behind its thinking; empty where it never came to that. Tags further on are its words, and so
    is one within a line."""
    thought = _THOUGHTS.match(text)
    if thought is None and "<think" not in text.partition("</think")[0]:
        thought = _ENDED_THOUGHT.match(text)
    return text if thought is None else text[thought.end() :].lstrip()


def json_values(reply: str) -> Iterator[Any]:
    """The JSON objects and arrays that stand in an answer behind its thinking, in order: none that is part of another.

    A bracket that begins no JSON is prose. One whose JSON has no end belongs to an answer that was cut: of that, and
    what is behind it, nothing counts. Numbers that JSON does not have (NaN, Infinity) and those that no float holds are
    None; what Python cannot read, as for its depth, is passed over. Line breaks within strings are forgiven.
    """
    text = without_thinking(reply)
    prose: set[int] = set()  # places of brackets
    at = 0
    while (bracket := _OPENING.search(text, at)) is not None:
        start = bracket.start()
        end = None if start in prose else _end(text, start, prose)
        if end == _CUT:
            return
        at = start + 1 if end is None else end
        if end is not None:
            try:
                value = _DECODER.decode(text[start:end])
            except (ValueError, RecursionError):
                continue
            yield value


_CUT = -1
_OPENING = re.compile(r"[\[{]")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|-?Infinity|NaN"
_SCALAR = rf"{_STRING}|{_NUMBER}|true|false|null"
_TOKEN = re.compile(
    rf"[ \t\r\n]*+(?:(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<comma>,)|(?P<key>{_STRING}[ \t\r\n]*+:)"
    rf"|(?P<scalar>{_SCALAR}))",
    re.DOTALL,
)
# The end of an answer that was cut, where something is wanted, and behind a value, which was half of a number, maybe.
_LAST = re.compile(r'[ \t\r\n]*+(?:[\w.+-]*+|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:\\|"[ \t\r\n]*+)?)\Z', re.DOTALL)
_LAST_BEHIND_VALUE = re.compile(r"[ \t\r\n]*+(?:[.eE][+-]?)?\Z")

_Wanted = Literal["value", "value or end", "key", "key or end", "comma or end"]
_FITS: dict[str, tuple[_Wanted, ...]] = {
    "open": ("value", "value or end"),
    "scalar": ("value", "value or end"),
    "key": ("key", "key or end"),
    "comma": ("comma or end",),
    "close": ("value or end", "key or end", "comma or end"),
}


def _end(text: str, start: int, prose: set[int]) -> int | None:
    """Where the JSON ends that the bracket at `start` begins; `_CUT` where the text does first, None where it is none.

    In that case all brackets that are open then are `prose`: read from any of them, the same is found at the same
    place. With that no bracket is read from twice in vain, and the whole search is linear: a later reading begins
    behind the end of an earlier one, or in a string of it, and of two at one place only one is ever in a string.
    """
    opened = [start]
    wanted: _Wanted = "value or end" if text[start] == "[" else "key or end"
    at = start + 1
    while (token := _TOKEN.match(text, at)) is not None:
        found, sign = token.lastgroup or "", text[token.end() - 1]
        if wanted not in _FITS[found] or (found == "close" and text[opened[-1]] + sign not in ("[]", "{}")):
            break
        at = token.end()
        if found == "open":
            opened.append(at - 1)
            wanted = "value or end" if sign == "[" else "key or end"
        elif found == "comma":
            wanted = "value" if text[opened[-1]] == "[" else "key"
        elif found == "key":
            wanted = "value"
        else:
            wanted = "comma or end"
            if found == "close":
                opened.pop()
                if not opened:
                    return at
    if (_LAST_BEHIND_VALUE if wanted == "comma or end" else _LAST).match(text, at):
        return _CUT
    prose.update(opened)
    return None


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


_DECODER = json.JSONDecoder(strict=False, parse_float=_finite, parse_constant=lambda _: None)
