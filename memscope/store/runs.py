"""What came of every conversation that was scored, so that its memories can be looked at across conversations.

There is one row for each conversation (context window) and engine. A later run takes the place of the one before, so a
conversation counts once, however often it was scored and however long it has grown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from types import NoneType
from typing import Any, NamedTuple

from memscope.base.clock import now
from memscope.store._names import kept, name_of, object_of
from memscope.store.database import Database


class Outcome(NamedTuple):
    """What came of one memory in a run.

    `text`: a digest of the memory's text as it last stood. `chars` and `tokens` (None: not counted): what all its
    `occurrences` take. `total`, `net`, `max`, `against`: its effects added up, in nats, None where none was measured.
    `above`, `below`: on how many responses it is beyond the cutoff, for and against, and `most`, `least`: the effects
    furthest beyond it, 0 where there is none. `measured`, `left_out`: responses whose effect is known, and is not.
    """

    key: str
    text: str
    preview: str
    chars: int
    tokens: int | None
    occurrences: int
    total: float | None
    net: float | None
    max: float | None
    against: float | None
    above: int
    below: int
    most: float
    least: float
    measured: int
    left_out: int


_NUMBER: set[type] = {float, NoneType}
_TYPES: dict[str, set[type]] = {
    "key": {str},
    "text": {str},
    "preview": {str},
    "tokens": {int, NoneType},
    **dict.fromkeys(("total", "net", "max", "against"), _NUMBER),
    "most": {float},
    "least": {float},
}


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is kept.

    `conversation`: its lineage and window. `path`, `form` (the format's name), `item`, `window`, and the memory files
    `memories` cut by `split` open it again; `sha256` is the conversation's. `engine` is a digest of what `name`,
    `model` and `url` are part of. `threshold` in nats. `time`: when the conversation was last, seconds since the epoch.
    """

    conversation: str
    engine: bytes
    path: str
    form: str
    item: int
    window: int
    title: str
    messages: int
    sha256: str
    memories: tuple[str, ...]
    split: str
    name: str
    model: str
    url: str
    threshold: float
    time: float
    responses: int
    outcomes: tuple[Outcome, ...]


_ABOUT = {field.name: field.type for field in fields(Run)[2:-1]}
_PLAIN = {"str": str, "int": int, "float": float}


class Runs:
    """Raises `StoreError` for everything SQLite refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, run: Run) -> None:
        """Keeps a run in place of the same engine's last one of the conversation. One without memories only says that
        what there is is as of now: the conversation may have been opened without the files that hold them."""
        about: dict[str, Any] = {name: getattr(run, name) for name in _ABOUT}
        about["outcomes"] = {name: [outcome[at] for outcome in run.outcomes] for at, name in enumerate(Outcome._fields)}
        about_then = ", about = excluded.about" if run.outcomes else ""
        self._database.write(
            "INSERT INTO runs (conversation, engine, about, at) VALUES (?, ?, ?, ?)"
            f" ON CONFLICT (conversation, engine) DO UPDATE SET at = excluded.at{about_then}",
            kept(run.conversation),
            run.engine,
            json.dumps(about, allow_nan=False, separators=(",", ":")),
            now(),
        )

    def conversations(self, *, scored: bool = False) -> list[str]:
        """The conversations of which a run is kept, by name; or those alone of which something was `scored`."""
        only = "CASE WHEN json_valid(about) THEN json_array_length(about, '$.outcomes.key') END > 0"
        where = f" WHERE {only}" if scored else ""
        found = []
        for (name,) in self._database.read(f"SELECT DISTINCT conversation FROM runs{where} ORDER BY conversation"):
            try:
                found.append(name_of(name))
            except ValueError:
                continue
        return found

    def of(self, conversation: str) -> Iterator[tuple[Run, float]]:
        """The runs of a conversation that can be read, the newest first, each read when it is come to; and when each
        was kept, in seconds since the epoch."""
        query = "SELECT engine, about, at FROM runs WHERE conversation = ? ORDER BY at DESC, rowid DESC"
        for engine, about, at in self._database.read(query, kept(conversation)):
            try:
                run = _run(conversation, engine, about)
            except ValueError:
                continue
            if isinstance(at, float) and math.isfinite(at):
                yield run, at


def _run(conversation: str, engine: object, about: object) -> Run:
    """Raises ValueError for what is none."""
    told = object_of(about)
    columns = told.get("outcomes")
    if not isinstance(engine, bytes) or not isinstance(columns, dict):
        raise ValueError("a run")
    values: dict[str, Any] = {name: _value(told.get(name), kind) for name, kind in _ABOUT.items()}
    return Run(conversation, engine, **values, outcomes=_outcomes(columns))


def _value(value: object, kind: object) -> Any:
    if kind == "tuple[str, ...]":
        if isinstance(value, list) and set(map(type, value)) <= {str}:
            return tuple(value)
    elif type(value) is _PLAIN[str(kind)] and (not isinstance(value, float) or math.isfinite(value)):
        return value
    raise ValueError("a run")


def _outcomes(columns: dict[str, Any]) -> tuple[Outcome, ...]:
    found = [columns.get(name) for name in Outcome._fields]
    for name, column in zip(Outcome._fields, found, strict=True):
        types = _TYPES.get(name, {int})
        if not isinstance(column, list) or not set(map(type, column)) <= types:
            raise ValueError("outcomes")
        if float in types and not math.isfinite(sum(value for value in column if value is not None)):
            raise ValueError("numbers")
    return tuple(map(Outcome._make, zip(*found, strict=True)))
