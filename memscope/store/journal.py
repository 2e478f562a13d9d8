"""The journal: every decision a person takes, and its undo.

Nothing is ever changed or taken out. An undo is an entry like any other, which names the one it undoes; what is in
force is what no undo names. So a decision can be traced, and two processes that write at once lose nothing of each
other's: an entry is one statement.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memscope.base.clock import now
from memscope.store._names import kept, name_of, object_of
from memscope.store.database import Database

_AT_A_TIME = 900
UNDO = "undo"  # the verdict of an undo

_COLUMNS = "id, at, kind, subject, verdict, payload, previous"
_UNDO = f"CAST('{UNDO}' AS BLOB)"
_IN_FORCE = f"""kind = ?1 AND verdict != {_UNDO} AND NOT EXISTS
    (SELECT 1 FROM journal AS undo WHERE undo.previous = journal.id AND undo.verdict = {_UNDO})"""
_ADD = f"""INSERT INTO journal (kind, subject, verdict, payload, at, step, previous)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT max(id) FROM journal WHERE subject = ?2 AND {_IN_FORCE})) RETURNING id"""
_NEWEST = f"SELECT {_COLUMNS} FROM journal WHERE subject = ?2 AND {_IN_FORCE} ORDER BY id DESC LIMIT 1"

Decision = tuple[str, str, Mapping[str, Any]]
"""What is decided: the subject, the verdict on it, and a payload, an object of JSON values."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision: `verdict` on `subject` among those of one `kind`, with whatever belongs to it as `payload`.

    `at` is in seconds since the epoch. `previous` is the `id` of the decision on the subject that was in force before,
    None for the first.
    """

    id: int
    at: float
    kind: str
    subject: str
    verdict: str
    payload: Mapping[str, Any]
    previous: int | None


class Journal:
    """Decisions, kept in order. Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: str, subject: str, verdict: str, payload: Mapping[str, Any] | None = None) -> int:
        """Keeps a decision, and returns its `id`. `payload` is an object of JSON values."""
        with self._database.writing() as write:
            return _id(write(_ADD, *_values(kind, (subject, verdict, payload or {}), None)))

    def add_all(self, kind: str, decisions: Iterable[Decision]) -> None:
        """Keeps several as one step: all or none of them, and `undo_step` undoes them together."""
        with self._database.writing() as write:
            step: int | None = None
            for decision in decisions:
                if step is None:  # nothing is ever deleted, so this is the first one's own
                    step = _id(write("SELECT coalesce(max(id), 0) + 1 FROM journal"))
                write(_ADD, *_values(kind, decision, step))

    def entries(self, kind: str, subject: str) -> list[Entry]:
        """The decisions in force on a subject, oldest first; one that cannot be read is left out."""
        query = f"SELECT {_COLUMNS} FROM journal WHERE subject = ?2 AND {_IN_FORCE} ORDER BY id"
        return _readable(self._database.read(query, kept(kind), kept(subject)))

    def newest(self, kind: str, subject: str) -> Entry | None:
        """The latest decision in force on a subject, alone read; None when there is none, or none that can be read."""
        found = self._database.read(_NEWEST, kept(kind), kept(subject))
        return _entry(found[0]) if found else None

    def all_entries(self, kind: str, subjects: Collection[str] | None = None) -> dict[str, list[Entry]]:
        """The decisions in force on every subject there is, or on those of `subjects`, each subject's oldest first."""
        found: dict[str, list[Entry]] = {}
        for among, values in _parts(subjects):
            query = f"SELECT {_COLUMNS} FROM journal WHERE {_IN_FORCE}{among} ORDER BY id"
            for entry in _readable(self._database.read(query, kept(kind), *values)):
                found.setdefault(entry.subject, []).append(entry)
        return found

    def latest(self, kind: str) -> int:
        """A number that grows with every entry of a kind, undos too: it tells whether there is anything new."""
        return _id(self._database.read("SELECT coalesce(max(id), 0) FROM journal WHERE kind = ?", kept(kind)))

    def has(self, kind: str) -> bool:
        """Whether there ever was a decision of this kind, on any subject."""
        return bool(self._database.read("SELECT 1 FROM journal WHERE kind = ? LIMIT 1", kept(kind)))

    def undo(self, kind: str, subject: str) -> Entry | None:
        """Undoes the latest decision in force on a subject, and returns it; None when there is none, or none that can
        be read. What was made in one step with it stays."""
        with self._database.writing() as write:
            undone = write(_NEWEST, kept(kind), kept(subject))
            _undo(write, undone)
        return _entry(undone[0]) if undone else None

    def undo_step(self, kind: str, subjects: Collection[str] | None = None) -> list[Entry]:
        """Undoes the latest decision in force on any of `subjects` (None: on any at all), with what was made in one
        step with it and is still in force; those, oldest first. Empty when there is nothing to undo, or nothing that
        can be read."""
        wanted = None if subjects is None else {kept(subject) for subject in subjects}
        with self._database.writing() as write:
            newest = f"SELECT id, subject, step FROM journal WHERE {_IN_FORCE} ORDER BY id DESC"
            found = (row for row in write(newest, kept(kind)) if wanted is None or row[1] in wanted)
            number, _, step = next(found, (None, None, None))
            query = f"SELECT {_COLUMNS} FROM journal WHERE (id = ?2 OR step = ?3) AND {_IN_FORCE} ORDER BY id"
            undone = write(query, kept(kind), number, step)
            _undo(write, undone)
        return _readable(undone)


def _parts(subjects: Collection[str] | None) -> Iterator[tuple[str, list[bytes]]]:
    """What a query says of the subjects it is about, behind `_IN_FORCE`, and the values that takes: as many at a time
    as every SQLite allows."""
    if subjects is None:
        yield "", []
        return
    wanted = [kept(subject) for subject in dict.fromkeys(subjects)]
    for first in range(0, len(wanted), _AT_A_TIME):
        some = wanted[first : first + _AT_A_TIME]
        yield f" AND subject IN ({', '.join('?' * len(some))})", some


def _undo(write: Callable[..., object], entries: Iterable[tuple[object, ...]]) -> None:
    for number, _, kind, subject, *_ in entries:
        columns = "kind, subject, verdict, payload, at, previous"
        write(f"INSERT INTO journal ({columns}) VALUES (?, ?, {_UNDO}, '{{}}', ?, ?)", kind, subject, now(), number)


def _entry(row: tuple[object, ...]) -> Entry | None:
    try:
        number, at, kind, subject, verdict, payload, previous = row
        if not isinstance(number, int) or not isinstance(at, float) or not isinstance(previous, int | None):
            return None
        return Entry(number, at, name_of(kind), name_of(subject), name_of(verdict), object_of(payload), previous)
    except ValueError:
        return None


def _readable(rows: Iterable[tuple[object, ...]]) -> list[Entry]:
    return [entry for entry in map(_entry, rows) if entry is not None]


def _values(kind: str, decision: Decision, step: int | None) -> tuple[object, ...]:
    subject, verdict, payload = decision
    if verdict == UNDO:
        raise ValueError("an undo is written by undo()")
    return kept(kind), kept(subject), kept(verdict), json.dumps(dict(payload)), now(), step


def _id(rows: list[tuple[object, ...]]) -> int:
    return int(str(rows[0][0]))
