"""One model seen in several ways gives one matrix: in this process, and behind the protocols of other servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from memscope.actions.engine import open_scorer
from memscope.actions.score import score_matrix
from memscope.attribution.matrix import Matrix, State
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from tests.engines.transformers.models import CONVERSATIONS, several
from tests.engines.transformers.servers import PROTOCOLS, Plain, serving

pytestmark = pytest.mark.hf
TOLERANCE = 1e-4  # nats

SERVED = {
    "vllm": "vllm",
    "sglang": "sglang",
    "score-api": "score-api",
    "score-api-ranges": "score-api",
}
"""The engine that each protocol is for."""


def matrix(conversation: Conversation, settings: Settings) -> Matrix:
    scorer = open_scorer(settings)
    try:
        run, _ = score_matrix(conversation, scorer, Job())
        return run.snapshot()
    finally:
        scorer.close()


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
@pytest.mark.parametrize("layout", CONVERSATIONS)
def test_every_way_gives_the_same_matrix(layout: str, kind: str, folder: Callable[..., Path]) -> None:
    conversation, plain = CONVERSATIONS[layout](), Plain(folder(kind))
    here = matrix(conversation, Settings(engine="transformers", model=str(folder(kind)), device="cpu", store=False))
    assert not here.errors
    assert not here.cell_errors
    assert np.nanmax(np.abs(here.effects)) > 0.1

    for protocol, engine in SERVED.items():
        with serving(protocol, plain) as server:
            there = matrix(conversation, Settings(engine=engine, base_url=server.url, store=False))
            assert server.log("/generate" if protocol == "sglang" else "/completions" if engine == "vllm" else "/score")
        for mine, its in (
            (here.effects, there.effects),
            (here.baseline, there.baseline),
            (here.again, there.again),
            (here.stripped, there.stripped),
            (here.stray, there.stray),
        ):
            assert its == pytest.approx(mine, abs=TOLERANCE, nan_ok=True), protocol
        assert there.state.tolist() == here.state.tolist(), protocol
        if engine != "score-api":
            assert there.tokens.tolist() == here.tokens.tolist(), protocol
    assert set(here.state.ravel()) <= {State.OK, State.BEFORE}


@pytest.mark.parametrize("protocol", ["vllm", "sglang"])
def test_tokens_stand_and_weigh_the_same_behind_a_server(protocol: str, folder: Callable[..., Path]) -> None:
    from memscope.conversation.render import render

    conversation = several()
    prompt = render(conversation)
    here = open_scorer(Settings(engine="transformers", model=str(folder("qwen3")), device="cpu", store=False))
    with serving(protocol, folder("qwen3")) as server:
        there = open_scorer(Settings(engine=protocol, base_url=server.url, store=False))
        for mine, its in zip(here.engine.score(prompt, Job()), there.engine.score(prompt, Job()), strict=True):
            assert mine.tokens is not None
            assert its.tokens is not None
            assert its.marks == mine.marks
            assert its.tokens.starts.tolist() == mine.tokens.starts.tolist()
            assert its.tokens.ends.tolist() == mine.tokens.ends.tolist()
            assert its.tokens.logprobs == pytest.approx(mine.tokens.logprobs, abs=TOLERANCE)
        there.close()
    here.close()


def test_every_protocol_that_is_spoken_here_is_compared() -> None:
    assert SERVED.keys() <= PROTOCOLS.keys()
