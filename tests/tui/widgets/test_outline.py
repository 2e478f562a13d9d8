from hypothesis import given
from hypothesis import strategies as st

from memscope.conversation.model import Conversation, Message, Opaque, Text, Thinking, ToolCall, ToolResult
from memscope.tui.widgets.finding import find_place
from memscope.tui.widgets.outline import SHOWN, Outline, Place
from memscope.tui.widgets.parts import opening_words, part_text
from tests.fakes import assistant, conversations, memory, office, talk, user

START = Place(0, -1, -1, 0)


def shown(outline: Outline) -> list[str]:
    """Every line in short."""
    lines = [outline.line(row) for row in range(outline.count)]
    return [
        f"#{line.message}"
        if line.kind == "message"
        else line.row.shown
        if line.kind == "text" and line.row
        else line.words
        for line in lines
    ]


def test_a_line_a_message_and_the_text_of_an_unfolded_one_below_it() -> None:
    outline = Outline(office())
    assert shown(outline) == [f"#{i}" for i in range(9)]
    assert outline.toggle(5) == 5
    assert shown(outline)[5:9] == [
        "#5",
        "Use pnpm to install packages.",
        'call run, 27 characters: {"command": "pnpm install"}',
        "#6",
    ]
    assert outline.toggle(7) == 7  # the call
    assert shown(outline)[7:9] == [
        'call run, 27 characters: {"command": "pnpm install"}',
        '{"command": "pnpm install"}',
    ]
    assert outline.toggle(8) == 7
    assert outline.toggle(6) == 5  # a row of the message's own words folds the message
    assert shown(outline) == [f"#{i}" for i in range(9)]


def test_memories_are_told_by_key_and_rule() -> None:
    outline = Outline(office())
    outline.unfold(0)
    assert shown(outline)[:5] == [
        "#0",
        "You are a coding agent.",
        "memory tabs, 17 characters, found by explicit",
        "Indent with tabs.",
        "#1",
    ]
    assert [outline.line(row).memory for row in range(4)] == [None, None, "tabs", "tabs"]


def test_responses_only() -> None:
    outline = Outline(office(), responses_only=True)
    assert shown(outline) == ["#2", "#5", "#8"]
    outline.unfold(5)
    outline.unfold(1)  # has no line now
    assert outline.row(8) == outline.count - 1 == 4
    assert outline.nearest(4) == 2
    assert outline.nearest(0) == 2
    outline.responses_only = False
    assert outline.row(2) == 3


def test_what_a_message_is_made_of() -> None:
    message = Message(
        "assistant",
        (
            Thinking("hm"),
            Text("So."),
            ToolCall("1", "go", "{}"),
            ToolResult("1", "out", True, 2),
            Opaque("image", "x" * 2000),
        ),
    )
    outline = Outline(talk(message))
    outline.unfold(0)
    assert shown(outline)[1:] == [
        "thinking, 2 characters: hm",
        "So.",
        "result, error, exit 2, 3 characters: out",
        "image, 2k characters",
        "call go, 2 characters: {}",
    ]
    assert [outline.line(row).folded for row in range(1, 6)] == [True, None, True, None, True]
    assert outline.toggle(4) == 4  # an image is not shown


def test_a_tool_result_that_is_all_of_a_message_is_shown_with_it() -> None:
    outline = Outline(talk(Message("tool", (ToolResult("1", "one\ntwo"),))))
    outline.unfold(0)
    assert shown(outline)[2:] == ["one", "two"]
    outline.toggle(1)
    assert outline.count == 2


def test_of_a_huge_message_only_so_much_is_shown_at_a_time() -> None:
    text = "x" * 1_400_000
    outline = Outline(talk(user(text)), 100)
    outline.unfold(0)
    assert outline.count == 2 + SHOWN // 100
    more = outline.line(outline.count - 1)
    assert (more.kind, more.words) == ("more", "… 1.4M characters more")
    row = outline.toggle(outline.count - 1)
    assert row == outline.count - 1 - SHOWN // 100
    assert outline.line(row).span == (SHOWN, SHOWN + 100)


def test_a_place_far_inside_is_shown_with_what_is_around_it() -> None:
    text = "line\n" * 100_000 + "needle\n" + "line\n" * 100_000
    outline = Outline(talk(user(text)), 80)
    place = Place(0, 0, 500_000, 500_006)
    row = outline.reveal(place)
    line = outline.line(row)
    assert line.row is not None
    assert line.row.shown == "needle"
    assert outline.count < SHOWN // 5 + 4
    before = outline.line(1)
    assert before.words.endswith("before")
    assert outline.toggle(1) == 1
    assert outline.line(outline.row_at(place)).row == line.row
    outline.fold(0)
    assert outline.row_at(place) == 0


def test_folds_can_be_put_back() -> None:
    outline = Outline(office())
    outline.unfold(5)
    outline.toggle(7)
    kept, lines = outline.folds(5), shown(outline)
    outline.fold(5)
    assert outline.folds(5) is None
    outline.restore(5, kept)
    assert shown(outline) == lines
    outline.restore(5, None)
    assert outline.count == 9


@given(conversations, st.data())
def test_rows_and_messages_agree_whatever_is_unfolded(conversation: Conversation, data: st.DataObject) -> None:
    outline = Outline(conversation, 12)
    for _ in range(data.draw(st.integers(0, 8))):
        if outline.count:
            outline.toggle(data.draw(st.integers(0, outline.count - 1)))
        outline.responses_only = data.draw(st.booleans())
    lines = [outline.line(row) for row in range(outline.count)]
    assert [line.message for line in lines if line.kind == "message"] == list(outline.messages)
    assert [outline.row(m) for m in outline.messages] == [r for r, line in enumerate(lines) if line.kind == "message"]
    assert [line.message for line in lines] == sorted(line.message for line in lines)
    for line in lines:
        if line.kind == "text" and line.row is not None and line.span is not None:
            message, part = conversation.messages[line.message], conversation.messages[line.message].parts[line.part]
            assert message.text[slice(*line.span)] == part_text(part)[line.row.start : line.row.end]


@given(conversations, st.sampled_from(["key", "Zorvix", "a the", "你好", "nowhere"]), st.booleans())
def test_a_search_comes_by_every_place_in_order(conversation: Conversation, words: str, backwards: bool) -> None:
    everywhere = range(len(conversation.messages))
    first = at = find_place(conversation, everywhere, words, START, backwards=backwards)
    seen: list[Place] = []
    while at is not None and at not in seen:
        seen.append(at)
        at = find_place(conversation, everywhere, words, at, backwards=backwards)
    assert at == first
    seen = seen[::-1] if backwards else seen
    assert seen == sorted(seen, key=lambda p: (p.message, p.part, p.start))
    texts = [part_text(part).casefold() for message in conversation.messages for part in message.parts]
    squeezed = [" ".join(text.split()) for text in texts]
    assert bool(seen) == any(words.casefold() in text for text in squeezed)


def test_opening_words() -> None:
    assert opening_words(user("  Hello\nthere")) == "Hello there"
    assert opening_words(assistant("", ToolCall("1", "go", "{}"))) == "go {}"
    assert opening_words(assistant("", Thinking("I\nwonder."), ToolCall("1", "go", "{}"))) == "go {}"
    assert opening_words(assistant("Yes.", Thinking("I wonder."))) == "Yes."
    assert opening_words(assistant("", Thinking("I\nwonder."))) == "(thinking) I wonder."
    assert opening_words(memory("k", "")) == "memory k, 0 characters, found by explicit"
    assert opening_words(Message("user", ())) == "(empty)"


def test_blank_lines_before_a_text_are_not_shown() -> None:
    for text, shown in (("\n \n  one\n\ntwo", ["  one", "", "two"]), ("\n\n", ["", ""])):
        outline = Outline(Conversation((Message("user", (Text(text),)),)))
        outline.unfold(0)
        rows = [outline.line(number).row for number in range(1, outline.count)]
        assert [row.shown for row in rows if row is not None] == shown
