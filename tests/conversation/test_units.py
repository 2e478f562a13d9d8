from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.units import SHORTEST, lines_of, split_entries, split_units

_LINES = """# One|## Two|words|- a bullet|  - below it|1. a step|   - of it||```|~~~|**Label:**|§|\r|#
a longer line that says enough to stand alone|- a bullet that says enough to stand alone"""
MARKDOWN = st.lists(st.sampled_from(_LINES.replace("\n", "|").split("|")), max_size=30).map("\n".join)
SPLITS = st.sampled_from([None, "file", "heading", "bullet"])
LONG = "says enough to stand quite alone in a unit"


def units(text: str, split: object = None) -> list[tuple[str, str]]:
    return [(unit.name, unit.text) for unit in split_units(text, split)]  # type: ignore[arg-type]


@given(st.one_of(MARKDOWN, st.text()), SPLITS)
def test_units_are_whole_lines_and_join_to_the_text(text: str, split: object) -> None:
    found = units(text, split)
    assert "".join(unit for _, unit in found) == text
    assert all(unit.endswith("\n") for _, unit in found[:-1])
    assert len({name for name, _ in found}) == len(found)


@given(MARKDOWN)
def test_units_are_long_enough_unless_the_whole_is_not(text: str) -> None:
    found = units(text)
    assert len(found) == 1 or all(len(unit.strip()) >= SHORTEST for _, unit in found) or not found


@given(st.text(alphabet="a\n\r\x0c\x85 `~§"))
def test_lines_end_at_newlines_only(text: str) -> None:
    lines = lines_of(text)
    assert "".join(text[line.start : line.end] for line in lines) == text
    assert len(lines) == text.count("\n") + (not text.endswith("\n") and bool(text))


def test_headings_and_bullets() -> None:
    text = (
        f"{LONG}\n\n# The Guide #\nIntroduction that {LONG}.\n\n- one {LONG}\n  goes on\n  - below it\n- two {LONG}\n"
    )
    assert units(text) == [
        ("start/1", f"{LONG}\n\n"),
        ("the-guide/1", f"# The Guide #\nIntroduction that {LONG}.\n\n"),
        ("the-guide/2", f"- one {LONG}\n  goes on\n  - below it\n"),
        ("the-guide/3", f"- two {LONG}\n"),
    ]


def test_what_is_short_stays_with_its_neighbour() -> None:
    text = f"# Title\n\n## A\n- x\n- {LONG}\n- y\n\n## B\nshort\n\n## C\n{LONG}\n## D\nend\n"
    assert units(text) == [
        ("a/1", f"# Title\n\n## A\n- x\n- {LONG}\n- y\n\n"),
        ("c/1", f"## B\nshort\n\n## C\n{LONG}\n## D\nend\n"),
    ]


def test_a_label_goes_with_its_list_and_a_list_does_not_take_the_next_label() -> None:
    text = f"- {LONG}\n- short\n\n**Examples of what to do, at length:**\n- e.g. {LONG}\n\nA paragraph that {LONG}.\n"
    assert [unit for _, unit in units(text)] == [
        f"- {LONG}\n- short\n\n",
        f"**Examples of what to do, at length:**\n- e.g. {LONG}\n\n",
        f"A paragraph that {LONG}.\n",
    ]


def test_steps_stay_together() -> None:
    text = f"1. first {LONG}\n   - {LONG}\n   - {LONG}\n\n2. second {LONG}\n"
    assert len(units(text)) == 1


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_code_is_not_split(fence: str) -> None:
    text = f"# A\n{fence}sh\n# a comment that {LONG}\n- {LONG}\n``\n\n{LONG}\n{fence}\n# B\n{LONG}\n"
    assert [name for name, _ in units(text)] == ["a/1", "b/1"]


def test_a_split_that_is_asked_for_is_done_to_the_letter() -> None:
    text = "# A\n- x\n- y\n\n# B\nz\n"
    assert units(text, "file") == [("start/1", text)]
    assert units(text, "heading") == [("a/1", "# A\n- x\n- y\n\n"), ("b/1", "# B\nz\n")]
    assert [unit for _, unit in units(text, "bullet")] == ["# A\n- x\n", "- y\n\n", "# B\nz\n"]


def test_a_heading_that_comes_twice_counts_on_and_one_without_letters_has_a_name() -> None:
    text = f"# A\n{LONG}\n# A\n{LONG}\n# ✨\n{LONG}\n"
    assert [name for name, _ in units(text)] == ["a/1", "a/2", "section/1"]


@given(MARKDOWN)
def test_entries_leave_out_marks_and_blank_lines_only(text: str) -> None:
    places = split_entries(text)
    for start, end in places:
        assert text[start:end].strip()
        text = text[:start] + " " * (end - start) + text[end:]
    assert not text.replace("§", "").strip()


def test_entries() -> None:
    text = "\none\n\nstill one\n§\n\n§\ntwo § of two"
    assert [text[start:end] for start, end in split_entries(text)] == ["one\n\nstill one\n", "two § of two"]
