from __future__ import annotations

import re

import pytest
from hypothesis import given

from memscope.conversation.keys import made_up_key
from memscope.conversation.load import load
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolResult
from memscope.conversation.rules import find_memories
from tests.conversation.rules._talk import DATA, TEXTS, asked, check_only_marked, found

BAR = "═" * 46


@given(TEXTS)
def test_any_text_is_only_marked(text: str) -> None:
    check_only_marked(asked(text))
    check_only_marked(asked(text, "a second part\n", text, role="system"))


@given(TEXTS)
def test_responses_tool_results_and_summaries_are_left_alone(text: str) -> None:
    conversation = Conversation(
        (
            Message("assistant", (Text(text),)),
            Message("tool", (ToolResult("c", text),)),
            Message("user", (Text(text),), kind="summary"),
        )
    )
    assert find_memories(conversation) == conversation


def test_a_memory_with_a_key_is_owned_with_its_tags() -> None:
    block = '<memory key="prefers-tabs">\nThe user indents with tabs.\n</memory>\n'
    assert found(asked(f"Before.\n{block}After.")) == [("prefers-tabs", block)]


@pytest.mark.parametrize("attribute", ['key="k"', "id='k'", 'type="user" name="k"'])
def test_the_key_is_an_attribute(attribute: str) -> None:
    text = f"<memory {attribute}>on one line</memory>"
    assert found(asked(text)) == [("k", text)]


def test_a_message_of_nothing_else_is_a_memory_as_a_whole() -> None:
    marked = find_memories(asked('\n<memory key="a">\nText.\n</memory>\n\n'))
    assert marked.messages[0].is_memory
    assert marked.messages[0].text == '\n<memory key="a">\nText.\n</memory>\n\n'


@pytest.mark.parametrize(
    "text",
    [
        "<memory>\nYou have an advanced memory system.\n</memory>\n",
        '<memory key="a">\nnever closed\n',
        '<memory key="a">\nopened again\n<memory>\n',
        'In a line: <memory key="a">x</memory>',
        '`<memory key="a">`\nx\n</memory>\n',
        '```xml\n<memory key="a">\nx\n</memory>\n```\n',
        '> <memory key="a">\n> x\n> </memory>\n',
        "<memories>\n</memories>\n",
        "<memories>\n- never closed\n",
        'The writable roots are "/home/a/.codex/memories".\n',
    ],
)
def test_what_only_looks_like_a_memory(text: str) -> None:
    assert found(asked(text, role="system")) == []


def test_one_that_opens_again_was_not_closed() -> None:
    text = '<memory key="a">\nx\n<memory key="b">\ny\n</memory>\n'
    assert [key for key, _ in found(asked(text))] == ["b"]


def test_a_list_keeps_its_tags() -> None:
    entries = "- likes tea\n- home: Oslo\n  since May\n\n[id7]: has a cat (similarity: 0.5)\n"
    text = f"<memories>\nWhat I know:\n{entries}</memories>\n"
    assert found(asked(text)) == [
        (made_up_key("- likes tea"), "- likes tea\n"),
        ("home", "- home: Oslo\n  since May\n"),
        ("id7", "[id7]: has a cat (similarity: 0.5)\n"),
    ]
    assert not find_memories(asked(text)).messages[0].is_memory


def test_lines_without_bullets_are_entries() -> None:
    text = '<memories>\n# About\nlikes tea\n\n<memory key="c">has a cat</memory>\n</memories>\n'
    assert found(asked(text)) == [
        (made_up_key("likes tea"), "likes tea\n"),
        ("c", '<memory key="c">has a cat</memory>\n'),
    ]


def test_recalled_context_keeps_its_note() -> None:
    note = "[System note: The following is recalled memory context, NOT new user input.]"
    text = f"<memory-context>\n{note}\n\n## Facts\n- [0.9] the user lives in Oslo\n</memory-context>\n\nHello."
    assert [text for _, text in found(asked(text))] == ["- [0.9] the user lives in Oslo\n"]


def test_letta_blocks_give_their_values() -> None:
    text = (
        "<memory_blocks>\nThe following memory blocks are engaged:\n\n"
        "<human>\n<description>\nKey details.\n</description>\n<metadata>\n- chars_current=9\n</metadata>\n"
        "<value>\n\nIs called Chad.\n<human>\n\n</value>\n</human>\n\n"
        "<plan>\n<value>\n# NOTE: Line numbers shown below are to help during editing.\n</value>\n</plan>\n"
        "<persona>\nI am Sam.\n</persona>\n</memory_blocks>\n"
    )
    assert found(asked(text, role="system")) == [("human", "Is called Chad.\n<human>\n"), ("persona", "I am Sam.\n")]


def test_instruction_files_are_split_as_files_are() -> None:
    body = (
        "# Guide\n\nThis file says how to work here, at some length.\n\n"
        "## Style\n\n- Use tabs in every file of the project.\n- Write `</INSTRUCTIONS>` never.\n"
    )
    text = f"# AGENTS.md instructions for /home/a/b c\n\n<INSTRUCTIONS>\n{body}\n</INSTRUCTIONS>\n<environment_context>"
    memories = found(asked(text))
    assert [key for key, _ in memories] == ["AGENTS.md#guide/1", "AGENTS.md#style/1"]
    assert "".join(text for _, text in memories) == body + "\n"


def test_an_open_code_block_does_not_hide_the_closing_tag() -> None:
    text = "# AGENTS.md instructions\n<INSTRUCTIONS>\n```\nmake\n</INSTRUCTIONS>\n"
    assert found(asked(text)) == [("AGENTS.md#start/1", "```\nmake\n")]


def test_the_memory_summary_and_claude_mem() -> None:
    text = "========= MEMORY_SUMMARY BEGINS =========\n# User\nis kind\n========= MEMORY_SUMMARY ENDS =========\n"
    assert found(asked(text, role="developer")) == [("memory_summary#user/1", "# User\nis kind\n")]
    text = "<claude-mem-context>\n# Recent\nfixed it\n</claude-mem-context>\n"
    assert found(asked(text)) == [("claude-mem-context#recent/1", "# Recent\nfixed it\n")]


def test_hermes_banners_end_where_their_count_says() -> None:
    text = f"{BAR}\nMEMORY (your personal notes) [2% — 11/5,000 chars]\n{BAR}\nfirst\n§\n\nxy\nnot of the block\n"
    assert [text for _, text in found(asked(text, role="system"))] == ["first\n", "xy\n"]


@pytest.mark.parametrize(
    "title", ["USER PROFILE (who the user is) [4% — 999/2,500 chars]", "MEMORY (your personal notes)"]
)
@pytest.mark.parametrize("behind", ["# Holographic Memory\nActive.", f"{BAR}\nX\n{BAR}", "<skills>", ""])
def test_hermes_banners_end_at_the_next_block_without_a_count(title: str, behind: str) -> None:
    text = f"{BAR}\n{title}\n{BAR}\nfirst\n\nstill first\n§\nsecond\n\n{behind}"
    assert [text for _, text in found(asked(text, role="system"))] == ["first\n\nstill first\n", "second\n"]


def test_found_memories_stay() -> None:
    message = Message("user", (Memory("mine", "- a\n"), Text('<memory key="a">\nx\n</memory>\n')))
    marked = find_memories(Conversation((message,)))
    assert [m.key for m in marked.messages[0].memories] == ["mine", "a"]


@pytest.mark.parametrize(
    "end", ["", "</memory>\n", "</memories>\n", "</memory_blocks>\n", "</human>\n</memory_blocks>\n"]
)
@pytest.mark.parametrize("line", ['<memory key="a">\n', "<memories>\n", "<memory_blocks>\n<human>\n", "# Memories\n"])
def test_a_long_text_full_of_open_tags_takes_no_time(line: str, end: str) -> None:
    assert len(found(asked(line * 20_000 + end))) < 2


def _real(name: str) -> Conversation:
    if not (DATA / name).exists():
        pytest.skip("the sample transcripts are not here")
    return find_memories(load(DATA / name))


def test_a_real_hermes_session() -> None:
    marked = _real("hermes/session_20260504_232127_4587ec.json")
    texts = [m.text for m in marked.messages[0].memories]
    assert [len(text.rstrip("\n")) for text in texts] == [100, 58, 54]
    assert len(marked.memories) == 3


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("rollout-2026-07-01T21-37-06-019f1f9d-3f06-7550-bd6f-5592a5313d51.jsonl", 46),
        ("rollout-2026-07-08T05-13-26-019f4025-2fa5-7123-8a8f-132536957a8c.jsonl", 109),
        ("rollout-2026-07-16T18-14-13-019f6c22-e40a-73b3-99fb-15c4deb3ba1e.jsonl", 47),
    ],
)
def test_real_codex_rollouts_hold_their_instructions(name: str, count: int) -> None:
    marked = _real(f"codex/{name}")
    (message,) = [m for m in marked.messages if m.memories]
    assert len(message.memories) == len(marked.memories) == count
    assert {m.key.partition("#")[0] for m in message.memories} == {"AGENTS.md"}
    left = "".join(p.text for p in message.parts if isinstance(p, Text))
    assert re.search(r"^# AGENTS.md instructions for /.*\n\n<INSTRUCTIONS>\n</INSTRUCTIONS>", left, re.MULTILINE)


@pytest.mark.parametrize("name", ["customer_service", "deep_research_agent", "memgpt_agent_with_convo"])
def test_real_letta_agents_hold_no_memory_but_their_blocks(name: str) -> None:
    assert {rule for memory in _real(f"letta-af/{name}.af").memories for rule in memory.rules} == {"structured"}
