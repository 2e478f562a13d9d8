"""Mistakes seen again and again, and which of them are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.lessons.cards import DEFAULT_LESSON, MOST, NEWEST, merged, merged_classic
from memscope.lessons.model import MistakeCard, SeenMistake


def seen(kind: str, lesson: str = "", evidence: str = "") -> SeenMistake:
    return SeenMistake(kind, "triage", evidence=evidence, lesson=lesson)


def kinds(cards: tuple[MistakeCard, ...]) -> list[str]:
    return [card.mistake_type for card in cards]


def test_a_mistake_seen_again_is_counted_on_its_card() -> None:
    once = merged((), [seen("late", "Be early.", "at 3")], 4)
    again = merged(once, [seen("late", evidence="at 9"), seen("early")], 7)

    assert once == (MistakeCard("late", "triage", None, None, None, "at 3", "Be early.", 1, 4, 4),)
    assert again == (
        MistakeCard("late", "triage", None, None, None, "at 9", "Be early.", 2, 4, 7),
        MistakeCard("early", "triage", None, None, None, "", DEFAULT_LESSON, 1, 7, 7),
    )


def test_what_differs_in_type_task_worker_or_decision_is_another_mistake() -> None:
    told = [
        SeenMistake("late", "triage"),
        SeenMistake("late", "other"),
        SeenMistake("late", "triage", worker_id="w"),
        SeenMistake("late", "triage", correct_decision="wait"),
        SeenMistake("late", "triage", worker_id="", bad_decision="go", correct_decision=""),
    ]

    assert [card.seen_count for card in merged((), told, 1)] == [2, 1, 1, 1]


def test_the_default_lesson_replaces_no_real_one_and_a_real_one_replaces_it() -> None:
    cards = merged((), [seen("a", "Be early."), seen("b")], 1)
    cards = merged(cards, [seen("a"), seen("a", DEFAULT_LESSON), seen("b", "Ask.")], 2)

    assert [card.lesson for card in cards] == ["Be early.", "Ask."]
    assert [card.lesson for card in merged_classic(cards, [seen("a"), seen("b", "Wait.")], 3)] == [
        DEFAULT_LESSON,
        "Wait.",
    ]


def test_evidence_stays_where_an_episode_gives_none() -> None:
    cards = merged((), [seen("a", evidence="at 3")], 1)

    assert merged(cards, [seen("a")], 2)[0].evidence == "at 3"


def test_a_memory_full_of_old_mistakes_still_learns_new_ones() -> None:
    old = merged((), [seen(f"old {number}") for number in range(MOST)] * 2, 1)
    new = [seen(f"new {number}") for number in range(7)]

    cards = merged(old, new, 2)

    assert len(cards) == MOST
    assert kinds(cards)[-NEWEST:] == [f"new {number}" for number in range(2, 7)]
    assert kinds(cards)[:-NEWEST] == [f"old {number}" for number in range(MOST - NEWEST)]
    assert kinds(merged_classic(old, new, 2)) == kinds(old)


def test_an_episode_without_mistakes_leaves_the_cards_as_they_are() -> None:
    cards = tuple(MistakeCard(str(number), "", None, None, None, "", "") for number in range(40))

    assert merged(cards, [], 9) is cards
    assert merged_classic(cards, [], 9) == cards


@given(st.lists(st.lists(st.sampled_from([str(number) for number in range(60)]), max_size=20), max_size=12))
def test_few_are_kept_the_most_seen_first_and_the_newest_among_them(episodes: list[list[str]]) -> None:
    cards: tuple[MistakeCard, ...] = ()
    for number, told in enumerate(episodes, 1):
        before = {card.key for card in cards}
        cards = merged(cards, [seen(kind) for kind in told], number)
        new = [kind for kind in dict.fromkeys(told) if seen(kind).mistake_type not in {key[0] for key in before}]

        assert len(cards) <= MOST
        assert list(cards) == sorted(cards, key=lambda card: (-card.seen_count, -card.last_seen_episode))
        assert {*new[-NEWEST:]} <= {*kinds(cards)}
        assert len({card.key for card in cards}) == len(cards)
