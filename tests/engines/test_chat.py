"""A prompt as messages: what is sent of it, and folding, which says the same things in fewer messages."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.errors import EngineError
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall, ToolResult
from memscope.conversation.render import Piece, Turn, render
from memscope.engines.chat import Fold, _folded, chat
from tests.engines.laying import TEMPLATES
from tests.fakes import assistant, conversations, memory, talk, user

FOLDS: list[Fold] = ["memories", "system"]
fold_names = st.sampled_from(FOLDS)


def said(conversation: Conversation, fold: Fold = "off") -> list[tuple[str, str]]:
    """Role and content of each message."""
    return [(message["role"], message["content"]) for message in chat(render(conversation), fold).messages]


# --- messages --------------------------------------------------------------------------------------------------------


def test_a_call_and_its_answer_are_messages_in_openais_form() -> None:
    conversation = talk(
        user("Run it."),
        assistant("Yes.", ToolCall("c1", "run", '{"command": "ls"}'), ToolCall("", "stop", "")),
        Message("tool", (ToolResult("c1", "a.txt"),), name="run"),
        assistant("One file."),
    )

    found = chat(render(conversation))

    assert found.messages[1] == {
        "role": "assistant",
        "content": "Yes.",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "run", "arguments": '{"command": "ls"}'}},
            {"id": "call_1", "type": "function", "function": {"name": "stop", "arguments": "{}"}},
        ],
    }
    assert found.messages[2] == {"role": "tool", "content": "a.txt", "tool_call_id": "c1", "name": "run"}
    assert found.responses == (1, 3)
    assert found.texts[1] == "One file."


def test_roles_of_other_times_have_todays_names() -> None:
    conversation = talk(
        Message("developer", (Text("Be brief."),)), Message("function", (Text("12"),)), assistant("So.")
    )

    assert [role for role, _ in said(conversation)] == ["system", "tool", "assistant"]


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "function", "function": {"name": "run", "description": "", "parameters": {"type": "object"}}}',
        '{"name": "run", "parameters": {"type": "object"}}',
        '{"name": "run", "input_schema": {"type": "object"}}',
    ],
)
def test_a_tool_is_sent_in_openais_form_whichever_it_came_in(text: str) -> None:
    (tool,) = chat(replace(render(talk(user("Hi"), assistant("Ho"))), tools=(text,))).tools

    function = {"name": "run", "description": "", "parameters": {"type": "object"}}
    assert tool == {"type": "function", "function": function}


@pytest.mark.parametrize("text", ["", "{", "[]", "12", '{"description": "nameless"}', "[" * 100_000])
def test_what_is_no_tool_is_not_sent(text: str) -> None:
    assert chat(replace(render(talk(user("Hi"), assistant("Ho"))), tools=(text,))).tools == ()


def test_a_probe_takes_the_place_of_words_and_calls() -> None:
    found = chat(render(talk(user("Go."), assistant("Yes.", ToolCall("c1", "run", "{}")))))

    assert found.saying(1, "Probe").messages[1] == {"role": "assistant", "content": "Probe"}
    calling = found.saying(1, "My probe", calling=True).messages[1]
    function = {"name": "Myprobe", "arguments": json.dumps({"My probe": "My probe"})}
    assert calling["tool_calls"] == [{"id": "c1", "type": "function", "function": function}]


# --- folding ---------------------------------------------------------------------------------------------------------


def test_a_memory_goes_to_the_front_of_what_is_said_next() -> None:
    conversation = talk(
        Message("system", (Text("Be brief."),)), memory("tea", "Green."), user("What tea?"), assistant("Green tea.")
    )

    assert said(conversation, "memories") == [
        ("system", "Be brief."),
        ("user", "Green.\nWhat tea?"),
        ("assistant", "Green tea."),
    ]
    assert said(conversation, "system") == [("user", "Be brief.\nGreen.\nWhat tea?"), ("assistant", "Green tea.")]


def test_a_memory_in_front_of_a_response_goes_to_the_end_of_what_was_said_before() -> None:
    conversation = talk(user("What tea?"), memory("tea", "Green."), memory("hot", "Hot.\n"), assistant("Green tea."))

    assert said(conversation, "memories") == [("user", "What tea?\nGreen.\nHot."), ("assistant", "Green tea.")]


@pytest.mark.parametrize("key", ["tea", "hot", "shown"])
def test_what_stays_of_two_memories_in_front_of_a_response_stays_as_it_is(key: str) -> None:
    asked = Message("user", (Text("What tea?"), Memory("shown", "She asks.")))
    conversation = talk(asked, memory("tea", "Green."), memory("hot", "Hot."), assistant("Green tea."))

    (whole, _), (ablated, _) = (
        _folded(render(conversation, a).turns, system=False) for a in (BASELINE, Ablation.of(key))
    )

    assert list(ablated.pieces) == [piece for piece in whole.pieces if piece.owner != key]


def test_a_memory_never_goes_across_a_response_which_did_not_see_it() -> None:
    """Between a tool's answer and the response to it, and between two responses."""
    conversation = talk(
        user("Run it."),
        assistant("", ToolCall("c1", "run", "{}")),
        memory("early", "Runs take long."),
        Message("tool", (ToolResult("c1", "done"),)),
        memory("late", "Done means done."),
        assistant("It is done."),
        memory("later", "Thank them."),
        assistant("Thanks."),
    )

    assert said(conversation, "memories") == [
        ("user", "Run it."),
        ("assistant", ""),
        ("tool", "done\nRuns take long.\nDone means done."),
        ("assistant", "It is done."),
        ("user", "\nThank them."),
        ("assistant", "Thanks."),
    ]


def test_two_messages_of_one_role_become_one() -> None:
    conversation = talk(user("One"), user("two\n"), user("three"), assistant("Four"), assistant("Five"))

    assert said(conversation, "memories") == [("user", "One\ntwo\nthree"), ("assistant", "Four"), ("assistant", "Five")]


def test_a_system_message_in_mid_conversation_is_the_users() -> None:
    conversation = talk(user("Hi"), assistant("Ho"), Message("developer", (Text("Be kind."),)), assistant("Hey"))

    assert said(conversation, "memories")[2] == ("user", "Be kind.")


def pieces(turns: tuple[Turn, ...], without: frozenset[str | None] = frozenset()) -> list[tuple[str, list[Piece], int]]:
    """What is said in each message by whom, but for what belongs to these memories; what is then empty and was no
    message of its own is none."""
    kept = [(t.role, [p for p in t.pieces if p.owner not in without], len(t.calls), bool(t.pieces)) for t in turns]
    return [(role, found, calls) for role, found, calls, some in kept if found or not some]


@settings(max_examples=200)
@given(conversations, fold_names, st.data())
def test_both_sides_of_a_folded_ablation_differ_in_the_memory_alone(
    conversation: Conversation, fold: Fold, data: st.DataObject
) -> None:
    # A message that says nothing stays where the memory that was folded into it goes: nothing tells it from that.
    conversation = conversation.with_messages([message for message in conversation.messages if message.parts])
    keys = [entry.key for entry in conversation.memories]
    gone = frozenset(data.draw(st.sets(st.sampled_from(keys)))) if keys else frozenset()

    whole = _folded(render(conversation).turns, system=fold == "system")
    ablated = _folded(render(conversation, Ablation(gone)).turns, system=fold == "system")

    assert pieces(ablated) == pieces(whole, without=gone)


@given(conversations, fold_names)
def test_folding_loses_nothing_and_changes_no_response(conversation: Conversation, fold: Fold) -> None:
    prompt = render(conversation)
    folded = _folded(prompt.turns, system=fold == "system")

    def words(turns: tuple[Turn, ...], *, responses: bool) -> list[str]:
        return sorted(p.text.strip("\n") for t in turns if t.is_response == responses for p in t.pieces)

    assert [turn for turn in folded if turn.is_response] == list(prompt.responses)
    assert list(filter(None, words(folded, responses=False))) == list(
        filter(None, words(prompt.turns, responses=False))
    )
    assert [len(turn.calls) for turn in folded if turn.calls] == [
        len(turn.calls) for turn in prompt.turns if turn.calls
    ]


@given(conversations, fold_names)
def test_a_folded_memory_stands_behind_every_response_that_did_not_see_it(
    conversation: Conversation, fold: Fold
) -> None:
    prompt = render(conversation)

    def seen(turns: tuple[Turn, ...]) -> list[set[str | None]]:
        """What each response has before it."""
        places = [place for place, turn in enumerate(turns) if turn.is_response]
        return [{piece.owner for turn in turns[:place] for piece in turn.pieces if piece.text} for place in places]

    assert seen(_folded(prompt.turns, system=fold == "system")) == seen(prompt.turns)


# --- templates that refuse ------------------------------------------------------------------------------------------

_words = st.sampled_from(["Tea?", "Green tea is best.", " spaced ", "two\nlines", "你好"])
_asked = st.lists(
    st.one_of(
        _words.map(user),
        st.builds(memory, st.sampled_from(["a", "b", "c"]), _words),
        _words.map(lambda text: Message("system", (Text(text),))),
    ),
    max_size=3,
)
dialogues = st.lists(
    st.tuples(_asked, _words, _words).map(lambda t: [*t[0], user(t[1]), assistant(t[2])]), min_size=1, max_size=3
).map(lambda turns: talk(*(message for turn in turns for message in turn)))
"""Questions and answers, with memories and system messages wherever there is a place."""


@given(dialogues, st.sets(st.sampled_from(["a", "b", "c"])))
@pytest.mark.parametrize(("name", "fold"), [("mistral", "memories"), ("mistral", "system"), ("gemma", "system")])
def test_templates_that_want_roles_to_alternate_take_what_is_folded(
    name: str, fold: Fold, conversation: Conversation, gone: set[str]
) -> None:
    folded = chat(render(conversation, Ablation(frozenset(gone))), fold)

    text = TEMPLATES[name].render(folded)

    said = [message["content"].strip() for message in folded.messages if message["role"] != "system"]
    assert all(content in text for content in said)


@pytest.mark.parametrize(("name", "reason"), [("gemma", "System role not supported"), ("mistral", "must alternate")])
def test_they_refuse_it_unfolded_and_the_error_says_what_to_do(name: str, reason: str) -> None:
    conversation = talk(memory("tea", "Green."), user("Tea?"), user("Or not?"), assistant("Yes."))

    with pytest.raises(EngineError, match=f"{reason}.*--fold memories"):
        TEMPLATES[name].render(chat(render(conversation)))


def test_memory_parts_stay_where_they_stand() -> None:
    conversation = talk(
        Message("user", (Text("Look:\n"), Memory("m", "It is red.\n"), Text("What is it?"))), assistant("?")
    )

    assert said(conversation, "memories")[0] == ("user", "Look:\nIt is red.\nWhat is it?")
