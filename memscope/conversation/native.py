"""The native form: any conversation as OpenAI chat messages with `memory_key`, without loss.

What `formats/openai.py` reads back is equal message for message, but for line numbers, which belong to the source.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from memscope.conversation.model import (
    Conversation,
    Memory,
    Message,
    Opaque,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)


def native(conversation: Conversation) -> dict[str, Any]:
    """The conversation as the document that `memscope convert --to native` prints."""
    document: dict[str, Any] = {}
    if conversation.title:
        document["title"] = conversation.title
    if conversation.tools:
        document["tools"] = [_parsed(tool) for tool in conversation.tools]
    document["messages"] = [_message(message) for message in conversation.messages]
    return document


def sha256(conversation: Conversation) -> str:
    """SHA-256, as hex, of the conversation's native form: messages and tools, not the title."""
    form = native(conversation)
    form.pop("title", None)
    text = json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _message(message: Message) -> dict[str, Any]:
    result = next((p for p in message.parts if isinstance(p, ToolResult)), None)
    fields = {
        "role": message.role,
        "name": message.name or None,
        "tool_call_id": result and result.call_id,
        "is_error": (result and result.is_error) or None,
        "exit_code": result and result.exit_code,
        **_content(message),
        "tool_calls": [_call(call) for call in message.calls] or None,
        "kind": None if message.kind == "said" else message.kind,
        "time": message.time,
        "id": message.id or None,
    }
    meant = {"content", "exit_code"} if result and tells_code(result.text) else {"content"}  # null too
    return {name: value for name, value in fields.items() if value is not None or name in meant}


def tells_code(text: str) -> bool:
    """Whether the JSON of a tool's answer may tell an exit code, which a message without one is read by."""
    return '"exit_code"' in text or '"returncode"' in text


def _content(message: Message) -> dict[str, Any]:
    match [p for p in message.parts if not isinstance(p, ToolCall)]:
        case []:
            return {"content": None if message.calls else ""}
        case [Memory(key, text, rule)] if message.is_memory:
            return {"memory_key": key, "memory_rule": None if rule == "explicit" else rule, "content": text}
        case [Text(text)] | [ToolResult(_, text)]:
            return {"content": text}
        case parts:
            return {"content": [_block(part) for part in parts]}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _block(part: Part) -> Any:
    match part:
        case Text(text) | ToolResult(_, text):
            return {"type": "text", "text": text}
        case Memory(key, text, rule):
            block = {"type": "text", "text": text, "memory_key": key}
            return block if rule == "explicit" else block | {"memory_rule": rule}
        case Thinking(text):
            return {"type": "thinking", "thinking": text}
        case Opaque(_, data):
            return _parsed(data)
        case ToolCall():
            raise AssertionError("tool calls stand beside the content")
