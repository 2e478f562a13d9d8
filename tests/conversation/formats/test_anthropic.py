"""Anthropic messages: what is theirs, and how their blocks become messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.conversation.formats import recognise
from memscope.conversation.load import load
from memscope.conversation.model import (
    Conversation,
    Memory,
    Message,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact
from tests.conversation.formats._lines import told

ASK = {"role": "user", "content": "List the files."}
CALL = {
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "I should look.", "signature": "xyz"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "ls", "input": {"path": "."}},
    ],
}
RESULT = {
    "role": "user",
    "content": [
        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "denied"}], "is_error": True},
        {"type": "text", "text": "Try again."},
    ],
}
END = {"role": "assistant", "content": "There is nothing."}
DOCUMENT = {"system": "You help.", "messages": [ASK, CALL, RESULT, END]}


def path_of(tmp_path: Path, *values: Any) -> Path:
    path = tmp_path / "a.json"
    path.write_text("\n".join(json.dumps(v) for v in values), encoding="utf-8")
    return path


def loaded(tmp_path: Path, *values: Any, item: int = 0) -> Conversation:
    return load(path_of(tmp_path, *values), item=item)


def test_blocks_become_messages(tmp_path: Path) -> None:
    assert loaded(tmp_path, DOCUMENT).messages == (
        Message("system", (Text("You help."),), line=1),
        Message("user", (Text("List the files."),), line=1),
        Message(
            "assistant",
            (Thinking("I should look."), Text("I look."), ToolCall("t1", "ls", '{"path":"."}')),
            line=1,
        ),
        Message("tool", (ToolResult("t1", "denied", is_error=True),), line=1),
        Message("user", (Text("Try again."),), line=1),
        Message("assistant", (Text("There is nothing."),), line=1),
    )


def test_a_failed_tool_is_a_fact(tmp_path: Path) -> None:
    facts = [r for r in told(path_of(tmp_path, DOCUMENT), "anthropic") if isinstance(r, Fact)]
    assert facts == [Fact("error", "denied", 1)]


@pytest.mark.parametrize(
    "values",
    [[DOCUMENT, DOCUMENT], [[DOCUMENT, DOCUMENT]], [[DOCUMENT], DOCUMENT]],
    ids=["one a line", "a list", "mixed"],
)
def test_several_conversations(tmp_path: Path, values: list[Any]) -> None:
    conversation = loaded(tmp_path, *values, item=1)
    assert (conversation.items, len(conversation.messages)) == (2, 6)
    assert conversation.title == "List the files."


@pytest.mark.parametrize("values", [[ASK, CALL, RESULT, END], [[ASK, CALL, RESULT, END]]], ids=["lines", "bare list"])
def test_messages_without_a_document(tmp_path: Path, values: list[Any]) -> None:
    conversation = loaded(tmp_path, *values)
    assert [m.role for m in conversation.messages] == ["user", "assistant", "tool", "user", "assistant"]
    assert conversation.source is not None
    assert conversation.source.format == "anthropic"


def test_memory_keys(tmp_path: Path) -> None:
    system = [{"type": "text", "text": "S"}, {"type": "text", "text": "tabs", "memory_key": "tabs"}]
    messages = [
        {"role": "user", "content": "Tests run in CI.", "memory_key": "ci"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "go", "memory_key": "go"}, {"type": "text", "text": "?"}],
        },
        END,
    ]
    conversation = loaded(tmp_path, {"system": system, "messages": messages})
    assert conversation.messages[0].parts == (Text("S\n"), Memory("tabs", "tabs"))
    assert conversation.messages[1].is_memory
    assert conversation.messages[2].parts == (Memory("go", "go\n"), Text("?"))
    assert [m.key for m in conversation.memories] == ["tabs", "ci", "go"]


def test_no_response_is_made_of_memories(tmp_path: Path) -> None:
    content = [{"type": "text", "text": "tabs", "memory_key": "k"}, {"type": "text", "text": "!"}]
    conversation = loaded(tmp_path, {"system": "S", "messages": [{"role": "assistant", "content": content}]})
    assert conversation.memories == ()
    assert conversation.messages[1].text == "tabs\n!"
    assert len(conversation.skipped) == 1


def test_assistant_messages_that_follow_each_other_are_one(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, {"system": "S", "messages": [ASK, CALL, END, ASK, END]})
    assert [m.role for m in conversation.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert conversation.messages[2].text == "I look.\nThere is nothing."


def test_tools_model_and_images(tmp_path: Path) -> None:
    image = {"type": "image", "source": {"type": "base64", "data": "@@broken@@"}}
    top = {"model": "m", "system": "S", "tools": [{"name": "ls"}], "messages": [{"role": "user", "content": [image]}]}
    conversation = loaded(tmp_path, top)
    assert conversation.tools == ('{"name":"ls"}',)
    (part,) = conversation.messages[1].parts
    assert isinstance(part, Opaque)
    assert json.loads(part.data) == image


def test_calls_in_the_other_api_s_form_are_not_lost(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "ls", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "a.txt"},
    ]
    conversation = loaded(tmp_path, {"system": "S", "messages": messages})
    assert conversation.messages[1].calls == (ToolCall("c", "ls", "{}"),)
    assert conversation.messages[2].parts == (ToolResult("c", "a.txt"),)


@pytest.mark.parametrize(
    ("value", "winner"),
    [
        (DOCUMENT, "anthropic"),
        ({"system": "S", "messages": [ASK]}, "anthropic"),
        ({"system": [], "messages": []}, "anthropic"),
        ({"messages": [ASK, CALL]}, "anthropic"),
        ({"messages": [RESULT]}, "anthropic"),
        ({"messages": [ASK, END]}, "openai"),
        ({"messages": [{"role": "system", "content": "S"}, ASK]}, "openai"),
        ([ASK, {"role": "user", "content": [{"type": "text", "text": "tool_use"}]}], "openai"),
    ],
)
def test_it_wins_over_openai_exactly_when_it_is_anthropic(tmp_path: Path, value: Any, winner: str) -> None:
    assert recognise(Raw(path_of(tmp_path, value))).name == winner
