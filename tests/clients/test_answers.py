"""What is read out of a chat model's answer: words without thinking, and the JSON in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.clients.answers import json_values, without_thinking

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4))
VALUES = JSON.filter(lambda value: isinstance(value, dict | list))
PROSE = st.text(st.characters(exclude_characters="[{<", exclude_categories=["Cs"]))
HOSTILE = st.lists(
    st.sampled_from([*'[]{},:" x1-', "\n", '"', '["', '\\"', "\\\\", '"a"', '{"a":', "NaN", "true", "[1]", "{}"]),
    max_size=40,
).map("".join)


# --- thinking --------------------------------------------------------------------------------------------------------


def json_in(reply: str, kind: type | None = None) -> Any | None:
    """The first value of an answer, of a type where one is named."""
    return next((value for value in json_values(reply) if kind is None or isinstance(value, kind)), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<think>a</think><think>b</think> c", "c"),
        ("\n<thinking>a</thinking>\n\nc\n", "c\n"),
        ("I see, so\nit is.\n</think>\n\nc", "c"),
        ('I see [1]. </think>{"a": 1}', '{"a": 1}'),
        ("I see.</think>```json\n[1]\n```", "```json\n[1]\n```"),
        ("I see.</thinking> ---\nname: a", "---\nname: a"),
        ("<think>never more", ""),
        ("I see.</think>", ""),
        ("Write </think> behind it.", "Write </think> behind it."),
        ("The tag `<think>` opens, and </think>\ncloses.", "The tag `<think>` opens, and </think>\ncloses."),
        ("  c\n", "  c\n"),
        ("", ""),
    ],
)
def test_words_begin_behind_the_thinking(text: str, words: str) -> None:
    assert without_thinking(text) == words


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
        ('```json\n["a"]\n```', ["a"]),
        ('~~~\n{"a": 1}\n~~~', {"a": 1}),
        ('Sure! Here [as asked] it is: ["a", "b"]. Anything else [?]', ["a", "b"]),
        ('{see: ["a"]}', ["a"]),
        ('Open with [ and { first. {"a": 1}', {"a": 1}),
        ('A 5" disk, [a 3" one], and {"a": 1}', {"a": 1}),
        ('Mind the ["]: {"a": ["b"]}', {"a": ["b"]}),
        ('["\\"]", "]", "{"]', ['"]', "]", "{"]),
        ('{"a": "x [1] {"}', {"a": "x [1] {"}),
        ('<think>[1, 2]</think>\n{"a": 1}', {"a": 1}),
        ("[1] and [2]", [1]),
        ('["line\nbreak"]', ["line\nbreak"]),
        ("[]", []),
        ("[-0.5e3, 0, true]", [-500.0, 0, True]),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_the_first_json_is_found_wherever_it_stands(reply: str, value: Any) -> None:
    assert json_in(reply) == value


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Rate limit exceeded",
        '"a text"',
        "17",
        "{'a': 1}",
        "[1, 2,]",
        "[01]",
        '{"a" 1}',
        '{"a": 1]',
        "[1}",
        "{1: 2}",
        "[,]",
        '["bad \\d escape"]',
        "<think>[1]",
    ],
)
def test_what_is_no_json_gives_none(reply: str) -> None:
    assert json_in(reply) is None


@pytest.mark.parametrize(
    "reply",
    [
        '{"rules": ["a", "b"], "more": [',
        '[["a"], ["b"], "cut in',
        '[["a"], "cut in \\',
        '[["a"], tru',
        '{"a": {"b": 1}, "c": -',
        '[["a"]  ',
    ],
)
def test_nothing_of_an_answer_that_was_cut_counts(reply: str) -> None:
    assert json_in(reply) is None


def test_what_does_not_parse_is_passed_over_whole() -> None:
    assert json_in('[["bad \\d escape"], ["inner"]] ["next"]') == ["next"]
    assert json_in(f"[{'9' * 5000}] [1]") == [1], "Python reads no number of so many digits"


def test_a_kind_is_looked_for_at_the_top_alone() -> None:
    reply = '[1] {"a": ["b"]} [{"c": 2}]'

    assert json_in(reply, list) == [1]
    assert json_in(reply, dict) == {"a": ["b"]}
    assert json_in('{"a": ["b"]}', list) is None
    assert json_in('[{"c": 2}]', dict) is None
    assert list(json_values(reply)) == [[1], {"a": ["b"]}, [{"c": 2}]]


def test_numbers_that_json_does_not_have_are_none() -> None:
    assert json_in("[NaN, Infinity, -Infinity, 1e999, -1e999, 1e2]") == [None, None, None, None, None, 100.0]


@given(PROSE, VALUES, PROSE, st.booleans())
def test_json_is_found_between_prose(before: str, value: Any, behind: str, ascii_only: bool) -> None:
    assert json_in(f"{before}{json.dumps(value, ensure_ascii=ascii_only)}{behind}") == value


@given(VALUES, st.data())
def test_json_that_was_cut_gives_nothing(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(0, len(text) - 1))

    assert json_in(text[:cut]) is None


@given(HOSTILE)
def test_all_json_is_found_that_a_patient_reader_finds(signs: str) -> None:
    text = f"{signs};"

    assert list(json_values(text)) == list(patient(text))


def patient(text: str) -> Iterator[Any]:
    """The values that can be read from each bracket in turn, up to one from which a string has no end."""
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
    at = 0
    while at < len(text):
        if text[at] in "[{":
            try:
                value, at = decoder.raw_decode(text, at)
                yield value
                continue
            except json.JSONDecodeError as error:
                if error.msg.startswith("Unterminated"):
                    return
        at += 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10**6,
        "[" * 10**6 + "x",
        '{"a":' * 10**5,
        '{"a":' * 10**5 + "x",
        "[" * 10**5 + "]" * 10**5,
        "[" * 10**5 + "x" + "]" * 10**5,
        '["' * 10**5,
        '["a [" \\' * 10**5,
        "[1," * 10**5 + ";",
        ("[" + "[1]," * 100) * 1000 + ";",
        "<think></think>" * 10**5 + "[",
        "</think> x" * 10**5,
        ('["a"' + " " * 1000) * 1000 + ";",
    ],
    ids=lambda text: f"{text[:12]}-{len(text)}",
)
def test_hostile_answers_end_soon_and_without_a_traceback(text: str) -> None:
    assert json_in(text, dict) is None
