"""Runs of scored conversations: each counts once, nothing of a name is lost, and what cannot be read stops nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memscope.base.clock import set_clock
from memscope.store.database import Database
from memscope.store.runs import Outcome, Run, Runs

EVIL = "a\x1b]0;PWNED\x07\udc80\ud800 [@click=app.quit]x"
OUTCOME = Outcome("tabs", "00ff", "Indent with tabs.", 17, 4, 1, 2.5, 2.0, 2.25, -0.5, 1, 0, 2.25, 0.0, 3, 0)
RUN = Run(
    conversation="/talks/a.json#0/0",
    engine=b"one",
    path="/talks/a.json",
    form="openai",
    item=0,
    window=0,
    title="a",
    messages=9,
    sha256="ab",
    memories=(),
    split="",
    name="formula",
    model="closed-form",
    url="",
    threshold=0.01,
    time=50.0,
    responses=3,
    outcomes=(OUTCOME,),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """With a clock that goes on by a second whenever it is asked."""
    times = iter(range(100, 1000))
    set_clock(lambda: float(next(times)))
    opened = Database(tmp_path)
    yield opened
    opened.close()
    set_clock(None)


def test_a_run_comes_back_as_it_was_whatever_its_names_hold(database: Database) -> None:
    unknown = OUTCOME._replace(key=EVIL, preview=EVIL, tokens=None, total=None, net=None, max=None, against=None)
    run = replace(RUN, conversation=EVIL, path=EVIL, title=EVIL, memories=(EVIL, "b"), outcomes=(OUTCOME, unknown))
    Runs(database).keep(run)
    assert Runs(database).conversations() == [EVIL]
    assert list(Runs(database).of(EVIL)) == [(run, 100.0)]


def test_a_run_without_memories_scored_nothing(database: Database) -> None:
    runs = Runs(database)
    runs.keep(replace(RUN, outcomes=(OUTCOME,)))
    runs.keep(replace(RUN, conversation="nothing", outcomes=()))
    runs.keep(replace(RUN, conversation="broken"))
    database.write("UPDATE runs SET about = 'no JSON' WHERE rowid = 3")
    assert runs.conversations() == sorted([RUN.conversation, "broken", "nothing"])
    assert runs.conversations(scored=True) == [RUN.conversation]


def test_a_later_run_of_a_conversation_replaces_that_of_the_same_engine_alone(database: Database) -> None:
    runs = Runs(database)
    longer = replace(RUN, messages=20, outcomes=(OUTCOME, OUTCOME._replace(key="late")))
    other = replace(RUN, engine=b"two", name="embedded")
    for run in (RUN, other, longer):
        runs.keep(run)
    assert runs.conversations() == [RUN.conversation]
    assert list(runs.of(RUN.conversation)) == [(longer, 102.0), (other, 101.0)]


def test_a_run_without_memories_replaces_none(database: Database) -> None:
    runs = Runs(database)
    runs.keep(RUN)
    runs.keep(replace(RUN, messages=1, outcomes=()))
    assert list(runs.of(RUN.conversation)) == [(RUN, 101.0)]  # but it says that this is as of now
    empty = replace(RUN, conversation="b", outcomes=())
    runs.keep(empty)
    assert [run for run, _ in runs.of("b")] == [empty]


@pytest.mark.parametrize(
    "about",
    [
        "",
        "[1]",
        "[" * 100_000,
        '{"outcomes": 3}',
        lambda about: {**about, "time": "yesterday"},
        lambda about: {**about, "threshold": float("nan")},
        lambda about: {**about, "memories": [1]},
        lambda about: {**about, "outcomes": {**about["outcomes"], "total": [float("inf")]}},
        lambda about: {**about, "outcomes": {**about["outcomes"], "above": [True]}},
        lambda about: {**about, "outcomes": {**about["outcomes"], "key": ["a", "b"]}},
        lambda about: {**about, "outcomes": {k: v for k, v in about["outcomes"].items() if k != "most"}},
    ],
)
def test_a_row_that_cannot_be_read_is_passed_over(database: Database, about: object) -> None:
    runs = Runs(database)
    runs.keep(RUN)
    runs.keep(replace(RUN, engine=b"two"))
    ((told,),) = database.read("SELECT about FROM runs WHERE engine = ?", b"two")
    broken = json.dumps(about(json.loads(str(told)))) if callable(about) else about
    database.write("UPDATE runs SET about = ? WHERE engine = ?", broken, b"two")
    database.write("INSERT INTO runs VALUES ('a text', ?, '{}', 1.0)", b"one")
    assert list(runs.of(RUN.conversation)) == [(RUN, 100.0)]
    assert runs.conversations() == [RUN.conversation]


_WRITE = """
import sys
from dataclasses import replace
from pathlib import Path
from memscope.store.database import Database
from memscope.store.runs import Runs
from tests.store.test_runs import RUN
runs = Runs(Database(Path(sys.argv[1])))
for number in range(40):
    runs.keep(replace(RUN, conversation=f"{sys.argv[2]} {number}"))
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    calls = [[sys.executable, "-c", _WRITE, str(tmp_path), name] for name in ("a", "b")]
    started = [subprocess.Popen(call, cwd=Path(__file__).parents[2]) for call in calls]
    assert [process.wait(60) for process in started] == [0, 0]
    database = Database(tmp_path)
    assert len(Runs(database).conversations()) == 80
    assert all(len(list(Runs(database).of(name))) == 1 for name in Runs(database).conversations())
    database.close()
