"""Taking a memory's counts away is the same as scoring without it, to the token."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Part, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.render import Piece, Prompt, Turn, render
from memscope.engines.embedded import ladder as ladders
from memscope.engines.embedded.document import read
from memscope.engines.embedded.engine import Embedded
from memscope.engines.embedded.ladder import Ladder
from memscope.engines.embedded.prior import Prior
from memscope.engines.embedded.tokens import cut
from memscope.engines.embedded.vocabulary import Vocabulary
from memscope.engines.protocol import Engine, Failure, OnePassEngine, ResponseScore

PRIOR = Prior(["the", "a", "is", "of", ".", "1", "house"])
KEYS = ("k0", "k1", "k2", "k3")

# Few words, so that they meet again in other places; several lines; signs, escapes and words of other scripts.
words = st.sampled_from(
    ["the", "The", "a", "is", "key", "Zorvix", "1", ".", "\n", "\n", "你好", "мир", '"', "\\n", "{"]
)
texts = st.lists(words, max_size=8).map(" ".join)
memories = st.builds(Memory, st.sampled_from(KEYS), texts)
calls = st.builds(ToolCall, st.just("c"), st.sampled_from(["the", "key"]), texts)


def messages(role: str, *parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Message]:
    return st.builds(Message, st.just(role), st.lists(st.one_of(*parts), max_size=4).map(tuple))


said = st.builds(Text, texts)
conversations = st.lists(
    st.one_of(
        messages("system", said, memories),
        messages("user", said, memories),
        messages("assistant", said, memories, calls, st.builds(Thinking, texts)),
        messages("tool", st.builds(ToolResult, st.just("c"), texts), memories),
        st.builds(Message, st.sampled_from(["system", "user", "assistant", "developer"]), memories.map(lambda m: (m,))),
    ),
    max_size=9,
).map(lambda found: Conversation(tuple(found), tools=('{"name": "key", "description": "the house"}',)))
ablations = st.lists(
    st.builds(Ablation, st.frozensets(st.sampled_from((*KEYS, "absent"))), st.integers(0, 1)), max_size=6, unique=True
)


def totals(
    engine: Embedded, conversation: Conversation, asked: Sequence[Ablation]
) -> dict[Ablation, list[ResponseScore]]:
    found = {}
    for ablation, scores in engine.columns(conversation, asked, Job()):
        assert not isinstance(scores, Failure)
        assert ablation not in found
        found[ablation] = scores
    assert set(found) == set(asked)
    return found


def heat(conversation: Conversation, asked: Sequence[Ablation]) -> list[list[NDArray[np.float64]]]:
    """Per ablation and response the log p of each token that the ablation leaves, from the one pass."""
    vocabulary = Vocabulary(PRIOR)
    document = read(render(conversation), lambda text, escaped: cut(text, vocabulary, escaped=escaped), Job())
    removes = np.array([[key in a.removed for a in asked] for key in document.keys], np.bool_)
    ladder = Ladder(document, vocabulary.priors(), removes.reshape(len(document.keys), len(asked)))
    found = [[np.empty(0)] * len(document.bounds) for _ in asked]
    for chunk in ladder.chunks(np.arange(len(document.bounds))):
        for j, rows in chunk.by_response():
            for a in range(len(asked)):
                kept = chunk.logs[rows, a][chunk.scored[rows, a]]
                found[a][j] = np.concatenate((found[a][j], kept))
    return found


@pytest.mark.parametrize("cells", [1, 1 << 17])
@settings(max_examples=150)
@given(conversation=conversations, asked=ablations)
def test_additive_equals_recomputed(cells: int, conversation: Conversation, asked: list[Ablation]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladders, "_CELLS", cells)  # 1: a chunk for each token
        one_pass, per_token = totals(Embedded(PRIOR), conversation, asked), heat(conversation, asked)
    for ablation, tokens in zip(asked, per_token, strict=True):
        recomputed = Embedded(PRIOR).score(render(conversation, ablation), Job())
        assert len(recomputed) == len(conversation.responses)
        for ours, theirs, logs in zip(one_pass[ablation], recomputed, tokens, strict=True):
            assert theirs.tokens is not None
            assert ours.count == theirs.count == len(logs)
            assert ours.total == pytest.approx(theirs.total, abs=1e-9)
            np.testing.assert_allclose(logs, theirs.tokens.logprobs, rtol=0, atol=1e-9)


@settings(max_examples=60)
@given(conversations, ablations, st.randoms())
def test_neither_order_nor_company_of_ablations_matters(conversation, asked, random) -> None:  # type: ignore[no-untyped-def]
    expected = totals(Embedded(PRIOR), conversation, asked)
    shuffled = random.sample(asked, len(asked))
    assert totals(Embedded(PRIOR), conversation, shuffled) == expected
    for ablation in asked:
        assert totals(Embedded(PRIOR), conversation, [ablation])[ablation] == expected[ablation]


@settings(max_examples=60)
@given(conversations, ablations)
def test_what_is_remembered_changes_no_number(conversation: Conversation, asked: list[Ablation]) -> None:
    engine = Embedded(PRIOR)
    for end in range(len(conversation.messages) + 1):
        grown = conversation.with_messages(conversation.messages[:end])
        assert totals(engine, grown, asked) == totals(Embedded(PRIOR), grown, asked)
        for ours, fresh in zip(
            engine.score(render(grown), Job()), Embedded(PRIOR).score(render(grown), Job()), strict=True
        ):
            assert ours.total == fresh.total


@settings(max_examples=80)
@given(conversations, texts)
def test_probabilities_of_all_next_words_sum_to_one(conversation: Conversation, beginning: str) -> None:
    """Seen words one by one; all others have the same escape in front of their p_0."""
    engine = Embedded(PRIOR)
    prompt = render(conversation)
    vocabulary = Vocabulary(PRIOR)
    unseen = "qqqq"

    def p(word: str) -> float:
        text = f"{beginning} {word}"
        asked = Prompt((*prompt.turns, Turn("assistant", (Piece(text),))), prompt.tools)
        tokens = engine.score(asked, Job())[-1].tokens
        assert tokens is not None
        escaped = beginning.lstrip()[:1] in ("{", '"')
        return exp(tokens.logprobs[-1] - cut(text, vocabulary, escaped=escaped).form[-1])

    seen = [
        "the",
        "a",
        "is",
        "key",
        "zorvix",
        "1",
        ".",
        "你",
        "好",
        "мир",
        '"',
        "\\",
        "{",
        "}",
        ":",
        ",",
        "<",
        ">",
        "/",
    ]
    seen += ["tool", "_", "call", "name", "arguments", "description", "house", "n", "think"]
    listed = [exp(PRIOR.log_probability(word)) for word in seen]
    escape = p(unseen) / exp(PRIOR.log_probability(unseen))
    assert fsum([*map(p, seen), escape * (1 - fsum(listed))]) == pytest.approx(1, abs=1e-12)


def test_memories_at_every_kind_of_place() -> None:
    """One message of each kind in which a memory can be removed, the same key in several of them."""
    conversation = Conversation(
        (
            Message("system", (Text("You help."), Memory("a", "Ada likes teal."), Memory("b", "Bob owns Quendor."))),
            Message("user", (Memory("c", "Quendor is in Zembla."),)),
            Message("user", (Text("Where is Quendor?"),)),
            Message("assistant", (Text("Quendor is in Zembla."), ToolCall("1", "look", '{"at": "Quendor"}'))),
            Message("tool", (ToolResult("1", ""), Memory("a", "Ada likes teal. Quendor is old."))),
            Message("assistant", (Text("Ada likes teal."), Memory("b", "Bob owns Quendor."))),
            Message("user", (Text("More?"), Memory("d", "Quendor is old."))),
            Message("assistant", (Text("Quendor is old. Bob owns Quendor."),)),
        )
    )
    asked = [BASELINE, AGAIN, *map(Ablation.of, "abcd"), Ablation.of("a", "c"), Ablation.of(*"abcd")]
    found = totals(Embedded(), conversation, asked)
    for ablation in asked:
        recomputed = Embedded().score(render(conversation, ablation), Job())
        assert [s.total for s in found[ablation]] == pytest.approx([s.total for s in recomputed], abs=1e-9)
    assert found[BASELINE] == found[AGAIN]
    assert [s.total for s in found[Ablation.of("d")]][:2] == [s.total for s in found[BASELINE]][:2]
    assert found[BASELINE][0].total > found[Ablation.of("c")][0].total


def test_many_ablations_go_in_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(
        (
            *(Message("user", (Memory(f"m{n}", f"Fact {n} is about Quendor{n}."),)) for n in range(6)),
            Message("assistant", (Text("Quendor3 and Quendor4."),)),
        )
    )
    asked = [Ablation.of(f"m{i}", f"m{j}") for i in range(6) for j in range(i)]
    expected = totals(Embedded(), conversation, asked)
    monkeypatch.setattr("memscope.engines.embedded.engine._MOST_COLUMNS", 4)
    assert totals(Embedded(), conversation, asked) == expected


def test_is_an_engine() -> None:
    engine = Embedded()
    assert isinstance(engine, Engine)
    assert isinstance(engine, OnePassEngine)
    assert engine.identity.name == "embedded"
    assert engine.identity.model != Embedded(PRIOR).identity.model  # another word list, other numbers
    assert engine.capabilities.label == "embedded (lexical)"
    assert engine.capabilities.tokens


def test_the_formula_by_hand() -> None:
    """Two words, one rung that has seen something: p_1 of a word said once among two by a user."""
    engine = Embedded(PRIOR)
    prompt = Prompt((Turn("user", (Piece("zorvix key"),)), Turn("assistant", (Piece("zorvix"),))))
    p0 = exp(PRIOR.log_probability("zorvix"))
    form = cut("zorvix", Vocabulary(PRIOR), escaped=False).form[0]
    (score,) = engine.score(prompt, Job())
    assert score.total == pytest.approx(log((1 + 1000 * p0) / (2 + 1000)) + form, abs=1e-12)
    assert score.count == 1


def test_memories_in_one_flat_text_give_the_same_numbers_as_marked_ones() -> None:
    facts = ("Ada likes teal.", "Bob owns Quendor.", "Quendor is old.")
    marked = Message("system", (Text("You help."), *(Memory(str(n), fact) for n, fact in enumerate(facts))))
    flat = Message("system", (Text("\n".join(("You help.", *facts))),))
    answer = Message("assistant", (Text("Bob owns Quendor, which is old."),))
    expected, found = (Embedded().score(render(Conversation((m, answer))), Job())[0] for m in (flat, marked))
    assert found.total == expected.total
