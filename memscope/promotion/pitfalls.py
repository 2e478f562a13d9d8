"""What failed more than once in the runs of a pattern: failures that are the same but for their numbers and paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CALL = re.compile(r"([\w.-]{1,80}): (?=\S)")
_CODE = re.compile(r"exit code -?\d+: ")
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[\w.~-]*/[\w./~:-]*|\d+")


@dataclass(frozen=True, slots=True)
class Pitfall:
    """A failure in the `words` that were met first, and in which runs it was seen, by their places."""

    words: str
    runs: tuple[int, ...]


def pitfalls(runs: Sequence[Sequence[str]]) -> list[Pitfall]:
    """What failed in two or more of `runs`, the commonest first. Failures are as `failed_calls` tells them; where
    several tools failed alike, none is named."""
    seen: dict[str, dict[int, None]] = {}
    told: dict[str, str] = {}
    for place, failures in enumerate(runs):
        for failure in failures:
            call = _CALL.match(failure)
            words = failure[call.end() :] if call is not None else failure
            alike = _VARIES.sub("'", _CODE.sub("", words)).casefold()
            seen.setdefault(alike, {})[place] = None
            if (first := told.setdefault(alike, failure)) != failure and not _is_of_one(first, failure):
                told[alike] = first.removeprefix(match[0]) if (match := _CALL.match(first)) is not None else first
    found = [Pitfall(told[alike], tuple(places)) for alike, places in seen.items() if len(places) > 1]
    return sorted(found, key=lambda one: -len(one.runs))


def _is_of_one(failure: str, other: str) -> bool:
    first, second = _CALL.match(failure), _CALL.match(other)
    return (first[1] if first is not None else "") == (second[1] if second is not None else "")
