"""Hermes sessions in their four shapes, with what their writers do to them."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from memscope.base.errors import SourceError
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Message, Skipped, Text, Thinking, ToolResult
from memscope.conversation.records import Fact
from tests.conversation.formats._lines import items, told

META = {
    "role": "session_meta",
    "tools": [{"type": "function", "function": {"name": "terminal"}}],
    "model": "glm-5",
    "platform": "cli",
    "timestamp": "2026-05-04T23:21:27.949637",
}
ASK = {"role": "user", "content": "List.", "timestamp": "2026-05-04T23:21:28.000001"}
CALL = {
    "role": "assistant",
    "content": "",
    "reasoning": "I look.",
    "finish_reason": "tool_calls",
    "tool_calls": [
        {"id": "c1", "call_id": "c1", "type": "function", "function": {"name": "terminal", "arguments": '{"c": "ls"}'}}
    ],
    "timestamp": "2026-05-04T23:21:29",
}
ANSWER = {"role": "assistant", "content": "Done.", "timestamp": "2026-05-04T23:21:31"}
SUMMARY = "[CONTEXT COMPACTION — REFERENCE ONLY] Earlier turns were compacted."
END = "--- END OF CONTEXT SUMMARY — respond to the message below, not the summary above ---"


def result(content: Any) -> dict[str, Any]:
    return {"role": "tool", "content": content, "tool_call_id": "c1", "timestamp": "2026-05-04T23:21:30"}


def session(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    top = {"session_id": "s1", "model": "glm-5", "platform": "cli", "session_start": "2026-05-04T23:21:27"}
    return {**top, "system_prompt": "You are Hermes.", "tools": [], "messages": list(messages), **more}


def exported(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "s2", "source": "telegram", "started_at": 1.7e9, "messages": list(messages), **more}


def path_of(tmp_path: Path, *values: Any) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(v) for v in values) + "\n", encoding="utf-8")
    return path


def loaded(tmp_path: Path, *values: Any, item: int = 0, window: int | None = None) -> Conversation:
    conversation = load(path_of(tmp_path, *values), item=item, window=window)
    assert conversation.source is not None
    assert conversation.source.format == "hermes"
    return conversation


def facts(tmp_path: Path, *values: Any) -> list[tuple[str, str]]:
    return [(r.kind, r.text) for r in told(path_of(tmp_path, *values), "hermes") if isinstance(r, Fact)]


def test_the_gateway_s_rows(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, META, ASK, CALL, result("a.txt"), ANSWER)
    assert [(m.role, m.line) for m in conversation.messages] == [
        ("user", 2),
        ("assistant", 3),
        ("tool", 4),
        ("assistant", 5),
    ]
    assert conversation.messages[1].parts[0] == Thinking("I look.")
    assert conversation.messages[1].calls[0].arguments == '{"c": "ls"}'
    assert conversation.tools == ('{"type":"function","function":{"name":"terminal"}}',)
    assert ("model", "glm-5") in facts(tmp_path, META, ASK)


def test_rows_without_the_first_one_are_known_by_their_local_times(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, ASK, ANSWER).messages) == 2
    elsewhere = ASK | {"timestamp": "2026-05-04T23:21:28Z"}
    assert load(path_of(tmp_path, elsewhere)).source.format == "openai"  # type: ignore[union-attr]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its zone while running")
def test_times_without_a_zone_are_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        (message,) = loaded(tmp_path, ASK).messages
    finally:
        monkeypatch.undo()
        time.tzset()
    assert message.time == datetime.fromisoformat("2026-05-04T23:21:28.000001+08:00").timestamp()


def test_times_of_the_database_are_epoch_seconds(tmp_path: Path) -> None:
    assert loaded(tmp_path, exported(ASK | {"timestamp": 1.75e9})).messages[0].time == 1.75e9


@pytest.mark.parametrize("when", ["yesterday", "", None, {}, 1e300])
def test_times_that_are_none(tmp_path: Path, when: Any) -> None:
    assert loaded(tmp_path, exported(ASK | {"timestamp": when})).messages[0].time is None


def test_a_session_document(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, session(ASK, ANSWER, tools=[{"name": "memory"}]))
    assert [m.role for m in conversation.messages] == ["system", "user", "assistant"]
    assert conversation.messages[0].parts == (Text("You are Hermes."),)
    assert (conversation.tools, conversation.windows) == (('{"name":"memory"}',), 1)
    assert facts(tmp_path, session(ASK)) == [("session", "s1"), ("model", "glm-5")]


def test_the_system_prompt_is_not_put_in_twice(tmp_path: Path) -> None:
    first = {"role": "system", "content": "You are Hermes."}
    assert [m.role for m in loaded(tmp_path, session(first, ASK)).messages] == ["system", "user"]


def test_the_memory_banner_stays_text(tmp_path: Path) -> None:
    banner = "═" * 46 + "\nMEMORY (your personal notes) [2% — 100/5,000 chars]\n" + "═" * 46 + "\ntabs\n§\nCI"
    assert loaded(tmp_path, session(ASK, system_prompt=banner)).messages[0].parts == (Text(banner),)


def test_exported_sessions_a_line(tmp_path: Path) -> None:
    lines = [exported(ASK, title="First"), exported(ANSWER | {"role": "user"}), {"odd": 1}]
    assert [i.title for i in items(path_of(tmp_path, *lines), "hermes")] == ["First", "Done."]
    conversation = loaded(tmp_path, *lines, item=1)
    assert [(m.text, m.line) for m in conversation.messages] == [("Done.", 2)]
    assert conversation.skipped == (Skipped(3, "the object is no session"),)


def test_a_request_dump(tmp_path: Path) -> None:
    body = {"model": "m", "messages": [{"role": "system", "content": "S"}, ASK], "tools": [{"name": "t"}]}
    dump = {
        "timestamp": "2026-05-04T23:21:27",
        "session_id": "s1",
        "reason": "error",
        "request": {"method": "POST", "url": "https://x.invalid", "headers": {}, "body": body},
        "error": {"type": "BadRequestError"},
    }
    conversation = loaded(tmp_path, dump)
    assert [m.role for m in conversation.messages] == ["system", "user"]
    assert conversation.tools == ('{"name":"t"}',)
    assert ("error", '{"type":"BadRequestError"}') in facts(tmp_path, dump)


def test_the_index_of_sessions_is_refused(tmp_path: Path) -> None:
    index = {
        "agent:main:cli": {"session_key": "agent:main:cli", "session_id": "s1", "updated_at": "2026-05-04T23:21:27"}
    }
    with pytest.raises(SourceError, match="not hermes: this is the index of the sessions"):
        load(path_of(tmp_path, index))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(SourceError, match="empty"):
        load(tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("text", "exit_code", "is_error", "told"),
    [
        ('{"output": "", "exit_code": 0, "error": null}', 0, False, []),
        ('{"output": "no", "exit_code": 2, "error": null}', 2, False, ["exit_code"]),
        ('{"output": "", "exit_code": 1, "exit_code_meaning": "No matches found (not an error)"}', 1, False, []),
        ('{"output": "", "exit_code": 124, "error": "timed out"}', 124, True, ["exit_code", "error"]),
        ('{"success": false, "error": "not found"}', None, True, ["error"]),
        ('{"success": false}', None, True, ["error"]),
        ('{"success": true}', None, False, []),
        ('{"exit_code": true}', None, False, []),
        ('{"exit_code": 1', None, False, []),
        ("exit_code 1", None, False, []),
    ],
)
def test_failures_inside_the_text_of_a_tool(
    tmp_path: Path, text: str, exit_code: int | None, is_error: bool, told: list[str]
) -> None:
    message = loaded(tmp_path, ASK, result(text)).messages[1]
    assert message.parts == (ToolResult("c1", text, is_error, exit_code),)
    assert [kind for kind, _ in facts(tmp_path, ASK, result(text))] == told


def test_half_a_surrogate_pair_in_a_tool_s_answer(tmp_path: Path) -> None:
    text = '{"output": "\ud83d", "exit_code": 2}'
    assert loaded(tmp_path, ASK, result(text)).messages[1].parts == (ToolResult("c1", text, exit_code=2),)


def test_the_memory_tool_s_answer_stays_its_answer(tmp_path: Path) -> None:
    message = loaded(tmp_path, ASK, result("saved") | {"tool_name": "memory"}).messages[1]
    assert (message.name, message.parts) == ("memory", (ToolResult("c1", "saved"),))


def test_content_behind_the_sentinel_is_json(tmp_path: Path) -> None:
    content = "\0json:" + json.dumps(
        [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "x"}}]
    )
    message = loaded(tmp_path, exported(ASK | {"content": content})).messages[0]
    assert message.text == "Look:"
    assert len(message.parts) == 2
    broken = loaded(tmp_path, exported(ASK | {"content": "\0json:[{"})).messages[0]
    assert broken.text == "[{"


def test_calls_of_the_database_are_json_text(tmp_path: Path) -> None:
    row = CALL | {"tool_calls": json.dumps(CALL["tool_calls"])}
    assert loaded(tmp_path, exported(ASK, row)).messages[1].calls[0].name == "terminal"


def test_rows_taken_back_are_skipped(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, exported(ASK | {"active": 0}, ANSWER | {"active": 0}, ASK | {"active": 1}))
    assert [m.role for m in conversation.messages] == ["user"]
    assert conversation.skipped == (Skipped(1, "the turn was taken back"),) * 2


def test_rows_compacted_away_are_the_window_before(tmp_path: Path) -> None:
    gone = {"active": 0, "compacted": 1}
    rows = [ASK | gone, ANSWER | gone, {"role": "user", "content": SUMMARY}, ASK, ANSWER]
    both = [loaded(tmp_path, exported(*rows, system_prompt="S"), window=w) for w in (0, 1)]
    assert [m.text for m in both[0].messages] == ["S", "List.", "Done."]
    assert [m.text for m in both[1].messages] == ["S", SUMMARY, "List.", "Done."]


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_summary_is_in_the_prompt_but_no_response(tmp_path: Path, role: str) -> None:
    conversation = loaded(tmp_path, session(ASK, ANSWER, {"role": role, "content": SUMMARY}, ASK, ANSWER))
    assert conversation.windows == 1
    assert conversation.messages[3] == Message("user", (Text(SUMMARY),), "summary", line=1)
    assert conversation.responses == (2, 5)


@pytest.mark.parametrize("own", [ASK, ANSWER | {"tool_calls": CALL["tool_calls"]}])
def test_a_summary_put_in_front_of_a_message_is_parted_from_it(tmp_path: Path, own: dict[str, Any]) -> None:
    merged = own | {"content": f"{SUMMARY}\n\n{END}\n\n{own['content']}"}
    summary, rest = loaded(tmp_path, session(merged), window=0).messages[1:]
    assert (summary.kind, summary.role, summary.text) == ("summary", "user", f"{SUMMARY}\n\n{END}\n\n")
    assert (rest.kind, rest.role, rest.text) == ("said", own["role"], own["content"])
    assert len(rest.calls) == len(own.get("tool_calls", []))


@pytest.mark.parametrize(
    "text", ["[SYSTEM: skill loaded]", "Review the conversation above and update the skill library."]
)
def test_what_software_wrote_in_the_user_s_name(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, session(ASK | {"content": text})).messages[1].kind == "synthetic"


@pytest.mark.parametrize(
    ("name", "session_name"),
    [
        ("20260504_232127_4587ec", "20260504_232127_4587ec"),
        ("session_20260504_232127_4587ecab", "20260504_232127_4587ecab"),
    ],
)
def test_the_gateway_s_file_names_its_session(tmp_path: Path, name: str, session_name: str) -> None:
    path = path_of(tmp_path, META, ASK).rename(tmp_path / f"{name}.jsonl")
    found = [r.text for r in told(path, "hermes") if isinstance(r, Fact) and r.kind == "session"]
    assert found == [session_name]
    other = path.rename(tmp_path / "notes.jsonl")
    assert not [r for r in told(other, "hermes") if isinstance(r, Fact) and r.kind == "session"]


def test_an_exported_sub_agent_names_its_parent(tmp_path: Path) -> None:
    path = path_of(
        tmp_path, exported(ASK, model_config=json.dumps({"_delegate_from": "s1"})), exported(ASK, model_config=5)
    )
    assert [item.is_subagent for item in items(path, "hermes")] == [True, False]
    assert ("parent", "s1") in [(r.kind, r.text) for r in told(path, "hermes") if isinstance(r, Fact)]


def test_the_memories_recalled_for_a_turn_are_part_of_it(tmp_path: Path) -> None:
    sent = "List.\n\n<memory-context>\nThe user prefers tabs.\n</memory-context>"
    assert loaded(tmp_path, exported(ASK | {"api_content": sent})).messages[0].text == sent


def test_a_turn_the_person_interrupted(tmp_path: Path) -> None:
    cancelled = result("[Tool execution cancelled — terminal was skipped due to user interrupt]")
    assert [kind for kind, _ in facts(tmp_path, ASK, CALL, cancelled)] == ["interrupted"]


SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "hermes"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared sample files are not here")
def test_a_real_session() -> None:
    path = SHARED / "session_20260504_232127_4587ec.json"
    conversation = load(path)
    # 62 messages and the system prompt; 31 of them assistant rows, one of which is the summary
    assert (len(conversation.messages), len(conversation.responses), len(conversation.tools)) == (63, 30, 6)
    assert (conversation.items, conversation.windows, conversation.skipped) == (1, 1, ())
    assert [i for i, m in enumerate(conversation.messages) if m.kind == "summary"] == [4]
    assert [i for i, m in enumerate(conversation.messages) if m.kind == "synthetic"] == [49]
    assert [m.role for m in conversation.messages].count("tool") == 27
    assert "MEMORY (your personal notes)" in conversation.messages[0].text
    errors = [(r.kind, r.text[:40]) for r in told(path, "hermes") if isinstance(r, Fact) and r.kind == "error"]
    assert errors == [("error", '{"success": false, "error": "Skill \'Herm')]
    with pytest.raises(SourceError, match="no JSON"):
        load(SHARED / "memories" / "MEMORY.md")
