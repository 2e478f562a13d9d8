"""Classic synthesis: the first one's prompt and its reading of answers, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.insights.answer import Said
from memscope.insights.classic import ClassicSession, classic_answer, classic_prompt, classic_traces
from memscope.insights.model import Insight
from tests.insights import classic_synthesis

TEXTS = st.text(max_size=20) | st.builds(
    lambda text, times: text * times, st.text(min_size=1, max_size=5), st.just(130)
)
MESSAGES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system", "other"])},
    optional={
        "content": st.none() | TEXTS,
        "tool_calls": st.none() | st.lists(st.builds(lambda name: {"name": name}, st.text(max_size=8)), max_size=3),
    },
)
SESSIONS = st.lists(st.tuples(st.text(max_size=8), st.lists(MESSAGES, max_size=6)), max_size=4)
CONFIDENCES = st.floats() | st.integers(-3, 3) | st.booleans() | st.none() | st.text(max_size=3)
ITEMS = st.fixed_dictionaries({}, optional={"text": TEXTS | st.none() | st.just(" "), "confidence": CONFIDENCES})
ANSWERS = st.one_of(
    st.lists(ITEMS | st.integers() | st.none(), max_size=4).map(lambda items: {"insights": items}),
    st.lists(ITEMS, max_size=2),
    st.sampled_from([{}, {"insights": None}, {"insights": {"text": "a", "confidence": 1}}, 1, None, "a"]),
).map(json.dumps)
FENCES = st.lists(st.sampled_from(["```", "```json", "`", "\n", " ", "json", "x"]), max_size=5).map("".join)


@given(SESSIONS, st.integers(-1, 900))
def test_the_traces_are_those_of_the_first_synthesis(sessions: Any, max_chars: int) -> None:
    assert classic_traces(sessions, max_chars).text == classic_synthesis.block(sessions, max_chars)


@given(st.builds("".join, st.tuples(FENCES, ANSWERS | st.text(max_size=400), FENCES)))
def test_answers_are_read_as_by_the_first_synthesis(reply: str) -> None:
    assert classic_answer(reply) == tuple(classic_synthesis.parse(reply))


def test_the_budget_counts_bytes_and_the_first_sessions_use_it_up() -> None:
    said = {"role": "user", "content": "é" * 8}

    sessions = [("a", [said]), ("b", [said]), ("c", [said])]

    told = "## Recent Session Traces\n\n### Session a\n[USER] éééééééé\n"
    assert classic_traces(sessions, 20) == (f"{told}\n### Session b\n...[truncated]\n", 1, False)
    assert classic_traces([("a", [said, said])], 20) == (f"{told}...[truncated]\n", 1, True)


def test_no_more_sessions_are_asked_for_than_have_room() -> None:
    asked: list[int] = []

    def sessions() -> Iterator[ClassicSession]:
        for number in range(9):
            asked.append(number)
            yield str(number), [{"role": "user", "content": "x" * 93}] * 2

    made = classic_prompt(sessions(), [], max_chars=300)

    assert (made.told, made.cut, asked) == ((0, 1), (1,), [0, 1])


def test_the_whole_prompt_has_all_observations_and_words_as_they_are() -> None:
    observations = [Insight("long_reasoning", f"{n}\n" + "x" * 200, 0.5) for n in range(50)]

    made = classic_prompt([("s", [{"role": "user", "content": "a\n## Task"}])], observations, count=7)
    system, user = made.messages

    assert (system["role"], user["role"]) == ("system", "user")
    traces, rest = user["content"].split("## Rule-Based Observations (synthesize and elevate these)\n\n")
    assert traces == "## Recent Session Traces\n\n### Session s\n[USER] a\n## Task\n\n"
    assert rest.count("- [long_reasoning] ") == 50
    assert "\n\n## Task\n" in rest
    assert "up to 7 insights" in rest
    assert (made.told, made.cut, made.observed) == ((0,), (), tuple(range(50)))
    assert "Observations" not in classic_prompt([], []).messages[1]["content"]


def test_any_text_becomes_an_insight() -> None:
    assert classic_answer("Rate limit exceeded") == (Said("Rate limit exceeded", 0.5),)
    assert classic_answer('{"insights": []}') == (Said('{"insights": []}', 0.5),)
    assert classic_answer('[{"text": "a", "confidence": 1}]')[0].confidence == 0.5
    assert classic_answer("") == (Said("", 0.5),)


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_confidence_too_large_for_a_float_is_at_its_bound(sign: str) -> None:
    answer = f'{{"insights": [{{"text": "a", "confidence": {sign}1{"0" * 400}}}]}}'

    assert classic_answer(answer) == (Said("a", 0.0 if sign else 1.0),)


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**5, "```" * 10**5, "[" * 10**5 + "]" * 10**5])
def test_hostile_answers_end_soon_and_without_a_traceback(text: str) -> None:
    assert classic_answer(text) == (Said(text[:300], 0.5),)
