"""Hermes sessions, in the four shapes that agent leaves them in as JSON; its database is `hermes_database`'s business.

- a row a line (gateway): chat messages with a local `timestamp`, the first often `session_meta`
- one object (command line): `session_id`, `system_prompt`, `tools`, `messages`
- a session a line (`hermes sessions export`): a row of its database with `messages`
- a request dump: what was sent when a request failed, in `request.body`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memscope.conversation.formats._content import string, title_of
from memscope.conversation.formats._hermes_session import row_records, session_records, spawner
from memscope.conversation.homes import Home
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Format, Item, No, Record, Yes, merge_assistant

_NAIVE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
_NAME = re.compile(r"(?:session_)?(\d{8}_\d{6}_[0-9a-f]{6,8})")  # the session's name for itself


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    first = raw.head[0]
    if not isinstance(first, Mapping):
        return No("it does not begin with an object")
    if first.get("role") == "session_meta" or _session(first) is not None:
        return Yes(0.9)
    if "role" in first:
        stamped = all(isinstance(v, dict) and _NAIVE_TIME.fullmatch(string(v.get("timestamp"))) for v in raw.head)
        return Yes(0.7) if stamped else No("its messages have no local timestamps, as the gateway writes them")
    if first and all(isinstance(v, Mapping) and "session_id" in v for v in first.values()):
        return No("this is the index of the sessions (sessions.json), which holds no messages")
    return No("it has no messages beside what the agent notes of a session (session_id, system_prompt, started_at)")


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    if raw.head and isinstance(raw.head[0], Mapping) and "role" in raw.head[0]:  # a row a line
        yield Item(merge_assistant(_named(raw)), marks_failures=True)
        return
    for value in raw.values():
        session = None if isinstance(value, Skipped) else _session(value.json)
        if isinstance(value, Skipped):
            yield value
        elif session is None:
            yield Skipped(value.line, "the object is no session")
        else:
            told = session_records(session, value.line)
            title = title_of(session, "title", "display_name")
            yield Item(merge_assistant(told), title, bool(spawner(session)), marks_failures=True)


def _named(raw: Raw) -> Iterator[Record]:
    """The rows of a gateway's file, which names its session in its own name alone."""
    name = _NAME.fullmatch(raw.path.stem)
    if name:
        yield Fact("session", name[1])
    yield from row_records(raw.values())


def _session(value: Any) -> Mapping[str, Any] | None:
    """The session that a JSON value holds: messages, and beside them what only this agent writes."""
    if not isinstance(value, Mapping):
        return None
    request = value.get("request")
    body = request.get("body") if isinstance(request, Mapping) and "session_id" in value else None
    if isinstance(body, Mapping):  # a request dump
        value = {**body, "session_id": value["session_id"], "failure": value.get("error")}
        written = True
    else:
        logged = "session_id" in value and not value.keys().isdisjoint(("session_start", "system_prompt", "platform"))
        written = logged or {"source", "started_at"} <= value.keys()
    return value if written and isinstance(value.get("messages"), list) else None


HOME = Home("~/.hermes", "HERMES_HOME", ("sessions", "profiles/*/sessions"), ("memories", "profiles/*/memories"))

FORMAT = Format("hermes", "Hermes session", sniff, conversations, HOME)
