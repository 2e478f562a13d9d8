"""A decision is about a response and what was said before it, whatever memories, engine or settings there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given

from memscope.base.text import json_text
from memscope.conversation.load import load
from memscope.conversation.memory_files import add_memories, read_memories
from memscope.conversation.model import Conversation, Memory, Message, Text, Thinking, ToolCall
from memscope.conversation.native import native
from memscope.triage.subjects import subjects
from tests.fakes import assistant, conversations, memory, office, talk, user


def with_message(conversation: Conversation, index: int, message: Message) -> Conversation:
    messages = list(conversation.messages)
    messages[index] = message
    return conversation.with_messages(messages)


@given(conversations)
def test_every_response_has_one_of_its_own(conversation: Conversation) -> None:
    found = subjects(conversation)
    assert tuple(found) == conversation.responses
    assert len(set(found.values())) == len(found)


@given(conversations, conversations)
def test_a_conversation_that_goes_on_keeps_them(conversation: Conversation, more: Conversation) -> None:
    longer = conversation.with_messages((*conversation.messages, *more.messages))
    assert subjects(conversation).items() <= subjects(longer).items()


def test_they_are_the_same_when_the_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json_text(native(office())))
    first, second = load(path), load(path)
    assert subjects(first) == subjects(second) == subjects(office())


def test_other_memories_around_change_nothing(tmp_path: Path) -> None:
    plain = talk(Message("system", (Text("You help."),)), user("Tabs?"), assistant("Tabs."))
    notes = tmp_path / "notes.md"
    notes.write_text("Indent with tabs.\n\nBe short.\n")
    more = add_memories(plain, read_memories([notes]).memories)
    assert more.memories
    assert list(subjects(more).values()) == list(subjects(plain).values())
    bare = talk(*plain.messages[1:])
    assert list(subjects(add_memories(bare, read_memories([notes]).memories)).values()) == list(subjects(bare).values())
    inside = with_message(office(), 0, Message("system", (Text("You are a coding agent."), Memory("other", "Hm."))))
    assert subjects(inside) == subjects(office())
    without = talk(*office().messages[:3], *office().messages[4:])
    assert list(subjects(without).values()) == list(subjects(office()).values())


def test_thinking_does_not_count_whether_it_is_scored_or_not() -> None:
    thought = talk(user("Tabs?"), Message("assistant", (Thinking("Hm."), Text("Tabs."))))
    assert subjects(replace(thought, thinking=True)) == subjects(thought)
    assert subjects(thought) == subjects(talk(user("Tabs?"), assistant("Tabs.")))


def test_a_changed_response_is_another_and_so_are_those_after_it() -> None:
    was = subjects(office())
    changed = subjects(with_message(office(), 5, assistant("Use npm.", ToolCall("1", "run", "{}"))))
    assert [was[message] == changed[message] for message in (2, 5, 8)] == [True, False, False]
    calls = subjects(with_message(office(), 5, assistant("Use pnpm to install packages.", ToolCall("1", "run", "{}"))))
    assert was[5] != calls[5]


def test_a_changed_prompt_is_another() -> None:
    was = subjects(office())
    changed = subjects(with_message(office(), 1, user("Which one is it?")))
    assert not set(was.values()) & set(changed.values())
    later = subjects(with_message(office(), 4, user("And what now?")))
    assert [was[message] == later[message] for message in (2, 5, 8)] == [True, False, False]


def test_memories_that_are_a_message_of_their_own_do_not_count() -> None:
    one = talk(memory("a", "A."), user("Hello."), assistant("Hello."))
    other = talk(user("Hello."), memory("b", "B."), assistant("Hello."))
    assert list(subjects(one).values()) == list(subjects(other).values())
