"""What is said of a pattern is checked as a whole before any of it is kept."""

from __future__ import annotations

import pytest

from memscope.actions.promoting import undo
from memscope.actions.promotion_changes import Change, changed, keep
from memscope.actions.promotion_decisions import NOTHING, Said, name_of, said
from memscope.base.errors import UsageError
from memscope.store.database import Database
from tests.promotion.patterns import TESTS, run_the_tests

CHANGES = [
    Change(),
    Change(name="one"),
    Change(name="one", text="words", dropped=TESTS[:2]),
    Change(name="", text=""),
    Change(dropped=TESTS[1:]),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("before", CHANGES[:4])
def test_what_is_kept_is_what_was_checked(database: Database, before: Change, change: Change) -> None:
    tests = run_the_tests()
    keep(database, tests, before)
    then = said(database).get(tests.signature, NOTHING)
    if before.dropped and change.dropped == TESTS[1:]:
        with pytest.raises(UsageError, match="no message of this pattern would be left"):
            changed(tests, then, change)
        return
    wanted = changed(tests, then, change)
    assert said(database).get(tests.signature, NOTHING) == then
    keep(database, tests, change)
    assert said(database).get(tests.signature, NOTHING) == wanted


def test_each_part_is_a_step_that_can_be_taken_back(database: Database) -> None:
    keep(database, run_the_tests(), CHANGES[2])
    taken = [undone.what for _ in range(3) if (undone := undo(database)) is not None]
    assert taken == ["the text of the draft", "dropping a message", "the name"]
    assert undo(database) is None


def test_what_is_not_said_stays_as_it_was() -> None:
    before = Said(name="one", text="words", dropped=frozenset({name_of(TESTS[0])}))
    assert changed(run_the_tests(), before, Change()) == before
    assert changed(run_the_tests(), before, Change(name="", text="")) == Said(dropped=before.dropped)


@pytest.mark.parametrize("name", ["../../x", "Run", "a--b", "a" * 65, "con", "x\x1b[2J", " "])
def test_a_name_that_no_skill_can_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="the name"):
        changed(run_the_tests(), NOTHING, Change(name=name))
