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


# A process that takes two decisions in each step, on subjects shared with others, and undoes every other step.
STEPPER = """
import sys
from pathlib import Path
from memscope.store.database import Database
from memscope.store.journal import Journal
journal = Journal(Database(Path(sys.argv[1])))
sys.stdin.readline()
for number in range(30):
    journal.add_all("triage", [(subject, "yes", {"by": sys.argv[2], "number": number}) for subject in "ab"])
    if number % 2:
        assert len(journal.undo_step("triage", ["a"])) == 2
"""


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


@settings(max_examples=60)
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
            assert journal.newest("\udc80 kind", "s\0\ud800") == (entries[-1] if entries else None)
            assert [entry.previous for entry in entries] == [None, *(entry.id for entry in entries)][: len(entries)]
        database.close()


def at_once(script: str, folder: Path) -> None:
    """Two processes run a script together."""
    command = [sys.executable, "-c", script, str(folder)]
    processes = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, text=True) for name in "ab"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]


def test_two_processes_decide_at_once(tmp_path: Path, journal: Journal) -> None:
    at_once(DECIDER, tmp_path)
    entries = journal.entries("mark", "s")
    assert len(entries) == 40  # 80 taken, 40 undone, none twice
    assert len({(entry.payload["by"], entry.payload["number"]) for entry in entries}) == 40


def test_two_processes_take_and_undo_steps_at_once(tmp_path: Path, journal: Journal) -> None:
    at_once(STEPPER, tmp_path)
    found = journal.all_entries("triage")
    told = {s: [(entry.payload["by"], entry.payload["number"]) for entry in found[s]] for s in "ab"}
    assert told["a"] == told["b"]  # no step was torn
    assert len(set(told["a"])) == len(told["a"]) == 30  # 60 taken, 30 undone


def test_what_is_decided_at_once_is_undone_at_once_and_no_more(journal: Journal) -> None:
    journal.add("triage", "a", "reject")
    journal.add_all("triage", [("a", "accept", {}), ("b", "accept", {"n": 1}), ("c", "accept", {})])
    journal.add("triage", "b", "skip")
    assert [entry.verdict for entry in journal.undo_step("triage")] == ["skip"]
    undone = journal.undo_step("triage", {"c"})  # one of a step names it all
    assert [(entry.subject, entry.verdict, entry.payload) for entry in undone] == [
        ("a", "accept", {}),
        ("b", "accept", {"n": 1}),
        ("c", "accept", {}),
    ]
    assert {subject: [e.verdict for e in found] for subject, found in journal.all_entries("triage").items()} == {
        "a": ["reject"]
    }
    assert journal.undo_step("triage", {"b", "c"}) == []
    assert journal.undo_step("triage", ()) == []
    assert len(journal.undo_step("triage")) == 1
    assert journal.undo_step("triage") == []


def test_of_a_step_only_what_is_still_in_force_is_undone(journal: Journal) -> None:
    journal.add_all("triage", [("a", "accept", {}), ("b", "accept", {})])
    journal.undo("triage", "a")
    assert [entry.subject for entry in journal.undo_step("triage")] == ["b"]


def test_a_step_is_kept_whole_or_not_at_all(journal: Journal, database: Database) -> None:
    before = journal.add("triage", "a", "accept")
    with pytest.raises(ValueError, match="undo"):
        journal.add_all("triage", [("a", "skip", {}), ("b", UNDO, {})])
    with pytest.raises(TypeError):
        journal.add_all("triage", [("a", "skip", {}), ("b", "skip", {"not JSON": object()})])
    assert [entry.id for entry in journal.entries("triage", "a")] == [before]
    assert database.read("SELECT count(*) FROM journal") == [(1,)]
    journal.add_all("triage", [])
    assert journal.latest("triage") == before


def test_decisions_on_some_subjects_are_read_at_once_however_many(journal: Journal) -> None:
    journal.add_all("triage", [(f"s{number}", "accept", {}) for number in range(2500)])
    journal.add("mark", "s1", "mark")
    wanted = [f"s{number}" for number in range(0, 2500, 2)]
    found = journal.all_entries("triage", wanted)
    assert sorted(found) == sorted(wanted)
    assert [entry.kind for entry in found["s0"]] == ["triage"]
    assert journal.all_entries("triage", []) == {}
    assert len(journal.all_entries("triage")) == 2500


def test_a_number_tells_that_something_of_a_kind_is_new(journal: Journal) -> None:
    assert journal.latest("triage") == 0
    first = journal.add("triage", "a", "accept")
    journal.add("mark", "a", "mark")
    assert journal.latest("triage") == first
    journal.undo_step("triage")
    assert journal.latest("triage") > first


Model = list[tuple[int, str, str]]  # decisions in force, in order: the step, the subject, the verdict

SUBJECTS = ["a", "b", "\ud800", "d"]
_subject = st.sampled_from(SUBJECTS)
_decisions = st.lists(st.tuples(_subject, st.sampled_from(["accept", "reject", "skip"])), max_size=4)
_acts = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 1), _decisions.filter(lambda found: len(found) == 1)),
    st.tuples(st.just("add_all"), st.integers(0, 1), _decisions),
    st.tuples(st.just("undo_step"), st.integers(0, 1), st.none() | st.sets(_subject)),
    st.tuples(st.just("undo"), st.integers(0, 1), _subject),
)


@settings(max_examples=120)
@given(st.lists(_acts, max_size=25))
def test_two_journals_on_one_store_are_what_a_list_of_steps_is(acts: list[tuple[str, int, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        databases = [Database(Path(folder)), Database(Path(folder))]
        journals = [Journal(database) for database in databases]
        model: Model = []
        for number, (act, which, what) in enumerate(acts):
            play(journals[which], model, number, act, what)
            for journal in journals:
                found = journal.all_entries("triage")
                assert {s: [e.verdict for e in found.get(s, [])] for s in SUBJECTS} == {
                    s: [verdict for _, subject, verdict in model if subject == s] for s in SUBJECTS
                }
                assert journal.all_entries("triage", SUBJECTS[:2]) == {s: found[s] for s in found if s in SUBJECTS[:2]}
        for database in databases:
            database.close()


def play(journal: Journal, model: Model, number: int, act: str, what: object) -> None:
    """One act, on the journal and on the model, which must tell the same."""
    if act == "add":
        for subject, verdict in what:  # type: ignore[attr-defined]
            journal.add("triage", subject, verdict)
            model.append((number, subject, verdict))
    elif act == "add_all":
        journal.add_all("triage", [(subject, verdict, {}) for subject, verdict in what])  # type: ignore[attr-defined]
        model.extend((number, subject, verdict) for subject, verdict in what)  # type: ignore[attr-defined]
    elif act == "undo_step":
        undone = journal.undo_step("triage", what)  # type: ignore[arg-type]
        last = next((step for step, subject, _ in reversed(model) if what is None or subject in what), None)  # type: ignore[operator]
        assert [(entry.subject, entry.verdict) for entry in undone] == [one[1:] for one in model if one[0] == last]
        model[:] = [one for one in model if one[0] != last]
    else:
        entry = journal.undo("triage", str(what))
        place = next((place for place in reversed(range(len(model))) if model[place][1] == what), None)
        assert (entry is None) == (place is None)
        if place is not None:
            del model[place]
