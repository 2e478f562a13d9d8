"""What the assistant set out to do, as a text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.model import Memory, Message, Text, Thinking, ToolCall, ToolResult
from memscope.promotion.plans import MOST_STEPS, Plan, has_words, words_of


def call(name: str, arguments: Any = "", call_id: str = "c") -> ToolCall:
    return ToolCall(call_id, name, arguments if isinstance(arguments, str) else json.dumps(arguments))


def plan(*messages: Message) -> Plan:
    found = Plan(0, 1, None)
    for message in messages:
        found.add(message)
    return found


def calls(*parts: ToolCall) -> Message:
    return Message("assistant", parts)


def shape(arguments: Any) -> str:
    return plan(calls(call("f", arguments))).text


def test_a_plan_is_its_first_words_and_its_calls() -> None:
    found = plan(
        Message("assistant", (Thinking("hm"), Text("I'll look at the failing\ntest first.\n\nThen we see."))),
        calls(call("Bash", {"command": "pytest", "description": "secret"})),
        calls(call("Read", {"file_path": "a"}), call("Read", {"file_path": "b"})),
        Message("assistant", (Text("Found it."), call("Read", {"file_path": "c"}))),
        calls(call("Edit", {"file_path": "a", "old_string": "x", "new_string": "y"})),
    )
    assert found.text == (
        "I'll look at the failing test first.\n"
        "Bash(command, description), Read(file_path), Edit(file_path, old_string, new_string)"
    )
    assert found.tools == ("Bash", "Read", "Edit")


def test_words_behind_the_first_call_tell_what_came_of_it() -> None:
    assert plan(calls(call("ls")), Message("assistant", (Text("Done."), call("ls")))).text == "ls()"


def test_calls_with_other_arguments_are_other_steps_of_one_tool() -> None:
    found = plan(calls(call("Read", {"path": "a"}), call("Read", {"path": "a", "limit": 3}), call("ls")))
    assert (found.text, found.tools) == ("Read(path), Read(path, limit), ls()", ("Read", "ls"))


def test_each_call_is_told_once_however_often_it_is_made() -> None:
    read, edit = call("Read", {"path": "a"}), call("Edit", {"path": "a"})
    few, many = plan(calls(read, edit)), plan(calls(read, read), calls(edit, read, edit))
    assert (few.text, few.tools) == ("Read(path), Edit(path)", ("Read", "Edit"))
    assert (many.text, many.tools) == (few.text, ("Read", "Edit", "Read", "Edit"))


@pytest.mark.parametrize(
    ("messages", "is_little"),
    [
        ((calls(call("Read", {"path": "a"}), call("Read", {"path": "b", "limit": 3})),), True),
        ((calls(call("Read")), Message("assistant", (Text("Now I know."),))), True),
        ((calls(call("Grep"), call("Read")), calls(call("Grep", {"path": "b"}))), True),
        ((calls(call("Grep"), call("Read")), calls(call("Edit"))), False),
        ((Message("assistant", (Text("I'll look."), call("Read"))),), False),
        ((Message("assistant", (Text(" \n"), call("Read"))),), True),
    ],
)
def test_a_tool_or_two_without_a_word_say_little(messages: tuple[Message, ...], is_little: bool) -> None:
    assert plan(*messages).says_little is is_little


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        *(({}, "f()"), ("", "f()"), ("null", "f()"), ("{broken", "f(…)"), ("*** Begin Patch", "f(…)"), ([1], "f(…)")),
        *(("[" * 100_000, "f(…)"), ({"a": {"b": 1}}, "f(a)"), ({"/home/dev/a.py": 1, "x y": 2}, "f(…)")),
        ({f"a{n}": n for n in range(20)}, "f(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, …)"),
        ('{"a": "' + "x" * 2_000_000 + '"}', "f(…)"),
    ],
)
def test_arguments_are_told_by_their_names_alone(arguments: Any, told: str) -> None:
    assert shape(arguments) == told


@given(st.dictionaries(st.text(), st.text(min_size=30, alphabet="ÄÖÜ"), max_size=5), st.booleans())
def test_no_argument_says_its_value(arguments: dict[str, str], is_broken: bool) -> None:
    text = json.dumps(arguments, ensure_ascii=False)
    told = shape(text[:-2] if is_broken else text)
    assert not any(value in told for value in arguments.values())
    assert "\n" not in told


def test_a_hostile_plan_is_a_short_one() -> None:
    many = calls(*(call(f"tool{n}") for n in range(5000)))
    found = plan(Message("assistant", (Text("word " * 100_000),)), many)
    assert len(found.text) < 3000
    assert found.text.endswith(", …")
    assert len(found.tools) == MOST_STEPS
    assert plan(calls(call("a\nb" * 1000, "{}"), call("", "{}"))).text.count("\n") == 0
    assert plan(Message("assistant", (Text("x" * 9000), call("f")))).text == "x" * 300 + "\nf()"


def test_memories_are_no_words_of_a_plan() -> None:
    assert plan(Message("assistant", (Memory("k", "Tabs."), Text("Look."), call("f")))).text == "Look.\nf()"


def test_failures_are_told_once_each_with_their_tool() -> None:
    found = plan(calls(call("Bash", call_id="a"), call("Read", call_id="b")))
    missing = ToolResult("b", "File does not exist: no such file", is_error=True)
    found.answered(Message("tool", (ToolResult("a", "collected\nE AssertionError: 1 != 2\n", exit_code=1), missing)))
    found.answered(Message("tool", (missing, ToolResult("?", "broken", is_error=True), ToolResult("a", "fine error"))))
    assert found.failures == [
        *("Bash: exit code 1: E AssertionError: 1 != 2", "Read: File does not exist: no such file", "broken"),
    ]
    for number in range(50):
        found.answered(Message("tool", (ToolResult("a", f"error {number}", is_error=True),)))
    assert len(found.failures) == 8


def test_calls_alone_are_no_words() -> None:
    said, silent = call("Read", {"path": "a"}), call("my tool", "{broken")
    assert has_words(plan(Message("assistant", (Text("Look."), said))).text, "plan")
    assert not has_words(plan(calls(said, silent)).text, "plan")
    assert not has_words(plan(calls(*(call(f"t{n}") for n in range(500)))).text, "plan")
    assert has_words("Read(path)", "request")
    assert words_of("Look.\nRead(path)", "plan") == "Look."
