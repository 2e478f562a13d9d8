"""Finding a response by difference: exact in text with any template, and in tokens but for whitespace that merges."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Message, Text, ToolCall, ToolResult
from memscope.conversation.render import render
from memscope.engines.chat import chat
from memscope.engines.layout import Layouts
from memscope.engines.spans import common_prefix, common_suffix, diff_span, probes
from tests.engines.laying import TEMPLATES, TRIM
from tests.engines.token_server import Formula
from tests.fakes import assistant, talk, user

JOB = Job()

texts = st.one_of(
    st.text(max_size=12),
    st.lists(
        st.sampled_from(["Quartz", "8", "t", "s", "Xylem", " ", "\n", "你", "😀", "{", "}", "a b"]), max_size=5
    ).map("".join),
)
dialogues = st.lists(st.tuples(texts, texts), min_size=1, max_size=3).map(
    lambda pairs: talk(*(message for question, answer in pairs for message in (user(question), assistant(answer))))
)
every_template = pytest.mark.parametrize("name", TEMPLATES)


# --- probes and differences ------------------------------------------------------------------------------------------


@given(texts)
@example("Quartz .. hymns 8 t")
@example("8 z")
@example("qt")
@example("{q}")
@example("")
def test_probes_share_no_edge_with_the_text_or_with_each_other(text: str) -> None:
    said = [t for t in (text.strip(), *probes(text)) if t]

    for one, other in combinations(said, 2):
        assert one[0].casefold() != other[0].casefold()
        assert one[-1].casefold() != other[-1].casefold()


def test_a_probe_keeps_the_thinking_at_the_head_unless_that_counts() -> None:
    text = " <think>\nTea or coffee?</think>\n\nTea <think>or</think> coffee."

    assert all(probe.startswith(" <think>\nTea or coffee?</think>\n\n") for probe in probes(text))
    assert not any("<think>" in probe for probe in probes(text, thinking=True))
    assert not any("<think>" in probe for probe in probes("Tea <think>or</think> coffee."))


@given(st.lists(st.integers(0, 2), max_size=30), st.lists(st.integers(0, 2), max_size=30), st.integers(0, 3))
def test_common_ends_are_the_longest_there_are(one: list[int], other: list[int], blocks: int) -> None:
    """Also where they are compared block by block."""
    shared = [7] * 1024 * blocks
    left, right = shared + one, shared + other
    at = common_prefix(left, right)
    assert left[:at] == right[:at]
    assert at == min(len(left), len(right)) or left[at] != right[at]

    left, right = one + shared, other + shared
    at = common_suffix(left, right)
    assert left[len(left) - at :] == right[len(right) - at :]
    assert at == min(len(left), len(right)) or left[-1 - at] != right[-1 - at]


def test_what_a_template_shows_nothing_of_has_an_empty_span() -> None:
    assert diff_span("abc", "abc", "abc") == (3, 3)


# --- real templates --------------------------------------------------------------------------------------------------


@every_template
@settings(max_examples=50)
@given(dialogues)
def test_in_text_a_span_is_exactly_what_the_template_shows_of_the_response(
    name: str, conversation: Conversation
) -> None:
    prompt = render(conversation)
    laid = Layouts(lambda said, _: TEMPLATES[name].render(said)).of(prompt, JOB)

    shown = [turn.content.strip() if name in TRIM else turn.content for turn in prompt.responses]
    if name == "thinking":  # it strips the newlines at the head
        shown = [text.lstrip("\n") if end == len(shown) else text for end, text in enumerate(shown, 1)]
    assert [laid.whole[start:end] for start, end in laid.spans] == shown
    assert laid.texts == tuple(turn.content for turn in prompt.responses)
    assert len(laid.whole) == laid.spans[-1][1]


@every_template
@settings(max_examples=50)
@given(dialogues)
def test_in_tokens_a_span_is_the_response_but_for_whitespace_beside_it(name: str, conversation: Conversation) -> None:
    """The closed-form model's tokeniser merges whitespace with whitespace, and a space with a word."""
    model = Formula()
    prompt = render(conversation)
    laid = Layouts(lambda said, _: model.encode(TEMPLATES[name].render(said))).of(prompt, JOB)

    for (start, end), turn in zip(laid.spans, prompt.responses, strict=True):
        assert model.text(laid.whole[start:end]).strip() == turn.content.encode("utf-8", "replace").decode().strip()


@pytest.mark.parametrize("thinking", [False, True])
def test_thinking_is_a_part_of_the_span_only_where_it_counts(thinking: bool) -> None:
    """Its opening is in any case the template's, which writes one for an answer without thinking as well."""
    conversation = talk(user("Tea?"), assistant("<think>\nGreen or black?\n</think>\n\nGreen."))
    prompt = replace(render(conversation), thinking=thinking)
    laid = Layouts(lambda said, _: TEMPLATES["thinking"].render(said)).of(prompt, JOB)

    ((start, end),) = laid.spans
    assert laid.whole[start:end] == ("Green or black?\n</think>\n\nGreen." if thinking else "Green.")


def test_thinking_that_a_template_strips_from_earlier_turns_is_not_looked_for() -> None:
    conversation = talk(
        user("Tea?"), assistant("<think>\nGreen?\n</think>\n\nGreen."), user("Hot?"), assistant("Yes, hot.")
    )
    laid = Layouts(lambda said, _: TEMPLATES["thinking"].render(said)).of(render(conversation), JOB)

    assert [laid.whole[start:end] for start, end in laid.spans] == ["Green.", "Yes, hot."]
    assert laid.whole.endswith("<think>\n\n</think>\n\nYes, hot.")  # the empty block is the template's


# --- tool calls ------------------------------------------------------------------------------------------------------

CALLING = talk(
    user("What is in here?"),
    assistant("", ToolCall("call00001", "list_files", '{"path": "src", "deep": true}')),
    Message("tool", (ToolResult("call00001", "a.py"),)),
    assistant("One file."),
    user("And now?"),
    assistant("Still one."),
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("chatml", '\n<tool_call>\n{"name": "list_files", "arguments": {"path": "src", "deep": true}}\n</tool_call>'),
        ("thinking", '<tool_call>\n{"name": "list_files", "arguments": {"path": "src", "deep": true}}\n</tool_call>'),
        ("llama3", '{"name": "list_files", "parameters": {"path": "src", "deep": true}}'),
        ("own-calls", '[list_files(path="src", deep=true)]'),
        # It refuses an answer to no call, so the probe calls too, and the syntax around the call is not scored.
        ("mistral", 'list_files", "arguments": {"path": "src", "deep": true'),
        ("drops-calls", ""),
        ("generation", ""),
    ],
)
def test_a_call_is_found_in_the_syntax_of_the_template(name: str, shown: str) -> None:
    laid = Layouts(lambda said, _: TEMPLATES[name].render(said)).of(render(CALLING), JOB)

    found = [laid.whole[start:end] for start, end in laid.spans]
    assert found == [shown, "One file.", "Still one."]


def test_a_template_that_refuses_calls_says_so() -> None:
    with pytest.raises(EngineError, match="Tools are not supported by this model"):
        Layouts(lambda said, _: TEMPLATES["refuses-calls"].render(said)).of(render(CALLING), JOB)


def test_the_error_of_a_probe_is_the_first_one() -> None:
    """A server that fails for another reason is not asked in another way for ever."""
    asked = []

    def lay(said: object, _: Job) -> str:
        asked.append(said)
        if len(asked) > 1:
            raise EngineError(f"failure {len(asked)}")
        return "laid out"

    with pytest.raises(EngineError, match="failure 2"):
        Layouts(lay).of(render(CALLING), JOB)
    assert len(asked) == 3


@given(dialogues)
def test_generation_tags_change_nothing(conversation: Conversation) -> None:
    assume(all(message.text for message in conversation.messages))
    said = chat(render(conversation))

    assert TEMPLATES["generation"].render(said) == TEMPLATES["chatml"].render(said)


def test_what_is_said_once_and_shown_twice_does_not_overlap_with_what_follows() -> None:
    def twice(said: object, _: Job) -> str:
        texts = [m["content"] for m in said.messages]  # type: ignore[attr-defined]
        return "|".join([*texts, *texts])

    laid = Layouts(twice).of(render(talk(user("a"), assistant("b"), user("c"), assistant("d"))), JOB)

    assert all(start <= end for start, end in laid.spans)
    assert laid.spans[0][1] <= laid.spans[1][0]


def test_a_message_of_whitespace_alone_is_found_as_such() -> None:
    laid = Layouts(lambda said, _: TEMPLATES["chatml"].render(said)).of(
        render(talk(user("a"), Message("assistant", (Text(" \n"),)))), JOB
    )
    ((start, end),) = laid.spans
    assert laid.whole[start:end] == " \n"
