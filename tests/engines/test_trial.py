"""The trial: a server whose numbers are right passes, and one that misbehaves is caught with words for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from memscope.base.clock import set_clock
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Message, Text
from memscope.conversation.render import render
from memscope.engines import trial
from memscope.engines.checks import NOISE, SECONDS, Check
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.token_checks import total_checks
from memscope.engines.token_engine import ROUNDING
from memscope.engines.validity import problem
from tests.engines.llama_dialect import LlamaDialect
from tests.engines.server import ScoreServer
from tests.engines.token_server import DIALECTS, FAULTS, Formula, Positions, TokenServer

Serve = Callable[..., TokenServer]
ENGINES = {"vllm": "vllm", "sglang": "sglang", "echo": "openai-echo"}
ORDER = ["model", "template", "scores", "context", "agrees", "cache", "repeats"]


@pytest.fixture(autouse=True)
def _same_words() -> Iterator[None]:
    """The words of a trial hang on the time: once in fifty times those beside a shifted token have its value."""
    set_clock(lambda: 1_700_000_000.0)
    yield
    set_clock(None)


def tried(server: TokenServer, dialect: str, job: Job | None = None, **options: str) -> dict[str, Check]:
    spec = engine_spec(ENGINES.get(dialect, "llama-server"))
    assert spec.check is not None
    engine = spec.build(EngineOptions(base_url=server.url, api_key=server.key, **options))
    try:
        return {check.name: check for check in spec.check(engine, job or Job())}
    finally:
        engine.close()


def failed(checks: dict[str, Check]) -> list[str]:
    for check in checks.values():
        assert check.do or check.verdict in ("pass", "skip"), "a check that does not pass says what to do"
    return [name for name, check in checks.items() if check.verdict == "fail"]


@pytest.mark.parametrize("dialect", ENGINES)
def test_a_server_whose_numbers_are_right_passes_every_check(token_server: Serve, dialect: str) -> None:
    checks = tried(token_server(dialect), dialect)

    assert list(checks) == ORDER
    assert {check.verdict for check in checks.values()} == {"pass"}
    assert checks["context"].measured[SECONDS] > 0
    assert checks["repeats"].measured[NOISE] == 0
    assert "(±0.000 nats, at most 0.000)" in checks["agrees"].said
    assert "(±0.000 nats, at most 0.000)" in checks["cache"].said


def test_a_server_that_scores_by_generating_passes_too(token_server: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_WORDS", 40)  # the stand-in reads everything anew for each token
    checks = tried(token_server(LlamaDialect), "llama")

    assert [check.verdict for check in checks.values()] == ["pass"] * len(ORDER)


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        ("shifted", "agrees", "shifted by one token"),
        ("stale", "cache", "stale prefix cache"),
        ("border", "cache", "nats apart, at most 5.00: values from a stale prefix cache"),
        ("raw_logits", "scores", "no log-probability is positive"),
        ("nulls", "scores", ""),
        ("missing", "scores", ""),
    ],
)
def test_a_server_that_misbehaves_is_caught(
    token_server: Serve, dialect: str, fault: str, name: str, words: str
) -> None:
    server = token_server(dialect)
    server.fault(fault)

    checks = tried(server, dialect)

    assert failed(checks) == [name]
    assert words in checks[name].said


@pytest.mark.parametrize("dialect", ["vllm", "sglang"])
@pytest.mark.parametrize("fault", ["shifted_ids", "stale_ids"])
def test_scores_of_other_tokens_are_caught_by_their_ids(token_server: Serve, dialect: str, fault: str) -> None:
    server = token_server(dialect)
    server.fault(fault)

    checks = tried(server, dialect)

    first = failed(checks)[0]
    assert "was sent, and the score is of token" in checks[first].said


def shifted_the_other_way(right: Positions, _: int) -> Positions:
    return [right[0], *(replace(p, logprob=q.logprob or -1.0) for q, p in pairwise(right))]


def one_off(right: Positions, known: int) -> Positions:
    """Of what is new behind a long beginning, one value is a little off."""
    at = known + 4 if known > 100 else len(right)
    return [replace(p, logprob=p.logprob - 1.1) if n == at and p.logprob else p for n, p in enumerate(right)]


def another_model(right: Positions, _: int) -> Positions:
    return [p if p.logprob is None else replace(p, logprob=2 * p.logprob) for p in right]


@pytest.mark.parametrize(("spoil", "shift"), [(shifted_the_other_way, True), (another_model, False)])
def test_a_shift_is_told_from_other_wrong_numbers(
    token_server: Serve, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Positions, int], Positions], shift: bool
) -> None:
    monkeypatch.setitem(FAULTS, "spoilt", spoil)
    server = token_server("vllm")
    server.fault("spoilt")

    checks = tried(server, "vllm")

    assert failed(checks) == ["agrees"]
    assert ("shifted" in checks["agrees"].said) is shift


@pytest.mark.parametrize("dialect", ENGINES)
def test_a_single_wrong_value_does_not_vanish_in_the_mean(
    token_server: Serve, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    monkeypatch.setitem(FAULTS, "one_off", one_off)
    server = token_server(dialect)
    server.fault("one_off")

    checks = tried(server, dialect)

    assert failed(checks) == ["agrees"]
    assert "0.09 nats apart, at most 1.10 when" in checks["agrees"].said
    assert "shifted" not in checks["agrees"].said


@pytest.mark.parametrize("dialect", ENGINES)
def test_a_model_that_ends_its_turn_at_once_hides_no_shift(token_server: Serve, dialect: str) -> None:
    server = token_server(dialect, terse=True)
    well = tried(server, dialect)
    server.fault("shifted")
    shifted = tried(server, dialect)

    assert {check.verdict for check in well.values()} == {"pass"}
    assert well["agrees"].said.startswith(
        "3 generated" if dialect == "echo" else "12 generated"
    )  # it alone has to stop
    assert failed(shifted) == ["agrees"]
    assert "shifted by one token" in shifted["agrees"].said


def test_a_server_that_scores_by_generating_goes_on_when_a_turn_is_over(
    token_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_WORDS", 40)

    checks = tried(token_server(LlamaDialect, terse=True), "llama")

    assert checks["agrees"].verdict == "pass"
    assert checks["agrees"].said.startswith("12 generated tokens")


@pytest.mark.parametrize("dialect", ENGINES)
def test_the_model_goes_on_from_the_middle_of_what_is_said(token_server: Serve, dialect: str) -> None:
    server = token_server(dialect)

    tried(server, dialect)

    sent = [request.body for request in server.log()]
    prompts = [body.get("prompt", body.get("input_ids")) for body in sent if "messages" not in (body or "messages")]
    texts = [prompt if isinstance(prompt, str) else server.model.text(prompt) for prompt in prompts]
    long, begun = texts[1:3]  # after the short conversation
    assert long.startswith(begun)
    assert begun.startswith(long[: long.index("assistant")])
    assert len(long) // 2 < len(begun) < len(long) - 20
    assert dialect != "echo" or long[len(begun)] == " "  # in a text, a word that is cut may become other tokens


@pytest.mark.parametrize("above", [ROUNDING / 2, 2 * ROUNDING])
def test_values_above_zero_are_rounding_to_the_trial_where_they_are_to_a_scoring(
    token_server: Serve, above: float
) -> None:
    class Certain(Formula):
        def logprobs(self, ids: Sequence[int]) -> list[float]:
            return [above if at % 3 == 0 else value for at, value in enumerate(super().logprobs(ids))]

    server = token_server("vllm", model=Certain())
    engine = engine_spec("vllm").build(EngineOptions(base_url=server.url))
    said = "".join(f" {word}" for word in ("tea", "is", "green", "and", "it", "of", "what", "you", "want"))
    prompt = render(Conversation((Message("user", (Text("go"),)), Message("assistant", (Text(said * 3),)))))
    refused = problem(prompt, engine.score(prompt, Job())) is not None
    engine.close()

    assert refused is (above > ROUNDING)
    assert failed(tried(server, "vllm")) == (["scores"] if refused else [])


class Confident(Formula):
    """It is all but certain of what it would say itself."""

    def logprobs(self, ids: Sequence[int]) -> list[float]:
        own = [0, *(self.next(ids[:at]) for at in range(1, len(ids)))]
        found = super().logprobs(ids)
        return [-1 / 64 if token == said else value for token, said, value in zip(ids, own, found, strict=True)]


@pytest.mark.parametrize("spoil", [None, shifted_the_other_way, FAULTS["shifted"]])
def test_a_shift_does_not_hide_among_values_that_are_all_alike(
    token_server: Serve, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Positions, int], Positions] | None
) -> None:
    monkeypatch.setattr(trial, "_WORDS", 40)
    server = token_server("vllm", model=Confident())
    if spoil is not None:
        monkeypatch.setitem(FAULTS, "spoilt", spoil)
        server.fault("spoilt")

    checks = tried(server, "vllm")

    assert failed(checks) == ([] if spoil is None else ["agrees"])


@pytest.mark.parametrize("stale", [False, True])
def test_a_server_that_generates_without_ids_is_used_all_the_same(token_server: Serve, stale: bool) -> None:
    class Old(DIALECTS["vllm"]):  # type: ignore[misc]
        def completions(self, body: dict[str, object]) -> object:
            return super().completions({**body, "return_token_ids": False})

    server = token_server(Old)
    if stale:
        server.fault("stale")

    checks = tried(server, "vllm")

    assert checks["agrees"].verdict == "warn"
    assert "without token ids" in checks["agrees"].said
    assert failed(checks) == (["cache"] if stale else [])


def test_logits_that_are_all_negative_are_caught_too(token_server: Serve) -> None:
    class Logits(Formula):
        def logprobs(self, ids: Sequence[int]) -> list[float]:  # the same wherever they are asked for
            return [value - 40 for value in super().logprobs(ids)]

    checks = tried(token_server("vllm", model=Logits()), "vllm")

    assert failed(checks) == ["agrees"]
    assert "no log-probability" in checks["agrees"].said


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_values_that_are_no_numbers_are_caught(token_server: Serve, value: float) -> None:
    class Odd(Formula):
        def logprobs(self, ids: Sequence[int]) -> list[float]:
            found = super().logprobs(ids)
            return [*found[:-2], value, *found[-1:]]

    checks = tried(token_server("vllm", model=Odd()), "vllm")

    assert failed(checks) == ["scores"]


def test_a_server_that_ignores_echo_is_caught(token_server: Serve) -> None:
    for dialect in ("deaf", "chat-logprobs"):
        spec = engine_spec("openai-echo")
        assert spec.check is not None
        engine = spec.build(EngineOptions(base_url=token_server(dialect).url))
        checks = {check.name: check for check in spec.check(engine, Job())}
        engine.close()

        assert failed(checks) == ["scores"]
        assert "ignores echo" in checks["scores"].said


def test_a_wrong_model_name_is_told_with_the_servers_words_and_nothing_more_is_tried(token_server: Serve) -> None:
    server = token_server("vllm")

    checks = tried(server, "vllm", model="nope")

    assert failed(checks) == ["model"]
    assert "The model `nope` does not exist." in checks["model"].said
    assert "--model" in checks["model"].do
    assert {checks[name].verdict for name in ORDER[1:]} == {"skip"}
    assert all("because of model" in checks[name].said for name in ORDER[1:])
    assert server.log("/completions") == []


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unauthorized", "HTTP 401"),
        ("loading", "HTTP 503: Loading model"),
        ("html", "a web page"),
        ("crash", "HTTP 500"),
    ],
)
def test_a_server_that_refuses_is_told_with_its_words(
    token_server: Serve, job: Job, dialect: str, fault: str, words: str
) -> None:
    server = token_server(dialect)
    checks = tried(server, dialect, job, model="tiny")
    assert failed(checks) == []

    server.fault(fault)
    checks = tried(server, dialect, job, model="tiny")

    first = failed(checks)[0]
    assert words in checks[first].said


def test_an_expired_key_says_so(token_server: Serve) -> None:
    server = token_server("vllm", key="new")

    spec = engine_spec("vllm")
    assert spec.check is not None
    engine = spec.build(EngineOptions(base_url=server.url, model="tiny", api_key="expired"))
    checks = {check.name: check for check in spec.check(engine, Job())}
    engine.close()

    assert failed(checks) == ["model"]
    assert "HTTP 401" in checks["model"].said
    assert "expired" in checks["model"].do
    assert "MEMSCOPE_API_KEY" in checks["model"].do


@pytest.mark.parametrize(
    ("longest", "verdict"), [(100, "fail"), (220, "warn"), (1_000, "warn"), (4_096, "pass"), (1_000_000, "pass")]
)
def test_a_short_context_is_told_and_the_trial_keeps_within_it(token_server: Serve, longest: int, verdict: str) -> None:
    checks = tried(token_server("vllm", longest=longest), "vllm")

    assert checks["context"].verdict == verdict
    assert f"{longest:,}" in checks["context"].said
    assert failed(checks) == (["context"] if verdict == "fail" else [])


def test_a_context_that_the_server_keeps_to_itself_is_found_out(token_server: Serve) -> None:
    class Silent(DIALECTS["vllm"]):  # type: ignore[misc]
        def about(self) -> dict[str, object]:
            return {}

    checks = tried(token_server(Silent, longest=128), "vllm")

    assert failed(checks) == ["context"]
    assert "maximum context length is 128 tokens" in checks["context"].said
    assert "longer context" in checks["context"].do


def refusing(role: str) -> Callable[..., str]:
    def render(messages: list[dict[str, str]], _tools: object) -> str:
        for number, message in enumerate(messages):
            if message["role"] == role and number:
                raise ValueError(f"no {role} here")
        return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)

    return render


def dropping(messages: list[dict[str, str]], _tools: object) -> str:
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}\n" for m in messages if m["role"] != "system")


def test_a_template_that_refuses_or_drops_memories_is_a_warning_that_says_which(token_server: Serve) -> None:
    refuses = tried(token_server("vllm", render=refusing("system")), "vllm")["template"]
    drops = tried(token_server("vllm", render=dropping), "vllm")

    assert refuses.verdict == "warn"
    assert "refuses a system message in mid-conversation (HTTP 400: no system here)" in refuses.said
    assert "--fold memories" in refuses.do
    assert "does not show a first system message; it does not show a system message" in drops["template"].said
    assert failed(drops) == []  # the numbers are right all the same


def test_folding_mends_the_template(token_server: Serve) -> None:
    server = token_server("vllm", render=refusing("system"))

    assert tried(server, "vllm", fold="memories")["template"].verdict == "pass"


def test_noise_is_measured_and_much_of_it_is_a_warning(token_server: Serve) -> None:
    quiet = tried(token_server("vllm", noise=1 / 1024), "vllm")["repeats"]
    loud = tried(token_server("vllm", noise=0.25), "vllm")["repeats"]

    assert quiet.verdict == "pass"
    assert 0 < quiet.measured[NOISE] < 0.5
    assert loud.verdict == "warn"
    assert loud.measured[NOISE] > 0.5
    assert f"{loud.measured[NOISE]:.3g} nats" in loud.said


def test_every_trial_uses_words_that_no_server_has_seen(token_server: Serve) -> None:
    server = token_server("vllm")
    for second in (1.0, 2.0):
        set_clock(lambda second=second: second)  # type: ignore[misc]
        tried(server, "vllm")

    sent = [str(request.body["messages"]) for request in server.log("/tokenize")]
    assert not set(sent[: len(sent) // 2]) & set(sent[len(sent) // 2 :])


def test_a_trial_can_be_stopped(token_server: Serve) -> None:
    job = Job()
    spec = engine_spec("vllm")
    assert spec.check is not None
    engine = spec.build(EngineOptions(base_url=token_server("vllm").url))
    checks = spec.check(engine, job)
    next(checks)
    job.cancel()

    with pytest.raises(Cancelled):
        next(checks)
    engine.close()


# --- engines that give totals alone ----------------------------------------------------------------------------------


def totals(server: ScoreServer, job: Job) -> dict[str, Check]:
    engine = engine_spec("score-api").build(EngineOptions(base_url=server.url, model="scorer", api_key=server.key))
    try:
        return {check.name: check for check in total_checks(engine, job)}
    finally:
        engine.close()


def test_totals_are_scored_twice(score_server: Callable[..., ScoreServer], job: Job) -> None:
    checks = totals(score_server(), job)
    noisy = totals(score_server(NOISE=0.75), job)

    assert [(check.name, check.verdict) for check in checks.values()] == [("scores", "pass"), ("repeats", "pass")]
    assert noisy["repeats"].verdict == "warn"
    assert noisy["repeats"].measured == {NOISE: 1.5}  # each of the two responses counts as a repetition there


@pytest.mark.parametrize("fault", ["count", "surplus", "nan", "null", "infinite", "positive", "other", "error", "500"])
def test_totals_that_are_none_are_caught(score_server: Callable[..., ScoreServer], job: Job, fault: str) -> None:
    checks = totals(score_server(FAULT=fault), job)

    assert failed(checks) == ["scores"]
