"""Anthropic messages: `{system, messages: [{role, content}]}` with content a string or a list of blocks.

A document, a list of them, or one a line; also bare messages, where their blocks show whose they are. Tool results,
which that API puts into user messages, become tool messages. `memory_key` works as in the native form, on a message and
on a text block, in `system` too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from memscope.conversation.formats._anthropic import messages_of
from memscope.conversation.formats._content import compact, entries, mappings, parts, seconds, string, title_of
from memscope.conversation.formats.openai import read_message
from memscope.conversation.model import Message, Skipped, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Format, Item, No, Record, Yes, merge_assistant, outcome_facts


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if _is_message(raw.head[0]):  # a message a line
        return _by_blocks([m for m in raw.head if _is_message(m)])
    found = _conversations(raw.head[0])
    if not found:
        return No('it has no "messages" with a chat "role"')
    if "system" in found[0]:
        return Yes(0.6)
    return _by_blocks([m for conversation in found for m in conversation["messages"]])


def _by_blocks(messages: list[Any]) -> Yes | No:
    """Without a `system` beside the messages, only tool blocks tell this API from OpenAI's."""
    blocks = (b for m in messages if isinstance(m, dict) for b in entries(m.get("content")))
    if any(isinstance(b, dict) and b.get("type") in ("tool_use", "tool_result") for b in blocks):
        return Yes(0.6)
    return No('there is neither "system" beside the messages nor a tool_use or tool_result block in them')


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    if raw.head and _is_message(raw.head[0]):  # a message a line
        yield Item(merge_assistant(_lines(raw)))
        return
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
            continue
        found = _conversations(value.json)
        if not found:
            yield Skipped(value.line, 'the object has no "messages"')
        for one in found:
            yield Item(merge_assistant(_conversation(one, value.line)), title_of(one, "title"))


def _lines(raw: Raw) -> Iterator[Record]:
    for value in raw.values():
        yield from [value] if isinstance(value, Skipped) else _message(value.json, value.line)


def _conversations(value: Any) -> list[Mapping[str, Any]]:
    """The conversations in one JSON value: itself, each entry of a list of them, or a bare list of messages."""
    if isinstance(value, dict):
        return [value] if isinstance(value.get("messages"), list) else []
    listed = entries(value)
    if listed and _is_message(listed[0]):
        return [{"messages": listed}]
    return [e for e in mappings(listed) if isinstance(e.get("messages"), list)]


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str) and "content" in value


def _conversation(top: Mapping[str, Any], line: int) -> Iterator[Record]:
    if isinstance(top.get("title"), str):
        yield Fact("title", top["title"], line)
    if isinstance(top.get("model"), str):
        yield Fact("model", top["model"], line)
    for tool in entries(top.get("tools")):
        yield Fact("tool", compact(tool), line)
    if top.get("system"):
        yield Message("system", tuple(parts(top["system"])), line=line)
    for message in top["messages"]:
        yield from _message(message, line)


def _message(value: Any, line: int) -> Iterator[Record]:
    """One message, as the messages it stands for. What only the native form and OpenAI have is read as theirs."""
    if not _is_message(value) or _is_openai(value):
        yield from read_message(value, line)
        return
    time = seconds(value.get("time", value.get("timestamp")))
    for message in messages_of(value["role"], value["content"], line=line, time=time, id=string(value.get("id"))):
        for result in message.parts:
            if isinstance(result, ToolResult):
                yield from outcome_facts(result, line)
        yield message


def _is_openai(value: Mapping[str, Any]) -> bool:
    named = (value["role"], string(value.get("name")))
    special = any(name.startswith("memory") for name in named) or value["role"] in ("tool", "function")
    return special or not value.keys().isdisjoint(("memory_key", "tool_calls", "function_call"))


FORMAT = Format("anthropic", "Anthropic messages", sniff, conversations)
