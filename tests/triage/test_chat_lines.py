"""A response as an example: the prompt before it without memories, in OpenAI's form whatever form it came in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Memory, Message, Text, Thinking, ToolCall, ToolResult
from memscope.triage.chat_lines import Example, Examples, reply_message
from memscope.triage.formats import training_line
from tests.conversation._any import CONVERSATIONS
from tests.fakes import PNPM, assistant, conversations, memory, office, talk, user

ASKED = {"role": "user", "content": "And?"}


def example(conversation: Conversation, message: int, target: str | None = None) -> Example:
    return Examples(conversation).example(message, target)


def test_the_prompt_is_what_was_said_before_without_the_memories() -> None:
    found = example(office(), 5)

    assert found.prompt == (
        {"role": "system", "content": "You are a coding agent."},
        {"role": "user", "content": "Which package manager is it?"},
        {"role": "assistant", "content": "I do not know yet, so I will have a look."},
        {"role": "user", "content": "And now?"},
    )
    assert found.places == (0, 1, 2, 4)  # the memory at #3 is no message any more
    assert found.target == {
        "role": "assistant",
        "content": "Use pnpm to install packages.",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "run", "arguments": '{"command": "pnpm install"}'}}
        ],
    }


def test_calls_and_their_answers_stand_in_the_prompt_of_what_comes_after() -> None:
    found = example(office(), 8)

    assert found.prompt[-2]["tool_calls"][0]["id"] == "1"
    assert found.prompt[-1] == {"role": "tool", "tool_call_id": "1", "content": "done"}
    assert PNPM not in json.dumps(found.prompt)


def test_a_changed_target_takes_the_place_of_the_words_and_the_calls_stay() -> None:
    own, changed = example(office(), 5), example(office(), 5, "Use pnpm.")

    assert changed.target == {**own.target, "content": "Use pnpm."}
    assert changed.prompt == own.prompt
    assert example(office(), 5, "").target == {"role": "assistant", "tool_calls": own.target["tool_calls"]}
    assert example(office(), 8, "So.").target == {"role": "assistant", "content": "So."}


def test_a_response_of_calls_alone_has_no_content() -> None:
    told = talk(user("And?"), Message("assistant", (ToolCall("a", "look", '{"x": 1}'),)))

    assert "content" not in example(told, 1).target


def test_answers_without_a_name_answer_the_calls_before_them_in_order() -> None:
    calls = (ToolCall("", "look", "{}"), ToolCall("own", "look", "{}"), ToolCall("", "read", ""))
    told = talk(
        user("And?"),
        Message("assistant", calls),
        Message("tool", (ToolResult("", "first"),)),
        Message("tool", (ToolResult("own", "second"),)),
        Message("tool", (ToolResult("", "third"),)),
        assistant("So."),
    )

    _, called, *answers = example(told, 5).prompt

    assert [call["id"] for call in called["tool_calls"]] == ["call_1_0", "own", "call_1_2"]
    assert [answer["tool_call_id"] for answer in answers] == ["call_1_0", "own", "call_1_2"]
    assert [call["function"]["arguments"] for call in called["tool_calls"]] == ["{}"] * 3


@pytest.mark.parametrize(
    ("found", "written"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (' {"a": ', ' {"a": '),  # broken: it stays, and is refused
        ("*** Begin Patch", '{"input": "*** Begin Patch"}'),
        ('["ls", "-l"]', r'{"input": "[\"ls\", \"-l\"]"}'),
        ("", "{}"),
    ],
)
def test_arguments_are_an_object(found: str, written: str) -> None:
    told = talk(user("And?"), Message("assistant", (ToolCall("a", "patch", found),)))

    assert example(told, 1).target["tool_calls"][0]["function"]["arguments"] == written


def test_what_says_nothing_is_left_away() -> None:
    told = talk(
        user("And?"),
        Message("assistant", (Thinking("hm"),)),
        Message("tool", (ToolResult("", ""), Memory("k", "Nobody called for it."))),
        assistant("So."),
    )

    assert example(told, 3).prompt == (ASKED,)
    assert example(told, 3).places == (0,)


def test_calls_that_nothing_answers_are_no_part_of_a_prompt_but_of_a_target() -> None:
    calls = (ToolCall("ws", "web_search", "{}"), ToolCall("a", "look", "{}"))
    told = talk(
        user("And?"),
        Message("assistant", (Text("I look."), *calls)),
        Message("tool", (ToolResult("a", "found"),)),
        Message("assistant", (ToolCall("ws2", "web_search", "{}"),)),
        user("And?"),
        assistant("So."),
    )

    asked, called, answer, *more = example(told, 5).prompt
    assert (asked, more) == (ASKED, [ASKED])
    assert ([call["id"] for call in called["tool_calls"]], answer["tool_call_id"]) == (["a"], "a")
    assert example(told, 5).places == (0, 1, 2, 4)
    assert [call["id"] for call in example(told, 1).target["tool_calls"]] == ["ws", "a"]
    assert example(told, 3).target["tool_calls"][0]["id"] == "ws2"


def test_a_call_that_is_not_answered_at_once_is_one_that_nothing_answers() -> None:
    told = talk(
        user("And?"),
        Message("assistant", (Text("I look."), ToolCall("a", "look", "{}"))),
        assistant("It takes its time."),
        Message("tool", (ToolResult("a", "found"),)),
        assistant("So."),
    )

    assert example(told, 2).prompt == (ASKED, {"role": "assistant", "content": "I look."})
    assert example(told, 4).prompt[:2] == example(told, 2).prompt


def test_thinking_is_in_no_example_though_it_counts_as_said() -> None:
    thought = Message("assistant", (Thinking("The memory says tabs."), Text("Tabs.")))
    told = replace(talk(user("And?"), thought, user("And?"), thought), thinking=True)

    assert example(told, 3).prompt == (ASKED, {"role": "assistant", "content": "Tabs."}, ASKED)
    assert example(told, 3).target == {"role": "assistant", "content": "Tabs."}


def test_roles_are_those_of_the_api() -> None:
    told = talk(
        Message("developer", (Text("Be brief."),)), Message("user", (Text("And?"),), name="ann"), assistant("So.")
    )

    assert example(told, 2).prompt == ({"role": "system", "content": "Be brief."}, ASKED)


def test_tools_are_in_openai_form_from_either_api() -> None:
    openai = {"type": "function", "function": {"name": "a", "parameters": {"type": "object"}, "strict": None, "odd": 1}}
    anthropic = {"name": "b", "description": "Reads.", "input_schema": {"type": "object", "properties": {"x": {}}}}
    told = replace(office(), tools=(json.dumps(openai), json.dumps(anthropic), "no tool"))

    assert example(told, 5).tools == (
        {"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}},
        {
            "type": "function",
            "function": {
                "name": "b",
                "description": "Reads.",
                "parameters": {"type": "object", "properties": {"x": {}}},
            },
        },
    )


def test_an_anthropic_transcript_becomes_openai_messages(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(
        json.dumps(
            {
                "system": "Be brief.",
                "messages": [
                    {"role": "user", "content": "Which day?"},
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "text", "text": "I look."},
                            {"type": "tool_use", "id": "t1", "name": "day", "input": {"zone": "UTC"}},
                        ],
                    },
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "Monday"}]},
                    {"role": "assistant", "content": "Monday."},
                ],
            }
        )
    )

    found = example(load(path), 4)

    assert found.prompt[2:] == (
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "day", "arguments": '{"zone":"UTC"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "Monday"},
    )
    assert found.target == {"role": "assistant", "content": "Monday."}


def test_a_reply_is_a_message_of_the_same_form() -> None:
    assert reply_message("So.") == {"role": "assistant", "content": "So."}
    called = reply_message("", [ToolCall("", "run", "ls")])
    assert called == {
        "role": "assistant",
        "tool_calls": [
            {"id": "call_0_0", "type": "function", "function": {"name": "run", "arguments": '{"input": "ls"}'}}
        ],
    }


SECRET = "⟦memory {}⟧"


def with_known_memories(conversation: Conversation) -> Conversation:
    """The same with a text of its own in every memory that stands nowhere else."""
    count = 0
    messages = []
    for message in conversation.messages:
        parts = []
        for part in message.parts:
            if isinstance(part, Memory):
                count += 1
                parts.append(replace(part, text=SECRET.format(count)))
            else:
                parts.append(part)
        messages.append(replace(message, parts=tuple(parts)))
    return conversation.with_messages(messages)


@given((conversations | CONVERSATIONS).map(with_known_memories), st.sampled_from(["sft", "dpo", "trl"]))
def test_no_line_holds_the_text_of_a_memory(conversation: Conversation, form: str) -> None:
    examples = Examples(conversation)

    for message in conversation.responses:
        line = training_line(form, examples.example(message), reply_message("no"))  # type: ignore[arg-type]
        assert "⟦memory" not in json.dumps(line, ensure_ascii=False)


@given(conversations | CONVERSATIONS)
def test_the_prompt_says_what_the_messages_before_say_and_no_more(conversation: Conversation) -> None:
    examples = Examples(conversation)

    for message in conversation.responses:
        found = examples.example(message)
        assert list(found.places) == sorted(set(found.places))
        assert all(place < message for place in found.places)
        for place, said in zip(found.places, found.prompt, strict=True):
            own = [part for part in conversation.messages[place].parts if not isinstance(part, Memory)]
            words = "".join(part.text for part in own if isinstance(part, Text | ToolResult))
            assert (said.get("content") or "") == words.rstrip("\n")


def test_a_memory_message_in_front_moves_no_place() -> None:
    told = talk(
        memory("k", "One."), user("And?"), memory("l", "Two."), assistant("So."), user("And?"), assistant("Yes.")
    )

    assert example(told, 5).places == (1, 3, 4)
    assert [said["content"] for said in example(told, 5).prompt] == ["And?", "So.", "And?"]
