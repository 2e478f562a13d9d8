"""Blocks between tags: where their values stand, and what is no block."""

from __future__ import annotations

import pytest

from memscope.conversation.tags import TaggedText, blocks


def values(text: str, *, bare: bool) -> list[tuple[str, str]]:
    read = TaggedText(text)
    return [(b.label, read.between(b.first, b.behind)) for b in blocks(read, 0, len(read.lines), bare=bare)]


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("below", ["", "<description>\nd\n</description>\n", "<metadata>\nm\n</metadata>\n"])
def test_the_value_of_a_block(below: str, bare: bool) -> None:
    text = f"<human>\n{below}<value>\n\nChad\n\n</value>\n</human>\n"
    assert values(text, bare=bare) == [("human", "\nChad\n\n")]


def test_a_value_ends_where_the_block_does() -> None:
    text = "<a>\n<value>\n<a>\n</a>\n</value>\nx\n</value>\n</a>\n<b>\n<value>\ny\n</value>\n</b>"
    assert values(text, bare=False) == [("a", "<a>\n</a>\n</value>\nx\n"), ("b", "y\n")]


@pytest.mark.parametrize(
    ("text", "value"), [("<a>\nx\n</a>", "x\n"), ("<a>\n</a>", ""), ("<a>\n<value>\n</a>", "<value>\n")]
)
def test_a_bare_block_is_one_only_where_that_is_asked_for(text: str, value: str) -> None:
    assert values(text, bare=True) == [("a", value)]
    assert values(text, bare=False) == []


def test_a_count_of_characters_makes_a_block() -> None:
    assert values('<a characters="1/5000">\nx\n</a>', bare=False) == [("a", "x\n")]


def test_the_note_on_line_numbers_is_no_part_of_a_value() -> None:
    note = "# NOTE: Line numbers shown below are to help\n"
    assert values(f"<a>\n<value>\n{note}1: x\n</value>\n</a>\n<b>\n{note}</b>", bare=True) == [
        ("a", "1: x\n"),
        ("b", ""),
    ]


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("stray", ["<a>", "<b>", "<value>", '<a characters="1/2">', "</a>"])
def test_a_stray_tag_takes_no_block_with_it(stray: str, bare: bool) -> None:
    block = "<a>\n<description>\nd\n</description>\n<value>\nx\n</value>\n</a>\n"
    assert values(f"{stray}\n{block}", bare=bare) == [("a", "x\n")]
