"""What is decided about insights: it lasts, every step can be undone, and what cannot be read costs only itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.actions.insight_decisions import KIND, Standing, Undone, drop, keep, kept_words, standing, undo
from memscope.base.clock import set_clock
from memscope.base.errors import StoreError
from memscope.insights.curation import Curated, Kept
from memscope.insights.model import Insight
from memscope.insights.written import encoded
from memscope.store.database import Database
from memscope.store.journal import Journal
from tests.insights.sayings import insight, insights

TESTS = insight("run the tests first", 0.8, "a", time=1.0)
TESTS_TOO = insight("run the tests first please", 0.7, "b", time=2.0)
LINTER = insight("the linter wants short lines", 0.6, "a")
TEA = insight("she likes tea in the morning", 0.9, "c", kind="synthesized", model="m")


@pytest.fixture(autouse=True)
def _time() -> Iterator[None]:
    """It is noon, always."""
    set_clock(lambda: 100.0)
    yield
    set_clock(None)


def texts(database: Database) -> list[str]:
    return [one.insight.text for one in standing(database).kept]


def test_nothing_is_decided_until_somebody_decides_it(database: Database) -> None:
    assert standing(database) == Standing((), frozenset())
    assert undo(database) is None


def test_what_is_kept_is_found_again_by_another_process(database: Database) -> None:
    done = keep(database, [TESTS, TEA], winner="newer")
    assert done.added == done.kept == (Kept(TESTS, 100.0), Kept(TEA, 100.0))
    other = Database(database.path.parent)
    assert standing(other) == Standing(done.kept)
    other.close()


def test_a_replacement_and_what_goes_for_it_are_one_step(database: Database) -> None:
    keep(database, [TESTS, LINTER], winner="newer")
    done = keep(database, [TESTS_TOO, TEA], winner="newer")
    assert texts(database) == [LINTER.text, TESTS_TOO.text, TEA.text]
    assert standing(database).kept == done.kept
    assert [spot.session for spot in done.kept[1].insight.evidence] == ["b", "a"]
    assert [entry.payload for entry in Journal(database).entries(KIND, TESTS.name)][1:] == [{"for": TESTS_TOO.name}]
    assert undo(database) == Undone(
        (TESTS_TOO.name, TEA.name, TESTS.name), "keeping 2 insights; 1 that left for that is back"
    )
    assert texts(database) == [TESTS.text, LINTER.text]
    assert undo(database) == Undone((TESTS.name, LINTER.name), "keeping 2 insights")
    assert texts(database) == [] and undo(database) is None


def test_the_more_confident_stays_where_that_is_asked_for(database: Database) -> None:
    keep(database, [TESTS, LINTER], winner="confident")
    done = keep(database, [TESTS_TOO], winner="confident")
    assert done.repeated == (TESTS_TOO,)
    assert texts(database) == [LINTER.text, TESTS.text]
    assert [spot.session for spot in standing(database).kept[1].insight.evidence] == ["a", "b"]
    undo(database)
    assert standing(database).kept == (Kept(TESTS, 100.0), Kept(LINTER, 100.0))


def test_what_is_too_much_leaves_and_is_back_with_an_undo(database: Database) -> None:
    keep(database, [TESTS, LINTER], winner="newer")
    done = keep(database, [TEA], winner="newer", most=2)
    assert [one.insight for one in done.left] == [LINTER]
    assert kept_words(done) == "1 insight kept, 1 kept before left, for there is room for 500"
    assert texts(database) == [TESTS.text, TEA.text]
    assert Journal(database).entries(KIND, LINTER.name)[-1].payload == {"for": None}
    undo(database)
    assert texts(database) == [TESTS.text, LINTER.text]


def test_fewer_may_be_kept_than_there_are(database: Database) -> None:
    keep(database, [TESTS, LINTER, TEA], winner="newer")
    keep(database, [], winner="newer", most=1)
    assert texts(database) == [TEA.text]
    assert undo(database) == Undone((TESTS.name, LINTER.name), "letting 2 insights go")
    assert len(texts(database)) == 3


def test_one_that_never_came_in_leaves_no_trace(database: Database) -> None:
    keep(database, [TEA], winner="newer")
    before = Journal(database).latest(KIND)
    done = keep(database, [LINTER], winner="newer", most=1)
    assert done.outside == (LINTER,) and Journal(database).latest(KIND) == before
    assert kept_words(done) == "0 insights kept, 1 found no room among 500"


def test_the_same_again_is_no_step(database: Database) -> None:
    keep(database, [TESTS, LINTER], winner="newer")
    before = Journal(database).latest(KIND)
    done = keep(database, [LINTER, TESTS], winner="newer")
    assert done.added == () and set(done.repeated) == {TESTS, LINTER}
    assert Journal(database).latest(KIND) == before


def test_what_nobody_wants_is_kept_no_more(database: Database) -> None:
    keep(database, [TESTS, LINTER], winner="newer")
    assert drop(database, [LINTER, TEA, LINTER]) == 2
    assert texts(database) == [TESTS.text]
    assert standing(database).dropped == {LINTER.name, TEA.name}
    assert drop(database, [LINTER, TEA]) == 0
    assert undo(database) == Undone((LINTER.name, TEA.name), "dropping 2 insights")
    assert texts(database) == [TESTS.text, LINTER.text] and not standing(database).dropped


ERRED = "'Bash' errored {} times: fatal: not a git repository"


def test_what_says_the_same_as_something_dropped_is_dropped_until_it_is_kept(database: Database) -> None:
    before, now = (insight(ERRED.format(times), 0.4, "a", kind="repeated_tool_error") for times in (2, 3))
    drop(database, [before])
    assert [one.insight for one in standing(database).unwanted] == [before]
    assert standing(database).state_of(now) == standing(database).state_of(before) == "dropped"
    other_kind = replace(now, kind="synthesized")
    assert standing(database).state_of(other_kind) == standing(database).state_of(LINTER) == "new"
    keep(database, [now], winner="newer")
    later = replace(now, text=ERRED.format(4))
    states = [standing(database).state_of(one) for one in (before, now, later)]
    assert states == ["dropped", "kept", "new"]
    set_clock(lambda: 200.0)
    drop(database, [later])
    assert standing(database).state_of(replace(now, text=ERRED.format(5))) == "dropped"
    undo(database)
    undo(database)
    assert standing(database).state_of(now) == "dropped"
    undo(database)
    assert standing(database).state_of(now) == "new"


def test_a_drop_whose_words_cannot_be_read_holds_for_its_name(database: Database) -> None:
    Journal(database).add(KIND, TEA.name, "drop", {})
    assert standing(database) == Standing((), frozenset({TEA.name}))
    assert standing(database).state_of(TEA) == "dropped"


def test_what_was_dropped_may_be_kept_after_all(database: Database) -> None:
    keep(database, [TEA], winner="newer")
    drop(database, [TEA])
    keep(database, [TEA], winner="newer")
    assert texts(database) == [TEA.text] and not standing(database).dropped
    undo(database)
    assert standing(database) == Standing((), frozenset({TEA.name}), (Kept(TEA, 100.0),))


def test_an_undo_of_some_takes_back_their_latest_step(database: Database) -> None:
    keep(database, [TESTS], winner="newer")
    keep(database, [TEA], winner="newer")
    drop(database, [LINTER])
    assert undo(database, iter([TESTS.name])) == Undone((TESTS.name,), "keeping 1 insight")
    assert texts(database) == [TEA.text] and standing(database).dropped == {LINTER.name}
    assert undo(database, [TESTS.name]) is None and undo(database, []) is None


def test_what_left_comes_back_when_it_is_asked_for_by_its_own_name(database: Database) -> None:
    keep(database, [TESTS], winner="newer")
    keep(database, [TESTS_TOO], winner="newer")
    undo(database, [TESTS.name])
    assert texts(database) == [TESTS.text]


@pytest.mark.parametrize(
    "payload",
    [{}, {"kind": "synthesized"}, encoded(TEA), encoded(TESTS) | {"confidence": 7}, encoded(TESTS) | {"evidence": [3]}],
)
def test_what_cannot_be_read_costs_only_itself(database: Database, payload: dict[str, Any]) -> None:
    keep(database, [LINTER], winner="newer")
    Journal(database).add(KIND, TESTS.name, "keep", payload)
    assert texts(database) == [LINTER.text]
    keep(database, [TESTS], winner="newer")
    assert texts(database) == [LINTER.text, TESTS.text]


def test_what_another_version_decided_is_passed_over(database: Database) -> None:
    keep(database, [TESTS], winner="newer")
    Journal(database).add(KIND, TESTS.name, "pin", {})
    Journal(database).add(KIND, TEA.name, "pin", {})
    assert texts(database) == [TESTS.text]
    assert undo(database) == Undone((TEA.name,), "a decision")


def test_texts_of_any_characters_are_kept(database: Database) -> None:
    odd = insight("\ud800 a\0\x1b[31m", 0.5, "\udc80\n")
    keep(database, [odd], winner="newer")
    assert standing(database).kept == (Kept(odd, 100.0),)


def test_a_store_that_fails_says_so_and_keeps_nothing(database: Database) -> None:
    keep(database, [TESTS], winner="newer")
    database.write("CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END")
    for decide in (lambda: keep(database, [TEA], winner="newer"), lambda: drop(database, [TESTS])):
        with pytest.raises(StoreError):
            decide()
    with pytest.raises(StoreError):
        undo(database)
    assert texts(database) == [TESTS.text]


_STEP = st.one_of(
    st.tuples(st.just("keep"), st.lists(insights(), max_size=6), st.sampled_from([2, 4, 500])),
    st.tuples(st.just("drop"), st.lists(insights(), max_size=3), st.just(0)),
    st.just(("undo", [], 0)),
)


@given(st.lists(_STEP, max_size=8), st.sampled_from(["newer", "confident"]))
@settings(max_examples=40)
def test_undo_of_any_depth_leads_to_where_one_was(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, list[Insight], int]], winner: Any
) -> None:
    database = Database(Path(tmp_path_factory.mktemp("store")))
    states = [Standing()]
    for what, some, most in steps:
        if what == "undo":
            undo(database)
            states = states[:-1] or [Standing()]
            assert standing(database) == states[-1]
            continue
        before = Journal(database).latest(KIND)
        if what == "keep":
            done: Curated = keep(database, some, winner=winner, most=most)
            assert standing(database).kept == done.kept
        else:
            assert drop(database, some) == len({one.name for one in some} - states[-1].dropped)
            assert standing(database).dropped == states[-1].dropped | {one.name for one in some}
        if Journal(database).latest(KIND) != before:
            states.append(standing(database))
        assert standing(database) == states[-1]
    for state in reversed(states):
        assert standing(database) == state
        undo(database)
    database.close()
