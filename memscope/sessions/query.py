"""Which sessions are wanted, typed in one line: score>=12 outcome=failure repo=x since:2026-04-01 words."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from memscope.base.errors import UsageError
from memscope.base.text import Span, preview
from memscope.sessions.query_fields import COPIES, FIELDS, Field, Test
from memscope.sessions.query_text import MEANT, Operator, Piece, is_plain, normal, pieces, quoted
from memscope.sessions.query_values import folded
from memscope.sessions.ranked import RankedSession

_NEAR = 0.7  # how alike a name must be to be the one that was meant
_OFFERED = 50  # ways to go on
_NAMED = 6  # fields
_CONTRARY = {"yes": "no", "no": "yes", "only": "no"}  # of copies
_JOINT = re.compile(r"(?P<word>(?:and|or|not|\|+|&+)(?!\S))|[(!]+", re.IGNORECASE)  # terms, in other languages
_FOUND_BY_VALUE = ("outcome", "repo", "format")  # fields that a word may be meant as


class QueryError(UsageError):
    """A query that is none: what stands from `start` to `end` of it, in characters, is wrong."""

    def __init__(self, what: str, span: Span, *, do: str) -> None:
        super().__init__(what, do=do)
        self.start, self.end = span


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a session has to be, or is not to be: what a `field` says of it; without one, words that stand in
    its title, its first request or the name of a repository. The operator is never !=, which is a negated =."""

    field: str
    operator: Operator
    value: str
    negated: bool = False

    def __str__(self) -> str:
        if not self.field:
            return ("-" if self.negated else "") + (self.value if _is_word(self.value) else quoted(self.value))
        value = self.value if is_plain(self.value) else quoted(self.value)
        if self.negated and self.operator == "=":
            return f"{self.field}!={value}"
        return f"{'-' if self.negated else ''}{self.field}{self.operator}{value}"


@dataclass(frozen=True)
class Query:
    """Terms that all have to hold. Called with a session it says whether that is wanted; `str` writes it out as `parse`
    reads it. Copies are wanted only where it `asks` for them."""

    terms: tuple[Term, ...] = ()
    tests: tuple[Test, ...] = field(default=(), compare=False, repr=False)

    def __call__(self, row: RankedSession) -> bool:
        for test in self.tests:  # noqa: SIM110 - thousands of rows: no generator for each
            if not test(row):
                return False
        return True

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def asks(self, name: str) -> bool:
        """Whether it says anything of a field."""
        return any(term.field == name for term in self.terms)


def parse(text: str, now: float) -> Query:
    """The query that `text` says, at a time in seconds since the epoch. Raises `QueryError`."""
    terms: list[Term] = []
    of_fields: list[Test] = []
    of_words: list[Test] = []  # which take longer, so they are asked last
    before: Piece | None = None
    for piece in pieces(text, FIELDS):
        _check_joint(piece, before, text)
        before, words = piece, _word(piece, text)
        if words is None:
            term, test = _condition(piece, now)
            of_fields.append(_negated(test) if term.negated else test)
        elif words := " ".join(words.split()):
            term = Term("", ":", words, piece.negated)
            of_words.append(_negated(_has(words)) if term.negated else _has(words))
        else:
            continue
        terms.append(term)
    if not any(term.field == COPIES for term in terms):
        of_fields.append(lambda row: row.copy_of is None)
    return Query(tuple(terms), (*of_fields, *of_words))


def _check_joint(piece: Piece, before: Piece | None, text: str) -> None:
    """That it is nothing that joins or turns round the conditions beside it. Raises `QueryError`."""
    joint = _JOINT.match(text, piece.whole[0])
    if joint is None:
        return
    behind = next(pieces(text[joint.end() :], FIELDS), None)
    if behind is not None and (_is_condition(behind) or (joint["word"] and before and _is_condition(before))):
        do = "A minus turns one round, as in -score>=12; quote a word that is looked for."
        raise QueryError(f"{joint[0]!r} joins no terms: all of them have to hold", joint.span(), do=do)


def _is_condition(piece: Piece) -> bool:
    return bool(piece.operator) and normal(piece.name) in FIELDS


def _word(piece: Piece, text: str) -> str | None:
    """The words that are looked for; None where a field is meant. What only looks like a field is a word: an address
    (http://...), a path (C:\\...), a name (std::sort), a port (localhost:80), a title (fix:)."""
    if not piece.operator:
        return piece.value
    if piece.operator != ":" or piece.quoted or normal(piece.name) in FIELDS:
        return None
    is_word = piece.value[:1] in "/\\:" or (piece.value[0].isdigit() and not _near(piece.name))
    return text[slice(*piece.whole)] if is_word else None


def _is_word(words: str) -> bool:
    """Whether they are one word that can stand without quotation marks, whatever stands before it."""
    if not words or words[0] in "<>=!" or _JOINT.match(words):
        return False
    found = list(pieces(words, FIELDS))
    return len(found) == 1 and not found[0].negated and not found[0].quoted and _word(found[0], words) == words


def _condition(piece: Piece, now: float) -> tuple[Term, Test]:
    """What a field has to be. Raises `QueryError`."""
    about = FIELDS.get(normal(piece.name))
    if about is None:
        near, some = _near(piece.name), ", ".join([*FIELDS][:_NAMED])
        do = f"Did you mean {near[0]}?" if near else f"Quote what is no field; fields are {some} and others."
        raise QueryError(f"there is no field {piece.name!r}", piece.named, do=do)
    sign = next((one for one in about.operators if one == piece.operator), None)
    if sign is None:
        meant = MEANT.get(piece.operator)
        do = f"Did you mean {meant}?" if meant in about.operators else f"It goes with {', '.join(about.operators)}."
        raise QueryError(f"{about.name} does not go with {piece.operator}", piece.signed, do=do)
    if not piece.value and not piece.quoted:
        raise QueryError(f"nothing stands behind {about.name}{sign}", piece.whole, do=f"It takes {about.wants}.")
    negated, value = piece.negated, piece.value
    if sign == "!=":
        negated, sign = not negated, "="
    if about.name == COPIES and negated:
        negated, value = False, _CONTRARY.get(value.lower(), value)
    test = about.test(sign, value, now)
    if test is None:
        what = f"{about.name} takes {about.wants}, not {preview(piece.value, 40)!r}"
        raise QueryError(what, piece.valued, do=_instead(about, value))
    return Term(about.name, sign, value, negated), test


def _instead(about: Field, value: str) -> str:
    """What could stand in place of a value that cannot stand there."""
    usual = list(about.values(()))
    if value.isalpha() and (near := difflib.get_close_matches(value.lower(), usual, 1, _NEAR)):
        return f"Did you mean {near[0]}?"
    return f"An example: {about.name}{about.operators[0]}{usual[0]}." if usual else ""


def _near(name: str) -> list[str]:
    return difflib.get_close_matches(normal(name), FIELDS, 1, _NEAR)


def _negated(test: Test) -> Test:
    return lambda row: not test(row)


def _has(words: str) -> Test:
    """Whether title, first request or a repository's name hold them; where there is neither of the first two, the name
    of the file is what stands for them."""
    wanted = folded(words)

    def test(row: RankedSession) -> bool:
        facts = row.facts
        if facts is not None:
            if wanted in folded(facts.title) or wanted in folded(facts.request):
                return True
            if facts.repositories and any(wanted in folded(repository.name) for repository in facts.repositories):
                return True
            if facts.title or facts.request:
                return False
        return wanted in folded(os.path.basename(row.path))  # noqa: PTH119 - thousands of them

    return test


class Completion(NamedTuple):
    """`text` can stand from `start` to `end` of what is typed, in place of what stands there; `about`: what it is, in a
    few words."""

    start: int
    end: int
    text: str
    about: str = ""


def complete(text: str, cursor: int, rows: Sequence[RankedSession]) -> list[Completion]:
    """What could stand at the `cursor`, best first: fields, their operators, values that occur in `rows`."""
    cursor = min(max(cursor, 0), len(text))
    piece = next((one for one in pieces(text, FIELDS) if one.whole[0] <= cursor <= one.whole[1]), None)
    found: Iterable[Completion]
    if piece is None:
        found = (_of_field(about, (cursor, cursor)) for about in FIELDS.values())
    elif not piece.operator:
        found = () if piece.quoted else _begun(text[piece.whole[0] : cursor], piece.whole, rows)
    elif cursor <= piece.named[1]:
        typed = normal(text[piece.named[0] : cursor])
        found = (Completion(*piece.named, name, FIELDS[name].about) for name in FIELDS if name.startswith(typed))
    else:
        found = _behind(text, cursor, piece, rows)
    return [one for one in dict.fromkeys(found) if text[one.start : one.end] != one.text][:_OFFERED]


def _of_field(about: Field, span: Span) -> Completion:
    return Completion(*span, about.name + about.operators[0], about.about)


def _begun(typed: str, span: Span, rows: Sequence[RankedSession]) -> Iterator[Completion]:
    """Of a word that is being typed: what fields it may be the beginning of, and what values."""
    name = normal(typed)
    if name in FIELDS:
        yield from (Completion(*span, name + sign, FIELDS[name].about) for sign in FIELDS[name].operators)
    yield from (_of_field(about, span) for about in FIELDS.values() if about.name.startswith(name))
    if len(typed) < 2:
        return
    yield from (_of_field(about, span) for about in FIELDS.values() if name in about.name)
    for about in (FIELDS[name] for name in _FOUND_BY_VALUE):
        for value in about.values(rows):
            if folded(value).startswith(folded(typed)):
                yield Completion(*span, f"{about.name}={_written(value)}", about.about)


def _behind(text: str, cursor: int, piece: Piece, rows: Sequence[RankedSession]) -> Iterator[Completion]:
    """What could stand behind an operator; of a field that is unknown, which was meant."""
    about = FIELDS.get(normal(piece.name))
    if about is None:
        yield from (Completion(*piece.named, name, FIELDS[name].about) for name in _near(piece.name))
        return
    if cursor < piece.signed[1] or piece.operator in MEANT:
        meant = MEANT.get(piece.operator)
        signs = [meant] if meant in about.operators else about.operators
        yield from (Completion(*piece.signed, sign, about.about) for sign in signs)
        return
    span = piece.valued if cursor >= piece.valued[0] else (cursor, cursor)
    typed = folded(text[span[0] : cursor].lstrip("\"'"))
    values = list(about.values(rows))
    first = [value for value in values if folded(value).startswith(typed)]
    others = [value for value in values if typed in folded(value)] if len(typed) > 1 else []
    yield from (Completion(*span, _written(value), about.about) for value in (*first, *others))
    if not piece.value:
        longer = (s for s in about.operators if s.startswith(piece.operator) and s != piece.operator)
        yield from (Completion(*piece.signed, sign, about.about) for sign in longer)


def _written(value: str) -> str:
    return value if is_plain(value) else quoted(value)
