"""The order of sessions, whatever the order of files: scores, copies, and who was first at a repository."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memscope.sessions.facts import Facts, ScannedFile, Stamp
from memscope.sessions.ranked import Breakdown, Place, RankedSession
from memscope.sessions.ranking import rank
from tests.sessions.rows import DAY, FAILED, NOW, session


def facts(item: int = 0, **about: Any) -> Facts:
    found = session(**about).facts
    assert found is not None
    return found._replace(item=item)


def file(path: str, *sessions: Facts, form: str = "codex", error: str = "", modified: float = NOW) -> ScannedFile:
    return ScannedFile(path, Stamp(10, int(modified * 1e9)), form, sessions, error)


def alone(path: str, **about: Any) -> ScannedFile:
    return file(path, facts(**about))


def ranked(*files: ScannedFile) -> dict[str, RankedSession]:
    return {row.path: row for row in rank(files, NOW)}


def test_a_score_is_the_sum_of_its_parts() -> None:
    most = alone("a", messages=51, failure=FAILED, tool_calls=11, repos=("mise",))
    least = alone("b", messages=1, has_content=False, ended=NOW - 50 * DAY)
    rows = ranked(most, least)
    assert (rows["a"].score, rows["a"].parts) == (16, Breakdown(3, 3, 5, 3, 2))
    assert (rows["b"].score, rows["b"].parts) == (3, Breakdown(1, 1, 0, 1, 0))
    assert rows["a"].is_failure
    assert not rows["b"].is_failure


def test_the_first_at_a_repository_has_the_bonus_and_others_name_it() -> None:
    later = alone("/a", repos=("mise",), ended=NOW)
    first = alone("/b", repos=("Mise", "hk"), ended=NOW - DAY)
    rows = ranked(later, first)
    assert (rows["/a"].parts.repo_unique, rows["/a"].holder) == (1, (("mise", Place("/b", 0)),))
    assert (rows["/b"].parts.repo_unique, rows["/b"].holder) == (5, ())
    both = ranked(first, alone("/c", repos=("mise", "new"), ended=NOW))["/c"]
    assert (both.parts.repo_unique, both.holder) == (5, (("mise", Place("/b", 0)),))


def test_of_one_date_the_first_by_path_has_it_and_in_a_file_the_first() -> None:
    rows = rank([file("b", facts(repos=("x",))), file("a", facts(repos=("x",)), facts(repos=("x",), item=1))], NOW)
    unique = {row.place: row.parts.repo_unique for row in rows}
    assert unique == {("a", 0): 5, ("a", 1): 1, ("b", 0): 1}


def test_a_copy_has_no_bonus_and_takes_none_away() -> None:
    copy = alone("a", session="s", repos=("x",), messages=3, ended=NOW - 9 * DAY)
    counts = alone("b", session="s", repos=("x",), messages=4)
    other = alone("c", repos=("x",), ended=NOW - 3 * DAY)
    rows = ranked(copy, counts, other)
    assert (rows["a"].parts.repo_unique, rows["a"].copy_of, rows["a"].holder) == (0, Place("b", 0), ())
    assert (rows["b"].copies, rows["b"].copy_of) == ((Place("a", 0),), None)
    assert (rows["b"].parts.repo_unique, rows["c"].parts.repo_unique) == (1, 5)
    assert list(rows) == ["c", "b", "a"]


def test_the_order_is_score_memories_newest_path_with_copies_and_errors_behind() -> None:
    broken = file("0", error="this file holds no JSON", form="")
    copy = alone("1", session="s", messages=60, is_subagent=True, failure=FAILED)
    files = [
        broken,
        copy,
        alone("z", failure=FAILED, session="s"),
        alone("b", memories=2, ended=NOW - 2 * DAY),
        alone("d", ended=NOW),
        alone("c", ended=NOW - 2 * DAY),
        alone("a", ended=NOW - 2 * DAY),
    ]
    rows = rank(files, NOW)
    assert [row.path for row in rows] == ["z", "b", "d", "a", "c", "1", "0"]
    assert (rows[-1].error, rows[-1].facts, rows[-1].score) == ("this file holds no JSON", None, 0)


def test_a_date_is_of_the_name_then_the_message_then_the_file() -> None:
    rows = ranked(
        alone("/x/s_20260430_120000.jsonl"),
        alone("/x/20260430/b", ended=NOW - 9 * DAY),
        file("/x/c", facts(ended=None), modified=NOW - 99 * DAY),
    )
    assert {(row.dated, row.date, row.parts.recency) for row in rows.values()} == {
        ("name", NOW - DAY, 3),
        ("message", NOW - 9 * DAY, 2),
        ("file", NOW - 99 * DAY, 1),
    }


NAMES = st.sampled_from(["", "", "s", "t", "u"])


@st.composite
def files(draw: st.DrawFn) -> list[ScannedFile]:
    made = []
    for path in draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)):
        sessions = [
            facts(
                item=item,
                session=draw(NAMES),
                parent=draw(NAMES),
                print=draw(st.sampled_from(["", "", "p", "q"])),
                is_subagent=draw(st.booleans()),
                messages=draw(st.integers(1, 3)) * 15,
                memories=draw(st.integers(0, 1)),
                ended=draw(st.sampled_from([None, 0.0, NOW - 9 * DAY, NOW])),
                repos=tuple(draw(st.lists(st.sampled_from(["x", "X", "y"]), max_size=2, unique_by=str.lower))),
            )
            for item in range(draw(st.integers(0, 3)))
        ]
        form = draw(st.sampled_from(["codex", "claude-code"]))
        made.append(file(path, *sessions, form=form, error="" if sessions else "broken"))
    return made


@given(files(), st.randoms(use_true_random=False))
def test_the_ranking_is_the_same_for_any_order_of_files(found: Sequence[ScannedFile], random: Any) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert rank(found, NOW) == rank(shuffled, NOW)


@given(files())
def test_every_session_is_a_row_and_one_of_each_counts(found: Sequence[ScannedFile]) -> None:
    rows = rank(found, NOW)
    assert len(rows) == sum(max(1, len(one.sessions)) for one in found)
    counting = {row.place: row for row in rows if row.facts is not None and row.copy_of is None}
    assert {row.copy_of for row in rows if row.copy_of} <= counting.keys()
    assert {p for row in counting.values() for p in row.copies} == {r.place for r in rows if r.copy_of}
    firsts = [row for row in counting.values() if row.parts.repo_unique == 5]
    named = {repo.name.lower() for row in counting.values() if row.facts for repo in row.facts.repositories}
    held = [_first_at(row) for row in firsts]
    assert sorted(name for names in held for name in names) == sorted(named)
    assert all(row.score == sum(row.parts) for row in rows)


def _first_at(row: RankedSession) -> set[str]:
    assert row.facts is not None
    return {repo.name.lower() for repo in row.facts.repositories} - {name.lower() for name, _ in row.holder}
