"""What was read of a file as one line of text, between processes and in the store: JSON, values by their places.

There are thousands, read back whenever sessions are shown: they are parsed many at a time, and checked by columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from types import NoneType
from typing import Any, NamedTuple, get_args

from pydantic_core import from_json

from memscope.base.collecting import uncollected
from memscope.sessions.facts import Evidence, Facts, Failure, FailureKind, Repository

_AT_ONCE = 1000
_FIELDS = Facts._fields
_MEMORY, _REPOSITORIES, _FAILURE = map(_FIELDS.index, ("memory", "repositories", "failure"))
_TYPES: dict[str, set[type]] = {
    "int": {int},
    "str": {str},
    "bool": {bool},
    "float | None": {float, NoneType},
    "Evidence | None": {list, NoneType},
    "tuple[Repository, ...]": {list},
    "Failure | None": {list, NoneType},
}
_COLUMNS = [_TYPES[Facts.__annotations__[name].__forward_arg__] for name in _FIELDS]
_KINDS = frozenset(get_args(FailureKind))
_facts, _evidence = (
    partial(tuple.__new__, Facts),
    partial(tuple.__new__, Evidence),
)  # of lists; lengths are checked apart


class Reading(NamedTuple):
    """What reading a file came to: its `format`, "" where it was not recognised, and its `sessions`; or else why it has
    none (`error`). `is_other`: it is whole JSON, or a database, but of something else than a conversation."""

    format: str
    sessions: tuple[Facts, ...]
    error: str = ""
    is_other: bool = False


def encoded(reading: Reading) -> str:
    """A reading as a text of ASCII alone: lone surrogates, which names may hold, are escaped as JSON has it."""
    return json.dumps(reading, separators=(",", ":"))


def decoded(texts: Iterable[str | None]) -> Iterator[Reading | None]:
    """The readings that were encoded so, in their order; None for what is no such text."""
    rest = iter(texts)
    while some := list(islice(rest, _AT_ONCE)):
        with uncollected():
            readings = _all(some) or [_one(text) for text in some]
        yield from readings


def _all(texts: Sequence[str | None]) -> Sequence[Reading | None]:
    """All of the texts at once; nothing where one of them is none."""
    try:
        readings = _made(_parsed(f"[{','.join(texts)}]"))  # type: ignore[arg-type]
    except (ValueError, TypeError, RecursionError):
        return []
    return readings if len(readings) == len(texts) else []  # a text may hold two


def _one(text: str | None) -> Reading | None:
    try:
        (reading,) = _made(_parsed(f"[{text}]"))
    except (ValueError, TypeError, RecursionError):
        return None
    return reading


def _parsed(text: str) -> Any:
    try:
        return from_json(text, cache_strings="none")
    except ValueError:  # a lone surrogate, among other things
        return json.loads(text)


def _made(rows: list[Any]) -> list[Reading]:
    """Raises ValueError or TypeError for what no reading is made of."""
    forms, found, errors, others = zip(*rows, strict=True)
    _check((forms, {str}), (errors, {str}), (others, {bool}), (found, {list}))
    sessions = list(chain.from_iterable(found))
    if sessions:
        _check(*zip(zip(*sessions, strict=True), _COLUMNS, strict=True))
        _fill(sessions)
    return [Reading(form, tuple(map(_facts, its)), error, other) for form, its, error, other in rows]


def _fill(sessions: list[list[Any]]) -> None:
    """What a session has of lists in it becomes what it was."""
    evidence: list[list[Any]] = []
    for session in sessions:
        memory, failure, repositories = session[_MEMORY], session[_FAILURE], session[_REPOSITORIES]
        if memory is not None:
            evidence.append(memory)
            session[_MEMORY] = _evidence(memory)
        if failure is not None:
            kind, at = failure
            if kind not in _KINDS:
                raise ValueError("a failure")
            evidence.append(at)
            session[_FAILURE] = Failure(kind, _evidence(at))
        if repositories:
            session[_REPOSITORIES] = tuple([Repository(name, _evidence(at)) for name, at in repositories])
            evidence.extend([at for _, at in repositories])
        else:
            session[_REPOSITORIES] = ()
    if evidence:
        windows, messages, lines, texts = zip(*evidence, strict=True)
        _check((windows, {int}), (messages, {int}), (lines, {int}), (texts, {str}))


def _check(*columns: tuple[Sequence[Any], set[type]]) -> None:
    if not all(set(map(type, values)) <= types for values, types in columns):
        raise ValueError("a value of another type")
