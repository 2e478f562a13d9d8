"""mini-SWE-agent's trajectories: bare lists, both versions of the document, the Responses API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.formats import recognise
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Skipped, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from tests.conversation.formats._any_json import assert_survives, values
from tests.conversation.formats._lines import DATA, ODD, counts, facts, items, shape, told, unpaired, write
from tests.conversation.formats._there_and_back import assert_all_come_back

PROMPT, TASK = {"role": "system", "content": "You can run commands."}, {"role": "user", "content": "Solve it."}
RAN = {"role": "assistant", "content": "I look.\n\n```mswea_bash_command\nls\n```"}
SEEN = {"role": "user", "content": "<returncode>1</returncode>\n<output>\nno\n</output>"}
BARE = [PROMPT, TASK, RAN, SEEN]
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command":"ls"}'}}],
    "extra": {"actions": [{"command": "ls", "tool_call_id": "c1"}], "timestamp": 1.7e9},
}
ANSWER = {
    "role": "tool",
    "tool_call_id": "c1",
    "content": '{"returncode": 2}',
    "extra": {"returncode": 2, "raw_output": "no", "timestamp": 1.7e9 + 1, "exception_info": None},
}
EXIT = {"role": "exit", "content": "diff", "extra": {"exit_status": "Submitted", "submission": "diff"}}


def run(*messages: Any, status: Any = "Submitted", **more: Any) -> dict[str, Any]:
    config = {"model": {"model_name": "claude"}, "environment": {"cwd": "/testbed"}}
    info = {"exit_status": status, "mini_version": "2.0.0", "config": config}
    return {"info": info, "messages": [*messages], "trajectory_format": "mini-swe-agent-1.1", **more}


def loaded(tmp_path: Path, value: Any, name: str = "a.traj.json") -> Conversation:
    (tmp_path / name).write_text(json.dumps(value, indent=2))
    conversation = load(tmp_path / name)
    assert conversation.source is not None
    assert conversation.source.format == "mini-swe-agent"
    return conversation


def facts_of(tmp_path: Path, value: Any) -> list[tuple[str, str]]:
    return facts(write(tmp_path / "a.traj.json", [value]), "mini-swe-agent")


ABOUT = [("model", "claude"), ("cwd", "/testbed")]


def test_a_bare_list(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, BARE)
    assert [(m.role, m.kind) for m in conversation.messages] == [
        *(("system", "said"), ("user", "said"), ("assistant", "said"), ("user", "synthetic")),
    ]
    assert conversation.messages[3].text == SEEN["content"]
    assert facts_of(tmp_path, BARE) == [("exit_code", "1")]


def test_a_list_of_other_messages_is_not_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [[PROMPT, TASK, {"role": "assistant", "content": "```bash\nls\n```"}, TASK]])
    assert recognise(Raw(path)).name == "openai"


def test_tool_calls(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, run(PROMPT, TASK, CALL, ANSWER, EXIT))
    assert [m.role for m in conversation.messages] == ["system", "user", "assistant", "tool"]
    assert conversation.messages[2].calls == (ToolCall("c1", "bash", '{"command":"ls"}'),)
    assert conversation.messages[3].parts == (ToolResult("c1", '{"returncode": 2}', False, 2),)
    assert [m.time for m in conversation.messages[2:]] == [1.7e9, 1.7e9 + 1]
    assert facts_of(tmp_path, run(PROMPT, TASK, CALL, ANSWER, EXIT)) == [*ABOUT, ("exit_code", "2")]
    assert unpaired(tmp_path / "a.traj.json") == (0, 0)
    assert_all_come_back(tmp_path / "a.traj.json", tmp_path)


def test_items_of_the_responses_api(tmp_path: Path) -> None:
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "c1", "name": "bash", "arguments": '{"command":"ls"}'},
    ]
    answer = {"type": "function_call_output", "call_id": "c1", "output": "no", "extra": {"returncode": 3}}
    conversation = loaded(tmp_path, run(PROMPT, TASK, {"object": "response", "output": output}, answer))
    assert shape(conversation)[2:] == [("assistant", "I look."), ("tool", "no")]
    assert conversation.messages[2].parts[0] == Thinking("Hm.")
    assert conversation.messages[3].parts == (ToolResult("c1", "no", False, 3),)
    assert ("exit_code", "3") in facts_of(tmp_path, run(TASK, {"output": output}, answer))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Submitted", []),
        ("LimitsExceeded", [("error", "exit status: LimitsExceeded")]),
        (None, []),
        ([], [("error", "exit status: []")]),
    ],
)
def test_how_a_run_ended(tmp_path: Path, status: Any, expected: list[tuple[str, str]]) -> None:
    assert facts_of(tmp_path, run(PROMPT, TASK, status=status)) == [*ABOUT, *expected]
    assert [item.marks_failures for item in items(tmp_path / "a.traj.json", "mini-swe-agent")] == [True]


def test_the_last_message_tells_how_it_ended(tmp_path: Path) -> None:
    exits = {"role": "exit", "content": "boom", "extra": {"exit_status": "ValueError"}}
    assert facts_of(tmp_path, run(TASK, RAN, exits, status=""))[2:] == [("error", "exit status: ValueError")]


def test_what_a_person_did(tmp_path: Path) -> None:
    stopped = {"role": "user", "content": "Interrupted by user: no", "extra": {"interrupt_type": "UserInterruption"}}
    more = {"role": "user", "content": "The user added a new task: b", "extra": {"interrupt_type": "UserNewTask"}}
    conversation = loaded(tmp_path, run(PROMPT, TASK, RAN, stopped, RAN, more))
    assert [m.kind for m in conversation.messages] == ["said", "said", "said", "synthetic", "said", "said"]
    assert facts_of(tmp_path, run(TASK, RAN, stopped))[2:] == [("interrupted", "Interrupted by user: no")]


def test_a_command_that_timed_out(tmp_path: Path) -> None:
    late = {"role": "user", "content": "timed out", "extra": {"returncode": -1, "exception_info": "timeout"}}
    assert facts_of(tmp_path, run(TASK, RAN, late))[2:] == [("exit_code", "-1"), ("error", "timeout")]


@pytest.mark.parametrize("named", [{"instance_id": "django__django-11"}, {}])
def test_the_task(tmp_path: Path, named: dict[str, str]) -> None:
    name = "a.traj.json" if named else "django__django-11.traj.json"
    conversation = loaded(tmp_path, run(TASK, RAN, **named), name)
    assert conversation.title == "django__django-11"
    assert facts(tmp_path / name, "mini-swe-agent")[0] == ("repository", "django/django")


def test_what_is_no_message_is_counted(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, run(5, PROMPT, None, TASK, {"output": [7]}))
    assert conversation.skipped == (
        *(Skipped(1, "the entry is no message"),) * 2,
        Skipped(1, "the entry is no item of a reply"),
    )
    assert len(conversation.messages) == 2


@pytest.mark.parametrize("value", [run(*BARE), BARE])
def test_an_odd_value_in_front_hides_nothing(tmp_path: Path, value: Any) -> None:
    conversation = load(write(tmp_path / "a.jsonl", [{"meta": 1}, value]))
    assert conversation.source is not None
    assert (conversation.source.format, len(conversation.messages)) == ("mini-swe-agent", 4)
    assert conversation.skipped == (Skipped(1, 'the object has no "messages"'),)


NAMES = (
    *("messages", "trajectory_format", "info", "mini_version", "exit_status", "config", "model", "model_name", "cwd"),
    *("environment", "role", "content", "extra", "returncode", "timestamp", "exception_info", "interrupt_type"),
    *("output", "type", "call_id", "tool_call_id", "tool_calls", "function", "name", "instance_id"),
)
WORDS = ("system", "user", "assistant", "tool", "exit", "mini-swe-agent-1", "function_call_output", "message")
RUNS = values(NAMES, (*WORDS, SEEN["content"], RAN["content"]))


@given(st.lists(RUNS, min_size=1, max_size=2), st.lists(RUNS, max_size=3))
def test_no_json_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, found: list[Any], rows: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-mini.json"
    assert_survives(path, [*found, run(*BARE, *rows), [*BARE, *rows]], "mini-swe-agent")


@pytest.mark.parametrize("base", [TASK, RAN, SEEN, CALL, ANSWER, EXIT])
def test_odd_fields(tmp_path: Path, base: dict[str, Any]) -> None:
    odd = [{**base, name: value} for name in (*base, "extra") for value in ODD]
    odd += [{**base, "extra": {**base.get("extra", {}), name: value}} for name in ANSWER["extra"] for value in ODD]
    told(write(tmp_path / "a.traj.json", [run(*BARE, *odd)]), "mini-swe-agent")
    told(write(tmp_path / "a.traj.json", [{**run(*BARE), "info": odd_info} for odd_info in ODD]), "mini-swe-agent")


@pytest.mark.skipif(not DATA.exists(), reason="the shared sample files are not here")
def test_a_real_file(tmp_path: Path) -> None:
    path = DATA / "mini-swe-agent" / "github_issue.traj.json"
    assert counts(path) == [(22, 10, 0)]
    assert facts(path, "mini-swe-agent")[:1] == [("exit_code", "1")]
    assert_all_come_back(path, tmp_path)
