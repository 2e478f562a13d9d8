"""Claude Code sessions: each quirk of real files, written out small."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json

from memscope.base.errors import SourceError
from memscope.conversation import raw as raw_file
from memscope.conversation.formats import _claude_session, recognise
from memscope.conversation.formats.claude_code import FORMAT, sniff
from memscope.conversation.load import load
from memscope.conversation.model import Memory, Message, Opaque, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Boundary, Item, No, Yes
from tests.conversation.formats._lines import (
    DATA,
    counts,
    facts,
    items,
    memory,
    shape,
    told,
    unpaired,
    with_odd_fields,
    write,
)


def user(uuid: str, content: Any, parent: str | None = None, **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": content}
    return {
        "parentUuid": parent,
        "type": "user",
        "uuid": uuid,
        "isSidechain": False,
        "sessionId": "s",
        "message": message,
        **more,
    }


def reply(uuid: str, content: Any, parent: str | None = None, msg: str = "", **more: Any) -> dict[str, Any]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    message = {"role": "assistant", "id": msg or f"msg-{uuid}", "model": "claude-x", "content": blocks}
    return {**user(uuid, "", parent), "type": "assistant", "message": message, **more}


def use(call: str, name: str = "Bash") -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": name, "input": {"command": call}}


def result(call: str, content: Any = "ok", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call, "content": content, **more}


def attachment(uuid: str, kind: str, **more: Any) -> dict[str, Any]:
    return {**user(uuid, ""), "type": "attachment", "attachment": {"type": kind, **more}}


def session(tmp_path: Path, *records: Any) -> Path:
    return write(tmp_path / "s.jsonl", records)


# Replies


def test_records_of_one_api_message_are_one_response(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        user("u1", "Hi"),
        reply("a1", [{"type": "thinking", "thinking": "Hm."}], "u1", msg="m"),
        reply("a2", "Hello.", "a1", msg="m"),
        reply("a3", [use("c1")], "a2", msg="m"),
    )
    conversation = load(path)
    assert [m.role for m in conversation.messages] == ["user", "assistant"]
    parts = conversation.messages[1].parts
    assert parts == (Thinking("Hm."), Text("Hello."), ToolCall("c1", "Bash", '{"command":"c1"}'))


def test_a_result_written_before_the_rest_of_the_reply_goes_behind_it(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        user("u1", "Look"),
        reply("a1", [use("c1")], "u1", msg="m"),
        user("r1", [result("c1", "one")], "a1"),
        reply("a2", [use("c2")], "a1", msg="m"),
        user("r2", [result("c2", "two")], "a2"),
        reply("a3", "Done", "r2"),
    )
    conversation = load(path)
    assert [m.role for m in conversation.messages] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [c.id for c in conversation.messages[1].calls] == ["c1", "c2"]
    assert not conversation.skipped


def test_replies_on_both_sides_of_a_result_stay_two(tmp_path: Path) -> None:
    path = session(tmp_path, reply("a1", [use("c1")]), user("r1", [result("c1")]), reply("a2", "Done"))
    assert len(load(path).responses) == 2


@pytest.mark.parametrize(
    ("more", "model", "expected"),
    [({"isApiErrorMessage": True}, "<synthetic>", [("error", "API Error: 500")]), ({}, "<synthetic>", [])],
)
def test_words_of_the_program_are_no_response(
    tmp_path: Path, more: dict[str, Any], model: str, expected: list[tuple[str, str]]
) -> None:
    record = reply("a2", "API Error: 500", "u1", **more)
    record["message"]["model"] = model
    path = session(tmp_path, user("u1", "Hi"), record, reply("a3", "Hello", "u1"))
    assert shape(load(path)) == [("user", "Hi"), ("assistant", "Hello")]
    assert [f for f in facts(path, "claude-code") if f[0] == "error"] == expected
    assert len(load(path).skipped) == (0 if expected else 1)


def test_superseded_and_retracted_replies_are_out_and_counted(tmp_path: Path) -> None:
    retraction = {"type": "system", "subtype": "api_refusal", "uuid": "x", "retractedMessageUuids": ["a3"]}
    path = session(
        tmp_path,
        user("u1", "Hi"),
        reply("a1", "Half a", "u1"),
        reply("a2", "Whole", "u1", supersedesUuids=["a1"]),
        user("u2", "And?", "a2"),
        reply("a3", "No", "u2"),
        retraction,
        reply("a4", "Yes", "u2"),
    )
    conversation = load(path)
    assert [m.text for m in conversation.messages] == ["Hi", "Whole", "And?", "Yes"]
    assert [s.line for s in conversation.skipped] == [2, 5]


@pytest.mark.parametrize("in_one_record", [True, False])
def test_a_memory_inside_a_response_is_its_text(tmp_path: Path, in_one_record: bool) -> None:
    marked, text = {"type": "text", "text": "Tabs.", "memory_key": "tabs"}, {"type": "text", "text": "Done."}
    pieces = [[marked, text]] if in_one_record else [[marked], [text]]
    conversation = load(session(tmp_path, user("u", "Hi"), *(reply(f"a{i}", p, msg="m") for i, p in enumerate(pieces))))
    assert conversation.messages[1].parts == (Text("Tabs.\n"), Text("Done."))
    assert (conversation.memories, len(conversation.skipped)) == ((), 1)


def test_a_reply_of_many_pieces_takes_no_time(tmp_path: Path) -> None:
    path = session(tmp_path, *(reply(f"a{n}", "x", msg="m") for n in range(20_000)))
    assert [len(m.parts) for m in load(path).messages] == [20_000]


# Tool results


def test_tool_results_are_messages_of_their_own(tmp_path: Path) -> None:
    image = {"type": "image", "source": {"type": "base64", "data": "@@ broken @@"}}
    blocks = [result("c1", [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}, image]), result("c2")]
    path = session(tmp_path, user("u", [*blocks, {"type": "text", "text": "go on"}]))
    first, second, said = load(path).messages
    assert first.parts[0] == ToolResult("c1", "one\ntwo")
    assert isinstance(first.parts[1], Opaque)
    assert json.loads(first.parts[1].data) == image
    assert second.parts == (ToolResult("c2", "ok"),)
    assert (said.role, said.text) == ("user", "go on")


def test_a_memory_in_a_tool_result_keeps_its_place(tmp_path: Path) -> None:
    blocks = [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", "memory_key": "k"},
        {"type": "text", "text": "c"},
    ]
    (message,) = load(session(tmp_path, user("u", [result("c", blocks)]))).messages
    assert message.parts == (ToolResult("c", "a\n"), Memory("k", "b\n"), Text("c"))


@pytest.mark.parametrize("text", ["Exit code 2\nno such file", "Error: Exit code 2\nno such file"])
def test_a_failure_is_a_fact_with_its_exit_code(tmp_path: Path, text: str) -> None:
    path = session(tmp_path, reply("a", [use("c")]), user("u", [result("c", text, is_error=True)]))
    assert load(path).messages[1].parts == (ToolResult("c", text, is_error=True, exit_code=2),)
    assert facts(path, "claude-code")[-2:] == [("exit_code", "2"), ("error", text)]


def test_an_exit_code_in_the_words_of_a_tool_that_worked_is_none(tmp_path: Path) -> None:
    path = session(tmp_path, user("u", [result("c", "Exit code 2 means trouble")]))
    assert load(path).messages[0].parts == (ToolResult("c", "Exit code 2 means trouble"),)


def test_calls_without_result_and_results_without_call_load(tmp_path: Path) -> None:
    path = session(tmp_path, reply("a", [use("c1")]), user("u", [result("c2")]))
    assert unpaired(path) == (1, 1)


# Kinds


@pytest.mark.parametrize(
    "text",
    [
        "<command-name>/exit</command-name>",
        "<local-command-stdout>Bye</local-command-stdout>",
        "<task-notification>done</task-notification>",
        "Base directory for this skill: /x\n\n# Skill",
        "Stop hook feedback:\nrun the tests",
        "[Request interrupted by user for tool use]",
    ],
)
def test_what_software_wrote_is_synthetic(tmp_path: Path, text: str) -> None:
    path = session(tmp_path, user("u", text), user("v", [{"type": "text", "text": text}]), user("w", "Mine"))
    assert [m.kind for m in load(path).messages] == ["synthetic", "synthetic", "said"]


def test_meta_messages_are_synthetic_and_reminders_beside_words_are_not(tmp_path: Path) -> None:
    blocks = [{"type": "text", "text": "<system-reminder>x</system-reminder>"}, {"type": "text", "text": "Do it"}]
    path = session(tmp_path, user("u", "Caveat", isMeta=True), user("v", blocks), user("w", blocks[:1]))
    assert [m.kind for m in load(path).messages] == ["synthetic", "said", "synthetic"]


def test_an_interruption_is_a_fact(tmp_path: Path) -> None:
    path = session(tmp_path, user("u", [{"type": "text", "text": "[Request interrupted by user]"}]))
    assert ("interrupted", "[Request interrupted by user]") in facts(path, "claude-code")


# Context windows

BOUNDARY = {"type": "system", "subtype": "compact_boundary", "uuid": "b", "parentUuid": None, "isSidechain": False}


@pytest.mark.parametrize("marks", ["boundary, summary", "summary", "summary, boundary", "boundary"])
def test_a_compaction_opens_one_window(tmp_path: Path, marks: str) -> None:
    known = {
        "boundary": {**BOUNDARY, "logicalParentUuid": "a1"},
        "summary": user("c", "Summary.", "b", isCompactSummary=True),
    }
    between = [known[mark] for mark in marks.split(", ")]
    path = session(
        tmp_path, user("u1", "Hi"), reply("a1", "Yo", "u1"), *between, user("u2", "On", "c"), reply("a2", "Ok", "u2")
    )
    conversation = load(path)
    assert conversation.windows == 2
    expected = [("user", "Summary.", "summary")] if "summary" in marks else []
    found = [(m.role, m.text, m.kind) for m in conversation.messages]
    assert found == [*expected, ("user", "On", "said"), ("assistant", "Ok", "said")]
    assert shape(load(path, window=0)) == [("user", "Hi"), ("assistant", "Yo")]
    assert not conversation.skipped


def test_two_compactions_open_two_windows(tmp_path: Path) -> None:
    def summary(uuid: str) -> dict[str, Any]:
        return user(uuid, "This session is being continued from a previous conversation", isCompactSummary=True)

    path = session(
        tmp_path, reply("a", "1"), BOUNDARY, summary("s1"), reply("b2", "2"), {**BOUNDARY, "uuid": "b3"}, summary("s2")
    )
    assert load(path).windows == 3
    assert sum(isinstance(r, Boundary) for r in told(path, "claude-code")) == 2


# The tree


def test_a_rewound_prompt_takes_its_branch_with_it(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        user("u1", "Hi"),
        reply("a1", "Hello", "u1"),
        user("u2", "Wrong", "a1"),
        reply("a2", "As you wish", "u2"),
        user("u3", "Right", "a1"),
        reply("a3", "Better", "u3"),
    )
    conversation = load(path)
    assert [m.text for m in conversation.messages] == ["Hi", "Hello", "Right", "Better"]
    assert [(s.line, "rewound" in s.reason) for s in conversation.skipped] == [(3, True), (4, True)]


def test_a_reply_that_was_undone_is_out(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        user("u1", "Hi"),
        reply("a1", "Hello", "u1"),
        user("r", [result("c")], "a1"),
        reply("a2", "More", "r"),
        user("u2", "Again", "r"),
        reply("a3", "Other", "u2"),
    )
    assert [m.text for m in load(path).messages] == ["Hi", "Hello", "ok", "Again", "Other"]


@pytest.mark.parametrize("parent", [None, "nowhere"])
def test_a_torn_tree_keeps_the_file_order(tmp_path: Path, parent: str | None) -> None:
    path = session(
        tmp_path,
        user("u1", "One", "not here"),
        reply("a1", "1", "u1"),
        user("u2", "Two", parent),
        reply("a2", "2", "u2"),
        user("u3", "Three", parent),
        reply("a3", "3", "u3"),
    )
    conversation = load(path)
    assert [m.text for m in conversation.messages] == ["One", "1", "Two", "2", "Three", "3"]
    assert not conversation.skipped


def test_a_rewind_behind_a_torn_place_is_still_seen(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        reply("a1", "1"),
        user("u2", "Wrong", "a1"),
        user("u3", "Right", "a1"),
        reply("a3", "3", "gone"),
        user("u4", "On", "a3"),
    )
    assert [m.text for m in load(path).messages] == ["1", "Right", "3", "On"]


def test_results_of_parallel_tools_off_the_chain_stay(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        user("u1", "Look"),
        reply("a1", [use("c1")], "u1", msg="m"),
        reply("a2", [use("c2")], "a1", msg="m"),
        user("r1", [result("c1")], "a1"),
        user("r2", [result("c2")], "a2"),
        reply("a3", "Done", "r2"),
        user("u2", "Next", "a3"),
    )
    assert len(load(path).messages) == 6
    assert not load(path).skipped


OFF_THE_CHAIN = {
    "another piece of the reply": reply("a2", "More of it", "a1", msg="m"),
    "a note of the program": user("x", "Caveat", "a1", isMeta=True),
    "an interruption": user("x", "[Request interrupted by user]", "a1"),
}


@pytest.mark.parametrize("name", OFF_THE_CHAIN)
def test_what_a_rewind_does_not_explain_stays(tmp_path: Path, name: str) -> None:
    path = session(
        tmp_path, user("u1", "Hi"), reply("a1", "Hello", "u1", msg="m"), OFF_THE_CHAIN[name], user("u2", "On", "a1")
    )
    assert not load(path).skipped


def test_a_prompt_written_after_the_one_that_goes_on_stays(tmp_path: Path) -> None:
    path = session(tmp_path, reply("a1", "1"), user("u2", "On", "a1"), user("x", "Also", "a1"), reply("a2", "2", "u2"))
    assert [m.text for m in load(path).messages] == ["1", "On", "Also", "2"]


def test_a_resumed_session_repeats_nothing(tmp_path: Path) -> None:
    old = [user("u1", "Hi"), reply("a1", "Hello", "u1")]
    again = [{**record, "sessionId": "s2"} for record in old]
    path = session(tmp_path, *old, *again, user("u2", "More", "a1"), reply("a2", "Yes", "u2"))
    conversation = load(path)
    assert [m.text for m in conversation.messages] == ["Hi", "Hello", "More", "Yes"]
    assert [(s.line, "repeat" in s.reason) for s in conversation.skipped] == [(3, True), (4, True)]


def test_a_uuid_that_names_two_messages_loses_neither(tmp_path: Path) -> None:
    retraction = {"type": "system", "subtype": "api_refusal", "uuid": "y", "retractedMessageUuids": ["x"]}
    path = session(tmp_path, user("x", "One", "x"), reply("x", "Two", "x"), user("x", "Three", "x"), retraction)
    assert [m.text for m in load(path).messages] == ["One", "Two", "Three"]


def test_file_order_rules_over_timestamps(tmp_path: Path) -> None:
    late, early = "2026-01-02T00:00:00.000Z", "2026-01-01T00:00:00.000Z"
    path = session(tmp_path, user("u", "1", timestamp=late), user("v", "2", "u", timestamp=early), user("w", "3", "v"))
    messages = load(path).messages
    assert [m.text for m in messages] == ["1", "2", "3"]
    assert [m.time for m in messages] == [1767312000.0, 1767225600.0, None]


# Sub-agents


def side(record: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**record, "isSidechain": True, **more}


def report(uuid: str, said: dict[str, Any], parent: str, agent: str = "a7") -> dict[str, Any]:
    """A sub-agent's message in a record of its progress, as old versions wrote them."""
    inner = {name: said[name] for name in ("type", "uuid", "message")}
    data = {"type": "agent_progress", "agentId": agent, "message": inner, "normalizedMessages": []}
    around = {name: value for name, value in user(uuid, "", parent).items() if name != "message"}
    return {**around, "type": "progress", "data": data}


REPORTS = [
    user("u1", "Hi"),
    reply("a1", [use("c1", "Task")], "u1"),
    report("p1", user("x1", "Look it up"), "a1"),
    report("p2", reply("x2", [use("d1")], msg="m"), "p1"),
    report("p3", user("x3", [result("d1")]), "p2"),
    report("p4", reply("x4", "Found it"), "p3"),
    user("u2", [result("c1")], "p4"),
    reply("a2", "Done", "u2"),
]


def test_a_sub_agent_names_its_session(tmp_path: Path) -> None:
    own = [side(user("x1", "Look it up"), agentId="a7"), side(reply("x2", "All", "x1"), agentId="a7")]
    agent = write(tmp_path / "s" / "subagents" / "agent-a7.jsonl", own)
    path = session(tmp_path, user("u1", "Hi"), side(user("y1", "Another")))
    names = [dict(facts(path, "claude-code", n)) for n in range(3)]
    assert [(told.get("session"), told.get("parent")) for told in names] == [("s", None), (None, "s"), ("a7", "s")]
    assert dict(facts(agent, "claude-code")).get("parent") == "s"


def test_reports_of_progress_are_a_sub_agent_s_conversation(tmp_path: Path) -> None:
    path = session(tmp_path, *REPORTS)
    assert [(i.title, i.is_subagent) for i in items(path, "claude-code")] == [("", False), ("Look it up", True)]
    assert [m.text for m in load(path).messages] == ["Hi", "", "ok", "Done"]
    told = load(path, item=1)
    assert [(m.role, m.text, m.line) for m in told.messages] == [
        ("user", "Look it up", 3),
        ("assistant", "", 4),
        ("tool", "ok", 5),
        ("assistant", "Found it", 6),
    ]
    assert told.skipped == ()


def test_a_sub_agent_with_a_file_is_not_read_from_reports_too(tmp_path: Path) -> None:
    path = session(tmp_path, *REPORTS)
    folder = tmp_path / "s" / "subagents"
    folder.mkdir(parents=True)
    write(folder / "agent-a7.jsonl", [side(user("x1", "Look it up"), agentId="a7"), side(reply("x2", "All", "x1"))])
    assert [m.text for m in load(path, item=1).messages] == ["Look it up", "All"]
    assert load(path).items == 2


def test_sidechains_are_conversations_after_the_main_one(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        side(user("x1", "Task one")),
        side(user("y1", "Task two")),
        user("u1", "Hi"),
        side(reply("x2", "One done", "x1")),
        reply("a1", "Hello", "u1"),
        side(reply("y2", "Two done", "y1")),
    )
    assert [(i.title, i.is_subagent) for i in items(path, "claude-code")] == [
        ("", False),
        ("Task one", True),
        ("Task two", True),
    ]
    assert shape(load(path)) == [("user", "Hi"), ("assistant", "Hello")]
    assert shape(load(path, item=1)) == [("user", "Task one"), ("assistant", "One done")]
    assert shape(load(path, item=2)) == [("user", "Task two"), ("assistant", "Two done")]


def test_a_torn_sidechain_is_put_together_by_its_agent(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        user("u1", "Hi"),
        side(user("x1", "Task one", agentId="1")),
        side(user("y1", "Task two", agentId="2")),
        side(reply("x2", "One done", "gone", agentId="1")),
    )
    assert shape(load(path, item=1)) == [("user", "Task one"), ("assistant", "One done")]
    assert shape(load(path, item=2)) == [("user", "Task two")]


def test_side_files_follow_and_open_by_themselves(tmp_path: Path) -> None:
    main = session(tmp_path, user("u1", "Hi"), reply("a1", "Hello", "u1"))
    below = [side(user("x", "Below", agentId="1")), side(reply("y", "Yes", "x", agentId="1"))]
    agent = write(tmp_path / "s" / "subagents" / "agent-1.jsonl", below)
    write(tmp_path / "agent-2.jsonl", [side(user("x", "Beside"))])
    write(tmp_path / "agent-3.jsonl", [side(user("x", "Another session's"), sessionId="other")])
    write(tmp_path / "s" / "subagents" / "agent-4.jsonl", [])
    assert [i.title for i in items(main, "claude-code")] == ["", "Below", "Beside"]
    assert shape(load(main, item=1)) == shape(load(agent)) == [("user", "Below"), ("assistant", "Yes")]
    assert load(agent).items == 1
    assert items(agent, "claude-code")[0].is_subagent


@pytest.mark.parametrize("agents", [1, 2, 40])
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_session_is_parsed_once_or_three_times_however_many_sub_agents_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agents: int, is_kept: bool
) -> None:
    tasks = [side(user(f"x{n}", f"Task {n}")) for n in range(agents)]
    path = session(
        tmp_path, user("u", "Hi"), *tasks, "broken\n", *(side(reply(f"y{n}", "Done", f"x{n}")) for n in range(agents))
    )
    if not is_kept:
        monkeypatch.setattr(raw_file, "_MOST_KEPT", path.stat().st_size - 1)
    times: Counter[bytes] = Counter()

    def counting(data: bytes, **how: Any) -> Any:
        times[data] += 1
        return from_json(data, **how)

    monkeypatch.setattr(raw_file, "from_json", counting)
    found = [list(i.records) for i in FORMAT.conversations(Raw(path)) if isinstance(i, Item)]
    assert [[r.text for r in records if isinstance(r, Message)] for records in found] == [
        ["Hi"],
        *([f"Task {n}", "Done"] for n in range(agents)),
    ]
    assert [sum(isinstance(r, Skipped) for r in records) for records in found] == [1] * (agents + 1)
    assert len(times) == 2 * agents + 2
    assert set(times.values()) == {1 if is_kept else 3}  # what hangs together, the main conversation, the sub-agents


def test_a_folder_of_sessions_is_searched_once_for_sub_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    for n in range(8):
        write(folder / f"{n}.jsonl", [user("u", "Hi", sessionId=f"s{n}")])
        write(folder / f"agent-{n}.jsonl", [side(user("x", f"Task {n}", sessionId=f"s{n}"))])
    opened = []
    session_of = _claude_session._session_of
    monkeypatch.setattr(_claude_session, "_session_of", lambda path: (opened.append(path), session_of(path))[1])
    assert [items(folder / f"{n}.jsonl", "claude-code")[1].title for n in range(8)] == [f"Task {n}" for n in range(8)]
    assert len(opened) == 8
    write(folder / "agent-9.jsonl", [side(user("x", "A later task", sessionId="s0"))])
    os.utime(folder, (2e9, 2e9))  # a clock may tick less often than this test writes
    assert [i.title for i in items(folder / "0.jsonl", "claude-code")] == ["", "Task 0", "A later task"]


def test_a_sub_agent_that_has_just_begun_is_found_once_it_says_so(tmp_path: Path) -> None:
    main = session(tmp_path, user("u", "Hi"))
    agent = write(tmp_path / "agent-1.jsonl", [])
    assert len(items(main, "claude-code")) == 1
    write(agent, [side(user("x", "Task"))])
    assert [i.title for i in items(main, "claude-code")] == ["", "Task"]


# Memories and other attachments


def test_nested_memory(tmp_path: Path) -> None:
    content = {"path": "/r/sub/CLAUDE.md", "type": "Project", "content": "Use tabs.\n"}
    path = session(tmp_path, attachment("n", "nested_memory", path="/r/sub/CLAUDE.md", content=content))
    (message,) = load(path).messages
    assert memory(message) == ("/r/sub/CLAUDE.md", "Use tabs.\n", "structured")
    assert (message.role, message.kind, message.is_memory) == ("user", "synthetic", True)


def test_relevant_memories_are_one_each(tmp_path: Path) -> None:
    entries = [{"path": "/m/a.md", "content": "A"}, {"path": "/m/b.md", "content": "B"}]
    messages = load(session(tmp_path, attachment("n", "relevant_memories", memories=entries))).messages
    assert [memory(m) for m in messages] == [("/m/a.md", "A", "structured"), ("/m/b.md", "B", "structured")]


def test_what_hooks_add_is_a_memory(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        attachment("h", "hook_additional_context", hookName="SessionStart:startup", content=["One", "Two"]),
        attachment("i", "hook_additional_context", hookEvent="UserPromptSubmit", content="Three", command="c d"),
        attachment(
            "j", "hook_success", hookName="SessionStart", hookEvent="SessionStart", content="Four", command="a b"
        ),
        attachment("k", "hook_success", hookName="PreToolUse", hookEvent="PreToolUse", content="for the screen"),
    )
    *added, printed = load(path).messages
    assert [memory(m)[:2] for m in added] == [
        ("hook:SessionStart:startup/1", "One"),
        ("hook:SessionStart:startup/2", "Two"),
        ("hook:UserPromptSubmit/c-d", "Three"),
    ]
    assert (printed.parts, printed.role, printed.kind) == ((Text("Four"),), "user", "synthetic")


def test_attachments_that_carry_text_are_messages(tmp_path: Path) -> None:
    file = {"type": "text", "file": {"filePath": "/r/a", "content": "A file"}}
    path = session(
        tmp_path,
        attachment("1", "edited_text_file", filename="/r/a", snippet="1 new"),
        attachment("2", "file", filename="/r/a", content=file),
        attachment("3", "queued_command", prompt="Also this", commandMode="prompt"),
        attachment("4", "queued_command", prompt="It ended", commandMode="task-notification"),
        attachment("5", "task_reminder", content=[]),
        attachment("6", "brand_new"),
    )
    conversation = load(path)
    assert [(m.text, m.kind) for m in conversation.messages] == [
        ("1 new", "synthetic"),
        ("A file", "synthetic"),
        ("Also this", "said"),
        ("It ended", "synthetic"),
    ]
    assert [s.reason for s in conversation.skipped] == ["an attachment of an unknown type, 'brand_new'"]


# Facts, and records that are no messages


def test_facts(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        {"type": "summary", "summary": "Of another session", "leafUuid": "zz"},
        {"type": "custom-title", "customTitle": "Mine", "sessionId": "s"},
        {"type": "ai-title", "aiTitle": "Made up", "sessionId": "s"},
        user("u", "Hi", cwd="/r", gitBranch="main"),
        reply("a", "Yo", "u", cwd="/r"),
        {"type": "pr-link", "prRepository": "org/repo", "sessionId": "s"},
        {"type": "system", "subtype": "api_error", "error": {"error": {"error": {"message": "overloaded"}}}},
    )
    found = facts(path, "claude-code")
    assert found.count(("cwd", "/r")) == 1
    assert {("session", "s"), ("branch", "main"), ("model", "claude-x"), ("repository", "org/repo")} <= set(found)
    assert ("title", "Made up") not in found
    assert found[-1][0] == "error"
    assert "overloaded" in found[-1][1]
    assert load(path).title == "Mine"


def test_only_unknown_records_are_counted_as_skipped(tmp_path: Path) -> None:
    path = session(
        tmp_path,
        user("u", "Hi"),
        {"type": "progress", "uuid": "p", "data": {}},
        {"type": "file-history-snapshot", "messageId": "u"},
        {"type": "system", "subtype": "turn_duration", "uuid": "t"},
        {"type": "queue-operation", "operation": "enqueue"},
        {"type": "hologram"},
    )
    assert [s.reason for s in load(path).skipped] == ["a record of an unknown type, 'hologram'"]


# What writers leave behind


def test_two_records_on_a_line_and_a_last_one_cut_off(tmp_path: Path) -> None:
    two = json.dumps(user("u1", "Hi")) + json.dumps(reply("a1", "Hello", "u1")) + "\n"
    path = session(tmp_path, two, user("u2", "More", "a1"), json.dumps(reply("a2", "Gone", "u2"))[:-20])
    conversation = load(path)
    assert [m.text for m in conversation.messages] == ["Hi", "Hello", "More"]
    assert [(s.line, s.reason) for s in conversation.skipped] == [(3, "the last line breaks off")]


def test_a_file_without_final_newline_loses_nothing(tmp_path: Path) -> None:
    path = session(tmp_path, user("u1", "Hi"), json.dumps(reply("a1", "Hello", "u1")))
    assert len(load(path).messages) == 2


def test_strings_stay_as_they_are(tmp_path: Path) -> None:
    text = "\x1b[31mred\x1b[0m \x00 a\r\nb [/bold] REDACTED � 漢"
    path = session(tmp_path, user("u", text), user("v", [result("c", text)]), reply("a", "x" * 1_500_000))
    messages = load(path).messages
    assert [m.text for m in messages[:2]] == [text, text]
    assert len(messages[2].text) == 1_500_000


def test_images_are_kept_and_never_decoded(tmp_path: Path) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "not base64 \u0000"}}
    (message,) = load(session(tmp_path, user("u", [image, {"type": "text", "text": "See"}]))).messages
    assert isinstance(message.parts[0], Opaque)
    assert json.loads(message.parts[0].data) == image
    assert message.text == "See"


def test_fields_of_the_wrong_type_do_no_harm(tmp_path: Path) -> None:
    known = [
        reply("a", [use("c")], "u", supersedesUuids=["z"], agentId="1", timestamp="2026-01-01T00:00:00Z"),
        user("r", [result("c", "no", is_error=True)], "a", isCompactSummary=True),
        attachment("n", "relevant_memories", memories=[{"path": "p", "content": "c"}]),
        attachment("h", "hook_additional_context", hookName="h", content=["c"]),
        attachment("q", "queued_command", prompt="p", commandMode="prompt", origin={"kind": "human"}),
        {"type": "summary", "summary": "s", "leafUuid": "u"},
        {"type": "system", "subtype": "api_error", "uuid": "e", "error": {"message": "m"}},
    ]
    for number, odd in enumerate(odd for record in known for odd in with_odd_fields(record)):
        path = write(tmp_path / f"{number}.jsonl", [odd, user("last", "Still here")])
        sniff(Raw(path))
        assert ("user", "Still here") in shape(load(path, input_format="claude-code")), odd


# Recognition


def test_it_is_recognised_by_content(tmp_path: Path) -> None:
    assert recognise(Raw(session(tmp_path, user("u", "Hi")))) is FORMAT


def test_a_session_without_message_is_refused_and_says_so(tmp_path: Path) -> None:
    path = session(tmp_path, {"type": "summary", "summary": "Old", "leafUuid": "x"}, {"type": "mode", "sessionId": "s"})
    assert sniff(Raw(path)) == Yes(0.9)
    with pytest.raises(SourceError, match="holds no message at all"):
        load(path)


@pytest.mark.parametrize(
    "record",
    [
        {"role": "user", "message": {"content": [{"type": "text", "text": "Hi"}]}},
        {"type": "message", "id": "1", "parentId": None, "message": {"role": "user", "content": "Hi"}},
        {"type": "user", "message": {"role": "user", "content": "Hi"}},
        {"role": "user", "content": "Hi"},
    ],
)
def test_other_agents_are_not_claimed(tmp_path: Path, record: dict[str, Any]) -> None:
    assert isinstance(sniff(Raw(session(tmp_path, record))), No)


# Real files: messages, responses and memories for each window of each item. Responses were counted by hand as the
# distinct API message ids of the main conversation.
REAL = {
    "12910ac6-acd5-45da-be15-84a7817db5d4": [(167, 78, 0)],
    "15a48867-a078-4afc-afaa-c00798fc36e8": [(109, 52, 0), (17, 5, 0)],
    "19abe528-a510-4c89-a1f8-138956474766": [(10, 5, 0)],
    "21a2e002-8b63-45db-8e0d-1978fe0600aa": [(25, 12, 0), (84, 42, 0)],
    "22c5d52e-9602-4ffe-aaa1-0265b115ef3d": [(25, 10, 0)],
    "30530d66-37fb-4f3b-aa5f-d92b6a8afae2": [(43, 15, 0)],
    "488c5296-fc78-4fdf-8cfd-f1cae9454bd0": [(13, 6, 0)],
    "4c289ca8-f8bb-4588-8400-88b78beb784d": [(12, 5, 0)],
    "50a7220d-7250-46f3-b38e-b716ce25032e": [(4, 2, 0), (4, 2, 0)],
    "50a7220d-7250-46f3-b38e-b716ce25032e/subagents/agent-a21e2f5": [(4, 2, 0)],
    "53ea1606-cf60-417b-928a-068324ecc7b3": [(110, 36, 0), (36, 14, 0)],
    "5c0375b4-57a5-4f26-b12d-d022ee4e51b7": [(25, 10, 0), (6, 3, 0), (14, 7, 0)],
    "9c4f30d9-7a7f-49b7-93b3-062fbf14c199": [(55, 24, 0)],
    "a032db5a-df02-44d7-ab1e-fb024213ecc4": [(134, 56, 0)],
    "b02ed4d8-1f00-45cc-949f-3ea63b2dbde2": [(6, 3, 0)],
    "ce24e94d-ea12-40cb-9b87-ceb55770af78": [(11, 4, 0)],
    "fe5e1c67-53e7-4862-81ae-d0e013e3270b": [
        (23, 9, 0),
        (18, 9, 0),
        (68, 34, 0),
        (80, 40, 0),
        (50, 25, 0),
        (106, 53, 0),
    ],
}


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    path = DATA / "claude-code" / f"{name}.jsonl"
    assert recognise(Raw(path)) is FORMAT
    assert counts(path) == REAL[name]
    assert unpaired(path) == (0, 0)
    lost = [s.line for s in load(path).skipped if "rewound" in s.reason]
    assert lost == ([66] if name.startswith("9c4f30d9") else [])


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
def test_the_catalogue_of_record_types_holds_nothing_unknown() -> None:
    conversation = load(DATA / "claude-code" / "schema-catalogue-claude.jsonl", window=0)
    assert {m.key for m in conversation.memories} == {"/tmp/repo/CLAUDE.md", "hook:example"}
    assert not [s for s in conversation.skipped if "unknown" in s.reason]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")
def test_no_other_real_file_is_claimed() -> None:
    others = [p for p in DATA.rglob("*.js*") if p.is_file() and "claude-code" not in p.parts]
    assert others
    assert [p for p in others if isinstance(sniff(Raw(p)), Yes)] == []
