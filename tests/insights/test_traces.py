"""What happened in a conversation, a line for each message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.formats import format_names, recognise
from memscope.conversation.model import Memory, Message, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Boundary, Item, Record
from memscope.insights.traces import LINE, TraceLine, trace, tracing
from tests.conversation import _any
from tests.insights import failing

MANY = 10_000
OTHERS: st.SearchStrategy[Record] = st.sampled_from([Boundary(), Skipped(3, "the value is no record")])


def said(text: str, role: str = "user", **more: Any) -> Message:
    return Message(role, (Text(text),), **more)


def test_a_line_for_each_message_but_system_ones() -> None:
    call = Message("assistant", (Text("I look.\nNow."), ToolCall("c", "Read", "{}"), ToolCall("d", "a\nb", "{}")))
    told = trace(
        [
            *(said("You are.", "system"), said("Be brief.", "developer"), said(" Fix\nit. "), call),
            *(Message("tool", (ToolResult("c", "all of the file"),)), said("It is\n\nfixed.\n", "assistant")),
        ],
        MANY,
    )
    assert told == [
        TraceLine("user", "Fix\nit."),
        TraceLine("assistant", "I look.\nNow.", ("Read", "a b")),
        TraceLine("tool", ""),
        TraceLine("assistant", "It is\n\nfixed.\n"),
    ]


@pytest.mark.parametrize(
    ("results", "failed"),
    [
        ([ToolResult("c", "x" * 9999, is_error=True)], "x" * LINE),
        ([ToolResult("c", "fine"), ToolResult("d", "no\nfile", exit_code=2)], "no\nfile"),
        ([ToolResult("c", '{"output": "no", "exit_code": 2}', exit_code=2)], "no"),
        ([ToolResult("c", "", exit_code=2)], "exit code 2"),
        ([ToolResult("c", "", is_error=True)], "(no answer)"),
        ([ToolResult("c", "[Request interrupted by user for tool use]", is_error=True)], ""),
        ([ToolResult("c", "error", exit_code=0)], ""),
        ([], ""),
    ],
)
def test_a_failed_result_says_what_it_said(results: list[ToolResult], failed: str) -> None:
    assert trace([Message("tool", tuple(results))], MANY) == [TraceLine("tool", "", (), failed)]


def test_of_a_person_their_own_words_alone() -> None:
    memory = Memory("k", "Use tabs.\n")
    told = trace(
        [
            *(said("/init", kind="synthetic"), said("<system-reminder>Hi</system-reminder>"), said(" ")),
            *(Message("user", (memory,)), Message("user", (memory, Text("Fix it."))), said("So far", kind="summary")),
            said('<memory key="k">\nUse tabs.\n</memory>\nGo on there.'),
        ],
        MANY,
    )
    assert told == [TraceLine("user", "Fix it."), TraceLine("user", "Go on there.")]


def test_what_says_nothing_is_no_line() -> None:
    silent = [
        Message("assistant", (Thinking("Hm."),)),
        said(" \n", "assistant"),
        said("API Error", "assistant", kind="synthetic"),
        Message("assistant", (Memory("k", "Use tabs."),)),
    ]
    assert trace(silent, MANY) == []


def test_texts_are_cut() -> None:
    assert [len(line.text) for line in trace([said("x" * 9999), said("y" * 9999, "assistant")], MANY)] == [LINE, LINE]


def test_each_message_once_over_all_windows() -> None:
    first, answer = said("Fix it.", time=1.0), said("Done.", "assistant", id="a")
    records = [first, answer, Boundary(), said("So far", kind="summary"), first, answer, said("Thanks a lot", time=2.0)]
    assert [line.text for line in trace(records, MANY)] == ["Fix it.", "Done.", "Thanks a lot"]


@pytest.mark.parametrize("most", [-1, 0, 1, 3])
def test_no_more_is_read_than_is_told(most: int) -> None:
    def records() -> Iterator[Record]:
        for number in range(max(most, 0)):
            yield said(f"number {number}")
        raise AssertionError("this is not needed")

    assert len(trace(records(), most)) == max(most, 0)


@given(st.lists(_any.messages() | OTHERS, max_size=30), st.integers(0, 40))
def test_any_records_have_a_trace_of_which_less_is_the_beginning(records: list[Record], most: int) -> None:
    whole = trace(records, MANY)
    assert trace(records, most) == whole[:most] == tracing(most)(records, False)
    for line in whole:
        assert len(line.text) <= 400
        assert len(line.failed) <= 200
        assert line.role == "tool" or not line.failed
        assert line.role == "assistant" or not line.tools
        assert line.role == "tool" or line.text.strip() or line.tools
    assert len(whole) <= sum(isinstance(record, Message) and record.role != "system" for record in records)


@pytest.mark.parametrize("name", format_names())
def test_a_session_of_each_format(name: str, tmp_path: Path) -> None:
    path = failing.write(name, tmp_path)
    (item,) = (item for item in recognise(Raw(path)).conversations(Raw(path)) if isinstance(item, Item))
    told = trace(item.records, MANY)
    assert [line.role for line in told] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert told[0].text == failing.ASKED
    assert told[-1] == TraceLine("assistant", failing.DONE)
    assert all((failing.FAILED in line.failed) == (name not in failing.TELL_NONE) for line in told[2:5:2])
    assert all(line.tools == (failing.TOOLS.get(name, "shell"),) for line in told[1:4:2])
