"""Which responses belong to a stretch, and what is scored for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.attribution.windows import Stretch, after_memory, cut, last_messages
from memscope.conversation.model import Conversation, Memory, Message, Text
from tests.fakes import assistant, conversations, memory, talk, user

TALK = talk(
    Message("system", (Text("Help."),)),
    Message("system", (Memory("always", "Be kind."),)),
    user("Hello."),
    assistant("First."),
    memory("m", "A fact."),
    user("And?"),
    assistant("Second."),
    assistant("Third."),
    memory("m", "The fact again."),
    user("So?"),
    assistant("Fourth."),
)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, Stretch(4, 7, (6,))),
        (2, Stretch(4, 8, (6, 7))),
        (3, Stretch(4, 11, (6, 7, 10))),
        (9, Stretch(4, 11, (6, 7, 10))),
    ],
)
def test_a_stretch_goes_from_the_first_occurrence_to_the_end_of_a_response(count: int, expected: Stretch) -> None:
    assert after_memory(TALK, "m", count) == expected


def test_a_memory_within_a_response_counts_that_response() -> None:
    found = talk(user("Hello."), assistant("I note: ", Memory("m", "likes tea")), assistant("Done."))
    assert after_memory(found, "m", 1) == Stretch(1, 2, (1,))


def test_a_memory_that_is_not_there_is_none() -> None:
    with pytest.raises(KeyError):
        after_memory(TALK, "n", 1)


def test_what_is_scored_begins_with_all_or_with_the_opening_system_messages_alone() -> None:
    stretch = after_memory(TALK, "m", 1)
    assert cut(TALK, stretch, "full").messages == TALK.messages[:7]
    assert cut(TALK, stretch, "window").messages == (*TALK.messages[:2], *TALK.messages[4:7])


def test_the_stretch_of_a_memory_in_the_system_prompt_has_nothing_twice() -> None:
    stretch = after_memory(TALK, "always", 1)
    assert stretch == Stretch(1, 4, (3,))
    assert cut(TALK, stretch, "window").messages == TALK.messages[:4] == cut(TALK, stretch, "full").messages


def test_the_last_messages_are_counted_without_the_opening_system_messages() -> None:
    assert last_messages(TALK, 3) == Stretch(8, 11, (10,))
    assert (
        last_messages(TALK, None) == last_messages(TALK, 9) == last_messages(TALK, 99) == Stretch(2, 11, (3, 6, 7, 10))
    )
    assert last_messages(talk(*TALK.messages[:2]), 5) == Stretch(2, 2, ())


@given(conversations, st.integers(1, 5), st.sampled_from(["full", "window"]))
def test_the_responses_of_a_stretch_are_the_last_of_what_is_scored(
    found: Conversation, count: int, context: str
) -> None:
    stretches = [after_memory(found, one.key, count) for one in found.memories] + [last_messages(found, count)]
    for stretch in stretches:
        scored = cut(found, stretch, context)  # type: ignore[arg-type]
        ours = scored.responses[len(scored.responses) - len(stretch.responses) :]
        assert [scored.messages[one] for one in ours] == [found.messages[one] for one in stretch.responses]
        if context == "window":
            assert len(ours) == len(scored.responses)
