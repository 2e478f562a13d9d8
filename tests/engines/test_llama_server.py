"""llama.cpp's server: forced decoding, the tokens that cannot be forced, and what such a server does wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.base.text import Span
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, render, response_text
from memscope.engines.chat import Chat, chat
from memscope.engines.llama_server import ENGINE
from memscope.engines.protocol import Capabilities, EngineIdentity, ResponseScore
from memscope.engines.registry import EngineOptions
from memscope.engines.token_engine import TokenEngine, TokenScores
from memscope.engines.token_text import spelled
from tests.engines.conftest import Hasty
from tests.engines.llama_dialect import BOS, END, LlamaDialect, recorded
from tests.engines.token_server import NAME, Dialect, Formula, TokenServer, chatml
from tests.fakes import assistant, memory, office, talk, user

Serve = Callable[..., TokenServer]
Engines = Callable[..., TokenEngine]

SIGNS = "Naïve café – déjà vu 😀 größer"  # the closed-form model cuts some of its characters in two


class Local:
    """The closed-form model without a server: what the numbers have to be."""

    identity = EngineIdentity("local")
    capabilities = Capabilities("local", tokens=True, concurrency=1)

    def longest(self, job: Job) -> int | None:
        return None

    def lay(self, said: Chat, job: Job) -> list[int]:
        return Formula().encode(chatml(said.messages, said.tools))

    def logprobs(self, ids: list[int], spans: Sequence[Span], job: Job) -> list[TokenScores]:
        values = Formula().logprobs(ids)
        return [TokenScores(np.array(values[start:end])) for start, end in spans]

    def generate(self, ids: list[int], count: int, job: Job) -> list[tuple[int, float]]:
        raise NotImplementedError

    def close(self) -> None: ...


@pytest.fixture
def llama(token_server: Serve) -> TokenServer:
    return token_server(LlamaDialect)


@pytest.fixture
def engine_of() -> Iterator[Engines]:
    made: list[TokenEngine] = []

    def build(server: TokenServer, **options: Any) -> TokenEngine:
        engine = ENGINE.build(EngineOptions(**{"base_url": server.url, "model": NAME, "api_key": server.key} | options))
        assert isinstance(engine, TokenEngine)
        made.append(engine)
        return engine

    yield build
    for engine in made:
        engine.close()


def true_scores(prompt: Prompt) -> list[ResponseScore]:
    return TokenEngine(Local()).score(prompt, Job())


def totals(scores: Sequence[ResponseScore]) -> list[float]:
    return [score.total for score in scores]


def signs() -> Conversation:
    return talk(
        memory("m", "Answer with signs."), user("Say it."), assistant(SIGNS), user("And?"), assistant("So be it.")
    )


def completions(server: TokenServer) -> list[Mapping[str, Any]]:
    return [request.body for request in server.log("/completion")]


# --- what a real server answered -------------------------------------------------------------------------------------


class Recorded(Dialect):
    """A real server's answers to one conversation."""

    def __init__(self, server: TokenServer) -> None:
        super().__init__(server)
        self.grammar = recorded("grammar")
        told = self.grammar["response"]["completion_probabilities"]
        pieces = {entry["id"]: entry["piece"] for entry in recorded("tokenize")["response"]["tokens"]}
        pieces |= {entry["id"]: entry["token"] for entry in told}
        ids = self.grammar["request"]["prompt"] + self.grammar["response"]["tokens"]
        self.tokens = [{"id": token, "piece": pieces[token]} for token in ids]
        self.routes |= {
            "GET /v1/models": lambda _: recorded("models")["response"],
            "GET /props": lambda _: recorded("props")["response"],
            "POST /apply-template": lambda _: recorded("apply-template")["response"],
            "POST /tokenize": lambda _: {"tokens": self.tokens},
            "POST /completion": lambda body: self.answer(body)["response"],
        }

    def answer(self, body: Mapping[str, Any]) -> Any:
        return self.grammar if "grammar" in body else recorded("favoured")


def test_a_recorded_answer_gives_the_log_probabilities_of_the_response(
    token_server: Serve, engine_of: Engines, job: Hasty
) -> None:
    server = token_server(Recorded)
    model = engine_of(server, model="").model
    ids = model.lay(chat(render(office())), job)

    [scored] = model.logprobs(ids, [(38, 59)], job)

    answer = recorded("grammar")["response"]
    assert scored.logprobs.tolist() == [entry["logprob"] for entry in answer["completion_probabilities"]]
    assert scored.pieces is not None
    assert "".join(scored.pieces) == answer["content"]
    [sent] = completions(server)
    asked = recorded("grammar")["request"]
    assert {name: sent[name] for name in asked} == asked
    assert model.identity.model == "tiny-llama.gguf"
    assert model.longest(job) == 4096


def test_a_recorded_end_of_turn_is_scored_by_a_request_of_its_own(
    token_server: Serve, engine_of: Engines, job: Hasty
) -> None:
    server = token_server(Recorded)
    model = engine_of(server).model
    ids = [*model.lay(chat(render(office())), job), 2]

    [scored] = model.logprobs(ids, [(59, 60)], job)

    assert scored.logprobs.tolist() == [-9.90088939666748]
    [sent] = completions(server)
    assert sent["logit_bias"] == [[2, 10_000]] and sent["n_predict"] == 1 and sent["samplers"] == ["temperature"]


# --- scoring ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("conversation", [office(), signs()], ids=["office", "signs"])
def test_forced_decoding_gives_the_model_s_own_numbers(
    conversation: Conversation, llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    engine = engine_of(llama)

    for removed in ([], [conversation.memories[0].key]):
        prompt = render(conversation, Ablation.of(*removed))
        found, right = engine.score(prompt, job), true_scores(prompt)

        assert totals(found) == totals(right)
        assert [score.marks for score in found] == [score.marks for score in right]


def test_a_response_is_one_request_that_forces_each_of_its_tokens(
    llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    prompt = render(talk(user("Hi."), assistant("So be it.")))

    engine_of(llama).score(prompt, job)

    ids = Formula().encode("So be it.")
    [sent] = completions(llama)
    assert sent["grammar"] == "root ::= " + " ".join(f"<[{token}]>" for token in ids)
    assert sent["n_predict"] == len(ids) and sent["n_probs"] == 1 and sent["cache_prompt"] is True
    assert sent["n_cache_reuse"] == 0 and sent["ignore_eos"] is False


def test_the_last_turn_is_closed_by_a_turn_of_the_user(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    model = engine_of(llama).model

    laid = model.lay(chat(render(office())), job)

    right = Local().lay(chat(render(office())), job)
    assert laid[: len(right)] == right
    assert laid[len(right) - 2] == END
    [sent] = llama.log("/apply-template")
    assert sent.body["messages"][-1]["role"] == "user" and sent.body["add_generation_prompt"] is False


def test_a_beginning_that_the_template_has_written_is_not_doubled(
    token_server: Serve, engine_of: Engines, job: Hasty
) -> None:
    def begun(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> str:
        return "<s>" + chatml(messages, tools)

    writes, does_not = token_server(LlamaDialect, render=begun), token_server(LlamaDialect)
    said = chat(render(office()))
    for server in (writes, does_not):
        server.speaks.bos = True  # type: ignore[attr-defined]
        laid = engine_of(server).model.lay(said, job)

        assert laid[0] == BOS and laid[1] != BOS


def test_what_the_text_itself_doubles_stays(token_server: Serve, engine_of: Engines, job: Hasty) -> None:
    server = token_server(LlamaDialect, render=lambda messages, tools: ".." + chatml(messages, tools))

    laid = engine_of(server).model.lay(chat(render(office())), job)

    assert laid[0] == laid[1] == Formula().encode(".")[0]


def test_the_pieces_of_cut_characters_make_the_text(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    conversation = signs()

    first, _ = engine_of(llama).score(render(conversation), job)

    assert first.tokens is not None
    text = response_text(conversation, conversation.responses[0])
    parts = [text[a:b] for a, b in zip(first.tokens.starts, first.tokens.ends, strict=True)]
    assert "".join(parts) == text == SIGNS
    assert " déj" in parts and "à" in parts  # cut in the middle of the last letter
    assert len(parts) == first.count == len(Formula().encode(SIGNS))


def test_a_token_that_is_never_reported_is_found_among_all_there_are(
    llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    llama.speaks.crowd = 1_500  # type: ignore[attr-defined] - likelier tokens than any of the text

    found = engine_of(llama).score(render(signs()), job)

    assert totals(found) == totals(true_scores(render(signs())))
    assert {1_000, 2**20} <= {sent["n_probs"] for sent in completions(llama)}


def test_a_refused_grammar_is_scored_token_by_token_and_the_special_token_remembered(
    llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    llama.speaks.shown[END] = "END"  # type: ignore[attr-defined] - nothing tells that it ends a generation
    conversation = talk(user("Hi."), assistant("I write <|im_end|> and go on."), user("Again."), assistant("So be it."))
    engine, prompt = engine_of(llama), render(conversation)

    found = engine.score(prompt, job)

    assert totals(found) == totals(true_scores(prompt))
    refused = len([sent for sent in completions(llama) if f"<[{END}]>" in sent.get("grammar", "")])
    llama.forget()
    again = engine.score(render(conversation, Ablation(frozenset(), 1)), job)
    assert totals(again) == totals(found)
    assert refused and not [sent for sent in completions(llama) if f"<[{END}]>" in sent.get("grammar", "")]


def test_a_server_that_generates_few_tokens_at_a_time_is_asked_again(
    llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    llama.speaks.at_once = 3  # type: ignore[attr-defined]

    found = engine_of(llama).score(render(office()), job)

    assert totals(found) == totals(true_scores(render(office())))


def test_responses_before_the_change_are_not_asked_for_again(
    llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    engine, conversation = engine_of(llama), office()
    whole = engine.score(render(conversation), job)
    llama.forget()

    found = engine.score(render(conversation, Ablation.of("pnpm")), job)

    assert found[0].total == whole[0].total
    assert totals(found) == totals(true_scores(render(conversation, Ablation.of("pnpm"))))
    before = Local().lay(chat(render(conversation)), job)
    change = Formula().encode(chatml(chat(render(conversation)).messages[:3], ()))
    assert completions(llama) and all(len(sent["prompt"]) > len(change) for sent in completions(llama))
    assert before[: len(change)] == change


def test_what_the_model_generates_is_scored_alike(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    model = engine_of(llama).model
    ids = model.lay(chat(render(office())), job)

    made = model.generate(ids, 5, job)
    whole = [*ids, *(token for token, _ in made)]
    [scored] = model.logprobs(whole, [(len(ids), len(whole))], job)

    assert len(made) == 5
    assert scored.logprobs.tolist() == [value for _, value in made]


# --- what such a server does wrong -----------------------------------------------------------------------------------


def failing(engine: TokenEngine, job: Job, prompt: Prompt | None = None) -> EngineError:
    with pytest.raises(EngineError) as caught:
        engine.score(prompt or render(office()), job)
    return caught.value


def test_another_token_than_the_forced_one_is_refused(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    llama.speaks.obeys = False  # type: ignore[attr-defined]

    error = failing(engine_of(llama), job)

    wanted = Formula().encode("I")[0]
    assert f"token {wanted} had to be generated" in error.what and "obeys grammars" in error.do


def test_another_token_in_the_middle_is_refused(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    llama.fault("stale_ids")
    engine = engine_of(llama)
    engine.score(render(talk(user("Hi."), assistant("One."))), job)  # nothing is stale yet

    error = failing(engine, job, render(talk(user("Hi."), assistant("One. Two."))))

    assert "had to be generated" in error.what


def test_an_answer_without_probabilities_is_named(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    llama.speaks.mute = True  # type: ignore[attr-defined]

    error = failing(engine_of(llama), job)

    assert "completion_probabilities" in error.what and "n_probs" in error.what


def test_drafted_tokens_are_no_scores(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    llama.speaks.drafts = True  # type: ignore[attr-defined]

    error = failing(engine_of(llama), job)

    assert "drafted" in error.what and "speculative" in error.do


def test_a_probability_that_is_rounded_to_nothing_is_no_score(
    llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    llama.speaks.rounds = True  # type: ignore[attr-defined]

    assert "rounds the probability" in failing(engine_of(llama), job).what


def test_a_server_that_is_loading_says_so_and_what_to_do(llama: TokenServer, engine_of: Engines, job: Hasty) -> None:
    engine = engine_of(llama)
    llama.fault("loading")

    error = failing(engine, job)

    assert "Loading model" in error.what and "wait" in error.do
    assert len(llama.log("/apply-template")) == 3
    with pytest.raises(EngineError) as caught:
        engine.model.longest(job)
    assert "wait" in caught.value.do


def test_a_conversation_that_is_too_long_is_named_with_both_numbers(
    token_server: Serve, engine_of: Engines, job: Hasty
) -> None:
    server = token_server(LlamaDialect, longest=50)
    engine = engine_of(server)

    error = failing(engine, job)

    tokens = engine.count(render(office()), job)
    assert f"{tokens} tokens" in error.what and "takes 50" in error.what
    assert not completions(server)


def test_a_server_that_does_not_say_how_long_is_asked_for_its_models(
    token_server: Serve, engine_of: Engines, job: Hasty
) -> None:
    server = token_server(LlamaDialect, longest=50)
    server.speaks.told = False  # type: ignore[attr-defined]

    assert engine_of(server).model.longest(job) == 50


def test_a_server_that_finds_the_context_too_long_itself_says_what_to_start_it_with(
    token_server: Serve, engine_of: Engines, job: Hasty
) -> None:
    server = token_server(LlamaDialect, longest=50)
    model = engine_of(server).model
    ids = model.lay(chat(render(office())), job)

    with pytest.raises(EngineError) as caught:
        model.logprobs(ids, [(60, 62)], job)

    assert "60 tokens" in caught.value.what and "50 tokens" in caught.value.what and "-c" in caught.value.do


def test_a_template_that_refuses_the_conversation_is_named(token_server: Serve, engine_of: Engines, job: Hasty) -> None:
    def strict(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> str:
        raise ValueError("Conversation roles must alternate")

    error = failing(engine_of(token_server(LlamaDialect, render=strict)), job)

    assert "the chat template refuses" in error.what and "must alternate" in error.what and "--fold" in error.do


@pytest.mark.parametrize("path", ["/apply-template", "/tokenize", "/completion", "/props"])
@pytest.mark.parametrize("fault", ["other", "error_inside", "html", "cut", "unauthorized"])
def test_an_answer_that_is_none_is_an_error_with_the_server_s_name(
    path: str, fault: str, llama: TokenServer, engine_of: Engines, job: Hasty
) -> None:
    llama.fault(fault, path=path)
    engine = engine_of(llama)

    if (path, fault) == ("/props", "other"):
        assert engine.model.longest(job) == llama.longest  # its list of models says it too
    else:
        assert failing(engine, job).where is not None


def test_the_key_is_sent_and_the_only_model_chosen(token_server: Serve, engine_of: Engines, job: Hasty) -> None:
    server = token_server(LlamaDialect, key="sesame", models=("bear.gguf",))

    engine = engine_of(server, model="", base_url=server.root)

    assert totals(engine.score(render(office()), job)) == totals(true_scores(render(office())))
    assert engine.identity.model == "bear.gguf" and engine.identity.url == server.root
    assert "sesame" not in repr(engine.identity)
    with pytest.raises(EngineError) as caught:
        engine_of(server, model="bear.gguf", api_key="not sesame").score(render(office()), job)
    assert "MEMSCOPE_API_KEY" in caught.value.do and "not sesame" not in str(caught.value)


def test_without_an_address_it_says_what_to_give() -> None:
    with pytest.raises(UsageError) as caught:
        ENGINE.build(EngineOptions())

    assert "--base-url" in caught.value.do


def test_it_reuses_what_stands_before_a_change_and_says_that_it_is_slow() -> None:
    assert ENGINE.capabilities.reuses and ENGINE.capabilities.tokens
    assert ENGINE.capabilities.concurrency == 1
    assert "slow" in ENGINE.capabilities.limits


@given(st.text(), st.lists(st.integers(0, 40)))
def test_the_texts_of_tokens_make_the_text_wherever_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode("utf-8", "replace")
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})

    pieces = spelled([data[a:b] for a, b in pairwise(edges)])

    assert "".join(pieces) == data.decode()
    assert len(pieces) == len(edges) - 1
