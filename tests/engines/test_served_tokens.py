"""Engines behind servers that score tokens: their numbers are the server's, and what a server does wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memscope.attribution.columns import columns
from memscope.attribution.matrix import MatrixRun, State
from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.clients import http
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, Renderer, render
from memscope.engines.chat import chat
from memscope.engines.protocol import Engine
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.stored import stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.engines.conftest import Hasty
from tests.engines.token_server import NAME, Dialect, Formula, SglangDialect, TokenServer, VllmDialect, chatml
from tests.fakes import assistant, memory, talk, user

Serve = Callable[..., TokenServer]
Build = Callable[..., Engine]

SERVERS = {"vllm": "vllm", "sglang": "sglang", "openai-echo": "echo"}
SCORING = {"vllm": "/v1/completions", "sglang": "/generate", "openai-echo": "/v1/completions"}
every_engine = pytest.mark.parametrize("name", SERVERS)
with_ids = pytest.mark.parametrize("name", ["vllm", "sglang"])

TALK = talk(
    memory("tea", "She likes green tea."),
    user("What shall I make her?"),
    assistant("Green tea, I think 😀."),
    user("How hot?"),
    memory("hot", "Green tea wants 70 degrees."),
    assistant("Not hotter than 70 degrees, naïvely."),
    memory("late", "Deploy on Mondays."),
    user("Thanks"),
    assistant("You are welcome!"),
)


@pytest.fixture
def build() -> Iterator[Build]:
    """`build(name, server, ...)` is the engine that speaks to it."""
    made: list[Engine] = []

    def engine(name: str, server: TokenServer, **options: Any) -> Engine:
        given = {"base_url": server.url, "api_key": server.key, "model": NAME} | options
        made.append(engine_spec(name).build(EngineOptions(**given)))
        return made[-1]

    yield engine
    for one in made:
        one.close()


def truth(prompt: Prompt) -> list[float]:
    """The total of each response, by the model's own formula: a token of ours begins where a message's head ends."""
    model, found = Formula(), []
    messages = chat(prompt).messages
    for place in chat(prompt).responses:
        before = chatml(messages[:place], []) + "<|im_start|>assistant\n"
        start, response = model.encode(before), model.encode(messages[place]["content"])
        found.append(sum(model.logprobs(start + response)[len(start) :]))
    return found


def totals(engine: Engine, prompt: Prompt, job: Job) -> list[float]:
    return [score.total for score in engine.score(prompt, job)]


def filled(engine: Engine, conversation: Conversation, run: MatrixRun | None = None) -> MatrixRun:
    run = run or MatrixRun(conversation)
    for ablation, result in columns(engine, conversation, run.missing(), Job(), workers=1):
        run.land(ablation, result)
    return run


# --- numbers ---------------------------------------------------------------------------------------------------------


@every_engine
@pytest.mark.parametrize("removed", [(), ("tea",), ("hot",), ("tea", "hot", "late")])
def test_the_numbers_are_the_models(
    name: str, removed: tuple[str, ...], token_server: Serve, build: Build, job: Hasty
) -> None:
    engine = build(name, token_server(SERVERS[name]))
    prompt = render(TALK, Ablation.of(*removed))

    scores = engine.score(prompt, job)

    assert [score.total for score in scores] == truth(prompt)
    assert engine.capabilities.label == name
    assert (engine.capabilities.tokens, engine.capabilities.concurrency) == (True, 4)
    for score, turn in zip(scores, prompt.responses, strict=True):
        assert score.tokens is not None
        assert score.count == len(score.tokens.logprobs)
        starts, ends = score.tokens.starts, score.tokens.ends
        assert (starts[0], ends[-1]) == (0, len(turn.text))
        assert (starts[1:] == ends[:-1]).all()


@every_engine
def test_a_matrix_is_the_truth(name: str, token_server: Serve, build: Build) -> None:
    renderer = Renderer(TALK)
    matrix = filled(build(name, token_server(SERVERS[name])), TALK).snapshot()

    base = np.array(truth(renderer.prompt()))
    effects = [base - truth(renderer.prompt(Ablation.of(key))) for key in matrix.keys]
    assert matrix.reason is None
    assert not matrix.cell_errors
    assert not matrix.errors
    assert matrix.effects.tolist() == np.where(matrix.state == State.BEFORE, 0.0, effects).tolist()
    assert (matrix.baseline == matrix.again).all()
    assert np.nan_to_num(matrix.stray).any() == False  # noqa: E712 - nothing moves what a memory comes after


@every_engine
def test_the_one_model_is_chosen_and_of_several_one_has_to_be(name: str, token_server: Serve, build: Build) -> None:
    engine = build(name, token_server(SERVERS[name], models=("only/one",)), model="")
    assert engine.identity.model == "only/one"
    assert engine.identity.name == name
    with pytest.raises(UsageError, match="2 models"):
        build(name, token_server(SERVERS[name], models=("a", "b")), model="")


@every_engine
def test_the_key_goes_along_and_the_root_is_found_with_or_without_its_v1(
    name: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(SERVERS[name], key="sesame")
    for url in (server.url, server.root, server.url + "/"):
        engine = build(name, server, base_url=url)
        assert totals(engine, render(TALK), job) == truth(render(TALK))
        assert engine.identity.url == server.root
    assert {request.headers["authorization"] for request in server.log()} == {"Bearer sesame"}


@every_engine
def test_a_fold_is_part_of_what_an_engine_is(name: str, token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server(SERVERS[name])
    plain, folded = build(name, server), build(name, server, fold="memories")
    assert plain.identity != folded.identity
    assert ("fold", "memories") in folded.identity.options
    folded.score(render(TALK), job)
    sent = str(server.log(SCORING[name])[-1].body if name == "openai-echo" else server.log("/tokenize")[0].body)
    assert "She likes green tea." in sent
    assert "system" not in sent


# --- what a server does wrong to scores ------------------------------------------------------------------------------


@with_ids
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("shifted_ids", r"at position \d+ token \d+ was sent, and the score is of token \d+.*stale prefix cache"),
        ("missing", r"at position \d+ token|tokens were sent and|tokens were to be scored, and"),
        (
            "nulls",
            r"at position \d+ token \d+ was sent, and the score is of nothing|position \d+ has no log-probability",
        ),
    ],
)
def test_scores_that_are_of_other_tokens_are_refused(
    name: str, fault: str, reason: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(name)
    engine = build(name, server)
    server.fault(fault)
    with pytest.raises(EngineError, match=reason) as refused:
        engine.score(render(TALK), job)
    assert refused.value.where == server.root


@with_ids
def test_a_stale_cache_is_found_by_the_ids_of_what_it_answers(
    name: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(name)
    engine = build(name, server)
    server.fault("stale_ids")
    prompt = render(TALK)
    assert totals(engine, prompt, job) == truth(prompt)  # nothing is in the cache yet
    with pytest.raises(EngineError, match="the score is of token"):
        engine.score(replace(prompt, repeat=1), job)


@every_engine
def test_values_above_nought_reach_nobody(name: str, token_server: Serve, build: Build) -> None:
    server = token_server(SERVERS[name])
    server.fault("raw_logits")
    run = filled(build(name, server), TALK)
    assert "log-probabilit" in (run.reason or "")


# --- what a server does wrong to answers -----------------------------------------------------------------------------


@every_engine
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("unauthorized", "HTTP 401: Unauthorized"),
        ("crash", "HTTP 500: EngineCore encountered an issue"),
        ("html", "no JSON: a web page"),
        ("gateway", "HTTP 502"),
        ("error_inside", "CUDA out of memory"),
        ("error_string", "CUDA out of memory"),
        ("other", "the answer has no (choices|input_token_logprobs)"),
        ("redirect", "redirects are not followed"),
        ("cut", "cut off|peer closed connection"),
        ("hang_up", "no answer"),
        ("loading", "HTTP 503: Loading model"),
    ],
)
def test_an_answer_that_is_no_score_says_what_it_is(
    name: str, fault: str, reason: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(SERVERS[name], key="sesame")
    engine = build(name, server)
    server.fault(fault, path=SCORING[name])
    with pytest.raises(EngineError, match=reason) as refused:
        engine.score(render(TALK), job)
    assert "sesame" not in str(refused.value)
    assert refused.value.lasting == (fault == "unauthorized")


@pytest.mark.parametrize("name", ["vllm", "sglang"])
@pytest.mark.parametrize("fault", ["crash", "hang_up", "error_inside"])
def test_a_server_that_breaks_down_may_have_run_out_of_memory(
    name: str, fault: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(name)
    engine = build(name, server)
    server.fault(fault, path=SCORING[name])
    with pytest.raises(EngineError, match=r"--max-num-batched-tokens|--chunked-prefill-size"):
        engine.score(render(TALK), job)


@with_ids
def test_a_conversation_that_is_too_long_is_not_sent(name: str, token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server(name, longest=20)
    with pytest.raises(EngineError, match=r"the conversation has \d+ tokens, and the model takes 20 with at least one"):
        build(name, server).score(render(TALK), job)
    assert not server.log(SCORING[name])


@every_engine
def test_a_server_that_does_not_say_how_long_says_both_numbers_itself(
    name: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    base: type[Dialect] = {"vllm": VllmDialect, "sglang": SglangDialect}.get(name, Dialect)
    silent = type("Silent", (base,), {"about": lambda _: {}})
    with pytest.raises(EngineError, match=r"HTTP 400: .*maximum context length is 20 tokens.*contains \d+ input"):
        build(name, token_server(silent, longest=20)).score(render(TALK), job)


@every_engine
def test_a_full_queue_is_waited_for(name: str, token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server(SERVERS[name])
    engine = build(name, server)
    server.fault("queue_full", path=SCORING[name], times=2)
    assert totals(engine, render(TALK), job) == truth(render(TALK))
    assert len(job.waits) == 2


@every_engine
def test_a_template_that_refuses_the_conversation_says_so(
    name: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    def refuse(*_: object) -> str:
        raise ValueError("Conversation roles must alternate")

    server = token_server(SERVERS[name], render=refuse)
    template = "gemma" if name == "openai-echo" else ""
    reason = "a system message in mid-conversation" if template else "HTTP 400: Conversation roles must alternate"
    with pytest.raises(EngineError, match=reason):
        build(name, server, template=template).score(render(TALK), job)


# --- a server that dies and comes back -------------------------------------------------------------------------------


@every_engine
def test_one_broken_connection_costs_one_scoring(
    name: str, token_server: Serve, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "FIRST_WAIT", 0.001)
    server = token_server(SERVERS[name])
    engine = build(name, server)
    server.fault("cut", path=SCORING[name], where=lambda text: "She likes" in text and "70 degrees.<" not in text)

    run = filled(engine, TALK)

    assert list(run.snapshot().errors) == [Ablation.of("hot")]
    server.well()
    server.forget()
    filled(engine, TALK, run)
    assert not run.snapshot().missing.any()
    assert len(server.log(SCORING[name])) == 1


@every_engine
def test_a_run_outlives_its_server_and_is_resumed_where_it_stopped(
    name: str, token_server: Serve, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed is marked and nothing else; when the server is back, only that is asked for."""
    monkeypatch.setattr(http, "FIRST_WAIT", 0.001)
    server = token_server(SERVERS[name])
    database = Database(tmp_path / "kept")
    engine = stored(build(name, server), ScoreStore(database))
    server.fault("dies", path=SCORING[name], times=1, where=lambda text: "She likes" in text and "Deploy" not in text)

    run = filled(engine, TALK)

    missing = [Ablation.of("late"), run.everything, AGAIN]
    assert list(run.snapshot().errors) == missing
    assert all("no answer" in why for why in run.snapshot().errors.values())
    assert run.failed() == tuple(missing)
    assert run.snapshot().state.tolist()[2] == [State.FAILED] * 3
    assert State.FAILED not in run.snapshot().state[:2]

    server.revive()
    server.forget()
    resumed = MatrixRun(TALK)  # by another process: all it has is the store
    for ablation, result in columns(engine, TALK, resumed.plan, Job(), workers=1):
        resumed.land(ablation, result)
    database.close()

    assert len(server.log(SCORING[name])) == len(missing)
    assert not resumed.snapshot().missing.any()
    assert resumed.snapshot().baseline.tolist() == truth(render(TALK)) == run.snapshot().baseline.tolist()


@every_engine
def test_a_server_that_is_not_there_ends_a_run_with_its_baseline(
    name: str, token_server: Serve, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "FIRST_WAIT", 0.001)
    server = token_server(SERVERS[name])
    engine = build(name, server)
    server.die()
    run = MatrixRun(TALK)
    for ablation, result in columns(engine, TALK, [BASELINE], Job()):
        run.land(ablation, result)
    assert "no answer" in (run.reason or "")


def test_a_conversation_far_too_long_is_refused_before_its_responses_are_looked_for(
    token_server: Serve, job: Hasty
) -> None:
    server = token_server("vllm", longest=50)
    engine = engine_spec("vllm").build(EngineOptions(base_url=server.url, model=NAME))
    try:
        with pytest.raises(EngineError, match=r"tokens, and the model takes 50"):
            engine.score(render(talk(user("word " * 300), assistant("Yes."), user("And?"), assistant("No."))), job)
    finally:
        engine.close()

    assert len(server.log("/tokenize")) == 1
    assert not server.log("/completions")
