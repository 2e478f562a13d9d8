from __future__ import annotations

import pytest
from hypothesis import given

from memscope.base.errors import SettingsError
from memscope.conversation.keys import made_up_key
from memscope.conversation.rules import Pattern, find_memories
from tests.conversation.rules._talk import MINE, TEXTS, asked, found


def test_the_lines_that_the_text_touches_are_the_memory() -> None:
    conversation = asked("Hello.\nMINE a: one\nMINE b: two\nBye.")
    assert found(conversation, patterns=[MINE]) == [("a", "MINE a: one\n"), ("b", "MINE b: two\n")]
    assert find_memories(conversation, patterns=[MINE]).memories[0].rules == ("pattern:mine",)


def test_the_key_may_be_missing() -> None:
    bare = Pattern("bare", r"FACT(?: (?P<key>\w+))?: (?P<text>.+(?:\n  .+)*)")
    assert found(asked("x\nFACT: tea\n  with milk\ny"), patterns=[bare]) == [
        (made_up_key("tea\n  with milk"), "FACT: tea\n  with milk\n")
    ]


def test_code_empty_matches_and_found_memories_are_passed_over() -> None:
    assert found(asked("```\nMINE a: one\n```\n"), patterns=[MINE]) == []
    assert found(asked("one\n"), patterns=[Pattern("nothing", "(?P<text>x*)")]) == []
    taken = Pattern("tea", "(?P<text>tea)")
    assert [m.rules for m in find_memories(asked("# Memories\n- tea\n"), patterns=[taken]).memories] == [("heading",)]
    freed = find_memories(asked("# Memories\n- tea\n"), off=["heading"], patterns=[taken])
    assert [m.rules for m in freed.memories] == [("pattern:tea",)]


@given(TEXTS)
def test_a_greedy_pattern_changes_no_text(text: str) -> None:
    conversation = asked(text)
    marked = find_memories(conversation, patterns=[Pattern("all", r"(?P<text>[^\n]*\n[^\n]*)")])
    assert [m.text for m in marked.messages] == [m.text for m in conversation.messages]


@pytest.mark.parametrize(
    ("name", "regex", "said"),
    [("bad", "(?P<text>", "no regular expression"), ("bare", "memory: .*", "no group"), (" ", "(?P<text>x)", "a name")],
)
def test_a_pattern_that_cannot_be_used_is_named(name: str, regex: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        Pattern(name, regex)
    assert (name.strip() or "x") in str(raised.value)


def test_rules_can_be_switched_off() -> None:
    conversation = asked("<memories>\n- a\n</memories>\n# Memories\n- b\nMINE c: d\n")
    assert find_memories(conversation, off=["fenced", "tool", "heading"]) == conversation
    assert len(found(conversation, off=["fenced"], patterns=[MINE])) == 2


def test_a_rule_that_is_not_there_cannot_be_switched_off() -> None:
    with pytest.raises(SettingsError, match="fenced, tool, heading, pattern:mine"):
        find_memories(asked("x"), off=["explicit"], patterns=[MINE])


def test_two_patterns_need_two_names() -> None:
    with pytest.raises(SettingsError, match="pattern:mine"):
        find_memories(asked("x"), patterns=[MINE, MINE])
