"""What a person changes in a file of lessons can be taken back, and never at the cost of what others wrote since."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

from memscope.actions import lessons
from memscope.actions.consolidation import Proposal
from memscope.actions.lessons import read_lessons
from memscope.actions.lessons_steps import KIND, Undone, keep, record, undo
from memscope.base.errors import Cancelled, SourceError, StoreError, UsageError
from memscope.base.settings import Settings
from memscope.lessons.model import AgentMemory, Episode
from memscope.store.database import Database
from memscope.store.journal import Journal

pytestmark = pytest.mark.usefixtures("noon")

ONE, OTHER = Episode("deploy", 0.2, 3, "guessed", ("guessing",)), Episode("rollback", 0.9, 2, "asked", (), ("asking",))
RECORDED = Undone("the episodes that were recorded")
DERIVED = Undone("the rules that were derived")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in which others have recorded already."""
    file = tmp_path / "agent_memory.json"
    others(file, OTHER)
    return file


def others(path: Path, *episodes: Episode) -> None:
    """Somebody else's program records."""
    lessons.record(path, episodes, Settings())


def memory(path: Path) -> AgentMemory:
    return read_lessons(path).memory


def rules(path: Path, *texts: str) -> Proposal:
    return Proposal(path, memory(path), texts, "model", classic=False, model="talker")


def test_episodes_are_recorded_and_taken_back(path: Path, database: Database) -> None:
    before = path.read_bytes()
    assert undo(path, database) is None
    document, trouble = record(path, [ONE, OTHER], Settings(), database)
    assert (document.written, document.episodes, document.total_episodes, trouble) == (True, 2, 3, None)
    assert undo(path, database) == RECORDED
    assert path.read_bytes() == before
    assert undo(path, database) is None


def test_rules_are_kept_and_taken_back(path: Path, database: Database) -> None:
    before = memory(path)
    document, trouble = keep(rules(path, "[CONSOLIDATED] wait"), database)
    assert (document.written, document.by, document.model, trouble) == (True, "model", "talker", None)
    assert memory(path).global_rules == ("[CONSOLIDATED] wait",)
    assert undo(path, database) == DERIVED
    assert memory(path) == before


def test_steps_are_taken_back_one_by_one_the_latest_first(path: Path, database: Database) -> None:
    states = [memory(path)]
    record(path, [ONE], Settings(), database)
    states.append(memory(path))
    keep(rules(path, "[CONSOLIDATED] wait"), database)
    states.append(memory(path))
    record(path, [OTHER], Settings(), database)
    for state, what in zip(reversed(states), (RECORDED, DERIVED, RECORDED), strict=True):
        assert undo(path, database) == what
        assert memory(path) == state


def test_once_others_have_recorded_the_rules_go_and_theirs_stays(path: Path, database: Database) -> None:
    record(path, [ONE], Settings(), database)
    keep(rules(path, "[CONSOLIDATED] wait", "[CONSOLIDATED] look"), database)
    others(path, ONE)
    assert undo(path, database) == Undone(DERIVED.what, partly=True)
    after = memory(path)
    assert (after.global_rules, after.total_episodes, after.last_consolidated_at) == ((), 3, 0)
    assert len(after.episode_log) == 3


def test_rules_that_made_room_come_back_and_later_ones_of_others_stay(path: Path, database: Database) -> None:
    keep(rules(path, *(f"[CONSOLIDATED] {number}" for number in range(20))), None)
    keep(rules(path, "[CONSOLIDATED] 20", "[CONSOLIDATED] 21"), database)
    assert memory(path).global_rules[0] == "[CONSOLIDATED] 2"
    others(path, ONE)
    keep(rules(path, "[CONSOLIDATED] theirs"), None)
    assert undo(path, database) == Undone(DERIVED.what, partly=True)
    after = memory(path)
    assert [one.removeprefix("[CONSOLIDATED] ") for one in after.global_rules] == [
        *("0", "1"),
        *map(str, range(3, 20)),
        "theirs",
    ]
    assert after.last_consolidated_at == 2


def test_rules_that_others_took_out_are_no_longer_there_to_be_taken_back(path: Path, database: Database) -> None:
    keep(rules(path, "[CONSOLIDATED] wait"), database)
    keep(rules(path, *(f"[CONSOLIDATED] {number}" for number in range(20))), None)
    before = path.read_bytes()
    assert undo(path, database) == Undone(DERIVED.what, partly=True, gone=True)
    assert path.read_bytes() == before
    assert undo(path, database) is None


def test_of_all_steps_of_a_long_file_only_the_latest_is_read_and_it_is_packed(
    path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    others(path, *[Episode("deploy", 0.2, 9, "guessed " * 100)] * 99)
    record(path, [ONE], Settings(), database)
    record(path, [OTHER], Settings(), database)
    monkeypatch.setattr(Journal, "entries", None)
    assert undo(path, database) == RECORDED
    entry = Journal(database).newest(KIND, str(path))
    assert entry is not None and len(str(entry.payload)) < path.stat().st_size / 10


def test_who_waits_for_others_can_be_stopped_and_nothing_is_written(path: Path, database: Database) -> None:
    def stop() -> None:
        raise Cancelled

    keep(rules(path, "[CONSOLIDATED] wait"), database)
    before = path.read_bytes()
    with FileLock(path.with_name(f".{path.name}.lock")):
        for change in (
            lambda: record(path, [ONE], Settings(), database, stop),
            lambda: keep(rules(path, "[CONSOLIDATED] look"), database, stop),
            lambda: undo(path, database, stop),
        ):
            with pytest.raises(Cancelled):
                change()
    assert path.read_bytes() == before
    assert undo(path, database) == DERIVED


def test_recording_cannot_be_taken_back_once_others_have_written(path: Path, database: Database) -> None:
    record(path, [ONE], Settings(), database)
    others(path, OTHER)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="others have written to it since") as raised:
        undo(path, database)
    assert raised.value.where == str(path) and "forgotten" in raised.value.do
    assert path.read_bytes() == before
    assert undo(path, database) is None


def test_what_cannot_be_taken_back_does_not_keep_the_steps_before_it(path: Path, database: Database) -> None:
    keep(rules(path, "[CONSOLIDATED] wait"), database)
    record(path, [ONE], Settings(), database)
    others(path, OTHER)
    with pytest.raises(UsageError, match="the episodes that were recorded cannot be taken back"):
        undo(path, database)
    assert undo(path, database) == Undone(DERIVED.what, partly=True)
    assert memory(path).global_rules == ()


def test_in_a_file_that_is_gone_nothing_is_taken_back_and_none_is_made(path: Path, database: Database) -> None:
    record(path, [ONE], Settings(), database)
    moved = path.rename(path.with_name("moved.json"))
    with pytest.raises(UsageError, match="the file is gone"):
        undo(path, database)
    assert not path.exists()
    moved.rename(path)
    assert undo(path, database) == RECORDED


def test_a_file_that_was_made_by_it_is_empty_again(tmp_path: Path, database: Database) -> None:
    path = tmp_path / "outputs" / "new.json"
    record(path, [ONE], Settings(), database)
    assert undo(path, database) == RECORDED
    assert memory(path) == AgentMemory()


def test_a_broken_file_is_told_and_left_alone_and_the_step_stays(path: Path, database: Database) -> None:
    record(path, [ONE], Settings(), database)
    path.write_text("{broken")
    with pytest.raises(SourceError, match="line 1"):
        undo(path, database)
    assert path.read_text() == "{broken"
    assert Journal(database).newest(KIND, os.path.realpath(path)) is not None


def test_what_others_keep_in_the_file_comes_back_with_it(path: Path, database: Database) -> None:
    told = '{"version": 1, "owner": "a \\ud800", "mistakes": [7], "score_history": {"t": [0.5, 1e999]}}'
    path.write_text(told)
    record(path, [ONE], Settings(), database)
    assert undo(path, database) == RECORDED
    kept = json.loads(path.read_text())
    assert (kept["owner"], kept["mistakes"], kept["total_episodes"]) == ("a \ud800", [7], 2)
    assert sorted(kept["score_history"]["t"]) == [0.5, float("inf")]


def test_steps_are_of_one_file_by_whatever_link_it_is_named(path: Path, database: Database) -> None:
    link, copy = path.with_name("link.json"), path.with_name("copy.json")
    link.symlink_to(path)
    copy.write_bytes(path.read_bytes())
    record(link, [ONE], Settings(), database)
    assert undo(copy, database) is None
    assert undo(path, database) == RECORDED
    assert memory(link).total_episodes == 1


def test_without_a_store_it_is_done_and_said_that_it_cannot_be_taken_back(path: Path) -> None:
    document, trouble = record(path, [ONE], Settings(), None)
    assert document.written and isinstance(trouble, StoreError) and "nothing is kept on disk" in str(trouble)
    document, trouble = keep(rules(path, "[CONSOLIDATED] wait"), None)
    assert document.written and trouble is not None
    assert undo(path, None) is None
    assert memory(path).total_episodes == 2


def test_a_store_that_fails_costs_the_undo_alone(
    path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Journal, "add", fail)
    document, trouble = record(path, [ONE], Settings(), database)
    assert document.written and memory(path).total_episodes == 2
    assert str(trouble) == "the disk is full"
    assert undo(path, database) is None


def test_nothing_derived_is_no_step(path: Path, database: Database) -> None:
    document, trouble = keep(rules(path), database)
    assert (document.written, trouble) == (False, None)
    assert undo(path, database) is None


@pytest.mark.parametrize(
    "payload",
    [{}, {"before": 7, "after": "x"}, {"before": {"version": 2}, "rules": "x"}, {"before": "eJxj", "after": ""}],
)
def test_a_step_that_another_version_noted_is_not_guessed_at(
    path: Path, database: Database, payload: dict[str, object]
) -> None:
    Journal(database).add(KIND, str(path), "consolidate", payload)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="cannot be taken back"):
        undo(path, database)
    assert path.read_bytes() == before
