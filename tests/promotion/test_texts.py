"""From records to rows: what a person asked for, and what was done for it, each once and where loading puts it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.load import fold
from memscope.conversation.model import Kind, Memory, Message, Skipped, Text, ToolCall, ToolResult
from memscope.conversation.records import Boundary, Fact, Record
from memscope.promotion.texts import LONGEST, Texts, Told, read_texts
from tests.conversation import _any

BOTH = ("request", "plan")
FIX = "Fix the failing tests."
OTHERS: st.SearchStrategy[Record] = st.sampled_from(
    [
        Boundary(),
        Boundary(),
        Skipped(3, "the value is no record"),
        Fact("cwd", "/home/dev/x"),
        Message("user", (Text(FIX),)),
    ]
)


def said(text: str, role: str = "user", **more: Any) -> Message:
    return Message(role, (Text(text),), **more)


def does(*tools: str, words: str = "Look.", **more: Any) -> Message:
    return Message("assistant", (Text(words), *(ToolCall(f"c{t}", t, '{"path": "secret"}') for t in tools)), **more)


def texts(*records: Record, kinds: Iterable[Any] = BOTH, is_subagent: bool = False) -> Texts:
    return read_texts(records, tuple(kinds), is_subagent=is_subagent)


def rows(*records: Record, kinds: Iterable[Any] = BOTH) -> list[tuple[int, int, str, str]]:
    return [row[:4] for row in texts(*records, kinds=kinds).rows]


def test_a_request_and_the_one_plan_behind_it() -> None:
    answer = Message("tool", (ToolResult("cRead", "all of the secret file"),))
    found = texts(
        said("You are an agent.", "system"),
        said(f" {FIX}\n", time=5.0),
        does("Read", words="I look first.", time=6.0),
        answer,
        does("Read", "Edit", words="Found it."),
        said("All is well now.", "assistant"),
        said("And explain how the parser reads lines"),
        said("It reads lines.", "assistant"),
    )
    assert [row._replace(marks=()) for row in found.rows] == [
        Told(0, 1, "request", FIX, ("Read", "Edit"), 5.0),
        Told(0, 2, "plan", "I look first.\nRead(path), Edit(path)", ("Read", "Edit"), 6.0),
        Told(0, 6, "request", "And explain how the parser reads lines"),
    ]
    assert (found.synthetic, found.short) == (0, 0)


def test_only_the_kinds_that_are_asked_for() -> None:
    records = (said(FIX), does("Read"), said("yes"), said("/init", kind="synthetic"))
    assert texts(*records, kinds=["request"]) == Texts([Told(0, 0, "request", FIX, ("Read",))], 1, 1)
    assert texts(*records, kinds=["plan"]) == Texts([Told(0, 1, "plan", "Look.\nRead(path)", ("Read",))])
    assert texts(*records, kinds=[]) == Texts([])


@pytest.mark.parametrize(("kind", "synthetic"), [("synthetic", 1), ("summary", 0)])
def test_what_no_person_said_is_no_request(kind: Kind, synthetic: int) -> None:
    assert texts(said(FIX, kind=kind)) == Texts([], synthetic)
    assert texts(said("[Request interrupted by user]"), said(" \n"), Message("user", ())) == Texts([], 1)


def test_memories_and_tool_results_are_no_part_of_a_request() -> None:
    memory = Memory("k", "Use tabs everywhere always.\n")
    assert rows(Message("user", (memory, Text(FIX)))) == [(0, 0, "request", FIX)]
    assert rows(Message("user", (memory,)), said('<memory key="k">\nUse tabs always.\n</memory>\n' + FIX)) == [
        (0, 1, "request", FIX)
    ]
    assert rows(Message("user", (ToolResult("c", "many words of a tool"), Text(FIX)))) == [(0, 0, "request", FIX)]
    assert rows(Message("user", (ToolResult("c", "many words of a tool"),))) == []


def test_a_short_request_is_left_out_and_what_is_done_for_it_is_not() -> None:
    found = texts(said(FIX), does("Read"), said("ok go on"), does("Edit"))
    assert [(row.message, row.text) for row in found.rows] == [
        (0, FIX),
        (1, "Look.\nRead(path)"),
        (3, "Look.\nEdit(path)"),
    ]
    assert found.short == 1


def test_a_plan_of_a_tool_or_two_without_words_says_too_little() -> None:
    found = texts(
        *(said(FIX), does("Grep", "Read", "Grep", words=""), does("Read"), said("yes"), does("Read", "Edit")),
        *(said("go on"), does("Grep", "Read", "Edit", words=" ")),
    )
    assert found.rows == [
        Told(0, 0, "request", FIX, ("Grep", "Read", "Grep", "Read")),
        Told(0, 4, "plan", "Look.\nRead(path), Edit(path)", ("Read", "Edit")),
        Told(0, 6, "plan", "Grep(path), Read(path), Edit(path)", ("Grep", "Read", "Edit")),
    ]
    assert found.short == 3  # the first plan, "yes" and "go on"
    assert texts(said(FIX), does("Read", words=""), kinds=["plan"]) == Texts([], short=1)
    assert texts(said(FIX), does("Read", words=""), kinds=["request"]).short == 0


def test_software_in_between_ends_an_answer_but_no_work() -> None:
    note = said("<system-reminder>", kind="synthetic")
    assert rows(said(FIX), does("Read"), note, does("Edit"))[1:] == [(0, 1, "plan", "Look.\nRead(path), Edit(path)")]
    command = said("/deploy", kind="synthetic")
    found = texts(
        said("Explain how the parser reads lines"), said("It reads lines.", "assistant"), command, does("Bash")
    )
    assert found.rows == [
        Told(0, 0, "request", "Explain how the parser reads lines"),
        Told(0, 3, "plan", "Look.\nBash(path)", ("Bash",)),
    ]
    assert texts(said(FIX), note, does("Read")).rows[0].tools == ("Read",)


def test_what_a_sub_agent_is_asked_no_person_said() -> None:
    found = texts(said(FIX), does("Read"), is_subagent=True)
    assert found == Texts([Told(0, 1, "plan", "Look.\nRead(path)", ("Read",))], synthetic=1)


def test_failures_are_told_of_the_request_and_of_the_plan() -> None:
    failed = Message("tool", (ToolResult("cBash", "E ValueError: no", exit_code=1),))
    found = texts(said(FIX), does("Bash"), failed)
    assert [row.failures for row in found.rows] == [("Bash: exit code 1: E ValueError: no",)] * 2


def test_windows_are_counted_and_what_they_repeat_is_no_second_row() -> None:
    opening, first, work = said("You are.", "system"), said(FIX, time=1.0), does("Read", id="m-1")
    again = (said("What was done so far", kind="summary"), said(FIX, kind="summary"), first, work)
    found = rows(
        opening, first, work, Boundary(), *again, said("Now write the changelog entry", time=2.0), does("Edit")
    )
    assert found == [
        *((0, 1, "request", FIX), (0, 2, "plan", "Look.\nRead(path)")),
        *((1, 5, "request", "Now write the changelog entry"), (1, 6, "plan", "Look.\nEdit(path)")),
    ]


def test_the_same_said_again_later_is_another_row() -> None:
    assert len(rows(said(FIX, time=1.0), said(FIX, time=2.0), said(FIX, id="a"), said(FIX, id="b"))) == 4
    assert len(rows(said(FIX), said(FIX))) == 2  # where nothing tells them apart


CALL = "call_1oGK863sxQHlPreFhDdEs3yl"


def marks(*records: Record) -> list[set[str]]:
    return [set(row.marks) for row in texts(*records).rows]


def called(name: str, words: str = "Look.", **more: Any) -> Message:
    return Message("assistant", (Text(words), ToolCall(name, "Read", "{}")), **more)


def test_a_message_is_known_again_by_its_id_its_time_or_its_call() -> None:
    timed = marks(said(FIX, time=1.5), called(CALL, time=2.5))
    bare = marks(said(FIX), called(CALL))
    for one, other in zip(timed, bare, strict=True):
        assert len(one) == 2
        assert len(other) == 1
        assert other < one
    assert timed == marks(said("Hello there", "assistant"), said(FIX, time=1.5), called(CALL, time=2.5))
    again = marks(said(FIX, time=1.5), called("c1", time=2.5), said("Write the changelog entry", time=9.0))
    assert all(one & other for one, other in zip(again[:2], timed, strict=True))
    sure = "0b5d7a52-0000-4000-8000-000000000000"
    assert marks(said(FIX, id=sure, time=1.0)) == marks(said(FIX, id=sure))


@pytest.mark.parametrize(
    "other",
    [
        *((said(FIX, time=9.0), called("call_another_one_of_those")), (said(FIX), called("c1"))),
        (said(f"{FIX} And more.", time=1.5), called("c1", time=2.75)),
        (said(FIX, time=1.5, id="m-2"), called("c1", "Look again.", time=2.5)),
    ],
)
def test_what_is_another_message_has_other_marks(other: tuple[Message, ...]) -> None:
    ours = set().union(*marks(said(FIX, time=1.5, id="m-1"), called(CALL, time=2.5)))
    assert not ours & set().union(*marks(*other))


def test_where_nothing_names_a_message_it_has_no_mark() -> None:
    assert marks(said(FIX, id="1"), called("call_1", id="2")) == [set(), set()]


def test_a_plan_goes_on_in_the_next_window() -> None:
    assert rows(said(FIX), does("Read"), Boundary(), said("So far", kind="summary"), does("Edit")) == [
        *((0, 0, "request", FIX), (0, 1, "plan", "Look.\nRead(path), Edit(path)"))
    ]


def test_a_pasted_log_is_cut() -> None:
    (row,) = texts(said("Fix this error: " + "x y " * 100_000)).rows
    assert len(row.text) == LONGEST


@given(st.lists(_any.messages() | OTHERS, max_size=30))
def test_rows_are_found_again_where_loading_puts_their_messages(records: list[Record]) -> None:
    windows, found = fold(records).windows, texts(*records)
    places = [(row.window, row.message) for row in found.rows]
    assert len(set(places)) == len(places)
    assert places == sorted(places)
    for row in found.rows:
        message = windows[row.window][row.message]
        assert message.kind == "said"
        assert message.role == ("user" if row.kind == "request" else "assistant")
        if row.kind == "request":
            assert row.text in "".join(part.text for part in message.parts if isinstance(part, Text))
        else:
            assert row.tools
    assert sum(row.kind == "request" for row in found.rows) <= sum(
        isinstance(r, Message) and r.role == "user" and r.kind == "said" for r in records
    )
    assert [row for row in found.rows if row.kind == "request"] == texts(*records, kinds=["request"]).rows
    assert [row for row in found.rows if row.kind == "plan"] == texts(*records, kinds=["plan"]).rows
