"""SWE-agent's trajectories: with tool calls and with actions in the text, examples, sub-agents, how runs end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.formats import format_named
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from tests.conversation.formats._any_json import assert_survives, values
from tests.conversation.formats._lines import DATA, ODD, counts, facts, items, shape, told, unpaired, write
from tests.conversation.formats._there_and_back import assert_all_come_back


def row(role: str, content: Any, **more: Any) -> dict[str, Any]:
    kinds = {"system": "system_prompt", "assistant": "action"}
    return {"role": role, "content": content, "agent": "main", "message_type": kinds.get(role, "observation"), **more}


CALLS = [{"function": {"name": "bash", "arguments": '{"command":"ls"}'}, "id": "c1", "type": "function"}]
PROMPT, TASK = row("system", "You solve issues."), row("user", "Solve this issue.")
RAN = row("assistant", "I look.", thought="I look.", action="ls", tool_calls=CALLS)
SEEN = row("tool", "a.txt", tool_call_ids=["c1"])
IN_TEXT = row("assistant", "I look.\n```\nls\n```", thought="I look.\n", action="ls\n")
OBSERVED = row("user", "a.txt\nbash-$")
STEP = {
    "action": "ls",
    "observation": "a.txt",
    "response": "I look.",
    "thought": "I look.",
    "state": '{"working_dir": "/app"}',
}


def loaded(tmp_path: Path, history: Any, item: int = 0, **more: Any) -> Conversation:
    path = tmp_path / "a.traj"
    path.write_text(json.dumps({"history": history, **more}, indent=2))
    conversation = load(path, item=item)
    assert conversation.source is not None
    assert conversation.source.format == "swe-agent"
    return conversation


def facts_of(tmp_path: Path, history: Any, **more: Any) -> list[tuple[str, str]]:
    return facts(write(tmp_path / "a.traj", [{"history": history, **more}]), "swe-agent")


def test_tool_calls(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, [PROMPT, TASK, RAN, SEEN])
    assert shape(conversation) == [
        *(("system", "You solve issues."), ("user", "Solve this issue."), ("assistant", "I look."), ("tool", "a.txt")),
    ]
    assert conversation.messages[2].calls == (ToolCall("c1", "bash", '{"command":"ls"}'),)
    assert conversation.messages[3].parts == (ToolResult("c1", "a.txt"),)
    assert unpaired(tmp_path / "a.traj") == (0, 0)
    assert_all_come_back(tmp_path / "a.traj", tmp_path)


def test_actions_in_the_text(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, [PROMPT, TASK, IN_TEXT, OBSERVED, IN_TEXT])
    assert [(m.role, m.kind) for m in conversation.messages[1:4]] == [
        *(("user", "said"), ("assistant", "said"), ("user", "synthetic")),
    ]
    assert conversation.messages[2].parts == (Text("I look.\n```\nls\n```"),)


def test_an_action_without_the_text_it_came_in(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, [PROMPT, TASK, {**IN_TEXT, "content": None}])
    assert conversation.messages[2].text == "I look.\n```\nls\n```"


def test_thoughts_and_content_in_blocks(tmp_path: Path) -> None:
    thinking = [{"type": "thinking", "thinking": "Hm.", "signature": "x"}]
    block = [{"type": "text", "text": "a.txt", "cache_control": {"type": "ephemeral"}}]
    conversation = loaded(tmp_path, [TASK, {**RAN, "thinking_blocks": thinking}, {**SEEN, "content": block}])
    assert conversation.messages[1].parts[0] == Thinking("Hm.")
    assert conversation.messages[2].parts == (ToolResult("c1", "a.txt"),)


def test_an_example_is_no_response_here_and_a_conversation_by_itself(tmp_path: Path) -> None:
    example = [{**r, "is_demo": True, "agent": "other"} for r in (TASK, RAN, SEEN)]
    history = [PROMPT, *example, TASK, RAN, SEEN]
    main = loaded(tmp_path, history)
    assert [m.kind for m in main.messages] == ["said", "summary", "summary", "summary", "said", "said", "said"]
    assert (main.items, main.responses) == (2, (5,))
    alone = loaded(tmp_path, history, item=1)
    assert [(m.role, m.kind) for m in alone.messages] == [("user", "said"), ("assistant", "said"), ("tool", "said")]
    assert [item.is_subagent for item in items(tmp_path / "a.traj", "swe-agent")] == [False, True]


def test_an_example_in_one_message_is_no_conversation(tmp_path: Path) -> None:
    shown = row("user", "Here is how it was done: ...", is_demo=True, message_type="demonstration")
    conversation = loaded(tmp_path, [PROMPT, shown, TASK, RAN, SEEN])
    assert [m.kind for m in conversation.messages[:3]] == ["said", "summary", "said"]
    assert conversation.items == 1


def test_sub_agents(tmp_path: Path) -> None:
    other = [{**r, "agent": "summarizer"} for r in (PROMPT, TASK, IN_TEXT)]
    history = [PROMPT, TASK, IN_TEXT, *other, OBSERVED]
    assert [len(loaded(tmp_path, history, item).messages) for item in (0, 1)] == [4, 3]
    assert [item.title for item in items(tmp_path / "a.traj", "swe-agent")] == ["", "summarizer"]


def test_what_names_no_agent_is_of_the_first_that_is_named(tmp_path: Path) -> None:
    bare = [{n: v for n, v in r.items() if n != "agent"} for r in (PROMPT, OBSERVED)]
    conversation = loaded(tmp_path, [bare[0], TASK, IN_TEXT, bare[1], IN_TEXT])
    assert [m.role for m in conversation.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert (conversation.items, len(conversation.responses)) == (1, 2)


@pytest.mark.parametrize("bad", [{"role": None}, {"role": None, "agent": "x"}, row("exit", "", agent="x"), 5])
def test_a_bad_row_makes_no_conversation(tmp_path: Path, bad: Any) -> None:
    conversation = loaded(tmp_path, [bad, TASK, IN_TEXT])
    assert (conversation.items, len(conversation.messages), len(conversation.skipped)) == (1, 2, 1)
    found = format_named("swe-agent").conversations(Raw(write(tmp_path / "b.traj", [{"history": [bad]}])))
    assert list(found) == [Skipped(1, "the object is no trajectory")]


def test_an_odd_value_in_front_hides_nothing(tmp_path: Path) -> None:
    conversation = load(write(tmp_path / "a.traj", [{"meta": 1}, {"history": [TASK, IN_TEXT]}]))
    assert (len(conversation.messages), conversation.skipped) == (2, (Skipped(1, "the object is no trajectory"),))


@pytest.mark.parametrize(
    ("info", "expected", "marks"),
    [
        ({"exit_status": "submitted"}, [], True),
        ({"exit_status": "submitted (exit_cost)"}, [("error", "exit status: submitted (exit_cost)")], True),
        ({"exit_status": "exit_format"}, [("error", "exit status: exit_format")], True),
        ({"exit_status": None}, [], False),
        (None, [], False),
    ],
)
def test_how_a_run_ended(tmp_path: Path, info: Any, expected: list[tuple[str, str]], marks: bool) -> None:
    assert facts_of(tmp_path, [TASK, RAN, SEEN], info=info) == expected
    assert [item.marks_failures for item in items(tmp_path / "a.traj", "swe-agent")] == [marks]


CONFIG = {
    "agent": {"name": "main", "model": {"name": "gpt-4o"}},
    "problem_statement": {"id": "marshmallow-code__marshmallow-1867"},
    "env": {"repo": {"repo_name": "testbed", "type": "preexisting"}},
}


@pytest.mark.parametrize("config", [CONFIG, json.dumps(CONFIG)])
def test_what_it_was_about(tmp_path: Path, config: Any) -> None:
    conversation = loaded(tmp_path, [TASK, RAN, SEEN], replay_config=config)
    assert conversation.title == "marshmallow-code__marshmallow-1867"
    assert facts_of(tmp_path, [TASK, RAN], replay_config=config, trajectory=[STEP]) == [
        *(("repository", "marshmallow-code/marshmallow"), ("model", "gpt-4o"), ("cwd", "/app")),
    ]


def test_the_repository_of_an_issue_and_the_name_of_a_file(tmp_path: Path) -> None:
    config = {"env": {"repo": {"github_url": "https://github.com/a/b"}}}
    assert facts_of(tmp_path, [TASK, RAN], replay_config=config) == [("repository", "https://github.com/a/b")]
    path = write(tmp_path / "django__django-11.traj", [{"history": [TASK, RAN]}])
    assert facts(path, "swe-agent") == [("repository", "django/django")]


def test_steps_where_the_history_is_lost(tmp_path: Path) -> None:
    steps = [{"action": "ls"}, STEP, 5, {**STEP, "response": ""}]
    conversation = loaded(tmp_path, [{"role": None}], trajectory=steps, info={})
    assert [skipped.reason for skipped in conversation.skipped] == [
        "the entry is no row of a history",
        *("the entry is no step with an action and an observation",) * 2,
    ]
    assert [(m.role, m.text, m.kind) for m in conversation.messages] == [
        ("assistant", "I look.", "said"),
        ("user", "a.txt", "synthetic"),
        ("assistant", "I look.\n```\nls\n```", "said"),
        ("user", "a.txt", "synthetic"),
    ]


def test_what_is_not_understood(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, [TASK, 5, {"role": 5, "agent": "main"}, row("exit", "x"), RAN, SEEN])
    assert conversation.skipped == (
        Skipped(1, "the entry is no row of a history"),
        Skipped(1, "the entry is no row of a history"),
        Skipped(1, "a row of an unknown role, 'exit'"),
    )


NAMES = (
    *("history", "trajectory", "info", "exit_status", "replay_config", "agent", "message_type", "role", "content"),
    *("is_demo", "tool_calls", "tool_call_ids", "thought", "action", "observation", "state", "thinking_blocks"),
    *("thinking", "problem_statement", "env", "repo", "github_url", "model", "name", "id", "working_dir"),
)
TRAJECTORIES = values(NAMES, ("system", "user", "assistant", "tool", "main", "action", "a__b-1", "submitted"))


@given(st.lists(TRAJECTORIES, min_size=1, max_size=2), st.lists(TRAJECTORIES, max_size=3))
def test_no_json_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, found: list[Any], rows: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-swe.traj"
    assert_survives(path, [*found, {"history": [TASK, *rows], "trajectory": rows}], "swe-agent")


@pytest.mark.parametrize("base", [PROMPT, RAN, SEEN, IN_TEXT])
def test_odd_fields(tmp_path: Path, base: dict[str, Any]) -> None:
    odd = [{**base, name: value} for name in (*base, "is_demo", "thinking_blocks") for value in ODD]
    told(write(tmp_path / "a.traj", [{"history": [TASK, *odd]}]), "swe-agent")
    tops = [
        {"history": [TASK, RAN], "trajectory": [STEP], "info": {}, name: value} for value in ODD for name in ("info",)
    ]
    told(write(tmp_path / "a.traj", [*tops, {"history": [TASK], "replay_config": "{"}]), "swe-agent")


@pytest.mark.skipif(not DATA.exists(), reason="the shared sample files are not here")
@pytest.mark.parametrize(
    ("part", "expected", "calls"),
    [
        ("function_calling_simple", [(12, 5, 0)], 5),
        ("__default_sys", [(23, 11, 0)], 0),
        ("__function_calling_replace", [(24, 11, 0)], 11),
        ("__xml_sys", [(23, 11, 0)], 0),
    ],
)
def test_real_files(tmp_path: Path, part: str, expected: list[tuple[int, int, int]], calls: int) -> None:
    (path,) = (DATA / "swe-agent").glob(f"*{part}*")
    assert counts(path) == expected
    assert sum(len(m.calls) for m in load(path).messages) == calls
    assert (load(path).skipped, unpaired(path)) == ((), (0, 0))
    assert_all_come_back(path, tmp_path)
