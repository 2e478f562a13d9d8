"""A short suite against a real server or model, named by the environment; skipped where none is.

MEMSCOPE_LIVE_ENGINE   vllm, sglang, openai-echo, llama-server, score-api, transformers or llamacpp
MEMSCOPE_LIVE_URL      the address of its API, for a server
MEMSCOPE_LIVE_MODEL    the model, where there is a choice; a folder or a file for an engine in this process
MEMSCOPE_LIVE_KEY      the key, where one is wanted

MEMSCOPE_LIVE_ENGINE=vllm MEMSCOPE_LIVE_URL=http://127.0.0.1:8000/v1 pytest -m live tests/engines/test_live.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from memscope.actions.engine import engine_options
from memscope.attribution.columns import columns
from memscope.attribution.matrix import Matrix, MatrixRun, State
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.conversation.render import render
from memscope.engines.protocol import Engine
from memscope.engines.registry import engine_spec
from memscope.engines.validity import problem
from tests.fakes import assistant, memory, talk, user

# Before any test runs: a test sees nothing of what stands in the environment.
ENGINE, URL, MODEL, KEY = (os.environ.get(f"MEMSCOPE_LIVE_{name}", "") for name in ("ENGINE", "URL", "MODEL", "KEY"))

pytestmark = [pytest.mark.live, pytest.mark.skipif(not ENGINE, reason="MEMSCOPE_LIVE_ENGINE names no engine")]

LOUD = 0.5  # nats a response, between two scorings of the same: half precision, batches of other requests


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(engine=ENGINE, base_url=URL, model=MODEL, fold="memories")


@pytest.fixture
def engine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    if KEY:
        monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    made = engine_spec(ENGINE).build(engine_options(settings))
    yield made
    made.close()


def conversation() -> Conversation:
    """A memory that tells the answer, one that has nothing to do with it, and one that comes too late."""
    return talk(
        memory("code", "The password of the harbour gate is Zorvix-4471."),
        user("I will ask about the harbour later. Say that you are ready."),
        assistant("I am ready."),
        memory("tea", "The harbour master drinks green tea."),
        user("What is the password of the harbour gate?"),
        assistant("The password of the harbour gate is Zorvix-4471."),
        memory("late", "Deploy on Mondays only."),
        user("Thanks."),
        assistant("You are welcome."),
    )


@pytest.fixture
def matrix(engine: Engine) -> Matrix:
    run = MatrixRun(conversation())
    for ablation, result in columns(engine, run.conversation, run.plan, Job()):
        run.land(ablation, result)
    return run.snapshot()


def test_every_response_has_a_score_that_can_be_one(engine: Engine) -> None:
    prompt = render(conversation())
    scores = engine.score(prompt, Job())
    assert problem(prompt, scores) is None
    assert not [score.failure for score in scores if score.failure]
    if engine.capabilities.tokens:
        for score, turn in zip(scores, prompt.responses, strict=True):
            assert score.tokens is not None
            assert score.tokens.logprobs.sum() == pytest.approx(score.total, abs=1e-3)
            assert (score.tokens.starts[0], score.tokens.ends[-1]) == (0, len(turn.text))


def test_the_same_is_scored_the_same(matrix: Matrix) -> None:
    assert matrix.again == pytest.approx(matrix.baseline, abs=LOUD)


def test_a_memory_that_tells_the_answer_matters_and_its_row_is_whole(matrix: Matrix) -> None:
    assert not matrix.errors
    assert not matrix.cell_errors
    row = matrix.keys.index("code")
    assert matrix.state[row].tolist() == [State.OK] * 3
    assert abs(matrix.effects[row, 1]) > 1e-3  # a model with random weights need not like it


def test_a_memory_that_comes_later_changes_nothing_before_it(matrix: Matrix) -> None:
    assert np.nanmax(np.abs(matrix.stray[matrix.keys.index("late"), :2])) < LOUD


def test_the_doctor_finds_nothing_wrong(engine: Engine) -> None:
    check = engine_spec(ENGINE).check
    if check is None:
        pytest.skip("the engine has no checks")
    assert not [found for found in check(engine, Job()) if found.verdict == "fail"]
