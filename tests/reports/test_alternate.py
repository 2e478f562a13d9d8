"""The word diff loses nothing on either side, and shows changes as a person would."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.clients.chat import Reply
from memscope.clients.kept_chat import KeptReply
from memscope.conversation.model import ToolCall
from memscope.reports import alternate as module
from memscope.reports.alternate import Segment, alternate_row, word_diff


def sides(segments: list[Segment]) -> tuple[str, str]:
    return tuple("".join(s.text for s in segments if s.op != op) for op in ("added", "removed"))  # type: ignore[return-value]


def in_order(segments: list[Segment], response: str, alternate: str) -> None:
    """Whether nothing is lost, nor cut in two."""
    assert sides(segments) == (response, alternate)
    assert all(segment.text for segment in segments)
    for one, other in pairwise(segments):
        assert one.op != other.op
        assert (one.op, other.op) != ("added", "removed"), "what is removed comes first"


def shown(response: str, alternate: str) -> str:
    """same, -removed-, +added+"""
    signs = {"same": "", "removed": "-", "added": "+"}
    return "".join(f"{signs[s.op]}{s.text}{signs[s.op]}" for s in word_diff(response, alternate))


_near = st.lists(
    st.sampled_from(["a", "b ", "\n", " ", "the ", "key.", "é", "你好", "\ud800", "-", "\t\r\n"]), max_size=30
)
_texts = st.one_of(st.text(max_size=40), _near.map("".join))


@pytest.mark.parametrize("most", [module._MOST, 40])
@given(response=_texts, alternate=_texts)
def test_nothing_is_lost_on_either_side(most: int, response: str, alternate: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST", most)
        in_order(word_diff(response, alternate), response, alternate)


@given(_texts)
def test_what_is_equal_is_the_same(text: str) -> None:
    assert word_diff(text, text) == ([Segment("same", text)] if text else [])


@pytest.mark.parametrize(
    ("response", "alternate", "expected"),
    [
        ("Use pnpm to install it.", "Use npm to install it.", "Use -pnpm-+npm+ to install it."),
        ("Use pnpm.", "Please use pnpm.", "-Use-+Please use+ pnpm."),
        ("one two three", "one three", "one -two -three"),
        ("", "all new", "+all new+"),
        ("all gone", "", "-all gone-"),
        ("red green blue", "un deux trois", "-red green blue-+un deux trois+"),
        (
            "Setting up the web client.",
            "Answer to the question of the hour.",
            "-Setting up the web client-+Answer to the question of the hour+.",
        ),
        ("Run it in the api folder.", "Run it in the web folder now.", "Run it in the -api-+web+ folder+ now+."),
        ("a b\nc d", "x y\nc d", "-a b-+x y+\nc d"),
        ("first line\nsecond", "other words\nelse", "-first line\nsecond-+other words\nelse+"),
    ],
)
def test_changes_are_whole_words_and_stay_together(response: str, alternate: str, expected: str) -> None:
    assert shown(response, alternate) == expected


def test_long_texts_are_compared_in_lines_and_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 10_000)
    lines = [f"line {number} of it" for number in range(90)]
    others = [*lines]
    others[5], others[80] = "line five of it", "another one"
    del others[30:33]

    segments = word_diff("\n".join(lines), "\n".join(others))

    in_order(segments, "\n".join(lines), "\n".join(others))
    assert Segment("removed", "5") in segments
    assert Segment("added", "five") in segments
    assert Segment("added", "another one") in segments


@pytest.mark.parametrize("sign", ["a ", "a\n", "!"])
def test_texts_too_long_to_compare_are_shown_by_their_beginnings_and_ends(
    sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 100)
    response, alternate = f"So: x{sign * 50}y end.", f"So: {sign * 60}end."

    segments = word_diff(response, alternate)

    in_order(segments, response, alternate)
    assert segments[0].op == segments[-1].op == "same"
    assert len(segments) <= 4


def test_words_that_come_up_all_the_time_do_not_take_for_ever() -> None:
    chance = random.Random(1)
    response, alternate = (" ".join(chance.choices(["the", "a"], k=4_000)) for _ in range(2))

    assert sides(word_diff(response, alternate)) == (response, alternate)


def test_a_row_says_what_was_answered_by_whom_and_when() -> None:
    reply = Reply("Look.", (ToolCall("1", "look", "{}"),), "tool_calls", {"total_tokens": 7})

    row = alternate_row(5, KeptReply(reply, "talker", 1_000.0, cached=True))

    assert row.model_dump() == {
        "message": 5,
        "text": "Look.",
        "calls": [{"id": "1", "name": "look", "arguments": "{}"}],
        "model": "talker",
        "at": 1_000.0,
        "cached": True,
    }
    assert row.written == 'Look.\n<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>'
