"""What a run will cost: the same that it then costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.actions.cost import Estimate, added_up, cost_before, cost_to_ask, needs_asking
from memscope.actions.engine import Scorer, open_scorer
from memscope.actions.score import score_matrix
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.ablation import BASELINE
from memscope.conversation.render import Prompt, render
from memscope.engines.checked import passed
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.stored import stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.engines.server import ScoreServer
from tests.engines.token_server import TokenServer
from tests.fakes import FormulaEngine, assistant, office, talk, user, without

PLAN = 6


def kept(engine: FormulaEngine, folder: Path) -> Scorer:
    database = Database(folder)
    return Scorer(stored(engine, ScoreStore(database)), database)


def test_it_counts_what_is_on_disk_and_asks_no_engine(tmp_path: Path) -> None:
    engine = FormulaEngine()
    scorer = kept(engine, tmp_path)
    assert (before := cost_before(office(), scorer)).known == 0
    assert (before.scorings, engine.calls) == (PLAN, 0)

    for ablation in (BASELINE, without("tabs")):
        scorer.engine.score(render(office(), ablation), Job())
    half = cost_before(office(), scorer)
    score_matrix(office(), scorer, Job())
    whole = cost_before(office(), scorer)

    assert (half.scorings, half.known) == (PLAN, 2)
    assert 0 < half.characters < before.characters
    assert (whole.known, whole.characters, whole.size) == (PLAN, 0, 0)
    assert engine.calls == PLAN
    scorer.close()


def test_it_counts_the_text_of_every_prompt_that_is_not_on_disk() -> None:
    conversation = talk(*office().messages, user("Größe 你好 \ud800?"), assistant("Zwölf."))
    asked = (BASELINE, without("tabs"), without("pnpm", "late"))

    estimate = cost_before(conversation, Scorer(FormulaEngine()), asked)

    texts = [turn.text for ablation in asked for turn in render(conversation, ablation).turns]
    assert estimate.characters == sum(map(len, texts))
    assert estimate.size == sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) > estimate.characters
    assert (estimate.scorings, estimate.known, estimate.server) == (3, 0, "")


def test_a_server_is_named_by_its_address(score_server: Callable[..., ScoreServer]) -> None:
    server = score_server()
    options = EngineOptions(base_url=server.url, model="scorer", api_key=server.key)
    scorer = Scorer(engine_spec("score-api").build(options))

    estimate = cost_before(office(), scorer)
    scorer.close()

    assert estimate.server == server.url
    assert server.log() == []


def test_a_store_that_fails_knows_nothing_and_is_no_error(tmp_path: Path) -> None:
    scorer = kept(FormulaEngine(), tmp_path)
    assert scorer.database is not None
    scorer.database.close()

    assert cost_before(office(), scorer).known == 0
    assert scorer.trouble


def test_without_memories_there_is_nothing_to_score() -> None:
    estimate = cost_before(talk(user("Hi."), assistant("Hello.")), Scorer(FormulaEngine()))

    assert (estimate.scorings, estimate.words()) == (0, "nothing to score")


def test_it_can_be_stopped() -> None:
    job = Job()
    job.cancel()

    with pytest.raises(Cancelled):
        cost_before(office(), Scorer(FormulaEngine()), None, job)


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(53, 21, 0, 1_234_567, "http://h"), "53 scorings, 21 on disk, about 1.2 MB to send"),
        (Estimate(1, 0, 0, 999, "http://h"), "1 scoring, about 999 bytes to send"),
        (Estimate(2, 0, 0, 9_960, "http://h"), "2 scorings, about 10 kB to send"),
        (Estimate(2, 0, 0, 3_000_000_000, "http://h"), "2 scorings, about 3.0 GB to send"),
        (Estimate(6, 6, 0, 0, "http://h"), "6 scorings, all on disk"),
        (Estimate(6, 2, 900, 900), "6 scorings, 2 on disk, nothing to send"),
        (
            Estimate(53, 21, 0, 1_200_000, "http://h", 120_000, 40.2),
            "53 scorings, 21 on disk, about 120k tokens, about 1.2 MB to send, about 0:40",
        ),
        (Estimate(2, 0, 9, 9, tokens=1, seconds=0.01), "2 scorings, about 1 token, nothing to send, about 0:01"),
        (
            Estimate(2, 0, 9, 9, tokens=999, seconds=3_725),
            "2 scorings, about 999 tokens, nothing to send, about 1:02:05",
        ),
        (Estimate(2, 0, 9, 9, tokens=5_230_000), "2 scorings, about 5.2M tokens, nothing to send"),
    ],
)
def test_it_is_told_in_a_line(estimate: Estimate, words: str) -> None:
    assert estimate.words() == words


class Counting(FormulaEngine):
    """It has a token for every eight characters."""

    asked = 0
    fails = False

    def count(self, prompt: Prompt, job: Job) -> int:
        self.asked += 1
        if self.fails:
            raise EngineError("the server is gone")
        return sum(len(turn.text) for turn in prompt.turns) // 8


def test_tokens_are_counted_once_and_scaled_to_what_is_not_on_disk(tmp_path: Path) -> None:
    engine = Counting()
    scorer = kept(engine, tmp_path)
    scorer.engine.score(render(office()), Job())

    estimate = cost_before(office(), scorer)

    assert engine.asked == 1
    assert estimate.tokens == pytest.approx(estimate.characters / 8, rel=0.05)
    assert estimate.seconds is None
    assert estimate.engine == "formula"
    assert cost_before(office(), scorer, count=False).tokens is None
    assert engine.asked == 1
    scorer.close()


def test_what_is_wholly_on_disk_is_not_counted(tmp_path: Path) -> None:
    engine = Counting()
    scorer = kept(engine, tmp_path)
    score_matrix(office(), scorer, Job())

    estimate = cost_before(office(), scorer)

    assert (estimate.tokens, engine.asked) == (None, 0)
    assert estimate.words().endswith("all on disk")
    scorer.close()


def test_tokens_that_cannot_be_counted_are_not_known() -> None:
    engine = Counting()
    engine.fails = True

    assert cost_before(office(), Scorer(engine)).tokens is None
    assert cost_before(office(), Scorer(FormulaEngine())).tokens is None


def test_the_time_is_that_of_the_check_shared_by_the_workers(token_server: Callable[..., TokenServer]) -> None:
    server = token_server("vllm")
    settings = Settings(engine="vllm", base_url=server.url)
    scorer = open_scorer(settings)
    before = cost_before(office(), scorer)
    assert before.tokens
    assert before.seconds is None  # nothing was timed yet
    assert len(server.log("/completions")) == 0

    scorer.engine.score(render(office()), Job())
    after = cost_before(office(), scorer)
    alone = cost_before(office(), scorer, workers=1)
    scorer.close()

    proof = passed(scorer.engine)
    assert proof is not None
    assert proof.seconds is not None
    assert after.tokens is not None
    assert alone.seconds == pytest.approx(after.tokens * proof.seconds)
    assert after.seconds == pytest.approx(after.tokens * proof.seconds / 4)


@pytest.mark.parametrize(
    ("estimate", "asks"),
    [
        (Estimate(9, 0, 0, 0, tokens=1_001, engine="vllm"), True),
        (Estimate(9, 0, 9_999, 0, tokens=1_000, engine="vllm"), False),
        (Estimate(9, 0, 4_004, 0, engine="score-api"), True),
        (Estimate(9, 0, 4_003, 0, engine="score-api"), False),
        (Estimate(9, 0, 10**9, 0, engine="embedded"), False),
        (Estimate(9, 9, 0, 0, engine="vllm"), False),
    ],
)
def test_a_person_is_asked_above_the_limit(estimate: Estimate, asks: bool) -> None:
    assert needs_asking(estimate, Settings(ask_above=1_000)) is asks
    assert not needs_asking(estimate, Settings(ask_above=0))  # never


def test_a_person_is_asked_about_what_a_run_takes() -> None:
    engine = Counting()

    asked = cost_to_ask(office(), Scorer(engine), Settings(ask_above=10))
    assert asked is not None
    assert asked.tokens is not None
    assert asked.tokens > 10
    assert cost_to_ask(office(), Scorer(engine), Settings(ask_above=asked.tokens)) is None  # eight characters a token


def test_a_run_that_cannot_be_large_is_not_counted() -> None:
    engine = Counting()

    assert cost_to_ask(office(), Scorer(engine), Settings()) is None
    assert cost_to_ask(office(), Scorer(engine), Settings(ask_above=0)) is None
    assert engine.asked == 0


def test_several_runs_add_up_and_tokens_are_known_where_each_is() -> None:
    scorer = Scorer(FormulaEngine())
    counted, more = (Estimate(3, 1, 40, 44, tokens=n, seconds=n / 2) for n in (10, 20))
    on_disk, uncounted = Estimate(2, 2, 0, 0), Estimate(3, 1, 40, 44)
    assert added_up([counted, on_disk, more], scorer) == Estimate(
        8, 4, 80, 88, tokens=30, seconds=15.0, engine="formula"
    )
    whole = added_up([counted, uncounted], scorer)
    assert (whole.scorings, whole.tokens, whole.seconds) == (6, None, None)
    assert added_up([on_disk], scorer).tokens is None
    assert added_up([], scorer) == Estimate(0, 0, 0, 0, engine="formula")


def test_the_embedded_engine_is_never_asked_about() -> None:
    embedded = Scorer(engine_spec("embedded").build(EngineOptions()))

    assert cost_to_ask(office(), embedded, Settings(ask_above=1)) is None
