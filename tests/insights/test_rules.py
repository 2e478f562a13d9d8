"""The three rules: what they see in a conversation, and where."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.job import Job
from memscope.base.text import clean_line
from memscope.conversation.formats import format_names, recognise
from memscope.conversation.load import fold
from memscope.conversation.many import ReadFile, ToRead, read_files
from memscope.conversation.model import Memory, Message, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Boundary, Fact, Item, Record
from memscope.insights import rules
from memscope.insights.model import Observation, Spot
from memscope.insights.rules import observe, observing
from tests.conversation import _any
from tests.insights import failing

OTHERS: st.SearchStrategy[Record] = st.sampled_from(
    [
        Boundary(),
        Skipped(3, "the value is no record"),
        Fact("cwd", "/srv/x"),
        Message("assistant", (Text("word " * 150),)),
        Message("assistant", (ToolCall("", "", "{"),)),
        Message("tool", (ToolResult("c1", "no\x1b such file", exit_code=2),), time=1.0, id="r"),
        Message("tool", (ToolResult("", "", is_error=True),)),
    ]
)


def said(text: str, role: str = "assistant", **more: Any) -> Message:
    return Message(role, (Text(text),), **more)


def does(*tools: str, words: str = "", **more: Any) -> Message:
    """Calls of tools, each by an id that is its name."""
    return Message("assistant", (Text(words), *(ToolCall(tool, tool, "{}") for tool in tools)), **more)


def fails(tool: str, text: str = "no such file", **more: Any) -> Message:
    return Message("tool", (ToolResult(tool, text, is_error=True),), **more)


def works(tool: str) -> Message:
    return Message("tool", (ToolResult(tool, "error: none at all"),))


def only(*records: Record) -> Observation:
    (found,) = observe(records)
    return found


# repeated_tool_error


def test_a_tool_that_failed_twice_is_told_with_its_first_error() -> None:
    found = only(
        said("Fix it.", "user"),
        does("Bash", time=4.0),
        fails("Bash", "Error: one\n\n  and more", time=5.0),
        does("Bash", "Read"),
        works("Read"),
        fails("Bash", "another", time=7.0),
    )
    assert found == Observation(
        "repeated_tool_error",
        "'Bash' errored 2 times: Error: one and more",
        0.4,
        (Spot(0, 2, "Error: one and more"), Spot(0, 5, "another")),
        5.0,
    )


def test_once_is_no_pattern_and_tools_count_by_themselves() -> None:
    assert observe([does("Bash", "Read"), fails("Bash"), fails("Read")]) == []


def test_an_exit_code_is_an_error_too() -> None:
    assert only(does("sh"), *[Message("tool", (ToolResult("sh", "no", exit_code=1),))] * 2).confidence == 0.4
    assert observe([does("sh"), *[Message("tool", (ToolResult("sh", "no", exit_code=0),))] * 2]) == []


@pytest.mark.parametrize(("times", "confidence"), [(2, 0.4), (4, 0.8), (5, 1.0), (30, 1.0)])
def test_confidence_grows_up_to_five_errors_and_twenty_are_shown(times: int, confidence: float) -> None:
    found = only(does("Bash"), *[fails("Bash")] * times)
    assert found.text.startswith(f"'Bash' errored {times} times: ")
    assert found.confidence == pytest.approx(confidence)
    assert len(found.spots) == min(times, 20)


def test_what_a_person_stopped_is_no_error_of_the_tool_and_no_success() -> None:
    stopped = fails("Bash", "The user doesn't want to proceed with this tool use.")
    assert observe([does("Bash"), stopped, does("Bash"), stopped, said("As you like.")]) == []


def test_the_tool_of_a_result_is_that_of_its_call() -> None:
    """By the id; else as the message names it; a result without an id answers the next call without one."""
    named = Message("tool", (ToolResult("gone", "x", True),), name="grep\x1b")
    assert only(named, named).text == "'grep␛' errored 2 times: x"
    assert only(fails("gone"), fails("lost")).text.startswith("'unknown tool' errored 2 times")
    nameless = Message("assistant", (ToolCall("", "Read", "{}"), ToolCall("", "Edit", "{}")))
    answers = [Message("tool", (ToolResult("", "fine"),)), fails("")]
    assert only(nameless, *answers, nameless, *answers).text == "'Edit' errored 2 times: no such file"
    left_open = [nameless, fails(""), nameless, fails("")]
    assert only(*left_open).text == "'Read' errored 2 times: no such file"


def test_an_id_that_is_used_again_is_of_the_last_call() -> None:
    one, other = (Message("assistant", (ToolCall("c", tool, "{}"),)) for tool in ("Read", "Edit"))
    assert only(one, works("c"), other, fails("c"), fails("c")).text.startswith("'Edit' errored 2")


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ('{"output": "no\\nsuch file", "exit_code": 2, "error": null}', 2, "no such file"),
        ('{"output": "", "exit_code": 2, "error": null}', 2, "exit code 2"),
        ('{"reason": "closed"}', None, '{"reason": "closed"}'),
        ("<tool_use_error>File has not been read yet.</tool_use_error>", None, "File has not been read yet."),
        ("Exit code: 2\nWall time: 0.1 seconds\nOutput:\nno", 2, "no"),
        ("Script failed\nWall time 0.0 seconds\nOutput:\n", None, "Script failed Wall time 0.0 seconds Output:"),
        ("Exit code 1\nno", 1, "Exit code 1 no"),
        ("no\nExit code: 2\nOutput:\nno", 2, "no Exit code: 2 Output: no"),
        *((" \n", 7, "exit code 7"), ("", None, "(no answer)")),
        ("x" * 300, None, "x" * 199 + "…"),
    ],
)
def test_a_sample_is_what_the_tool_said(text: str, code: int | None, told: str) -> None:
    failed = Message("tool", (ToolResult("Bash", text, True, code),))
    assert only(does("Bash"), failed, failed).text == f"'Bash' errored 2 times: {told}"


def test_credentials_are_masked_in_all_that_is_told() -> None:
    secret = "password=hunter2hunter2hunter2"
    found = observe(
        [
            *(does("Bash"), fails("Bash", f"denied: {secret}"), fails("Bash", secret), said("No.")),
            *(said(f"Try with {secret}", "user"), does("Bash", "Read", words=f"With {secret}")),
            said(f"I did with {secret}. " + "word " * 100),
        ]
    )
    assert [one.kind for one in found] == ["repeated_tool_error", "successful_sequence", "long_reasoning"]
    assert "hunter" not in repr(found)


def test_what_is_told_is_masked_once_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(rules, "masked", lambda text: (looked.append(text) or text, 0))
    long = "word " * 150
    failed = [fails("Bash", "one"), fails("Bash", "one"), fails("Read", "once")]
    records = [said("Go.", "user"), does("Bash", "Read"), *failed, said("Short."), does("a", "b"), said(long)]
    assert len(observe(records)) == 3
    assert sorted(looked) == ["Go.", "a", "one", long.strip()]


# successful_sequence


def test_calls_from_one_plain_turn_to_the_next_are_a_sequence() -> None:
    found = observe(
        [
            said("Fix the parser.", "user"),
            does("Read", "Grep", words="I look.", time=2.0),
            works("Read"),
            works("Grep"),
            does("Edit"),
            works("Edit"),
            said("It is fixed."),
            does("Bash", "Bash"),
            said("And it is tested."),
            said("Thanks", "user"),
            does("Read"),
            said("You are welcome."),
        ]
    )
    assert found == [
        Observation(
            "successful_sequence",
            "Sequence [Read→Grep→Edit] succeeded for: Fix the parser.",
            0.5,
            (Spot(0, 1, "I look."), Spot(0, 6, "It is fixed.")),
            2.0,
        ),
        Observation(
            "successful_sequence",
            "Sequence [Bash×2] succeeded for: Fix the parser.",
            0.5,
            (Spot(0, 7, "Bash"), Spot(0, 8, "And it is tested.")),
        ),
    ]


def test_an_error_spoils_its_own_sequence_alone() -> None:
    found = only(does("Read", "Edit"), fails("Edit"), does("Edit"), said("Done."), does("Bash", "Read"), said("Done."))
    assert found.text == "Sequence [Bash→Read] succeeded"


def test_what_no_plain_turn_ends_is_none() -> None:
    assert observe([does("Read", "Edit"), works("Edit"), said("Thanks", "user")]) == []
    not_plain = [
        said("", kind="said"),
        said(" \n"),
        Message("assistant", (Thinking("Done."),)),
        said("API Error", kind="synthetic"),
        said("So far", kind="summary"),
        said("Done.", "user"),
        Message("assistant", (Memory("k", "Done."),)),
    ]
    assert observe([does("Read", "Edit"), *not_plain]) == []


@pytest.mark.parametrize(("calls", "confidence"), [(2, 0.5), (5, 0.5), (7, 0.7), (9, 0.9), (200, 0.9)])
def test_confidence_grows_with_the_calls(calls: int, confidence: float) -> None:
    assert only(*[does("Read")] * calls, said("Done.")).confidence == pytest.approx(confidence)


def test_runs_are_counted_and_a_long_sequence_is_cut() -> None:
    names = [f"t{number}" for number in range(30)]
    assert only(does("a", "a"), does("a", "b", "a"), said("Done.")).text == "Sequence [a×3→b→a] succeeded"
    assert only(does(*names), said("Done.")).text == f"Sequence [{'→'.join(names[:12])}→…] succeeded"
    assert only(does("x\n\x1b]0;y" + "z" * 999, ""), said("Done.")).text == f"Sequence [x ␛]0;y{'z' * 73}→?] succeeded"


def test_the_hint_is_what_a_person_asked_last_in_their_own_words() -> None:
    asked = [
        said("Fix the parser.", "user"),
        Message("user", (Memory("k", "Use tabs."), Text(f"Then\nthe {'lexer ' * 30}"))),
        said("<system-reminder>Be brief.</system-reminder>", "user"),
        said("/init", "user", kind="synthetic"),
        Message("user", (Memory("k", "Use tabs."),)),
    ]
    found = only(*asked, does("Read", "Edit"), said("Done."))
    hint = found.text.removeprefix("Sequence [Read→Edit] succeeded for: ")
    assert hint.startswith("Then the lexer lexer")
    assert hint.endswith("…")
    assert len(hint) == 99  # and not 100: a space before the sign of a cut is none


# long_reasoning


@pytest.mark.parametrize(
    ("length", "confidence"), [(499, None), (500, 0.4), (800, 0.4), (1200, 0.6), (1600, 0.8), (90_000, 0.8)]
)
def test_a_long_text_of_the_assistant_is_reasoning(length: int, confidence: float | None) -> None:
    found = observe([said("x" * length + "\n\n", time=3.0)])
    if confidence is None:
        assert found == []
        return
    (one,) = found
    assert (one.text, one.time) == ("x" * 299 + "…", 3.0)
    assert one.spots == (Spot(0, 0, "x" * 119 + "…"),)
    assert one.confidence == pytest.approx(confidence)


def test_text_beside_calls_is_reasoning_and_what_others_say_is_none() -> None:
    text = "word " * 150
    assert only(does("Read", words=text)).kind == "long_reasoning"
    others = [
        *(said(text, role) for role in ("user", "system", "tool", "developer")),
        *(said(text, kind="synthetic"), said(text, kind="summary"), said(" \n" * 600)),
        Message("assistant", (Thinking(text),)),
        Message("assistant", (ToolCall("c", "Read", text),)),
    ]
    assert observe(others) == []


# All of them


def test_errors_come_first_then_sequences_then_reasoning() -> None:
    long = said("word " * 150)
    found = observe(
        [
            *(long, does("Read", "Edit"), said("Done."), does("b", "a"), fails("b"), fails("a"), fails("a")),
            *(fails("b"), said("No."), does("Edit", "Read"), long),
        ]
    )
    assert [(one.kind, one.spots[0].message) for one in found] == [
        *(("repeated_tool_error", 4), ("repeated_tool_error", 5)),
        *(("successful_sequence", 1), ("successful_sequence", 9)),
        *(("long_reasoning", 0), ("long_reasoning", 10)),
    ]


def test_windows_are_counted_and_what_they_repeat_counts_once() -> None:
    opening, call = said("You are.", "system"), does("Bash", id="m-1")
    first = fails("Bash", "one", time=1.0)
    again = [said("What was done", "user", kind="summary"), fails("Bash", kind="summary"), call, first]
    found = only(opening, call, first, Boundary(), *again, fails("Bash", "two", time=2.0))
    assert found.text == "'Bash' errored 2 times: one"
    assert found.spots == (Spot(0, 2, "one"), Spot(1, 5, "two"))


@given(st.lists(_any.messages() | OTHERS, max_size=40))
def test_every_spot_is_a_message_that_loading_has_and_that_says_it(records: list[Record]) -> None:
    windows, found = fold(records).windows, observe(records)
    assert found == observe(records)
    kinds = [one.kind for one in found]
    assert kinds == sorted(kinds, key=["repeated_tool_error", "successful_sequence", "long_reasoning"].index)
    for one in found:
        assert 0 < one.confidence <= 1
        assert one.text == clean_line(one.text)
        assert one.spots
        assert [spot[:2] for spot in one.spots] == sorted(spot[:2] for spot in one.spots)
        messages = [windows[spot.window][spot.message] for spot in one.spots]
        assert one.time == messages[0].time
        for spot, message in zip(one.spots, messages, strict=True):
            assert spot.words
            if one.kind == "repeated_tool_error":
                assert any(isinstance(part, ToolResult) for part in message.parts)
            else:
                assert (message.role, message.kind) == ("assistant", "said")
        if one.kind == "repeated_tool_error":
            count = re.search(r"errored (\d+) times", one.text)
            assert count is not None
            assert int(count[1]) == len(one.spots) >= 2


# Every format


def file_of(path: Path) -> ToRead:
    return ToRead(os.fsencode(path), "", ((0, False),), path.stat().st_size)


def test_every_format_tells_errors_or_is_known_to_tell_none() -> None:
    assert set(format_names()) == failing.TOOLS.keys() | failing.TELL_NONE


@pytest.mark.parametrize("name", format_names())
def test_errors_are_found_in_each_format_that_tells_them(name: str, tmp_path: Path) -> None:
    path = failing.write(name, tmp_path)
    form = recognise(Raw(path))
    assert form.name == name
    (item,) = (item for item in form.conversations(Raw(path)) if isinstance(item, Item))
    found = observe(item.records)
    if name in failing.TELL_NONE:
        assert [one.text for one in found] == [f"Sequence [shell×2] succeeded for: {failing.ASKED}"]
        return
    (one,) = found
    tool = failing.TOOLS[name]
    assert re.fullmatch(rf"'{tool}' errored 2 times: .*{failing.FAILED}", one.text)
    assert all(failing.FAILED in spot.words for spot in one.spots)


def test_many_files_are_read_alike(tmp_path: Path) -> None:
    path = failing.write("openai", tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    (found, none) = read_files(observing, (), [file_of(path), file_of(broken)], Job(), "reading")
    assert isinstance(found, ReadFile)
    assert [one.kind for one in found.made[0]] == ["repeated_tool_error"]
    assert none.error
