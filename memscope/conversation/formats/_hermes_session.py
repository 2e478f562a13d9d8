"""What a Hermes session and its rows say, wherever Hermes keeps them: in JSON of several shapes, or in its database.

A compaction rewrites the list of messages: the head it protects, a summary, the tail. So everything in a list was in
the context, and there is no new window. Only the database keeps what a compaction took away: rows marked `compacted`,
and the tail's old rows, of which there are newer copies. These are the windows before.

The summary gets whichever role makes roles alternate, so it often is an "assistant" that no model ever answered as.
Here it is always a user message of the kind "summary": it stays in the prompt and is never scored as a response.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from memscope.conversation.formats._content import compact, decoded, entries, json_object, seconds, string
from memscope.conversation.formats.openai import read_message
from memscope.conversation.model import Message, Skipped, Text, ToolCall
from memscope.conversation.raw import Value
from memscope.conversation.records import Boundary, Fact, FactKind, Record

_JSON_CONTENT = "\0json:"  # before content that is a list, in the database
_SUMMARY = ("[CONTEXT COMPACTION", "[CONTEXT SUMMARY]", "[PRIOR CONTEXT")
_SUMMARY_END = re.compile(r"^--- END OF CONTEXT SUMMARY.*\n*", re.MULTILINE)
_BY_SOFTWARE = (
    "[SYSTEM:",
    "[System note:",
    "[Your active task list was preserved across context compression]",
    "Review the conversation above and ",  # what makes the agent save memories and skills after a turn
)
_CANCELLED = "[Tool execution cancelled"  # by the person, who interrupted the turn
_FACTS: tuple[tuple[FactKind, tuple[str, ...]], ...] = (
    ("title", ("title", "display_name")),
    ("session", ("session_id", "id")),
    ("model", ("model",)),
    ("cwd", ("cwd",)),
    ("repository", ("git_repo_root",)),
    ("branch", ("git_branch",)),
)


def session_records(session: Mapping[str, Any], line: int) -> Iterator[Record]:
    """The records of a session that is an object with `messages`, all of it on one `line` of a file (0: of none)."""
    yield from session_facts(session, line)
    messages, prompt = session["messages"], session.get("system_prompt")
    first = messages[0] if messages and isinstance(messages[0], Mapping) else {}
    begins_with_it = first.get("role") == "system" and first.get("content") == prompt
    if isinstance(prompt, str) and prompt and not begins_with_it:
        yield Message("system", (Text(prompt),), line=line)
    if any(isinstance(m, Mapping) and _is_gone(m) for m in messages):
        yield from _with_windows_before(messages, line)
    else:
        yield from row_records(Value(line, message) for message in messages)


def session_facts(about: Mapping[str, Any], line: int) -> Iterator[Fact]:
    """The facts of a session, be it an object of its own or a `session_meta` row."""
    for kind, names in _FACTS:
        found = next((about[name] for name in names if isinstance(about.get(name), str) and about[name]), None)
        if found is not None:
            yield Fact(kind, found, line)
    if spawner(about):
        yield Fact("parent", spawner(about), line)
    for tool in entries(about.get("tools")):
        yield Fact("tool", compact(tool), line)
    if about.get("failure"):
        yield Fact("error", string(about["failure"]), line)


def spawner(session: Mapping[str, Any]) -> str:
    """The session that this one is marked as a sub-agent of; "" for none. Earlier versions left no mark."""
    config = decoded(session.get("model_config"))
    return string(config.get("_delegate_from")) if isinstance(config, Mapping) else ""


def row_records(rows: Iterable[Value | Skipped]) -> Iterator[Record]:
    """The records of rows that all are in the context."""
    for row in rows:
        if isinstance(row, Skipped):
            yield row
        elif not isinstance(row.json, dict):
            yield Skipped(row.line, "the entry is no chat message")
        elif row.json.get("role") == "session_meta":
            yield from session_facts(row.json, row.line)
        else:
            yield from _row(row.json, row.line)


def _with_windows_before(rows: Sequence[Any], line: int) -> Iterator[Record]:
    """The records of rows some of which are out of the context, parted into windows.

    A window is all that was the list at some time. It begins with what a compaction puts there: a summary and copies of
    older rows, with their times. An old row that no compaction took and nothing copies was taken back by the person.
    """
    prints = [_print(row) for row in rows]
    latest = {name: place for place, name in enumerate(prints) if name is not None}
    seen: set[int] = set()
    is_opening, was_gone = True, False
    for place, row in enumerate(rows):
        name = prints[place]
        gone = isinstance(row, Mapping) and _is_gone(row)
        if gone and not row.get("compacted") and not (was_gone and name is not None and latest[name] > place):
            yield Skipped(line, "the turn was taken back")
            continue
        again = name in seen or (isinstance(row, Mapping) and _is_summary(row))
        if (again and not is_opening) or (was_gone and not gone):
            yield Boundary(line)
        is_opening, was_gone = again, gone
        if name is not None:
            seen.add(name)
        yield from row_records([Value(line, row)])


def _is_gone(row: Mapping[str, Any]) -> bool:
    """Whether the row is out of the context by now."""
    return row.get("active") in (0, False) or bool(row.get("compacted"))


def _print(row: Any) -> int | None:
    """What a copy of the row has in common with it; None for a row that names no time, whose copies cannot be told."""
    if not isinstance(row, Mapping) or row.get("timestamp") is None:
        return None
    return hash(repr([row.get(name) for name in ("role", "timestamp", "content", "tool_call_id", "tool_calls")]))


def _is_summary(row: Mapping[str, Any]) -> bool:
    return bool(row.get("_compressed_summary")) or string(_content(row)).startswith(_SUMMARY)


def _row(value: Mapping[str, Any], line: int) -> Sequence[Record]:
    """One row as a chat message, with the facts in it."""
    content, calls = _content(value), value.get("tool_calls")
    row = {
        **value,
        "content": content,
        "time": _local_seconds(value.get("timestamp")),
        "name": value.get("name") or value.get("tool_name"),
        "tool_calls": decoded(calls) if calls else None,
    }
    harmless = False
    if value.get("role") == "tool":
        answer = json_object(content) if isinstance(content, str) else None
        harmless = _tell_outcome(row, answer or {})
    told = read_message(row, line)
    message = told[-1]
    if not isinstance(message, Message):
        return told
    if message.role in ("user", "assistant"):  # whose messages hold no facts
        return _told_apart(message, value)
    if harmless:
        told = [record for record in told if not (isinstance(record, Fact) and record.kind == "exit_code")]
    if message.role == "tool" and message.text.startswith(_CANCELLED):
        told.append(Fact("interrupted", message.text, line))
    return told


def _tell_outcome(row: dict[str, Any], answer: Mapping[str, Any]) -> bool:
    """Notes in a tool's row how it went, as its answer tells; whether an exit code in there is no failure."""
    failed = row.get("effect_disposition") == "denied" or answer.get("success") is False or bool(answer.get("error"))
    if answer or failed:
        row.update(is_error=failed, exit_code=answer.get("exit_code"))
    return "not an error" in string(answer.get("exit_code_meaning"))  # grep that found nothing


def _content(row: Mapping[str, Any]) -> Any:
    """The content as the model saw it: `api_content` is a turn with the memories that were recalled for it."""
    content, sent = row.get("content"), row.get("api_content")
    if not isinstance(content, str):
        return content
    if sent and isinstance(sent, str) and row.get("role") in ("user", "assistant"):
        return sent
    return decoded(content.removeprefix(_JSON_CONTENT)) if content.startswith(_JSON_CONTENT) else content


def _local_seconds(value: Any) -> float | None:
    """Seconds since the epoch; a time without a zone is this machine's, for the agent writes its local time."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else seconds(value)
    except (ValueError, OverflowError, OSError):
        return None


def _told_apart(message: Message, row: Mapping[str, Any]) -> Sequence[Message]:
    """The message of a user or the agent, with what software wrote in their name marked as that."""
    text = message.text
    if text.startswith(_SUMMARY) or row.get("_compressed_summary"):
        return _summary_apart(message)
    if message.role == "user" and (text.startswith(_BY_SOFTWARE) or row.get("display_kind")):
        return (replace(message, kind="synthetic"),)  # `display_kind`: how to show what nobody typed, if at all
    return (message,)


def _summary_apart(message: Message) -> list[Message]:
    """A summary, and behind it the message it was put in front of, if there is one."""
    text = message.text
    end = _SUMMARY_END.search(text)
    summary, own = (text[: end.end()], text[end.end() :]) if end else (text, "")
    apart = [replace(message, role="user", parts=(Text(summary),), kind="summary")]
    rest = (Text(own), *(p for p in message.parts if not isinstance(p, Text)))
    if own or any(isinstance(p, ToolCall) for p in rest):
        apart.append(replace(message, parts=rest))
    return apart
