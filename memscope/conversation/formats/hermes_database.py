"""Hermes' database, `state.db`: a row a session, a row a message. It is only read, and one session at a time.

Versions differ in their columns, so what is not there is as if it were null; since version 25 the system prompts are in
a table of their own. Items are in the order in which sessions began, so that new ones come behind and numbers stay.

A session's parent is one it was delegated by (it is a sub-agent), one it was branched off, the same conversation before
a reset, or before a compaction that began a session anew. These are told apart as Hermes does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from memscope.conversation.formats._content import decoded
from memscope.conversation.formats._hermes_session import row_records, session_records
from memscope.conversation.homes import Home
from memscope.conversation.model import Message, Skipped
from memscope.conversation.raw import Raw, Value
from memscope.conversation.records import Fact, Format, Item, Listed, No, Record, Yes, merge_assistant, title_from
from memscope.conversation.sqlite_file import SqliteFile

_NEEDED = {
    "sessions": {"id", "source", "started_at"},
    "messages": {"id", "session_id", "role", "content", "tool_calls", "timestamp"},
}
_LISTED = (
    *("id", "title", "display_name", "parent_session_id", "model_config", "session_key"),
    *("started_at", "ended_at", "last_activity_at", "end_reason"),
)
_SESSION = (
    *("id", "title", "display_name", "model", "cwd", "git_repo_root", "git_branch"),
    *("system_prompt", "system_prompt_hash"),
)
_MESSAGE = (
    *("id", "role", "content", "tool_call_id", "tool_calls", "tool_name", "timestamp", "reasoning"),
    *("reasoning_content", "effect_disposition", "active", "compacted", "_compressed_summary", "api_content"),
    "display_kind",
)
_TIMES = ("started_at", "ended_at", "last_activity_at")
_RESETS = frozenset({"session_reset", "session_switch", "idle", "daily", "suspended", "resume_pending_expired"})
_LONGEST_CHAIN = 1000  # of compactions
Row = Mapping[str, Any]


def sniff(raw: Raw) -> Yes | No:
    with SqliteFile(raw.path) as file:
        lacking = [table for table, needed in _NEEDED.items() if not needed <= set(file.columns(table))]
    if lacking:
        return No(f"it is an SQLite database without the table {lacking[0]} as Hermes has it")
    return Yes(0.9)


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    with SqliteFile(raw.path) as file:
        store = _Store(file)
        sessions = store.sessions()
        for number, session in sessions.items():
            spawner = _spawner(session, store.by_id)
            records = merge_assistant(store.records(number, spawner))
            yield Item(records, _title(session), bool(spawner), marks_failures=True)


def latest(raw: Raw, count: int) -> list[Listed]:
    with SqliteFile(raw.path) as file:
        store = _Store(file)
        sessions = enumerate(store.sessions().values())
        begun = [(n, s) for n, s in sessions if not _spawner(s, store.by_id)]
        begun.sort(key=lambda numbered: max(map(_number, map(numbered[1].get, _TIMES))), reverse=True)
        found = ((n, s, store.opening(s["id"])) for n, s in begun)
        said = islice(((n, s, told) for n, s, told in found if told is not None), max(count, 0))
        return [Listed(n, _title(s) or told.title, told.time) for n, s, told in said]


def _title(session: Row) -> str:
    return next((t for t in map(session.get, ("title", "display_name")) if isinstance(t, str) and t.strip()), "")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


class _Store:
    """The tables, with the columns that this version of them has."""

    def __init__(self, file: SqliteFile) -> None:
        self.file = file
        self.known = {table: set(file.columns(table)) for table in ("sessions", "messages", "system_prompts")}
        self.by_id: dict[Any, Row] = {}

    def sessions(self) -> dict[int, Row]:
        """What tells of each session what it is, by the number of its row."""
        names = ("rowid", *self._there("sessions", _LISTED))
        found = [dict(zip(names, row, strict=True)) for row in self.file.rows(self._select(names, "sessions", "rowid"))]
        self.by_id = {session["id"]: session for session in found}
        return {session["rowid"]: session for session in found}

    def records(self, number: int, spawner: str) -> Iterator[Record]:
        """The records of the session in that row, which is read when the first of them is asked for."""
        with self.file:
            session = self._session(number)
        yield from [Fact("parent", spawner)] if spawner else []
        yield from session_records(session, 0)

    def opening(self, name: Any) -> Listed | None:
        """The first words of a person in a session, and the time of its last message; None for one without messages."""
        asked = "SELECT content FROM messages WHERE session_id = ? AND role = 'user' ORDER BY id LIMIT 20"
        last = "SELECT timestamp FROM messages WHERE session_id = ? ORDER BY id DESC LIMIT 1"
        times = self.file.rows(last, (name,))
        rows = ({"role": "user", "content": content} for (content,) in self.file.rows(asked, (name,)))
        said = (m for m in row_records(Value(0, row) for row in rows) if isinstance(m, Message) and m.kind == "said")
        return Listed(0, title_from(m.text for m in said), _number(times[0][0])) if times else None

    def _session(self, number: int) -> dict[str, Any]:
        names = self._there("sessions", _SESSION)
        found = self.file.rows(f"SELECT {', '.join(names)} FROM sessions WHERE rowid = ?", (number,))
        session = dict(zip(names, found[0], strict=True)) if found else {}
        prompt = session.get("system_prompt_hash")
        if prompt is not None and {"hash", "prompt"} <= self.known["system_prompts"]:
            texts = self.file.rows("SELECT prompt FROM system_prompts WHERE hash = ?", (prompt,))
            session["system_prompt"] = texts[0][0] if texts else session.get("system_prompt")
        names = self._there("messages", _MESSAGE)
        rows = self.file.rows(self._select(names, "messages WHERE session_id = ?", "id"), (session.get("id"),))
        session["messages"] = [
            {name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows
        ]
        return session

    def _there(self, table: str, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.known[table])

    @staticmethod
    def _select(names: tuple[str, ...], table: str, order: str) -> str:
        return f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}"


def _spawner(session: Row, by_id: Mapping[Any, Row]) -> str:
    """The session whose sub-agent this one is, or the one it continues; "" for one that a person began."""
    for _ in range(_LONGEST_CHAIN):
        parent = session.get("parent_session_id")
        if not isinstance(parent, str) or not parent:
            return ""
        config = decoded(session.get("model_config"))
        config = config if isinstance(config, Mapping) else {}
        before = by_id.get(parent, {})
        reason = before.get("end_reason")
        if reason == "compression" and config.get("_delegate_from") != parent:
            session = before
        elif parent in (config.get("_branched_from"), config.get("_reset_from")) or _is_next(session, before):
            return ""
        else:
            return parent
    return ""


def _is_next(session: Row, before: Row) -> bool:
    """Whether a session took up an ended one, in versions that left no mark of it."""
    if before.get("end_reason") == "branched":
        began, ended = session.get("started_at"), before.get("ended_at")
        return isinstance(began, int | float) and isinstance(ended, int | float) and began >= ended
    key = session.get("session_key")
    return before.get("end_reason") in _RESETS and bool(key) and key == before.get("session_key")


HOME = Home("~/.hermes", "HERMES_HOME", ("state.db", "profiles/*/state.db"), ("memories", "profiles/*/memories"))

FORMAT = Format(
    "hermes-database", "Hermes database (state.db)", sniff, conversations, HOME, is_database=True, latest=latest
)
