"""What a chat model says that traces teach, however it wraps it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.text import clean_line
from memscope.insights.answer import LONGEST, NoInsights, Said, read_answer

GOOD = '{"insights": [{"text": "Run the tests first.", "confidence": 0.8}]}'
SAID = (Said("Run the tests first.", 0.8),)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(st.sampled_from(["insights", "text", "confidence", "a"]), part, max_size=3)
    ),
)


@pytest.mark.parametrize(
    "reply",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Here [as asked] they are:\n{GOOD}\nAnything else?",
        f"<think>Maybe {{}} or []?</think>\n{GOOD}",
        '[{"text": "Run the tests first.", "confidence": 0.8}]',
        f"As said in [1]: {GOOD}",
        f"[] {GOOD}",
        f'{{"note": "begin"}} {GOOD}',
        f'{GOOD} {{"insights": [{{"text": "Another."}}]}}',
    ],
)
def test_insights_are_found_whatever_is_around_them(reply: str) -> None:
    assert read_answer(reply) == SAID


@pytest.mark.parametrize(
    ("given_one", "confidence"),
    [
        ({}, 0.5),
        ({"confidence": None}, 0.5),
        ({"confidence": True}, 0.5),
        ({"confidence": "0.9"}, 0.5),
        ({"confidence": float("nan")}, 0.5),
        ({"confidence": float("inf")}, 0.5),
        ({"confidence": 7}, 1.0),
        ({"confidence": -0.1}, 0.0),
        ({"confidence": 10**400}, 1.0),
        ({"confidence": 0}, 0.0),
    ],
)
def test_a_confidence_is_a_number_in_its_bounds(given_one: dict[str, Any], confidence: float) -> None:
    (said,) = read_answer(json.dumps({"insights": [{"text": "a", **given_one}]}))

    assert said.confidence == confidence
    assert type(said.confidence) is float


def test_a_text_is_one_clean_line_and_cut() -> None:
    said = read_answer(json.dumps([{"text": " a\n\tb \u202e\ud800"}, {"text": "x" * 500}]))

    assert said[0].text == "a b ‹202E›‹D800›"
    assert said[1].text == "x" * LONGEST


def test_items_without_words_are_passed_over() -> None:
    items = [{"text": " \n"}, {"confidence": 1}, "text", None, {"text": 3}, {"text": "a"}]

    assert read_answer(json.dumps({"insights": items})) == (Said("a", 0.5),)


def test_at_most_as_many_as_asked_for_are_taken() -> None:
    reply = json.dumps([{"text": str(n)} for n in range(30)])

    assert [said.text for said in read_answer(reply, 3)] == ["0", "1", "2"]
    assert len(read_answer(reply)) == 10


@pytest.mark.parametrize("reply", ['{"insights": []}', "[]", "There are none: []."])
def test_an_empty_list_says_that_there_are_none(reply: str) -> None:
    assert read_answer(reply) == ()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ("Rate limit exceeded", "no JSON"),
        (GOOD[:-3], "no whole one"),
        ("<think>" + GOOD, "no JSON"),
        ('{"rules": ["a"]}', 'no list "insights"'),
        ('{"insights": "none"}', 'no list "insights"'),
        ('{"insights": [{"text": ""}, {"words": "a"}]}', "2 items, none with a text"),
        ('["a"]', "1 item, none with a text"),
        ('{"insights": [{"text": "✓ 👍", "confidence": 1}]}', "1 item, none with a text in words"),
    ],
)
def test_an_answer_without_insights_says_why(reply: str, told: str) -> None:
    with pytest.raises(NoInsights, match=told):
        read_answer(reply)


@given(ANYTHING.map(json.dumps) | st.text(), st.integers(-1, 3))
def test_any_answer_gives_insights_within_their_bounds_or_says_why_not(reply: str, count: int) -> None:
    try:
        said = read_answer(reply, count)
    except NoInsights:
        return

    assert len(said) <= max(count, 0)
    for one in said:
        assert one.text.strip()
        assert one.text == clean_line(one.text)
        assert len(one.text) <= LONGEST
        assert 0 <= one.confidence <= 1
