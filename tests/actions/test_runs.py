"""What is kept of a run, and of which runs: exact, because the engine's numbers are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memscope.actions.engine import Scorer
from memscope.actions.open import Opening
from memscope.actions.runs import file_of, kept_run, run_name, text_digest
from memscope.actions.score import Cost, score_matrix
from memscope.base.clock import set_clock
from memscope.base.errors import StoreError
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Memory, Message, Source, Text
from memscope.conversation.render import Prompt
from memscope.conversation.sources import as_sources
from memscope.engines.embedded.engine import Embedded
from memscope.engines.protocol import EngineIdentity
from memscope.store.database import Database
from memscope.store.runs import Run, Runs
from tests.fakes import (
    LATE,
    PNPM,
    TABS,
    FormulaEngine,
    assistant,
    fails_baseline,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
)

COST = Cost(3, 0, 0.1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    set_clock(lambda: 1_000.0)
    opened = Database(tmp_path)
    yield opened
    opened.close()
    set_clock(None)


def scored(conversation: Conversation, database: Database, engine: Any = None, **options: Any) -> Cost:
    """Scores a conversation and keeps what came of it."""
    scorer = Scorer(engine or FormulaEngine(), database)
    run, _ = score_matrix(conversation, scorer, Job())
    return kept_run(options.pop("cost", COST), run, scorer, Job(), **{"threshold": 0.5, **options})


def only(database: Database) -> Run:
    """The one run there is."""
    (name,) = Runs(database).conversations()
    ((run, _),) = Runs(database).of(name)
    return run


def at(conversation: Conversation, path: Path, **place: int) -> Conversation:
    return replace(conversation, source=Source(path, "openai", **place), title="office")


def test_the_outcomes_are_the_effects_of_the_matrix_added_up(database: Database, tmp_path: Path) -> None:
    conversation = at(office(), tmp_path / "office.json", item=2, window=1)
    opening = Opening(tmp_path / "office.json", memories=(tmp_path / "CLAUDE.md",), split="file")
    assert scored(conversation, database, opening=opening) == COST
    run = only(database)
    assert run.conversation == f"{tmp_path / 'office.json'}#2/1" == run_name(conversation)
    assert file_of(run.conversation) == str(tmp_path / "office.json") == run.path
    assert (run.item, run.window, run.title, run.form, run.messages) == (2, 1, "office", "openai", 9)
    assert (run.name, run.model, run.threshold, run.time, run.responses) == ("formula", "closed-form", 0.5, 1000.0, 3)
    assert (run.memories, run.split) == ((str(tmp_path / "CLAUDE.md"),), "file")
    effects = true_effects(conversation)
    assert [one.key for one in run.outcomes] == ["tabs", "pnpm", "late"]
    assert [one.text for one in run.outcomes] == [text_digest(text) for text in (TABS, PNPM, LATE)]
    assert [one.total for one in run.outcomes] == np.maximum(effects, 0).sum(axis=1).tolist()
    assert [one.net for one in run.outcomes] == effects.sum(axis=1).tolist()
    assert [one.against for one in run.outcomes] == np.minimum(effects, 0).sum(axis=1).tolist()
    assert [one.above for one in run.outcomes] == (effects > 0.5).sum(axis=1).tolist()
    assert [one.below for one in run.outcomes] == (effects < -0.5).sum(axis=1).tolist()
    assert [one.most for one in run.outcomes] == np.where(effects > 0.5, effects, 0).max(axis=1).tolist()
    assert [one.least for one in run.outcomes] == np.where(effects < -0.5, effects, 0).min(axis=1).tolist()
    assert [one.measured for one in run.outcomes] == [3, 2, 1]  # what came before a memory says nothing of it
    assert [one.occurrences for one in run.outcomes] == [1, 2, 1]
    assert [one.chars for one in run.outcomes] == [len(TABS), 2 * len(PNPM), len(LATE)]
    assert [one.left_out for one in run.outcomes] == [0, 0, 0]


def test_what_any_text_may_move_under_the_engine_does_not_count(database: Database) -> None:
    conversation = talk(
        memory("likes-tea", "The user likes oolong tea."),
        memory("old-bus", "Number nine used to stop here."),
        user("A drink?"),
        assistant("Oolong tea, as the user likes it: oolong tea."),
    )
    scored(conversation, database, Embedded(), threshold=0.01)
    tea, bus = only(database).outcomes
    assert tea.above == 1 and tea.most > 0.5
    assert bus.against < -0.01, "any words take a little from the probability of all others"
    assert (bus.above, bus.below, bus.most, bus.least) == (0, 0, 0.0, 0.0)
    assert only(database).threshold == 0.01


def test_the_time_is_that_of_the_last_message_that_has_a_plausible_one(database: Database) -> None:
    def last(*times: float | None) -> float:
        messages = office().messages[: -len(times)] if times else office().messages
        timed = [
            replace(message, time=time) for message, time in zip(office().messages[-len(times) :], times, strict=True)
        ]
        scored(talk(*messages, *timed), database)
        return only(database).time

    assert last(400.0, 500.0, None) == 500.0
    assert last(float("nan")) == last(1e300) == last(-5.0) == 1_000.0


def test_a_row_that_failed_is_kept_as_left_out(database: Database) -> None:
    scored(office(), database, FormulaEngine(before=fails_without(PNPM)))
    of = {one.key: one for one in only(database).outcomes}
    assert (of["pnpm"].total, of["pnpm"].left_out, of["pnpm"].measured, of["pnpm"].above) == (None, 3, 0, 0)
    assert of["tabs"].left_out == 0


@pytest.mark.parametrize("what", ["failed baseline", "classic", "turns", "no store"])
def test_runs_whose_numbers_say_nothing_of_memories_are_not_kept(database: Database, what: str) -> None:
    engine = FormulaEngine(before=fails_baseline(TABS, PNPM)) if what == "failed baseline" else FormulaEngine()
    conversation = as_sources(office(), "turns") if what == "turns" else office()
    scorer = Scorer(engine, None if what == "no store" else database)
    run, _ = score_matrix(conversation, scorer, Job())
    if what == "classic":
        scorer = replace(scorer, classic=True)
    assert kept_run(COST, run, scorer, Job(), threshold=0.5) == COST
    assert Runs(database).conversations() == []


def test_a_conversation_without_memories_is_known_to_be_scored(database: Database) -> None:
    scored(talk(user("Hello?"), assistant("Hello.")), database)
    assert only(database).outcomes == ()


def test_a_store_that_fails_is_a_note_and_no_failure(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Database, "write", full)
    assert scored(office(), database).note.endswith("the disk is full")


def test_the_text_of_a_memory_is_the_same_wherever_in_a_message_it_stands(database: Database) -> None:
    alone = talk(memory("tabs", TABS), user("Go."), assistant("Gone."))
    inside = talk(Message("system", (Memory("tabs", TABS), Text("You code."))), user("Go."), assistant("Gone."))
    digests = set()
    for conversation in (alone, inside):
        scored(conversation, database)
    for name in Runs(database).conversations():
        digests |= {one.text for run, _ in Runs(database).of(name) for one in run.outcomes}
    assert digests == {text_digest(TABS)} != {text_digest(PNPM)}


def test_tokens_are_counted_where_the_engine_counts_and_else_unknown(database: Database) -> None:
    scored(office(), database)
    assert [one.tokens for one in only(database).outcomes] == [None] * 3
    own = Embedded()
    scored(at(office(), Path("/o.json")), database, own, cost=Cost(0, 5, 0.1))
    ((run, _),) = Runs(database).of("/o.json#0/0")
    assert all(one.tokens for one in run.outcomes)


class Counting(FormulaEngine):
    """It counts a token a word, stands behind a server, and notes how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = EngineIdentity("formula", url="http://127.0.0.1:1")
        self.asked = 0

    def count(self, prompt: Prompt, job: Job) -> int:
        self.asked += 1
        return len(prompt.turns[0].content.split())


def test_a_server_counts_tokens_once_and_is_not_asked_by_a_run_that_was_wholly_on_disk(database: Database) -> None:
    engine = Counting()
    scored(office(), database, engine, cost=Cost(0, 5, 0.1))
    assert (engine.asked, [one.tokens for one in only(database).outcomes]) == (0, [None] * 3)
    scored(office(), database, engine)
    words = [len(TABS.split()), 2 * len(PNPM.split()), len(LATE.split())]
    assert (engine.asked, [one.tokens for one in only(database).outcomes]) == (4, words)
    scored(office(), database, engine)
    assert (engine.asked, [one.tokens for one in only(database).outcomes]) == (4, words)
