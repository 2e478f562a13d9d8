"""Rules from episodes, and rules against each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.lessons.model import AVOID, WORKS, AgentMemory, Episode
from memscope.lessons.rules import Conflict, conflicts, taught, with_new
from tests.lessons.told import WORDS


def episode(score: float) -> Episode:
    return Episode(score=score, mistakes=("late",), successes=("read", "read", "asked"))


def test_what_worked_in_a_good_episode_and_failed_in_a_bad_one_is_a_rule() -> None:
    assert taught((), episode(0.85)) == ("[WORKS] read", "[WORKS] asked")
    assert taught((), episode(0.49)) == ("[AVOID] late",)
    assert taught(("[WORKS] read",), episode(0.5)) == taught(("[WORKS] read",), episode(0.84)) == ("[WORKS] read",)


def test_a_rule_stands_once_and_the_last_ten_stay() -> None:
    rules = (*(f"[WORKS] {number}" for number in range(9)), "[WORKS] read")

    assert taught(rules, episode(1.0)) == (*rules[1:], "[WORKS] asked")


@given(st.lists(WORDS), st.lists(WORDS))
def test_what_is_new_comes_behind_what_was_there(known: list[str], more: list[str]) -> None:
    found = with_new(tuple(known), more)

    assert found[: len(known)] == tuple(known)
    assert set(found) == {*known, *more}
    assert len(found) == len(known) + len({*more} - {*known})


def test_rules_that_say_the_opposite_of_the_same_are_conflicts() -> None:
    memory = AgentMemory(
        global_rules=("[AVOID] restart", "Restart", "[CONSOLIDATED] restart"),
        task_rules={
            "a": ("[WORKS] Read  the logs", "[AVOID] read the LOGS ", "[AVOID] read the logs"),
            "b": ("[WORKS] RESTART", "[WORKS] ask"),
            "c": ("[AVOID] ask",),
        },
    )

    assert conflicts(memory) == [
        Conflict("[WORKS] Read  the logs", "[AVOID] read the LOGS ", "a"),
        Conflict("[WORKS] RESTART", "[AVOID] restart", "b"),
    ]


def test_general_rules_conflict_once_not_with_every_task() -> None:
    memory = AgentMemory(global_rules=("[WORKS] ask", "[AVOID] ask"), task_rules={"a": (), "b": ("[AVOID] Ask",)})

    assert conflicts(memory) == [
        Conflict("[WORKS] ask", "[AVOID] ask", None),
        Conflict("[WORKS] ask", "[AVOID] Ask", "b"),
    ]


@given(st.lists(WORDS.map(lambda text: WORKS + text) | WORDS.map(lambda text: AVOID + text) | WORDS))
def test_a_conflict_is_of_rules_that_are_there(rules: list[str]) -> None:
    for works, avoid, task in conflicts(AgentMemory(task_rules={"a": tuple(rules)})):
        assert (works in rules, avoid in rules, task) == (True, True, "a")
        assert works[len(WORKS) :].lower().split() == avoid[len(AVOID) :].lower().split()
