"""Tokens of memories, and how far into a conversation they stand."""

from __future__ import annotations

import pytest
from hypothesis import given

from memscope.actions.engine import Scorer
from memscope.actions.tokens import memory_tokens, token_positions
from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall
from memscope.conversation.render import Prompt, response_text
from memscope.engines.embedded.engine import Embedded
from memscope.engines.embedded.tokens import surfaces
from tests.fakes import LATE, PNPM, TABS, FormulaEngine, assistant, conversations, office, talk, user

AROUND = 7  # tokens that a template puts around a message


class Counting(FormulaEngine):
    """Counts words, and what its template puts around each message; `fails`: it does not."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.counted: list[str] = []
        self.fails = fails

    def count(self, prompt: Prompt, job: Job) -> int:
        if self.fails:
            raise EngineError("no tokeniser")
        self.counted.append("".join(turn.text for turn in prompt.turns))
        return sum(AROUND + len(turn.text.split()) for turn in prompt.turns)


def test_every_occurrence_counts_and_the_template_does_not() -> None:
    engine = Counting()
    assert memory_tokens(office(), Scorer(engine), Job()) == {"tabs": 3, "pnpm": 8, "late": 4}
    assert sorted(engine.counted) == sorted([".", TABS, PNPM, LATE])  # each text once


def test_an_engine_that_cannot_count_says_nothing() -> None:
    assert memory_tokens(office(), Scorer(FormulaEngine()), Job()) is None
    assert memory_tokens(office(), Scorer(Counting(fails=True)), Job()) is None


def test_the_embedded_engine_counts_its_own_tokens() -> None:
    expected = {"tabs": len(surfaces(TABS)), "pnpm": 2 * len(surfaces(PNPM)), "late": len(surfaces(LATE))}
    assert memory_tokens(office(), Scorer(Embedded()), Job()) == expected


def test_positions_are_characters_where_the_engine_does_not_count() -> None:
    place = token_positions(office(), Scorer(FormulaEngine()), Job())
    texts = [response_text(office(), message) for message in range(len(office().messages))]
    assert place.unit == "characters"
    assert place.total == sum(map(len, texts[1:]))  # the system prompt does not count
    assert place.ends == {
        "tabs": 0,
        "pnpm": len(texts[1]) + len(texts[2]) + len(PNPM),
        "late": sum(map(len, texts[1:8])),
    }


def test_positions_are_the_engines_tokens_where_it_counts() -> None:
    place = token_positions(office(), Scorer(Counting()), Job())
    words = [len(response_text(office(), message).split()) for message in range(len(office().messages))]
    assert place.unit == "tokens"
    assert place.total == sum(words[1:])
    assert place.ends == {"tabs": 0, "pnpm": words[1] + words[2] + 4, "late": sum(words[1:8])}


def test_a_memory_inside_a_message_ends_where_its_text_does() -> None:
    found = talk(
        user("Before.", Memory("m", "Inside."), Text("Behind.")), assistant("Yes.", ToolCall("1", "run", "{}"))
    )
    place = token_positions(found, Scorer(FormulaEngine()), Job())
    assert place.ends == {"m": len("Before.\nInside.\n")}
    assert place.total == sum(len(response_text(found, message)) for message in (0, 1))


@given(conversations)
def test_positions_grow_with_the_conversation_and_stay_in_it(found: Conversation) -> None:
    place = token_positions(found, Scorer(FormulaEngine()), Job())
    ends = [place.ends[memory.key] for memory in found.memories]
    assert ends == sorted(ends)
    assert all(0 <= end <= place.total for end in ends)


@pytest.mark.parametrize("role", ["system", "user"])
def test_a_memory_in_the_opening_system_messages_is_at_the_beginning(role: str) -> None:
    found = talk(Message("system", (Text("Help."),)), Message(role, (Memory("m", "abc"),)), user("Now."))
    assert token_positions(found, Scorer(FormulaEngine()), Job()).ends == {"m": 0 if role == "system" else 3}
