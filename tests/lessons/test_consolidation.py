"""General rules from many episodes: what a model is asked, what of its answer counts, and taking it back."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.masking import REMOVED
from memscope.lessons import classic_consolidation
from memscope.lessons.consolidation import (
    Changes,
    by_scores,
    changes,
    consolidated,
    from_model,
    is_due,
    messages,
    rules_in,
    since,
    taken_back,
)
from memscope.lessons.model import AgentMemory
from tests.lessons import classic_context
from tests.lessons.remembered import MEMORIES, document, episode, texts

SECRET = "AKIA" + "QZ7RT5WXKJ2MNB4L"
RULES = texts(st.sampled_from([f"rule {n}" for n in range(40)]), 24)


@pytest.mark.parametrize(
    ("total", "last", "episodes", "due"), [(0, 0, 0, False), (19, 0, 19, False), (20, 0, 20, True), (45, 25, 20, True)]
)
def test_it_is_due_every_twenty_episodes(total: int, last: int, episodes: int, due: bool) -> None:
    memory = AgentMemory(total_episodes=total, last_consolidated_at=last)

    assert (since(memory), is_due(memory)) == (episodes, due)


def test_a_memory_that_says_it_was_consolidated_later_is_not_due() -> None:
    memory = AgentMemory(total_episodes=5, last_consolidated_at=90)

    assert (since(memory), is_due(memory)) == (0, False)


def test_a_model_is_told_the_last_thirty_episodes_a_line_each() -> None:
    memory = AgentMemory(episode_log=tuple(episode(0.5, f"went  {n}\nfine {{x}}") for n in range(40)))

    (message,) = messages(memory)
    lines = message["content"].splitlines()

    assert message["role"] == "user"
    assert [line for line in lines if line.startswith("task=")] == [
        f"task=deploy score=0.50: went {n} fine {{x}}" for n in range(10, 40)
    ]
    assert lines[-1] == '["Rule 1...", "Rule 2...", ...]'
    assert "Extract 5 concise, actionable rules" in message["content"]


def test_a_model_is_told_no_credentials_and_no_names_of_home_folders() -> None:
    said = f"found {SECRET} in /home/dev/keys " + "\u202e" + "y" * 5000
    hidden = "x" * 995 + f" {SECRET}"
    log = (episode(0.5, said), episode(0.5, hidden), episode(task=f"t {SECRET}"))

    sent = messages(AgentMemory(episode_log=log))[0]["content"]

    assert SECRET not in sent
    assert SECRET[:4] not in sent
    assert sent.count(REMOVED) == 2
    assert "in ~/keys ‹202E›" in sent
    assert len(sent) < 3000


@given(MEMORIES)
def test_classic_mode_asks_what_classic_memory_asks(memory: AgentMemory) -> None:
    asked = classic_context.prompt(document(memory))

    assert messages(memory, classic=True) == [{"role": "user", "content": asked}]


def test_rules_are_found_in_an_answer_whatever_stands_around_them() -> None:
    answer = (
        'Sure:\n```json\n["Look first.", " Ask\\n twice. ", "", "Look  first.", 7, null, "\x1b[1mBe bold.\\u202e"]\n```'
    )

    assert rules_in('["a", "b"]') == ("a", "b")
    assert rules_in('<think>["no"]</think>As in [1] and []: ["a"]') == ("a",)
    assert rules_in(answer.replace("\x1b", "\\u001b")) == ("Look first.", "Ask twice.", "␛[1mBe bold.‹202E›")


def test_there_are_five_rules_at_most_and_none_is_long() -> None:
    assert rules_in(json.dumps(["x" * 999, *"abcdefg"])) == ("x" * 300, "a", "b", "c", "d")


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ("I cannot do that.", "holds no JSON"),
        ('["never ends", "and', "holds no JSON"),
        ('{"rules": ["a"]}', "holds an object"),
        ("[]", "the array in the answer is empty"),
        ('[1, null, {"rule": "a"}, ["b"]]', "holds no rules"),
        ('["", " \\n"]', "holds no rules"),
    ],
)
def test_an_answer_without_rules_is_refused_and_says_why(reply: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        rules_in(reply)


def test_the_best_episodes_speak_for_themselves() -> None:
    log = (
        episode(0.85, "Looked  at\nthe logs."),
        episode(0.8499, "no"),
        episode(0.923, "z" * 200),
        episode(1.0, " \n"),
        episode(0.85, "Looked at the logs."),
    )

    found = by_scores(AgentMemory(total_episodes=5, episode_log=log))

    assert found == ("[HIGH SCORE 0.85] Looked at the logs.", "[HIGH SCORE 0.92] " + "z" * 120)
    assert by_scores(AgentMemory()) == ()


def test_of_the_best_episodes_only_those_since_the_last_consolidation_speak() -> None:
    log = tuple(episode(0.9, str(n)) for n in range(40))
    memory = AgentMemory(total_episodes=40, last_consolidated_at=37, episode_log=log)

    assert by_scores(memory) == tuple(f"[HIGH SCORE 0.90] {n}" for n in (37, 38, 39))
    assert by_scores(replace(memory, last_consolidated_at=40)) == ()
    assert len(by_scores(replace(memory, total_episodes=400))) == 40


def test_consolidating_again_and_again_the_newest_rules_stay() -> None:
    memory = AgentMemory()
    for turn in range(4):
        log = (*memory.episode_log, *(episode(0.9, f"{turn}.{n}") for n in range(20)))[-100:]
        memory = replace(memory, total_episodes=memory.total_episodes + 20, episode_log=log)
        memory = consolidated(memory, by_scores(memory)[:15])

    newest = [*(f"2.{n}" for n in range(10, 15)), *(f"3.{n}" for n in range(15))]
    assert memory.global_rules == tuple(f"[HIGH SCORE 0.90] {one}" for one in newest)


def test_episodes_since_the_rules_were_derived_are_still_to_be_consolidated() -> None:
    memory = AgentMemory(total_episodes=45, last_consolidated_at=10)

    assert consolidated(memory, ("a",), total=40).last_consolidated_at == 40
    assert consolidated(memory, ("a",), total=3).last_consolidated_at == 10
    assert consolidated(memory, ("a",), total=99).last_consolidated_at == 45
    assert classic_consolidation.consolidated(memory, (), total=40).last_consolidated_at == 40


@pytest.mark.parametrize(("models", "told", "left"), [(0, 25, 20), (12, 25, 8), (12, 3, 3), (20, 25, 0), (22, 1, 0)])
def test_where_a_model_failed_its_earlier_rules_stay_and_the_others_have_the_room_they_leave(
    models: int, told: int, left: int
) -> None:
    derived = from_model(f"rule {n}" for n in range(models))
    memory = AgentMemory(total_episodes=40, global_rules=derived)
    new = tuple(f"[HIGH SCORE 0.90] {n}" for n in range(told))

    rules = consolidated(memory, new, sparing=True).global_rules

    assert rules == (*derived[-20:], *new[len(new) - left :])
    assert consolidated(memory, new).global_rules == (*derived, *new)[-20:]


def test_new_rules_stand_behind_the_others_and_twenty_stay() -> None:
    before = AgentMemory(total_episodes=40, last_consolidated_at=3, global_rules=tuple(f"rule {n}" for n in range(19)))
    rules = ("rule 5", *from_model(["Look first.", "Ask."]))

    after = consolidated(before, rules)

    others = tuple(f"rule {n}" for n in range(1, 19) if n != 5)
    assert after.global_rules == (*others, "rule 5", "[CONSOLIDATED] Look first.", "[CONSOLIDATED] Ask.")
    assert after.last_consolidated_at == 40
    assert changes(before, after) == Changes(rules[1:], ("rule 0",), (*others, "rule 5"))


def test_without_rules_a_memory_stays_the_same_and_is_not_consolidated() -> None:
    memory = AgentMemory(total_episodes=40, global_rules=("a", "a"))

    assert consolidated(memory, ()) is memory


@given(MEMORIES, RULES)
def test_what_changed_is_told_in_full(before: AgentMemory, rules: tuple[str, ...]) -> None:
    after = consolidated(before, rules)
    done = changes(before, after)

    assert {*done.removed, *done.kept} == set(before.global_rules)
    assert {*done.added, *done.kept} == set(after.global_rules)
    assert not {*done.added} & {*done.removed, *done.kept}
    assert len(after.global_rules) <= 20 or after is before
    assert len({*after.global_rules}) == len(after.global_rules) or after is before


@given(MEMORIES, RULES)
def test_taken_back_at_once_all_is_as_it_was(before: AgentMemory, rules: tuple[str, ...]) -> None:
    after = consolidated(before, rules)

    assert taken_back(after, before, after) == before


@given(MEMORIES, RULES, RULES)
def test_taken_back_later_what_came_since_stays(
    before: AgentMemory, rules: tuple[str, ...], later: tuple[str, ...]
) -> None:
    after = consolidated(before, rules)
    moved = replace(consolidated(replace(after, total_episodes=99), later), mistakes=("new",))

    back = taken_back(moved, before, after)

    mine = set(changes(before, after).added)
    assert set(back.global_rules) >= {*moved.global_rules, *changes(before, after).removed} - mine
    assert not mine & set(back.global_rules)
    assert back.mistakes == ("new",)
    assert back.last_consolidated_at == (99 if later else before.last_consolidated_at)


def test_rules_that_had_to_make_room_come_back_in_front() -> None:
    before = AgentMemory(total_episodes=20, global_rules=tuple(f"rule {n}" for n in range(20)))
    after = consolidated(before, ("x", "y"))
    moved = replace(after, global_rules=(*after.global_rules[3:], "later", "rule 1"))

    assert taken_back(moved, before, after).global_rules == (
        *("rule 0", "rule 5"),
        *(f"rule {n}" for n in range(6, 20)),
        *("later", "rule 1"),
    )


REPLIES = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "none", "]", "[", "][", "x [1] y", '["a", "b"] or ["c"]', "[NaN]", "[" * 5000 + "]" * 5000, "[9e9999]"]
    ),
    st.lists(st.one_of(st.text(max_size=5), st.integers(), st.none(), st.booleans(), st.lists(st.just("x")))).map(
        lambda rules: f"Here: {json.dumps(rules)}."
    ),
)


@given(MEMORIES, RULES.map(lambda rules: tuple(dict.fromkeys(rules))[:20]), REPLIES)
def test_classic_mode_consolidates_as_classic_memory_does(
    memory: AgentMemory, general: tuple[str, ...], reply: str | None
) -> None:
    memory = replace(memory, global_rules=general, total_episodes=memory.last_consolidated_at + 20)
    expected = classic_context.consolidate(deepcopy(document(memory)), reply)

    rules = classic_consolidation.by_scores(memory)
    if reply is not None:
        with suppress(ValueError):
            rules = from_model(classic_consolidation.rules_in(reply))

    assert document(classic_consolidation.consolidated(memory, rules)) == expected


@given(MEMORIES)
def test_classic_mode_is_due_when_classic_memory_is(memory: AgentMemory) -> None:
    asked = document(memory)

    assert classic_context.is_due(asked) is is_due(memory)


@pytest.mark.parametrize("reply", ["][", '["a"] or ["b"]', "[" * 5000 + "]" * 5000])
def test_classic_mode_says_that_brackets_hold_no_array(reply: str) -> None:
    with pytest.raises(ValueError, match="no JSON array"):
        classic_consolidation.rules_in(reply)
