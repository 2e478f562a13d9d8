"""Lines of training data: what each format writes, and what is refused before it is written."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from memscope.conversation.model import Message, ToolCall, ToolResult
from memscope.triage.chat_lines import Example, Examples, reply_message
from memscope.triage.checks import NOTHING_BEFORE, refusal
from memscope.triage.formats import TrainingFormat, training_line
from tests.fakes import assistant, office, talk, user

FORMATS: tuple[TrainingFormat, ...] = ("sft", "dpo", "trl")
every_format = pytest.mark.parametrize("form", FORMATS)
REJECTED = reply_message("I cannot know.")
CALL = {"id": "c", "type": "function", "function": {"name": "run", "arguments": "{}"}}
ANSWER = {"role": "tool", "tool_call_id": "c", "content": "done"}
TOOL = {"type": "function", "function": {"name": "run", "description": "Runs.", "parameters": {"type": "object"}}}


def plain() -> Example:
    return Examples(talk(user("Which?"), assistant("This."), user("Why?"), assistant("So."))).example(3)


def line_of(form: TrainingFormat) -> dict[str, Any]:
    return copy.deepcopy(training_line(form, plain(), REJECTED))


def prompt_in(line: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages before the target."""
    return (
        line["prompt"] if "prompt" in line else line["input"]["messages"] if "input" in line else line["messages"][:-1]
    )


def with_prompt(form: TrainingFormat, *messages: dict[str, Any]) -> dict[str, Any]:
    line = line_of(form)
    if form == "sft":
        line["messages"] = [*messages, line["messages"][-1]]
    elif form == "dpo":
        line["input"]["messages"] = list(messages)
    else:
        line["prompt"] = list(messages)
    return line


def target_in(line: dict[str, Any]) -> dict[str, Any]:
    if "messages" in line:
        return line["messages"][-1]
    return (line.get("chosen") or line["preferred_output"])[0]


def test_sft_trains_on_the_last_answer_alone() -> None:
    assert line_of("sft") == {
        "messages": [
            {"role": "user", "content": "Which?"},
            {"role": "assistant", "content": "This.", "weight": 0},
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": "So."},
        ]
    }


def test_dpo_prefers_the_response_to_the_alternate() -> None:
    assert line_of("dpo") == {
        "input": {
            "messages": [
                {"role": "user", "content": "Which?"},
                {"role": "assistant", "content": "This."},
                {"role": "user", "content": "Why?"},
            ],
            "tools": [],
            "parallel_tool_calls": True,
        },
        "preferred_output": [{"role": "assistant", "content": "So."}],
        "non_preferred_output": [{"role": "assistant", "content": "I cannot know."}],
    }


def test_trl_is_the_same_in_conversational_form() -> None:
    line = line_of("trl")

    assert list(line) == ["prompt", "chosen", "rejected"]
    assert line["prompt"] == line_of("dpo")["input"]["messages"]
    assert (line["chosen"], line["rejected"]) == ([{"role": "assistant", "content": "So."}], [REJECTED])


def test_tools_go_with_the_lines_that_have_a_place_for_them() -> None:
    examples = Examples(office())
    found = examples.example(5)
    found = Example(found.message, found.prompt, found.places, found.target, (TOOL,))

    assert training_line("sft", found)["tools"] == [TOOL]
    assert training_line("dpo", found, REJECTED)["input"]["tools"] == [TOOL]
    assert set(training_line("trl", found, REJECTED)) == {"prompt", "chosen", "rejected"}


@pytest.mark.parametrize("form", ["dpo", "trl"])
def test_a_preference_needs_an_alternate(form: TrainingFormat) -> None:
    with pytest.raises(ValueError, match="needs an alternate"):
        training_line(form, plain())


@every_format
@pytest.mark.parametrize("message", [2, 5, 8])
def test_the_lines_of_a_conversation_with_calls_pass(form: TrainingFormat, message: int) -> None:
    line = training_line(form, Examples(office()).example(message), REJECTED)

    assert refusal(form, line) is None


@every_format
def test_a_prompt_with_parallel_calls_passes_when_each_is_answered(form: TrainingFormat) -> None:
    other = {**CALL, "id": "d"}
    asked = {"role": "assistant", "tool_calls": [CALL, other]}
    late = {**ANSWER, "tool_call_id": "d"}

    assert (
        refusal(form, with_prompt(form, {"role": "user", "content": "?"}, weighed(form, asked), late, ANSWER)) is None
    )


def weighed(form: TrainingFormat, message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "weight": 0} if form == "sft" and message["role"] == "assistant" else message


USER = {"role": "user", "content": "?"}
CALLED = {"role": "assistant", "tool_calls": [CALL]}

PROMPTS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "unanswered": ([USER, CALLED, USER], "a tool call is not answered by the messages behind it"),
    "unanswered at the end": ([USER, CALLED], "a tool call is not answered by the messages behind it"),
    "answered once of two": (
        [USER, {"role": "assistant", "tool_calls": [CALL, {**CALL, "id": "d"}]}, ANSWER, USER],
        "a tool call is not answered by the messages behind it",
    ),
    "answered twice": ([USER, CALLED, ANSWER, ANSWER], "a tool's message answers no call before it"),
    "answered behind other words": ([USER, CALLED, USER, ANSWER], "a tool call is not answered by the messages behind"),
    "an answer to nothing": ([USER, ANSWER], "a tool's message answers no call before it"),
    "an answer too late": ([USER, CALLED, ANSWER, USER, ANSWER], "a tool's message answers no call before it"),
    "two of one id": ([USER, {"role": "assistant", "tool_calls": [CALL, CALL]}, ANSWER], "two calls have one id"),
    "nothing": ([], NOTHING_BEFORE),
    "a role": ([{"role": "critic", "content": "?"}], "a message has a role that the format does not know"),
    "an empty answer": ([USER, {"role": "assistant", "content": " \n"}], "an answer is empty"),
    "no calls": ([USER, {"role": "assistant", "content": "So.", "tool_calls": []}], "at least 1 item"),
    "no words of a user": ([{"role": "user", "content": None}], "user.content: input should be a valid string"),
    "a name too many": ([{**USER, "name": "ann"}], "user.name: extra inputs are not permitted"),
    "half a character": ([{"role": "user", "content": "\ud800"}], "half of a character pair"),
    "arguments": (
        [USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "run", "arguments": "{"}}]}, ANSWER],
        "the arguments of a tool call are no JSON object",
    ),
    "arguments of another kind": (
        [USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "run", "arguments": "[]"}}]}, ANSWER],
        "the arguments of a tool call are no JSON object",
    ),
    "a tool's name": (
        [USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "a.b", "arguments": "{}"}}]}, ANSWER],
        "a tool has a name that the format does not take",
    ),
}


@every_format
@pytest.mark.parametrize("wrong", PROMPTS)
def test_a_prompt_that_is_none_is_refused_with_the_reason(form: TrainingFormat, wrong: str) -> None:
    prompt, reason = PROMPTS[wrong]

    assert reason in (refusal(form, with_prompt(form, *(weighed(form, said) for said in prompt))) or "")


def empty_target(line: dict[str, Any]) -> None:
    target_in(line)["content"] = "  "


def unknown_field(line: dict[str, Any]) -> None:
    line["id"] = 1


def unknown_field_of_the_target(line: dict[str, Any]) -> None:
    target_in(line)["thinking"] = "hm"


@every_format
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (empty_target, "an answer is empty"),
        (unknown_field, "id: extra inputs are not permitted"),
        (unknown_field_of_the_target, "thinking: extra inputs are not permitted"),
    ],
)
def test_what_else_is_wrong_is_refused(
    form: TrainingFormat, spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    line = line_of(form)
    assert refusal(form, line) is None

    spoil(line)

    assert reason in (refusal(form, line) or "")


def test_sft_refuses_an_earlier_answer_that_would_be_trained_on() -> None:
    line = line_of("sft")
    del line["messages"][1]["weight"]
    assert refusal("sft", line) == "an earlier answer would be trained on"


def test_sft_refuses_a_line_without_a_target() -> None:
    line = line_of("sft")
    line["messages"].append(USER)
    assert refusal("sft", line) == "it does not end with what is to be trained on"


def test_a_weight_belongs_to_sft_alone() -> None:
    line = line_of("dpo")
    prompt_in(line)[1]["weight"] = 0
    assert "weight: extra inputs are not permitted" in (refusal("dpo", line) or "")


def test_a_definition_that_is_no_json_is_refused() -> None:
    line = line_of("sft")
    line["tools"] = [{"type": "function", "function": {"name": "run", "parameters": {"maximum": float("inf")}}}]
    assert refusal("sft", line) == "a tool's definition cannot be written as JSON"


def test_reasons_name_no_place_of_one_line() -> None:
    """They are counted over all lines."""
    said = [refusal("sft", with_prompt("sft", *[USER] * number, {**USER, "name": "ann"})) for number in (1, 5)]
    assert said[0] == said[1]


def test_calls_between_other_messages_are_refused_not_mended() -> None:
    told = talk(
        user("?"),
        Message("assistant", (ToolCall("a", "run", "{}"),)),
        user("Wait."),
        Message("tool", (ToolResult("a", "done"),)),
        assistant("So."),
    )
    line = training_line("sft", Examples(told).example(4))
    assert refusal("sft", line) == "a tool's message answers no call before it"
