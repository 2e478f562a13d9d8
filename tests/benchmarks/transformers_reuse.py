"""What reading a shared beginning once saves: leave-one-out in one pass against a scoring from the beginning each.

    python tests/benchmarks/transformers_reuse.py [rounds]

A random Llama of 20 million weights on the CPU, 12 memories and about 800 tokens: once all memories in front, once one
before each exchange. Each round scores the same ablations both ways, one after the other; ratios are of medians, of CPU
seconds on one thread. The bound on the tokens is L + sum(L - p_n - c_n), L the conversation's and c_n those of a memory
at p_n.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text
from memscope.conversation.render import Renderer
from memscope.engines.registry import EngineOptions
from memscope.engines.transformers import ENGINE
from memscope.engines.transformers.engine import TransformersEngine
from tests.engines.transformers.models import make

MEMORIES = 12
SIZE = {
    "hidden_size": 768,
    "head_dim": 64,
    "num_attention_heads": 12,
    "num_hidden_layers": 3,
    "intermediate_size": 2048,
}


def conversation(*, in_front: bool) -> Conversation:
    notes = [Message("user", (Memory(f"m{n}", f"Note number {n}: install packages {n}."),)) for n in range(MEMORIES)]
    said = [
        (
            Message("user", (Text(f"Exchange {n}: what about packages and green tea?"),)),
            Message("assistant", (Text(f"I will have a look at number {n}, and install packages with pnpm."),)),
        )
        for n in range(MEMORIES)
    ]
    if in_front:
        return Conversation((*notes, *(message for exchange in said for message in exchange)))
    return Conversation(tuple(m for note, exchange in zip(notes, said, strict=True) for m in (note, *exchange)))


Way = Callable[[TransformersEngine, Conversation, Sequence[Ablation]], Mapping[Ablation, object]]


def in_one_pass(
    engine: TransformersEngine, talk: Conversation, ablations: Sequence[Ablation]
) -> dict[Ablation, object]:
    return dict(engine.columns(talk, ablations, Job()))


def from_scratch(
    engine: TransformersEngine, talk: Conversation, ablations: Sequence[Ablation]
) -> dict[Ablation, object]:
    renderer = Renderer(talk)
    return {ablation: engine.score(renderer.prompt(ablation), Job()) for ablation in ablations}


def run(
    way: Way, engine: TransformersEngine, talk: Conversation, ablations: Sequence[Ablation]
) -> tuple[float, int, list[float]]:
    """Seconds, tokens, and the totals of all ablations in their order."""
    began, before = time.process_time(), engine.forwarded
    landed = way(engine, talk, ablations)
    took, tokens = time.process_time() - began, engine.forwarded - before
    totals = []
    for ablation in ablations:
        scores = landed[ablation]
        assert isinstance(scores, list), scores
        totals += [score.total for score in scores]
    return took, tokens, totals


def compare(name: str, engine: TransformersEngine, talk: Conversation, rounds: int) -> None:
    ablations = [BASELINE, *(Ablation.of(memory.key) for memory in talk.memories)]
    run(in_one_pass, engine, talk, ablations[:2])  # everything is loaded and laid out once
    shared: list[float] = []
    anew: list[float] = []
    for _ in range(rounds):
        took, few, mine = run(in_one_pass, engine, talk, ablations)
        shared.append(took)
        took, many, its = run(from_scratch, engine, talk, ablations)
        anew.append(took)
        apart = max(abs(a - b) for a, b in zip(mine, its, strict=True))
    a, b = statistics.median(shared), statistics.median(anew)
    print(f"{name}: {few:,} tokens instead of {many:,} (x{many / few:.2f}),", end=" ")
    print(f"{a:.2f} s instead of {b:.2f} s (x{b / a:.2f}), at most {apart:.1e} nats apart")


def main() -> None:
    import torch

    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), "llama", initializer_range=0.05, **SIZE)
        engine = ENGINE.build(EngineOptions(model=folder, device="cpu"))
        assert isinstance(engine, TransformersEngine)
        compare("memories in front   ", engine, conversation(in_front=True), rounds)
        compare("memories interleaved", engine, conversation(in_front=False), rounds)
        engine.close()


if __name__ == "__main__":
    main()
