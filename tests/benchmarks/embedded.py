"""Prints what the engine `embedded` shows: exactness, quality, cost. Run by hand; judges nothing.

    python tests/benchmarks/embedded.py [DATA]

DATA is the folder that holds planted/ and memory-qa/ (by default ../shared/data beside the repository); what is missing
there is left out.
"""

from __future__ import annotations

import json
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, fsum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Part, Text
from memscope.conversation.render import Piece, Prompt, Turn, render
from memscope.engines.embedded.document import read
from memscope.engines.embedded.engine import Embedded
from memscope.engines.embedded.ladder import Ladder
from memscope.engines.embedded.prior import Prior, english
from memscope.engines.embedded.tokens import cut, surfaces
from memscope.engines.embedded.vocabulary import Vocabulary, fold
from memscope.engines.protocol import Failure

REPOSITORY = Path(__file__).resolve().parents[2]


def main(data: Path) -> None:
    begun = time.perf_counter()
    prior = Prior(english().words)
    print(f"prior        set up in {1e3 * (time.perf_counter() - begun):.0f} ms, {len(prior.words)} words")
    planted = [load(path) for path in sorted(data.glob("planted/*.json")) if not path.name.endswith("truth.json")]
    exactness([conversation for conversation, _ in planted] or [synthetic(10, 20)])
    if planted:
        quality(planted)
    if (qa := data / "memory-qa" / "core_memory_read.jsonl").exists():
        questions(qa)
    cost(50, 100)
    cost(200, 500)


# --- exactness


def exactness(conversations: list[Conversation]) -> None:
    worst = compared = 0.0
    for conversation in conversations:
        keys = [entry.key for entry in conversation.memories]
        asked = [BASELINE, *map(Ablation.of, keys[:12]), Ablation.of(*keys[:2]), Ablation.of(*keys)]
        found = heat(conversation, asked)
        for a, ablation in enumerate(asked):
            for j, score in enumerate(Embedded().score(render(conversation, ablation), Job())):
                assert score.tokens is not None
                worst = max(worst, float(np.abs(found[j][:, a] - score.tokens.logprobs).max(initial=0.0)))
                compared += len(score.tokens.logprobs)
    print(f"exactness    additive - recomputed: at most {worst:.1e} nats per token, of {compared:.0f} tokens compared")
    print(f"             sum of p over all next words: 1 {max(map(surplus, conversations), key=abs):+.1e} at worst")


def heat(conversation: Conversation, asked: list[Ablation]) -> list[NDArray[np.float64]]:
    """For each response log p [tokens, ablations], from the one pass."""
    vocabulary = Vocabulary(english())
    document = read(render(conversation), lambda text, escaped: cut(text, vocabulary, escaped=escaped), Job())
    removes = np.array([[key in ablation.removed for ablation in asked] for key in document.keys])
    parts: list[list[NDArray[np.float64]]] = [[] for _ in document.bounds]
    for chunk in Ladder(document, vocabulary.priors(), removes).chunks(np.arange(len(document.bounds))):
        for j, rows in chunk.by_response():
            parts[j].append(chunk.logs[rows])
    return [np.concatenate([np.empty((0, len(asked))), *part]) for part in parts]


def surplus(conversation: Conversation) -> float:
    """By how much the probabilities of all words that may come next in a conversation miss 1.

    The 400 first of its words are asked for one by one, as the next word of one more response; the conversation is cut
    to these, so that all other words have in common how much of their p_0 is left to them.
    """
    prompt, vocabulary, engine = render(conversation), Vocabulary(english()), Embedded()
    every = dict.fromkeys(fold(s) for turn in prompt.turns for s in surfaces(turn.content))
    seen = [word for word in every if surfaces(f"a {word}") == ["a", word]][:400]
    turns = tuple(replace(turn, pieces=(Piece(only(turn.content, set(seen))),)) for turn in prompt.turns)
    beginning = " ".join(turns[1].content.split()[:2])  # the first memory's: every rung has something to say

    def p(word: str) -> float:
        text = f"{beginning} {word}"
        tokens = engine.score(Prompt((*turns, Turn("assistant", (Piece(text),)))), Job())[-1].tokens
        assert tokens is not None
        return exp(float(tokens.logprobs[-1] - cut(text, vocabulary, escaped=False).form[-1]))

    unseen = "qqxqqzqq"
    escape = p(unseen) / exp(english().log_probability(unseen))
    listed = fsum(exp(english().log_probability(word)) for word in seen)
    return fsum([*map(p, seen), escape * (1 - listed), -1])


def only(text: str, allowed: set[str]) -> str:
    return "\n".join(" ".join(s for s in surfaces(line) if fold(s) in allowed) for line in text.splitlines())


# --- quality


@dataclass(frozen=True)
class Use:
    """What is known about one response: how it uses which memories."""

    kind: str
    memories: tuple[str, ...]


def load(path: Path) -> tuple[Conversation, list[Use]]:
    messages = []
    for row in json.loads(path.read_text("utf-8"))["messages"]:
        text = row["content"]
        part: Part = Memory(row["memory_key"], text) if "memory_key" in row else Text(text)
        messages.append(Message(row["role"], (part,)))
    truth = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))
    return Conversation(tuple(messages)), [Use(row["kind"], tuple(row["memories"])) for row in truth]


def effects(engine: Embedded, conversation: Conversation) -> NDArray[np.float64]:
    """score(everything) - score(without n) in nats [N, M]."""
    return baseline_and_effects(engine, conversation)[1]


def baseline_and_effects(
    engine: Embedded, conversation: Conversation
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    asked = [BASELINE, *(Ablation.of(entry.key) for entry in conversation.memories)]
    totals = []
    for _, scores in engine.columns(conversation, asked, Job()):
        assert not isinstance(scores, Failure)
        totals.append([score.total for score in scores])
    table = np.array(totals)
    return table[0], table[0] - table[1:]


def quality(planted: list[tuple[Conversation, list[Use]]]) -> None:
    hits: dict[str, list[bool]] = {}
    used: list[float] = []
    unused: list[float] = []
    for conversation, truth in planted:
        table = effects(Embedded(), conversation)
        for j, (message, use) in enumerate(zip(conversation.responses, truth, strict=True)):
            if use.memories:
                strongest = conversation.memories[int(table[:, j].argmax())].key
                hits.setdefault(use.kind, []).append(strongest in use.memories)
            for n, entry in enumerate(conversation.memories):
                if entry.first < message:
                    (used if entry.key in use.memories else unused).append(float(table[n, j]))
    every = [hit for found in hits.values() for hit in found]
    by_kind = ", ".join(f"{kind} {np.mean(found):.2f}" for kind, found in sorted(hits.items()))
    below = np.sort(unused)
    auc = np.mean([np.searchsorted(below, used, side) for side in ("left", "right")]) / len(below)
    threshold = below[int(np.ceil(0.99 * len(below))) - 1]
    print(f"planted      {len(planted)} conversations, {len(used)} cells used, {len(unused)} not")
    print(f"             top-1 {np.mean(every):.3f} ({by_kind}; {len(every)} responses)")
    print(f"             ROC-AUC {auc:.3f}, TPR at 1 % FPR {np.mean(np.array(used) > threshold):.3f}")
    mean_used, mean_unused = np.maximum(used, 0).mean(), np.maximum(unused, 0).mean()
    print(f"             mean divergence {mean_used:.1f} nats used, {mean_unused:.2f} not")


def questions(path: Path) -> None:
    """Facts as memories, the question, the gold answer as the response.

    The file does not say which fact answers. "Shares the answer": the strongest memory contains it word for word.
    "Answers": it is, of those, one of the most similar to the question by words in common, a stricter stand-in.
    """
    engine, rows, finite = Embedded(), 0, 0
    shares: list[bool] = []
    answers: list[bool] = []
    by_chance: list[tuple[float, float]] = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        facts, answer, question = row["agent_args"]["extra"]["facts"], row["ground_truth"], row["input"]
        conversation = Conversation(
            (
                Message("system", tuple(Memory(f"fact-{n}", fact) for n, fact in enumerate(facts))),
                Message("user", (Text(question),)),
                Message("assistant", (Text(answer),)),
            )
        )
        scores, table = baseline_and_effects(engine, conversation)
        rows += 1
        finite += bool(np.isfinite(scores).all() and np.isfinite(table).all())
        having = np.array([f" {plain(answer)} " in f" {plain(fact)} " for fact in facts])
        common = np.array([len(set(plain(fact).split()) & set(plain(question).split())) for fact in facts]) * having
        if having.any():
            strongest = int(table[:, 0].argmax())
            right = having & (common == common.max())
            shares.append(bool(having[strongest]))
            answers.append(bool(right[strongest]))
            by_chance.append((having.mean(), right.mean()))
    chance = np.mean(by_chance, axis=0)
    print(f"memory-qa    finite on {finite} of {rows} rows; {len(shares)} answers stand word for word in a fact")
    print(f"             strongest memory shares the answer {np.mean(shares):.2f} (chance {chance[0]:.2f}),")
    print(f"             answers the question {np.mean(answers):.2f} (chance {chance[1]:.2f})")


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


# --- cost


def synthetic(memories: int, responses: int, seed: int = 1) -> Conversation:
    """About 300 characters a memory and 900 a turn: listed words by rank, a few invented names, pieces of memories."""
    rng = random.Random(seed)
    words = [word for word in english().words if word.isalpha()]
    weights = [1 / (rank + 5) for rank in range(len(words))]
    names = ["".join(rng.choices("aeioklmnrstvz", k=7)).capitalize() for _ in range(3 * memories)]

    def sentence(length: int) -> str:
        said = rng.choices(words, weights, k=length)
        if rng.random() < 0.3:
            said[rng.randrange(length)] = rng.choice(names)
        return " ".join(said).capitalize() + "."

    facts = [" ".join(sentence(16) for _ in range(4)) for _ in range(memories)]
    messages = [Message("system", (Text("You are a helpful assistant."),))]
    messages += [Message("user", (Memory(f"m{n}", fact),)) for n, fact in enumerate(facts)]
    for _ in range(responses):
        quoted = " ".join(rng.choice(facts).split()[:14])
        answer = " ".join([sentence(16), quoted, *(sentence(16) for _ in range(5))])
        messages += [
            Message("user", (Text(" ".join(sentence(14) for _ in range(4))),)),
            Message("assistant", (Text(answer),)),
        ]
    return Conversation(tuple(messages))


def cost(memories: int, responses: int) -> None:
    conversation = synthetic(memories, responses)
    size = sum(len(message.text) for message in conversation.messages)
    prompt = render(conversation)
    score = best(lambda: clock(lambda: Embedded().score(prompt, Job())))
    matrix = best(lambda: clock(lambda: effects(Embedded(), conversation)))
    # The same with the texts cut already: another first message, and nothing but the words can be remembered.
    before, after = (conversation.with_messages((said(x), *conversation.messages)) for x in ("Hello.", "Good day."))
    cut_score = best(lambda: after_warming(before, lambda engine: engine.score(render(after), Job())))
    cut_matrix = best(lambda: after_warming(before, lambda engine: effects(engine, after)))
    grown = conversation.with_messages((*conversation.messages, said("And then?"), synthetic(1, 1, 2).messages[-1]))
    append = best(lambda: appending(conversation, grown))
    peak = subprocess.run(
        [sys.executable, __file__, "--peak", str(memories), str(responses)], capture_output=True, text=True, check=True
    )
    print(f"cost         N = {memories}, M = {responses}, {size / 1000:.0f} kB: score {1e3 * score:.0f} ms, ", end="")
    print(f"matrix {1e3 * matrix:.0f} ms = {matrix / score:.1f} scores, peak memory {peak.stdout.strip()} MB")
    print(f"             texts cut already: score {1e3 * cut_score:.0f} ms, matrix {cut_matrix / cut_score:.1f} scores")
    print(f"             one response more: {1e3 * append:.0f} ms = {append / matrix:.2f} of the matrix")


def said(text: str) -> Message:
    return Message("user", (Text(text),))


def clock(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def after_warming(conversation: Conversation, work: Callable[[Embedded], object]) -> float:
    engine = Embedded()
    engine.score(render(conversation), Job())
    return clock(lambda: work(engine))


def appending(conversation: Conversation, grown: Conversation) -> float:
    engine = Embedded()
    effects(engine, conversation)
    return clock(lambda: effects(engine, grown))


def best(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(3))


def peak_megabytes() -> float:
    """Of this process. VmHWM where there is one: ru_maxrss may have been inherited from the parent."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        effects(Embedded(), synthetic(int(sys.argv[2]), int(sys.argv[3])))
        print(f"{peak_megabytes():.0f}")
    else:
        main(Path(sys.argv[1]) if sys.argv[1:] else REPOSITORY.parent / "shared" / "data")
