"""The text of a query cut into its terms, each with where it stands; what the names in it mean is not known here."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Literal, NamedTuple

from memscope.base.text import Span

Operator = Literal["=", "!=", ">", ">=", "<", "<=", ":"]

MEANT: dict[str, Operator] = {"=>": ">=", "=<": "<=", "<>": "!=", "=!": "!=", "!": "!="}
"""What is no operator, and the one that is meant."""

SAME = {"file": "path", "repository": "repo"}
"""Other names of fields."""

_NAME = r"[A-Za-z](?:[A-Za-z_-]*[A-Za-z])?"
_COMPARISON = r'==|!=|>=|<=|=>|=<|<>|=!|=|>|<|!(?=[\w"<>])'  # messages!50, but not error!
_QUOTED = r'"(?:[^"\\]|\\.)*+\\?"?' r"|'[^']*'(?!\S)"  # " that is not closed goes on to the end
_TERM = re.compile(
    rf"(?P<minus>-?)(?:(?P<name>{_NAME})(?:(?P<operator>{_COMPARISON}|:)|(?P<apart>\s+(?:{_COMPARISON}))))?"
    rf"(?P<value>{_QUOTED}|\S*)",
    re.DOTALL,
)
_BARE = re.compile(rf"(?P<minus>-?)(?P<name>)(?P<operator>)(?P<value>{_QUOTED}|\S*)", re.DOTALL)
_VALUE = re.compile(rf"\s+({_QUOTED}|\S+)", re.DOTALL)
_BLANK = re.compile(r"\s*")


class Piece(NamedTuple):
    """A term as it stands: `value` is a word or a phrase where there is no `operator`, and then `name` is empty. The
    operator may be one of those that are none (`MEANT`).

    `quoted`: in quotation marks, which are not part of `value`. `whole` is the span of all of it but its minus, and
    `named`, `signed` and `valued` are those of the name, the operator, and the value with its quotation marks.
    """

    negated: bool
    name: str
    operator: str
    value: str
    quoted: bool
    whole: Span
    named: Span
    signed: Span
    valued: Span


def pieces(text: str, names: Container[str]) -> Iterator[Piece]:
    """The terms of a query, in their order. Behind the `names` that are known operator and value may stand apart, as in
    score >= 12 or title: mise. A minus alone is no term."""
    at = _past_blank(text, 0)
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None or ((match["apart"] or match["operator"] == "!") and normal(match["name"]) not in names):
            match = _BARE.match(text, at)
        assert match is not None, "every text is a word at least"
        piece = _piece(text, match, names)
        at = _past_blank(text, piece.whole[1])
        if piece.value or piece.quoted or piece.operator:
            yield piece


def normal(name: str) -> str:
    """A field's name as a person may write it, as it is listed: Tool-Calls is tool_calls, file is path."""
    listed = name.lower().replace("-", "_")
    return SAME.get(listed, listed)


def quoted(words: str) -> str:
    """`words` in quotation marks, as `pieces` reads them."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def is_plain(words: str) -> bool:
    """Whether they can stand as a value without quotation marks."""
    return bool(words) and words[0] not in "\"'<>=!" and not re.search(r"\s", words)


def _past_blank(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()


def _piece(text: str, match: re.Match[str], names: Container[str]) -> Piece:
    start, operator, signed = match.end("minus"), "", (match.end("minus"),) * 2
    for group in ("operator", "apart"):
        if match.groupdict().get(group):
            operator = match[group].strip()
            signed = match.end(group) - len(operator), match.end(group)
    valued = match.span("value")
    if not match["value"] and operator and normal(match["name"]) in names:
        further = _VALUE.match(text, match.end())
        valued = further.span(1) if further is not None else valued
    value, in_marks = _read(text[slice(*valued)])
    return Piece(
        negated=bool(match["minus"]),
        name=match["name"] or "",
        operator="=" if operator == "==" else operator,
        value=value,
        quoted=in_marks,
        whole=(start, valued[1]),
        named=match.span("name") if match["name"] else (start, start),
        signed=signed,
        valued=valued,
    )


def _read(value: str) -> tuple[str, bool]:
    if re.fullmatch("'[^']*'", value):
        return value[1:-1], True
    if not value.startswith('"'):
        return value, False
    inner = re.fullmatch(r'"((?:[^"\\]|\\.)*+\\?)"?', value, re.DOTALL)
    assert inner is not None, "it was found by the same pattern"
    return re.sub(r'\\(["\\])', r"\1", inner[1]), True
