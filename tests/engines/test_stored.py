"""The wrapper that remembers: nothing is scored twice, nothing wrong is kept, and no trouble with it costs a score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from memscope.attribution.aggregates import cutoffs
from memscope.attribution.columns import columns
from memscope.attribution.matrix import MatrixRun
from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.render import Prompt, Renderer, render
from memscope.engines.protocol import EngineIdentity, Failure, Marks, OnePassEngine, ResponseScore, Tokens
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.stored import Stored, StoredOnePass, score_key, stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore, StoredScores
from tests.engines.server import MODEL, ScoreServer
from tests.fakes import After, FormulaEngine, noisy, office, without

IDENTITY = EngineIdentity("engine", model="m", url="http://h", revision="1", options=(("a", "1"),))
TALK = office()
Columns = list[tuple[Ablation, list[ResponseScore] | Failure]]


class OnePass(FormulaEngine):
    """Scores all ablations in one pass; `asked` says which they were."""

    def __init__(self, failing: Sequence[Ablation] = ()) -> None:
        super().__init__()
        self.asked: list[tuple[Ablation, ...]] = []
        self._failing = failing

    def columns(
        self, conversation: Conversation, ablations: Sequence[Ablation], job: Job
    ) -> Generator[object, None, None]:
        self.asked.append(tuple(ablations))
        renderer = Renderer(conversation)
        for ablation in reversed(ablations):  # in any order
            failed = ablation in self._failing
            yield ablation, Failure("it fails") if failed else self.score(renderer.prompt(ablation), job)

    def tokens(
        self, conversation: Conversation, response: int, ablations: Sequence[Ablation], job: Job
    ) -> dict[Ablation, Tokens]:
        raise NotImplementedError

    def close(self) -> None:
        """It holds nothing."""


@pytest.fixture
def store(database: Database) -> ScoreStore:
    return ScoreStore(database)


# --- the key of a scoring --------------------------------------------------------------------------------------------


def key(conversation: Conversation = TALK, identity: EngineIdentity = IDENTITY, repeat: int = 0) -> bytes:
    return score_key(identity, render(conversation), repeat)


def changed(index: int, message: Message) -> Conversation:
    return TALK.with_messages([*TALK.messages[:index], message, *TALK.messages[index + 1 :]])


def test_the_key_is_the_same_for_the_same() -> None:
    assert key() == key(office())
    assert len(key()) == 32


@pytest.mark.parametrize(
    "other",
    [
        replace(IDENTITY, name="other"),
        replace(IDENTITY, model="other"),
        replace(IDENTITY, url="http://other"),
        replace(IDENTITY, revision="2"),
        replace(IDENTITY, options=(("a", "2"),)),
        replace(IDENTITY, options=()),
        EngineIdentity("engine", model="http://h", url="m", revision="1", options=(("a", "1"),)),
    ],
)
def test_another_engine_shares_nothing(other: EngineIdentity) -> None:
    assert key(identity=other) != key()


def test_a_repeat_is_another_scoring() -> None:
    assert len({key(repeat=repeat) for repeat in range(3)}) == 3


def _edits() -> Iterator[tuple[str, Conversation]]:
    for index, message in enumerate(TALK.messages):
        longer = (*message.parts, Text("!"))
        yield f"text of #{index}", changed(index, replace(message, parts=longer))
        if not message.is_memory:
            yield f"role of #{index}", changed(index, replace(message, role="developer"))
        yield f"without #{index}", TALK.with_messages([m for i, m in enumerate(TALK.messages) if i != index])
        if index:
            swapped = [*TALK.messages[: index - 1], message, TALK.messages[index - 1], *TALK.messages[index + 1 :]]
            yield f"order of #{index - 1} and #{index}", TALK.with_messages(swapped)
    reply = TALK.messages[5]
    for name, call in {
        "name": ToolCall("1", "exec", '{"command": "pnpm install"}'),
        "arguments": ToolCall("1", "run", '{"command":"pnpm install"}'),
        "id": ToolCall("2", "run", '{"command": "pnpm install"}'),
    }.items():
        yield f"{name} of a call", changed(5, replace(reply, parts=(reply.parts[0], call)))
    yield "call of a result", changed(6, Message("tool", (ToolResult("2", "done"), *TALK.messages[6].memories)))
    yield "tools", replace(TALK, tools=('{"name": "run"}',))
    yield (
        "a boundary moved",
        TALK.with_messages([*TALK.messages[:1], Message("user", (Text("x"),)), *TALK.messages[1:]]),
    )


@pytest.mark.parametrize("name", [name for name, _ in _edits()])
def test_whatever_an_engine_may_see_is_in_the_key(name: str) -> None:
    assert key(dict(_edits())[name]) != key()


def test_edits_share_a_key_only_where_they_lead_to_one_prompt() -> None:
    conversations = [conversation for _, conversation in _edits()]
    assert len(set(map(key, conversations))) == len(set(map(render, conversations)))


def test_every_ablation_has_a_key_of_its_own() -> None:
    ablations = [BASELINE, without("tabs"), without("pnpm"), without("late"), without("tabs", "pnpm", "late")]
    renderer = Renderer(TALK)
    assert len({score_key(IDENTITY, renderer.prompt(ablation), 0) for ablation in ablations}) == len(ablations)


def test_text_that_moves_from_one_message_to_the_next_is_another_prompt() -> None:
    def talk(*texts: str) -> Conversation:
        told = [Message("user", (Text(text),)) for text in texts]
        return Conversation((*told, Message("assistant", (Text("Yes."),))))

    assert len({key(talk("ab", "c")), key(talk("a", "bc")), key(talk("abc")), key(talk("abc", "c"))}) == 4


def _unsent() -> Iterator[tuple[str, Conversation]]:
    first, *_ = TALK.messages
    renamed = (replace(m, key=f"{m.key}-2") if isinstance(m, Memory) else m for m in first.parts)
    yield "the key of a memory", changed(0, replace(first, parts=tuple(renamed)))
    ruled = (replace(m, rule="fenced") if isinstance(m, Memory) else m for m in first.parts)
    yield "what found a memory", changed(0, replace(first, parts=tuple(ruled)))
    plain = (Text(m.text) if isinstance(m, Memory) else m for m in first.parts)
    yield "that a part is a memory", changed(0, replace(first, parts=tuple(plain)))
    yield "thinking", changed(2, replace(TALK.messages[2], parts=(Thinking("hm"), *TALK.messages[2].parts)))
    yield "time, line and id", changed(0, replace(first, time=1.0, line=7, id="x", kind="synthetic"))
    yield "what follows the last response", replace(TALK, messages=(*TALK.messages, Message("user", (Text("Thanks"),))))
    yield "title and notes", replace(TALK, title="Office", notes=("a note",), items=3)


@pytest.mark.parametrize("name", [name for name, _ in _unsent()])
def test_what_no_engine_sees_is_not_in_the_key(name: str) -> None:
    assert key(dict(_unsent())[name]) == key()


# --- remembering -----------------------------------------------------------------------------------------------------


def test_nothing_is_scored_twice(store: ScoreStore) -> None:
    engine = FormulaEngine()
    wrapper = stored(engine, store)
    job = Job()
    first = wrapper.score(render(TALK), job)
    assert job.tally("found") == 0
    second = wrapper.score(render(TALK), job)
    assert (engine.calls, job.tally("found")) == (1, 1)
    assert [s.total for s in second] == [s.total for s in first]
    assert [s.count for s in second] == [s.count for s in first]
    for found, scored in zip(second, first, strict=True):
        assert found.tokens is not None
        assert scored.tokens is not None
        for name in ("starts", "ends", "logprobs"):  # the fake's numbers are exact in float32 too
            assert (getattr(found.tokens, name) == getattr(scored.tokens, name)).all()


def test_an_engine_without_tokens_keeps_none(store: ScoreStore) -> None:
    wrapper = stored(FormulaEngine(tokens=False), store)
    wrapper.score(render(TALK), Job())
    assert [s.tokens for s in wrapper.score(render(TALK), Job())] == [None] * 3


def test_tokens_of_some_responses_alone_are_not_kept_as_if_of_all(store: ScoreStore) -> None:
    def first_only(_call: int, _prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
        return [scores[0], *(replace(score, tokens=None, count=None) for score in scores[1:])]

    wrapper = stored(FormulaEngine(after=first_only), store)
    first = wrapper.score(render(TALK), Job())
    assert wrapper.score(render(TALK), Job()) == [ResponseScore(score.total) for score in first]


def with_marks(_call: int, prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
    """Scores that say what they are of."""
    said = [hashlib.sha256(repr(prompt.turns[: 1 + column]).encode()).digest()[:16] for column in range(len(scores))]
    return [replace(score, marks=Marks(b"response".ljust(16), mark)) for score, mark in zip(scores, said, strict=True)]


def test_what_scores_are_of_comes_back_from_disk(store: ScoreStore) -> None:
    wrapper = stored(FormulaEngine(after=with_marks), store)
    first, second = (wrapper.score(render(TALK), Job()) for _ in range(2))
    assert [s.marks for s in second] == [s.marks for s in first]
    assert None not in [s.marks for s in first]


def test_marks_of_some_responses_alone_are_not_kept_as_if_of_all(store: ScoreStore) -> None:
    def first_only(call: int, prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
        return [with_marks(call, prompt, scores)[0], *scores[1:]]

    wrapper = stored(FormulaEngine(after=first_only), store)
    wrapper.score(render(TALK), Job())
    assert [s.marks for s in wrapper.score(render(TALK), Job())] == [None] * 3


@pytest.mark.parametrize("given", [with_marks, lambda _call, _prompt, scores: scores])
def test_why_a_response_has_no_score_is_kept_beside_the_scores_of_the_others(given: After, store: ScoreStore) -> None:
    def broken(call: int, prompt: Prompt, scores: list[ResponseScore]) -> list[ResponseScore]:
        others = given(call, prompt, scores)[1:]
        return [ResponseScore(float("nan"), failure="nothing of it is shown"), *others]

    engine = FormulaEngine(after=broken)
    wrapper = stored(engine, store)
    made = wrapper.score(render(TALK), Job())
    again = wrapper.score(render(TALK), Job())

    assert engine.calls == 1
    assert again[0].failure == made[0].failure == "nothing of it is shown"
    assert again[0].tokens is again[0].marks is again[0].count is None
    assert again[1].failure == ""
    assert [(s.total, s.count, s.marks) for s in again[1:]] == [(s.total, s.count, s.marks) for s in made[1:]]
    assert again[1].tokens is not None


def test_asking_afresh_makes_an_engine_forget_what_it_remembers(store: ScoreStore) -> None:
    class Remembers(FormulaEngine):
        forgot = 0

        def forget(self) -> None:
            self.forgot += 1

    engine = Remembers()
    stored(engine, store).afresh()

    assert engine.forgot == 1


def test_a_repeat_is_really_scored(store: ScoreStore) -> None:
    engine = FormulaEngine()
    wrapper = stored(engine, store)
    for ablation in (BASELINE, AGAIN, BASELINE, AGAIN):
        wrapper.score(render(TALK, ablation), Job())
    assert engine.calls == 2


def test_the_wrapper_looks_like_its_engine(store: ScoreStore) -> None:
    engine = FormulaEngine()
    wrapper = stored(engine, store)
    assert (wrapper.identity, wrapper.capabilities) == (engine.identity, engine.capabilities)
    assert type(wrapper) is Stored
    assert not isinstance(wrapper, OnePassEngine)
    assert isinstance(stored(OnePass(), store), StoredOnePass)


SPOILT: dict[str, Callable[[list[ResponseScore]], list[ResponseScore]]] = {
    "too few": lambda scores: scores[:-1],
    "too many": lambda scores: [*scores, scores[0]],
    "none": lambda scores: [],
    "nan": lambda scores: [replace(score, total=float("nan")) for score in scores],
    "infinite": lambda scores: [replace(score, total=float("-inf")) for score in scores],
    "positive": lambda scores: [replace(score, total=1.0) for score in scores],
    "implausible": lambda scores: [replace(score, total=-1e30) for score in scores],
}


@pytest.mark.parametrize("name", SPOILT)
def test_bad_scores_are_not_kept(name: str, store: ScoreStore, database: Database) -> None:
    engine = FormulaEngine(after=lambda call, _, scores: SPOILT[name](scores) if call == 1 else scores)
    wrapper = stored(engine, store)
    wrapper.score(render(TALK), Job())
    assert database.read("SELECT count(*) FROM scores") == [(0,)]
    good = [score.total for score in FormulaEngine().score(render(TALK), Job())]
    assert [score.total for score in wrapper.score(render(TALK), Job())] == good
    assert engine.calls == 2


@pytest.mark.parametrize("totals", [[-1.0], [-1.0] * 4, [-1.0, -1.0, float("nan")], [-1.0, -1.0, 5.0], []])
def test_bad_scores_that_are_on_disk_are_scored_again(totals: list[float], store: ScoreStore) -> None:
    engine = FormulaEngine()
    store.put(score_key(engine.identity, render(TALK), 0), StoredScores(totals))
    good = [score.total for score in FormulaEngine().score(render(TALK), Job())]
    wrapper, job = stored(engine, store), Job()
    assert [score.total for score in wrapper.score(render(TALK), job)] == good
    assert (engine.calls, job.tally("found")) == (1, 0)
    wrapper.score(render(TALK), job)
    assert (engine.calls, job.tally("found")) == (1, 1)


@pytest.mark.parametrize("column", ["totals", "counts", "tokens", "marks"])
def test_a_damaged_row_is_scored_again(column: str, store: ScoreStore, database: Database) -> None:
    engine = FormulaEngine()
    wrapper = stored(engine, store)
    wrapper.score(render(TALK), Job())
    database.write(f"UPDATE scores SET {column} = x'01020304'")
    wrapper.score(render(TALK), Job())
    assert engine.calls == 2
    assert wrapper.trouble is None


def test_a_failure_is_not_kept(store: ScoreStore, database: Database) -> None:
    def refuse(call: int, _: Prompt) -> None:
        if call == 1:
            raise EngineError("not now")

    wrapper = stored(FormulaEngine(before=refuse), store)
    with pytest.raises(EngineError):
        wrapper.score(render(TALK), Job())
    assert database.read("SELECT count(*) FROM scores") == [(0,)]
    assert len(wrapper.score(render(TALK), Job())) == 3


# --- trouble with the disk -------------------------------------------------------------------------------------------


def test_a_full_disk_costs_no_score(store: ScoreStore, database: Database) -> None:
    database.write(f"PRAGMA max_page_count = {database.read('PRAGMA page_count')[0][0]}")
    words = " ".join(f"word{number}" for number in range(20_000))
    talk = Conversation((Message("user", (Text("Go."),)), Message("assistant", (Text(words),))))
    engine = FormulaEngine()
    wrapper = stored(engine, store)
    good = engine.score(render(talk), Job())[0].total
    assert wrapper.score(render(talk), Job())[0].total == good
    assert "the disk is full" in str(wrapper.trouble)
    assert wrapper.score(render(talk), Job())[0].total == good


def test_a_store_that_cannot_be_read_costs_no_score(store: ScoreStore, database: Database) -> None:
    engine = FormulaEngine()
    wrapper, job = stored(engine, store), Job()
    database.write("DROP TABLE scores")
    assert len(wrapper.score(render(TALK), job)) == 3
    trouble = wrapper.trouble
    assert "scores" in str(trouble)
    database.close()
    wrapper.score(render(TALK), job)
    assert wrapper.trouble is trouble  # the first is told; later ones follow from it
    assert (engine.calls, job.tally("found")) == (2, 0)


# --- engines that score in one pass ----------------------------------------------------------------------------------

PLAN = (BASELINE, without("tabs"), without("pnpm"), AGAIN)


def land(engine: OnePassEngine, ablations: Sequence[Ablation] = PLAN, job: Job | None = None) -> Columns:
    return list(engine.columns(TALK, ablations, job or Job()))


def test_a_one_pass_engine_is_asked_only_for_what_is_missing(store: ScoreStore) -> None:
    engine = OnePass()
    wrapper = stored(engine, store)
    assert isinstance(wrapper, StoredOnePass)
    land(wrapper, PLAN[:2])
    job = Job()
    landed = land(wrapper, job=job)
    assert engine.asked == [PLAN[:2], PLAN[2:]]
    assert sorted(map(repr, (ablation for ablation, _ in landed))) == sorted(map(repr, PLAN))
    assert job.tally("found") == 2
    land(wrapper)
    assert len(engine.asked) == 2


def test_the_numbers_are_the_same_from_the_engine_and_from_disk(store: ScoreStore) -> None:
    wrapper = stored(OnePass(), store)
    assert isinstance(wrapper, StoredOnePass)
    totals = [
        {ablation: [s.total for s in scores] for ablation, scores in land(wrapper) if not isinstance(scores, Failure)}
        for _ in range(2)
    ]
    assert totals[0] == totals[1]
    assert len(totals[0]) == len(PLAN)


def test_what_failed_in_one_pass_is_asked_for_again(store: ScoreStore) -> None:
    wrapper = stored(OnePass(failing=[without("tabs")]), store)
    assert isinstance(wrapper, StoredOnePass)
    assert dict(land(wrapper))[without("tabs")] == Failure("it fails")
    healthy = OnePass()
    assert isinstance(again := stored(healthy, store), StoredOnePass)
    assert not [result for _, result in land(again) if isinstance(result, Failure)]
    assert healthy.asked == [(without("tabs"),)]


def test_what_landed_before_a_pass_was_broken_off_is_kept(store: ScoreStore) -> None:
    engine = OnePass()
    wrapper = stored(engine, store)
    assert isinstance(wrapper, StoredOnePass)
    with closing(wrapper.columns(TALK, PLAN, Job())) as landing:
        landed, _ = next(landing)
    land(wrapper)
    assert engine.asked == [PLAN, tuple(ablation for ablation in PLAN if ablation != landed)]


def test_one_pass_and_one_by_one_share_what_is_kept(store: ScoreStore) -> None:
    wrapper = stored(OnePass(), store)
    assert isinstance(wrapper, StoredOnePass)
    land(wrapper)
    plain = FormulaEngine()
    for ablation in PLAN:
        stored(plain, store).score(render(TALK, ablation), Job())
    assert plain.calls == 0


# --- noise -----------------------------------------------------------------------------------------------------------


def noise(engine: Stored) -> list[float]:
    """The noise floor of a whole run, response by response, in nats."""
    run = MatrixRun(TALK)
    for ablation, result in columns(engine, TALK, run.plan, Job(), workers=2):
        run.land(ablation, result)
    floor: list[float] = cutoffs(run.snapshot(), 0.0).noise.tolist()
    return floor


def test_noise_is_measured_on_the_first_run_and_the_same_when_resumed(store: ScoreStore) -> None:
    engine = FormulaEngine(after=noisy)
    first = noise(stored(engine, store))
    assert min(first) > 0
    calls = engine.calls
    assert noise(stored(engine, store)) == first
    assert engine.calls == calls


def test_the_noise_of_a_server_is_measured_too(store: ScoreStore, score_server: Callable[..., ScoreServer]) -> None:
    server = score_server(NOISE=0.5)  # a request that is repeated comes out so much lower
    engine = engine_spec("score-api").build(EngineOptions(base_url=server.url, model=MODEL, api_key=server.key))
    try:
        first = noise(stored(engine, store))
        assert (np.array(first) >= 0.5).all()
        requests = len(server.log("/score"))
        assert noise(stored(engine, store)) == first
        assert len(server.log("/score")) == requests == len(MatrixRun(TALK).plan)
    finally:
        engine.close()


# --- asked afresh, and asked what is there ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FormulaEngine, OnePass])
def test_asked_afresh_nothing_is_looked_up_and_the_new_scores_are_kept(
    kind: Callable[[], FormulaEngine], store: ScoreStore
) -> None:
    first, second = kind(), kind()
    second._after = noisy  # another engine of the same identity, whose numbers differ
    list(columns(stored(first, store), TALK, PLAN, Job()))
    job = Job()

    anew = dict(columns(stored(second, store).afresh(), TALK, PLAN, job, workers=1))
    found = dict(columns(stored(first, store), TALK, PLAN, Job()))

    assert (second.calls, job.tally("found"), first.calls) == (len(PLAN), 0, len(PLAN))
    for ablation in PLAN:
        before = FormulaEngine().score(render(TALK, ablation), Job())
        new, kept = anew[ablation], found[ablation]
        assert isinstance(new, list)
        assert isinstance(kept, list)
        assert [score.total for score in kept] == [score.total for score in new] != [score.total for score in before]


def test_trouble_met_while_asked_afresh_is_told_by_the_wrapper_too(store: ScoreStore, database: Database) -> None:
    wrapper = stored(FormulaEngine(), store)
    database.close()

    wrapper.afresh().score(render(TALK), Job())

    assert wrapper.trouble is not None
    assert wrapper.known([key()]) == frozenset()


def test_it_knows_what_is_on_disk(store: ScoreStore) -> None:
    wrapper = stored(FormulaEngine(), store)
    prompts = [render(TALK, ablation) for ablation in PLAN]
    keys = [score_key(wrapper.identity, prompt, prompt.repeat) for prompt in prompts]
    assert wrapper.known(keys) == frozenset()

    wrapper.score(prompts[1], Job())

    assert wrapper.known(keys) == {keys[1]}


def test_a_store_that_cannot_be_asked_knows_nothing_and_says_why(store: ScoreStore, database: Database) -> None:
    wrapper = stored(FormulaEngine(), store)
    database.close()

    assert wrapper.known([key()]) == frozenset()
    assert wrapper.trouble is not None
