"""score-api: what is sent byte for byte, what is taken for scores, and that the numbers are the server's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import (
    Conversation,
    Memory,
    Message,
    Opaque,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from memscope.conversation.render import render
from memscope.engines.protocol import Engine, EngineIdentity, OnePassEngine
from memscope.engines.registry import EngineOptions
from memscope.engines.score_api import ENGINE, ScoreApi, sent
from memscope.engines.stored import stored
from memscope.engines.validity import problem
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.engines.conftest import Hasty
from tests.engines.server import MODEL, ScoreServer, pull, score

Serve = Callable[..., ScoreServer]
Build = Callable[..., ScoreApi]


def said(role: str, *parts: Part | str) -> Message:
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


HOSTILE = "a\u202eb\x1b[31m\r\n\ttabs  \u2028 \ud800 ✓"
TALK = Conversation(
    (
        said("system", "Be brief.\n", Memory("style", "Use tabs.\n"), "That is all."),
        said("system", Memory("whole", HOSTILE)),
        said("user", "Write it."),
        said("assistant", Thinking("hm"), "Here:", ToolCall("c1", "write", '{"a": 1}')),
        said("tool", ToolResult("c1", "written")),
        said("tool", ToolResult("c2", ""), Memory("recalled", "You like tea.")),
        said("assistant", "Done."),
        said("user", "Thanks, and this is never sent."),
    ),
    tools=('{"name": "write"}',),
)


@pytest.fixture
def build() -> Iterator[Build]:
    """`build(server, model=...)` is the engine that speaks to it."""
    made: list[ScoreApi] = []

    def engine(server: ScoreServer, **options: object) -> ScoreApi:
        built = ENGINE.build(EngineOptions(base_url=server.url, api_key=server.key, **{"model": MODEL} | options))  # type: ignore[arg-type]
        assert isinstance(built, ScoreApi)
        made.append(built)
        return built

    yield engine
    for built in made:
        built.close()


def refusal(engine: Engine, job: Job) -> EngineError:
    with pytest.raises(EngineError) as refused:
        engine.score(render(TALK), job)
    return refused.value


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_the_request_is_model_messages_and_logprobs(score_server: Serve, build: Build, job: Hasty) -> None:
    server = score_server()
    build(server).score(render(TALK), job)
    (request,) = server.log("/score")
    assert request.headers["authorization"] == "Bearer sesame"
    assert request.body == {
        "model": MODEL,
        "logprobs": 1,
        "messages": [
            {"role": "system", "content": "Be brief.\nUse tabs.\nThat is all."},
            {"role": "user", "content": HOSTILE},
            {"role": "user", "content": "Write it."},
            {
                "role": "assistant",
                "content": 'Here:\n<tool_call>\n{"name": "write", "arguments": {"a": 1}}\n</tool_call>',
            },
            {"role": "tool", "content": "written"},
            {"role": "tool", "content": "You like tea."},
            {"role": "assistant", "content": "Done."},
        ],
    }


@pytest.mark.parametrize(
    ("removed", "changed"),
    [
        ("style", {0: "Be brief.\nThat is all."}),
        ("whole", {1: None}),
        ("recalled", {5: ""}),
    ],
)
def test_an_ablation_changes_its_own_message_and_no_other_byte(
    removed: str, changed: dict[int, str | None], score_server: Serve, build: Build, job: Hasty
) -> None:
    server = score_server()
    engine = build(server)
    for ablation in (BASELINE, Ablation.of(removed)):
        engine.score(render(TALK, ablation), job)
    whole, without = (request.body["messages"] for request in server.log("/score"))
    expected = [{**turn, "content": changed.get(index, turn["content"])} for index, turn in enumerate(whole)]
    assert without == [turn for turn in expected if turn["content"] is not None]


@pytest.mark.parametrize("role", ["system", "user", "assistant", "developer"])
def test_a_memory_that_is_a_whole_message_is_sent_as_user(role: str) -> None:
    talk = Conversation((said(role, Memory("m", "text")), said("assistant", "Yes.")))
    assert sent(render(talk).turns[0]) == {"role": "user", "content": "text"}


def test_memories_inside_a_message_stand_where_they_stood() -> None:
    talk = Conversation((said("user", Memory("a", "A\n"), "b\n", Memory("c", "C\n"), "d"), said("assistant", "Yes.")))
    assert sent(render(talk).turns[0]) == {"role": "user", "content": "A\nb\nC\nd"}
    assert sent(render(talk, Ablation.of("c")).turns[0]) == {"role": "user", "content": "A\nb\nd"}


def test_what_is_not_text_is_not_sent() -> None:
    talk = Conversation((said("user", "see", Opaque("image", "{}")), said("assistant", Thinking("hm"), "Yes.")))
    assert [sent(turn)["content"] for turn in render(talk).turns] == ["see", "Yes."]


def test_nothing_is_sent_after_the_last_response(score_server: Serve, build: Build, job: Hasty) -> None:
    server = score_server()
    build(server).score(render(TALK), job)
    assert "never sent" not in str(server.log("/score")[0].body)


# --- what comes back -------------------------------------------------------------------------------------------------


def test_the_scores_are_those_of_the_server(score_server: Serve, build: Build, job: Hasty) -> None:
    scores = build(score_server()).score(render(TALK), job)
    assert [s.total for s in scores] == score([sent(turn) for turn in render(TALK).turns])
    assert all(s.tokens is None and s.count is None for s in scores)


@given(
    memories=st.lists(st.text(min_size=1, max_size=20), max_size=5), replies=st.lists(st.text(min_size=1), max_size=4)
)
def test_leaving_out_a_memory_costs_a_response_its_pull(memories: list[str], replies: list[str]) -> None:
    """The formula itself, without a server: what attribution's tests rely on."""
    told = tuple(said("user", Memory(f"m{n}", text)) for n, text in enumerate(memories))
    talk = Conversation(told + tuple(said("assistant", reply) for reply in replies))
    whole = score([sent(turn) for turn in render(talk).turns])
    for number, text in enumerate(memories):
        without = score([sent(turn) for turn in render(talk, Ablation.of(f"m{number}")).turns])
        assert [a - b for a, b in zip(whole, without, strict=True)] == [pull(text, reply) for reply in replies]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("json", "the answer is no JSON"),
        ("html", "the answer is no JSON"),
        ("empty", "the answer is no JSON"),
        ("bignum", 'score 1 of 2 has no number as "total_logprob" (too large a one)'),
        ("null", 'score 1 of 2 has no number as "total_logprob" (null)'),
        ("text", 'score 1 of 2 has no number as "total_logprob" (str)'),
        ("other", 'the answer has no list "scores"'),
        ("error", "the server reports an error: the scorer is out of order"),
        ("error_object", "the server reports an error: the scorer is out of order"),
    ],
)
def test_an_answer_that_is_no_scores_says_how(
    fault: str, reason: str, score_server: Serve, build: Build, job: Hasty
) -> None:
    assert reason in str(refusal(build(score_server(FAULT=fault)), job))
    assert job.waits == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("count", "misaligned: 2 responses were sent and 1 scores came back"),
        ("surplus", "misaligned: 2 responses were sent and 3 scores came back"),
        ("nan", "score 1 of 2 is nan, which is no log-probability"),
        ("infinite", "score 1 of 2 is -inf, which is no log-probability"),
        ("huge", "score 1 of 2 is -1e+308, which is implausible"),
        ("positive", "score 1 of 2 is 1, and a log-probability is never positive"),
    ],
)
def test_numbers_that_cannot_be_these_scores_are_found_out(
    fault: str, reason: str, score_server: Serve, build: Build, job: Hasty
) -> None:
    """By whoever asked the engine: what it gives is what the server said."""
    prompt = render(TALK)
    said = problem(prompt, build(score_server(FAULT=fault)).score(prompt, job))
    assert reason in (said or "")


@pytest.mark.parametrize("answer", [[], {}, {"scores": {}}, {"scores": None}, "scores", 1, None])
def test_no_shape_of_answer_is_a_traceback(answer: object) -> None:
    class Answering:
        base_url = "http://127.0.0.1:9/v1"

        def post(self, *_: object) -> object:
            return answer

    with pytest.raises(EngineError, match='no list "scores"'):
        ScoreApi(Answering(), MODEL).score(render(TALK), Job())  # type: ignore[arg-type]


@pytest.mark.parametrize("item", [{}, [], None, -1.0, {"total_logprob": True}, {"total_logprob": []}])
def test_no_shape_of_score_is_taken_for_a_number(item: object) -> None:
    class Answering:
        base_url = "http://127.0.0.1:9/v1"

        def post(self, *_: object) -> object:
            return {"scores": [item, item]}

    with pytest.raises(EngineError, match="score 1 of 2 has no number"):
        ScoreApi(Answering(), MODEL).score(render(TALK), Job())  # type: ignore[arg-type]


def test_a_fault_hits_the_scoring_it_belongs_to_and_no_other(score_server: Serve, build: Build, job: Hasty) -> None:
    engine = build(score_server(FAULT="500", FAULT_UNLESS="Use tabs."))
    assert len(engine.score(render(TALK), job)) == 2
    assert len(engine.score(render(TALK, Ablation.of("whole")), job)) == 2
    with pytest.raises(EngineError, match="HTTP 500"):
        engine.score(render(TALK, Ablation.of("style")), job)


def test_a_cancelled_job_sends_nothing(score_server: Serve, build: Build, job: Hasty) -> None:
    server = score_server()
    engine = build(server)
    job.cancel()
    with pytest.raises(Cancelled):
        engine.score(render(TALK), job)
    assert server.log() == []


# --- how it is made --------------------------------------------------------------------------------------------------


def test_the_one_model_served_is_chosen(score_server: Serve, build: Build, job: Hasty) -> None:
    server = score_server(MODELS="only/one")
    engine = build(server, model="")
    assert engine.identity == EngineIdentity("score-api", model="only/one", url=server.url)
    engine.score(render(TALK), job)
    assert server.log("/score")[0].body["model"] == "only/one"


def test_a_model_that_is_given_is_not_asked_for(score_server: Serve, build: Build) -> None:
    server = score_server(MODELS="a,b")
    assert build(server, model="c").identity.model == "c"
    assert server.log() == []


def test_of_several_models_one_has_to_be_chosen(score_server: Serve, build: Build) -> None:
    with pytest.raises(UsageError, match="2 models") as refused:
        build(score_server(MODELS="llama,qwen"), model="")
    assert refused.value.do == "Choose with --model: llama, qwen."


def test_a_server_that_names_no_model(score_server: Serve, build: Build) -> None:
    with pytest.raises(UsageError, match="Give --model"):
        build(score_server(MODELS=""), model="")


def test_an_address_has_to_be_given() -> None:
    with pytest.raises(UsageError, match="MEMSCOPE_BASE_URL"):
        ENGINE.build(EngineOptions())


def test_the_timeout_is_its_own_unless_one_is_given(score_server: Serve, build: Build) -> None:
    server = score_server()
    for given_, timeout in ((None, 120.0), (3.0, 3.0)):
        assert build(server, timeout=given_)._server._client.timeout.read == timeout


def test_it_gives_no_tokens_and_has_no_way_of_its_own(score_server: Serve, build: Build) -> None:
    engine = build(score_server())
    assert isinstance(engine, Engine)
    assert not isinstance(engine, OnePassEngine)
    assert (engine.capabilities.tokens, engine.capabilities.concurrency) == (False, 4)


def test_the_key_is_in_nothing_that_lasts(score_server: Serve, build: Build, tmp_path: Path, job: Hasty) -> None:
    key = "sk-0123456789abcdef"
    server = score_server(KEY=key)
    engine = build(server)
    database = Database(tmp_path / "kept")
    wrapper = stored(engine, ScoreStore(database))
    assert all(math.isfinite(s.total) for s in wrapper.score(render(TALK), job))
    server.configure(KEY=key, FAULT="401", MESSAGE=f"bad {key}")
    refused = refusal(engine, job)
    assert key not in str(refused) + repr(refused) + repr(engine) + repr(engine.identity)
    files = [path.read_bytes() for path in (tmp_path / "kept").iterdir()]  # the log of writes among them
    database.close()
    assert files
    assert not any(key.encode() in content for content in files)
