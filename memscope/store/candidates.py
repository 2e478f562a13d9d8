"""Promotion candidates as they were last found, by signature: what is promoted need not be looked for again."""

from __future__ import annotations

from collections.abc import Mapping

from memscope.base.clock import now
from memscope.store.database import Database


class Candidates:
    """Texts by signature. Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, found: Mapping[str, str]) -> None:
        """Keeps candidates in place of what was kept of them, all or none."""
        with self._database.writing() as write:
            for signature, text in found.items():
                values = signature, text, now()
                write("INSERT OR REPLACE INTO candidates (signature, found, at) VALUES (?, ?, ?)", *values)

    def beginning(self, signature: str) -> dict[str, str]:
        """Those whose signatures begin so, by signature."""
        query = "SELECT signature, found FROM candidates WHERE substr(signature, 1, ?) = ? ORDER BY signature"
        rows = self._database.read(query, len(signature), signature)
        return {name: text for name, text in rows if isinstance(name, str) and isinstance(text, str)}
