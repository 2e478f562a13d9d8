"""What a matrix over HTTP costs beside the bare requests: the same bodies, as many threads, one after the other.

    python tests/benchmarks/matrix_http.py [rounds]

A server of its own on the loopback takes 50 ms for an answer. Each round scores a conversation of 100 memories and 20
responses with 8, then with 32 workers into an empty store, and posts the same bodies from as many threads over one
plain `httpx.Client`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.actions.engine import open_scorer
from memscope.actions.score import score_matrix
from memscope.attribution.matrix import MatrixRun
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation, Memory, Message, Text
from memscope.conversation.render import Renderer
from memscope.engines.score_api import sent
from tests.engines.server import KEY, MODEL, Process, ScoreServer

MEMORIES, RESPONSES, LATENCY = 100, 20, 0.05


def conversation() -> Conversation:
    memories = [
        Message("user", (Memory(f"m{n}", f"Fact {n} of the project, {'word ' * 20}"),)) for n in range(MEMORIES)
    ]
    turns = [
        Message(role, (Text(f"{role} {n}: {'text ' * 60}"),))
        for n in range(RESPONSES)
        for role in ("user", "assistant")
    ]
    return Conversation((Message("system", (Text("You help."),)), *memories, *turns))


def ours(talk: Conversation, server: ScoreServer, workers: int) -> float:
    """Seconds for a matrix into an empty store, opening the engine apart."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEMSCOPE_DATA_DIR": folder, "MEMSCOPE_API_KEY": KEY}
        scorer = open_scorer(Settings(engine="score-api", base_url=server.url, model=MODEL))
        began = time.perf_counter()
        run, cost = score_matrix(talk, scorer, Job(), workers=workers)
        took = time.perf_counter() - began
        assert not run.snapshot().errors
        assert cost.scorings == MEMORIES + 3
        scorer.close()
    return took


def bare(talk: Conversation, server: ScoreServer, workers: int) -> float:
    """Seconds for posting the same bodies."""
    renderer = Renderer(talk)
    bodies = [
        json.dumps({"model": MODEL, "messages": [sent(t) for t in renderer.prompt(a).turns], "logprobs": 1}).encode()
        for a in MatrixRun(talk).plan
    ]
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    limits = httpx.Limits(max_connections=256, max_keepalive_connections=256)
    with httpx.Client(headers=headers, limits=limits) as client, ThreadPoolExecutor(workers) as pool:
        began = time.perf_counter()
        answers = list(pool.map(lambda body: client.post(f"{server.url}/score", content=body).json(), bodies))
        took = time.perf_counter() - began
    assert all(len(answer["scores"]) == RESPONSES for answer in answers)
    return took


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    process = Process()
    server = process.room(LATENCY=LATENCY)
    talk = conversation()
    for workers in (8, 32):
        times = [(ours(talk, server, workers), bare(talk, server, workers)) for _ in range(rounds)]
        for mine, plain in times:
            print(f"{workers} in flight: matrix {mine:.3f} s, bare requests {plain:.3f} s, ratio {mine / plain:.3f}")
        median = statistics.median(mine / plain for mine, plain in times)
        print(f"{workers} in flight: median ratio of {rounds}: {median:.3f}")
    process.stop()


if __name__ == "__main__":
    main()
