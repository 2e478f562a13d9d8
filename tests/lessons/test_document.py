"""The document of a memory's file: what classic wrote, what older programs left out, what is none of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import SourceError
from memscope.lessons.cards import merged
from memscope.lessons.document import document_of, memory_of
from memscope.lessons.fields import LARGEST
from memscope.lessons.model import AgentMemory, LoggedEpisode, SeenMistake
from tests.lessons import classic_memory
from tests.lessons.told import EPISODES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
LISTS = ("global_rules", "episode_log", "mistakes", "mistake_cards", "successes")
BY_TASK = ("task_rules", "score_history")
ENTRY = JSON | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("score", "steps", "task_id", "seen_count", "worker_id", "lesson", "timestamp"), JSON)
)


def round_trip(document: Any) -> Any:
    return document_of(memory_of(document))


@given(st.lists(EPISODES, max_size=10), st.none() | st.integers(1, 99))
def test_a_document_that_classic_wrote_is_the_same_when_it_is_written_again(
    episodes: list[dict[str, Any]], consolidated: int | None
) -> None:
    document = classic_memory.fresh() | {"last_consolidated_at": consolidated, "global_rules": ["[CONSOLIDATED] Ask."]}
    for told in episodes:
        classic_memory.record(document, told, 1e9)

    assert json.dumps(round_trip(json.loads(json.dumps(document)))) == json.dumps(document)


def test_an_older_document_has_what_it_lacks_from_then_on() -> None:
    old = {
        "version": 1,
        "global_rules": None,
        "episode_log": [{"task_id": "a", "score": 1, "steps": 3, "summary": "s", "timestamp": "t"}],
        "score_history": {"a": [1, 0.5], "b": None},
    }

    memory = memory_of(old)

    assert memory == AgentMemory(
        total_episodes=2,
        episode_log=(LoggedEpisode("t", "a", 1.0, 3, "s"),),
        score_history={"a": (1.0, 0.5), "b": ()},
    )
    assert list(document_of(memory)) == list(classic_memory.fresh())


@pytest.mark.parametrize("told", ["2026-05-01T12:00:00Z", 0, -3, 2.5, True, [], {"at": 3}])
def test_nonsense_for_the_last_consolidation_counts_as_never_and_stays_in_the_file(told: Any) -> None:
    document = classic_memory.fresh() | {"last_consolidated_at": told}
    memory = memory_of(document)

    assert memory.last_consolidated_at == 0
    assert document_of(memory)["last_consolidated_at"] == (None if told == 0 else told)
    assert document_of(replace(memory, last_consolidated_at=20))["last_consolidated_at"] == 20


def test_strange_entries_count_for_nothing_and_are_written_back_first() -> None:
    document = classic_memory.fresh() | {
        "global_rules": ["a", 3, None],
        "episode_log": ["x", {"score": "high"}, {"summary": "no score"}, {"score": 0.5}],
        "score_history": {"a": [0.5, "0.7", True, math.inf, None, 10**400]},
        "task_rules": {"a": [["b"], "c"]},
        "mistake_cards": [7, {"mistake_type": "late"}],
    }
    memory = memory_of(document)

    assert memory.strange == {
        "global_rules": (3, None),
        "episode_log": ("x", {"score": "high"}, {"summary": "no score"}),
        "score_history/a": ("0.7", True, math.inf, None, 10**400),
        "task_rules/a": (["b"],),
        "mistake_cards": (7,),
    }
    assert memory.score_history == {"a": (0.5,)}
    again = document_of(memory)
    assert again["global_rules"] == [3, None, "a"]
    assert again["episode_log"][:3] == document["episode_log"][:3]
    assert again["score_history"]["a"] == ["0.7", True, math.inf, None, 10**400, 0.5]
    assert memory_of(again) == memory


def test_what_an_old_entry_says_in_another_type_is_read_and_stays() -> None:
    entry = {"task_id": 3, "score": 92, "steps": "7", "summary": ["a"], "tool": "x"}
    other = {"score": 1, "steps": True}
    card = {"worker_id": 4, "correct_decision": {"do": "wait"}, "seen_count": "3", "last_seen_episode": 2.5}
    document = classic_memory.fresh() | {"episode_log": [entry, other], "mistake_cards": [card]}
    memory = memory_of(document)

    logged, found = memory.episode_log[0], memory.mistake_cards[0]
    assert (logged.task_id, logged.score, logged.steps, logged.summary) == ("3", 92.0, 7, '["a"]')
    assert found.key == ("unknown_mistake", "unknown", "4", '{"do": "wait"}')
    assert (found.seen_count, found.last_seen_episode) == (3, 2)
    again = document_of(memory)
    assert again["episode_log"][0] == {"timestamp": "", **entry}
    assert again["episode_log"][1]["steps"] is True
    assert card.items() <= again["mistake_cards"][0].items()


def test_what_was_changed_since_is_written_as_it_is_now() -> None:
    card = {"mistake_type": "late", "task_id": "a", "worker_id": 4, "seen_count": "3", "evidence": 5}
    memory = memory_of(classic_memory.fresh() | {"mistake_cards": [card]})

    cards = merged(memory.mistake_cards, [SeenMistake("late", "a", "4", evidence="now")], 9)

    written = document_of(AgentMemory(mistake_cards=cards))["mistake_cards"]
    assert [(one["worker_id"], one["seen_count"], one["evidence"]) for one in written] == [(4, 4, "now")]


def test_the_fields_of_others_are_kept() -> None:
    card = {"owner": {"x": [1]}, "mistake_type": "late"}
    document = classic_memory.fresh() | {"mistake_cards": [card], "notes": {"by": "others"}}

    assert memory_of(document).rest == {"notes": {"by": "others"}}
    assert memory_of(document).mistake_cards[0].rest == {"owner": {"x": [1]}}
    assert round_trip(document)["notes"] == {"by": "others"}
    assert round_trip(document)["mistake_cards"][0]["owner"] == {"x": [1]}


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ([], "it holds a list, not the object that an agent's memory is"),
        ("text", "it holds a text, not the object that an agent's memory is"),
        (None, "it holds null, not the object that an agent's memory is"),
        ({"name": "x", "scripts": {}}, "it has nothing that an agent's memory has, so it is none"),
        ({"version": 2}, "its version is 2, and only the number 1 can be read"),
        ({"version": "1"}, 'its version is the text "1", and only the number 1 can be read'),
        ({"version": True}, "its version is true or false, and only the number 1 can be read"),
        ({"version": 1, "mistakes": {}}, "mistakes is an object, not a list"),
        ({"version": 1, "score_history": [0.5]}, "score_history is a list, not an object"),
        ({"version": 1, "task_rules": {"a\n": "rule"}}, "task_rules of a is a text, not a list"),
        ({"version": 1, "episode_log": 3}, "episode_log is a number, not a list"),
        ({"version": 1, "total_episodes": "3"}, "total_episodes is a text, not a whole number of 0 or more"),
        ({"version": 1, "total_episodes": -3}, "total_episodes is -3, not a whole number of 0 or more"),
        ({"version": 1, "total_episodes": 1.5}, "total_episodes is a number, not a whole number of 0 or more"),
        (
            {"version": 1, "total_episodes": int("9" * 4300)},
            f"total_episodes is {'9' * 19}…, and 9,007,199,254,740,991 is the most that is counted",
        ),
        ({"version": "1.2", "name": "x"}, "it has nothing that an agent's memory has, so it is none"),
        ({"version": 1, "name": "x"}, "it has nothing that an agent's memory has, so it is none"),
        ({"score": 0.5, "mistakes": [], "version": 1}, "it holds an episode, not an agent's memory"),
        ({"task_id": "a", "mistakes": ["late"], "mistake_cards": []}, "it holds an episode, not an agent's memory"),
        ({"trajectory_summary": ""}, "it holds an episode, not an agent's memory"),
    ],
)
def test_what_is_no_memory_is_refused_with_the_reason(document: Any, what: str) -> None:
    with pytest.raises(SourceError) as caught:
        memory_of(document)

    assert caught.value.what == what


@given(
    st.fixed_dictionaries(
        {"version": st.just(1)},
        optional={
            "total_episodes": st.integers(0) | JSON,
            "last_consolidated_at": JSON,
            **dict.fromkeys(LISTS, st.lists(ENTRY, max_size=4) | JSON),
            **dict.fromkeys(BY_TASK, st.dictionaries(st.text(max_size=3), st.lists(ENTRY, max_size=4) | JSON) | JSON),
            "others": JSON,
        },
    )
)
def test_nothing_is_lost_whatever_the_document_holds(document: dict[str, Any]) -> None:
    try:
        memory = memory_of(document)
    except SourceError:
        return
    again = document_of(memory)

    assert memory_of(again) == memory
    assert document_of(memory_of(again)) == again
    for name, values in document.items():
        if name in LISTS:
            assert holds(again[name], values)
        elif name in BY_TASK:
            assert (values or {}).keys() == again[name].keys()
            assert all(holds(again[name][task], entries) for task, entries in (values or {}).items())
        elif values is not None:
            assert again[name] == values or name == "last_consolidated_at"


def holds(written: list[Any], entries: list[Any] | None) -> bool:
    """Whether every entry is still there, be it with more fields, and nothing else."""
    left = list(written)
    for entry in entries or ():
        found = next((at for at, one in enumerate(left) if text(one) == text(entry) or has(one, entry)), None)
        if found is None:
            return False
        del left[found]
    return not left


def has(one: Any, entry: Any) -> bool:
    if not (isinstance(one, dict) and isinstance(entry, dict)):
        return False
    return all(name in one and text(one[name]) == text(value) for name, value in entry.items())


def text(value: Any) -> str:
    """As JSON, in which a number is the same with and without a fraction of nothing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def test_what_nobody_can_count_is_counted_as_far_as_that_goes_and_stays_in_the_file() -> None:
    huge = int("9" * 4300)
    card, entry = {"seen_count": huge, "first_seen_episode": -huge}, {"score": 1, "steps": 1e300}
    document = {"mistake_cards": [card], "episode_log": [entry], "last_consolidated_at": huge}
    memory = memory_of(document)

    assert (memory.mistake_cards[0].seen_count, memory.episode_log[0].steps) == (LARGEST, LARGEST)
    assert memory.last_consolidated_at == 0
    again = json.loads(json.dumps(document_of(memory)))
    assert card.items() <= again["mistake_cards"][0].items()
    assert (again["episode_log"][0]["steps"], again["last_consolidated_at"]) == (1e300, huge)


def test_a_memory_may_have_fields_that_an_episode_has() -> None:
    assert memory_of({"task_id": "of others", "global_rules": ["a"]}).rest == {"task_id": "of others"}
    assert memory_of({"version": 1}) == AgentMemory()


@pytest.mark.parametrize("document", [{}, {"version": None, "mistakes": []}, {"total_episodes": 0}])
def test_an_older_file_need_not_say_its_version(document: dict[str, Any]) -> None:
    assert memory_of(document) == AgentMemory()
    assert document_of(memory_of(document))["version"] == 1
