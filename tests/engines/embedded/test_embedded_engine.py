"""The engine as a whole: hostile text, remembering, stopping, and whether it finds the memory that was used."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.errors import Cancelled
from memscope.base.job import Job, Progress
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall, ToolResult
from memscope.conversation.render import Prompt, render, response_text
from memscope.engines.embedded.counts import Ints
from memscope.engines.embedded.engine import Embedded
from memscope.engines.embedded.ladder import Ladder
from memscope.engines.embedded.vocabulary import fold
from memscope.engines.protocol import Failure

any_text = st.text(st.characters(exclude_categories=()), max_size=60)


def user(text: str) -> Message:
    return Message("user", (Text(text),))


def assistant(text: str) -> Message:
    return Message("assistant", (Text(text),))


def memory(key: str, text: str) -> Message:
    return Message("user", (Memory(key, text),))


def effects(engine: Embedded, conversation: Conversation) -> dict[str, list[float]]:
    """score(everything) - score(without), in nats, per memory and response."""
    asked = [BASELINE, *(Ablation.of(entry.key) for entry in conversation.memories)]
    found = {}
    for ablation, scores in engine.columns(conversation, asked, Job()):
        assert not isinstance(scores, Failure)
        found[ablation] = np.array([s.total for s in scores])
    return {entry.key: (found[BASELINE] - found[Ablation.of(entry.key)]).tolist() for entry in conversation.memories}


@pytest.mark.parametrize(
    "text",
    [
        "Ж" * 300,
        base64.b64encode(bytes(range(256)) * 4).decode(),
        "你好世界" * 50,
        "",
        "\n\n",
        "\0\ud800\udfff\U0010ffff",
        "e" + "\u0301" * 100,
        '{"a": "\\u00e9\\',
    ],
)
def test_finite_whatever_the_text(text: str) -> None:
    conversation = Conversation(
        (
            Message("system", (Text(text), Memory("m", text))),
            user(""),
            Message("assistant", (Text(text), ToolCall("1", text, text))),
            Message("tool", (ToolResult("1", text), Memory("n", text))),
            assistant(text),
        )
    )
    check_scores(conversation)
    for values in effects(Embedded(), conversation).values():
        assert np.isfinite(values).all()


@settings(max_examples=60)
@given(any_text, any_text, any_text)
def test_scores_are_finite_and_never_above_zero(question: str, remembered: str, answer: str) -> None:
    check_scores(Conversation((user(question), memory("m", remembered), assistant(answer), assistant(question))))


def check_scores(conversation: Conversation) -> None:
    scores = Embedded().score(render(conversation), Job())
    assert len(scores) == len(conversation.responses)
    for score, message in zip(scores, conversation.responses, strict=True):
        assert score.tokens is not None
        assert score.count == len(score.tokens.logprobs) == len(score.tokens.starts) == len(score.tokens.ends)
        assert np.isfinite(score.tokens.logprobs).all()
        assert (score.tokens.logprobs <= 0).all()
        assert score.total == pytest.approx(score.tokens.logprobs.sum(), abs=1e-9)
        assert (score.tokens.starts[1:] >= score.tokens.ends[:-1]).all()
        assert (score.tokens.ends <= len(response_text(conversation, message))).all()


def test_a_large_tool_result() -> None:
    conversation = Conversation(
        (
            memory("m", "The key is zorvix."),
            Message("tool", (ToolResult("1", "line of text 1\n" * 60_000),)),
            assistant("zorvix"),
        )
    )
    assert effects(Embedded(), conversation)["m"][0] > 5


def test_tokens_point_into_the_text_that_is_shown() -> None:
    call = ToolCall("1", "write_file", '{"path": "a.py", "text": "def f():\\n    return \\"zorvix\\""}')
    conversation = Conversation(
        (
            memory("m", 'def f():\n    return "zorvix"'),
            Message("assistant", (Text("Writing."), Memory("n", "Two\nlines."), Text("Now."), call)),
        )
    )
    text = response_text(conversation, 1)
    (score,) = Embedded().score(render(conversation), Job())
    assert score.tokens is not None
    found = [fold(text[s:e]) for s, e in zip(score.tokens.starts, score.tokens.ends, strict=True)]
    assert found[:9] == ["writing", ".", "two", "lines", ".", "now", ".", "<", "tool"]
    assert "zorvix" in found
    (bare,) = Embedded().score(render(conversation, Ablation.of("m")), Job())
    assert bare.tokens is not None
    gain = dict(zip(found, score.tokens.logprobs - bare.tokens.logprobs, strict=True))
    assert gain["zorvix"] > 8  # code in a call is the same words as the code in the memory
    assert gain["return"] > 1


def test_no_responses() -> None:
    conversation = Conversation((memory("m", "x"), user("y")))
    assert Embedded().score(render(conversation), Job()) == []
    assert list(Embedded().columns(conversation, [BASELINE], Job())) == [(BASELINE, [])]
    assert list(Embedded().columns(conversation, [], Job())) == []
    assert Embedded().score(Prompt(()), Job()) == []


def test_one_more_response_computes_its_own_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    original = Ladder.chunks

    def counted(self: Ladder, responses: Ints):  # type: ignore[no-untyped-def]
        asked.append(responses.tolist())
        return original(self, responses)

    monkeypatch.setattr(Ladder, "chunks", counted)
    before = Conversation((memory("a", "Ada owns Quendor."), user("Who?"), assistant("Ada."), assistant("Quendor.")))
    # The new turn brings a memory of its own: one more column, which the old responses have already as the baseline.
    after = before.with_messages((*before.messages, memory("b", "Bob owns Zembla."), assistant("Zembla and Quendor.")))
    engine = Embedded()
    effects(engine, before)
    effects(engine, before)
    assert effects(engine, after) == effects(Embedded(), after)
    assert asked == [[0, 1], [2], [0, 1, 2]]

    asked.clear()
    engine.score(render(before), Job())
    engine.score(render(after), Job())
    assert asked == [[0, 1], [2]]

    changed = replace(after.messages[3], parts=(Text("Zembla."),))
    effects(engine, after.with_messages((*after.messages[:3], changed, *after.messages[4:])))
    assert asked[-1] == [1, 2]


def test_stops_when_asked() -> None:
    conversation = Conversation((memory("m", "x"), *(assistant("y z") for _ in range(3))))
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        Embedded().score(render(conversation), job)
    with pytest.raises(Cancelled):
        list(Embedded().columns(conversation, [BASELINE], job))


def test_stops_between_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memscope.engines.embedded.ladder._CELLS", 1)
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        job.cancel()

    job = Job(stop)
    conversation = Conversation((memory("m", "x"), *(assistant("y") for _ in range(4))))
    with pytest.raises(Cancelled):
        list(Embedded().columns(conversation, [BASELINE], job))
    assert seen == [Progress(1, 4, "responses", "scoring")]


def test_progress_ends_at_the_total() -> None:
    seen: list[Progress] = []
    conversation = Conversation((memory("m", "x"), *(assistant("y") for _ in range(4))))
    list(Embedded().columns(conversation, [BASELINE, Ablation.of("m")], Job(seen.append)))
    assert seen[-1].done == seen[-1].total == 4


def test_threads_get_the_same_numbers() -> None:
    engine = Embedded()
    conversations = [
        Conversation((memory("m", f"word{n} x{n} y{n}"), user(f"z{n}"), assistant(f"x{n} y{n} z{n} word{n}")))
        for n in range(40)
    ]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda c: effects(engine, c), conversations))
    assert found == [effects(Embedded(), c) for c in conversations]


MEMORIES = {
    "tea": "Before lunch the gardener drinks smoky black tea from a chipped enamel mug, never coffee.",
    "boat": "The ferry to Marrowick leaves from pier nine at twenty past six, except on holidays.",
    "cat": "My neighbour's cat is called Ottoline and is afraid of the postman.",
    "bike": "The blue bicycle needs a new rear derailleur cable before the trip to the coast.",
    "bread": "Rye bread should rest overnight wrapped in linen so that the crumb can settle.",
    "code": "Deployments of the billing service go through the canary cluster called Vantrell first.",
    "music": "Her cello teacher, Professor Imbrecht, insists on scales in thirds every morning.",
    "paint": "The hallway was painted in a colour called weathered slate by the previous tenants.",
    "stars": "On clear nights the club meets behind the observatory with two refractor telescopes.",
    "visa": "The consulate asks for bank statements of the last three months with an official stamp.",
}
USES = [  # response, the memories it uses
    ("Take the ferry that leaves from pier nine at twenty past six, except on holidays.", {"boat"}),
    ("I would ask Professor Imbrecht about that.", {"music"}),
    ("You can rest assured that this is a good idea, and it is easy to do.", set()),
    ("Wrapped in linen overnight, rye bread can rest, and the crumb should settle.", {"bread"}),
    ("Make sure that it goes to Vantrell before anything else.", {"code"}),
    ("The previous tenants painted the hallway, a colour called weathered slate.", {"paint"}),
    ("Yes, of course. Let me know what you think and when you have time for it.", set()),
    ("Ottoline may hide when somebody rings.", {"cat"}),
    ("The blue bicycle: order a rear derailleur cable before the coast trip.", {"bike"}),
    ("Bring bank statements of the last three months with an official stamp.", {"visa"}),
    ("Nothing was said about it, so I am not sure.", set()),
    ("Smoky black tea from the chipped enamel mug would please the gardener.", {"tea"}),
    ("Behind the observatory, on clear nights, there are two refractor telescopes.", {"stars"}),
]


def test_finds_the_memory_that_was_used() -> None:
    said = [message for text, _ in USES for message in (user("And what about this one?"), assistant(text))]
    found = effects(Embedded(), Conversation((*(memory(k, t) for k, t in MEMORIES.items()), *said)))
    used, unused = [], []
    for j, (_, truth) in enumerate(USES):
        values = {key: row[j] for key, row in found.items()}
        if truth:
            assert max(values, key=values.__getitem__) in truth
        used += [v for k, v in values.items() if k in truth]
        unused += [v for k, v in values.items() if k not in truth]
    assert min(used) > 8
    assert max(unused) < 4
    assert np.mean(np.maximum(unused, 0)) < 0.3


def test_meaning_without_shared_words_is_not_seen() -> None:
    found = effects(Embedded(), Conversation((memory("m", "She is vegetarian."), assistant("Chickpea curry, then."))))
    assert abs(found["m"][0]) < 1
