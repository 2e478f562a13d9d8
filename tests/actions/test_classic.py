"""Classic mode beside a plain implementation of it, over HTTP: the same numbers, quirks included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from memscope.actions.engine import Scorer, open_scorer
from memscope.actions.incremental import look_what_is_due, score_due
from memscope.actions.known import weights_of
from memscope.actions.memory import score_memory
from memscope.actions.score import document_matrix, fill, new_run, score_matrix
from memscope.attribution.aggregates import cutoffs, important
from memscope.attribution.classic import classic_dependences
from memscope.attribution.finetune import dependences
from memscope.attribution.windows import cut, last_messages
from memscope.base.clock import iso
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text
from memscope.reports.matrix import CostPart, MatrixDocument, matrix_document
from memscope.store.weights import Weighed
from tests import classic_oracle as oracle
from tests.classic_oracle import CallFailed, Entry
from tests.engines.server import KEY, ScoreServer, score

Serve = Callable[..., ScoreServer]
KEYS = ("k0", "k1", "k2", "k3")

_said = st.builds(
    lambda role, n: {"role": role, "content": f"{role} {n} " + "x" * n},
    st.sampled_from(["user", "assistant"]),
    st.integers(0, 9),
)
_memory = st.builds(
    lambda key, role, n: {"role": role, "content": f"fact of {key}, {n}", "memory_key": key},
    st.sampled_from(KEYS),
    st.sampled_from(["user", "user", "system"]),
    st.integers(0, 2),
)
_body = st.lists(st.one_of(_said, _memory), min_size=1, max_size=14)
_head = st.lists(st.just({"role": "system", "content": "You help."}), max_size=2)


@st.composite
def talks(draw: st.DrawFn, *, ends: bool = False) -> list[Entry]:
    """Any conversation with a memory and a response; it `ends` with a response, where what is missing in the requests
    matters: nothing is sent behind the last."""
    opening: Entry = {"role": "user", "content": "Hello."}  # no memory is a part of the system prompt
    body = draw(_body)
    talk = [*draw(_head), opening, *body, *([{"role": "assistant", "content": "The end."}] if ends else [])]
    assume(any("memory_key" in entry for entry in talk) and any(entry["role"] == "assistant" for entry in talk))
    return talk


@dataclass(frozen=True)
class Wrong:
    """What goes wrong with requests that lack a text: they fail, or a score is missing or too many."""

    fault: str = ""
    lacking: str = ""

    def call(self, messages: list[Entry]) -> list[float]:
        """What the server answers."""
        scores = score(messages)
        if not self.fault or any(self.lacking in message["content"] for message in messages):
            return scores
        if self.fault == "500":
            raise CallFailed
        return scores[:-1] if self.fault == "count" else [*scores, -1.0]

    def configure(self, server: ScoreServer) -> None:
        server.configure(FAULT=self.fault, FAULT_UNLESS=self.lacking) if self.fault else server.configure()


NOTHING = Wrong()
_texts = [f"fact of {key}" for key in KEYS]
wrongs = st.builds(Wrong, st.sampled_from(["500", "count", "surplus"]), st.sampled_from(_texts))


def conversation(talk: list[Entry]) -> Conversation:
    def part(entry: Entry) -> Text | Memory:
        key = entry.get("memory_key")
        return Text(entry["content"]) if key is None else Memory(key, entry["content"])

    return Conversation(tuple(Message(entry["role"], (part(entry),)) for entry in talk))


def of(server: ScoreServer, compat: str = "classic", **values: object) -> Settings:
    return Settings.model_validate(
        {
            "engine": "score-api",
            "base_url": server.url,
            "model": "scorer",
            "compat": compat,
            "context": "window",
            "store": False,
            **values,
        }
    )


@contextmanager
def scoring(wanted: Settings) -> Iterator[Scorer]:
    scorer = open_scorer(wanted)
    try:
        yield scorer
    finally:
        scorer.close()


def matrix_of(talk: list[Entry], wanted: Settings) -> MatrixDocument:
    """What `memscope matrix` prints."""
    found = conversation(talk)
    with scoring(wanted) as scorer:
        run, _ = score_matrix(found, scorer, Job())
    cost = CostPart(scorings=0, from_store=0, seconds=0.0)
    identity = scorer.engine.identity
    return matrix_document(found, document_matrix(run), identity, 0.01, cost, settings=wanted)


def close(value: object) -> object:
    return pytest.approx(value, abs=1e-9, rel=0)


@pytest.fixture
def server(score_server: Serve, monkeypatch: pytest.MonkeyPatch) -> ScoreServer:
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    return score_server()


many = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- the matrix ------------------------------------------------------------------------------------------------------


@many
@given(talk=talks())
def test_the_matrix_is_the_classic_one(talk: list[Entry], server: ScoreServer) -> None:
    keys, rows = oracle.score_memories(talk, NOTHING.call, unique=False)
    document = matrix_of(talk, of(server))
    assert [row.key for row in document.memories] == keys
    assert document.effects == [close(row) for row in rows]
    assert [row.total for row in document.memories] == close([sum(row) for row in rows])
    assert [row.total for row in document.responses] == close([sum(column) for column in zip(*rows, strict=True)])
    assert (document.settings.compat, document.settings.context) == ("classic", "window")


@many
@given(talk=talks(ends=True), wrong=wrongs)
def test_what_a_server_does_wrong_makes_the_same_zeros(talk: list[Entry], wrong: Wrong, server: ScoreServer) -> None:
    assume(any(wrong.lacking in entry["content"] for entry in talk))
    wrong.configure(server)
    keys, rows = oracle.score_memories(talk, wrong.call, unique=False)
    document = matrix_of(talk, of(server))
    assert [row.key for row in document.memories] == keys
    assert document.effects == [close(row) for row in rows]
    assert {row.left_out for row in document.memories} == {0}


@many
@given(talk=talks())
def test_the_positive_effects_of_the_usual_matrix_are_the_classic_numbers(
    talk: list[Entry], server: ScoreServer
) -> None:
    keys, rows = oracle.score_memories(talk, NOTHING.call, unique=True)
    document = matrix_of(talk, of(server, compat=""))
    assert [row.key for row in document.memories] == keys
    effects = [[max(0.0, effect or 0.0) for effect in row] for row in document.effects]
    assert effects == [close(row) for row in rows]
    assert [row.total for row in document.memories] == close([sum(row) for row in rows])
    assert [row.total for row in document.responses] == close([sum(column) for column in zip(*rows, strict=True)])


@many
@given(talk=talks())
def test_the_important_memories_are_the_classic_ones(talk: list[Entry], server: ScoreServer) -> None:
    keys, rows = oracle.score_memories(talk, NOTHING.call, unique=True)
    with scoring(of(server)) as scorer:
        run, _ = score_matrix(conversation(talk), scorer, Job())
    matrix = run.snapshot()
    for column in range(len(matrix.responses)):
        found = [
            (matrix.keys[row], matrix.effects[row, column]) for row in important(matrix, cutoffs(matrix, 0.01), column)
        ]
        assert found == oracle.important(keys, rows, column)


RETURNS: list[Entry] = [
    {"role": "user", "content": "Hello."},
    {"role": "user", "content": "fact of a", "memory_key": "a"},
    {"role": "user", "content": "fact of b", "memory_key": "b"},
    {"role": "assistant", "content": "First."},
    {"role": "user", "content": "fact of a", "memory_key": "a"},
    {"role": "user", "content": "fact of a, again", "memory_key": "a"},
    {"role": "user", "content": "fact of late", "memory_key": "late"},
    {"role": "assistant", "content": "Second."},
]


def test_a_memory_that_returns_after_another_has_a_row_each_time_and_counts_twice(server: ScoreServer) -> None:
    document = matrix_of(RETURNS, of(server))
    assert [row.key for row in document.memories] == ["a", "b", "a", "late"]
    assert document.effects[0] == document.effects[2]
    columns = zip(*document.effects, strict=True)
    assert [row.total for row in document.responses] == close([sum(map(float, c)) for c in columns])
    usual = matrix_of(RETURNS, of(server, compat=""))
    assert [row.key for row in usual.memories] == ["a", "b", "late"]


def test_a_classic_run_makes_a_request_for_each_memory_and_one_more(server: ScoreServer) -> None:
    matrix_of(RETURNS, of(server))
    assert len(server.log("/score")) == 3 + 1


def test_nothing_is_tried_twice(server: ScoreServer) -> None:
    server.configure(FAULT="503", FAULT_UNLESS="fact of b", RETRY_AFTER=0)
    document = matrix_of(RETURNS, of(server))
    assert len(server.log("/score")) == 3 + 1
    assert document.effects[1] == [0.0, 0.0]
    assert document.memories[1].state == "ok"
    assert "503" in (document.memories[1].error or "")  # zeros, but no secret


def test_effects_below_zero_count_as_zero(server: ScoreServer) -> None:
    facts = [{"role": "user", "content": f"fact {n}", "memory_key": f"k{n}"} for n in range(8)]
    talk = [*facts, {"role": "assistant", "content": "Yes."}]
    usual, classic = (matrix_of(talk, of(server, compat)) for compat in ("", "classic"))
    effects = [effect for (effect,) in usual.effects if effect is not None]
    assert min(effects) < 0
    assert classic.effects == [[max(0.0, effect)] for effect in effects]
    assert {row.against for row in classic.memories} == {0.0}


def test_what_an_engine_returns_for_a_memory_that_comes_later_counts(server: ScoreServer) -> None:
    server.configure(NOISE=0)
    quiet = matrix_of(RETURNS, of(server))
    assert quiet.effects[3][0] == 0.0
    with scoring(of(server)) as scorer:
        run = new_run(conversation(RETURNS), keep_tokens=True, classic=True)
        fill(run, (BASELINE, Ablation.of("late")), scorer, Job())
        found = run.landed([Ablation.of("late")])[Ablation.of("late")]
        assert isinstance(found, list)
        run.land(Ablation.of("late"), [type(one)(one.total - 1.0) for one in found])
    assert run.snapshot().effects[2, 0] == close(1.0)


def test_a_baseline_that_fails_is_an_error(server: ScoreServer) -> None:
    server.configure(FAULT="500")
    document = matrix_of(RETURNS, of(server))
    assert document.reason is not None
    assert "could not be scored" in document.reason
    assert {row.total for row in document.memories[:3]} == {None}


def test_the_threshold_alone_decides_what_counts(server: ScoreServer) -> None:
    server.configure(NOISE=4)
    usual, classic = (matrix_of(RETURNS, of(server, compat)) for compat in ("", "classic"))
    assert {row.cutoff for row in classic.responses} == {0.01}
    assert max(row.cutoff for row in usual.responses) > 1
    assert {row.noise for row in classic.responses} == {None}


def test_a_lenient_answer_is_not_kept(server: ScoreServer, tmp_path: Path) -> None:
    server.configure(FAULT="count", FAULT_UNLESS="fact of b")
    with scoring(of(server, store=True)) as scorer:
        score_matrix(conversation(RETURNS), scorer, Job())
    server.configure()
    with scoring(of(server, store=True, compat="")) as scorer:
        run, _ = score_matrix(conversation(RETURNS), scorer, Job())
    asked = [request.body["messages"] for request in server.log("/score")]
    assert [message["content"] for message in RETURNS if message["content"] != "fact of b"] in [
        [message["content"] for message in messages] for messages in asked
    ]
    assert not run.snapshot().errors
    assert not run.snapshot().cell_errors


# --- one memory, those that are due, and candidates ------------------------------------------------------------------


@many
@given(talk=talks(), responses=st.integers(1, 4), compat=st.sampled_from(["", "classic"]))
def test_one_memory_has_its_classic_divergence(
    talk: list[Entry], responses: int, compat: str, server: ScoreServer
) -> None:
    found = conversation(talk)
    with scoring(of(server, compat)) as scorer:
        for memory in found.memories:
            effects, _ = score_memory(found, memory.key, scorer, Job(), responses=responses, context="window")
            assert effects.divergence == close(oracle.score_memory(talk, NOTHING.call, memory.key, responses))


@many
@given(talk=talks(ends=True), wrong=wrongs, responses=st.integers(1, 4))
def test_one_memory_of_a_server_that_goes_wrong(
    talk: list[Entry], wrong: Wrong, responses: int, server: ScoreServer
) -> None:
    wrong.configure(server)
    found = conversation(talk)
    with scoring(of(server)) as scorer:
        for memory in found.memories:
            effects, _ = score_memory(found, memory.key, scorer, Job(), responses=responses, context="window")
            try:
                expected = oracle.score_memory(talk, wrong.call, memory.key, responses)
            except CallFailed:
                assert effects.failed
                assert effects.divergence is None
            else:
                assert effects.divergence == close(expected)


@many
@given(
    talk=talks(ends=True),
    wrong=st.one_of(st.just(NOTHING), wrongs),
    ages=st.dictionaries(st.sampled_from(KEYS), st.floats(0, 8000)),
    responses=st.integers(1, 4),
    percent=st.integers(0, 100),
    compat=st.sampled_from(["", "classic"]),
)
def test_what_is_due_has_its_classic_scores(
    talk: list[Entry],
    wrong: Wrong,
    ages: dict[str, float],
    responses: int,
    percent: int,
    compat: str,
    server: ScoreServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if compat == "":
        wrong = NOTHING
    wrong.configure(server)
    now = 1_800_000_000.0
    found, last = conversation(talk), {key: now - age for key, age in ages.items()}
    wanted = of(server, compat, responses=responses, cutoff=percent / 100, store=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMSCOPE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        with scoring(wanted) as scorer:
            weights = weights_of(found, scorer)
            assert weights is not None
            for key, at in last.items():
                weights.add(key, Weighed(at, 0.0, 0.0))
            due = look_what_is_due(found, scorer, wanted, Job(), at=now)
            document = score_due(due, scorer, wanted, Job())
    expected = oracle.incremental(talk, wrong.call, last, now=now, max_age=3600, responses=responses, percent=percent)
    assert [row.key for row in document.scored] == [key for key, _ in expected]
    assert [row.score for row in document.scored] == close([value for _, value in expected])
    assert document.failed == []
    assert {row.last_scored for row in document.scored} <= {iso(now)}


@many
@given(talk=talks(), count=st.integers(1, 16), compat=st.sampled_from(["", "classic"]))
def test_what_responses_owe_to_all_memories_is_the_classic_number(
    talk: list[Entry], count: int, compat: str, server: ScoreServer
) -> None:
    assert owed(talk, count, of(server, compat)) == [
        (message, close(value)) for message, value in oracle.score_finetune(talk, NOTHING.call, count)
    ]


@many
@given(talk=talks(ends=True), wrong=wrongs, count=st.integers(1, 16))
def test_candidates_of_a_server_that_miscounts(
    talk: list[Entry], wrong: Wrong, count: int, server: ScoreServer
) -> None:
    assume(wrong.fault != "500")
    wrong.configure(server)
    assert owed(talk, count, of(server)) == [
        (message, close(value)) for message, value in oracle.score_finetune(talk, wrong.call, count)
    ]


def owed(talk: list[Entry], count: int, wanted: Settings) -> list[tuple[int, float]]:
    found = conversation(talk)
    stretch = last_messages(found, count)
    if not stretch.responses:
        return []
    scored = cut(found, stretch, "window")
    if not scored.memories:
        return [(message, 0.0) for message in stretch.responses]
    with scoring(wanted) as scorer:
        run = new_run(scored, keep_tokens=False, classic=scorer.classic)
        fill(run, (BASELINE, run.everything), scorer, Job())
    matrix = run.snapshot()
    pairs = (classic_dependences if wanted.compat else dependences)(matrix)
    return [(stretch.responses[one.column], one.divergence) for one in pairs]
