"""From records to facts: counted as loading does, and evidence found again where loading puts it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.formats import recognise
from memscope.conversation.load import fold, load
from memscope.conversation.model import Conversation, Memory, Message, Skipped, Text, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Boundary, Fact, Item, Record, outcome_facts
from memscope.conversation.rules import find_memories
from memscope.sessions.facts import Evidence, Facts
from memscope.sessions.fold import read_facts
from memscope.sessions.outcome import ENDING
from memscope.sessions.repositories import Patterns
from tests.conversation import _any
from tests.conversation.formats._lines import DATA, write

PATTERNS = Patterns.of([])


def facts_of(records: Iterable[Record], **about: Any) -> Facts:
    return read_facts(Item(records, **about), 0, PATTERNS)


def facts_in(path: Path) -> list[Facts]:
    """Of every conversation of a file, through its format."""
    raw = Raw(path)
    items = (item for item in recognise(raw).conversations(raw) if isinstance(item, Item))
    return [read_facts(item, number, PATTERNS) for number, item in enumerate(items)]


def said(role: str, text: str, **more: Any) -> Message:
    return Message(role, (Text(text),), **more)


def answered(text: str, *, is_error: bool = False, exit_code: int | None = None, line: int = 0) -> Message:
    return Message("tool", (ToolResult("c", text, is_error, exit_code),), line=line)


FENCED = said("user", '<memory key="tabs">\nuse tabs\n</memory>\nGo on.')
OTHERS: st.SearchStrategy[Record] = st.sampled_from(
    [Boundary(), Boundary(), Skipped(3, "the value is no record"), Fact("cwd", "/home/me/src/x"), FENCED]
)


@given(st.lists(_any.messages() | OTHERS, max_size=30))
def test_windows_and_messages_are_counted_as_loading_does(records: list[Record]) -> None:
    told, found = fold(records), facts_of(records)
    opening = 0
    while opening < len(told.windows[0]) and told.windows[0][opening].role == "system":
        opening += 1
    once = told.windows[0] + [m for window in told.windows[1:] for m in window[opening:]]
    own = [m for m in once if m.kind != "summary"]
    assert found.windows == len(told.windows)
    assert found.messages == len(own)
    assert found.responses == sum(m.is_response for m in own)
    assert found.tool_calls == sum(len(m.calls) for m in own if m.role == "assistant" and not m.is_memory)


@given(st.lists(_any.messages() | OTHERS, max_size=30))
def test_memories_are_those_of_all_windows_and_the_first_is_found_again(records: list[Record]) -> None:
    off = ("tool", "heading")
    windows = [find_memories(Conversation(tuple(w)), off=off) for w in fold(records).windows]
    found = facts_of(records)
    assert found.memories == len({entry.key for window in windows for entry in window.memories})
    assert (found.memory is None) == (not found.memories)
    if found.memory is not None:
        first = next((w, window.memories[0].first) for w, window in enumerate(windows) if window.memories)
        assert (found.memory.window, found.memory.message) == first


@st.composite
def with_outcomes(draw: st.DrawFn) -> list[Record]:
    """Records as formats tell them: on lines of their own or all on one, the facts of a result before or behind it."""
    is_document, facts_first = draw(st.booleans()), draw(st.booleans())
    records: list[Record] = []
    for number in range(draw(st.integers(0, 45))):
        line = 1 if is_document else number + 1
        what = draw(st.sampled_from(["answer", "result", "result", "boundary"]))
        if what == "boundary":
            records.append(Boundary(line))
            continue
        if what == "answer":
            records.append(said("assistant", f"well {number}", line=line))
            continue
        text = draw(st.sampled_from(["same", f"result {number}"]))
        failed = draw(st.sampled_from([(False, None), (False, 0), (True, None), (False, 2), (True, 1)]))
        message = answered(text, is_error=failed[0], exit_code=failed[1], line=line)
        told = list(outcome_facts(message.parts[0], line))  # type: ignore[arg-type]
        records.extend([*told, message] if facts_first else [message, *told])
    return records


@given(with_outcomes())
def test_the_failure_is_the_last_and_in_the_message_that_says_so(records: list[Record]) -> None:
    failure, windows = facts_of(records).failure, fold(records).windows
    messages = [record for record in records if isinstance(record, Message)]
    failing = [n for n, m in enumerate(messages) if any(isinstance(p, ToolResult) and _failed(p) for p in m.parts)]
    assert (failure is not None) == bool(failing and len(messages) - failing[-1] <= ENDING)
    if failure is None:
        return
    place = failure.evidence
    message = windows[place.window][place.message]
    (result,) = (part for part in message.parts if isinstance(part, ToolResult))
    assert _failed(result)
    assert place.line == message.line
    if failure.kind == "exit_code":
        assert place.text == f"exit code {result.exit_code}: {result.text.strip()}"
    else:
        assert place.text == result.text.strip()
    assert message == messages[failing[-1]]


def _failed(result: ToolResult) -> bool:
    return result.is_error or bool(result.exit_code)


def test_titles_and_requests_are_those_of_loading(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [said_json("system", "Be brief."), said_json("user", "  Why?\n" * 40)])
    (found,) = facts_in(path)
    assert found.title == load(path).title
    assert found.request.startswith(found.title[:-1])
    assert len(found.request) > len(found.title)


def said_json(role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": text, **more}


def test_a_fact_names_the_title_the_session_and_its_parent() -> None:
    records: list[Record] = [Fact("session", "old"), Fact("title", "A"), said("user", "x"), Fact("title", "B")]
    records.append(Fact("session", "s"))
    found = facts_of(records, title="item")
    assert (found.title, found.session, found.parent, found.is_subagent) == ("B", "s", "", False)
    assert facts_of([said("user", "x")], title="item").title == "item"
    child = facts_of([Fact("parent", "p")])
    assert (child.parent, child.is_subagent) == ("p", True)
    assert facts_of([], is_subagent=True).is_subagent


def test_what_a_compaction_tells_again_is_not_counted_again() -> None:
    call = Message("assistant", (ToolCall("c", "Bash", "{}"),))
    again = Message("assistant", (ToolCall("c", "Bash", "{}"),), "summary")
    found = facts_of([said("user", "x"), call, Boundary(), said("user", "x", kind="summary"), again, call])
    assert (found.messages, found.responses, found.tool_calls, found.windows) == (3, 2, 2, 2)


def test_times_that_are_none_are_passed_over() -> None:
    times = (None, -62e9, 1e300, 1_700_000_000.0, 1_600_000_000.0, float("inf"), 2.6e11, None)
    found = facts_of([said("user", "x", time=time) for time in times])
    assert (found.began, found.ended) == (1_700_000_000.0, 1_600_000_000.0)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (said("system", "rules"), False),
        (said("user", " \n"), False),
        (answered(""), False),
        (said("user", "old", kind="summary"), False),
        (said("user", "x"), True),
        (answered("x"), True),
        (Message("assistant", (ToolCall("c", "Bash", ""),)), True),
        (Message("user", (Memory("k", "x"),)), True),
    ],
)
def test_content_is_what_somebody_says_or_does(message: Message, says: bool) -> None:
    assert facts_of([message]).has_content is says


def test_memories_of_a_response_are_none() -> None:
    """As loading has it: they are read as the text of what was said."""
    spoken = Message("assistant", (Memory("a", "x"), Text("y")))
    fence = said("assistant", FENCED.text)
    found = facts_of([spoken, fence, said("tool", FENCED.text)])
    assert (found.memories, found.memory) == (0, None)
    whole = facts_of([said("user", "x"), Message("assistant", (Memory("a", "kept\nin mind"),), line=7)])
    assert (whole.memories, whole.memory, whole.responses) == (1, Evidence(0, 1, 7, "kept in mind"), 0)


REASONS = {
    "claude-code": {"type": "user", "uuid": "u", "parentUuid": None, "message": {"role": "user", "content": "x"}},
    "codex": {"type": "session_meta", "payload": {"id": "s"}},
    "hermes": {"role": "session_meta"},
    "openai": {"role": "user", "content": "x"},
    "anthropic": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]},
}


@pytest.mark.parametrize("form", REASONS)
def test_lines_that_are_broken_or_no_object_are_counted(tmp_path: Path, form: str) -> None:
    whole = json.dumps(REASONS[form]) + "\n"
    path = write(tmp_path / "a.jsonl", [whole, "17\n", "{broken\n", "[]\n", "[" * 300 + "]" * 300 + "\n", '{"typ'])
    assert recognise(Raw(path)).name == form
    (found,) = facts_in(path)
    assert found.malformed == 5
    assert found.skipped == 5


def test_what_is_passed_over_for_its_meaning_is_not_malformed() -> None:
    found = facts_of([Skipped(1, "the turn was taken back"), Skipped(2, "a record of an unknown type", "'x'")])
    assert (found.malformed, found.skipped) == (0, 2)


def beginning(*messages: Message) -> str:
    return facts_of(messages).print


def test_a_beginning_without_ids_and_times_is_no_sign() -> None:
    """Two runs of one benchmark prompt are two sessions."""
    assert beginning(said("user", "Solve it."), said("assistant", "I do.")) == ""
    assert beginning(said("user", "Solve it.", id="m1"), said("assistant", "I do.")) == ""
    assert beginning() == ""


def test_an_id_that_nothing_else_has_makes_a_beginning() -> None:
    first = said("user", "Go.", id="3f0c2a51-aaaa-bbbb", time=1.0)
    grown = beginning(said("system", "s"), first, said("assistant", "y"), said("user", "z"))
    assert beginning(first) == grown != ""
    assert beginning(said("user", "Go.", id="3f0c2a51-aaaa-cccc", time=1.0)) != grown


def test_without_ids_the_first_three_times_make_a_beginning() -> None:
    def run(*times: float | None) -> str:
        return beginning(*(said("user", f"{n}", time=t) for n, t in enumerate(times)))

    assert run(1.0, 2.0, 3.0, 4.0) == run(1.0, 2.0, 3.0, None) != ""
    assert run(1.0, 2.0, 3.5) != run(1.0, 2.0, 3.0)
    assert run(1.0, None, 3.0) == ""


def test_hidden_controls_of_a_transcript_stay_out_of_what_is_kept() -> None:
    evil = "\x1b]0;pwned\x07[red]"
    found = facts_of(
        [said("user", evil), Fact("cwd", f"/home/me/{evil}"), answered(evil, is_error=True), Fact("error", evil)]
    )
    shown = [found.title, found.request, *(r.name + r.evidence.text for r in found.repositories)]
    assert found.failure is not None
    assert not any(ord(c) < 32 for text in [*shown, found.failure.evidence.text] for c in text)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared transcripts are not here")
def test_real_sessions_count_as_they_load() -> None:
    for path in sorted((DATA / "claude-code").glob("*.jsonl")) + sorted((DATA / "codex").glob("rollout-*.jsonl"))[:2]:
        for number, found in enumerate(facts_in(path)[:3]):
            if not found.messages:
                continue
            last = load(path, item=number)
            windows = [load(path, item=number, window=w) for w in range(last.windows)]
            assert found.windows == last.windows
            assert found.title == last.title
            for evidence in filter(None, [found.memory, found.failure and found.failure.evidence]):
                message = windows[evidence.window].messages[evidence.message]
                words = evidence.text.split(": ", 1)[-1].rstrip("…").split()[:3]
                is_event = message.line != evidence.line  # which is no message: the one before it stands for it
                assert is_event or all(word in message.text for word in words), (path.name, evidence)
