"""OpenAI chat messages, and the native form: the same with `memory_key` on messages and content parts.

A document (`{"messages": [...]}` or a bare list), a conversation a line, or a message a line. Beside it, at the top:
`tools`, `title`, and `memories: [{"key", "text"}]`, which become parts of the system message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from memscope.base.text import slug
from memscope.conversation.formats._content import (
    compact,
    entries,
    joined,
    json_object,
    openai_calls,
    parts,
    seconds,
    string,
    title_of,
)
from memscope.conversation.keys import made_up_key
from memscope.conversation.memory_files import with_system_memories
from memscope.conversation.model import Kind, Memory, Message, Opaque, Part, Skipped, Text, Thinking, ToolResult
from memscope.conversation.native import tells_code
from memscope.conversation.raw import Raw, Value
from memscope.conversation.records import Fact, Format, Item, No, Record, Yes, outcome_facts

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function", "memory"})
_KINDS = get_args(Kind)


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    first = raw.head[0]
    messages = _messages(first)
    if messages is None:
        if _is_message(first):
            return Yes(0.5)
        if isinstance(first, dict):
            return No('the first object has neither "messages" nor a chat "role" with content')
        return No("it is no list of messages")
    if not messages:
        return Yes(0.4) if isinstance(first, dict) else No("the list is empty")
    good = sum(_is_message(m) for m in messages)
    if good == 0:
        return No('the entries of "messages" have no chat "role" with content')
    return Yes(0.5 if good == len(messages) else 0.3)


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    if not raw.head or _messages(raw.head[0]) is None:  # a message a line
        yield Item(_lines(raw))
        return
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
        elif _messages(value.json) is None:
            yield Skipped(value.line, 'the object has no "messages"')
        else:
            yield Item(_conversation(value), _title(value.json))


def _lines(raw: Raw) -> Iterator[Record]:
    for value in raw.values():
        yield from [value] if isinstance(value, Skipped) else read_message(value.json, value.line)


def _messages(value: Any) -> list[Any] | None:
    found = value.get("messages") if isinstance(value, dict) else value
    return found if isinstance(found, list) else None


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("role"), str) or not value["role"]:
        return False
    role = value["role"]
    known = role in ROLES or role.startswith("memory") or isinstance(value.get("memory_key"), str)
    return known and ("content" in value or "tool_calls" in value or "function_call" in value)


def _title(value: Any) -> str:
    return title_of(value if isinstance(value, dict) else {"messages": value}, "title")


def _conversation(value: Value) -> Iterator[Record]:
    top = value.json
    if isinstance(top, dict):
        if isinstance(top.get("title"), str):
            yield Fact("title", top["title"], value.line)
        for tool in entries(top.get("tools")):
            yield Fact("tool", compact(tool), value.line)
        memories = [m for m in map(_listed_memory, entries(top.get("memories"))) if m]
    else:
        memories = []
    messages = [record for m in _messages(top) or [] for record in read_message(m, value.line)]
    if memories:
        messages = with_system_memories(messages, memories, value.line)
    yield from messages


def _listed_memory(entry: Any) -> Memory | None:
    if isinstance(entry, str):
        return Memory(made_up_key(entry), entry)
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        return None
    return Memory(string(entry.get("key")) or made_up_key(entry["text"]), entry["text"])


def read_message(value: Any, line: int) -> list[Record]:
    """One chat message of OpenAI's API (or of the native form), and before it the facts in it."""
    role = value.get("role") if isinstance(value, dict) else None
    if not isinstance(role, str) or not role:
        return [Skipped(line, "the entry is no chat message")]
    told: list[Record] = []
    is_answer = role in ("tool", "function")
    name, key = string(value.get("name")), value.get("memory_key")
    content = parts(value.get("content"))
    named = name.startswith("memory") and not is_answer  # there the name is the tool's
    if named or isinstance(key, str) or role.startswith("memory"):
        rule = string(value.get("memory_rule")) or "explicit"
        content = _as_memory(content, key if isinstance(key, str) else None, name, rule)
    reasoning = value.get("reasoning_content") or value.get("reasoning")
    if isinstance(reasoning, str) and reasoning:
        content.insert(0, Thinking(reasoning))
    if is_answer:
        result = _tool_result(value, content)
        told.extend(outcome_facts(result, line))
        content.insert(0, result)
        role = "tool"
    content.extend(openai_calls(value))
    kind = value.get("kind")
    if kind not in _KINDS:
        kind = "said"
    time = seconds(value.get("time", value.get("timestamp")))
    told.append(Message(role, tuple(content), kind, time, string(value.get("id")), name, line))
    return told


def _as_memory(content: list[Part], key: str | None, name: str, rule: str) -> list[Part]:
    """The content of a message that is a memory: its texts as one memory, byte for byte; the rest beside it."""
    text = joined(p.text for p in content if isinstance(p, Text | Memory))
    key = key if key is not None else (slug(name, 80) and name) or made_up_key(text)
    return [Memory(key, text, rule), *(p for p in content if isinstance(p, Opaque))]


def _tool_result(value: Mapping[str, Any], content: list[Part]) -> ToolResult:
    """Takes the first text out of `content` and makes it the tool's answer."""
    text = ""
    if content and isinstance(content[0], Text):
        text = content.pop(0).text  # type: ignore[union-attr]
    code = value.get("exit_code")
    if "exit_code" not in value and tells_code(text):
        answer = json_object(text) or {}
        code = answer.get("exit_code", answer.get("returncode"))
    return ToolResult(
        string(value.get("tool_call_id")), text, value.get("is_error") is True, code if type(code) is int else None
    )


FORMAT = Format("openai", "native form and OpenAI chat messages", sniff, conversations)
