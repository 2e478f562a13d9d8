"""Langfuse exports: which requests are one conversation, and messages in the shape of every library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import SourceError
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Opaque, Skipped, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import HEAD_VALUES
from tests.conversation.formats._any_json import assert_survives, values
from tests.conversation.formats._lines import DATA, facts, items, shape, unpaired, write
from tests.conversation.formats._observed import (
    ANSWER,
    ASK,
    CALL,
    CALLED,
    DONE,
    WHOLE,
    asked,
    observed,
    path_of,
)


def loaded(tmp_path: Path, *observations: dict[str, Any], item: int = 0, **trace: Any) -> Conversation:
    conversation = load(path_of(tmp_path, *observations, **trace), item=item)
    assert conversation.source is not None
    assert conversation.source.format == "langfuse"
    return conversation


def skipped(conversation: Conversation) -> list[str]:
    return [one.reason for one in conversation.skipped]


def test_the_last_request_tells_the_conversation(tmp_path: Path) -> None:
    first = asked("g1", 1, [ASK], CALLED, model="m")
    second = asked("g2", 3, [ASK, CALLED, ANSWER], DONE, model="m")
    conversation = loaded(tmp_path, second, first)  # in whatever order they stand
    assert shape(conversation) == WHOLE
    assert (conversation.items, conversation.title) == (1, "Weather?")
    assert facts(tmp_path / "trace.json", "langfuse") == [("session", "t"), ("model", "m")]


def test_requests_that_share_nothing_are_conversations_of_their_own(tmp_path: Path) -> None:
    other = [{"role": "system", "content": "You judge."}, {"role": "user", "content": "Good?"}]
    agent = observed("critic", "AGENT", 4, None, None)
    below = asked("g2", 5, other, {"role": "assistant", "content": "Yes."}, parentObservationId="critic")
    path = path_of(tmp_path, below, agent, asked("g1", 1, [ASK], DONE))
    assert [(i.title, i.is_subagent) for i in items(path, "langfuse")] == [("", False), ("critic", True)]
    assert shape(load(path, item=1))[0] == ("system", "You judge.")


def test_a_library_s_wrapper_is_no_request(tmp_path: Path) -> None:
    inner = asked("g2", 2, [ASK], DONE, parentObservationId="g1")
    assert shape(loaded(tmp_path, asked("g1", 1, {"prompt": "Weather?"}, "x"), inner)) == [WHOLE[0], WHOLE[-1]]


def test_requests_with_the_new_messages_alone(tmp_path: Path) -> None:
    tool = observed("get", "TOOL", 2, {"city": "B"}, "Sunny")
    conversation = loaded(tmp_path, asked("g1", 1, [ASK], CALLED), tool, asked("g2", 3, [ANSWER], DONE))
    assert shape(conversation) == WHOLE


def test_requests_that_note_no_messages_at_all(tmp_path: Path) -> None:
    """As the Claude SDK's: answers and the system prompt stand in other observations alone."""

    def said(*blocks: dict[str, Any]) -> dict[str, Any]:
        return {"role": "assistant", "content": list(blocks)}

    uses = [{"type": "tool_use", "id": f"t{n}", "name": "get", "input": {"n": n}} for n in range(2)]
    root = observed("root", "SPAN", 0, {"prompt": "Weather?", "system": "Be kind."}, None, parentObservationId=None)
    failed = observed(
        "get", "TOOL", 4, {}, {"content": [{"type": "text", "text": "B"}]}, level="ERROR", statusMessage="no"
    )
    conversation = loaded(
        tmp_path,
        root,
        asked("g1", 1, {"role": "user", "content": "Weather?"}, said({"type": "text", "text": "I look."})),
        asked("g2", 2, {"content": "role"}, said(uses[0])),
        asked("g3", 3, {"content": "role"}, said(uses[1])),
        observed("get", "TOOL", 3, {}, {"content": [{"type": "text", "text": "A"}]}),
        failed,
        asked("g4", 5, {"content": "role"}, said({"type": "text", "text": "Done."})),
    )
    assert shape(conversation) == [
        *(("system", "Be kind."), ("user", "Weather?"), ("assistant", "I look.")),
        *(("tool", "A"), ("tool", "B"), ("assistant", "Done.")),
    ]
    assert conversation.messages[4].parts == (ToolResult("t1", "B", is_error=True),)
    assert facts(tmp_path / "trace.json", "langfuse")[1:] == [("error", "B"), ("error", "no")]


def test_a_reply_to_nothing_that_is_known_is_none(tmp_path: Path) -> None:
    pieces = [asked(f"p{n}", n, None, f"piece {n}", parentObservationId="other") for n in range(3)]
    conversation = loaded(tmp_path, *pieces, asked("g", 9, [ASK], DONE), asked("n", 9, None, None))
    assert shape(conversation) == [WHOLE[0], WHOLE[-1]]
    assert skipped(conversation) == ["a reply to nothing that is known"] * 3


def test_a_request_in_which_nothing_is_known_is_told(tmp_path: Path) -> None:
    nothing = asked("n", 1, None, None, parentObservationId="other")
    conversation = loaded(tmp_path, nothing, asked("g", 2, [ASK], DONE))
    assert skipped(conversation) == ["a request in which no messages are known"]


def test_a_trace_without_requests(tmp_path: Path) -> None:
    graph = [{"type": "human", "content": "Weather?"}, {"type": "ai", "content": "It is sunny."}]
    root = observed("root", "SPAN", 1, {"messages": graph[:1]}, {"messages": graph}, parentObservationId=None)
    assert shape(loaded(tmp_path, root)) == [WHOLE[0], WHOLE[-1]]
    trace = {"input": json.dumps(json.dumps("Weather?")), "output": "It is sunny."}
    assert shape(loaded(tmp_path, observed("e", "EVENT", 1, None, None), **trace)) == [WHOLE[0], WHOLE[-1]]


CHAIN = {"lc": 1, "type": "constructor"}
CONTENT = {"type": "ai", "content": "", "tool_calls": [{"id": "c1", "name": "get", "args": {"city": "B"}}]}
ITEM = {"type": "function_call", "call_id": "c1", "name": "get", "arguments": '{"city":"B"}'}


@pytest.mark.parametrize(
    ("into", "out"),
    [
        ({"messages": [ASK, CALLED, ANSWER]}, {"choices": [{"message": DONE}]}),
        (
            [
                {"type": "human", "content": "Weather?", "additional_kwargs": {}},
                CONTENT,
                {"type": "tool", "content": "Sunny", "tool_call_id": "c1", "status": "success"},
            ],
            {"type": "ai", "content": "It is sunny."},
        ),
        (
            [
                [
                    CHAIN | {"id": ["langchain", "HumanMessage"], "kwargs": {"content": "Weather?"}},
                    CHAIN
                    | {"id": ["AIMessage"], "kwargs": {"content": "", "additional_kwargs": {"tool_calls": [CALL]}}},
                    CHAIN | {"id": ["ToolMessage"], "kwargs": {"content": "Sunny", "tool_call_id": "c1"}},
                ]
            ],
            {"generations": [[{"text": "It is sunny.", "message": {"type": "ai", "content": "It is sunny."}}]]},
        ),
        ([ASK, CALLED, {"role": "get", "content": "Sunny", "additional_kwargs": {}}], {"content": "It is sunny."}),
        (
            [ASK, ITEM, {"type": "function_call_output", "call_id": "c1", "output": "Sunny"}],
            {
                "output": [
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "It is sunny."}],
                    }
                ]
            },
        ),
        (
            [
                {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
                {
                    "role": "assistant",
                    "parts": [{"type": "tool_call", "id": "c1", "name": "get", "arguments": {"city": "B"}}],
                },
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Sunny"}]},
            ],
            [{"role": "assistant", "parts": [{"type": "text", "content": "It is sunny."}]}],
        ),
        (
            {
                "contents": [
                    {"role": "user", "parts": [{"text": "Weather?"}]},
                    {"role": "model", "parts": [{"function_call": {"id": "c1", "name": "get", "args": {"city": "B"}}}]},
                    {
                        "role": "user",
                        "parts": [{"function_response": {"id": "c1", "name": "get", "response": "Sunny"}}],
                    },
                ]
            },
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "It is sunny."}]}}]},
        ),
        (
            {
                "messages": [
                    ASK,
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": "c1", "name": "get", "input": {"city": "B"}}],
                    },
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "Sunny"}]},
                ]
            },
            "It is sunny.",
        ),
    ],
    ids=["openai", "langchain", "lc", "langchain-js", "responses", "gen_ai", "gemini", "anthropic"],
)
def test_every_library_s_messages(tmp_path: Path, into: Any, out: Any) -> None:
    conversation = loaded(tmp_path, asked("g", 1, into, out))
    assert shape(conversation) == WHOLE
    assert conversation.messages[1].calls == (ToolCall("c1", "get", '{"city":"B"}'),)
    assert unpaired(tmp_path / "trace.json") == (0, 0)


@pytest.mark.parametrize(
    "noted",
    [
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Weather?",
            "gen_ai.prompt": "shadowed",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "It is sunny.",
        },
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "Weather?",
            "llm.output_messages.0.message.contents.0.message_content.text": "ignored",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "It is sunny.",
            "llm.tools.0.tool.json_schema": '{"name":"get"}',
        },
        {
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}]),
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "It is sunny."}]}],
            "gen_ai.tool.definitions": '[{"name":"get"}]',
        },
    ],
)
def test_attributes_where_there_is_nothing_else(tmp_path: Path, noted: dict[str, Any]) -> None:
    one = asked("g", 1, None, None, metadata=json.dumps({"attributes": noted}))
    assert shape(loaded(tmp_path, one)) == [WHOLE[0], WHOLE[-1]]


def test_system_prompts_and_tools_wherever_they_stand(tmp_path: Path) -> None:
    definition = {"type": "function", "function": {"name": "get"}}
    for into, out in (
        ({"system": "Be kind.", "messages": [ASK], "tools": [definition]}, DONE),
        (
            {
                "contents": [ASK],
                "config": {"system_instruction": {"parts": [{"text": "Be kind."}]}, "tools": [definition]},
            },
            DONE,
        ),
        ([ASK], {"instructions": "Be kind.", "tools": [definition], "output": [{"type": "message", **DONE}]}),
        ([{"role": "system", "content": "Be kind."}, ASK, {"role": "tool", "content": definition}], DONE),
    ):
        conversation = loaded(tmp_path, asked("g", 1, into, out), asked("h", 2, into, out))
        assert shape(conversation) == [("system", "Be kind."), WHOLE[0], WHOLE[-1]]
        assert conversation.tools == (json.dumps(definition, separators=(",", ":")),)


def test_what_a_model_wrote_that_is_no_message(tmp_path: Path) -> None:
    thought = [
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "5"}]}
    ]
    assert loaded(tmp_path, asked("g", 1, [ASK], thought)).messages[1].parts[0] == Thinking("Hm.")
    assert shape(loaded(tmp_path, asked("g", 1, "Weather?", {"mood": "good"})))[1] == ("assistant", '{"mood": "good"}')


@pytest.mark.parametrize("form", ["in it", "listed", "a line", "a trace a line"])
def test_other_ways_to_export(tmp_path: Path, form: str) -> None:
    requests = [asked("g1", 1, [ASK], CALLED), asked("g2", 3, [ASK, CALLED, ANSWER], DONE)]
    trace = {"id": "t", "observations": requests}
    values_of = {
        "in it": [trace],
        "listed": [requests],
        "a line": requests,
        "a trace a line": [trace, trace, {"odd": 1}],
    }
    path = write(tmp_path / "a.jsonl", values_of[form])
    conversation = load(path)
    assert shape(conversation) == WHOLE
    assert conversation.items == (2 if form == "a trace a line" else 1)
    if form == "a trace a line":
        assert conversation.skipped == (Skipped(3, "the entry is neither a trace nor an observation"),)


@pytest.mark.parametrize("form", ["traces", "an answer with traces", "an answer with observations"])
def test_what_langfuse_s_api_lists(tmp_path: Path, form: str) -> None:
    requests = [asked("g1", 1, [ASK], CALLED), asked("g2", 3, [ASK, CALLED, ANSWER], DONE)]
    trace = {"id": "t", "observations": requests}
    listed = {"traces": [trace], "an answer with traces": {"data": [trace], "meta": {}}}
    path = write(tmp_path / "a.json", [listed.get(form, {"data": requests, "meta": {}})])
    assert shape(load(path)) == WHOLE
    assert facts(path, "langfuse") == [("session", "t")]


def test_a_trace_that_only_names_its_observations(tmp_path: Path) -> None:
    trace = {"id": "t", "timestamp": "2025-08-22T09:38:56Z", "input": [ASK], "output": DONE, "observations": ["g1"]}
    conversation = load(write(tmp_path / "a.json", [{"data": [trace], "meta": {}}]))
    assert shape(conversation) == [WHOLE[0], WHOLE[-1]]
    assert skipped(conversation) == ["the file names the observation without holding it"]


def test_a_trace_that_tells_of_no_messages_is_refused(tmp_path: Path) -> None:
    told = {"input": {"question": "Weather?"}, "output": {"answer": "It is sunny."}}
    path = path_of(tmp_path, observed("root", "SPAN", 1, told["input"], told["output"]), **told)
    with pytest.raises(SourceError, match="none of its observations is a request to a model"):
        load(path)


def test_requests_may_follow_what_was_read_to_recognise_a_file(tmp_path: Path) -> None:
    spans = [observed(f"s{n}", "SPAN", 1, None, None) for n in range(HEAD_VALUES)]
    assert shape(load(write(tmp_path / "a.jsonl", [*spans, asked("g", 2, [ASK], DONE)]))) == [WHOLE[0], WHOLE[-1]]


def test_a_file_is_not_judged_by_its_first_line(tmp_path: Path) -> None:
    conversation = load(write(tmp_path / "a.jsonl", [{"x": 1}, asked("g", 1, [ASK], DONE)]))
    assert shape(conversation) == [WHOLE[0], WHOLE[-1]]
    assert conversation.skipped == (Skipped(1, "the entry is neither a trace nor an observation"),)
    assert [message.line for message in conversation.messages] == [2, 2]


def test_what_is_passed_over_is_told(tmp_path: Path) -> None:
    odd = [ASK, {"role": "ghost", "content": "x"}, {"page": 1}, 5]
    replies = {"choices": [{"message": DONE}, {"message": {"role": "assistant", "content": "Rain."}}]}
    requests = [asked("g1", 1, odd, replies), asked("g2", 2, [*odd, DONE, ASK], "Still.")]
    path = write(tmp_path / "a.json", [{"id": "t", "observations": [*requests, {"name": "odd"}]}])
    conversation = load(path)
    assert shape(conversation) == [WHOLE[0], WHOLE[-1], WHOLE[0], ("assistant", "Still.")]
    assert sorted(skipped(conversation)) == [
        "a message of an unknown role, ghost",
        "another of several replies to one request",
        "the entry is no message",
        "the entry is no message",
        "the entry is no observation",
    ]


def test_of_a_batch_the_first_is_told(tmp_path: Path) -> None:
    others = [[DONE], {"generations": [[{"text": "It is sunny."}, {"text": "Rain."}], [{"text": "Snow."}]]}]
    conversation = loaded(tmp_path, asked("g", 1, [[ASK], *others[:1]], others[1]))
    assert shape(conversation) == [WHOLE[0], WHOLE[-1]]
    assert sorted(skipped(conversation)) == [
        *("another of several replies to one request", "another request of a batch", "another request of a batch"),
    ]


def test_parts_that_are_no_text_are_kept(tmp_path: Path) -> None:
    image = {"inline_data": {"mime_type": "image/png", "data": "aGk="}}
    told = {"contents": [{"role": "user", "parts": [{"text": "Weather?"}, image]}]}
    (_, part) = loaded(tmp_path, asked("g", 1, told, DONE)).messages[0].parts
    assert part == Opaque("unknown", json.dumps(image, separators=(",", ":")))


def test_requests_within_requests_end(tmp_path: Path) -> None:
    deep: Any = [ASK]
    for _ in range(6):  # each text is no deeper than a file may be, all of them together are
        for _ in range(190):
            deep = {"input": deep}
        deep = json.dumps(deep)
    conversation = loaded(tmp_path, asked("g1", 1, deep, deep), asked("g2", 2, {"input": {"input": [ASK]}}, DONE))
    assert shape(conversation) == [WHOLE[0], WHOLE[-1]]
    assert skipped(conversation)[0] == "a request too deep within others"
    for _ in range(9):
        deep = {"choices": [deep]}
    assert loaded(tmp_path, asked("g", 1, [ASK], deep)).messages[1].text.startswith('{"choices"')


def normalised(*pairs: tuple[Any, Any]) -> dict[str, Any]:
    def side(messages: Any) -> dict[str, Any]:
        return {"success": messages is not None, "data": messages, "error": {"name": "ZodError"}}

    return {f"o{n}": {"input": side(into), "output": side(out)} for n, (into, out) in enumerate(pairs)}


def test_what_langfuse_normalises(tmp_path: Path) -> None:
    told = ASK | {"tools": [{"name": "get"}]}
    pairs = (([told, CALLED, ANSWER], [DONE]), (None, [DONE]), ([told], [CALLED]), ([{"tools": []}], None))
    conversation = load(write(tmp_path / "a.chatml.json", [normalised(*pairs)]))
    assert shape(conversation) == WHOLE
    assert (conversation.items, conversation.tools) == (1, ('{"name":"get"}',))


def test_what_could_not_be_normalised_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="in none of its observations Langfuse recognised messages"):
        load(write(tmp_path / "a.json", [normalised((None, [DONE]), ([{"tools": []}], None))]))


NAMES = (
    *("id", "type", "name", "startTime", "input", "output", "metadata", "parentObservationId", "level", "attributes"),
    *("role", "content", "parts", "tool_calls", "function", "arguments", "kwargs", "lc", "data", "messages", "choices"),
    *("success", "gen_ai.prompt.0.role", "gen_ai.prompt.0", "llm.tools", "call_id", "additional_kwargs", "system"),
    *("traceId", "endTime", "timestamp", "generations", "observations", "trace"),
)
WORDS = (
    "GENERATION",
    "TOOL",
    "AGENT",
    "user",
    "assistant",
    "tool",
    "ai",
    "human",
    "function_call",
    "message",
    "g",
    "2025",
)
VALUES = values(NAMES, WORDS)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=3), VALUES, VALUES)
def test_no_json_makes_it_fail(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[Any, Any, Any]], into: Any, odd: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-langfuse.jsonl"
    observations = [asked("g", n, *pair[:2], metadata=pair[2]) for n, pair in enumerate(told)]
    root = observed("root", "SPAN", 0, into, odd, parentObservationId="g")
    assert_survives(path, [{"trace": odd, "observations": [*observations, root, odd]}], "langfuse")
    assert_survives(path, [*observations, odd], "langfuse")
    assert_survives(path, [odd, {"data": [odd, *observations, {"id": "t", "observations": [odd, root]}]}], "langfuse")
    assert_survives(path, [normalised(*(pair[:2] for pair in told)), odd], "langfuse")


@pytest.mark.skipif(not DATA.exists(), reason="the shared sample files are not here")
@pytest.mark.parametrize(
    ("name", "messages", "calls", "tools"),
    [
        ("langgraph-python-2025-08-22.trace", [5], 1, 1),
        ("openai-agents-2025-09-30.trace", [5], 1, 1),
        ("claude-agent-2025-12-22.trace", [6], 2, 0),
        ("langgraph-python-2025-08-22.chatml", [4, 5], 1, 1),
        ("pydantic-ai-tools-2025-12-04.chatml", [3, 9], 3, 5),
    ],
)
def test_real_files(name: str, messages: list[int], calls: int, tools: int) -> None:
    path = DATA / "langfuse-otel" / f"{name}.json"
    found = [load(path, item=n) for n in range(load(path).items)]
    assert [len(c.messages) for c in found] == messages
    assert sum(len(m.calls) for m in found[-1].messages) == calls
    assert len(found[-1].tools) == tools
    assert not any(c.skipped for c in found)
