"""What a run will cost: the same that it then costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.actions.cost import Estimate, cost_before
from memscope.actions.engine import Scorer
from memscope.actions.score import score_matrix
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE
from memscope.conversation.render import render
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.stored import stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.engines.server import ScoreServer
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
    ],
)
def test_it_is_told_in_a_line(estimate: Estimate, words: str) -> None:
    assert estimate.words() == words
