"""From records to a conversation: windows, items, titles, and what is refused."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memscope.base.errors import SourceError, UsageError
from memscope.conversation.load import count_items, fold, load, load_each
from memscope.conversation.model import Conversation, Memory, Message, Skipped, Text, Thinking, ToolCall
from memscope.conversation.raw import Raw
from memscope.conversation.records import Boundary, Fact, Record, merge_assistant


def said(role: str, text: str) -> Message:
    return Message(role, (Text(text),))


SYSTEM, ASK, ANSWER, AGAIN = (said(r, r) for r in ("system", "user", "assistant", "user"))


def test_one_window_without_boundaries() -> None:
    assert fold([SYSTEM, ASK, ANSWER]).windows == [[SYSTEM, ASK, ANSWER]]


def test_a_boundary_starts_a_window_with_the_system_prompt() -> None:
    told = fold([SYSTEM, ASK, ANSWER, Boundary(), AGAIN, ANSWER])
    assert told.windows == [[SYSTEM, ASK, ANSWER], [SYSTEM, AGAIN, ANSWER]]


def test_only_the_leading_system_messages_are_carried_over() -> None:
    later = said("system", "later")
    told = fold([SYSTEM, SYSTEM, ASK, later, Boundary(), AGAIN])
    assert told.windows[1] == [SYSTEM, SYSTEM, AGAIN]


@pytest.mark.parametrize("records", [[ASK, ANSWER, Boundary()], [Boundary(), ASK, ANSWER], [ASK, ANSWER]])
def test_a_boundary_with_nothing_on_one_side_makes_no_window(records: list[Record]) -> None:
    assert fold(records).windows == [[ASK, ANSWER]]


def test_boundaries_side_by_side_count_once() -> None:
    assert fold([SYSTEM, ASK, Boundary(), Boundary(), AGAIN, Boundary()]).windows == [[SYSTEM, ASK], [SYSTEM, AGAIN]]


def test_facts_and_skips_are_collected() -> None:
    told = fold([Fact("title", "A"), Fact("tool", "{}"), Fact("cwd", "/x"), Skipped(3, "odd"), ASK, Fact("title", "B")])
    assert (told.title, told.tools, told.skipped, told.windows) == ("B", ["{}"], [Skipped(3, "odd")], [[ASK]])


TABS = Memory("tabs", "Use tabs.")


def test_no_response_is_made_of_memories() -> None:
    call = ToolCall("1", "ls", "{}")
    told = fold([Message("assistant", (TABS, TABS, Text("Done."), call), line=7)])
    assert told.windows == [
        [Message("assistant", (Text("Use tabs.\n"), Text("Use tabs.\n"), Text("Done."), call), line=7)]
    ]
    assert [s.line for s in told.skipped] == [7]


@pytest.mark.parametrize(
    "message",
    [Message("assistant", (TABS, TABS)), Message("user", (TABS, Text("Fix it."))), Message("system", (TABS,))],
)
def test_memories_elsewhere_stay(message: Message) -> None:
    told = fold([message])
    assert (told.windows, told.skipped) == ([[message]], [])


def test_reasons_stay_few_whatever_a_file_says() -> None:
    records = [Skipped(n, "a record of an unknown type", repr(f"t{n}" * 9999)) for n in range(3000)]
    skipped = fold([*records, Skipped(3001, "odd"), records[0]]).skipped
    assert len(skipped) == 3002
    assert len({s.reason for s in skipped}) < 10
    assert max(len(s.reason) for s in skipped) < 200
    assert next(s.reason for s in skipped if s.line == 0).startswith("a record of an unknown type, 't0t0")


def test_assistant_records_that_follow_each_other_become_one_message() -> None:
    call = ToolCall("1", "ls", "{}")
    records: list[Record] = [
        ASK,
        Message("assistant", (Thinking("hm"),), time=1.0, id="a", line=2),
        Fact("error", "x"),
        Message("assistant", (Text("I look."), call), time=2.0, id="b", line=3),
        AGAIN,
    ]
    assert [r for r in merge_assistant(records) if isinstance(r, Message)] == [
        ASK,
        Message("assistant", (Thinking("hm"), Text("I look."), call), time=1.0, id="a", line=2),
        AGAIN,
    ]


@pytest.mark.parametrize(
    "between", [Boundary(), ASK, Message("assistant", (Memory("k", "x"),)), Message("assistant", (), "synthetic")]
)
def test_what_parts_two_responses(between: Record) -> None:
    assert list(merge_assistant([ANSWER, between, ANSWER])) == [ANSWER, between, ANSWER]


def test_facts_come_behind_the_reply_they_follow() -> None:
    records: list[Record] = [ASK, ANSWER, Fact("interrupted", "x"), Boundary(), ANSWER, Fact("error", "y")]
    assert list(merge_assistant(records)) == records


def test_what_a_compaction_carries_over_is_one_message_too() -> None:
    carried = [Message("assistant", (Text(text),), "summary") for text in ("I look.\n", "Done.")]
    (merged,) = merge_assistant(carried)
    assert isinstance(merged, Message) and (merged.text, merged.kind) == ("I look.\nDone.", "summary")


def file(tmp_path: Path, *values: Any) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(v) + "\n" for v in values), encoding="utf-8")
    return path


def chat(*texts: str, **more: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": t} for i, t in enumerate(texts)], **more}


def test_items_are_chosen_by_number(tmp_path: Path) -> None:
    path = file(tmp_path, chat("one"), chat("two", "2"), chat("three", title="Third"))
    assert [load(path, item=i).messages[0].text for i in range(3)] == ["one", "two", "three"]
    assert [load(path, item=i).title for i in range(3)] == ["one", "two", "Third"]
    loaded = load(path, item=1)
    assert (loaded.items, loaded.windows) == (3, 1)
    assert loaded.source is not None
    assert (loaded.source.path, loaded.source.format, loaded.source.item) == (path, "openai", 1)


def test_a_wrong_number_lists_what_there_is(tmp_path: Path) -> None:
    path = file(tmp_path, chat("one"), {"odd": 1}, chat("two", title="Second"), {"messages": []})
    with pytest.raises(UsageError) as caught:
        load(path, item=9)
    assert str(caught.value).endswith("Items: 0 (one), 1 (Second), 2.")
    with pytest.raises(UsageError, match=r"Windows: 0 \(old\), 1 \(new\)\.$"):
        load(compacted_session(tmp_path), window=5)
    with pytest.raises(UsageError) as caught:
        load(file(tmp_path, *[chat("one")] * 13), item=13)
    assert caught.value.do == ""


@pytest.mark.parametrize("item", [-1, 3])
def test_an_item_that_is_not_there(tmp_path: Path, item: int) -> None:
    with pytest.raises(UsageError, match="numbers 0 to 2"):
        load(file(tmp_path, chat("1"), chat("2"), chat("3")), item=item)


@pytest.mark.parametrize("window", [-1, 1])
def test_a_window_that_is_not_there(tmp_path: Path, window: int) -> None:
    with pytest.raises(UsageError, match="only number 0"):
        load(file(tmp_path, chat("1")), window=window)


def compacted_session(tmp_path: Path) -> Path:
    rows = [
        {"role": "user", "content": "old", "active": 0, "compacted": 1},
        {"role": "assistant", "content": "older answer", "active": 0, "compacted": 1},
        {"role": "user", "content": "new", "active": 1},
        {"role": "assistant", "content": "newer answer", "active": 1},
    ]
    return file(tmp_path, {"id": "s", "source": "cli", "started_at": 1.0, "system_prompt": "S", "messages": rows})


def test_the_last_window_opens_by_default(tmp_path: Path) -> None:
    path = compacted_session(tmp_path)
    assert [m.text for m in load(path).messages] == ["S", "new", "newer answer"]
    assert [m.text for m in load(path, window=0).messages] == ["S", "old", "older answer"]
    source = load(path).source
    assert (load(path).windows, source and source.window) == (2, 1)


def test_a_title_made_of_the_first_request(tmp_path: Path) -> None:
    path = file(
        tmp_path, {"role": "user", "memory_key": "k", "content": "tabs"}, {"role": "user", "content": "Fix\nit"}
    )
    assert load(path).title == "Fix it"


def test_a_title_is_no_memory(tmp_path: Path) -> None:
    memory = {"role": "user", "memory_key": "k", "content": "tabs"}
    marked = {"role": "user", "content": [{"type": "text", "text": "spaces", "memory_key": "s"}]}
    conversation = {"messages": [memory, marked, {"role": "user", "content": "Fix it"}]}
    assert [load(file(tmp_path, conversation, chat("2")), item=i).title for i in (0, 1)] == ["Fix it", "2"]


MANY = {
    "openai": chat("Hi", "x" * 20_000),
    "anthropic": chat("Hi", "x" * 20_000, system="S"),
    "hermes": chat("Hi", "x" * 20_000, id="s", source="cli", started_at=1.0),
    "letta": {"agents": [{"name": "a", **chat("Hi", "x" * 20_000)}], "blocks": []},
}


@pytest.mark.parametrize("name", MANY)
def test_one_of_many_conversations_costs_one_pass_and_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = file(tmp_path, *[MANY[name]] * 600)
    passes = []
    values = Raw.values
    monkeypatch.setattr(Raw, "values", lambda raw: (passes.append(raw.path), values(raw))[1])
    tracemalloc.start()
    loaded = load(path, item=300)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (loaded.items, loaded.source and loaded.source.format, loaded.responses[-1:]) == (
        600,
        name,
        (len(loaded.messages) - 1,),
    )
    assert len(passes) == 1  # what it is recognised by is not read again
    assert peak < 6_000_000 < path.stat().st_size


def test_what_stands_between_conversations_is_passed_over_in_each(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        chat("1"),
        {"odd": 1},
        {
            "messages": ["odd"],
        },
        chat("2"),
    )
    assert [s.line for s in load(path, item=0).skipped] == [2]
    assert [s.line for s in load(path, item=2).skipped] == [2]


def test_a_file_with_no_message_says_what_was_passed_over(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no message at all \(the entry is no chat message, line 1\)"):
        load(file(tmp_path, {"messages": ["hello"]}), input_format="openai")
    with pytest.raises(SourceError, match=r"read as the format openai, .* leave --input-format out\.$"):
        load(file(tmp_path, {"messages": ["hello"]}), input_format="openai")
    with pytest.raises(SourceError, match="another of the 2 items of this one with --item"):
        load(file(tmp_path, {"messages": []}, chat("1")), input_format="openai")


def test_a_file_in_no_format_says_why_for_each(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"not hermes: .*; not letta: .*; not openai: .*--input-format"):
        load(file(tmp_path, {"question": "why"}))
    (tmp_path / "MEMORY.md").write_text("# Notes\n- tabs\n")
    with pytest.raises(SourceError, match="holds no JSON"):
        load(tmp_path / "MEMORY.md")


def test_a_binary_file_that_has_braces_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x7fELF{" + bytes(range(32)) * 4)
    with pytest.raises(SourceError, match="this is a binary file"):
        load(path)


def test_a_format_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'word'.*openai"):
        load(file(tmp_path, chat("1")), input_format="word")


def test_each_conversation_of_a_file_is_the_one_that_its_number_opens(tmp_path: Path) -> None:
    path = file(tmp_path, chat("one"), {"odd": 1}, chat("two", "2"), chat("three", title="Third"))

    items = count_items(path)
    found = list(load_each(path, items))

    assert items == 3
    for item, conversation in enumerate(found):
        assert isinstance(conversation, Conversation)
        assert replace(conversation, skipped=()) == replace(load(path, item=item), skipped=())


def test_each_conversation_is_in_its_last_window(tmp_path: Path) -> None:
    (found,) = load_each(compacted_session(tmp_path), 1)

    assert found == load(compacted_session(tmp_path))


def test_one_without_a_message_is_told_in_its_place(tmp_path: Path) -> None:
    one, empty, two = load_each(file(tmp_path, chat("one"), {"messages": []}, chat("two")), 3)

    assert isinstance(one, Conversation)
    assert isinstance(empty, SourceError)
    assert "no message at all" in str(empty)
    assert isinstance(two, Conversation)
    assert two.source is not None
    assert two.source.item == 2


def test_a_file_without_a_conversation_cannot_be_counted(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no conversation"):
        count_items(file(tmp_path, {"odd": 1}), input_format="anthropic")
    with pytest.raises(SourceError, match="no transcript"):
        count_items(file(tmp_path, {"odd": 1}))
