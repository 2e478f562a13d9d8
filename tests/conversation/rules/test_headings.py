from __future__ import annotations

import pytest

from memscope.conversation.keys import made_up_key
from memscope.conversation.rules import find_memories
from tests.conversation.rules._talk import asked, found

TEA = (made_up_key("- likes tea"), "- likes tea\n")


@pytest.mark.parametrize(
    "heading",
    [
        "User Memories:",
        "Relevant memories:",
        "# Memories",
        "## Memories:",
        "### Relevant User Memories",
        "**Memories:**",
        "**Retrieved memories**:",
        "Memories:",
        "- Relevant Memories/Facts:",
        "Below are a set of relevant preferences retrieved from potentially several memory sources:",
    ],
)
@pytest.mark.parametrize("gap", ["", "\n"])
def test_a_heading_and_its_list(heading: str, gap: str) -> None:
    if gap and heading.startswith("- "):
        return  # there a blank line ends the list
    assert found(asked(f"Answer.\n{heading}\n{gap}- likes tea\n- home: Oslo\n\nNow go on.", role="system")) == [
        TEA,
        ("home", "- home: Oslo\n"),
    ]


def test_what_is_part_of_the_list() -> None:
    text = (
        "## Memories\n### Personal\n* a: first\n  - detail\n  more\n\n* second one\n### Work\n[m1]: third\n1. fourth\n"
        "\nNot of the list.\n- nor this\n"
    )
    texts = [text for _, text in found(asked(text))]
    assert texts == ["* a: first\n  - detail\n  more\n", "* second one\n", "[m1]: third\n", "1. fourth\n"]


@pytest.mark.parametrize(
    "text",
    [
        "Your memory consists of memory blocks and external memory:\n- Memory Blocks: stored\n",
        "I have fond memories:\n- of Oslo\n",
        "# Memories\n\nI wrote a book of that name.\n\n- one\n",
        "# Memories of Oslo\n- one\n",
        "Memories\n- one\n",
        "```\n# Memories\n- one\n```\n",
        "`User Memories:`\n- one\n",
        "User Memories:",
    ],
)
def test_no_list_of_memories(text: str) -> None:
    assert found(asked(text)) == []


def test_the_list_ends_at_a_heading_of_its_level() -> None:
    assert found(asked("# Memories\n- likes tea\n# Tasks\n- buy tea\n")) == [TEA]


def test_facts_end_at_a_blank_line_and_may_begin_in_the_heading() -> None:
    text = "- Relevant Memories/Facts: likes tea\nhas a cat\n\n- Entities: []\n"
    assert [text for _, text in found(asked(text))] == ["- Relevant Memories/Facts: likes tea\n", "has a cat\n"]


def test_a_word_before_a_colon_is_a_key_if_it_looks_like_one_and_stands_once() -> None:
    lines = [
        "- user-home: Oslo",
        "- **cat**: Tom",
        "- Note: one",
        "- Note: two",
        "- the user's home: Oslo",
        "- see https://x",
    ]
    keys = [key for key, _ in found(asked("# Memories\n" + "\n".join(lines)))]
    assert keys[:2] == ["user-home", "cat"]
    assert keys[2:] == [made_up_key(line) for line in lines[2:]]


def test_a_bracket_is_a_key() -> None:
    text = "User Memories:\n• MEMORY [m7 | 2026-01-01 | fact]: likes tea\n- [m8] has a cat\n"
    assert [key for key, _ in found(asked(text))] == ["m7", "m8"]


def test_the_heading_stays_text() -> None:
    message = find_memories(asked("User Memories:\n- likes tea\n")).messages[0]
    assert not message.is_memory
    assert message.memories[0].rule == "heading"
