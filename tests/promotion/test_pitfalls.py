"""What failed more than once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.promotion.pitfalls import Pitfall, pitfalls

RUNS = st.lists(st.lists(st.text(alphabet="ab: 1'/x", max_size=20), max_size=4), max_size=5)


def test_what_failed_in_several_runs_is_told_the_commonest_first() -> None:
    runs = [["A: one", "B: two"], ["B: two", "B: two"], ["A: one", "B: two", "C: three"]]

    assert pitfalls(runs) == [Pitfall("B: two", (0, 1, 2)), Pitfall("A: one", (0, 2))]


def test_failures_are_the_same_but_for_numbers_paths_and_what_is_quoted() -> None:
    runs = [["Bash: exit code 1: no such file 'a b': /srv/a.py:12"], ["Bash: exit code 2: No such file 'c': b/c.py:3"]]

    assert pitfalls(runs) == [Pitfall("Bash: exit code 1: no such file 'a b': /srv/a.py:12", (0, 1))]


def test_where_several_tools_failed_alike_none_is_named() -> None:
    assert pitfalls([["Edit: not read yet"], ["Write: not read yet"]]) == [Pitfall("not read yet", (0, 1))]
    assert pitfalls([["not read yet"], ["Write: not read yet"]]) == [Pitfall("not read yet", (0, 1))]


@given(RUNS)
def test_a_pitfall_is_of_two_runs_at_least(runs: list[list[str]]) -> None:
    for one in pitfalls(runs):
        assert len(set(one.runs)) == len(one.runs) > 1
        assert all(0 <= place < len(runs) and runs[place] for place in one.runs)
