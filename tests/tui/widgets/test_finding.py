"""Words looked for: what is passed over for speed holds none of them, and each letter goes on from the one before."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memscope.conversation.model import Conversation, Message, Text
from memscope.tui.widgets.finding import Search, find_place, place_in, word_pattern
from memscope.tui.widgets.outline import Outline, Place

LETTERS = "aAiIkKsS\u0130\u0131\u017f\u212a\u0307é \n"  # some are taken for an i, a k or an s
BEFORE = Place(0, -1, -1, -1)
talks = st.lists(st.text(st.sampled_from(LETTERS), max_size=12), min_size=1, max_size=5).map(
    lambda texts: Conversation(tuple(Message("user", (Text(text),)) for text in texts))
)


@given(talks, st.text(st.sampled_from(LETTERS), min_size=1, max_size=3))
@example(Conversation((Message("user", (Text("\u0130k"),)),)), "ik")
@example(Conversation((Message("user", (Text("\u0131\u017f"),)),)), "IS")
def test_a_place_is_found_where_the_pattern_finds_one(conversation: Conversation, words: str) -> None:
    pattern = word_pattern(words)
    places = [
        Place(number, 0, *found.span())
        for number, message in enumerate(conversation.messages)
        for found in (pattern.finditer(message.text) if pattern is not None else ())
    ]
    found = find_place(conversation, range(len(conversation.messages)), words, BEFORE)
    assert found == (places[0] if places else None)


@given(talks, st.text(st.sampled_from("aik s"), min_size=1, max_size=4))
def test_words_typed_letter_by_letter_lead_to_a_place_of_them(conversation: Conversation, words: str) -> None:
    outline, search = Outline(conversation), Search()
    for end in range(1, len(words) + 1):
        search.type(outline, words[:end].strip(), BEFORE)
    if words.strip():
        there = find_place(conversation, outline.messages, words.strip(), BEFORE)
        assert (search.found is None) == (there is None)
        assert search.found is None or word_pattern(words).fullmatch(  # type: ignore[union-attr]
            conversation.messages[search.found.message].text, search.found.start, search.found.end
        )


def test_more_letters_are_looked_for_where_more_messages_are_shown() -> None:
    conversation = Conversation((Message("user", (Text("Which port?"),)), Message("assistant", (Text("None."),))))
    outline, search = Outline(conversation, responses_only=True), Search()
    assert search.type(outline, "po", BEFORE) is None
    outline.responses_only = False
    assert search.type(outline, "por", BEFORE) is not None


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("the tests  fail", "The tests\nfail"),
        ("tests fail because of a…", "tests\nfail because"),  # more of it was cut off in the middle of a word
        ("…tests fail", "tests\nfail"),
        ("nothing of this", None),
        ("", None),
    ],
)
def test_words_that_were_kept_are_found_as_far_as_they_stand_there(words: str, shown: str | None) -> None:
    text = "Well.\nThe tests\nfail because they do."
    place = place_in(Conversation((Message("user", (Text(text),)),)), 0, words)
    assert (None if place is None else text[place.start : place.end]) == shown
