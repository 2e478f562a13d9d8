"""What a memory holds in numbers, which are those of classic memory, and scores as a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.lessons.model import AgentMemory
from memscope.lessons.summary import line, summary
from tests.lessons import classic_context
from tests.lessons.remembered import MEMORIES, card, document


@given(MEMORIES)
def test_the_numbers_are_those_of_classic_memory(memory: AgentMemory) -> None:
    found = summary(memory)

    assert {
        "total_episodes": found.total_episodes,
        "global_rules": found.general_rules,
        "task_rules": found.task_rules,
        "mistakes_stored": found.mistakes,
        "mistake_cards_stored": found.mistake_cards,
        "top_mistake_cards": [
            {"mistake_type": one.mistake_type, "task_id": one.task_id, "seen_count": one.seen_count}
            for one in found.top_cards
        ],
        "scores_by_task": found.mean_scores,
    } == classic_context.summary(document(memory))


def test_the_top_cards_are_those_seen_most_then_last() -> None:
    cards = tuple(card(f"{seen} {last}", seen=seen, last=last) for seen, last in ((1, 9), (3, 1), (3, 2), (2, 2)))

    found = summary(AgentMemory(mistake_cards=cards * 2))

    assert [one.lesson for one in found.top_cards] == ["3 2", "3 2", "3 1", "3 1", "2 2"]


def test_scores_are_drawn_by_one_scale() -> None:
    assert line([n / 7 for n in range(8)], 80) == "▁▂▃▄▅▆▇█"
    assert line([n / 10 for n in range(11)], 80, plain=True) == " .:-=+*#%@@"
    assert line([0.5], 80) == line([0.5, 0.1], 80)[0] == "▅"


def test_a_line_shows_the_last_scores_as_they_were() -> None:
    assert line([0, 0, 0, 1, 0.5], 2) == "█▅"
    assert line([0.5], 0) == line([0.5], -3) == line([], 10) == ""


@pytest.mark.parametrize(("score", "block", "plain"), [(-3, "▁", " "), (92, "█", "@"), (1e308, "█", "@")])
def test_scores_of_another_scale_stay_on_the_line(score: float, block: str, plain: str) -> None:
    assert (line([score], 5), line([score], 5, plain=True)) == (block, plain)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.integers(-2, 40), st.booleans())
def test_a_line_has_a_cell_for_each_score_and_is_higher_for_a_higher_one(
    scores: list[float], width: int, plain: bool
) -> None:
    signs = " .:-=+*#%@" if plain else "▁▂▃▄▅▆▇█"
    drawn = line(scores, width, plain=plain)

    assert len(drawn) == min(len(scores), max(width, 0))
    assert line(sorted(scores), len(scores), plain=plain) == "".join(
        sorted(line(scores, len(scores), plain=plain), key=signs.index)
    )
