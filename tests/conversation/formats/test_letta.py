"""Letta agent files of both versions: blocks as memories, windows, events and results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Memory, Message, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.records import Fact
from tests.conversation.formats._lines import told

INSTRUCTIONS = "<base_instructions>\n<memory>\nYou have a memory.\n</memory>\n</base_instructions>\n\n"


def compiled(label: str, value: str) -> str:
    return (
        f"<{label}>\n<description>\nAbout {label}.\n</description>\n<metadata>\n- chars_current=1\n</metadata>\n"
        f"<value>\n{value}\n</value>\n</{label}>\n\n"
    )


def system(*blocks: tuple[str, str], **more: Any) -> dict[str, Any]:
    text = INSTRUCTIONS + "<memory_blocks>\nThe following memory blocks are currently engaged:\n\n"
    text += "".join(compiled(*b) for b in blocks) + "</memory_blocks>\n\n<memory_metadata>\n</memory_metadata>"
    return row("system", text, id="message-0", **more)


def row(role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}], **more}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return row("user", json.dumps({"type": kind, **fields, "time": "2025-03-31 08:47:27 PM PDT-0700"}))


def agent(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "sam", "messages": list(messages), "block_ids": [], "tool_ids": [], **more}


def v2(*agents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"agents": list(agents), "blocks": [], "tools": [], **more}


def path_of(tmp_path: Path, value: Any) -> Path:
    (tmp_path / "a.af").write_text(json.dumps(value), encoding="utf-8")
    return tmp_path / "a.af"


def loaded(tmp_path: Path, value: Any, **choice: Any) -> Conversation:
    conversation = load(path_of(tmp_path, value), **choice)
    assert conversation.source is not None
    assert conversation.source.format == "letta"
    return conversation


def one(tmp_path: Path, message: dict[str, Any]) -> Message:
    return loaded(tmp_path, v2(agent(system(), message))).messages[1]


def test_blocks_are_memories_at_their_place(tmp_path: Path) -> None:
    message = system(("human", "\nName: Chad\nAge: ?\n"), ("persona", "I am Sam."))
    (first,) = loaded(tmp_path, v2(agent(message))).messages
    assert first.memories == (
        Memory("human", "\nName: Chad\nAge: ?\n\n", "structured"),
        Memory("persona", "I am Sam.\n", "structured"),
    )
    assert first.text == message["content"][0]["text"]  # not a character more or less
    before = first.parts[0]
    assert isinstance(before, Text)
    assert before.text.endswith("</metadata>\n<value>\n")


def test_numbered_values_leave_the_note_outside(tmp_path: Path) -> None:
    note = "# NOTE: Line numbers shown below are to help during editing.\n"
    (first,) = loaded(tmp_path, v2(agent(system(("human", note + "Line 1: Name: Chad\nLine 2: Age: ?"))))).messages
    assert first.memories == (Memory("human", "Line 1: Name: Chad\nLine 2: Age: ?\n", "structured"),)
    (empty,) = loaded(tmp_path, v2(agent(system(("human", note.rstrip()))))).messages
    assert empty.memories == ()


def test_a_value_may_hold_tags(tmp_path: Path) -> None:
    value = "<value>\n</value>\n<human>\nx\n</human>"
    (first,) = loaded(tmp_path, v2(agent(system(("human", value), ("persona", "P"))))).messages
    assert [(m.key, m.text) for m in first.memories] == [("human", value + "\n"), ("persona", "P\n")]


@pytest.mark.parametrize("start", ["<memory_blocks>\n", "Core memory shown below:\n"])
@pytest.mark.parametrize(
    "line", ["<a>\n<description>\n<value>\n", '<a characters="1/2">\n', "<value>\n</value>\n</a>\n"]
)
def test_a_system_message_full_of_open_blocks_takes_no_time(tmp_path: Path, start: str, line: str) -> None:
    text = start + line * 20_000
    (first,) = loaded(tmp_path, v2(agent(row("system", text)))).messages
    assert first.parts == (Text(text),)


def test_the_instructions_about_memory_are_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, v2(agent(system()))).memories == ()


def test_blocks_that_were_not_compiled_come_behind_the_system_text(tmp_path: Path) -> None:
    blocks = [{"id": f"b{i}", "label": label, "value": value} for i, (label, value) in enumerate(BLOCKS)]
    top = v2(agent(row("system", "Be kind."), block_ids=["b1", "b0", "b2"]), blocks=blocks)
    (first,) = loaded(tmp_path, top).messages
    assert first.parts == (
        Text("Be kind.\n"),
        Memory("persona", "I am Sam.\n", "structured"),
        Memory("human", "Chad", "structured"),
    )


BLOCKS = [("human", "Chad"), ("persona", "I am Sam."), ("empty", ""), ("another agent's", "x")]


def test_a_block_that_changed_since_is_as_the_model_saw_it(tmp_path: Path) -> None:
    blocks = [{"id": "b", "label": "human", "value": "Name: Chad, now in Berlin"}]
    top = v2(agent(system(("human", "Name: Chad")), block_ids=["b"]), blocks=blocks)
    assert [m.texts for m in loaded(tmp_path, top).memories] == [("Name: Chad\n",)]


def test_a_block_whose_value_is_in_the_text_is_found_there(tmp_path: Path) -> None:
    blocks = [{"id": "b", "label": "human", "value": "Chad\n"}]
    (first,) = loaded(tmp_path, v2(agent(row("system", "About:\nChad\nEnd."), block_ids=["b"]), blocks=blocks)).messages
    assert first.parts == (Text("About:\n"), Memory("human", "Chad\n", "structured"), Text("End."))


def test_an_agent_that_never_spoke_has_its_instructions(tmp_path: Path) -> None:
    (first,) = loaded(tmp_path, v2(agent(system="Be kind."))).messages
    assert (first.role, first.text) == ("system", "Be kind.")


def test_the_older_version(tmp_path: Path) -> None:
    text = 'Go.\nCore memory shown below (limited):\n<persona characters="9/5000">\nI am Sam.\n</persona>\n<human'
    text += ' characters="4/5000">\nChad\n</human>'
    top = {
        "name": "sam",
        "core_memory": [{"label": "persona", "value": "I am Sam."}, {"label": "task", "value": "Research."}],
        "messages": [row("system", text), event("user_message", message="Hi")],
        "in_context_message_indices": [0, 1],
        "tools": [{"name": "t", "json_schema": {"name": "send_message"}}],
        "system": "Go.",
    }
    conversation = loaded(tmp_path, top)
    assert [(m.key, m.texts) for m in conversation.memories] == [
        ("persona", ("I am Sam.\n",)),
        ("human", ("Chad\n",)),
        ("task", ("Research.",)),
    ]
    assert (conversation.windows, conversation.tools) == (1, ('{"name":"send_message"}',))


def test_an_item_for_each_agent(tmp_path: Path) -> None:
    top = v2(agent(system(), name="first"), agent(system(), row("user", "hi"), name="second"))
    conversation = loaded(tmp_path, top, item=1)
    assert (conversation.items, conversation.title, len(conversation.messages)) == (2, "second", 2)


def conversation_of_four(**more: Any) -> dict[str, Any]:
    said = [row(r, f"{i}", id=f"message-{i}") for i, r in enumerate(["user", "assistant", "user", "assistant"], 1)]
    return v2(agent(system(), *said, **more))


def texts(conversation: Conversation) -> list[str]:
    assert conversation.messages[0].role == "system"
    return [m.text for m in conversation.messages[1:]]


def test_what_scrolled_out_of_the_context_is_the_window_before(tmp_path: Path) -> None:
    top = conversation_of_four(in_context_message_ids=["message-0", "message-3", "message-4"])
    assert texts(loaded(tmp_path, top, window=0)) == ["1", "2"]
    assert texts(loaded(tmp_path, top)) == ["3", "4"]
    assert loaded(tmp_path, top).windows == 2


def test_the_context_has_its_own_order(tmp_path: Path) -> None:
    ids = ["message-0", "message-3", "message-4", "message-1", "message-2"]
    assert texts(loaded(tmp_path, conversation_of_four(in_context_message_ids=ids))) == ["3", "4", "1", "2"]


@pytest.mark.parametrize("ids", [None, [], [f"message-{i}" for i in range(5)]])
def test_one_window_where_all_is_in_the_context(tmp_path: Path, ids: list[str] | None) -> None:
    conversation = loaded(tmp_path, conversation_of_four(in_context_message_ids=ids))
    assert (texts(conversation), conversation.windows) == (["1", "2", "3", "4"], 1)


def test_what_the_context_names_in_vain(tmp_path: Path) -> None:
    conversation = loaded(
        tmp_path, conversation_of_four(in_context_message_ids=["message-0", "message-9", "message-4"])
    )
    assert texts(conversation) == ["4"]
    assert conversation.skipped == (Skipped(1, "a message is in the context but not in the file, 'message-9'"),)


def test_an_earlier_system_message_is_no_second_one(tmp_path: Path) -> None:
    top = v2(
        agent(row("system", "old", id="a"), row("user", "1", id="b"), system(), in_context_message_ids=["message-0"])
    )
    for window in (0, None):
        assert "old" not in texts(loaded(tmp_path, top, window=window))
    assert [s.reason for s in loaded(tmp_path, top).skipped] == ["an earlier state of the system message"]


@pytest.mark.parametrize(
    ("message", "text", "kind"),
    [
        (event("user_message", message="Hi\nthere"), "Hi\nthere", "said"),
        (row("user", "Hi"), "Hi", "said"),
        (row("user", '{"no": "event"}'), '{"no": "event"}', "said"),
        (row("user", "[1]"), "[1]", "said"),
        (event("system_alert", message="Low on space"), "Low on space", "synthetic"),
        (
            event(
                "system_alert",
                message="prior messages (3) have been hidden from view due to conversation memory constraints.\nS",
            ),
            "prior messages (3) have been hidden from view due to conversation memory constraints.\nS",
            "summary",
        ),
    ],
)
def test_user_rows_are_events(tmp_path: Path, message: dict[str, Any], text: str, kind: str) -> None:
    read = one(tmp_path, message)
    assert (read.role, read.text, read.kind) == ("user", text, kind)


def test_an_event_without_a_message_keeps_its_json(tmp_path: Path) -> None:
    read = one(tmp_path, event("login", last_login="Never"))
    assert read.kind == "synthetic"
    assert json.loads(read.text)["last_login"] == "Never"


@pytest.mark.parametrize(
    ("text", "is_error"),
    [
        ('{"status": "OK", "message": "Sent."}', False),
        ('{"status": "Failed", "message": "No."}', True),
        ('{"message": "?"}', False),
        ("plain", False),
    ],
)
def test_tool_returns(tmp_path: Path, text: str, is_error: bool) -> None:
    read = one(tmp_path, row("tool", text, tool_call_id="c1"))
    assert read.parts == (ToolResult("c1", text, is_error),)
    errors = [r for r in told(tmp_path / "a.af", "letta") if isinstance(r, Fact) and r.kind == "error"]
    assert len(errors) == is_error


def test_several_returns_in_one_message(tmp_path: Path) -> None:
    returns = [
        {"tool_call_id": "c1", "status": "success", "func_response": "a"},
        {"tool_call_id": "c2", "status": "error", "func_response": "b"},
    ]
    conversation = loaded(tmp_path, v2(agent(system(), {"role": "tool", "content": [], "tool_returns": returns})))
    assert [m.parts for m in conversation.messages[1:]] == [
        (ToolResult("c1", "a"),),
        (ToolResult("c2", "b", is_error=True),),
    ]


def test_an_answer_through_send_message_stays_a_call(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "send_message", "arguments": '{"message": "Hi"}'}}
    read = one(tmp_path, row("assistant", "User said hi.", tool_calls=[call]))
    assert read.parts == (Text("User said hi."), ToolCall("c", "send_message", '{"message": "Hi"}'))
    assert read.is_response


def test_blocks_that_only_letta_writes(tmp_path: Path) -> None:
    content = [
        {"type": "reasoning", "reasoning": "Hm."},
        {"type": "tool_call", "id": "c", "name": "ls", "input": {"path": "."}},
    ]
    assert one(tmp_path, {"role": "assistant", "content": content}).parts == (
        Thinking("Hm."),
        ToolCall("c", "ls", '{"path":"."}'),
    )


def test_approvals(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "rm", "arguments": "{}"}}
    rows = [{"role": "approval", "content": None, "tool_calls": [call]}, {"role": "approval", "approve": True}]
    conversation = loaded(tmp_path, v2(agent(system(), *rows)))
    assert [m.role for m in conversation.messages] == ["system", "assistant"]
    assert [s.reason for s in conversation.skipped] == ["a person's approval of a tool call"]


def test_tools_are_those_of_the_agent(tmp_path: Path) -> None:
    tools = [{"id": f"t{i}", "json_schema": {"name": f"tool {i}"}} for i in range(3)]
    conversation = loaded(tmp_path, v2(agent(system(), tool_ids=["t2", "t0"]), tools=tools))
    assert conversation.tools == ('{"name":"tool 2"}', '{"name":"tool 0"}')


def test_a_file_that_is_a_json_string(tmp_path: Path) -> None:
    assert loaded(tmp_path, json.dumps(v2(agent(system(("human", "Chad")))))).memories[0].key == "human"


SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "letta-af"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared sample files are not here")
@pytest.mark.parametrize(
    ("name", "sizes", "tools"),
    [
        # what chars_current says, and the newline of the template
        ("customer_service", {"human": 190 + 1, "persona": 398 + 1}, 7),
        ("memgpt_agent_with_convo", {"human": 298 + 1, "persona": 1172 + 1}, 3),
        # numbered: 5 and 33 lines, each behind "Line N: "
        ("deep_research_agent", {"human": 361 + 1 + 5 * 8, "persona": 4431 + 1 + 9 * 8 + 24 * 9}, 5),
    ],
)
def test_real_agents(name: str, sizes: dict[str, int], tools: int) -> None:
    conversation = load(SHARED / f"{name}.af")
    assert {m.key: len(m.texts[0]) for m in conversation.memories} == sizes
    assert {rule for m in conversation.memories for rule in m.rules} == {"structured"}
    assert (len(conversation.messages), len(conversation.tools), conversation.windows) == (1, tools, 1)
    assert conversation.skipped == ()
