"""Content as chat APIs write it: strings, lists of blocks, tool calls. Formats share it, for they share the APIs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json, to_json

from memscope.conversation.model import Memory, Opaque, Part, Text, Thinking, ToolCall
from memscope.conversation.raw import DEEPEST, is_too_deep
from memscope.conversation.records import title_from

# What a transcript holds was parsed from JSON, or is made of such: nothing in it holds itself.
_COMPACT = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_PLAIN = frozenset({str, int, bool, type(None)})


def compact(value: Any) -> str:
    """`value` as JSON without needless spaces, characters as they are."""
    if isinstance(value, dict) and _PLAIN.issuperset(map(type, value.values())):  # as most arguments of tools are
        try:
            return to_json(value).decode()  # writes these just as the other does, only faster
        except ValueError:  # half a surrogate pair
            pass
    return _COMPACT.encode(value)


def string(value: Any) -> str:
    """`value` if it is a string; "" for null; other JSON as its text."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    return "" if value is None else compact(value)


def entries(value: Any) -> list[Any]:
    """`value` if it is a list; none for anything else."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The objects in `value` if it is a list; none for anything else."""
    return tuple(entry for entry in entries(value) if isinstance(entry, dict))


def joined(texts: Iterable[str]) -> str:
    """The texts of several blocks as one, each from a line of its own; the last one ends as it did."""
    *before, last = list(texts) or [""]
    return "".join(text if text.endswith("\n") else text + "\n" for text in before) + last


def arguments(value: Any) -> str:
    """Tool arguments as the JSON text they were found as, or that text of the object they were found as."""
    return value if isinstance(value, str) else compact({} if value is None else value)


def json_object(text: str) -> Mapping[str, Any] | None:
    """The JSON object that `text` is, such as a tool's answer; None for every other text."""
    value = decoded(text) if text.lstrip().startswith("{") else None
    return value if isinstance(value, dict) else None


def decoded(value: Any) -> Any:
    """The JSON that a string holds, or the value as it is."""
    if not isinstance(value, str):
        return value
    try:
        held = from_json(value, cache_strings="keys")
    except (ValueError, TypeError):  # the latter for half a surrogate pair
        # What the fast parser refuses may still be JSON, as in `conversation.raw`.
        try:
            held = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return value
    return value if value.count("[") + value.count("{") > DEEPEST and is_too_deep(held) else held


def opaque(block: Any) -> Opaque:
    """A block that is kept as it is: an image, a document, something new."""
    kind = block.get("type") if isinstance(block, dict) else None
    return Opaque(kind if isinstance(kind, str) else "unknown", compact(block))


def parts(content: Any) -> list[Part]:
    """The parts of a message's `content`: a string, a list of blocks, or null.

    Text blocks of every API (`text`, `input_text`, `output_text`), thinking, `tool_use`; a block with `memory_key` is a
    memory. Everything else stays `Opaque`; `tool_result` blocks are the caller's to part from the message first.
    """
    if isinstance(content, str):
        return [Text(content)]
    if content is None:
        return []
    return [part(block) for block in content] if isinstance(content, list) else [part(content)]


def part(block: Any) -> Part:
    """One block of a message's content as `parts` reads it, or a string."""
    if isinstance(block, str):
        return Text(block)
    if not isinstance(block, dict):
        return opaque(block)
    kind, text = block.get("type"), block.get("text")
    key = block.get("memory_key")
    if isinstance(key, str) and isinstance(text, str):
        return Memory(key, text, string(block.get("memory_rule")) or "explicit")
    if kind in ("text", "input_text", "output_text") and isinstance(text, str):
        return Text(text)
    if kind in ("thinking", "redacted_thinking", "reasoning"):
        return Thinking(string(block.get("thinking") or text))
    if kind == "tool_use":
        return ToolCall(string(block.get("id")), string(block.get("name")), arguments(block.get("input")))
    return opaque(block)


def title_of(conversation: Mapping[str, Any], *names: str) -> str:
    """The text of the first of the fields `names` that has one, else the first words of a user in its `messages`."""
    users = (m for m in mappings(conversation.get("messages")) if m.get("role") == "user" and "memory_key" not in m)
    asked = ("".join(p.text for p in parts(m.get("content")) if isinstance(p, Text)) for m in users)
    given = (conversation.get(name) for name in names)
    named = next((title for title in given if isinstance(title, str) and title.strip()), "")
    return named or title_from(asked)


def openai_calls(message: Mapping[str, Any]) -> list[ToolCall]:
    """The `tool_calls` of an OpenAI message, and the older `function_call`."""
    calls: list[ToolCall] = []
    for call in entries(message.get("tool_calls")):
        if isinstance(call, dict):
            function = call.get("function")
            function = function if isinstance(function, dict) else call
            call_id = string(call.get("id") or call.get("call_id"))
            calls.append(ToolCall(call_id, string(function.get("name")), arguments(function.get("arguments"))))
    old = message.get("function_call")
    if isinstance(old, dict):
        calls.append(ToolCall("", string(old.get("name")), arguments(old.get("arguments"))))
    return calls


def seconds(value: Any) -> float | None:
    """A time as transcripts spell it, in seconds since the epoch.

    ISO 8601 (naive: UTC), epoch seconds or epoch milliseconds; None for anything else.
    """
    if not isinstance(value, str):
        if value is None or isinstance(value, bool):
            return None
        if isinstance(value, (int, float)):
            if not abs(value) < 1e15:  # nor is NaN: beyond the year 33,000 it is no time, not even in milliseconds
                return None
            return value / 1000 if value > 1e11 else float(value)
        value = str(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
