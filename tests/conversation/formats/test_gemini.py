"""Gemini CLI's sessions: documents, logs in which messages are written anew, compressions, checkpoints."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.load import load
from memscope.conversation.model import (
    Conversation,
    Memory,
    Message,
    Opaque,
    Skipped,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from memscope.conversation.records import Fact
from tests.conversation.formats._any_json import assert_survives, values
from tests.conversation.formats._lines import DATA, ODD, counts, facts, items, shape, told, unpaired, write
from tests.conversation.formats._there_and_back import assert_all_come_back

HEAD = {
    "sessionId": "s1",
    "projectHash": "0b7d",
    "startTime": "2026-04-29T21:39:22.319Z",
    "lastUpdated": "2026-04-29T21:39:22.319Z",
    "kind": "main",
}


def user(name: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "timestamp": "2026-04-29T21:39:33Z", "type": "user", "content": content, **more}


def reply(name: str, content: Any = "", **more: Any) -> dict[str, Any]:
    return user(name, content, **more) | {"type": "gemini", "model": "gemini-3"}


def response(call: str, **said: Any) -> dict[str, Any]:
    return {"functionResponse": {"id": call, "name": "run_shell_command", "response": said}}


def call(name: str, *result: Any, status: str = "success", **more: Any) -> dict[str, Any]:
    made = {"id": name, "name": "run_shell_command", "args": {"command": "ls"}, "status": status}
    return {**made, "result": [*result], "timestamp": "2026-04-29T21:39:40Z", **more}


def replaced(*messages: Any) -> dict[str, Any]:
    return {"$set": {"messages": [*messages], "lastUpdated": "2026"}}


ASK, RAN = user("u1", [{"text": "List."}]), reply("g1", toolCalls=[call("c1", response("c1", output="a.txt"))])
DONE = reply("g2", "Done.")
LOG = [HEAD, ASK, RAN, DONE]
SNAPSHOT = user("k1", [{"text": "<state_snapshot>listed</state_snapshot>"}])


def loaded(tmp_path: Path, *records: Any, window: int | None = None) -> Conversation:
    conversation = load(write(tmp_path / "chats" / "a.jsonl", records), window=window)
    assert conversation.source is not None
    assert conversation.source.format == "gemini"
    return conversation


def facts_of(tmp_path: Path, *records: Any) -> list[tuple[str, str]]:
    return facts(write(tmp_path / "chats" / "a.jsonl", records), "gemini")


def test_a_log(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, *LOG)
    assert shape(conversation) == [("user", "List."), ("assistant", ""), ("tool", "a.txt"), ("assistant", "Done.")]
    assert [m.line for m in conversation.messages] == [2, 3, 3, 4]
    assert conversation.messages[1].parts == (ToolCall("c1", "run_shell_command", '{"command":"ls"}'),)
    assert conversation.messages[2].parts == (ToolResult("c1", "a.txt"),)
    assert conversation.messages[2].name == "run_shell_command"
    assert (conversation.messages[0].id, conversation.messages[0].time) == ("u1", 1777498773.0)
    assert conversation.skipped == ()
    assert facts_of(tmp_path, *LOG) == [("session", "s1"), ("model", "gemini-3")]
    assert unpaired(tmp_path / "chats" / "a.jsonl") == (0, 0)


@pytest.mark.parametrize("name", ["session-a.json", "full.jsonl"])
@pytest.mark.parametrize("indent", [2, None])
def test_a_document(tmp_path: Path, name: str, indent: int | None) -> None:
    document = {**HEAD, "messages": [ASK, RAN, DONE], "summary": "Lists files"}
    (tmp_path / name).write_text(json.dumps(document, indent=indent))
    conversation = load(tmp_path / name)
    assert [m.role for m in conversation.messages] == ["user", "assistant", "tool", "assistant"]
    assert (conversation.title, {m.line for m in conversation.messages}) == ("Lists files", {1})


def test_a_message_written_anew_stays_where_it_was(tmp_path: Path) -> None:
    late = reply("g1", "Wait.", thoughts=[{"subject": "Look", "description": "I look."}, {"description": "More."}])
    conversation = loaded(tmp_path, HEAD, ASK, reply("g1"), DONE, late, user("u2", "Thanks."))
    assert shape(conversation) == [("user", "List."), ("assistant", "Wait.\nDone."), ("user", "Thanks.")]
    thoughts = [p for p in conversation.messages[1].parts if isinstance(p, Thinking)]
    assert thoughts == [Thinking("**Look** I look."), Thinking("More.")]
    assert conversation.skipped == ()


def test_what_was_rewound(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, HEAD, ASK, DONE, {"$rewindTo": "g2"}, user("u2", "Again."))
    assert shape(conversation) == [("user", "List."), ("user", "Again.")]
    assert conversation.skipped == (Skipped(3, "the message was taken back or replaced"),)
    assert shape(loaded(tmp_path, HEAD, ASK, DONE, {"$rewindTo": "u1"}, user("u2", "Again."))) == [("user", "Again.")]
    conversation = loaded(tmp_path, HEAD, ASK, {"$rewindTo": "unheard of"}, user("u2", "Again."))
    assert shape(conversation) == [("user", "Again.")]


def test_messages_replaced_without_a_summary_stay_in_their_window(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, *LOG, replaced(ASK, reply("g1", "Masked.")), user("u2", "And?"))
    assert shape(conversation) == [("user", "List."), ("assistant", "Masked."), ("user", "And?")]
    assert (conversation.windows, [s.line for s in conversation.skipped]) == (1, [4])


def test_a_compression_is_a_window(tmp_path: Path) -> None:
    kept = [user("k3", [{"text": "And now?"}]), reply("k4", [{"text": "Now this."}])]
    records = [*LOG, replaced(SNAPSHOT, reply("k2", "Got it."), *kept), user("u2", "Go on."), reply("g3", "Gone.")]
    last = loaded(tmp_path, *records)
    assert [(m.role, m.kind) for m in last.messages] == [
        *(("user", "summary"), ("assistant", "summary"), ("user", "summary"), ("assistant", "summary")),
        *(("user", "said"), ("assistant", "said")),
    ]
    assert (last.windows, last.responses) == (2, (5,))
    first = loaded(tmp_path, *records, window=0)
    assert shape(first) == [("user", "List."), ("assistant", ""), ("tool", "a.txt"), ("assistant", "Done.")]
    # What is written anew behind it stays carried over, and there is no third window.
    again = loaded(tmp_path, *records, replaced(SNAPSHOT, *kept, user("u2", "Go on.")))
    assert [m.kind for m in again.messages] == ["summary", "summary", "summary", "said"]
    assert again.windows == 2
    assert_all_come_back(tmp_path / "chats" / "a.jsonl", tmp_path)


def test_calls_and_answers_that_are_told_twice(tmp_path: Path) -> None:
    parts = [
        {"text": "Hm.", "thought": True},
        {"functionCall": {"name": "run_shell_command", "args": {"command": "ls"}}},
    ]
    both = reply("g1", parts, thoughts=[{"description": "Hm."}], toolCalls=[call("c1", response("c1", output="a"))])
    conversation = loaded(tmp_path, HEAD, ASK, both, user("u2", [response("c1", output="a")]), DONE)
    assert [m.role for m in conversation.messages] == ["user", "assistant", "tool", "assistant"]
    assert conversation.messages[1].parts == (
        Thinking("Hm."),
        ToolCall("c1", "run_shell_command", '{"command":"ls"}'),
    )


def test_answers_that_stand_among_the_turns_only(tmp_path: Path) -> None:
    parts: list[Any] = [{"functionCall": {"id": name, "name": "read_file", "args": {}}} for name in ("c1", "c2")]
    answers = [response("c1", output="a"), response("c2", error="no such file"), {"text": "Go on."}]
    conversation = loaded(tmp_path, HEAD, ASK, reply("g1", parts), user("u2", answers))
    assert shape(conversation)[2:] == [("tool", "a"), ("tool", "no such file"), ("user", "Go on.")]
    assert conversation.messages[3].parts == (ToolResult("c2", "no such file", is_error=True),)


def test_an_answer_among_those_to_other_calls(tmp_path: Path) -> None:
    turn = [response("c1", output="one"), response("c2", output="two")]
    conversation = loaded(tmp_path, HEAD, ASK, reply("g1", toolCalls=[call("c2", *turn), call("c1", *turn)]))
    assert [(m.role, m.text) for m in conversation.messages[2:]] == [("tool", "two"), ("tool", "one")]


@pytest.mark.parametrize(
    ("made", "result", "fact"),
    [
        (
            call("c", response("c", error="denied"), status="error"),
            ToolResult("c", "denied", True),
            ("error", "denied"),
        ),
        (
            call("c", response("c", output="Output: x\nExit Code: 3\nSignal: 0")),
            ToolResult("c", "Output: x\nExit Code: 3\nSignal: 0", False, 3),
            ("exit_code", "3"),
        ),
        (
            call("c", response("c", error="[Operation Cancelled]"), status="cancelled"),
            ToolResult("c", "[Operation Cancelled]"),
            ("interrupted", "[Operation Cancelled]"),
        ),
        (call("c", "text"), ToolResult("c", "text"), None),
        (call("c", response("c", rows=[1])), ToolResult("c", '{"rows":[1]}'), None),
        (call("c", response("c", output="o\nExit Code: 0\n")), ToolResult("c", "o\nExit Code: 0\n", False, 0), None),
    ],
)
def test_how_a_tool_fared(
    tmp_path: Path, made: dict[str, Any], result: ToolResult, fact: tuple[str, str] | None
) -> None:
    assert loaded(tmp_path, HEAD, ASK, reply("g", toolCalls=[made])).messages[2].parts == (result,)
    assert facts_of(tmp_path, HEAD, ASK, reply("g", toolCalls=[made]))[2:] == ([fact] if fact else [])


def test_a_failed_call_without_an_answer(tmp_path: Path) -> None:
    made = reply("g", toolCalls=[call("c", status="error")])
    assert [m.role for m in loaded(tmp_path, HEAD, ASK, made).messages] == ["user", "assistant"]
    assert ("error", "run_shell_command failed") in facts_of(tmp_path, HEAD, ASK, made)


def test_what_failed_is_told_behind_its_answer(tmp_path: Path) -> None:
    made = reply("g1", toolCalls=[call("c", response("c", error="boom"), status="error")])
    path = write(tmp_path / "a.jsonl", [HEAD, ASK, made, DONE])
    records = [r for r in told(path, "gemini") if isinstance(r, Message) or r == Fact("error", "boom", 3)]
    assert [r.role if isinstance(r, Message) else r.kind for r in records] == [
        *("user", "assistant", "tool", "error", "assistant"),
    ]


def test_sessions_behind_each_other(tmp_path: Path) -> None:
    other = {**HEAD, "sessionId": "s2"}
    documents = [{**HEAD, "messages": [ASK, DONE]}, {**other, "messages": [ASK, RAN]}]
    path = write(tmp_path / "a.jsonl", documents)
    assert [[m.role for m in load(path, item=n).messages] for n in range(2)] == [
        *(["user", "assistant"], ["user", "assistant", "tool"]),
    ]
    path = write(tmp_path / "b.jsonl", [*LOG, HEAD, other, ASK, {"$rewindTo": "u1"}, user("u2", "Show."), DONE])
    assert [[m.text for m in load(path, item=n).messages] for n in range(2)] == [
        *(["List.", "", "a.txt", "Done."], ["Show.", "Done."]),
    ]
    assert [facts(path, "gemini", n)[0] for n in range(2)] == [("session", "s1"), ("session", "s2")]


def test_a_cancelled_call_without_an_answer(tmp_path: Path) -> None:
    made = reply("g", toolCalls=[call("c", status="cancelled")])
    assert [m.role for m in loaded(tmp_path, HEAD, ASK, made).messages] == ["user", "assistant"]
    assert ("interrupted", "run_shell_command was cancelled") in facts_of(tmp_path, HEAD, ASK, made)


def test_notes_are_facts_once(tmp_path: Path) -> None:
    notes = [
        user("i", "Update!", type="info"),
        user("e", "quota", type="error"),
        user("x", "Request cancelled.", type="info"),
    ]
    assert facts_of(tmp_path, HEAD, ASK, *notes, replaced(ASK, *notes))[1:] == [
        ("error", "quota"),
        ("interrupted", "Request cancelled."),
    ]
    assert loaded(tmp_path, HEAD, ASK, *notes).skipped == ()


CONTEXT = """<session_context>
This is the Gemini CLI. We are setting up the context for our chat.
- **Workspace Directories:**
  - /srv/app
- **Directory Structure:**

<loaded_context>
<project_context>
--- Context from: GEMINI.md ---
# Rules
- Indent with tabs, and never with spaces in this project.
- Run the tests before every single commit that is made.
--- End of Context from: GEMINI.md ---

--- Context from: sub/GEMINI.md ---
Say less than you know.
--- End of Context from: elsewhere ---
</project_context>
</loaded_context>
</session_context>"""


def test_project_memory_in_the_first_message(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, HEAD, replaced(user("env", [{"text": CONTEXT}])), ASK, DONE)
    first = conversation.messages[0]
    assert (first.kind, first.text) == ("synthetic", CONTEXT)
    assert first.memories == (
        Memory(
            "GEMINI.md#rules/1",
            "# Rules\n- Indent with tabs, and never with spaces in this project.\n",
            "structured",
        ),
        Memory("GEMINI.md#rules/2", "- Run the tests before every single commit that is made.\n", "structured"),
    )
    assert ("cwd", "/srv/app") in facts_of(tmp_path, HEAD, replaced(user("env", [{"text": CONTEXT}])))
    assert conversation.title == "List."


@pytest.mark.parametrize(
    "text",
    ["/memory show", "?", "<hook_context>x</hook_context>", "Here is the user's editor context as a JSON object."],
)
def test_what_nobody_said_to_the_model(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, HEAD, user("u", text), DONE).messages[0].kind == "synthetic"


def test_a_sub_agent_and_where_it_ran(tmp_path: Path) -> None:
    head = {**HEAD, "sessionId": "s2", "kind": "subagent", "directories": ["/srv/app"]}
    path = write(tmp_path / "chats" / "s1" / "s2.jsonl", [head, ASK, DONE])
    assert facts(path, "gemini") == [("session", "s2"), ("parent", "s1"), ("cwd", "/srv/app"), ("model", "gemini-3")]
    assert [item.is_subagent for item in items(path, "gemini")] == [True]


def test_the_project_is_written_beside_the_sessions(tmp_path: Path) -> None:
    (tmp_path / ".project_root").write_text("/srv/app\n")
    assert facts_of(tmp_path, *LOG)[0] == ("cwd", "/srv/app")


def test_a_pipe_beside_the_sessions_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".project_root")
    pipe = os.open(tmp_path / ".project_root", os.O_RDWR)
    try:
        os.write(pipe, b"x" * 2**15)  # so that whoever reads it does not wait
        assert facts_of(tmp_path, *LOG)[0] == ("session", "s1")
    finally:
        os.close(pipe)


def test_other_parts(tmp_path: Path) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "@@"}}
    conversation = loaded(tmp_path, HEAD, user("u", ["See ", image, {"thoughtSignature": "x"}]), DONE)
    text, picture = conversation.messages[0].parts
    assert text == Text("See ")
    assert isinstance(picture, Opaque)
    assert (picture.kind, json.loads(picture.data)) == ("inlineData", {"type": "inlineData", **image})
    assert_all_come_back(tmp_path / "chats" / "a.jsonl", tmp_path)


TURNS = [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "Hello"}]}]


@pytest.mark.parametrize("value", [TURNS, {"history": TURNS, "authType": "oauth"}])
def test_a_checkpoint(tmp_path: Path, value: Any) -> None:
    assert shape(loaded(tmp_path, value)) == [("user", "Hi"), ("assistant", "Hello")]


def test_a_log_without_its_head(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, *LOG[1:]).messages) == 4


def test_what_is_not_understood(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, *LOG, {"odd": 1}, 5, replaced(ASK, 7, RAN, DONE), '{"id": "u9", "type": "us')
    assert [(s.line, s.reason) for s in conversation.skipped] == [
        (5, "the value is no record of a session"),
        (6, "the value is no record of a session"),
        (7, "the entry is no message"),
        (8, "the last line breaks off"),
    ]
    assert len(conversation.messages) == 4


NAMES = (
    *("sessionId", "projectHash", "messages", "$set", "$rewindTo", "id", "type", "content", "timestamp", "toolCalls"),
    *("thoughts", "result", "status", "args", "name", "functionCall", "functionResponse", "response", "text", "kind"),
    *("role", "parts", "history", "output", "error", "thought", "summary", "directories", "subject", "description"),
)
WORDS = ("user", "gemini", "info", "error", "model", "subagent", "u1", "<state_snapshot>", "cancelled", CONTEXT)
RECORDS = values(NAMES, WORDS)


@given(st.lists(RECORDS, min_size=1, max_size=3), st.lists(RECORDS, max_size=3))
def test_no_json_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, found: list[Any], listed: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-gemini.jsonl"
    assert_survives(path, found, "gemini")
    assert_survives(path, [HEAD, *found, replaced(ASK, *listed), {**HEAD, "messages": listed}], "gemini")


@pytest.mark.parametrize("base", [HEAD, ASK, RAN, reply("g", [{"functionCall": {"name": "a"}}]), SNAPSHOT])
def test_odd_fields(tmp_path: Path, base: dict[str, Any]) -> None:
    odd = [{**base, name: value} for name in base for value in ODD]
    odd += [reply("g", toolCalls=[{**call("c", "x"), name: value}]) for name in call("c") for value in ODD]
    told(write(tmp_path / "a.jsonl", [*LOG, *odd, replaced(*odd)]), "gemini")


@pytest.mark.skipif(not DATA.exists(), reason="the shared sample files are not here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("full-ab2b9748b105.jsonl", [(20, 10, 0)]),
        ("session-9c53780d06b7.json", [(10, 5, 0)]),
        ("gemini-jsonl_v040.jsonl", [(4, 2, 0)]),
    ],
)
def test_real_files(tmp_path: Path, name: str, expected: list[tuple[int, int, int]]) -> None:
    path = DATA / "gemini" / name
    assert counts(path) == expected
    assert load(path).skipped == ()
    assert unpaired(path) == (0, 0) if "full" in name else (unpaired(path)[1] == 0)
    assert_all_come_back(path, tmp_path)
