"""Insights as JSON values: what was written is read again, and what is none is none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.model import Source
from memscope.insights.model import KINDS, Evidence, Insight
from memscope.insights.written import decoded, encoded
from tests.insights.sayings import insight

_ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)  # lone surrogates too
_PLACE = st.integers(0, 10**9)
_SOURCES = st.builds(Source, _ANY_TEXT.map(Path), _ANY_TEXT, _PLACE, _PLACE)
_EVIDENCE = st.builds(Evidence, _ANY_TEXT, _SOURCES, st.none() | _PLACE, _ANY_TEXT)
_TIME = st.none() | st.floats(0, 253_402_300_799) | st.integers(0, 253_402_300_799)
_INSIGHTS = st.builds(
    Insight,
    st.sampled_from(KINDS),
    _ANY_TEXT,
    st.floats(0, 1),
    st.lists(_EVIDENCE, max_size=3).map(tuple),
    _TIME,
    _ANY_TEXT,
    _PLACE,
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(_INSIGHTS)
def test_what_was_written_is_read_again(one: Insight) -> None:
    assert decoded(json.loads(json.dumps(encoded(one), allow_nan=False))) == one


def test_a_path_of_any_bytes_is_found_again() -> None:
    path = Path(os.fsdecode(b"/srv/a\xff\n.jsonl"))
    one = Insight("synthesized", "a text", 0.5, (Evidence("s", Source(path, "codex", 2, 3)),), 5.0, "a model")
    again = decoded(json.loads(json.dumps(encoded(one))))
    assert again is not None and os.fsencode(again.evidence[0].source.path) == b"/srv/a\xff\n.jsonl"


def changed(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(payload: Any) -> None:
        for step in path[:-1]:
            payload = payload[step]
        payload[path[-1]] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(changed("kind", to=kind) for kind in ("", "rule", None, 3, ["synthesized"], {})),
        *(changed("text", to=text) for text in (None, 3, ["a"])),
        *(changed("confidence", to=number) for number in (-0.1, 1.1, float("nan"), 10**400, True, "0.5", None)),
        *(changed("model", to=model) for model in (None, 3, [])),
        *(changed("sessions", to=sessions) for sessions in (None, -1, True, 2.0, "2")),
        *(changed("evidence", to=evidence) for evidence in (None, "s", {}, [None], ["s"], [[]], [{}])),
        *(changed("evidence", 0, "path", to=path) for path in ("", None, 3, ["/srv"])),
        *(changed("evidence", 0, name, to=None) for name in ("session", "format", "item", "window", "words")),
        *(
            changed("evidence", 0, name, to=place)
            for name in ("item", "window", "message")
            for place in (-1, True, 1.0, "1")
        ),
    ],
)
def test_what_is_no_insight_in_any_part_is_none(change: Callable[[dict[str, Any]], None]) -> None:
    payload = encoded(insight("a text", 0.5, "s", time=5.0))
    assert decoded(payload) is not None
    change(payload)
    assert decoded(payload) is None


@pytest.mark.parametrize("name", ["kind", "text", "confidence", "model", "evidence"])
def test_what_lacks_a_part_is_none(name: str) -> None:
    payload = encoded(insight("a text", 0.5, "s"))
    del payload[name]
    assert decoded(payload) is None


@pytest.mark.parametrize("time", [float("inf"), float("nan"), -1.0, 1e300, 10**400])
def test_a_time_of_no_calendar_is_left_out(time: float) -> None:
    one = insight("a text", time=time)
    assert encoded(one)["time"] is None
    again = decoded({**encoded(one), "time": time})
    assert again is not None and again.time is None


@pytest.mark.parametrize("time", ["5", True, [], {}])
def test_a_time_that_is_no_number_is_none(time: object) -> None:
    again = decoded({**encoded(insight("a text")), "time": time})
    assert again is not None and again.time is None


def test_what_an_earlier_version_wrote_counts_no_sessions() -> None:
    one = insight("a text", 0.5, "s")
    payload = encoded(one)
    del payload["sessions"]
    assert decoded(payload) == one


def test_what_a_later_version_adds_is_passed_over() -> None:
    one = insight("a text", 0.5, "s")
    assert decoded({**encoded(one), "seen": 3}) == one


_PARTS = st.dictionaries(st.sampled_from([*encoded(insight("a")), "session", "path", "item", "message"]), _JSON)


@given(_JSON, _PARTS, _PARTS)
def test_anything_else_is_read_without_an_error(anything: object, parts: dict[str, Any], spot: dict[str, Any]) -> None:
    one = encoded(insight("a", 0.5, "s"))
    one["evidence"][0] |= spot
    for payload in (anything, one, one | parts):
        assert isinstance(decoded(payload), Insight | None)
