"""The calls that most runs share, in their order."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.steps import Step, common_steps

RUNS = st.lists(st.lists(st.sampled_from("abcd"), max_size=8).map(tuple), max_size=8)


def told(*runs: str) -> tuple[str, list[int], int, int]:
    found = common_steps(tuple(run) for run in runs)
    return "".join(step.tool for step in found.steps), [step.runs for step in found.steps], found.runs, found.whole


def test_runs_that_are_the_same_share_all() -> None:
    assert told("abc", "abc") == ("abc", [2, 2, 2], 2, 2)


def test_what_more_than_half_share_is_told_with_how_many() -> None:
    assert told("abcd", "abd", "acd", "xd") == ("ad", [3, 4], 4, 3)
    assert told("abcd", "abd", "acd") == ("abcd", [3, 2, 2, 3], 3, 1)


def test_what_one_run_did_is_no_step() -> None:
    assert told("ab") == ("", [], 1, 1)
    assert told("ab", "cb") == ("b", [2], 2, 2)


def test_what_is_done_again_and_again_is_told_once() -> None:
    assert told("xababab", "xabab") == ("xab", [2, 2, 2], 2, 2)
    assert told("xabcabcx", "xaabbcx") == ("xabcx", [2] * 5, 2, 2)
    assert told("abba", "aba") == ("aba", [2, 2, 2], 2, 2)


def test_runs_that_call_nothing_do_not_count() -> None:
    assert told("", "ab", "", "ab") == ("ab", [2, 2], 2, 2)
    assert told("", "") == ("", [], 0, 0)
    assert told() == ("", [], 0, 0)


def test_runs_that_share_nothing_have_no_steps() -> None:
    assert told("a", "b", "c") == ("", [], 3, 3)


def test_very_long_and_very_many_runs_are_counted_all_the_same() -> None:
    long = "".join(chr(0x4E00 + n) for n in range(1000))
    steps, runs, total, _ = told(*[long] * 1000)

    assert (steps, total) == (long[:40], 1000)
    assert set(runs) == {1000}


@given(RUNS)
def test_the_steps_are_a_part_of_a_run_that_more_than_half_of_them_support(runs: list[tuple[str, ...]]) -> None:
    found = common_steps(runs)
    tools = tuple(step.tool for step in found.steps)

    assert found.runs == sum(map(bool, runs))
    assert not any(runs) or any(is_within(tools, run) for run in runs)
    assert all(found.runs < 2 * step.runs <= 2 * found.runs and step.runs > 1 for step in found.steps)
    assert found.whole <= sum(1 for run in runs if run and is_within(tools, run))
    assert all(found.whole <= step.runs for step in found.steps)
    assert all(one != other for one, other in pairwise(tools))


@given(RUNS)
def test_the_same_runs_give_the_same_steps(runs: list[tuple[str, ...]]) -> None:
    assert common_steps(runs) == common_steps(list(runs))
    assert all(isinstance(step, Step) for step in common_steps(runs).steps)


def is_within(part: tuple[str, ...], run: tuple[str, ...]) -> bool:
    rest = iter(run)
    return all(tool in rest for tool in part)
