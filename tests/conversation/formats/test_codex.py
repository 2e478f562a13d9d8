"""Codex rollouts: each quirk of real files, written out small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.base.errors import SourceError
from memscope.conversation.formats import recognise
from memscope.conversation.formats.codex import FORMAT, sniff
from memscope.conversation.load import load
from memscope.conversation.model import Opaque, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import No, Yes
from tests.conversation.formats._lines import (
    DATA,
    counts,
    facts,
    items,
    memory,
    shape,
    unpaired,
    with_odd_fields,
    write,
)

META = {"id": "s", "cwd": "/r", "git": {"branch": "main", "repository_url": "https://x/r.git"}}
AGENTS = "# AGENTS.md instructions for /r\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>"


def line(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": "2026-01-01T00:00:00.000Z", "type": kind, "payload": payload}


def meta(**more: Any) -> dict[str, Any]:
    return line("session_meta", **META, **more)


def item(kind: str, **more: Any) -> dict[str, Any]:
    return line("response_item", type=kind, **more)


def said(role: str, *texts: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return item("message", role=role, content=[{"type": kind, "text": text} for text in texts])


def call(call_id: str, name: str = "shell", arguments: str = "{}") -> dict[str, Any]:
    return item("function_call", name=name, arguments=arguments, call_id=call_id)


def output(call_id: str, told: Any) -> dict[str, Any]:
    return item("function_call_output", call_id=call_id, output=told)


def event(kind: str, **more: Any) -> dict[str, Any]:
    return line("event_msg", type=kind, **more)


def rollout(tmp_path: Path, *records: Any) -> Path:
    return write(tmp_path / "rollout.jsonl", records)


# The two streams


def test_events_that_repeat_the_turns_double_nothing(tmp_path: Path) -> None:
    path = rollout(
        tmp_path,
        meta(),
        said("user", "Hi"),
        event("user_message", message="Hi"),
        event("agent_message", message="Hello"),
        said("assistant", "Hello"),
        event("token_count", info=None),
    )
    assert shape(load(path)) == [("user", "Hi"), ("assistant", "Hello")]
    assert not load(path).skipped


def test_a_memory_inside_a_response_is_its_text(tmp_path: Path) -> None:
    marked = {"type": "output_text", "text": "Tabs.", "memory_key": "tabs"}
    content = [marked, {"type": "output_text", "text": "Done."}]
    conversation = load(rollout(tmp_path, item("message", role="assistant", content=content)))
    assert conversation.messages[-1].parts == (Text("Tabs.\n"), Text("Done."))
    assert (conversation.memories, len(conversation.skipped)) == ((), 1)


def test_events_are_the_turns_where_there_are_no_items(tmp_path: Path) -> None:
    path = rollout(
        tmp_path,
        meta(),
        event("user_message", message="<environment_context>x"),
        event("user_message", message="Hi"),
        event("agent_reasoning", text="Hm"),
        event("agent_message", message="Hello"),
    )
    conversation = load(path)
    assert [(m.role, m.kind) for m in conversation.messages[:2]] == [("user", "synthetic"), ("user", "said")]
    assert conversation.messages[2].parts == (Thinking("Hm"), Text("Hello"))


def test_bare_items_of_old_versions(tmp_path: Path) -> None:
    path = rollout(
        tmp_path,
        {"id": "s", "timestamp": "2025-06-01T00:00:00Z", "instructions": None, "git": {"branch": "main"}},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "x"},
        {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": '{"output":"no","metadata":{"exit_code":1}}'},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done"}]},
    )
    assert recognise(Raw(path)) is FORMAT
    conversation = load(path)
    assert [m.role for m in conversation.messages] == ["user", "assistant", "tool", "assistant"]
    assert conversation.messages[2].parts[0].exit_code == 1  # type: ignore[union-attr]
    assert not conversation.skipped
    assert ("branch", "main") in facts(path, "codex")


def test_bare_items_without_their_header(tmp_path: Path) -> None:
    path = rollout(tmp_path, {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]})
    assert recognise(Raw(path)) is FORMAT


# The head


def test_the_head_counts_once(tmp_path: Path) -> None:
    tools = [{"name": "look"}, {"name": "leap"}]
    first = meta(base_instructions={"text": "You are Codex."}, dynamic_tools=tools)
    again = meta(base_instructions={"text": "You are another."})
    path = rollout(tmp_path, first, said("user", "Hi"), again, said("assistant", "Yo"))
    conversation = load(path)
    assert shape(conversation) == [("system", "You are Codex."), ("user", "Hi"), ("assistant", "Yo")]
    assert [json.loads(tool) for tool in conversation.tools] == tools
    assert {("session", "s"), ("cwd", "/r"), ("branch", "main"), ("repository", "https://x/r.git")} <= set(
        facts(path, "codex")
    )


def test_a_sub_agents_rollout_says_so(tmp_path: Path) -> None:
    path = rollout(tmp_path, meta(source={"subagent": {"other": "x"}}), said("user", "Hi"))
    assert [i.is_subagent for i in items(path, "codex")] == [True]
    assert "parent" not in dict(facts(path, "codex"))


def test_a_sub_agents_rollout_names_the_thread_that_began_it(tmp_path: Path) -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": "t1", "depth": 1}}}
    assert ("parent", "t1") in facts(rollout(tmp_path, meta(source=source), said("user", "Hi")), "codex")
    review = meta(source={"subagent": "review"}, parent_thread_id="t2")
    assert ("parent", "t2") in facts(rollout(tmp_path, review, said("user", "Hi")), "codex")
    assert "parent" not in dict(facts(rollout(tmp_path, meta(parent_thread_id="t2"), said("user", "Hi")), "codex"))


# Messages


def test_records_up_to_an_output_are_one_response(tmp_path: Path) -> None:
    path = rollout(
        tmp_path,
        meta(),
        item("reasoning", summary=[{"type": "summary_text", "text": "Hm"}], encrypted_content="secret"),
        said("assistant", "Looking."),
        call("c1"),
        item("web_search_call", id="w", action={"query": "q"}),
        item("custom_tool_call", call_id="c2", name="apply_patch", input="*** Begin Patch"),
        item("tool_search_call", call_id="c3", arguments={"query": "x"}),
        item("local_shell_call", call_id="c4", action={"command": ["ls"]}),
        output("c1", "ok"),
        item("custom_tool_call_output", call_id="c2", output=[{"type": "input_text", "text": "done"}]),
        item("tool_search_output", call_id="c3", tools=[{"type": "function_group", "name": "g"}]),
        item("reasoning", summary=[], content=None, encrypted_content="secret"),
        said("assistant", "Done."),
    )
    conversation = load(path)
    assert [m.role for m in conversation.messages] == ["assistant", "tool", "tool", "tool", "assistant"]
    assert conversation.messages[0].parts[:2] == (Thinking("Hm"), Text("Looking."))
    assert conversation.messages[0].calls == (
        ToolCall("c1", "shell", "{}"),
        ToolCall("w", "web_search", '{"query":"q"}'),
        ToolCall("c2", "apply_patch", "*** Begin Patch"),
        ToolCall("c3", "tool_search", '{"query":"x"}'),
        ToolCall("c4", "local_shell", '{"command":["ls"]}'),
    )
    assert conversation.messages[3].text == '[{"type":"function_group","name":"g"}]'
    assert "secret" not in repr(conversation.messages)


@pytest.mark.parametrize(
    "text",
    [
        AGENTS,
        "<environment_context>\n<cwd>/r</cwd>\n</environment_context>",
        "<user_instructions>x</user_instructions>",
        "<turn_aborted>\nx\n</turn_aborted>",
    ],
)
def test_what_codex_writes_is_synthetic(tmp_path: Path, text: str) -> None:
    path = rollout(tmp_path, said("developer", "Anything"), said("user", text), said("user", text, "Do it"))
    conversation = load(path)
    assert [(m.role, m.kind) for m in conversation.messages] == [
        ("developer", "synthetic"),
        ("user", "synthetic"),
        ("user", "said"),
    ]
    assert not conversation.memories  # AGENTS.md stays text here: a rule finds it


def test_messages_between_agents(tmp_path: Path) -> None:
    words = [{"type": "input_text", "text": "Help"}, {"type": "encrypted_content", "encrypted_content": "secret"}]
    path = rollout(tmp_path, said("user", "Hi"), item("agent_message", author="/root", content=words))
    message = load(path).messages[1]
    assert (message.role, message.kind, message.name, message.parts) == ("user", "synthetic", "/root", (Text("Help"),))


def test_images_are_kept_as_they_are(tmp_path: Path) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,@@broken"}
    path = rollout(
        tmp_path,
        item("message", role="user", content=[image]),
        output("c", [{"type": "input_text", "text": "a"}, image]),
    )
    seen, answered = load(path).messages
    assert isinstance(seen.parts[0], Opaque)
    assert json.loads(seen.parts[0].data) == image
    assert answered.parts[0] == ToolResult("c", "a")
    assert isinstance(answered.parts[1], Opaque)


# Outputs


@pytest.mark.parametrize(
    ("told", "text", "code", "failed"),
    [
        ("Wall time: 1\nProcess exited with code 3\nOutput:\nno", None, 3, False),
        ("Exit code: 0\nOutput:\nyes", None, 0, False),
        ('{"output":"no","metadata":{"exit_code":2}}', None, 2, False),
        ('{"exit_code":4}', None, 4, False),
        ("Wall time: 1\nOutput:\nProcess exited with code 9", None, None, False),
        ("{broken", None, None, False),
        ({"content": "no", "success": False}, "no", None, True),
        ({"stdout": "a", "exitCode": 5}, '{"stdout":"a","exitCode":5}', 5, False),
        ([{"type": "input_text", "text": "Script failed"}, {"type": "input_text", "text": "why"}], None, None, True),
        ([1, 2], "[1,2]", None, False),
        (None, "", None, False),
    ],
)
def test_outputs(tmp_path: Path, told: Any, text: str | None, code: int | None, failed: bool) -> None:
    path = rollout(tmp_path, call("c"), output("c", told))
    expected = text if text is not None else told if isinstance(told, str) else "Script failed\nwhy"
    assert load(path).messages[1].parts == (ToolResult("c", expected, failed, code),)


def test_exit_codes_come_from_events_too_but_once(tmp_path: Path) -> None:
    path = rollout(
        tmp_path,
        call("c1"),
        event("exec_command_end", call_id="c1", exit_code=7),
        output("c1", "silent"),
        event("exec_command_end", call_id="lost", exit_code=8),
    )
    assert [f for f in facts(path, "codex") if f[0] == "exit_code"] == [("exit_code", "7"), ("exit_code", "8")]


def test_a_call_without_result_loads(tmp_path: Path) -> None:
    assert unpaired(rollout(tmp_path, call("c1"), call("c2"), output("c2", "ok"))) == (1, 0)


def test_events_add_facts(tmp_path: Path) -> None:
    path = rollout(
        tmp_path,
        said("user", "Hi"),
        line("turn_context", cwd="/r", model="gpt-x"),
        event("error", message="usage limit"),
        event("error", error={"kind": "rate_limit", "message": "slow down"}),
        event("turn_aborted", reason="interrupted"),
        event("thread_name_updated", thread_name="My thread"),
    )
    assert {
        ("model", "gpt-x"),
        ("error", "usage limit"),
        ("error", "slow down"),
        ("interrupted", "interrupted"),
    } <= set(facts(path, "codex"))
    assert load(path).title == "My thread"


# Windows and undone turns


def test_a_compaction_opens_one_window_with_what_it_kept(tmp_path: Path) -> None:
    kept = [said("user", "Hi")["payload"], {"type": "compaction", "encrypted_content": "secret"}]
    path = rollout(
        tmp_path,
        meta(base_instructions={"text": "You are Codex."}),
        said("user", "Hi"),
        said("assistant", "Yo"),
        line("compacted", message="", replacement_history=kept),
        event("context_compacted"),
        said("user", "On"),
        said("assistant", "Ok"),
    )
    conversation = load(path)
    assert conversation.windows == 2
    assert [(m.role, m.text, m.kind) for m in conversation.messages] == [
        ("system", "You are Codex.", "said"),
        ("user", "Hi", "summary"),
        ("user", "On", "said"),
        ("assistant", "Ok", "said"),
    ]
    assert [s.reason for s in conversation.skipped] == ["the compaction's summary is encrypted"]


@pytest.mark.parametrize("history", [None, [said("user", "Prefix. The summary")["payload"]]])
def test_a_summary_is_told_once(tmp_path: Path, history: Any) -> None:
    path = rollout(
        tmp_path, said("user", "Hi"), line("compacted", message="The summary", replacement_history=history), call("c")
    )
    (summary, _) = load(path).messages
    assert (summary.kind, "The summary" in summary.text) == ("summary", True)


def test_a_turn_that_was_rolled_back_is_out(tmp_path: Path) -> None:
    path = rollout(
        tmp_path,
        said("user", "One"),
        said("assistant", "1"),
        said("user", "Wrong"),
        said("assistant", "2"),
        event("thread_rolled_back", num_turns=1),
        said("user", "Right"),
        said("assistant", "3"),
    )
    conversation = load(path)
    assert [m.text for m in conversation.messages] == ["One", "1", "Right", "3"]
    assert [(s.line, "rolled back" in s.reason) for s in conversation.skipped] == [(3, True), (4, True)]


def test_a_compaction_that_was_rolled_back_is_out_and_the_window_goes_on(tmp_path: Path) -> None:
    undone = (said("user", "Wrong"), line("compacted", message="m"), event("thread_rolled_back", num_turns=1))
    path = rollout(tmp_path, said("user", "One"), *undone, world("Use tabs."), said("user", AGENTS), said("user", "On"))
    conversation = load(path)
    assert conversation.windows == 1
    assert [m.text for m in conversation.messages if "Use tabs." in m.text] == [AGENTS]


# AGENTS.md


def world(text: str) -> dict[str, Any]:
    return line("world_state", full=True, state={"agents_md": {"directory": "/r", "text": text}})


def test_agents_md_of_the_world_state_is_a_memory(tmp_path: Path) -> None:
    path = rollout(tmp_path, world("Use tabs."), world("Use tabs."), said("user", "Hi"), world("Use spaces."))
    first, _, last = load(path).messages
    assert memory(first) == ("/r/AGENTS.md", "Use tabs.", "structured")
    assert memory(last) == ("/r/AGENTS.md", "Use spaces.", "structured")
    assert first.kind == "synthetic"


@pytest.mark.parametrize("first", ["message", "world"])
def test_agents_md_that_a_message_shows_is_not_told_twice(tmp_path: Path, first: str) -> None:
    both = [said("user", AGENTS, "<environment_context>x"), world("Use tabs.\n")]
    path = rollout(tmp_path, *(both if first == "message" else reversed(both)))
    assert len(load(path).messages) == 1


def test_agents_md_is_told_again_in_a_window_that_does_not_show_it(tmp_path: Path) -> None:
    path = rollout(
        tmp_path, said("user", AGENTS), line("compacted", message="S"), world("Use tabs."), said("user", "Hi")
    )
    assert [m.key for m in load(path).memories] == ["/r/AGENTS.md"]


def test_each_window_has_its_own_agents_md(tmp_path: Path) -> None:
    shows = line("compacted", message="S", replacement_history=[said("user", AGENTS)["payload"]])
    path = rollout(tmp_path, world("Use tabs."), said("user", "Hi"), shows, world("Use tabs."), said("user", "On"))
    assert [m.key for m in load(path, window=0).memories] == ["/r/AGENTS.md"]
    assert not load(path, window=1).memories


def test_agents_md_is_surfaced_once_a_window(tmp_path: Path) -> None:
    path = rollout(tmp_path, world("Use tabs."), line("compacted", message="S"), world("Use tabs."))
    assert [len(load(path, window=window).memories) for window in (0, 1)] == [1, 1]


# What writers leave behind


def test_two_records_on_a_line_and_a_last_one_cut_off(tmp_path: Path) -> None:
    two = json.dumps(said("user", "Hi")) + json.dumps(said("assistant", "Yo")) + "\n"
    path = rollout(tmp_path, two, json.dumps(said("user", "Gone"))[:-9])
    assert shape(load(path)) == [("user", "Hi"), ("assistant", "Yo")]
    assert [s.line for s in load(path).skipped] == [2]


def test_strings_stay_as_they_are(tmp_path: Path) -> None:
    text = "\x1b[31mred\x1b[0m \x00 a\r\nb [/bold] REDACTED � 漢"
    path = rollout(tmp_path, said("user", text), output("c", text), said("assistant", "x" * 1_000_000))
    assert [m.text for m in load(path).messages[:2]] == [text, text]


def test_unknown_things_are_named(tmp_path: Path) -> None:
    path = rollout(tmp_path, said("user", "Hi"), item("telepathy"), line("hologram", a=1), event("brand_new"), [1])
    assert [s.reason for s in load(path).skipped] == [
        "an item of an unknown type, 'telepathy'",
        "a record of an unknown type, 'hologram'",
        "the value is no record of a rollout",
    ]


def test_fields_of_the_wrong_type_do_no_harm(tmp_path: Path) -> None:
    known = [
        meta(source={"subagent": 1}, base_instructions={"text": "t"}, dynamic_tools=[{}]),
        said("user", "Hi"),
        item("reasoning", summary=[{"type": "summary_text", "text": "t"}]),
        call("c"),
        output("c", "o"),
        event("exec_command_end", call_id="c", exit_code=1),
        event("error", message="m", error={"message": "m"}),
        event("thread_rolled_back", num_turns=1),
        line("compacted", message="m", replacement_history=[{"type": "message", "role": "user", "content": "c"}]),
        world("Use tabs."),
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    ]
    for number, odd in enumerate(odd for record in known for odd in with_odd_fields(record)):
        path = write(tmp_path / f"{number}.jsonl", [odd, said("user", "Still here")])
        sniff(Raw(path))
        assert ("user", "Still here") in shape(load(path, input_format="codex")), odd


# Recognition


def test_a_rollout_without_message_is_refused_and_says_so(tmp_path: Path) -> None:
    path = rollout(tmp_path, meta(), event("token_count", info=None))
    assert sniff(Raw(path)) == Yes(0.9)
    with pytest.raises(SourceError, match="holds no message at all"):
        load(path)


@pytest.mark.parametrize(
    "record",
    [
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "session", "payload": {"id": "x"}},
        {"id": "asst_1", "instructions": "Be kind", "timestamp": 1},
    ],
)
def test_other_files_are_not_claimed(tmp_path: Path, record: dict[str, Any]) -> None:
    assert isinstance(sniff(Raw(rollout(tmp_path, record))), No)


# Real files: messages, responses and memories for each window, and calls without result (web searches have none).
REAL = {
    "fixture-large": ([(15, 7, 0)], 0),
    "rollout-2026-07-01T21-37-06-019f1f9d-3f06-7550-bd6f-5592a5313d51": ([(54, 17, 0)], 6),
    "rollout-2026-07-01T23-54-03-019f201a-9f76-70b2-bd06-2bdba43c1d6c": ([(163, 58, 0), (11, 2, 0)], 0),
    "rollout-2026-07-08T05-13-26-019f4025-2fa5-7123-8a8f-132536957a8c": ([(38, 13, 0)], 0),
    "rollout-2026-07-12T00-06-24-019f53a5-842d-7383-ab2a-2cd26bcf7f02": ([(61, 28, 0)], 0),
    "rollout-2026-07-16T18-14-13-019f6c22-e40a-73b3-99fb-15c4deb3ba1e": ([(63, 29, 0)], 1),
}


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    path = DATA / "codex" / f"{name}.jsonl"
    assert recognise(Raw(path)) is FORMAT
    windows, unanswered = REAL[name]
    assert counts(path) == windows
    assert unpaired(path) == (unanswered, 0)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
def test_the_catalogue_of_record_types_holds_nothing_unknown() -> None:
    path = DATA / "codex" / "fixture-small.jsonl"
    conversation = load(path, window=0)
    assert conversation.windows == 7
    assert [m.key for m in conversation.memories] == ["/tmp/repo/AGENTS.md"]
    assert {s.reason for s in conversation.skipped} == {"the compaction's summary is encrypted"}


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("name", ["050_legacy", "051_usage", "052_raw", "053_rate_limit"])
def test_real_files_without_message_are_refused(name: str) -> None:
    with pytest.raises(SourceError, match="holds no message at all"):
        load(DATA / "codex" / f"fixture-codex_{name}.jsonl")


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
def test_no_other_real_file_is_claimed() -> None:
    others = [p for p in DATA.rglob("*.js*") if p.is_file() and "codex" not in p.parts]
    assert others
    assert [p for p in others if isinstance(sniff(Raw(p)), Yes)] == []
