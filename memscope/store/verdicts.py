"""What was found out about engines, each by a digest of its identity: small JSON objects, and when they were put."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from memscope.base.clock import now
from memscope.store._names import object_of
from memscope.store.database import Database


class Verdicts:
    """Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, engine: bytes) -> tuple[dict[str, Any], float] | None:
        """What was last put for `engine`, and when, in seconds since the epoch; None where nothing was, or nothing that
        can be read."""
        rows = self._database.read("SELECT said, at FROM verdicts WHERE engine = ?", engine)
        try:
            said, at = (object_of(rows[0][0]), rows[0][1]) if rows else (None, None)
        except ValueError:
            return None
        return (said, at) if said is not None and isinstance(at, float) else None

    def put(self, engine: bytes, said: Mapping[str, Any]) -> None:
        """Keeps what was found out now, in place of what was there."""
        statement = "INSERT OR REPLACE INTO verdicts (engine, said, at) VALUES (?, ?, ?)"
        self._database.write(statement, engine, json.dumps(dict(said)), now())

    def drop(self, engine: bytes) -> None:
        """Forgets what was found out."""
        self._database.write("DELETE FROM verdicts WHERE engine = ?", engine)
