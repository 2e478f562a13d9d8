"""Where in a text of JSON something stands that is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.lessons.places import line_of, refused

JSON = st.recursive(
    st.none()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.sampled_from(['"', "\\", '{"a":']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(JSON, st.sampled_from([None, 1]))
def test_what_was_written_as_json_is_not_refused(value: object, indent: int | None) -> None:
    assert refused(json.dumps(value, indent=indent)) == ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"a": {"b": 1,\n "c": {"b": 2},\n "b" : 3}, "a": 4}', "line 3: an object in it has b twice"),
        ('{"é": 1,\n "\\u00e9": 2}', "line 2: an object in it has é twice"),
        ('[{"a": 1}, {"a": "a"}, "a", "a"]', ""),
        ("[\n" * 200 + "]" * 200, ""),
        ("[\n" * 201 + "]" * 201, "line 201: the JSON is nested too deeply"),
        (f"[{'9' * 5000}.5,\n-{'9' * 5000}]", "line 2: it holds a number too long to read"),
        (f'["{"9" * 5000}"]', ""),
    ],
    ids=lambda value: value[:16],
)
def test_the_first_that_is_refused_is_named_with_its_line(text: str, what: str) -> None:
    assert refused(text) == what


def test_a_value_is_found_by_the_names_that_lead_to_it() -> None:
    text = '{"b": {"c": 1},\n"a": {"b": "}",\n"c":\n[]}}'
    assert (line_of(text, ("b", "c")), line_of(text, ("a", "c")), line_of(text, ("a",))) == (1, 4, 2)
