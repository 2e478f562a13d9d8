"""Memory files as a tool read them out: cut into units as files from disk are, though lines may bear numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from memscope.conversation.memory_files import front_matter
from memscope.conversation.model import Memory
from memscope.conversation.units import lines_of, split_units

_NUMBER = re.compile(r"[ \t]*(\d{1,7})(→|\t|\||:[ ]?)")
_SURE = frozenset({"→", "\t"})  # no prose begins so, not even a line that stands alone
_DEEPEST = 64  # folders of a path that tell files apart
_REMINDER = re.compile(r"^\s*<system-reminder>", re.MULTILINE)


def memories_read(label: str, text: str, rule: str) -> Iterator[Memory]:
    """The memories in what was read of the file called `label`: together they are `text`, in whole lines.

    A file with front matter is one, named by it; any other is cut into units, under `label#heading/n`.
    """
    plain = without_numbers(text)
    name = front_matter(plain)[0]
    if name:
        yield Memory(name.get("name") or label, text, rule)
        return
    lines = lines_of(text)
    units = split_units(plain)
    at = 0
    for number, unit in enumerate(units, 1):
        end = len(lines) if number == len(units) else at + len(lines_of(unit.text))
        yield Memory(f"{label}#{unit.name}", text[lines[at].start : lines[end - 1].end], rule)
        at = end


def without_reminder(text: str) -> tuple[str, str]:
    """What a tool read, and the reminder that the program put behind it; lines of the file itself bear numbers."""
    if not text.lstrip().startswith("<system-reminder>") and _sign(text) is None:
        return text, ""
    found = _REMINDER.search(text)
    return (text[: found.start()], text[found.start() :]) if found else (text, "")


def labels(paths: Iterable[str]) -> Mapping[str, str]:
    """For each path the shortest end of it that no other file shares, from the name up.

    A path that is the end of just one other one, as `CLAUDE.md` is of `/r/CLAUDE.md`, is the same file.
    """
    named = {path: _folders(path) for path in paths}
    longer: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for own in set(named.values()):
        for length in range(1, len(own)):
            longer.setdefault(own[-length:], []).append(own)
    files = {path: longer[own][0] if len(longer.get(own, ())) == 1 else own for path, own in named.items()}
    ends = Counter(file[-length:] for file in set(files.values()) for length in range(1, len(file) + 1))
    return {
        path: "/".join(next((file[-n:] for n in range(1, len(file) + 1) if ends[file[-n:]] == 1), file))
        for path, file in files.items()
    }


def _folders(path: str) -> tuple[str, ...]:
    """The folders of a path and its name, the last of them where there are very many."""
    return tuple(part for part in re.split(r"[/\\]+", path.strip()) if part not in ("", "."))[-_DEEPEST:]


def without_numbers(text: str) -> str:
    """`text` with the numbers that a reader put before its lines taken off; the lines stay as many."""
    sign = _sign(text)
    if sign is None:
        return text
    found = ((line, _NUMBER.match(text, line.start, line.end)) for line in lines_of(text))
    return "".join(text[n.end() if n and n[2].strip(" ") == sign else line.start : line.end] for line, n in found)


def _sign(text: str) -> str | None:
    """What parts numbers from lines, where the first lines are numbered one after another."""
    first, second = ([*(_NUMBER.match(line) for line in text.split("\n", 2)[:2]), None, None])[:2]
    if first is None:
        return None
    sign = first[2].strip(" ")
    counts_on = second is not None and second[2].strip(" ") == sign and int(second[1]) == int(first[1]) + 1
    return sign if counts_on or (sign in _SURE and second is None) else None
