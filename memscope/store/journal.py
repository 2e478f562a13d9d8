"""The journal: every decision a person takes, and its undo.

Nothing is ever changed or taken out. An undo is an entry like any other, which names the one it undoes; what is in
force is what no undo names. So a decision can be traced, and two processes that write at once lose nothing of each
other's: an entry is one statement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memscope.base.clock import now
from memscope.store._names import kept, name_of, object_of
from memscope.store.database import Database

UNDO = "undo"  # the verdict of an undo

_COLUMNS = "id, at, kind, subject, verdict, payload, previous"
_IN_FORCE = f"""kind = ?1 AND subject = ?2 AND verdict != CAST('{UNDO}' AS BLOB) AND id NOT IN
    (SELECT previous FROM journal WHERE kind = ?1 AND subject = ?2 AND verdict = CAST('{UNDO}' AS BLOB))"""


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
        if verdict == UNDO:
            raise ValueError("an undo is written by undo()")
        rows = self._database.write(
            f"""INSERT INTO journal (kind, subject, verdict, payload, at, previous)
            VALUES (?1, ?2, ?3, ?4, ?5, (SELECT max(id) FROM journal WHERE {_IN_FORCE})) RETURNING id""",
            kept(kind),
            kept(subject),
            kept(verdict),
            json.dumps(dict(payload or {})),
            now(),
        )
        return int(str(rows[0][0]))

    def entries(self, kind: str, subject: str) -> list[Entry]:
        """The decisions in force, oldest first; one that cannot be read is left out."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM journal WHERE {_IN_FORCE} ORDER BY id", kept(kind), kept(subject)
        )
        return [entry for entry in map(_entry, rows) if entry is not None]

    def has(self, kind: str) -> bool:
        """Whether there ever was a decision of this kind, on any subject."""
        return bool(self._database.read("SELECT 1 FROM journal WHERE kind = ? LIMIT 1", kept(kind)))

    def undo(self, kind: str, subject: str) -> Entry | None:
        """Undoes the latest decision in force, and returns it; None when there is none, or none that can be read."""
        undone = self._database.write(
            f"""INSERT INTO journal (kind, subject, verdict, payload, at, previous)
            SELECT ?1, ?2, CAST('{UNDO}' AS BLOB), '{{}}', ?3, latest
            FROM (SELECT max(id) AS latest FROM journal WHERE {_IN_FORCE}) WHERE latest IS NOT NULL
            RETURNING previous""",
            kept(kind),
            kept(subject),
            now(),
        )
        if not undone:
            return None
        (row,) = self._database.read(f"SELECT {_COLUMNS} FROM journal WHERE id = ?", undone[0][0])
        return _entry(row)


def _entry(row: tuple[object, ...]) -> Entry | None:
    try:
        number, at, kind, subject, verdict, payload, previous = row
        if not isinstance(number, int) or not isinstance(at, float) or not isinstance(previous, int | None):
            return None
        return Entry(number, at, name_of(kind), name_of(subject), name_of(verdict), object_of(payload), previous)
    except ValueError:
        return None
