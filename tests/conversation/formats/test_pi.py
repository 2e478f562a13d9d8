"""pi's sessions: the three versions, the tree, compactions, what extensions and OpenClaw put in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation import raw as raw_file
from memscope.conversation.formats import _repeats
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Message, Skipped, Thinking, ToolCall, ToolResult
from tests.conversation.formats._any_json import assert_survives, values
from tests.conversation.formats._lines import (
    DATA,
    ODD,
    counts,
    facts,
    items,
    shape,
    told,
    unpaired,
    with_odd_fields,
    write,
)
from tests.conversation.formats._there_and_back import assert_all_come_back, assert_there_and_back

HEAD = {"type": "session", "version": 3, "id": "s1", "timestamp": "2026-02-24T10:00:00Z", "cwd": "/srv/app"}


def entry(name: str, parent: str | None, /, **more: Any) -> dict[str, Any]:
    return {"id": name, "parentId": parent, "timestamp": "2026-02-24T10:00:03Z", **more}


def said(name: str, parent: str | None, role: str, content: Any, **more: Any) -> dict[str, Any]:
    return entry(name, parent, type="message", message={"role": role, "content": content, **more})


def text(words: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": words}]


CALL = {"type": "toolCall", "id": "c1", "name": "bash", "arguments": {"command": "ls"}}
ASK = said("a", None, "user", "List.")
RAN = said("b", "a", "assistant", [{"type": "thinking", "thinking": "Hm."}, *text("I look."), CALL], model="m1")
SEEN = said("c", "b", "toolResult", text("a.txt"), toolCallId="c1", toolName="bash", isError=False)
DONE = said("d", "c", "assistant", text("Done."), model="m1", stopReason="stop")
SESSION = [HEAD, ASK, RAN, SEEN, DONE]
SUMMARY = (
    "The conversation history before this point was compacted into the following summary:\n\n"
    "<summary>\nListed.\n</summary>"
)


def loaded(tmp_path: Path, *entries: Any, window: int | None = None) -> Conversation:
    conversation = load(write(tmp_path / "a.jsonl", entries), window=window)
    assert conversation.source is not None
    assert conversation.source.format == "pi"
    return conversation


def facts_of(tmp_path: Path, *entries: Any) -> list[tuple[str, str]]:
    return facts(write(tmp_path / "a.jsonl", entries), "pi")


def one(tmp_path: Path, message: dict[str, Any]) -> Message:
    return loaded(tmp_path, *SESSION, entry("e", "d", type="message", message=message)).messages[-1]


def test_a_session(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, *SESSION)
    assert shape(conversation) == [
        ("user", "List."),
        ("assistant", "I look."),
        ("tool", "a.txt"),
        ("assistant", "Done."),
    ]
    assert conversation.messages[1].parts[0] == Thinking("Hm.")
    assert conversation.messages[1].calls == (ToolCall("c1", "bash", '{"command":"ls"}'),)
    assert conversation.messages[2].parts == (ToolResult("c1", "a.txt"),)
    assert conversation.messages[2].name == "bash"
    assert [(m.id, m.line, m.time) for m in conversation.messages[:2]] == [
        ("a", 2, 1771927203.0),
        ("b", 3, 1771927203.0),
    ]
    assert (conversation.skipped, conversation.windows) == ((), 1)
    assert facts_of(tmp_path, *SESSION) == [("session", "s1"), ("cwd", "/srv/app"), ("model", "m1")]
    assert_there_and_back(conversation, tmp_path)


def test_version_1_is_a_list(tmp_path: Path) -> None:
    bare = [{n: v for n, v in e.items() if n not in ("id", "parentId")} for e in SESSION[1:]]
    compacted = {
        "type": "compaction",
        "summary": "Listed.",
        "firstKeptEntryIndex": 3,
        "timestamp": "2026-02-24T11:00:00Z",
    }
    head = {"type": "session", "id": "s1", "timestamp": "2026", "cwd": "/w", "modelId": "m0"}
    conversation = loaded(tmp_path, head, *bare, compacted)
    assert shape(conversation) == [("user", SUMMARY), ("tool", "a.txt"), ("assistant", "Done.")]
    assert len(loaded(tmp_path, head, *bare, compacted, window=0).messages) == 4
    assert facts_of(tmp_path, head, *bare)[2:] == [("model", "m0"), ("model", "m1")]


def test_a_branch_that_was_left(tmp_path: Path) -> None:
    left = said("e", "d", "user", "No, not so.")
    summary = entry("f", "a", type="branch_summary", fromId="e", summary="Looked.")
    conversation = loaded(tmp_path, *SESSION, left, summary, said("g", "f", "user", "Otherwise."))
    assert shape(conversation) == [
        ("user", "List."),
        (
            "user",
            "The following is a summary of a branch that this conversation came back from:\n\n"
            "<summary>\nLooked.</summary>",
        ),
        ("user", "Otherwise."),
    ]
    assert [m.kind for m in conversation.messages] == ["said", "summary", "said"]
    assert [(s.line, s.reason.split(":")[0]) for s in conversation.skipped] == [
        (line, "on a branch that was given up") for line in (3, 4, 5, 6)
    ]


def test_the_first_request_was_edited(tmp_path: Path) -> None:
    conversation = loaded(tmp_path, *SESSION, said("e", None, "user", "Show."))
    assert shape(conversation) == [("user", "Show.")]


@pytest.mark.parametrize("parent", ["gone", "s1", 5, []])
def test_an_entry_with_no_parent_in_the_file_follows_the_one_before(tmp_path: Path, parent: Any) -> None:
    assert len(loaded(tmp_path, *SESSION, said("e", parent, "user", "And?")).messages) == 5
    assert len(loaded(tmp_path, *SESSION, {**said("e", "d", "user", "And?"), "parentId": parent}).messages) == 5


def test_a_record_moves_the_leaf_and_entries_beside_do_not(tmp_path: Path) -> None:
    moved = entry("l", "d", type="leaf", targetId="a")
    aside = said("x", "d", "assistant", text("Aside.")) | {"appendMode": "side"}
    assert shape(loaded(tmp_path, *SESSION, moved)) == [("user", "List.")]
    assert shape(loaded(tmp_path, *SESSION, moved, said("e", "l", "user", "Show.")))[1:] == [("user", "Show.")]
    assert len(loaded(tmp_path, *SESSION, aside).messages) == 4


def test_a_compaction_keeps_the_last_messages(tmp_path: Path) -> None:
    compacted = entry("e", "d", type="compaction", summary="Listed.", firstKeptEntryId="c", tokensBefore=9)
    records = [*SESSION, compacted, said("f", "e", "user", "Go on."), said("g", "f", "assistant", text("Gone."))]
    last = loaded(tmp_path, *records)
    assert [(m.text, m.kind) for m in last.messages] == [
        *((SUMMARY, "summary"), ("a.txt", "summary"), ("Done.", "summary"), ("Go on.", "said"), ("Gone.", "said")),
    ]
    assert (last.windows, last.responses) == (2, (4,))
    assert len(loaded(tmp_path, *records, window=0).messages) == 4
    again = entry("h", "g", type="compaction", summary="More.", firstKeptEntryId="d", tokensBefore=9)
    third = loaded(tmp_path, *records, again)
    assert [m.text for m in third.messages][1:] == ["Done.", "Go on.", "Gone."]
    assert third.windows == 3
    assert_all_come_back(tmp_path / "a.jsonl", tmp_path)


def test_there_is_an_end_to_what_compactions_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_repeats, "_MOST_REPEATED", 3)
    compacted = entry("e", "d", type="compaction", summary="Listed.", firstKeptEntryId="c", tokensBefore=9)
    again = entry("g", "f", type="compaction", summary="More.", firstKeptEntryId="c", tokensBefore=9)
    third = loaded(tmp_path, *SESSION, compacted, said("f", "e", "user", "Go on."), again)
    assert [m.text for m in third.messages][1:] == ["Go on."]
    assert third.skipped == (Skipped(8, _repeats.CUT),)
    assert len(loaded(tmp_path, *SESSION, compacted, window=1).messages) == 3


def test_a_compaction_that_holds_what_it_keeps(tmp_path: Path) -> None:
    tail = [{"role": "user", "content": "Kept.", "timestamp": 1771927203000}, 5]
    compacted = entry("e", "d", type="compaction", summary="Listed.", retainedTail=tail, firstKeptEntryId="c")
    conversation = loaded(tmp_path, *SESSION, compacted)
    assert [(m.text, m.kind) for m in conversation.messages] == [(SUMMARY, "summary"), ("Kept.", "summary")]
    assert conversation.messages[1].time == 1771927203.0


@pytest.mark.parametrize(
    ("message", "expected", "kind"),
    [
        ({"role": "custom", "customType": "x", "content": "Injected."}, "Injected.", "synthetic"),
        ({"role": "hookMessage", "content": text("Injected.")}, "Injected.", "synthetic"),
        ({"role": "branchSummary", "summary": "S"}, "<summary>\nS</summary>", "summary"),
        ({"role": "compactionSummary", "summary": "S"}, "<summary>\nS\n</summary>", "summary"),
        ({"role": "user", "content": '<skill name="a" location="/a">\nDo.\n</skill>'}, "Do.\n</skill>", "synthetic"),
        ({"role": "user", "content": '<skill name="a" location="/a">\nDo.\n</skill>\n\nThis.'}, "This.", "said"),
        ({"role": "user", "content": "Read HEARTBEAT.md if it exists (workspace context)."}, "context).", "synthetic"),
        ({"role": "bashExecution", "command": "ls", "output": "a"}, "Ran `ls`\n```\na\n```", "synthetic"),
        ({"role": "bashExecution", "command": "ls", "output": ""}, "Ran `ls`\n(no output)", "synthetic"),
        (
            {"role": "bashExecution", "command": "ls", "output": "", "truncated": True, "fullOutputPath": "/t"},
            "\n\n[Output truncated. Full output: /t]",
            "synthetic",
        ),
    ],
)
def test_messages_nobody_wrote_so(tmp_path: Path, message: dict[str, Any], expected: str, kind: str) -> None:
    found = one(tmp_path, message)
    assert (found.role, found.kind) == ("user", kind)
    assert found.text.endswith(expected)


def test_what_an_extension_said(tmp_path: Path) -> None:
    told_in = entry(
        "e", "d", type="custom_message", customType="openclaw.runtime-context", content="Now.", display=False
    )
    conversation = loaded(tmp_path, *SESSION, told_in, entry("f", "e", type="custom", customType="state", data={}))
    assert (conversation.messages[-1].text, conversation.messages[-1].kind) == ("Now.", "synthetic")
    assert conversation.skipped == ()


FAILED = {"role": "toolResult", "toolCallId": "c9", "toolName": "bash", "isError": True}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {**FAILED, "content": text("x\n\nCommand exited with code 2")},
            [("exit_code", "2"), ("error", "x\n\nCommand exited with code 2")],
        ),
        ({**FAILED, "content": "no such file"}, [("error", "no such file")]),
        ({**FAILED, "isError": False, "content": "x", "details": {"exitCode": 127}}, [("exit_code", "127")]),
        (
            {**FAILED, "isError": False, "content": "x", "details": {"instrumentation": {"exit_code": 1}}},
            [("exit_code", "1")],
        ),
        ({"role": "assistant", "content": [], "stopReason": "error", "errorMessage": "429"}, [("error", "429")]),
        ({"role": "assistant", "content": [], "stopReason": "aborted"}, [("interrupted", "the turn was aborted")]),
        ({"role": "bashExecution", "command": "a", "output": "", "exitCode": 1}, [("exit_code", "1")]),
        ({"role": "bashExecution", "command": "a", "cancelled": True}, [("interrupted", "(command cancelled)")]),
        ({"role": "bashExecution", "command": "a", "exitCode": 0}, []),
    ],
)
def test_how_it_went(tmp_path: Path, message: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    last = entry("e", "d", type="message", message=message)
    assert facts_of(tmp_path, *SESSION, last)[3:] == expected


def test_what_the_model_was_not_told_or_did_not_say(tmp_path: Path) -> None:
    hidden = {"role": "bashExecution", "command": "secret", "excludeFromContext": True}
    mirror = {"role": "assistant", "content": text("Done."), "provider": "openclaw", "model": "delivery-mirror"}
    last = [entry(name, None, type="message", message=m) for name, m in (("e", hidden), ("f", mirror))]
    for one_more in last:
        del one_more["parentId"]
    conversation = loaded(tmp_path, *SESSION, *last)
    assert len(conversation.messages) == 4
    assert conversation.skipped == (
        Skipped(6, "a command that the person kept from the model"),
        Skipped(7, "words of the program in the assistant's name, not of a model"),
    )


def test_settings_and_names(tmp_path: Path) -> None:
    more = [
        entry("e", "d", type="model_change", provider="p", modelId="m2"),
        entry("f", "e", type="thinking_level_change", thinkingLevel="high"),
        entry("g", "f", type="session_info", name="Listing"),
        entry("h", "g", type="label", targetId="a", label="x"),
    ]
    assert loaded(tmp_path, *SESSION, *more).title == "Listing"
    assert facts_of(tmp_path, *SESSION, *more)[3:] == [("model", "m2"), ("title", "Listing")]


def test_the_stream_of_events(tmp_path: Path) -> None:
    def event(kind: str, message: dict[str, Any]) -> dict[str, Any]:
        return {"type": kind, "message": message}

    ask = {"role": "user", "content": "List.", "timestamp": 1771927203000}
    events = [{"type": "agent_start"}, event("message_start", ask), event("message_end", ask), {"type": "agent_end"}]
    conversation = loaded(tmp_path, HEAD, *events)
    assert [(m.text, m.time) for m in conversation.messages] == [("List.", 1771927203.0)]
    assert conversation.skipped == ()


OTHER = {**HEAD, "id": "s2", "cwd": "/srv/other"}


@pytest.mark.parametrize("kept", [True, False])
def test_sessions_behind_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    if not kept:
        monkeypatch.setattr(raw_file, "_MOST_KEPT", 0)
    bare = [{n: v for n, v in e.items() if n not in ("id", "parentId")} for e in SESSION[1:]]
    compacted = {"type": "compaction", "summary": "Listed.", "firstKeptEntryIndex": 3}
    path = write(tmp_path / "a.jsonl", [*SESSION, HEAD, "{broken\n", OTHER, *bare, compacted, *SESSION])
    assert [load(path, item=n).items for n in range(3)] == [3, 3, 3]
    assert [len(load(path, item=n, window=0).messages) for n in range(3)] == [4, 4, 4]
    assert [facts(path, "pi", n)[0] for n in range(3)] == [("session", "s1"), ("session", "s2"), ("session", "s1")]
    assert [len(load(path, item=n).skipped) for n in range(3)] == [0, 1, 0]
    assert [m.text for m in load(path, item=1).messages] == [SUMMARY, "a.txt", "Done."]


def test_sessions_are_read_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [*SESSION, OTHER, *SESSION[1:3], *SESSION])
    found = items(path, "pi")
    begun = iter(found[1].records)
    told_first = next(begun)
    told_of = {n: [r.line for r in found[n].records if isinstance(r, Message)] for n in (2, 0)}
    assert told_of == {0: [2, 3, 4, 5], 2: [10, 11, 12, 13]}
    assert [r.line for r in (told_first, *begun) if isinstance(r, Message)] == [7, 8]


def test_without_its_head(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, *SESSION[1:]).messages) == 4


def test_what_is_not_understood(tmp_path: Path) -> None:
    odd = [entry("e", "d", type="new"), {"id": "f", "parentId": "e"}, said("g", "f", "robot", "x"), 5]
    assert loaded(tmp_path, *SESSION, *odd).skipped == (
        Skipped(6, "an entry of an unknown type, 'new'"),
        Skipped(7, "an entry without a type"),
        Skipped(8, "a message of an unknown role, 'robot'"),
        Skipped(9, "the value is no entry of a session"),
    )


NAMES = (
    *("type", "id", "parentId", "timestamp", "message", "role", "content", "toolCallId", "toolName", "isError"),
    *("summary", "firstKeptEntryId", "firstKeptEntryIndex", "retainedTail", "targetId", "appendMode", "details"),
    *("exitCode", "command", "output", "customType", "stopReason", "errorMessage", "model", "name", "text", "cwd"),
)
WORDS = (
    *("session", "message", "compaction", "leaf", "side", "branch_summary", "user", "assistant", "toolResult", "a"),
    *("bashExecution", "custom", "text", "toolCall", "thinking", "aborted", "error", "message_end"),
)
ENTRIES = values(NAMES, WORDS)


@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_no_json_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, found: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-pi.jsonl"
    assert_survives(path, found, "pi")
    assert_survives(path, [*SESSION, *found], "pi")


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from("abc"), st.booleans()), max_size=12))
def test_any_tree_is_read_whole(
    tmp_path_factory: pytest.TempPathFactory, nodes: list[tuple[str | None, str, bool]]
) -> None:
    """Every entry is told, or skipped, or kept again behind a compaction; whoever its parent is."""
    entries = [
        entry(name, parent, type="compaction", summary="s", firstKeptEntryId=name)
        if compacts
        else said(name, parent, "user", f"turn {number}")
        for number, (parent, name, compacts) in enumerate(nodes)
    ]
    path = write(tmp_path_factory.getbasetemp() / "tree-pi.jsonl", [HEAD, *entries])
    records = told(path, "pi")
    lines = {r.line for r in records if isinstance(r, Message | Skipped)}
    assert lines >= {number + 2 for number, (_, _, compacts) in enumerate(nodes) if not compacts}


@pytest.mark.parametrize("base", [HEAD, *SESSION[1:], entry("e", "d", type="compaction", firstKeptEntryId="b")])
def test_odd_fields(tmp_path: Path, base: dict[str, Any]) -> None:
    told(write(tmp_path / "a.jsonl", [*SESSION, *with_odd_fields(base), *ODD]), "pi")


@pytest.mark.skipif(not DATA.exists(), reason="the shared sample files are not here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pi/large-session.jsonl", [(899, 438, 0)]),
        ("other-agents/openclaw-large.jsonl", [(6, 2, 0)]),
        ("other-agents/openclaw-small.jsonl", [(3, 1, 0)]),
    ],
)
def test_real_files(tmp_path: Path, name: str, expected: list[tuple[int, int, int]]) -> None:
    path = DATA / name
    assert counts(path) == expected
    assert load(path).skipped == ()
    assert unpaired(path)[1] == 0
    assert_all_come_back(path, tmp_path)
