"""ShareGPT conversations in their containers, and Hermes' trajectories with thoughts and calls between tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Skipped, Text, Thinking, ToolCall, ToolResult
from tests.conversation.formats._any_json import assert_survives, values
from tests.conversation.formats._lines import ODD, facts, items, shape, told, unpaired, write
from tests.conversation.formats._there_and_back import assert_all_come_back


def turn(whose: str, value: Any) -> dict[str, Any]:
    return {"from": whose, "value": value}


def call(name: str, **sent: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': sent})}\n</tool_call>"


def answer(content: Any, name: str = "terminal") -> str:
    wrapped = {"tool_call_id": "x", "name": name, "content": content}
    return f"<tool_response>\n{json.dumps(wrapped)}\n</tool_response>"


ASK = turn("human", "List.")
RAN = turn("gpt", f"<think>\nI look.\n</think>\nLooking.\n{call('terminal', command='ls')}")
SEEN = turn("tool", answer({"output": "a.txt", "exit_code": 0, "error": None}))
DONE = turn("gpt", "<think>\n</think>\nThere is a.txt.")
TRAJECTORY = {"conversations": [turn("system", "S"), ASK, RAN, SEEN, DONE], "model": "hermes", "completed": True}


def loaded(tmp_path: Path, *found: Any, item: int = 0) -> Conversation:
    conversation = load(write(tmp_path / "a.jsonl", found), item=item)
    assert conversation.source is not None
    assert conversation.source.format == "sharegpt"
    return conversation


def turns(tmp_path: Path, *found: Any, **more: Any) -> Conversation:
    return loaded(tmp_path, {"conversations": [*found], **more})


def test_a_trajectory(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, TRAJECTORY | {"timestamp": "2026-04-14T10:00:00Z"})
    assert [m.role for m in conversation.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert conversation.messages[2].parts == (
        Thinking("I look."),
        Text("Looking."),
        ToolCall("call-1", "terminal", '{"command":"ls"}'),
    )
    assert conversation.messages[3].parts == (
        ToolResult("call-1", '{"output":"a.txt","exit_code":0,"error":null}', False, 0),
    )
    assert conversation.messages[3].name == "terminal"
    assert conversation.messages[4].parts == (Text("There is a.txt."),)
    assert [m.time for m in conversation.messages] == [None, None, None, None, 1776160800.0]
    assert facts(tmp_path / "a.jsonl", "sharegpt") == [("model", "hermes")]
    assert unpaired(tmp_path / "a.jsonl") == (0, 0)
    assert_all_come_back(tmp_path / "a.jsonl", tmp_path)


@pytest.mark.parametrize(
    "found",
    [
        [{"conversations": [ASK, DONE]}],
        [{"id": "x", "conversation": [ASK, DONE]}],
        [[{"conversations": [ASK, DONE]}, {"conversations": [ASK]}]],
        [[ASK, DONE]],
        [ASK, DONE],
    ],
)
def test_its_containers(tmp_path: Path, found: list[Any]) -> None:
    assert shape(loaded(tmp_path, *found)) == [("user", "List."), ("assistant", "There is a.txt.")]


def test_one_a_line(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, TRAJECTORY, {"conversations": [turn("user", "Two?")]}, {"x": 1}, item=1)
    assert (conversation.title, conversation.items, conversation.messages[0].line) == ("Two?", 2, 2)
    assert conversation.skipped == (Skipped(3, 'the object has no "conversations"'),)


@pytest.mark.parametrize(
    ("whose", "role"),
    [
        *(
            ("human", "user"),
            ("user", "user"),
            ("gpt", "assistant"),
            ("assistant", "assistant"),
            ("model", "assistant"),
        ),
        *(("system", "system"), ("tool", "tool"), ("observation", "tool"), ("function_response", "tool")),
    ],
)
def test_whose_turn_it_is(tmp_path: Path, whose: str, role: str) -> None:
    assert shape(turns(tmp_path, ASK, turn(whose, "Words."))) == [("user", "List."), (role, "Words.")]


def test_a_turn_of_somebody_else(tmp_path: Path) -> None:
    conversation = turns(tmp_path, ASK, turn("narrator", "Meanwhile"), {"from": 5, "value": "x"}, 7)
    assert conversation.skipped == (
        Skipped(1, "a turn of nobody known, 'narrator'"),
        *(Skipped(1, 'the entry is no turn with "from" and "value"'),) * 2,
    )


def test_several_calls_and_answers_in_a_turn(tmp_path: Path) -> None:
    both = turn("gpt", f"{call('a')}\n{call('b', x=1)}")
    conversation = turns(tmp_path, ASK, both, turn("tool", f"{answer('one', 'a')}\n{answer('two', 'b')}"))
    assert [c.id for c in conversation.messages[1].calls] == ["call-1", "call-2"]
    assert [m.parts for m in conversation.messages[2:]] == [
        (ToolResult("call-1", "one"),),
        (ToolResult("call-2", "two"),),
    ]


def test_a_call_that_was_never_answered_takes_no_answer_from_another(tmp_path: Path) -> None:
    first, second = turn("gpt", f"{call('a')}{call('b')}"), turn("gpt", call("c"))
    conversation = turns(tmp_path, ASK, first, turn("tool", answer("one")), second, turn("tool", answer("three")))
    results = [p for m in conversation.messages for p in m.parts if isinstance(p, ToolResult)]
    assert [r.call_id for r in results] == ["call-1", "call-3"]


def test_answers_find_the_calls_they_name(tmp_path: Path) -> None:
    both = turn("gpt", f"{call('a')}{call('b')}")
    conversation = turns(tmp_path, ASK, both, turn("tool", f"{answer('two', 'b')}{answer('one', 'a')}"))
    assert [p for m in conversation.messages[2:] for p in m.parts] == [
        *(ToolResult("call-2", "two"), ToolResult("call-1", "one")),
    ]
    named = [json.dumps({"name": "a", "arguments": {}, "id": name}) for name in ("x", "y")]
    told_back = [json.dumps({"name": "a", "tool_call_id": name, "content": name}) for name in ("y", "x")]
    made, seen = [turn("function_call", one) for one in named], [turn("observation", one) for one in told_back]
    results = [p for m in turns(tmp_path, ASK, *made, *seen).messages for p in m.parts if isinstance(p, ToolResult)]
    assert results == [ToolResult("call-2", "y"), ToolResult("call-1", "x")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "before\n<tool_response>A</tool_response>\nmiddle\n<tool_response>B cut",
            ["before\nA", "middle\nB cut"],
        ),
        ("<tool_response>A</tool_response>\nbehind", ["A\nbehind"]),
        ("<tool_response>\nA cut", ["A cut"]),
        ("a: '<tool_response>'\nb: '</tool_response>'\nc", ["a: '<tool_response>'\nb: '</tool_response>'\nc"]),
        ("<tool_response>\na </tool_response> b\n</tool_response>", ["a </tool_response> b"]),
        ("as <tool_response> says\n<tool_response>A</tool_response>", ["as <tool_response> says\nA"]),
        ("It says <tool_response> here.", ["It says <tool_response> here."]),
    ],
)
def test_words_around_answers_stay(tmp_path: Path, words: str, expected: list[str]) -> None:
    conversation = turns(tmp_path, ASK, turn("gpt", f"{call('a')}{call('b')}"), turn("tool", words))
    results = [ToolResult(f"call-{number}", text) for number, text in enumerate(expected, start=1)]
    assert [m.parts for m in conversation.messages[2:]] == [(result,) for result in results]


@given(st.lists(st.sampled_from(["<tool_response>", "</tool_response>", "\n", "x"]), min_size=1))
def test_no_words_of_a_tool_are_lost(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "answers"
    told_in = turns(folder, ASK, turn("tool", "".join(words))).messages[1:]
    kept = "".join(p.text for m in told_in for p in m.parts if isinstance(p, ToolResult))
    assert kept.count("x") == words.count("x")


def test_a_list_with_what_is_no_conversation(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, [{"x": 1}, {"conversations": [ASK]}, 5])
    assert conversation.skipped == (Skipped(1, 'the object has no "conversations"'),) * 2
    assert (conversation.items, len(conversation.messages)) == (1, 1)


@pytest.mark.parametrize("found", [[ASK, DONE], [{"conversations": [ASK, DONE]}], [[5, ASK, DONE]]])
def test_an_odd_value_in_front_hides_nothing(tmp_path: Path, found: list[Any]) -> None:
    conversation = loaded(tmp_path, {"meta": 1}, *found)
    assert (conversation.items, len(conversation.messages)) == (1, 2)
    assert conversation.skipped


def test_calls_in_turns_of_their_own(tmp_path: Path) -> None:
    made = turn("function_call", json.dumps({"name": "get", "arguments": {"a": 1}}))
    conversation = turns(tmp_path, ASK, made, turn("observation", '{"error": "no"}'), turn("function_call", "no JSON"))
    assert conversation.messages[1].calls == (ToolCall("call-1", "get", '{"a":1}'),)
    assert conversation.messages[2].parts == (ToolResult("call-1", '{"error": "no"}', is_error=True),)
    assert conversation.messages[3].text == "no JSON"


@pytest.mark.parametrize(
    "words",
    [
        "<tool_call>\n{'name': 'ls'}\n</tool_call>",
        "<tool_call>\n[1]\n</tool_call>",
        "<tool_call> is how",
        'a <tool_call>{"x": 1}</tool_call> b',
    ],
)
def test_what_is_no_call_stays_text(tmp_path: Path, words: str) -> None:
    assert turns(tmp_path, ASK, turn("gpt", words)).messages[1].parts == (Text(words),)


@pytest.mark.parametrize("tag", ["think", "thinking", "REASONING_SCRATCHPAD"])
def test_thoughts(tmp_path: Path, tag: str) -> None:
    conversation = turns(tmp_path, ASK, turn("gpt", f"<{tag}>Hm.\nSo.</{tag}>\n\nYes, <think>."))
    assert conversation.messages[1].parts == (Thinking("Hm.\nSo."), Text("Yes, <think>."))


def test_how_it_went(tmp_path: Path) -> None:
    failed = turn("tool", answer({"output": "x", "exit_code": 2, "error": "boom"}))
    turns(tmp_path, ASK, RAN, failed, completed=False)
    content = '{"output":"x","exit_code":2,"error":"boom"}'
    assert facts(tmp_path / "a.jsonl", "sharegpt") == [
        *(("exit_code", "2"), ("error", content), ("error", "the task was not completed")),
    ]
    assert [item.marks_failures for item in items(tmp_path / "a.jsonl", "sharegpt")] == [True]
    turns(tmp_path, ASK, DONE)
    assert [item.marks_failures for item in items(tmp_path / "a.jsonl", "sharegpt")] == [False]


@pytest.mark.parametrize("tools", [[{"name": "ls"}], '[{"name": "ls"}]'])
def test_system_and_tools_beside_the_turns(tmp_path: Path, tools: Any) -> None:
    conversation = turns(tmp_path, ASK, system="Be brief.", tools=tools)
    assert shape(conversation) == [("system", "Be brief."), ("user", "List.")]
    assert conversation.tools == ('{"name":"ls"}',)
    assert shape(turns(tmp_path, turn("system", "S"), ASK, system="Be brief."))[0] == ("system", "S")


NAMES = (
    *("conversations", "conversation", "from", "value", "system", "tools", "model", "completed", "timestamp", "title"),
    *("name", "arguments", "content", "tool_call_id", "error", "success", "exit_code"),
)
WORDS = (
    *("human", "gpt", "tool", "system", "function_call", "observation", "<think>", "<tool_call>", "</tool_call>"),
    *(RAN["value"], SEEN["value"], "<tool_response>{}</tool_response>"),
)
FOUND = values(NAMES, WORDS)


@given(st.lists(FOUND, min_size=1, max_size=2), st.lists(FOUND, max_size=4))
def test_no_json_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, found: list[Any], rows: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-sharegpt.jsonl"
    assert_survives(path, [*found, {"conversations": [ASK, *rows]}, [ASK, *rows]], "sharegpt")


@given(st.lists(st.sampled_from(["<tool_call>", "</tool_call>", '{"name": "a"}', "\n", "x", "<think>", "</think>"])))
def test_no_words_of_a_reply_are_lost(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "words"
    parts = turns(folder, ASK, turn("gpt", "".join(words))).messages[1].parts if "".join(words) else ()
    kept = "".join(p.text for p in parts if isinstance(p, Text | Thinking))
    assert kept.count("x") == words.count("x")


@pytest.mark.parametrize("base", [RAN, SEEN])
def test_odd_fields(tmp_path: Path, base: dict[str, Any]) -> None:
    odd = [{**base, name: value} for name in base for value in ODD]
    tops = [{**TRAJECTORY, name: value} for name in (*TRAJECTORY, "tools", "system", "timestamp") for value in ODD]
    for number in range(len(items(write(tmp_path / "a.jsonl", [{"conversations": [ASK, *odd]}, *tops]), "sharegpt"))):
        told(tmp_path / "a.jsonl", "sharegpt", number)
