"""The same session in several files: which are one, and which of them counts."""

from __future__ import annotations

from typing import Any

from memscope.sessions.copies import Candidate, grouped
from memscope.sessions.facts import Facts, ScannedFile, Stamp
from tests.sessions.rows import session


def candidate(
    path: str = "a", form: str = "claude-code", date: float = 0.0, item: int = 0, of: int = 1, **facts: Any
) -> Candidate:
    found: Facts | None = session(**facts).facts
    assert found is not None
    told = found._replace(item=item)
    return Candidate(path, form, told, date, "message", ScannedFile(path, Stamp(1, 1), form, (told,) * of))


def groups(*candidates: Candidate) -> list[list[int]]:
    return grouped(candidates)


def test_sessions_of_one_name_are_one() -> None:
    assert groups(candidate("a", session="s"), candidate("b", session="s"), candidate("c", session="t")) == [[0, 1]]
    assert groups(candidate("a"), candidate("b")) == []  # without a name


def test_two_of_one_name_in_a_file_are_two_and_each_has_its_copy() -> None:
    files = [candidate(path, "langfuse", session="trace", item=n, of=2) for path in "ab" for n in (0, 1)]
    assert groups(*files) == [[0, 2], [1, 3]]


def test_a_name_is_an_agents_own() -> None:
    assert groups(candidate("a", "codex", session="s"), candidate("b", "hermes", session="s")) == []
    assert groups(candidate("a", "hermes-database", session="s"), candidate("b", "hermes", session="s")) == [[0, 1]]


def test_sessions_that_begin_alike_are_one_whatever_they_are_called() -> None:
    assert groups(candidate("a", session="s", print="p"), candidate("b", session="t", print="p")) == [[0, 1]]
    assert groups(candidate("a", print=""), candidate("b", print="")) == []


def test_what_is_the_same_as_the_same_is_the_same() -> None:
    chain = [
        candidate("a", session="s", print="p"),
        candidate("b", session="t", print="p"),
        candidate("c", session="t", print="q"),
    ]
    assert groups(*chain) == [[0, 1, 2]]


def test_the_one_that_counts_has_the_most_messages_is_newest_and_first_by_path() -> None:
    same: dict[str, Any] = {"session": "s"}
    long, new, first, last = (
        candidate("d", messages=9, **same),
        candidate("c", date=2.0, **same),
        candidate("a", date=1.0, **same),
        candidate("b", date=1.0, **same),
    )
    assert groups(last, first, new, long) == [[3, 2, 1, 0]]


def test_a_sub_agent_counts_with_its_session_however_long_it_is() -> None:
    agent = candidate("a", session="s", is_subagent=True, messages=99)
    assert groups(agent, candidate("b", session="s")) == [[1, 0]]
    named = candidate("a", "codex", session="own", parent="s", is_subagent=True)
    assert groups(named, candidate("b", "codex", session="s")) == [[1, 0]]


def test_sub_agents_in_their_sessions_file_need_no_name() -> None:
    agents = [candidate("a", is_subagent=True, item=n) for n in (1, 2)]
    assert groups(candidate("a"), *agents, candidate("b", is_subagent=True)) == [[0, 1, 2]]


def test_a_sub_agent_in_a_file_of_many_sessions_is_of_the_one_it_names() -> None:
    many = [candidate("db", "hermes", session=name, item=n) for n, name in enumerate("st")]
    agent = candidate("db", "hermes", session="u", parent="t", is_subagent=True, item=2)
    orphan = candidate("db", "hermes", session="v", parent="gone", is_subagent=True, item=3)
    assert groups(*many, agent, orphan) == [[1, 2]]


def test_sub_agents_whose_session_is_not_there_stand_by_themselves() -> None:
    one, other = (candidate(path, session="s", is_subagent=True) for path in "ab")
    assert groups(one, other) == []
    one, other = (candidate(path, session="s", parent="s", is_subagent=True) for path in "ab")
    assert groups(one, other) == []
    one, other = (candidate(path, session=path, parent="s", is_subagent=True) for path in "ab")
    assert groups(one, other) == []


def test_a_sub_agents_own_copies_are_one_all_the_same() -> None:
    one, other = (candidate(path, session="own", parent="s", is_subagent=True) for path in "ab")
    assert groups(one, other) == [[0, 1]]
    one, other = (candidate(path, session="s", print="p", is_subagent=True) for path in "ab")
    assert groups(one, other) == [[0, 1]]


def test_sub_agents_of_two_sessions_may_have_one_name() -> None:
    """Claude Code's are called by seven digits."""
    mains = [candidate(path, session=path) for path in "ab"]
    agents = [candidate(f"{path}/1", session="a21e2f5", parent=path, is_subagent=True) for path in "ab"]
    child = candidate("c", session="x", parent="a21e2f5", is_subagent=True)  # of which of them, nobody knows
    assert groups(*mains, *agents, child) == [[0, 2], [1, 3]]


def test_a_sub_agent_of_a_sub_agent_counts_with_their_session() -> None:
    main = candidate("a", session="s")
    agent = candidate("b", session="t", parent="s", is_subagent=True)
    below = candidate("c", session="u", parent="t", is_subagent=True)
    assert groups(below, agent, main) == [[2, 1, 0]]
    assert groups(below, agent) == [[1, 0]]
