"""score-api's later form: token ids and ranges, for a server that answers 422 to messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from memscope.attribution.columns import columns
from memscope.attribution.matrix import NOT_VISIBLE, MatrixRun, State
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Message, Text
from memscope.conversation.render import render
from memscope.engines.protocol import EngineIdentity
from memscope.engines.registry import EngineOptions
from memscope.engines.score_api import ENGINE, ScoreApi
from tests.engines.conftest import Hasty
from tests.engines.replay import replaying
from tests.engines.token_server import NAME, Dialect, Formula, RangesDialect, RefusedError, TokenServer, VllmDialect
from tests.fakes import assistant, memory, talk, user

Serve = Callable[..., TokenServer]
Build = Callable[..., ScoreApi]
MODEL = Formula()
TALK = talk(
    memory("tea", "She likes tea."),
    user("Tea?"),
    assistant("Green tea."),
    memory("hot", "At 70 degrees."),
    user("How hot?"),
    assistant("70 degrees."),
)


@pytest.fixture
def build() -> Iterator[Build]:
    made: list[ScoreApi] = []

    def engine(server: TokenServer, **options: Any) -> ScoreApi:
        given = {"base_url": server.url, "model": NAME, "api_key": server.key} | options
        built = ENGINE.build(EngineOptions(**given))
        assert isinstance(built, ScoreApi)
        made.append(built)
        return built

    yield engine
    for one in made:
        one.close()


def truth(ids: list[int], ranges: list[list[int]]) -> list[float]:
    values = MODEL.logprobs(ids)
    return [sum(values[start:end]) for start, end in ranges]


def test_ids_and_ranges_are_sent_where_messages_are_not_taken(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("ranges", key="sesame")
    engine = build(server)

    scores = engine.score(render(TALK), job)

    refused, scored = server.log("/score")
    assert "messages" in refused.body
    ids, ranges = scored.body["prompt"], scored.body["score_ranges"]
    assert scored.body == {"model": NAME, "prompt": ids, "score_ranges": ranges, "logprobs": 1}
    assert [MODEL.text(ids[start:end]) for start, end in ranges] == ["Green tea.", "70 degrees."]
    assert [score.total for score in scores] == truth(ids, ranges)
    assert [score.count for score in scores] == [end - start for start, end in ranges]
    assert {request.path for request in server.log("/tokenize")} == {"/tokenize"}  # at the root
    assert server.log("/tokenize")[0].body["add_generation_prompt"] is False
    assert all(request.headers["authorization"] == "Bearer sesame" for request in server.log())
    assert engine.identity == EngineIdentity("score-api", NAME, server.url)


def test_it_is_found_out_once(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("ranges")
    engine = build(server)
    for key in ("tea", "hot"):
        engine.score(render(TALK, Ablation.of(key)), job)
    assert sum("messages" in request.body for request in server.log("/score")) == 1


def test_threads_that_come_first_find_it_out_together(token_server: Serve, build: Build) -> None:
    engine = build(token_server("ranges"))
    alone = [score.total for score in build(token_server("ranges")).score(render(TALK), Job())]
    found: list[list[float]] = []

    def score() -> None:
        found.append([score.total for score in engine.score(render(TALK), Job())])

    threads = [threading.Thread(target=score) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [alone] * 8


class Beside(RangesDialect):
    """Its routes for tokens stand beside /score."""

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.routes["POST /v1/tokenize"] = self.routes.pop("POST /tokenize")


def test_the_tokeniser_may_stand_beside_the_route(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server(Beside)
    assert all(score.total < 0 for score in build(server).score(render(TALK), job))
    assert [request.path for request in server.log("/tokenize")][:2] == ["/tokenize", "/v1/tokenize"]


class Neither(RangesDialect):
    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        del self.routes["POST /tokenize"]


def test_without_a_tokeniser_the_refusal_stands(token_server: Serve, build: Build, job: Hasty) -> None:
    with pytest.raises(EngineError, match=r"HTTP 422.*--engine vllm and --engine sglang"):
        build(token_server(Neither)).score(render(TALK), job)


def test_a_tokeniser_that_fails_is_told(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("ranges")
    engine = build(server)
    server.fault("crash", path="/tokenize")
    with pytest.raises(EngineError, match="/tokenize: HTTP 500"):
        engine.score(render(TALK), job)
    server.well()
    assert len(engine.score(render(TALK), job)) == 2


class Both(RangesDialect):
    """Takes messages, but for one conversation that it cannot read."""

    def score(self, body: Any) -> object:
        if "prompt" in body:
            raise AssertionError("it takes messages")
        if "unreadable" in str(body):
            raise RefusedError(422, {"error": "unreadable"})
        return {"scores": [{"total_logprob": -1.0} for m in body["messages"] if m["role"] == "assistant"]}


def test_a_server_that_has_taken_messages_is_not_asked_in_another_way(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(Both)
    engine = build(server)
    engine.score(render(TALK), job)
    with pytest.raises(EngineError, match="HTTP 422: unreadable"):
        engine.score(render(talk(user("unreadable"), assistant("x"))), job)
    assert not server.log("/tokenize")


class Messages(RangesDialect):
    """Takes messages alone, but for one conversation that it cannot read, and has a /tokenize."""

    def score(self, body: Any) -> object:
        if "messages" not in body:
            raise RefusedError(422, {"error": "messages are required"})
        if "unreadable" in str(body):
            raise RefusedError(422, {"error": "unreadable"})
        return {"scores": [{"total_logprob": -1.0} for m in body["messages"] if m["role"] == "assistant"]}


def test_a_conversation_that_is_refused_does_not_change_how_the_next_is_sent(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server(Messages)
    engine = build(server)
    with pytest.raises(EngineError, match="HTTP 422: unreadable; sent as token ids: HTTP 422: messages are required"):
        engine.score(render(talk(user("unreadable"), assistant("x"))), job)
    server.forget()

    scores = engine.score(render(TALK), job)

    assert [(score.total, score.marks) for score in scores] == [(-1.0, None)] * 2
    assert [request.path for request in server.log()] == ["/v1/score"]


def test_what_marks_a_score_tells_the_form_it_came_by(token_server: Serve, build: Build, job: Hasty) -> None:
    by_messages, by_ranges = (build(token_server(dialect)).score(render(TALK), job) for dialect in (Both, "ranges"))
    assert all(score.marks is None for score in by_messages)
    assert all(score.marks is not None for score in by_ranges)


def test_ranges_that_fail_in_passing_are_told_and_tried_again(token_server: Serve, build: Build, job: Hasty) -> None:
    class Busy(RangesDialect):
        busy = True

        def score(self, body: Any) -> object:
            if "prompt" in body and self.busy:
                raise RefusedError(429, {"error": "busy"})
            return super().score(body)

    server = token_server(Busy)
    engine = build(server)
    with pytest.raises(EngineError, match="HTTP 429: busy"):
        engine.score(render(TALK), job)
    server.speaks.busy = False  # type: ignore[attr-defined]
    assert len(engine.score(render(TALK), job)) == 2


def test_a_conversation_without_anything_to_score_proves_no_form(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server(Messages)
    engine = build(server)
    (nothing,) = engine.score(render(talk(user("unreadable"), assistant(""))), job)
    assert (nothing.total, nothing.count) == (0.0, 0)
    assert [score.total for score in engine.score(render(TALK), job)] == [-1.0, -1.0]


def test_that_there_is_no_tokeniser_is_remembered(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server(Neither)
    engine = build(server)
    for _ in range(3):
        with pytest.raises(EngineError, match="HTTP 422"):
            engine.score(render(TALK), job)
    assert [request.path for request in server.log("/tokenize")] == ["/tokenize", "/v1/tokenize"]


def test_a_conversation_longer_than_the_model_is_told_in_both_numbers(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    server = token_server("ranges")
    build(server).score(render(TALK), job)
    tokens = server.longest = len(server.log("/score")[-1].body["prompt"])
    server.forget()
    with pytest.raises(EngineError, match=f"the conversation has {tokens} tokens, and the model takes {tokens} with"):
        build(server).score(render(TALK), job)
    assert not [request for request in server.log("/score") if "prompt" in request.body]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"scores": [{"total_logprob": -1.0}]}, "2 ranges were sent and 1 scores came back"),
        ({"scores": [{"total_logprob": -1.0}] * 3}, "2 ranges were sent and 3 scores came back"),
        ({"scores": [{"total_logprob": "-1"}] * 2}, "score 1 of 2 has no number"),
        ({"scores": [[-1.0], [-2.0]]}, "score 1 of 2 has no number.*SGLang's /score.*--engine sglang"),
        ({"data": [{"score": 0.5}]}, 'no list "scores".*vLLM\'s /score.*--engine vllm'),
        ({"hello": 1}, 'no list "scores".*check the engine.*--engine vllm and --engine sglang'),
    ],
)
def test_only_the_one_shape_is_taken_for_scores(
    answer: object, reason: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    class Odd(RangesDialect):
        def score(self, body: Any) -> object:
            return answer if "prompt" in body else super().score(body)

    with pytest.raises(EngineError, match=reason):
        build(token_server(Odd)).score(render(TALK), job)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"scores": [[0.1, 0.9]]}, "SGLang's /score.*--engine sglang"),
        ({"object": "list", "data": [{"index": 0, "score": 0.9}]}, "vLLM's /score.*--engine vllm"),
    ],
)
def test_the_apis_of_others_on_the_same_path_are_named(
    answer: object, reason: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    class Other(Dialect):
        def __init__(self, server: TokenServer) -> None:
            super().__init__(server)
            self.routes["POST /v1/score"] = lambda _: answer

    with pytest.raises(EngineError, match=reason):
        build(token_server(Other)).score(render(TALK), job)


def test_a_stock_vllm_has_no_such_route_and_is_told_so(token_server: Serve, build: Build, job: Hasty) -> None:
    for dialect in (VllmDialect, replaying("vllm-score")):
        with pytest.raises(EngineError, match=r"HTTP 404.*--engine vllm"):
            build(token_server(dialect)).score(render(TALK), job)


def test_a_memory_that_the_template_drops_fails_its_cell(token_server: Serve, build: Build) -> None:
    """The marks of what was scored are known here too."""

    def dropping(messages: Any, _: Any) -> str:
        shown = [m for at, m in enumerate(messages) if at == 0 or m["role"] != "system"]
        return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in shown)

    conversation = talk(
        Message("system", (Text("Be brief."),)), memory("m", "Tea."), user("Tea?"), assistant("Yes."), user("Hot?"),
        memory("n", "Hot."), assistant("Yes, hot.")
    )  # fmt: skip
    engine = build(token_server("ranges", render=dropping))
    run = MatrixRun(conversation)
    for ablation, result in columns(engine, conversation, run.plan, Job()):
        run.land(ablation, result)

    matrix = run.snapshot()
    assert matrix.state.tolist() == [[State.FAILED, State.FAILED], [State.BEFORE, State.FAILED]]
    assert set(matrix.cell_errors.values()) == {NOT_VISIBLE}


def test_folding_is_for_this_form_and_part_of_what_it_is(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("ranges")
    engine = build(server, fold="memories")
    engine.score(render(TALK), job)
    assert engine.identity.options == (("fold", "memories"),)
    assert [m["role"] for m in server.log("/tokenize")[0].body["messages"]] == "user assistant user assistant".split()


def test_closing_waits_for_no_answer(token_server: Serve, build: Build) -> None:
    asked, answered = threading.Event(), threading.Event()

    class Slow(RangesDialect):
        def tokenize(self, body: Any) -> object:
            asked.set()
            answered.wait(30)
            return super().tokenize(body)

    engine = build(token_server(Slow))
    ended: list[BaseException] = []

    def score() -> None:
        try:
            engine.score(render(TALK), Job())
        except Cancelled as cancelled:
            ended.append(cancelled)

    scoring, closing = threading.Thread(target=score), threading.Thread(target=engine.close)
    scoring.start()
    assert asked.wait(30)
    closing.start()
    closing.join(10)
    closed = not closing.is_alive()
    answered.set()
    scoring.join(30)
    closing.join(30)

    assert closed
    assert len(ended) == 1


def test_closed_is_closed(token_server: Serve, build: Build, job: Hasty) -> None:
    engine = build(token_server("ranges"))
    engine.score(render(TALK), job)
    engine.close()
    with pytest.raises(Cancelled):
        engine.score(render(TALK), job)
