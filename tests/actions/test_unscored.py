"""Conversations without a run of what they are now: which those are, and that scoring them leaves none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memscope.actions.across import Wanted, across
from memscope.actions.engine import Scorer, open_scorer
from memscope.actions.open import Opening
from memscope.actions.unscored import CHANGED, NEVER, Unscored, score_unscored, unscored, unscored_cost
from memscope.base.clock import set_clock
from memscope.base.job import Job
from memscope.base.settings import resolve
from memscope.store.database import Database
from tests.fakes import FormulaEngine, fails_without

NOW = 2_000_000_000.0
PORT = "The staging server listens on port 7741."


@pytest.fixture
def scorer() -> Iterator[Scorer]:
    set_clock(lambda: NOW)
    opened = open_scorer(resolve().settings)
    yield opened
    opened.close()
    set_clock(None)


def talk(path: Path, *asked: str, at: float = NOW - 60) -> Path:
    """A conversation with one memory and an answer to each question, written at a time."""
    said = [{"role": "user", "memory_key": "port", "content": PORT}]
    for question in asked:
        said += [{"role": "user", "content": question}, {"role": "assistant", "content": f"{question} {PORT}"}]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"messages": said}))
    os.utime(path, (at, at))
    return path


def left(database: Database | None, *paths: Path, engine: str = "") -> Unscored:
    assert database is not None
    return unscored(database, Wanted(paths, engine), resolve().settings, Job())


def score(found: Unscored, scorer: Scorer) -> Unscored:
    return score_unscored(found, Opening(Path("any")), resolve().settings, scorer, Job())


def test_what_was_scored_is_not_left_until_it_changes(tmp_path: Path, scorer: Scorer) -> None:
    one, two = talk(tmp_path / "a/one.json", "Which?"), talk(tmp_path / "a/two.json", "What?")
    found = left(scorer.database, tmp_path)
    assert found.why == {(one, 0): NEVER, (two, 0): NEVER}
    assert score(found, scorer).why == {}
    assert left(scorer.database, tmp_path).why == {}
    talk(two, "What?", "And then?", at=NOW + 60)
    assert left(scorer.database, tmp_path).why == {(two, 0): CHANGED}
    assert left(scorer.database, tmp_path, engine="vllm").why == {(one, 0): NEVER, (two, 0): NEVER}


def test_of_a_folder_a_session_and_its_checkpoint_are_one(tmp_path: Path, scorer: Scorer) -> None:
    said = [
        {"role": ("user", "assistant")[n % 2], "content": "Go on.", "id": "msg_0199a1b2", "timestamp": n}
        for n in range(8)
    ]
    for name, messages in (("whole.json", said), ("checkpoint.json", said[:-2])):
        (tmp_path / name).write_text(json.dumps({"session_id": "0199", "messages": messages}))
    assert left(scorer.database, tmp_path).why == {(tmp_path / "whole.json", 0): NEVER}
    assert left(scorer.database, tmp_path / "checkpoint.json").why == {(tmp_path / "checkpoint.json", 0): NEVER}


def test_a_file_that_is_gone_is_counted_by_its_run_and_others_are_told(tmp_path: Path, scorer: Scorer) -> None:
    gone, odd = talk(tmp_path / "gone.json", "Which?"), tmp_path / "odd.json"
    score(left(scorer.database, gone), scorer)
    gone.unlink()
    odd.write_text("no transcript")
    found = left(scorer.database, tmp_path, gone)
    assert (found.why, list(found.unreadable)) == ({}, [odd])
    assert list(left(scorer.database, tmp_path / "nosuch").unreadable) == [tmp_path / "nosuch"]


def test_what_cannot_be_scored_stays_with_the_reason(tmp_path: Path, scorer: Scorer) -> None:
    path = talk(tmp_path / "one.json", "Which?")
    found = left(scorer.database, path)
    failing = Scorer(FormulaEngine(before=fails_without("nowhere")), scorer.database)
    (why,) = score(found, failing).why.values()
    assert "refuses to go" in why
    assert score(found, scorer).why == {}
    assert scorer.database is not None
    assert across(scorer.database, Wanted(), Job()).memories[0].key == "port"


def test_what_all_of_them_cost_is_asked_where_it_is_much(tmp_path: Path, scorer: Scorer) -> None:
    talk(tmp_path / "one.json", "Which?")
    talk(tmp_path / "two.json", "What?")
    found, settings = left(scorer.database, tmp_path), resolve({"ask_above": 1}).settings
    assert unscored_cost(found, Opening(Path("any")), settings, scorer, Job()) is None  # the embedded engine is free
    dear = Scorer(FormulaEngine(), scorer.database)
    estimate = unscored_cost(found, Opening(Path("any")), settings, dear, Job())
    assert estimate is not None
    assert (estimate.scorings, estimate.known) == (6, 0)  # of each the whole, without the memory, and the whole again
    assert unscored_cost(found, Opening(Path("any")), resolve().settings, dear, Job()) is None


def test_of_a_file_of_several_only_what_is_unscored_costs(tmp_path: Path, scorer: Scorer) -> None:
    one, two = (talk(tmp_path / name, "Which?").read_text() for name in ("one.json", "two.json"))
    path = tmp_path / "both" / "talks.jsonl"
    path.parent.mkdir()
    path.write_text(f"{one}\n{two}\n")
    os.utime(path, (NOW - 60, NOW - 60))
    both = left(scorer.database, path)
    assert both.why == {(path, 0): NEVER, (path, 1): NEVER}
    score(replace(both, why={(path, 0): NEVER}), scorer)
    found = left(scorer.database, path)
    assert found.why == {(path, 1): NEVER}
    dear = Scorer(FormulaEngine(), scorer.database)
    estimate = unscored_cost(found, Opening(Path("any")), resolve({"ask_above": 1}).settings, dear, Job())
    assert estimate is not None and estimate.scorings == 3
