"""Which requests of a trace are one conversation: where they are joined nothing is lost, and nothing searched for."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memscope.conversation.formats import format_named
from memscope.conversation.load import load
from memscope.conversation.model import Thinking
from memscope.conversation.raw import Raw
from memscope.conversation.records import Item
from tests.conversation.formats._lines import facts, shape, write
from tests.conversation.formats._observed import ANSWER, ASK, CALLED, DONE, WHOLE, asked, observed, path_of

MORE = {"role": "user", "content": "And tomorrow?"}
ONE_SAID = {"role": "assistant", "content": "one"}
ONE, TWO = ("assistant", "one"), ("assistant", "two")


def shapes(path: Path) -> list[list[tuple[str, str]]]:
    return [shape(load(path, item=item)) for item in range(load(path).items)]


def called(name: str, arguments: str) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def image(data: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": data}}]}


IN_PIECES = {
    "output": [
        {"type": "message", **ONE_SAID},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
}


def test_traces_in_one_list_are_apart(tmp_path: Path) -> None:
    requests = [asked("g1", 1, [ASK], "one", traceId="t1"), asked("g2", 2, [ASK, ONE_SAID, MORE], "two", traceId="t2")]
    path = write(tmp_path / "a.json", [requests])
    assert shapes(path) == [[WHOLE[0], ONE], [WHOLE[0], ONE, ("user", "And tomorrow?"), TWO]]
    assert [facts(path, "langfuse", item) for item in (0, 1)] == [[("session", "t1")], [("session", "t2")]]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (([ASK], "one"), ([ASK], "two")),
        (([ASK], "one"), ([ASK, MORE], "two")),
        (([ASK], called("f", '{"x":1}')), ([ASK, called("g", '{"x":1}'), MORE], "two")),
        (([ASK], called("f", '{"x":1}')), ([ASK, called("f", '{"x":2}'), MORE], "two")),
        (([image("a")], "one"), ([image("b"), ONE_SAID, MORE], "two")),
        (([ASK], {"instructions": "A", "output": [ONE_SAID]}), ([ASK], {"instructions": "B", "output": [ONE_SAID]})),
    ],
    ids=["asked again", "without the reply", "another tool", "other arguments", "another image", "another prompt"],
)
def test_a_request_that_does_not_repeat_all_there_is_begins_anew(tmp_path: Path, first: Any, then: Any) -> None:
    alone = [shapes(path_of(tmp_path, asked("g", 1, *request)))[0] for request in (first, then)]
    assert shapes(path_of(tmp_path, asked("g1", 1, *first), asked("g2", 2, *then))) == alone


@pytest.mark.parametrize(
    ("reply", "repeated"),
    [
        (called("f", '{"x":1,"y":2}'), called("f", '{ "y": 2, "x": 1 }')),
        ("one\n", ONE_SAID),
        ("one", called("f", "{}") | {"content": "one"}),
        (called("f", "{}"), called("f", "{}") | {"content": "one"}),
        (None, ONE_SAID),
        ("", ONE_SAID),
        (IN_PIECES, called("f", "{}") | {"content": "one"}),
    ],
    ids=["arguments spelt anew", "a blank", "words alone", "calls alone", "none", "an empty one", "in pieces"],
)
def test_a_reply_may_be_repeated_in_other_words_for_the_same(tmp_path: Path, reply: Any, repeated: Any) -> None:
    path = path_of(tmp_path, asked("g1", 1, [ASK], reply), asked("g2", 2, [ASK, repeated, MORE], "two"))
    assert [len(told) for told in shapes(path)] == [4]


def test_of_two_replies_the_one_repeated_is_gone_on_with(tmp_path: Path) -> None:
    first, other = asked("g1", 1, [ASK], "one"), asked("g2", 2, [ASK], "two")
    path = path_of(tmp_path, first, other, asked("g3", 3, [ASK, ONE_SAID, MORE], "three"))
    assert [told[1:] for told in shapes(path)] == [[ONE, ("user", MORE["content"]), ("assistant", "three")], [TWO]]


def test_a_request_of_which_all_is_known_is_no_conversation(tmp_path: Path) -> None:
    whole = asked("g2", 2, [ASK, ONE_SAID, MORE], "two")
    known = [asked("g3", 3, [ASK], "one"), asked("g4", 4, [ASK], None), asked("g5", 5, [ASK, ONE_SAID, MORE], "two")]
    assert len(shapes(path_of(tmp_path, asked("g1", 1, [ASK], "one"), whole, *known))) == 1


def test_observations_without_names_of_their_own(tmp_path: Path) -> None:
    nameless = [asked("", n, [ASK], reply, parentObservationId=None) for n, reply in enumerate(("one", "two"))]
    assert shapes(path_of(tmp_path, *nameless)) == [[WHOLE[0], ONE], [WHOLE[0], TWO]]


def test_what_is_put_behind_is_not_lost_to_a_request_that_repeats_it(tmp_path: Path) -> None:
    new_alone = [asked("g1", 1, [ASK], CALLED), asked("g2", 2, [ANSWER], DONE), asked("g3", 3, [ANSWER], "Bright.")]
    assert shapes(path_of(tmp_path, *new_alone)) == [[*WHOLE, WHOLE[2], ("assistant", "Bright.")]]
    whole = asked("g3", 3, [ASK, CALLED, ANSWER, DONE, MORE], "two")
    assert shapes(path_of(tmp_path, *new_alone[:2], whole)) == [[*WHOLE, ("user", MORE["content"]), TWO]]


def test_a_message_has_the_time_and_thoughts_it_was_first_told_with(tmp_path: Path) -> None:
    def at(second: int) -> float:
        return datetime(2025, 8, 22, 9, 38, second, tzinfo=UTC).timestamp()

    thought = CALLED | {"reasoning_content": "Hm."}
    ended = {"endTime": "2025-08-22T09:38:04Z"}
    instructions = {"instructions": "Be kind.", "output": [{"type": "message", **DONE}]}
    requests = [asked("g1", 1, [ASK], thought, **ended), asked("g2", 6, [ASK, CALLED, ANSWER], instructions)]
    conversation = load(path_of(tmp_path, *requests))
    assert [message.time for message in conversation.messages] == [at(n) for n in (1, 1, 4, 6, 6)]
    assert Thinking("Hm.") in conversation.messages[2].parts
    tool = observed("get", "TOOL", 5, {}, "Sunny", endTime="2025-08-22T09:38:06Z")
    conversation = load(path_of(tmp_path, asked("g1", 1, [ASK], CALLED, **ended), tool, asked("g2", 7, None, DONE)))
    assert [message.time for message in conversation.messages] == [at(n) for n in (1, 4, 6, 7)]
    root = observed("root", "SPAN", 2, [ASK], [DONE], **ended, parentObservationId=None)
    assert [message.time for message in load(path_of(tmp_path, root)).messages] == [at(2), at(4)]


def questions(number: int) -> list[dict[str, Any]]:
    return [asked(f"g{n}", n % 60, [{"role": "user", "content": f"{n}?"}], "one") for n in range(number)]


def samples(number: int) -> list[dict[str, Any]]:
    return [asked(f"g{n}", n % 60, [ASK], f"{n}.") for n in range(number)]


def with_tools_between(number: int) -> list[dict[str, Any]]:
    first = asked("first", 0, [ASK], called("get", "{}"), startTime=1)
    pairs = (
        (
            observed("get", "TOOL", 0, {}, "Sunny", startTime=2 * n),
            asked(f"g{n}", 0, None, called("get", "{}"), startTime=2 * n + 1),
        )
        for n in range(1, number)
    )
    return [first, *(one for pair in pairs for one in pair)]


@pytest.mark.parametrize("export", [questions, samples, with_tools_between])
def test_twice_the_requests_take_twice_the_steps(tmp_path: Path, export: Any) -> None:
    few, many = (steps(path_of(tmp_path, *export(number))) for number in (100, 200))
    assert many < 2.2 * few


def steps(path: Path) -> int:
    """How many functions are entered to read all conversations of a file."""
    count = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    raw = Raw(path)
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for item in format_named("langfuse").conversations(raw):
            assert isinstance(item, Item)
            assert list(item.records)
    finally:
        sys.setprofile(before)
    return count


def test_answers_of_calls_without_ids_are_all_told(tmp_path: Path) -> None:
    calls = [{"type": "function", "function": {"name": "f", "arguments": "{}"}}] * 2
    both = {"role": "assistant", "content": "", "tool_calls": calls}
    path = path_of(
        tmp_path,
        asked("g1", 1, [ASK], both),
        observed("f", "TOOL", 2, {}, "one"),
        observed("f", "TOOL", 3, {}, "two", id="f2"),
        observed("g", "TOOL", 4, {}, "three"),
        asked("g2", 5, None, DONE),
    )
    conversation = load(path)
    assert [m.text for m in conversation.messages if m.role == "tool"] == ["one", "two"]
    assert [s.reason for s in conversation.skipped] == ["a tool's answer to no call that is known, g"]


def test_a_reply_that_is_json_in_a_text_is_told_as_it_was_written(tmp_path: Path) -> None:
    reply = '{"answer": 42}'
    again = [ASK, {"role": "assistant", "content": reply}, MORE]
    path = path_of(tmp_path, asked("g1", 1, [ASK], reply), asked("g2", 2, again, "Fine."))
    assert shapes(path) == [[WHOLE[0], ("assistant", reply), ("user", "And tomorrow?"), ("assistant", "Fine.")]]
