"""Hermes sessions, in the four shapes that agent leaves them in.

- a row a line (gateway): chat messages with a local `timestamp`, the first often `session_meta`
- one object (command line): `session_id`, `system_prompt`, `tools`, `messages`
- a session a line (`hermes sessions export`): a row of its database with `messages`
- a request dump: what was sent when a request failed, in `request.body`

A compaction rewrites the list of messages: the head it protects, a summary, the tail. So everything in a list was in
the context, and there is no new window. Only the database keeps what a compaction took away, marked `compacted`: that
is the window before.

The summary gets whichever role makes roles alternate, so it often is an "assistant" that no model ever answered as.
Here it is always a user message of the kind "summary": it stays in the prompt and is never scored as a response.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from memscope.conversation.formats._content import compact, entries, json_object, seconds, string, title_of
from memscope.conversation.formats.openai import read_message
from memscope.conversation.homes import Home
from memscope.conversation.model import Message, Skipped, Text, ToolCall
from memscope.conversation.raw import Raw, Value, is_too_deep
from memscope.conversation.records import Boundary, Fact, FactKind, Format, Item, No, Record, Yes, merge_assistant

_JSON_CONTENT = "\0json:"  # before content that is a list, in the database
_NAIVE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
_SUMMARY = ("[CONTEXT COMPACTION", "[CONTEXT SUMMARY]")
_SUMMARY_END = re.compile(r"^--- END OF CONTEXT SUMMARY.*\n*", re.MULTILINE)
_BY_SOFTWARE = (
    "[SYSTEM:",
    "[System note:",
    "[Your active task list was preserved across context compression]",
    "Review the conversation above and ",  # what makes the agent save memories and skills after a turn
)
_FACTS: tuple[tuple[FactKind, tuple[str, ...]], ...] = (
    ("title", ("title", "display_name")),
    ("session", ("session_id", "id")),
    ("model", ("model",)),
    ("cwd", ("cwd",)),
    ("repository", ("git_repo_root",)),
    ("branch", ("git_branch",)),
)


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    first = raw.head[0]
    if not isinstance(first, Mapping):
        return No("it does not begin with an object")
    if first.get("role") == "session_meta" or _session(first) is not None:
        return Yes(0.9)
    if "role" in first:
        stamped = all(isinstance(v, Mapping) and _NAIVE_TIME.fullmatch(string(v.get("timestamp"))) for v in raw.head)
        return Yes(0.7) if stamped else No("its messages have no local timestamps, as the gateway writes them")
    if first and all(isinstance(v, Mapping) and "session_id" in v for v in first.values()):
        return No("this is the index of the sessions (sessions.json), which holds no messages")
    return No("it has no messages beside what the agent notes of a session (session_id, system_prompt, started_at)")


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    if raw.head and isinstance(raw.head[0], Mapping) and "role" in raw.head[0]:  # a row a line
        yield Item(merge_assistant(_told(raw.values())))
        return
    for value in raw.values():
        session = None if isinstance(value, Skipped) else _session(value.json)
        if isinstance(value, Skipped):
            yield value
        elif session is None:
            yield Skipped(value.line, "the object is no session")
        else:
            told = _session_records(session, value.line)
            yield Item(merge_assistant(told), title_of(session, "title", "display_name"))


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


def _session_records(session: Mapping[str, Any], line: int) -> Iterator[Record]:
    yield from _facts(session, line)
    messages, prompt = session["messages"], session.get("system_prompt")
    first = messages[0] if messages and isinstance(messages[0], Mapping) else {}
    begins_with_it = first.get("role") == "system" and first.get("content") == prompt
    if isinstance(prompt, str) and prompt and not begins_with_it:
        yield Message("system", (Text(prompt),), line=line)
    yield from _told(Value(line, message) for message in messages)


def _facts(about: Mapping[str, Any], line: int) -> Iterator[Fact]:
    """The facts of a session, be it an object of its own or a `session_meta` row."""
    for kind, names in _FACTS:
        found = next((about[name] for name in names if isinstance(about.get(name), str) and about[name]), None)
        if found is not None:
            yield Fact(kind, found, line)
    for tool in entries(about.get("tools")):
        yield Fact("tool", compact(tool), line)
    if about.get("failure"):
        yield Fact("error", string(about["failure"]), line)


def _told(rows: Iterable[Value | Skipped]) -> Iterator[Record]:
    compacted = False
    for row in rows:
        if isinstance(row, Skipped):
            yield row
        elif not isinstance(row.json, Mapping):
            yield Skipped(row.line, "the entry is no chat message")
        elif row.json.get("role") == "session_meta":
            yield from _facts(row.json, row.line)
        elif row.json.get("compacted"):
            compacted = True
            yield from _row(row.json, row.line)
        elif row.json.get("active") in (0, False):
            yield Skipped(row.line, "the turn was taken back")
        else:
            if compacted:
                yield Boundary(row.line)
            compacted = False
            yield from _row(row.json, row.line)


def _row(value: Mapping[str, Any], line: int) -> Iterator[Record]:
    """One row as a chat message."""
    row = dict(value) | {"content": _content(value.get("content")), "time": _local_seconds(value.get("timestamp"))}
    row |= {"name": value.get("name") or value.get("tool_name"), "tool_calls": _decoded(value.get("tool_calls"))}
    answer = json_object(row["content"]) if row.get("role") == "tool" and isinstance(row["content"], str) else None
    if answer is not None:
        failed = answer.get("success") is False or bool(answer.get("error"))
        row |= {"exit_code": answer.get("exit_code"), "is_error": failed}
    harmless = "not an error" in string(answer and answer.get("exit_code_meaning"))  # grep that found nothing
    for record in read_message(row, line):
        if isinstance(record, Message):
            yield from _told_apart(record)
        elif not (harmless and isinstance(record, Fact) and record.kind == "exit_code"):
            yield record


def _content(content: Any) -> Any:
    if not isinstance(content, str) or not content.startswith(_JSON_CONTENT):
        return content
    return _decoded(content.removeprefix(_JSON_CONTENT))


def _decoded(value: Any) -> Any:
    """The JSON that a string holds, or the value as it is."""
    try:
        held = json.loads(value, strict=False) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
    return value if is_too_deep(held) else held


def _local_seconds(value: Any) -> float | None:
    """Seconds since the epoch; a time without a zone is this machine's, for the agent writes its local time."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else seconds(value)
    except (ValueError, OverflowError, OSError):
        return None


def _told_apart(message: Message) -> Iterator[Message]:
    """The message, with what software wrote in a person's or the agent's name marked as that."""
    text = message.text
    if message.role in ("user", "assistant") and text.startswith(_SUMMARY):
        yield from _summary_apart(message)
    elif message.role == "user" and text.startswith(_BY_SOFTWARE):
        yield replace(message, kind="synthetic")
    else:
        yield message


def _summary_apart(message: Message) -> Iterator[Message]:
    """A summary, and behind it the message it was put in front of, if there is one."""
    text = message.text
    end = _SUMMARY_END.search(text)
    summary, own = (text[: end.end()], text[end.end() :]) if end else (text, "")
    yield replace(message, role="user", parts=(Text(summary),), kind="summary")
    rest = (Text(own), *(p for p in message.parts if not isinstance(p, Text)))
    if own or any(isinstance(p, ToolCall) for p in rest):
        yield replace(message, parts=rest)


HOME = Home("~/.hermes", "HERMES_HOME", ("sessions",), ("memories",))

FORMAT = Format("hermes", "Hermes session", sniff, conversations, HOME)
