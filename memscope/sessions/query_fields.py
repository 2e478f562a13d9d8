"""The fields of a query: of what a session they tell, how they compare, and what could stand behind them."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from os import sep
from typing import NamedTuple

from memscope.sessions.query_text import Operator
from memscope.sessions.query_values import DAY, age, days, folded, last_name, number, size
from memscope.sessions.ranked import RankedSession

Test = Callable[[RankedSession], bool]
"""Whether a session is wanted."""

Maker = Callable[[Operator, str, float], Test | None]
Numbers = Callable[[RankedSession], float | None]
Texts = Callable[[RankedSession], Iterable[str]]
Values = Callable[[Sequence[RankedSession]], Iterable[str]]

COPIES = "copies"  # unless this is asked for, copies are hidden
OUTCOMES = {"failure": 3, "content": 2, "empty": 1}

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    ":": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_AT_LEAST: tuple[Operator, ...] = (">=", "=", ">", "<", "<=", "!=", ":")
_MORE: tuple[Operator, ...] = (">", "=", ">=", "<", "<=", "!=", ":")
_LESS: tuple[Operator, ...] = ("<", "<=", ">", ">=", "=", "!=", ":")
_IS: tuple[Operator, ...] = ("=", ":", "!=")
_HAS: tuple[Operator, ...] = (":", "=", "!=")
_POINTS: tuple[Operator, ...] = (*_IS, ">=", "<=", ">", "<")
_FROM: tuple[Operator, ...] = (":", "=")
_YES, _NO = ("yes", "true"), ("no", "false")
_NUMBER, _DAY = "a whole number", "a day or month as 2026-04-01, 2026-04, today or 7d"
_MONTHS = 24  # that are offered


class Field(NamedTuple):
    """A field: what it is `about`, in a few words; its `operators`, the usual one first; what it `wants` behind them.

    `test` makes the test of a term from operator (never !=, which is a negated =), value, and what time it is; None
    where the value cannot stand there. `values`: which could, that occur in some sessions, the likeliest first;
    without sessions, the usual ones.
    """

    name: str
    about: str
    operators: tuple[Operator, ...]
    wants: str
    test: Maker
    values: Values = lambda _: ()


def _numbers(get: Numbers, read: Callable[[str], float | None] = number) -> Maker:
    """Of a number. What has none is neither more nor less than any."""

    def make(sign: Operator, value: str, _now: float) -> Test | None:
        wanted = read(value)
        if wanted is None:
            return None
        compare = _COMPARE[sign]

        def test(row: RankedSession) -> bool:
            found = get(row)
            return found is not None and compare(found, wanted)

        return test

    return make


def _texts(get: Texts) -> Maker:
    """Of texts of which one is meant (=), or holds what is looked for (:). What has none is = ""."""

    def make(sign: Operator, value: str, _now: float) -> Test | None:
        wanted = folded(value)
        if not wanted:
            return (lambda row: not any(get(row))) if sign == "=" else None
        if sign == "=":
            return lambda row: any(folded(text) == wanted for text in get(row))
        return lambda row: any(wanted in folded(text) for text in get(row))

    return make


def _age(sign: Operator, value: str, now: float) -> Test | None:
    return _numbers(lambda row: (now - row.date) // DAY, age)(sign, value, now)


def _size(sign: Operator, value: str, now: float) -> Test | None:
    return _numbers(lambda row: row.size, size)(sign, value, now)


def _date(sign: Operator, value: str, now: float) -> Test | None:
    """`:` is from that day on; = within the day, month or year."""
    wanted = days(value, now)
    if wanted is None:
        return None
    start, end = wanted
    tests: dict[Operator, Test] = {
        ":": lambda row: row.date >= start,
        ">=": lambda row: row.date >= start,
        ">": lambda row: row.date >= end,
        "<": lambda row: row.date < start,
        "<=": lambda row: row.date < end,
        "=": lambda row: start <= row.date < end,
    }
    return tests[sign]


def _since(_sign: Operator, value: str, now: float) -> Test | None:
    return _date(">=", value, now)


def _before(_sign: Operator, value: str, now: float) -> Test | None:
    return _date("<", value, now)


def _outcome(sign: Operator, value: str, now: float) -> Test | None:
    """By its word or by its points."""
    return _part("outcome")(sign, str(OUTCOMES.get(value.lower(), value)), now)


def _repo(sign: Operator, value: str, now: float) -> Test | None:
    name = last_name(value)
    return _texts(_repositories)(sign, name, now) if name or not value else None


def _error(sign: Operator, value: str, now: float) -> Test | None:
    if value.lower() in _YES or value.lower() in _NO:
        wanted = value.lower() in _YES
        return lambda row: bool(row.error) is wanted
    return _texts(lambda row: (row.error,) if row.error else ())(sign, value, now)


def _copies(_sign: Operator, value: str, _now: float) -> Test | None:
    tests: dict[str, Test] = {
        "yes": lambda _: True,
        "no": lambda row: row.copy_of is None,
        "only": lambda row: row.copy_of is not None,
    }
    return tests.get(value.lower())


def _part(name: str) -> Maker:
    get = operator.attrgetter(name)
    return _numbers(lambda row: None if row.facts is None else get(row.parts))


def _fact(name: str) -> Maker:
    get = operator.attrgetter(name)
    return _numbers(lambda row: None if row.facts is None else get(row.facts))


def _score(row: RankedSession) -> float | None:
    return None if row.facts is None else row.score


def _title(row: RankedSession) -> Iterable[str]:
    return () if row.facts is None else (row.facts.title,)


def _repositories(row: RankedSession) -> Iterable[str]:
    return () if row.facts is None else (repository.name for repository in row.facts.repositories)


def _format(row: RankedSession) -> Iterable[str]:
    return (row.format,)


def _path(row: RankedSession) -> Iterable[str]:
    """The name of its file alone too."""
    return row.path, row.path.rpartition(sep)[2]


def _session(row: RankedSession) -> Iterable[str]:
    return () if row.facts is None else (row.facts.session,)


def _fixed(*values: str) -> Values:
    return lambda _: values


def _points(name: str, usual: int) -> Values:
    """The points that occur, most first."""
    get = operator.attrgetter(name)
    return lambda rows: map(str, sorted({get(row) for row in rows if row.facts is not None}, reverse=True) or (usual,))


def _often(get: Texts) -> Values:
    """What occurs, the most frequent first."""
    return lambda rows: [
        text
        for text, _ in sorted(
            Counter(text for row in rows for text in get(row) if text).items(), key=lambda pair: (-pair[1], pair[0])
        )
    ]


def _days(rows: Sequence[RankedSession]) -> Iterable[str]:
    """The months that occur, latest first, and days by how long ago they were."""
    months = set()
    for start in {row.date // DAY * DAY for row in rows}:
        try:
            months.add(f"{datetime.fromtimestamp(start, UTC):%Y-%m}")
        except (ValueError, OverflowError, OSError):  # a clock that was far off
            continue
    return ["7d", "30d", "today", "yesterday", *sorted(months, reverse=True)[:_MONTHS]]


def _told(name: str, about: str, *values: str) -> Field:
    """A number that the facts tell; `values` are those that it is usually compared with."""
    return Field(name, about, _MORE, _NUMBER, _fact(name), _fixed(*values))


def _scored(name: str, about: str, most: int, signs: tuple[Operator, ...] = _AT_LEAST) -> Field:
    """A part of the score."""
    return Field(name, about, signs, _NUMBER, _part(name), _points(f"parts.{name}", most))


_LISTED = (
    Field("score", "3 to 16", _AT_LEAST, _NUMBER, _numbers(_score), _points("score", 12)),
    Field("outcome", "how it ended", _POINTS, "failure, content, empty, or their points", _outcome, _fixed(*OUTCOMES)),
    _told("memories", "different memories found in it", "0"),
    Field("repo", "a repository's name", _IS, "a name", _repo, _often(_repositories)),
    Field("since", "from that day on", _FROM, _DAY, _since, _days),
    _told("messages", "how many", "50", "20"),
    Field("title", "words in it", _HAS, "words", _texts(_title)),
    Field("format", "of the transcript", _IS, "a name", _texts(_format), _often(_format)),
    Field("age", "in days", _LESS, "a number of days, as 7 or 2w", _age, _fixed("7d", "30d")),
    _told("windows", "context windows", "1"),
    _told("responses", "how many", "0"),
    _told("tool_calls", "how many", "10", "0"),
    Field("size", "of its file", _MORE, "a number of bytes, as 900, 12k or 1.5M", _size, _fixed("1M", "10M", "100k")),
    Field("date", "of its last message", (">=", ":", "=", "<", ">", "<=", "!="), _DAY, _date, _days),
    Field("before", "before that day", _FROM, _DAY, _before, _days),
    Field("path", "words in it", _HAS, "words", _texts(_path)),
    Field("error", "why its file cannot be read", _IS, "yes, no, or words in it", _error, _fixed("yes", "no")),
    _told("malformed", "broken lines", "0"),
    _told("skipped", "lines passed over", "0"),
    Field(COPIES, "copies too, or alone", _IS, "yes, no or only", _copies, _fixed("yes", "only", "no")),
    Field("session", "the agent's own name for it", _HAS, "a name", _texts(_session)),
    _scored("recency", "points, 1 to 3", 3),
    _scored("length", "points, 1 to 3", 3),
    _scored("repo_unique", "points, 5 for the first of a repository", 5, _POINTS),
)
FIELDS: dict[str, Field] = {field.name: field for field in _LISTED}
"""By name, those first that are asked for most."""
