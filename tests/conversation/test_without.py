"""A conversation without some of its memories is what leaving them out renders, for good."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolResult
from memscope.conversation.render import render, response_text
from memscope.conversation.without import without
from memscope.engines.protocol import EngineIdentity
from memscope.engines.stored import score_key
from tests.fakes import conversations, office

KEYS = ["k0", "k1", "k2", "k3"]
some_keys = st.sets(st.sampled_from(KEYS))


@given(conversations, some_keys, some_keys, st.integers(0, 2))
def test_leaving_more_out_sends_what_leaving_all_out_at_once_sends(
    conversation: Conversation, removed: set[str], further: set[str], repeat: int
) -> None:
    less = render(without(conversation, removed), Ablation(frozenset(further), repeat))
    at_once = render(conversation, Ablation(frozenset(removed | further), repeat))
    assert [turn.digest for turn in less.turns] == [turn.digest for turn in at_once.turns]
    identity = EngineIdentity("formula")
    assert score_key(identity, less, repeat) == score_key(identity, at_once, repeat)


@given(conversations, some_keys)
def test_the_responses_stay_in_their_order(conversation: Conversation, removed: set[str]) -> None:
    less = without(conversation, removed)
    said = [response_text(conversation, message) for message in conversation.responses]
    assert [response_text(less, message) for message in less.responses] == said


@given(conversations, some_keys)
def test_the_memories_that_stay_keep_their_order_and_nothing_is_left_of_the_others(
    conversation: Conversation, removed: set[str]
) -> None:
    stay = [memory.key for memory in conversation.memories if memory.key not in removed]
    assert [memory.key for memory in without(conversation, removed).memories] == stay


@given(conversations)
def test_nothing_removed_is_the_conversation_itself(conversation: Conversation) -> None:
    assert without(conversation, ()) == conversation
    assert without(conversation, ["unknown"]) == conversation


def test_a_message_of_nothing_else_disappears_and_a_tool_result_stays_empty() -> None:
    conversation = Conversation(
        (
            Message("system", (Text("You code."), Memory("a", "Tabs."))),
            Message("system", (Memory("a", "Tabs."),)),
            Message("tool", (ToolResult("1", ""), Memory("a", "Tabs."))),
            Message("assistant", (Text("Yes."),)),
        )
    )
    less = without(conversation, ["a"])
    assert [message.text for message in less.messages] == ["You code.\n", "", "Yes."]
    assert less.messages[1].parts == (ToolResult("1", ""),)
    assert less.responses == (2,)


def test_what_has_none_of_them_is_not_made_anew() -> None:
    conversation = office()
    less = without(conversation, ["late"])
    assert less.messages[0] is conversation.messages[0]
    assert len(less.messages) == len(conversation.messages) - 1
