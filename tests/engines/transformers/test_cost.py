"""What leave-one-out costs: token-forwards, and logits held at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from memscope.attribution.columns import columns
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation, Message, Text
from memscope.conversation.render import render
from memscope.engines.protocol import Failure
from memscope.engines.transformers.engine import TransformersEngine
from tests.engines.transformers.models import KINDS, front, inside, interleaved, several
from tests.fakes import without

pytestmark = pytest.mark.hf
MOST_LOGITS, MOST_TOKENS = 2**25, 2_048  # of one forward pass
CONVERSATIONS = {
    "front": lambda: front(memories=8, exchanges=4),
    "interleaved": lambda: interleaved(8),
    "inside": inside,
    "several": several,
}

Engines = Callable[..., TransformersEngine]


def lands(engine: TransformersEngine, conversation: Conversation, *ablations: Ablation, job: Job | None = None) -> None:
    landed = list(columns(engine, conversation, ablations, job or Job()))
    assert {ablation for ablation, _ in landed} == set(ablations)
    assert not [result for _, result in landed if isinstance(result, Failure)]


def length(engine: TransformersEngine, conversation: Conversation) -> int:
    """Tokens up to the end of the last response."""
    return len(engine.layout(render(conversation), Job()).whole)


def position(engine: TransformersEngine, conversation: Conversation, key: str) -> int:
    """How many tokens stand before a memory first occurs; before its message, where that is a memory as a whole."""
    tokenizer = engine.model._words()
    text = tokenizer.decode(engine.layout(render(conversation), Job()).whole)
    memory = next(memory for memory in conversation.memories if memory.key == key)
    at = text.index(memory.texts[0])
    if conversation.messages[memory.first].is_memory:
        at = text.rindex("<|im_start|>", 0, at)
    return len(tokenizer(text[:at], add_special_tokens=False).input_ids)


@pytest.mark.parametrize("layout", CONVERSATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_memory_costs_the_tokens_behind_it(kind: str, layout: str, engine: Engines) -> None:
    model, conversation = engine(kind), CONVERSATIONS[layout]()
    whole = length(model, conversation)
    bound = whole
    for memory in conversation.memories:
        taken = whole - length(model, conversation.with_messages(left_out(conversation, memory.key)))
        bound += whole - position(model, conversation, memory.key) - taken

    lands(model, conversation, BASELINE, *(without(memory.key) for memory in conversation.memories))

    assert 0.5 * bound < model.forwarded <= 1.02 * bound


def left_out(conversation: Conversation, key: str) -> list[Message]:
    """The messages without a memory, made without the renderer's help."""
    found = []
    for message in conversation.messages:
        parts = tuple(part for part in message.parts if getattr(part, "key", None) != key)
        if parts:
            found.append(Message(message.role, parts))
    return found


def test_a_repeat_is_read_from_its_beginning(engine: Engines) -> None:
    model, conversation = engine(), interleaved(3)
    lands(model, conversation, BASELINE, AGAIN)
    assert model.forwarded == 2 * (length(model, conversation) - 1)


def test_what_is_not_asked_is_not_read(engine: Engines) -> None:
    model, conversation = engine(), interleaved(6)
    lands(model, conversation, without("m2"))
    assert model.forwarded < length(model, conversation)  # nothing of the baseline but what both begin with
    before = model.forwarded
    lands(model, conversation, without("m4"), without("m5"))
    assert model.forwarded - before < 1.5 * length(model, conversation)


@dataclass
class Seen:
    """What went through a model's head, one entry a forward pass: rows, and logits; and the tokens of each pass."""

    rows: list[int] = field(default_factory=list)
    logits: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)


@contextmanager
def watched(engine: TransformersEngine) -> Iterator[Seen]:
    seen = Seen()
    model = engine.model.weights()._model

    def head(_module: Any, _inputs: Any, output: Any) -> None:
        seen.rows.append(output.shape[-2])
        seen.logits.append(output.numel())

    def embedding(_module: Any, inputs: Any, _output: Any) -> None:
        seen.tokens.append(inputs[0].numel())

    handles = [
        model.get_output_embeddings().register_forward_hook(head),
        model.get_input_embeddings().register_forward_hook(embedding),
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def test_logits_are_made_where_a_response_stands_and_never_many_at_a_time(
    engine: Engines, folder: Callable[..., Path]
) -> None:
    """A vocabulary of 150,000 and 8,000 tokens: all logits at once would be 4.8 GB."""
    vocabulary = 150_000
    small = {"hidden_size": 8, "head_dim": 4, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8}
    path = folder("llama", vocab_size=vocabulary, max_position_embeddings=16_384, **small)
    model = engine(path)
    text = "I will have a look at the project, and install packages with pnpm. " * 60
    conversation = Conversation(
        (*interleaved(1).messages, Message("user", (Text(text * 8),)), Message("assistant", (Text(text),)))
    )
    laid = model.layout(render(conversation), Job())
    responses = sum(end - start for start, end in laid.spans)
    assert len(laid.whole) > 8_000
    assert responses > 4 * MOST_LOGITS // vocabulary  # too many for one pass

    with watched(model) as seen:
        lands(model, conversation, BASELINE, without("m0"))

    assert max(seen.logits) <= MOST_LOGITS
    assert sum(seen.rows) <= 2 * responses + len(seen.rows)  # the passes without a response make one row each
    assert max(seen.tokens) <= MOST_TOKENS
    assert sum(seen.tokens) == model.forwarded


class Impatient(Job):
    """A job that is cancelled at its n-th check."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self._left = checks

    def check(self) -> None:
        self._left -= 1
        if not self._left:
            self.cancel()
        super().check()


@pytest.mark.parametrize("checks", [1, 6, 12])
def test_a_cancelled_run_stops_between_two_passes(engine: Engines, checks: int) -> None:
    model, conversation = engine(), front(memories=4, exchanges=40)
    with pytest.raises(Cancelled):
        lands(model, conversation, BASELINE, without("m1"), without("m2"), job=Impatient(checks))
    stopped = model.forwarded
    assert stopped < length(model, conversation) * 1.5

    lands(model, conversation, BASELINE, without("m1"))  # and it can be gone on with
    assert model.forwarded > stopped


def test_a_cancelled_scoring_stops_between_two_passes(engine: Engines) -> None:
    model, conversation = engine(), front(memories=1, exchanges=40)
    length(model, conversation)
    with pytest.raises(Cancelled):
        model.score(render(conversation), Impatient(3))
    assert 0 < model.forwarded < length(model, conversation) - 1
