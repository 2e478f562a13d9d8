"""The native form and OpenAI chat messages, in every form that is accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.conversation.formats.openai import FORMAT, read_message
from memscope.conversation.load import load
from memscope.conversation.model import (
    Conversation,
    Memory,
    Message,
    Opaque,
    Skipped,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Yes
from tests.conversation.formats._lines import told

MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "You are ..."},
    {"role": "user", "memory_key": "prefers-tabs", "content": "The user indents with tabs."},
    {"role": "user", "content": "Format this file."},
    {"role": "assistant", "content": "Done."},
]


def loaded(tmp_path: Path, value: Any, item: int = 0) -> Conversation:
    path = tmp_path / "a.json"
    text = value if isinstance(value, str) else json.dumps(value)
    path.write_text(text, encoding="utf-8")
    return load(path, item=item)


def one(tmp_path: Path, message: dict[str, Any]) -> Message:
    return loaded(tmp_path, [message, {"role": "user", "content": "."}]).messages[0]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"messages": MESSAGES}),
        json.dumps({"messages": MESSAGES}, indent=2),
        json.dumps(MESSAGES),
        "\n".join(json.dumps(m) for m in MESSAGES),
        json.dumps({"messages": MESSAGES}) + "\n" + json.dumps({"messages": MESSAGES[:1]}),
        json.dumps(MESSAGES) + "\n" + json.dumps(MESSAGES[:1]),
    ],
    ids=["document", "pretty", "bare list", "a message a line", "a conversation a line", "a list a line"],
)
def test_the_containers(tmp_path: Path, text: str) -> None:
    messages = loaded(tmp_path, text).messages
    assert [(m.role, m.parts) for m in messages] == [
        ("system", (Text("You are ..."),)),
        ("user", (Memory("prefers-tabs", "The user indents with tabs."),)),
        ("user", (Text("Format this file."),)),
        ("assistant", (Text("Done."),)),
    ]


def test_lines_are_kept(tmp_path: Path) -> None:
    messages = loaded(tmp_path, "\n".join(json.dumps(m) for m in MESSAGES)).messages
    assert [m.line for m in messages] == [1, 2, 3, 4]


def test_a_memory_inside_a_message(tmp_path: Path) -> None:
    content = [
        {"type": "text", "text": "Before."},
        {"type": "text", "text": "Tabs.", "memory_key": "tabs"},
        {"type": "text", "text": "After."},
    ]
    message = one(tmp_path, {"role": "system", "content": content})
    assert message.parts == (Text("Before.\n"), Memory("tabs", "Tabs.\n"), Text("After."))


def test_listed_memories_go_behind_the_system_text(tmp_path: Path) -> None:
    memories = [{"key": "a", "text": "A"}, {"text": "B b"}, "C c", {"no": "text"}]
    conversation = loaded(tmp_path, {"messages": MESSAGES[:1] + MESSAGES[2:], "memories": memories})
    assert conversation.messages[0].text == "You are ...\nA\nB b\nC c"
    keys = [m.key for m in conversation.memories]
    assert keys[0] == "a"
    assert keys[1].startswith("b-b-")
    assert keys[2].startswith("c-c-")


def test_listed_memories_make_a_system_message_where_there_is_none(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, {"messages": MESSAGES[2:], "memories": [{"key": "a", "text": "A"}]})
    assert conversation.messages[0] == Message("system", (Memory("a", "A"),), line=1)


def test_content_as_a_list_of_texts(tmp_path: Path) -> None:
    assert one(tmp_path, {"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}).text == "a\nb"


def test_images_stay_unread(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,REDACTED"}}
    (part,) = one(tmp_path, {"role": "user", "content": [image]}).parts
    assert isinstance(part, Opaque)
    assert (part.kind, json.loads(part.data)) == ("image_url", image)


def test_tool_calls_and_their_results(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": '{"path": "."}'}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "a.txt", "exit_code": 1, "is_error": True},
    ]
    said, answered = loaded(tmp_path, {"messages": messages}).messages
    assert said.parts == (ToolCall("c1", "ls", '{"path": "."}'),)
    assert answered.parts == (ToolResult("c1", "a.txt", True, 1),)
    facts = [r for r in told(tmp_path / "a.json", "openai") if isinstance(r, Fact)]
    assert facts == [Fact("exit_code", "1", 1), Fact("error", "a.txt", 1)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{"exit_code": 1, "output": "bad"}', 1),
        (' {"returncode": 2}', 2),
        ('{"exit_code": 0, "returncode": 2}', 0),
        ('{"inner": {"exit_code": 1}}', None),
        ('{"exit_code": true}', None),
        ('he said "exit_code": 1', None),
    ],
)
def test_a_result_in_json_tells_its_exit_code(content: str, code: int | None) -> None:
    (*facts, message) = read_message({"role": "tool", "tool_call_id": "c", "content": content}, 1)
    assert isinstance(message, Message)
    assert message.parts == (ToolResult("c", content, exit_code=code),)
    assert facts == ([Fact("exit_code", str(code), 1)] if code else [])


def test_the_older_function_call(tmp_path: Path) -> None:
    message = {"role": "assistant", "content": None, "function_call": {"name": "ls", "arguments": {"path": "."}}}
    assert one(tmp_path, message).calls == (ToolCall("", "ls", '{"path":"."}'),)
    answer = one(tmp_path, {"role": "function", "name": "ls", "content": "a.txt"})
    assert (answer.role, answer.parts) == ("tool", (ToolResult("", "a.txt"),))


def test_reasoning_is_thinking(tmp_path: Path) -> None:
    message = one(tmp_path, {"role": "assistant", "content": "4", "reasoning_content": "2+2"})
    assert message.parts == (Thinking("2+2"), Text("4"))


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ({"role": "memory", "name": "tabs", "content": "Use tabs."}, "tabs"),
        ({"role": "system", "name": "memory_tabs", "content": "Use tabs."}, "memory_tabs"),
        ({"role": "assistant", "memory_key": "tabs", "content": "Use tabs."}, "tabs"),
    ],
)
def test_a_message_that_is_a_memory(tmp_path: Path, message: dict[str, Any], key: str) -> None:
    read = one(tmp_path, message)
    assert read.parts == (Memory(key, "Use tabs."),)
    assert read.is_memory
    assert not read.is_response


def test_the_name_of_a_memory_tool_makes_no_memory(tmp_path: Path) -> None:
    message = one(tmp_path, {"role": "tool", "name": "memory_search", "tool_call_id": "c", "content": "found"})
    assert message.parts == (ToolResult("c", "found"),)


def test_a_memory_inside_a_response_is_its_text(tmp_path: Path) -> None:
    content = [{"type": "text", "text": "I know: "}, {"type": "text", "text": "tabs", "memory_key": "k"}]
    conversation = loaded(tmp_path, [{"role": "assistant", "content": content}])
    assert conversation.messages[0].parts == (Text("I know: \n"), Text("tabs"))
    assert conversation.memories == ()
    assert [s.line for s in conversation.skipped] == [1]


def test_what_the_native_form_adds(tmp_path: Path) -> None:
    message = {"role": "user", "content": "x", "kind": "summary", "time": 12.5, "id": "m1", "name": "ann"}
    read = one(tmp_path, message)
    assert read == Message("user", (Text("x"),), "summary", 12.5, "m1", "ann", 1)
    assert one(tmp_path, {"role": "user", "content": "x", "kind": "shouted"}).kind == "said"


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 10**400, True, "yesterday", [1]])
def test_a_time_that_is_none(tmp_path: Path, time: object) -> None:
    assert one(tmp_path, {"role": "user", "content": "x", "time": time}).time is None


def test_tools_and_title(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, {"messages": MESSAGES, "tools": [{"type": "function"}], "title": "T"})
    assert (conversation.tools, conversation.title) == (('{"type":"function"}',), "T")


def test_an_entry_that_is_no_message_is_named(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, {"messages": [*MESSAGES, 5, {"content": "no role"}]})
    assert len(conversation.messages) == len(MESSAGES)
    assert conversation.skipped == (Skipped(1, "the entry is no chat message"),) * 2


@pytest.mark.parametrize(
    ("value", "strength"),
    [
        ({"messages": MESSAGES}, 0.5),
        ({"messages": []}, 0.4),
        ({"messages": [*MESSAGES, {"type": "odd"}]}, 0.3),
        ({"messages": [{"type": "odd"}]}, None),
        ({"role": "user"}, None),
        ([], None),
        ([1, 2], None),
        ("text", None),
    ],
)
def test_how_strongly_a_file_is_claimed(tmp_path: Path, value: Any, strength: float | None) -> None:
    (tmp_path / "a.json").write_text(json.dumps(value))
    claim = FORMAT.sniff(Raw(tmp_path / "a.json"))
    assert (claim.strength if isinstance(claim, Yes) else None) == strength


SHARED = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared sample files are not here")
def test_real_files() -> None:
    toy = load(SHARED / "openai-chat" / "toy_chat_fine_tuning.jsonl", item=4)
    assert toy.items == 5
    mini = load(SHARED / "mini-swe-agent" / "github_issue.traj.json")
    assert (len(mini.messages), len(mini.responses)) == (22, 10)
    planted = load(SHARED / "planted" / "p0.json")
    assert (len(planted.messages), len(planted.responses)) == (75, 30)
