"""What is said of lessons: the words, the columns, and what a change comes to."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings

from memscope.lessons.context import Context, context
from memscope.lessons.model import AgentMemory
from memscope.reports.lessons import (
    TASK_COLUMNS,
    LessonsDocument,
    due_words,
    ignored_words,
    lessons_document,
    lessons_words,
    score_line,
    score_words,
)
from memscope.reports.lessons_change import CHANGE_COLUMNS, change_document, change_words, lessons_changes
from memscope.reports.lessons_context import context_document, context_words
from tests.lessons import classic_context
from tests.lessons.documents import MEMORY, PATH, context_cut, lessons_changed, lessons_kept
from tests.lessons.remembered import MEMORIES, card, document


def shown(document: LessonsDocument, place: int) -> dict[str, str]:
    return {column.title: column.text(document.tasks[place]) for column in TASK_COLUMNS}


# What there is.


def test_a_line_says_how_much_there_is_and_what_is_due() -> None:
    assert lessons_words(lessons_kept()) == (
        "24 episodes of 2 tasks · 2 general rules · 1 mistake · 2 mistake cards · 1 conflict"
        " · consolidation is due: 21 episodes since the last"
    )
    fresh = lessons_document(PATH, AgentMemory(), exists=True)
    assert lessons_words(fresh) == (
        "0 episodes of 0 tasks · 0 general rules · 0 mistakes · 0 mistake cards · consolidation in 20 episodes"
    )


@pytest.mark.parametrize(
    ("total", "last", "words"),
    [
        (19, 0, "consolidation in 1 episode"),
        (20, 0, "consolidation is due: 20 episodes since the last"),
        (39, 20, "consolidation in 1 episode"),
        (40, 20, "consolidation is due: 20 episodes since the last"),
        (3, 20, "consolidation in 20 episodes"),
    ],
)
def test_it_is_due_every_twenty_episodes(total: int, last: int, words: str) -> None:
    memory = AgentMemory(total_episodes=total, last_consolidated_at=last)
    assert due_words(lessons_document(PATH, memory, exists=True)) == words


def test_why_there_is_nothing_is_said_and_only_then() -> None:
    missing = lessons_document(PATH, AgentMemory(), exists=False)
    empty = lessons_document(PATH, AgentMemory(), exists=True)
    assert missing.reason is not None and "no such file yet" in missing.reason
    assert empty.reason == "nothing was recorded yet"
    assert lessons_kept().reason is None
    assert lessons_document(PATH, AgentMemory(global_rules=("x",)), exists=True).reason is None


def test_what_counts_for_nothing_is_told_by_its_list() -> None:
    told = ignored_words(lessons_kept())
    assert "2 of mistakes, 1 of score_history/deploy" in told and "stay in the file" in told
    assert ignored_words(lessons_document(PATH, AgentMemory(), exists=True)) == ""


def test_a_row_shows_scores_as_numbers_and_as_a_line() -> None:
    assert shown(lessons_kept(), 0) == {
        "task": "deploy",
        "episodes": "3",
        "mean": "0.70",
        "last": "0.90",
        "scores": "▅▆█",
        "rules": "2",
        "conflicts": "1",
    }
    values = [column.value(lessons_kept().tasks[0]) for column in TASK_COLUMNS]
    assert values == ["deploy", 3, pytest.approx(0.7), 0.9, "0.50 0.70 0.90", 2, 1]
    assert score_line(lessons_kept().tasks[0], 2, plain=True) == "#@"


def test_what_is_no_number_is_no_score() -> None:
    row = lessons_kept().tasks[1]
    assert (row.scores, row.mean, row.last) == ([None], None, None)
    assert (shown(lessons_kept(), 1)["mean"], shown(lessons_kept(), 1)["scores"]) == ("–", "")
    assert score_words(None) == "–"
    mixed = replace(MEMORY, score_history={"deploy": (0.5, math.inf, 0.7)})
    assert lessons_document(PATH, mixed, exists=True).tasks[0].mean == pytest.approx(0.6)


def test_cards_that_were_seen_most_stand_first_wherever_the_file_has_them() -> None:
    cards = [card(str(seen), seen=seen, last=last) for seen, last in ((1, 9), (4, 1), (2, 2), (4, 3))]
    document = lessons_document(PATH, AgentMemory(mistake_cards=tuple(cards)), exists=True)
    assert [(one.seen, one.last_episode) for one in document.mistake_cards] == [(4, 3), (4, 1), (2, 2), (1, 9)]


def test_conflicts_are_told_with_the_task_they_are_of() -> None:
    told = [(one.works, one.avoid, one.task) for one in lessons_kept().conflicts]
    assert told == [("[WORKS] guessing", "[AVOID] guessing", "deploy")]
    assert shown(lessons_kept(), 1)["conflicts"] == ""


@given(MEMORIES)
def test_the_numbers_are_those_of_classic_memory(memory: AgentMemory) -> None:
    told = lessons_document(PATH, memory, exists=True)
    assert {
        "total_episodes": told.total_episodes,
        "global_rules": len(told.global_rules),
        "task_rules": {one.task: len(one.rules) for one in told.tasks if one.task in memory.task_rules},
        "mistakes_stored": len(told.mistakes),
        "mistake_cards_stored": len(told.mistake_cards),
        "top_mistake_cards": [
            {"mistake_type": one.mistake_type, "task_id": one.task, "seen_count": one.seen}
            for one in told.mistake_cards[:5]
        ],
        "scores_by_task": {one.task: round(one.mean, 3) for one in told.tasks if one.mean is not None},
    } == classic_context.summary(document(memory))


def test_scores_that_are_too_large_to_add_have_a_mean() -> None:
    memory = AgentMemory(total_episodes=2, score_history={"t": (1e308, 1e308)})
    assert lessons_document(PATH, memory, exists=True).tasks[0].mean == 1e308
    assert "inf" not in context(memory, "t").text


@given(MEMORIES)
def test_any_memory_has_a_document_that_reads_back(memory: AgentMemory) -> None:
    document = lessons_document(PATH, memory, exists=True)
    assert LessonsDocument.model_validate_json(document.model_dump_json(by_alias=True)) == document
    assert lessons_words(document) and len(document.tasks) == len(memory.tasks)


# The block.


def test_a_block_is_told_with_its_budget_and_what_was_cut() -> None:
    document = context_cut()
    assert document.cut and document.tokens <= 40
    assert context_words(document) == f"{document.tokens} of 40 tokens, {len(document.cut)} lines cut"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Context("x", 1, None, ()), "1 token"),
        (Context("x" * 5000, 1250, None, ()), "1,250 tokens"),
        (Context("x", 1, 200, ()), "1 of 200 tokens"),
        (context(MEMORY, "deploy", 1), "0 of 1 tokens, 9 lines cut"),
    ],
)
def test_the_words_for_a_block(made: Context, words: str) -> None:
    assert context_words(context_document(PATH, None, made)) == words


# A change.


def test_a_change_tells_what_comes_and_goes_list_by_list() -> None:
    told = [(one.sign, one.list_, one.text) for one in lessons_changed().changes]
    assert told == [
        ("-", "global_rules", "[AVOID] guessing"),
        ("+", "global_rules", "[HIGH SCORE 0.90] asked, then waited"),
    ]


def test_a_card_that_was_seen_again_is_one_line() -> None:
    again = replace(MEMORY.mistake_cards[0], seen_count=2, lesson="Look twice.")
    after = replace(MEMORY, mistake_cards=(card("Wait.", kind="new"), again))
    changes = lessons_changes(MEMORY, after)
    assert [(one.sign, one.text) for one in changes] == [
        ("-", "late, seen 3x: Ask twice."),
        ("+", "new, seen 1x: Wait."),
        ("~", "early, seen 2x: Look twice."),
    ]
    exported = [CHANGE_COLUMNS[0].exported(one) for one in changes if CHANGE_COLUMNS[0].exported is not None]
    assert exported == ["dropped", "added", "seen again"]


def test_a_task_that_is_new_and_one_that_is_gone_are_told() -> None:
    after = replace(MEMORY, task_rules={"new": ("[WORKS] it",)}, score_history={}, episode_log=())
    told = [(one.sign, one.list_) for one in lessons_changes(MEMORY, after)]
    assert ("+", "task_rules/new") in told
    assert [one for one in told if one[0] == "-"] == [("-", "task_rules/deploy")] * 2 + [("-", "task_rules/rollback")]


@settings(max_examples=40)
@given(MEMORIES, MEMORIES)
def test_nothing_is_told_of_what_stays(before: AgentMemory, after: AgentMemory) -> None:
    assert lessons_changes(before, before) == []
    for change in lessons_changes(before, after):
        if change.list_ == "global_rules":
            assert (change.text in after.global_rules) == (change.sign == "+")
            assert (change.text in before.global_rules) == (change.sign == "-")


def test_the_words_for_a_change() -> None:
    more = replace(MEMORY, total_episodes=26, global_rules=(*MEMORY.global_rules, "[CONSOLIDATED] wait"))
    recorded = change_document(PATH, "record", MEMORY, more, written=True)
    assert change_words(recorded) == "2 episodes recorded; 26 episodes in all"
    assert change_words(recorded.model_copy(update={"written": False})).startswith("2 episodes would be recorded")
    derived = change_document(PATH, "consolidate", MEMORY, more, written=True, by="model", model="talker")
    assert change_words(derived) == "general rules by talker: 1 added, 0 dropped"
    assert change_words(lessons_changed().model_copy(update={"written": False})) == (
        "general rules from episodes with high scores: 1 would be added, 1 would be dropped"
    )
