"""Many conversations scored one after another: what each row says, and that nothing is asked for twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from memscope.actions.batch import transcripts
from memscope.actions.batch_runs import BatchRun, batch_again, batch_cost, run_batch
from memscope.actions.engine import Scorer, open_scorer
from memscope.actions.finetune import Search, finetune
from memscope.actions.open import Opening
from memscope.base.errors import Cancelled
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings, resolve
from memscope.reports.batch import BatchRow, Kind, batch_words
from memscope.sessions.ranked import Place
from memscope.store.database import Database
from memscope.store.runs import Runs
from tests.actions.test_reading import session
from tests.engines.server import KEY, ScoreServer
from tests.fakes import FormulaEngine, fails_without

Serve = Callable[..., ScoreServer]
MEMORIES = ("The server listens on port 7741.", "Tests are run with tox.")
SCORINGS = len(MEMORIES) + 3  # the whole, again, without each, without all


def messages(name: str, memories: int = len(MEMORIES)) -> list[dict[str, str]]:
    known = [{"role": "user", "memory_key": f"m{n}", "content": text} for n, text in enumerate(MEMORIES[:memories])]
    return [*known, {"role": "user", "content": f"{name}?"}, {"role": "assistant", "content": f"{name}: port 7741."}]


def talk(path: Path, memories: int = len(MEMORIES)) -> Place:
    path.write_text(json.dumps({"title": path.stem, "messages": messages(path.stem, memories)}))
    return Place(str(path), 0)


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    return [talk(tmp_path / f"{name}.json") for name in ("a", "b", "c", "d")]


@pytest.fixture
def served(score_server: Serve, monkeypatch: pytest.MonkeyPatch) -> ScoreServer:
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    return score_server()


def settings_of(server: ScoreServer) -> Settings:
    return resolve({"engine": "score-api", "base_url": server.url, "model": "scorer", "workers": 2}).settings


def scored(batch: BatchRun, engine: FormulaEngine, database: Database | None = None, job: Job | None = None) -> None:
    run_batch(batch, Settings(), Scorer(engine, database), job or Job())


def states(batch: BatchRun) -> list[str]:
    return [row.state for row in batch.rows]


def test_a_row_tells_what_came_of_each(tmp_path: Path, places: list[Place], database: Database) -> None:
    nothing, broken = talk(tmp_path / "none.json", 0), Place(str(tmp_path / "gone.json"), 0)
    batch = BatchRun("matrix", [places[0], nothing, broken, Place(places[1].path, 7)])
    assert states(batch) == ["waiting"] * 4

    scored(batch, FormulaEngine(), database)

    done, idle, gone, other = batch.rows
    assert (done.state, done.title, done.memories, done.responses, done.missing) == ("done", "a", 2, 1, 0)
    assert (done.strongest, done.window) == ("m0", 0)
    assert done.total is not None and done.total > 0
    assert (idle.state, idle.why) == ("nothing", "no memory was found in the conversation")
    assert (gone.state, gone.window) == ("failed", None)
    assert "no item 7" in (other.why or "")
    assert batch.is_over and not batch.ended
    kept = {Path(name.partition("#")[0]).stem for name in Runs(database).conversations()}
    assert kept == {"a", "none"}  # for totals across conversations


@pytest.mark.parametrize("kind", ["matrix", "finetune"])
def test_that_only_the_last_window_was_looked_at_is_told_where_there_is_nothing_in_it(
    tmp_path: Path, kind: Kind
) -> None:
    batch = BatchRun(kind, [Place(str(session(tmp_path / "s.jsonl")), 0)])
    scored(batch, FormulaEngine())
    (row,) = batch.rows
    assert (row.state, row.window) == ("nothing", 1)
    assert row.why == "no memory was found in the conversation, in the last of its 2 context windows"


def test_a_file_of_several_is_read_once_and_its_conversations_stand_together(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(json.dumps({"messages": messages(name)}) + "\n" for name in "abc"))
    alone = talk(tmp_path / "alone.json")

    batch = BatchRun("matrix", [Place(str(path), 2), alone, Place(str(path), 0), Place(str(path), 2)])
    scored(batch, FormulaEngine())

    assert [(Path(row.source).name, row.item) for row in batch.rows] == [
        ("talks.jsonl", 0),
        ("talks.jsonl", 2),
        ("alone.json", 0),
    ]
    assert states(batch) == ["done"] * 3
    gone = BatchRun("matrix", [Place(str(path), 1), Place(str(path), 9)])
    scored(gone, FormulaEngine())
    assert [(row.state, row.item) for row in gone.rows] == [("done", 1), ("failed", 9)]


def test_training_finds_what_the_command_finds(places: list[Place]) -> None:
    batch = BatchRun("finetune", places, threshold=0.0)
    scored(batch, FormulaEngine())
    paths = [Path(place.path) for place in places]
    search = Search(transcripts(paths, Job()), Opening(Path()), None, 0.0)
    document = finetune(search, Settings(), Scorer(FormulaEngine()), Job())
    assert [(row.divergence, row.candidates) for row in batch.rows] == [
        (one.max_divergence, len(one.candidates)) for one in document.conversations
    ]
    assert any(row.candidates for row in batch.rows)


def test_what_fails_is_told_and_tried_again_alone(places: list[Place]) -> None:
    batch = BatchRun("matrix", places[:2])
    scored(batch, FormulaEngine(before=fails_without(MEMORIES[1])))
    assert [(row.state, row.missing) for row in batch.rows] == [("done", 2), ("done", 2)]  # without m1, and without all
    assert all("m1: " in (row.why or "") for row in batch.rows)
    assert batch_words("matrix", batch.rows, 0.0).startswith("2 of 2 conversations scored · 2 of them not in whole · ")
    assert batch.left == list(batch.places)
    scored(batch, FormulaEngine())
    assert [(row.missing, row.why) for row in batch.rows] == [(0, None), (0, None)]
    assert not batch.left


def test_when_three_fail_alike_the_others_are_not_tried(places: list[Place]) -> None:
    batch = BatchRun("matrix", places)
    engine = FormulaEngine(before=fails_without("nowhere"))
    scored(batch, engine)
    assert states(batch) == ["failed"] * 3 + ["waiting"]
    assert batch.ended is not None and "the ones before it failed" in batch.ended
    assert not batch.is_over
    scored(batch, FormulaEngine())
    assert states(batch) == ["done"] * 4
    assert batch.ended is None


def test_a_cancelled_batch_keeps_what_landed_and_goes_on(places: list[Place], database: Database) -> None:
    job = Job()
    batch = BatchRun("matrix", places)

    def stop(call: int, _prompt: object) -> None:
        if call == SCORINGS + 2:
            job.cancel()

    engine = FormulaEngine(before=stop, concurrency=1)
    with pytest.raises(Cancelled):
        scored(batch, engine, database, job)
    assert states(batch) == ["done", "cancelled", "waiting", "waiting"]
    assert batch.left == list(batch.places[1:])
    scored(batch, FormulaEngine(), database)
    assert states(batch) == ["done"] * 4


def test_what_is_on_disk_is_not_asked_for_again(places: list[Place], served: ScoreServer, database: Database) -> None:
    settings = settings_of(served)
    scorer = open_scorer(settings, database)
    first, again = BatchRun("matrix", places[:2]), BatchRun("matrix", places[:2])
    run_batch(first, settings, scorer, Job())
    assert sum(row.scorings or 0 for row in first.rows) == len(served.log("/score"))
    served.configure()
    job = Job()
    run_batch(again, settings, scorer, job)
    assert served.log("/score") == []
    assert [(row.scorings, row.total) for row in again.rows] == [(0, row.total) for row in first.rows]
    assert job.tally("known") == 2
    scorer.close()


def test_a_killed_batch_goes_on_with_only_what_is_missing(
    places: list[Place], served: ScoreServer, tmp_path: Path
) -> None:
    served.configure(ANSWERS=SCORINGS + 2)
    paths = [place.path for place in places]
    args = ["score", *paths, "--engine", "score-api", "--base-url", served.url, "--model", "scorer", "--workers", "1"]
    killed = subprocess.Popen([sys.executable, "-m", "memscope", *args], env=os.environ, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while len(served.log("/score")) < SCORINGS + 3 and time.monotonic() < until:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait(20)
    served.configure()
    settings = settings_of(served)
    scorer = open_scorer(settings)
    batch = BatchRun("matrix", places)
    run_batch(batch, settings, scorer, Job())
    scorer.close()
    assert states(batch) == ["done"] * 4
    assert [row.from_store for row in batch.rows] == [SCORINGS, 2, 0, 0]
    assert [row.scorings for row in batch.rows] == [0, SCORINGS - 2, SCORINGS, SCORINGS]
    assert len(served.log("/score")) == 3 * SCORINGS - 2


def test_a_batch_that_costs_much_is_asked_about(places: list[Place]) -> None:
    batch = BatchRun("matrix", places)
    asks = resolve({"ask_above": 1}).settings
    estimate = batch_cost(batch, asks, Scorer(FormulaEngine()), Job())
    assert estimate is not None
    assert (estimate.scorings, states(batch)) == (4 * SCORINGS, ["waiting"] * 4)
    training = batch_cost(BatchRun("finetune", places), asks, Scorer(FormulaEngine()), Job())
    assert training is not None and training.scorings == 4 * 2
    assert batch_cost(batch, Settings(), Scorer(FormulaEngine()), Job()) is None
    assert batch_cost(batch, resolve({"ask_above": 0}).settings, Scorer(FormulaEngine()), Job()) is None


def test_the_job_tells_how_many_are_done(places: list[Place]) -> None:
    told: list[Progress] = []
    run_batch(BatchRun("matrix", places), Settings(), Scorer(FormulaEngine()), Job(told.append))
    assert (told[0].done, told[0].total, told[0].unit) == (0, 4, "conversations")
    assert (told[-1].done, told[-1].total) == (4, 4)
    assert any(f"a (scorings {SCORINGS}/{SCORINGS})" == one.doing for one in told)


def test_rows_can_be_looked_at_while_they_change(places: list[Place]) -> None:
    batch = BatchRun("matrix", places)
    seen: list[list[BatchRow]] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(batch.rows)

    watching = threading.Thread(target=look)
    watching.start()
    scored(batch, FormulaEngine())
    over.set()
    watching.join()
    order = ["waiting", "running", "done"]
    for earlier, later in pairwise(seen):
        assert all(order.index(a.state) <= order.index(b.state) for a, b in zip(earlier, later, strict=True))


@pytest.mark.parametrize("kind", ["matrix", "finetune"])
def test_it_can_be_made_again_from_what_is_kept_of_it(kind: Kind) -> None:
    batch = BatchRun(kind, [Place("b\udcff.json", 1), Place("/a/../a.json", 0)])
    again = batch_again(json.loads(json.dumps(batch.kept)))
    assert again is not None
    assert (again.kind, again.places) == (batch.kind, batch.places)


@pytest.mark.parametrize(
    "kept", [{}, {"kind": "matrix"}, {"kind": "other", "places": [["a", 0]]}, {"kind": "matrix", "places": [["a"], 3]}]
)
def test_what_is_no_batch_is_none(kept: dict[str, object]) -> None:
    assert batch_again(kept) is None
