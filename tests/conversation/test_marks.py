"""Marks of a person: lines become memories, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.ablation import Ablation
from memscope.conversation.marks import RULE, Mark, lines_at, mark_key, refusal, with_marks
from memscope.conversation.model import Conversation, Memory, Message, Opaque, Text, ToolCall, ToolResult
from memscope.conversation.render import render
from tests.conversation._any import CONVERSATIONS, kept_memories

TALK = Conversation(
    (
        Message("system", (Text("You help.\nThe user is in Oslo.\nBe brief."),)),
        Message("user", (Text("\nMy cat is called Tom.\n\n"),)),
        Message("assistant", (Text("I see."), ToolCall("c1", "grep", "{}"))),
        Message("tool", (ToolResult("c1", "head\nfact\ntail", is_error=True), Text("more"))),
        Message("user", (Text("before"), Memory("known", "a fact"), Text("after"))),
        Message("assistant", (Text("Done."),)),
    )
)


def marked(*marks: Mark) -> Conversation:
    return with_marks(TALK, marks)


def on(message: int, words: str, key: str = "k") -> Mark:
    start = TALK.messages[message].text.index(words)
    return Mark(message, start, start + len(words), key)


def texts(conversation: Conversation) -> list[str]:
    return [message.text for message in conversation.messages]


def test_a_mark_on_some_words_takes_their_lines() -> None:
    parts = marked(on(0, "user is")).messages[0].parts
    assert parts == (Text("You help.\n"), Memory("k", "The user is in Oslo.\n", RULE), Text("Be brief."))


def test_a_mark_over_lines_takes_them_all_and_no_blank_end() -> None:
    everything = Mark(0, 0, len(TALK.messages[0].text), "k")
    assert marked(everything).messages[0].parts == (Memory("k", TALK.messages[0].text, RULE),)
    assert marked(Mark(4, 0, 7, "k")).messages[4].parts[0] == Memory("k", "before\n", RULE)


def test_a_message_marked_as_a_whole_disappears_with_the_memory() -> None:
    found = marked(on(1, "Tom", "cat"))
    assert found.messages[1].parts == (Memory("cat", "\nMy cat is called Tom.\n\n", RULE),)
    left = render(found, Ablation.of("cat")).turns
    assert [turn.role for turn in left] == ["system", "assistant", "tool", "user", "assistant"]


def test_an_image_stays_beside_the_mark() -> None:
    image = Opaque("image", "{}")
    talk = Conversation((Message("user", (Text("one"), image, Text("two"))),))
    assert with_marks(talk, [Mark(0, 0, 7, "k")]).messages[0].parts == (
        Memory("k", "one\n", RULE),
        image,
        Memory("k", "two", RULE),
    )


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("head\nfact\ntail\nmore", [ToolResult("c1", "", True), Memory("k", "head\nfact\ntail\nmore", RULE)]),
        ("head", [ToolResult("c1", "", True), Memory("k", "head\n", RULE), Text("fact\ntail\n"), Text("more")]),
        ("fact", [ToolResult("c1", "head\n", True), Memory("k", "fact\n", RULE), Text("tail\n"), Text("more")]),
        ("tail\nmore", [ToolResult("c1", "head\nfact\n", True), Memory("k", "tail\nmore", RULE)]),
    ],
)
def test_a_marked_result_leaves_its_call_an_answer(words: str, parts: list[object]) -> None:
    found = marked(on(3, words))
    assert list(found.messages[3].parts) == parts
    turn = render(found, Ablation.of("k")).turns[3]
    assert turn.call_id == "c1"
    assert turn.content == TALK.messages[3].text.replace(words if words.endswith("more") else f"{words}\n", "")


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (Mark(6, 0, 1, "k"), "no such message"),
        (Mark(-1, 0, 1, "k"), "no such message"),
        (Mark(2, 0, 1, "k"), "what an agent says"),
        (Mark(0, 0, 1000, "k"), "no words"),
        (Mark(0, -1, 4, "k"), "no words"),
        (Mark(0, 4, 4, "k"), "no words"),
        (Mark(0, 5, 4, "k"), "no words"),
        (Mark(1, 0, 1, "k"), "no words"),
        (on(4, "a fact"), "a memory already"),
        (on(4, "before\na fact\nafter"), "a memory already"),
    ],
)
def test_a_mark_that_does_not_fit_is_passed_over_and_counted(mark: Mark, why: str) -> None:
    found = marked(mark, on(0, "Oslo"))
    assert found.messages == marked(on(0, "Oslo")).messages
    (note,) = found.notes
    assert note.startswith("passed over, 1 mark of yours does not fit")
    assert why in refusal(TALK, mark)


def test_of_marks_that_overlap_the_first_counts() -> None:
    first, second = on(0, "You help.\nThe", "first"), on(0, "The user", "second")
    found = marked(first, second, on(0, "Be brief", "third"), Mark(9, 0, 1, "k"))
    assert [memory.key for memory in found.messages[0].memories] == ["first", "third"]
    assert found.notes[0].startswith("passed over, 2 marks of yours do not fit")


def test_a_mark_that_fits_is_not_refused() -> None:
    assert refusal(TALK, on(0, "Oslo")) == ""
    assert refusal(marked(on(0, "Oslo")), on(0, "Oslo")) == ""  # it is so already
    assert refusal(marked(on(0, "Oslo")), on(0, "Oslo", "another")) == "some of it is a memory already"


def test_where_marked_lines_begin_and_end() -> None:
    assert lines_at(TALK.messages[0], 15, 16) == (10, 31)
    assert lines_at(TALK.messages[1], 0, 24) == (1, 23)
    assert lines_at(TALK.messages[1], 0, 1) == lines_at(TALK.messages[1], 3, 3) == (0, 0)


def test_the_same_text_has_the_same_key() -> None:
    assert mark_key("The user is in Oslo.\n") == mark_key("  The user is in Oslo.")
    assert mark_key("The user is in Oslo.") != mark_key("The user is in Bergen.")
    assert mark_key("The user is in Oslo.").startswith("the-user-is-in-oslo-")


MARKS = st.lists(
    st.builds(
        Mark, st.integers(-1, 4), st.integers(-1, 24), st.integers(-1, 24), st.sampled_from(["a", "mine", "other"])
    ),
    max_size=8,
)


@given(CONVERSATIONS, MARKS)
def test_marks_only_part_text(conversation: Conversation, marks: list[Mark]) -> None:
    found = with_marks(conversation, marks)
    assert texts(found) == texts(conversation)
    assert with_marks(found, marks) == found
    assert found.responses == conversation.responses
    for index, (before, after) in enumerate(zip(conversation.messages, found.messages, strict=True)):
        assert kept_memories(before, after)
        assert [p for p in before.parts if isinstance(p, Opaque | ToolCall)] == [
            p for p in after.parts if isinstance(p, Opaque | ToolCall)
        ]
        assert [p.call_id for p in before.parts if isinstance(p, ToolResult)] == [
            p.call_id for p in after.parts if isinstance(p, ToolResult)
        ]
        if before.role == "assistant" or index not in {mark.message for mark in marks}:
            assert after is before


@given(CONVERSATIONS, MARKS)
def test_a_mark_fits_exactly_when_it_is_not_refused(conversation: Conversation, marks: list[Mark]) -> None:
    for mark in marks:
        found = with_marks(conversation, [mark])
        assert bool(refusal(conversation, mark)) == bool(found.notes)
        if not found.notes:
            assert mark.key in {memory.key for memory in found.messages[mark.message].memories}
            assert RULE in {memory.rule for memory in found.messages[mark.message].memories}
        else:
            assert found.messages == conversation.messages
