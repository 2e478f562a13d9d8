"""Tool results and user turns as what a response may have leaned on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall, ToolResult
from memscope.conversation.render import render
from memscope.conversation.sources import RESULT_RULE, TURN_RULE, Kind, as_sources
from tests.conversation._any import CONVERSATIONS, kept_memories

TALK = Conversation(
    (
        Message("user", (Text("Find the port, please."),)),
        Message("assistant", (ToolCall("c1", "grep", "{}"), ToolCall("c2", "read", "{}"))),
        Message("tool", (ToolResult("c1", "port = 7741", exit_code=0), Text("and more"))),
        Message("tool", (ToolResult("c2", ""), Memory("known", "a fact"))),
        Message("tool", (ToolResult("lost", "an answer\n"),), name="ls"),
        Message("user", (Text("<hook>"),), "synthetic"),
        Message("user", (Memory("port", "It is 7741."), Text("Thanks!"))),
        Message("assistant", (Text("7741."),)),
    )
)


def test_each_tool_result_is_a_source_and_its_call_stays() -> None:
    found = as_sources(TALK, "tools")
    assert [entry.key for entry in found.memories] == ["tool/2 grep", "known", "tool/4 ls", "port"]
    assert found.messages[2].parts == (
        ToolResult("c1", "", exit_code=0),
        Memory("tool/2 grep", "port = 7741\nand more", RESULT_RULE),
    )
    assert found.messages[0] is TALK.messages[0]
    turn = render(found, Ablation.of("tool/2 grep")).turns[2]
    assert (turn.call_id, turn.content) == ("c1", "")


def test_each_turn_of_the_user_is_a_source() -> None:
    found = as_sources(TALK, "turns")
    assert [entry.key for entry in found.memories] == ["turn/0 find-the-port-please", "known", "port", "turn/6 thanks"]
    assert found.messages[0].parts == (Memory("turn/0 find-the-port-please", "Find the port, please.", TURN_RULE),)
    assert found.messages[5] is TALK.messages[5]
    assert len(render(found, Ablation.of("turn/0 find-the-port-please")).turns) == 7


def test_a_turn_in_several_pieces_is_one_source() -> None:
    talk = Conversation((Message("user", (Text("a"), Text("b"), Memory("k", "m"), Text("c"))),))
    found = as_sources(talk, "turns").messages[0]
    assert [(m.key, m.text) for m in found.memories] == [
        ("turn/0 a-b-c", "a\nb\n"),
        ("k", "m\n"),
        ("turn/0 a-b-c", "c"),
    ]


def test_what_was_a_memory_is_not_joined() -> None:
    twice = (Memory("k", "m\n", TURN_RULE), Memory("k", "m", TURN_RULE))
    found = as_sources(Conversation((Message("user", (Text("one"), *twice)),)), "turns").messages[0]
    assert found.parts[1:] == twice


def test_keys_are_unique() -> None:
    answers = (ToolResult("c1", "x"), ToolResult("c1", "y"))
    talk = Conversation((Message("user", (Memory("tool/1", "m"),)), Message("user", answers)))
    assert [entry.key for entry in as_sources(talk, "tools").memories] == ["tool/1", "tool/1 2", "tool/1 3"]


@given(CONVERSATIONS, st.sampled_from(["tools", "turns"]))
def test_sources_only_part_text(conversation: Conversation, kind: Kind) -> None:
    found = as_sources(conversation, kind)
    assert [m.text for m in found.messages] == [m.text for m in conversation.messages]
    assert found.responses == conversation.responses
    assert as_sources(found, kind) == found
    old = {entry.key for entry in conversation.memories}
    owners: dict[str, tuple[int, int]] = {}
    for index, (before, after) in enumerate(zip(conversation.messages, found.messages, strict=True)):
        assert kept_memories(before, after)
        if before.role == "assistant":
            assert after is before
        result = 0
        for part in after.parts:
            result += isinstance(part, ToolResult)
            if isinstance(part, Memory) and part.key not in old:  # one key, one result or turn
                assert owners.setdefault(part.key, (index, result)) == (index, result)
                assert part.key.startswith(f"{kind[:-1]}/{index}")
    left = render(found, Ablation.of(*(entry.key for entry in found.memories))).turns
    if kind == "tools":
        assert not any(turn.content.strip() for turn in left if turn.role == "tool" and turn.call_id)
