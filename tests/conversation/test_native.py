"""Any conversation, written in the native form and read back, is the same conversation."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from memscope.base.text import json_text
from memscope.conversation.formats._content import compact
from memscope.conversation.load import load
from memscope.conversation.model import (
    Conversation,
    Kind,
    Memory,
    Message,
    Opaque,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from memscope.conversation.native import native, sha256

WORDS = st.text(max_size=12)
NAMES = st.text(max_size=8).filter(lambda name: not name.startswith("memory"))
JSON = st.recursive(st.none() | st.booleans() | st.integers() | WORDS, lambda inner: st.lists(inner, max_size=2))

texts = st.builds(Text, WORDS)
memories = st.builds(Memory, WORDS, WORDS, st.sampled_from(["explicit", "fenced"]))
thinking = st.builds(Thinking, WORDS)
calls = st.builds(ToolCall, WORDS, WORDS, WORDS)
answers = WORDS | st.sampled_from(['{"exit_code": 3}', '{"returncode": 0, "output": ""}'])
results = st.builds(ToolResult, WORDS, answers, st.booleans(), st.sampled_from([None, 0, 1, 124]))
opaques = st.builds(
    lambda kind, more: Opaque(kind, compact({"type": kind, "data": more})), st.sampled_from(["image", "document"]), JSON
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A message as formats make them: results first in tool messages only, no memory within a response."""
    role = draw(st.sampled_from(["system", "developer", "user", "assistant", "tool"]))
    within: st.SearchStrategy[Part] = texts | thinking | opaques | calls
    parts: list[Part] = draw(st.lists(within if role == "assistant" else within | memories, max_size=4))
    if role == "tool":
        parts.insert(0, draw(results))
    elif draw(st.booleans()):
        parts = list(draw(st.lists(memories, min_size=1, max_size=2)))
    time = draw(st.none() | st.floats(0, 1e11, allow_nan=False))
    return Message(role, tuple(parts), draw(st.sampled_from(get_args(Kind))), time, draw(WORDS), draw(NAMES))


def there_and_back(conversation: Conversation, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(text, encoding="utf-8")
        again = load(path)
    assert [_without_line(m) for m in again.messages] == list(conversation.messages)
    assert again.tools == conversation.tools
    assert again.skipped == ()
    assert sha256(again) == sha256(conversation)


def _without_line(message: Message) -> Message:
    return Message(message.role, message.parts, message.kind, message.time, message.id, message.name)


@given(
    st.lists(messages(), min_size=1, max_size=4),
    st.lists(JSON.map(lambda v: compact({"name": v})), max_size=2),
    st.booleans(),
)
def test_there_and_back(told: list[Message], tools: list[str], printed: bool) -> None:
    conversation = Conversation(tuple(told), tuple(tools))
    form = native(conversation)
    there_and_back(conversation, json_text(form) if printed else json.dumps(form))


@given(st.lists(messages(), min_size=1, max_size=3), messages())
def test_the_hash_tells_conversations_apart(told: list[Message], more: Message) -> None:
    one = Conversation(tuple(told))
    assert sha256(one) != sha256(Conversation((*told, more)))
    assert sha256(one) == sha256(Conversation(tuple(told), title="another title"))


def test_characters_that_are_hard_to_write() -> None:
    hostile = "a\x00\x1b[31m\u202e\ud83d\ufeff\r\n\u2028�"
    message = Message("user", (Text(hostile), Memory(hostile, hostile), Text("end")))
    conversation = Conversation((message,))
    there_and_back(conversation, json_text(native(conversation)))


def test_the_form() -> None:
    conversation = Conversation(
        (
            Message("system", (Text("S"), Memory("k", "M", "fenced"))),
            Message("user", (Memory("whole", "W"),)),
            Message("assistant", (ToolCall("c", "ls", "{}"),), time=3.0),
            Message("tool", (ToolResult("c", "no", True, 2),)),
            Message("user", (Text("go on"),), "synthetic", name="hook"),
        ),
        ('{"name":"ls"}',),
        title="T",
    )
    assert native(conversation) == {
        "title": "T",
        "tools": [{"name": "ls"}],
        "messages": [
            {
                "role": "system",
                "content": [
                    {"type": "text", "text": "S\n"},
                    {"type": "text", "text": "M", "memory_key": "k", "memory_rule": "fenced"},
                ],
            },
            {"role": "user", "memory_key": "whole", "content": "W"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "ls", "arguments": "{}"}}],
                "time": 3.0,
            },
            {"role": "tool", "tool_call_id": "c", "is_error": True, "exit_code": 2, "content": "no"},
            {"role": "user", "name": "hook", "content": "go on", "kind": "synthetic"},
        ],
    }
