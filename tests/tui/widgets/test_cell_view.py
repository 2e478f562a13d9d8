"""A cell in words: what comes first where there is little room, and what a number is said to mean."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memscope.reports.cell import CellDetail
from memscope.tui.widgets.cell_view import AGAINST, LINES, SPREAD, effect_words, told

RESPONSE = "I will indent it with tabs, as you asked."
DETAIL = CellDetail(
    key="notes/tabs",
    message=12,
    effect=3.5,
    per_token=0.35,
    share=0.5,
    noise=0.01,
    cutoff=0.03,
    counts=True,
    state="ok",
    told="measured",
    memory="Indent with tabs.",
    response=RESPONSE,
    word="tabs",
    word_effect=2.5,
    word_at=(22, 26),
)


def lines(detail: CellDetail, width: int = 100, height: int = LINES) -> list[str]:
    return [line.plain for line in told(detail, width, height)]


def test_all_of_it() -> None:
    assert lines(DETAIL, 120) == [
        "notes/tabs → #12",
        "+3.50 nats · +0.35 per token · share 50% · noise 0.01 · cutoff 0.03 · measured",
        "memory    Indent with tabs.",
        f"response  {RESPONSE}",
        "most on 'tabs' (+2.50)",
    ]


def test_an_effect_that_is_too_small_for_a_number_says_its_side_once() -> None:
    for effect, words in ((0.001, "~0 nats"), (-0.001, "~0 nats"), (0.006, "+0.01 nats")):
        assert effect_words(replace(DETAIL, effect=effect)) == words


def test_what_matters_most_comes_first() -> None:
    assert lines(DETAIL, height=1) == ["notes/tabs → #12  +3.50 nats, 50%, most on 'tabs'"]
    assert lines(DETAIL, height=2)[1] == f"response  {RESPONSE}"
    assert [line.split()[0] for line in lines(DETAIL, height=4)] == ["notes/tabs", "+3.50", "memory", "response"]


def test_the_word_is_marked_and_seen_also_where_there_is_little_room() -> None:
    for width in (20, 30, 40, 60, 100):
        response = told(DETAIL, width, 4)[3]
        marked = [response.plain[span.start : span.end] for span in response.spans if "underline" in str(span.style)]
        assert marked == ["tabs"], width


@pytest.mark.parametrize(
    "changes, words",
    [
        ({}, "most on 'tabs' (+2.50)"),
        ({"spread": True}, SPREAD),
        ({"effect": -3.5, "word_effect": -2.5}, f"most on 'tabs' (-2.50); {AGAINST}"),
        ({"effect": -3.5, "word": ""}, AGAINST),
        ({"effect": -3.5, "spread": True}, SPREAD),
        ({"effect": 0.02, "counts": False}, "not beyond the cutoff of 0.03 nats: not to be told from noise"),
        ({"effect": None, "state": "failed", "told": "could not be scored: no"}, ""),
    ],
)
def test_what_a_number_can_mean(changes: dict[str, object], words: str) -> None:
    assert lines(replace(DETAIL, **changes))[4] == words  # type: ignore[arg-type]


def test_what_is_no_number_is_told_in_words() -> None:
    failed = replace(DETAIL, effect=None, state="failed", told="could not be scored: the server refuses", counts=False)

    assert lines(failed)[1] == "could not be scored: the server refuses"
    assert "could not be scored" in lines(failed, height=2)[0]


@given(
    st.text(max_size=40),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=60),
    st.integers(0, 60),
    st.integers(0, 20),
    st.integers(14, 120),
    st.integers(1, 5),
)
def test_no_line_is_wider_than_there_is_room(
    key: str, text: str, start: int, long: int, width: int, height: int
) -> None:
    at = (min(start, len(text)), min(start + long, len(text)))
    detail = replace(DETAIL, key=key, response=text, memory=text, word_at=at)

    found = told(detail, width, height)

    assert len(found) == height
    assert all(cell_len(line.plain) <= width for line in found)
    assert all("\n" not in line.plain for line in found)
