"""Every decision and its undo, whoever else is writing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.clock import set_clock
from memscope.store.database import Database
from memscope.store.journal import UNDO, Journal

# A process that takes and undoes decisions on one subject: more are taken than undone.
DECIDER = """
import sys
from pathlib import Path
from memscope.store.database import Database
from memscope.store.journal import Journal
journal = Journal(Database(Path(sys.argv[1])))
sys.stdin.readline()
for number in range(40):
    journal.add("mark", "s", "yes", {"by": sys.argv[2], "number": number})
    if number % 2:
        journal.undo("mark", "s")
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(tmp_path)
    yield store
    store.close()


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


def verdicts(journal: Journal, kind: str = "prune", subject: str = "s") -> list[str]:
    return [entry.verdict for entry in journal.entries(kind, subject)]


def test_a_decision_is_kept_with_everything_that_belongs_to_it(journal: Journal) -> None:
    set_clock(lambda: 1700000000.5)
    try:
        number = journal.add("prune", "tabs", "keep", {"why": "still true", "lines": [1, 2]})
    finally:
        set_clock(None)
    (entry,) = journal.entries("prune", "tabs")
    assert (entry.id, entry.at, entry.kind, entry.subject) == (number, 1700000000.5, "prune", "tabs")
    assert (entry.verdict, entry.payload, entry.previous) == ("keep", {"why": "still true", "lines": [1, 2]}, None)


def test_kinds_and_subjects_do_not_mix(journal: Journal) -> None:
    journal.add("prune", "a", "1")
    journal.add("prune", "b", "2")
    journal.add("pin", "a", "3")
    assert verdicts(journal, "prune", "a") == ["1"]
    assert journal.undo("pin", "b") is None
    assert journal.undo("prune", "b") is not None
    assert [verdicts(journal, *where) for where in (("prune", "a"), ("prune", "b"), ("pin", "a"))] == [["1"], [], ["3"]]


def test_an_entry_names_the_one_in_force_before_it(journal: Journal) -> None:
    first = journal.add("prune", "s", "1")
    second = journal.add("prune", "s", "2")
    journal.undo("prune", "s")
    journal.add("prune", "s", "3")
    assert second != first
    assert [entry.previous for entry in journal.entries("prune", "s")] == [None, first]


def test_nothing_is_ever_taken_out(journal: Journal, database: Database) -> None:
    journal.add("prune", "s", "1")
    journal.undo("prune", "s")
    journal.undo("prune", "s")
    assert database.read("SELECT CAST(verdict AS TEXT), previous FROM journal ORDER BY id") == [("1", None), (UNDO, 1)]


def test_an_undo_is_no_verdict_of_a_persons(journal: Journal) -> None:
    with pytest.raises(ValueError, match="undo"):
        journal.add("prune", "s", UNDO)
    assert verdicts(journal) == []


def test_a_row_that_cannot_be_read_is_left_out(journal: Journal, database: Database) -> None:
    journal.add("prune", "s", "good")
    for payload in ("broken", "[1]", "[" * 100_000):
        number = journal.add("prune", "s", "bad")
        database.write("UPDATE journal SET payload = ? WHERE id = ?", payload, number)
    assert verdicts(journal) == ["good"]
    assert [journal.undo("prune", "s") for _ in range(3)] == [None] * 3
    undone = journal.undo("prune", "s")
    assert undone is not None
    assert undone.verdict == "good"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(), max_size=5).filter(lambda v: v != UNDO) | st.none(), max_size=20))
def test_what_is_in_force_is_a_stack(steps: list[str | None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder))
        journal = Journal(database)
        stack: list[str] = []
        for step in steps:
            if step is None:
                undone = journal.undo("\udc80 kind", "s\0\ud800")
                assert (undone and undone.verdict) == (stack.pop() if stack else None)
            else:
                journal.add("\udc80 kind", "s\0\ud800", step, {"said": step})
                stack.append(step)
            entries = journal.entries("\udc80 kind", "s\0\ud800")
            assert [(entry.verdict, entry.payload) for entry in entries] == [(said, {"said": said}) for said in stack]
            assert [entry.previous for entry in entries] == [None, *(entry.id for entry in entries)][: len(entries)]
        database.close()


def test_two_processes_decide_at_once(tmp_path: Path, journal: Journal) -> None:
    command = [sys.executable, "-c", DECIDER, str(tmp_path)]
    processes = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, text=True) for name in "ab"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    entries = journal.entries("mark", "s")
    assert len(entries) == 40  # 80 taken, 40 undone, none twice
    assert len({(entry.payload["by"], entry.payload["number"]) for entry in entries}) == 40
