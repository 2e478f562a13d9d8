"""What a program tells of an episode: taken where it is plain, refused with the field and the reason where not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import SourceError
from memscope.lessons.episode import episode_of, episodes_of
from memscope.lessons.model import Episode, SeenMistake
from tests.lessons.told import EPISODES

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("task_id", "score", "steps", "trajectory_summary", "mistakes", "successes", "mistake_cards")


def test_an_episode_is_all_that_was_told_of_it() -> None:
    told = {
        "task_id": "triage",
        "score": 0.82,
        "steps": 7,
        "trajectory_summary": "Looked at auth first",
        "mistakes": ["Escalated too early", "", "  ", None],
        "successes": ["Found the cause"],
        "mistake_cards": [
            {"mistake_type": "early", "worker_id": "w1", "evidence": "e" * 301, "lesson": "l" * 301},
        ],
        "reward": {"of": "others"},
    }

    assert episode_of(told) == Episode(
        task_id="triage",
        score=0.82,
        steps=7,
        trajectory_summary="Looked at auth first",
        mistakes=("Escalated too early", "", "  "),
        successes=("Found the cause",),
        mistake_cards=(SeenMistake("early", "triage", "w1", evidence="e" * 300, lesson="l" * 300),),
    )


@pytest.mark.parametrize(
    "told", [{}, {"task_id": None, "steps": None, "mistakes": None}, {"task_id": " ", "steps": 0.0}]
)
def test_what_is_missing_has_its_default(told: dict[str, Any]) -> None:
    assert episode_of(told) == Episode("unknown", 0.0, 0)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("score", "0.9", "score is a text, not a number"),
        ("score", True, "score is true or false, not a number"),
        ("score", None, "score is null, not a number"),
        ("score", [0.5], "score is a list, not a number"),
        ("score", float("nan"), "score is nan, which is not finite"),
        ("score", float("-inf"), "score is -inf, which is not finite"),
        ("score", 1.5, "score is 1.5, which is outside 0 to 1"),
        ("score", -1e-9, "score is -1e-09, which is outside 0 to 1"),
        ("score", 10**400, f"score is 1{'0' * 18}…, which is outside 0 to 1"),
        ("steps", 2**53, "steps is 9007199254740992, and 9,007,199,254,740,991 is the most that is counted"),
        ("steps", -1, "steps is -1, not a whole number of 0 or more"),
        ("steps", 2.5, "steps is 2.5, not a whole number of 0 or more"),
        ("steps", float("inf"), "steps is inf, not a whole number of 0 or more"),
        ("steps", "7", "steps is a text, not a whole number of 0 or more"),
        ("steps", True, "steps is true or false, not a whole number of 0 or more"),
        ("task_id", 3, "task_id is a number, not a text"),
        ("trajectory_summary", ["a"], "trajectory_summary is a list, not a text"),
        ("mistakes", "one text", "mistakes is a text, not a list"),
        ("successes", {"a": 1}, "successes is an object, not a list"),
        ("mistakes", ["a", 3], "entry 2 of mistakes is a number, not a text"),
        ("mistake_cards", "late", "mistake_cards is a text, not a list"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_wrong_field_is_named_with_the_reason(field: str, value: Any, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        episode_of({field: value}, "episode.json")

    assert caught.value.what == reason
    assert caught.value.where == "episode.json"


def test_a_list_tells_several_and_a_wrong_one_is_named_by_its_place() -> None:
    assert episodes_of([{"score": 1}, {"score": 0}]) == [Episode(score=1.0), Episode(score=0.0)]
    assert episodes_of({"steps": 3}) == [Episode(steps=3)]
    assert episodes_of([]) == []
    with pytest.raises(SourceError, match=r"^there: episode 2: score is 2, which is outside 0 to 1"):
        episodes_of([{}, {"score": 2}], "there")
    with pytest.raises(SourceError, match=r"^episode 1: this is null, not an object"):
        episodes_of([None])


@pytest.mark.parametrize("document", [None, 3, "text", True])
def test_what_is_no_object_is_no_episode(document: object) -> None:
    with pytest.raises(SourceError, match="not an object"):
        episode_of(document)


def test_a_card_says_what_it_can_and_what_is_no_object_is_none() -> None:
    cards = [
        3,
        "late",
        None,
        {},
        {"mistake_type": 4, "task_id": "other", "correct_decision": {"b": 1, "a": [2]}, "lesson": " "},
    ]

    assert episode_of({"task_id": "triage", "mistake_cards": cards}).mistake_cards == (
        SeenMistake("unknown_mistake", "triage"),
        SeenMistake("4", "other", correct_decision='{"a": [2], "b": 1}', rest={"correct_decision": {"b": 1, "a": [2]}}),
    )


@pytest.mark.parametrize("name", ["episode_log", "score_history", "task_rules"])
def test_a_memory_is_no_episode(name: str) -> None:
    with pytest.raises(SourceError, match=r"episode 1: this is an agent's memory, not an episode"):
        episodes_of([{"version": 1, "mistakes": [], name: []}])


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]

    with pytest.raises(SourceError, match="nested too deeply"):
        episode_of({"mistake_cards": [{"evidence": deep}]})


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING) | ANYTHING)
def test_anything_is_an_episode_or_an_error_that_is_meant_for_people(document: Any) -> None:
    try:
        found = episodes_of(document)
    except SourceError:
        return
    for episode in found:
        assert 0 <= episode.score <= 1
        assert episode.steps >= 0
        assert episode.task_id.strip()


@given(EPISODES)
def test_what_programs_tell_is_taken(told: dict[str, Any]) -> None:
    assert episodes_of(json.loads(json.dumps([told]))) == [episode_of(told)]
