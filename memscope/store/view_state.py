"""How somebody last looked at a thing: small JSON objects kept under a name, each replaced by the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from memscope.store._names import kept, object_of
from memscope.store.database import Database


class ViewState:
    """Small objects of JSON values by name. Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> dict[str, Any]:
        """What was last put under `name`; empty where nothing was, or nothing that can be read."""
        rows = self._database.read("SELECT state FROM view_state WHERE name = ?", kept(name))
        try:
            return object_of(rows[0][0]) if rows else {}
        except ValueError:
            return {}

    def put(self, name: str, state: Mapping[str, Any]) -> None:
        """Keeps `state` under `name`, in place of what was there."""
        text = json.dumps(dict(state))
        self._database.write("INSERT OR REPLACE INTO view_state (name, state) VALUES (?, ?)", kept(name), text)
