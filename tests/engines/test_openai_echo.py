"""openai-echo: text in, tokens with log-probabilities out, and the servers that only seem to do that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from memscope.attribution.columns import columns
from memscope.attribution.matrix import RETOKENISED, MatrixRun, State
from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.render import render
from memscope.engines.chat import chat
from memscope.engines.openai_echo import ENGINE, MERGED, EchoEngine
from memscope.engines.protocol import CountingEngine, EngineIdentity
from memscope.engines.registry import EngineOptions
from memscope.engines.templates import template_of
from memscope.engines.token_engine import NOTHING_BEFORE
from tests.engines.conftest import Hasty
from tests.engines.replay import recorded, replaying
from tests.engines.token_server import NAME, Dialect, EchoDialect, Formula, Positions, TokenServer
from tests.fakes import assistant, memory, talk, user

Serve = Callable[..., TokenServer]
Build = Callable[..., EchoEngine]
MODEL = Formula()
TALK = talk(
    memory("tea", "She likes tea."),
    user("Tea?"),
    assistant("Green tea, naïvely."),
    memory("hot", "At 70 degrees."),
    user("How hot?"),
    assistant("70 degrees."),
)
PROMPT = render(TALK)
TEXT = template_of("chatml").render(chat(PROMPT)).removesuffix("<|im_end|>\n")


@pytest.fixture
def build() -> Iterator[Build]:
    made: list[EchoEngine] = []

    def engine(server: TokenServer, **options: Any) -> EchoEngine:
        built = ENGINE.build(EngineOptions(**{"base_url": server.url, "model": NAME} | options))
        assert isinstance(built, EchoEngine)
        made.append(built)
        return built

    yield engine
    for one in made:
        one.close()


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_one_request_with_the_text_up_to_the_last_response(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("echo")

    build(server).score(PROMPT, job)

    (request,) = server.log()
    assert request.path == "/v1/completions"
    assert request.body == {
        "model": NAME,
        "prompt": TEXT,
        "echo": True,
        "logprobs": 1,
        "max_tokens": 1,  # nought would be without end on some
        "temperature": 0,
    }


def test_the_template_is_part_of_what_it_is(token_server: Serve, build: Build) -> None:
    server = token_server("echo")
    options = (("template", template_of("chatml").digest),)
    assert build(server).identity == EngineIdentity("openai-echo", NAME, server.root, options=options)
    assert build(server, template="llama3").identity.options == (("template", template_of("llama3").digest),)
    assert not isinstance(build(server), CountingEngine)  # how many tokens a text has, it does not know


def test_a_template_that_is_none_is_refused_before_anything_is_asked(token_server: Serve, build: Build) -> None:
    server = token_server("echo")
    with pytest.raises(UsageError, match="there is no chat template"):
        build(server, template="chatnl", model="")
    assert not server.log()


def test_openais_own_api_is_refused_by_name() -> None:
    for url in ("https://api.openai.com/v1", "https://API.openai.com"):
        with pytest.raises(UsageError, match=r"OpenAI's own API cannot score.*vllm, sglang and llama-server"):
            ENGINE.build(EngineOptions(base_url=url, model="gpt-4"))


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["", "textless"])
def test_tokens_and_their_values_and_places(fault: str, token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("echo")
    engine = build(server)
    if fault:
        server.fault(fault)

    found = engine.tokens(TEXT, job)

    ids = MODEL.encode(TEXT)
    assert [value for _, _, value in found] == [None, *MODEL.logprobs(ids)[1:]]
    known = [(piece, at) for piece, at, _ in found if piece and "\ufffd" not in piece]
    assert all(TEXT.startswith(piece, at) for piece, at in known)
    assert len(known) > len(ids) / 2


def test_what_it_generates_has_the_log_probabilities_that_it_scores(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    engine = build(token_server("echo"))

    made = engine.generate(TEXT, 5, job)

    found = engine.tokens(TEXT + "".join(piece for piece, _ in made), job)
    assert [(piece, value) for piece, _, value in found[-5:]] == made


class Told(EchoDialect):
    """Says `logprobs` of its own making."""

    def told(self, logprobs: dict[str, Any]) -> Any:
        return logprobs

    def completed(self, body: Any, positions: Positions, made: Positions) -> Any:
        answer = super().completed(body, positions, made)
        answer["choices"][0]["logprobs"] = self.told(answer["choices"][0]["logprobs"])
        return answer


def telling(change: Callable[[dict[str, Any]], Any]) -> type[Dialect]:
    return type("Telling", (Told,), {"told": lambda _, logprobs: change(logprobs)})


def without_generated(logprobs: dict[str, Any]) -> dict[str, Any]:
    return {name: values[:-1] for name, values in logprobs.items()}


def with_bos(logprobs: dict[str, Any]) -> dict[str, Any]:
    """A token in front that the prompt does not have, and offsets that count it."""
    return {
        "tokens": ["<s>", *logprobs["tokens"]],
        "token_logprobs": [None, -1.0, *logprobs["token_logprobs"][1:]],
        "text_offset": [0, *(at + 3 for at in logprobs["text_offset"])],
    }


@pytest.mark.parametrize(
    "change",
    [
        without_generated,
        with_bos,
        lambda logprobs: logprobs | {"text_offset": None},
        lambda logprobs: {name: values for name, values in logprobs.items() if name != "text_offset"},
        lambda logprobs: logprobs | {"text_offset": logprobs["text_offset"][:-1]},
        lambda logprobs: logprobs | {"text_offset": [at + 7 for at in logprobs["text_offset"]]},
        lambda logprobs: logprobs | {"text_offset": ["0" for _ in logprobs["text_offset"]]},
    ],
    ids="no-generated bos null missing short wrong strings".split(),
)
def test_servers_may_say_it_in_other_ways(change: Any, token_server: Serve, build: Build, job: Hasty) -> None:
    right = build(token_server("echo")).score(PROMPT, job)
    scores = build(token_server(telling(change))).score(PROMPT, job)
    assert [score.total for score in scores] == [score.total for score in right]
    assert [score.marks for score in scores] == [score.marks for score in right]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda logprobs: None, "the answer has no log-probabilities"),
        (lambda logprobs: {}, "the answer has no log-probabilities"),
        (lambda logprobs: logprobs | {"tokens": logprobs["tokens"][:-1]}, "the answer has no log-probabilities"),
        (lambda logprobs: logprobs | {"tokens": [None] * len(logprobs["tokens"])}, "a token has no text"),
        (lambda logprobs: logprobs | {"token_logprobs": ["-1"] * len(logprobs["tokens"])}, "is no number"),
        (lambda logprobs: logprobs | {"token_logprobs": [None] * len(logprobs["tokens"])}, "has no log-probability"),
        (
            lambda logprobs: {name: values[:9] + values[10:] for name, values in logprobs.items()},
            "its token offsets do not fit the prompt",
        ),
        (lambda logprobs: {name: values[:9] for name, values in logprobs.items()}, "do not fit the prompt"),
        (lambda logprobs: {name: [] for name in logprobs}, "do not fit the prompt"),
        (lambda logprobs: {"content": [{"id": 1, "token": "x", "logprob": -1.0}]}, "ignores echo.*llama-server"),
    ],
)
def test_what_does_not_fit_is_refused(change: Any, reason: str, token_server: Serve, build: Build, job: Hasty) -> None:
    with pytest.raises(EngineError, match=reason):
        build(token_server(telling(change))).score(PROMPT, job)


@pytest.mark.parametrize(
    ("dialect", "reason"),
    [
        ("deaf", r"ignores echo: its text does not begin with the prompt.*vllm, sglang and llama-server"),
        ("chat-logprobs", r"ignores echo: it scores the tokens that it generates.*--engine llama-server"),
    ],
)
def test_a_server_that_ignores_echo_is_told_from_one_that_scores(
    dialect: str, reason: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    with pytest.raises(EngineError, match=reason):
        build(token_server(dialect)).score(PROMPT, job)


# --- responses -------------------------------------------------------------------------------------------------------


def test_a_token_across_the_border_of_a_response_is_its_own(token_server: Serve, build: Build, job: Hasty) -> None:
    """The closed-form model merges the newline of the template with those of the response."""
    conversation = talk(user("Tea?"), assistant("\n\nGreen.\n"))

    (score,) = build(token_server("echo")).score(render(conversation), job)

    assert score.tokens is not None
    assert score.count == 4  # newlines, Green, full stop, newline
    assert (score.tokens.starts.tolist(), score.tokens.ends.tolist()) == ([0, 2, 7, 8], [2, 7, 8, 9])


def test_a_response_that_is_cut_otherwise_fails_alone(token_server: Serve, build: Build, tmp_path: Any) -> None:
    """Where nothing marks the border, what stands before a response merges with it."""
    template = tmp_path / "bare.jinja"
    template.write_text("{% for m in messages %}{{ m.content + '\\n' }}{% endfor %}")
    conversation = talk(
        user("Tea?"), memory("m", "She does.\n\n"), assistant("\nYes."), user("Hot?"), assistant("Hot.")
    )
    engine = build(token_server("echo"), template=str(template))
    run = MatrixRun(conversation)
    for ablation, result in columns(engine, conversation, run.plan, Job()):
        run.land(ablation, result)

    matrix = run.snapshot()
    assert matrix.state.tolist() == [[State.FAILED, State.OK]]
    assert matrix.error(0, 0) == RETOKENISED


def test_a_response_whose_border_cannot_be_told_fails_alone(token_server: Serve, build: Build, job: Hasty) -> None:
    """It ends with parts of a character, and next to them stands a special token that has no text either."""
    prompt = render(talk(user("Tea?"), assistant("Fällig"), user("Hot?"), assistant("wirklü"), assistant("Hot.")))
    server = token_server("echo")
    engine = build(server)
    right = engine.score(prompt, job)
    server.fault("textless")

    scores = engine.score(prompt, job)

    assert [score.failure for score in scores] == ["", MERGED, ""]
    assert [scores[0].total, scores[2].total] == [right[0].total, right[2].total]
    assert not right[1].failure


def test_a_response_that_nothing_stands_before_has_no_number(token_server: Serve, build: Build, tmp_path: Any) -> None:
    template = tmp_path / "bare.jinja"
    template.write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    engine = build(token_server("echo"), template=str(template))

    (score,) = engine.score(render(talk(assistant("Tea."))), Job())

    assert score.failure == NOTHING_BEFORE


def test_responses_without_a_word_cost_nothing(token_server: Serve, build: Build, job: Hasty) -> None:
    server = token_server("echo")
    scores = build(server).score(render(talk(user("y"), assistant(""), memory("m", "x"), assistant(""))), job)
    assert [(score.total, score.count) for score in scores] == [(0.0, 0)] * 2
    assert scores[0].marks != scores[1].marks
    assert not server.log()


def test_an_ablation_has_the_same_response_after_another_text(token_server: Serve, build: Build, job: Hasty) -> None:
    engine = build(token_server("echo"))
    whole, ablated = engine.score(PROMPT, job), engine.score(render(TALK, Ablation.of("hot")), job)
    assert whole[0].marks == ablated[0].marks
    assert whole[1].marks is not None
    assert ablated[1].marks is not None
    assert whole[1].marks.response == ablated[1].marks.response
    assert whole[1].marks.context != ablated[1].marks.context


# --- recorded --------------------------------------------------------------------------------------------------------


def test_a_recorded_echo_of_vllm_is_read_to_the_character(token_server: Serve, build: Build, job: Hasty) -> None:
    choice = recorded("vllm-completions-echo")["response"]["choices"][0]
    text = choice["text"].removesuffix(" j")

    found = build(token_server(replaying("vllm-completions-echo"))).tokens(text, job)

    told = choice["logprobs"]
    assert [at for _, at, _ in found] == told["text_offset"][:-1]
    assert [value for _, _, value in found] == told["token_logprobs"][:-1]
    assert "".join(piece for piece, _, _ in found) == text
    scored = recorded("vllm-completions-prompt_logprobs")["response"]["choices"][0]["prompt_logprobs"]
    values = [next(iter(entry.values()))["logprob"] for entry in scored[1:]]
    assert [value for _, _, value in found[1:]] == pytest.approx(values, abs=1e-4)


def test_a_recorded_echo_of_llama_cpp_python_is_read_with_its_special_tokens(
    token_server: Serve, build: Build, job: Hasty
) -> None:
    told = recorded("llama-cpp-python-echo")
    text = told["request"]["json"]["prompt"]

    found = build(token_server(replaying("llama-cpp-python-echo"))).tokens(text, job)

    assert len(found) == 47
    assert found[-2][1] == text.index("<|im_end|>", text.index("You are Robin"))
    assert all(text.startswith(piece, at) for piece, at, _ in found)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("llama-server-echo", "ignores echo: it scores the tokens that it generates"),
        ("llama-cpp-python-ids", "HTTP 500: 48 validation errors"),
    ],
)
def test_recorded_servers_that_do_not_score(
    name: str, reason: str, token_server: Serve, build: Build, job: Hasty
) -> None:
    prompt = recorded(name)["request"]["json"]["prompt"]
    with pytest.raises(EngineError, match=reason):
        build(token_server(replaying(name))).tokens(str(prompt), job)
