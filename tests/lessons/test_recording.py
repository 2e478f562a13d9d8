"""Recording an episode, and the same as classic mode has it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.lessons.document import document_of, memory_of
from memscope.lessons.episode import episode_of
from memscope.lessons.model import AgentMemory, Episode, LoggedEpisode, SeenMistake
from memscope.lessons.recording import recorded
from tests.lessons import classic_memory
from tests.lessons.told import EPISODES

AT = 1_700_000_000.25


def test_a_recorded_episode_is_in_every_part_of_the_memory() -> None:
    bad = Episode("triage", 0.2, 7, "Looked at auth", ("late", "late"), ("asked",), (SeenMistake("late", "triage"),))

    memory = recorded(AgentMemory(), bad, AT)

    assert memory.total_episodes == 1
    assert memory.episode_log == (
        LoggedEpisode("2023-11-14T22:13:20.250000+00:00", "triage", 0.2, 7, "Looked at auth"),
    )
    assert memory.score_history == {"triage": (0.2,)}
    assert (memory.mistakes, memory.successes) == (("late",), ("asked",))
    assert memory.task_rules == {"triage": ("[AVOID] late",)}
    assert [(card.mistake_type, card.first_seen_episode) for card in memory.mistake_cards] == [("late", 1)]


def test_what_is_blank_teaches_nothing_and_in_classic_mode_a_rule() -> None:
    blank = Episode("triage", 0.2, mistakes=("", " ", "late"))

    assert recorded(AgentMemory(), blank, AT).task_rules == {"triage": ("[AVOID] late",)}
    assert recorded(AgentMemory(), blank, AT).mistakes == ("late",)
    classic = recorded(AgentMemory(), blank, AT, classic=True)
    assert classic.task_rules == {"triage": ("[AVOID] ", "[AVOID]  ", "[AVOID] late")}
    assert classic.mistakes == (" ", "late")


def test_a_worker_that_is_a_number_is_one_in_the_file() -> None:
    told = {"mistake_cards": [{"worker_id": 3, "correct_decision": {"do": "wait"}}]}
    memory = recorded(AgentMemory(), episode_of(told), AT)
    memory = recorded(memory_of(document_of(memory)), episode_of(told), AT)

    (card,) = document_of(memory)["mistake_cards"]
    assert (card["worker_id"], card["correct_decision"], card["seen_count"]) == (3, {"do": "wait"}, 2)


def test_what_was_there_stays_as_it_was() -> None:
    before = AgentMemory(3, mistakes=("a", "a"), score_history={"x": (0.1,)}, strange={"mistakes": (3,)}, rest={"k": 1})

    after = recorded(recorded(before, Episode("x", 1.0, mistakes=("b", "a")), AT), Episode("y"), AT)

    assert before == AgentMemory(
        3, mistakes=("a", "a"), score_history={"x": (0.1,)}, strange={"mistakes": (3,)}, rest={"k": 1}
    )
    assert after.mistakes == ("a", "a", "b")
    assert after.score_history == {"x": (0.1, 1.0), "y": (0.0,)}
    assert (after.total_episodes, after.strange, after.rest) == (5, before.strange, before.rest)
    assert after.tasks == ("x", "y")


@given(st.lists(EPISODES, max_size=12))
def test_classic_mode_makes_the_same_document_as_classic(episodes: list[dict[str, Any]]) -> None:
    theirs = classic_memory.fresh()
    ours = AgentMemory()
    for number, told in enumerate(episodes):
        classic_memory.record(theirs, told, AT + number)
        ours = recorded(ours, episode_of(told), AT + number, classic=True)

    assert document_of(ours) == theirs
    assert json.dumps(document_of(ours), indent=2) == json.dumps(theirs, indent=2)


@given(st.lists(EPISODES, max_size=8))
@settings(max_examples=50)
def test_the_modes_differ_in_the_cards_and_in_what_is_blank_alone(episodes: list[dict[str, Any]]) -> None:
    ours, classic = AgentMemory(), AgentMemory()
    for some in episodes:
        told = some | {name: [*filter(str.strip, some.get(name, []))] for name in ("mistakes", "successes")}
        ours, classic = recorded(ours, episode_of(told), AT), recorded(classic, episode_of(told), AT, classic=True)

    assert document_of(ours) | {"mistake_cards": 0} == document_of(classic) | {"mistake_cards": 0}


@given(st.lists(EPISODES, max_size=8))
@settings(max_examples=50)
def test_what_was_recorded_is_read_back_as_it_is(episodes: list[dict[str, Any]]) -> None:
    memory = AgentMemory()
    for told in episodes:
        memory = recorded(memory, episode_of(told), AT)

    assert memory_of(json.loads(json.dumps(document_of(memory)))) == memory
    assert memory.total_episodes == sum(map(len, memory.score_history.values())) == len(memory.episode_log)
