"""What chat models answered, each reply by a digest of everything that was asked, and of whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from memscope.base.clock import now
from memscope.store._names import object_of
from memscope.store.database import Database


def reply_key(
    url: str,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] = (),
    parameters: Mapping[str, Any] | None = None,
) -> bytes:
    """What a reply is kept under: the only definition there is. The order of names in objects does not count, nor do
    parameters that are None."""
    wanted = {name: value for name, value in (parameters or {}).items() if value is not None}
    asked = ["reply", url, model, list(messages), list(tools), wanted]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).digest()


class Replies:
    """Small JSON objects by digest, with the time they were put. Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: bytes) -> tuple[dict[str, Any], float] | None:
        """What was last put under `key`, and when, in seconds since the epoch; None where nothing was, or nothing that
        can be read."""
        rows = self._database.read("SELECT reply, at FROM replies WHERE key = ?", key)
        try:
            reply, at = (object_of(rows[0][0]), rows[0][1]) if rows else (None, None)
        except ValueError:
            return None
        return (reply, at) if reply is not None and isinstance(at, float) else None

    def put(self, key: bytes, reply: Mapping[str, Any]) -> float:
        """Keeps a reply in place of what was there; it is on disk when this returns. The time it was put."""
        at = now()
        statement = "INSERT OR REPLACE INTO replies (key, reply, at) VALUES (?, ?, ?)"
        self._database.write(statement, key, json.dumps(dict(reply)), at)
        return at

    def serving(self, url: str) -> str:
        """The model that a server was last seen to serve alone; empty where none was."""
        found = self.get(_server_key(url))
        model = found[0].get("model") if found is not None else None
        return model if isinstance(model, str) else ""

    def seen_serving(self, url: str, model: str) -> None:
        """Keeps which model a server serves, so that what it said is found without asking it."""
        if self.serving(url) != model:
            self.put(_server_key(url), {"model": model})


def _server_key(url: str) -> bytes:
    return hashlib.sha256(json.dumps(["server", url]).encode()).digest()
